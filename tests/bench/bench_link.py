"""What a wearable's link costs: simulated wearables over bleak's own BlueZ backend, alone and fifty of all families."""

from __future__ import annotations

import os
import queue
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from coach.log import ChunkLog
from devices.hostclock import HostClock, ScaledClock, SystemClock
from devices.hub import BleHub
from devices.link import LinkRequest, WearableLink
from devices.profiles import recognise
from devices.sim.bus import SimBus
from devices.sim.motions import lifting
from devices.sim.products import PRODUCTS, make_firmware
from devices.sim.wearable import SimWearable
from devices.types import Chunk, LinkState
from tests.scenarios.house import House, a_house

SECONDS = 10.0
# The mark of the links: fifty wearables at 50 Hz for a minute.
FIFTY, FIFTY_HZ, FIFTY_S = 50, 50.0, float(os.environ.get("BENCH_LINK_S", "60"))
_SETTLE_S = 2.5


@dataclass(slots=True)
class Stored:
    """What one link handed on, and how long after the notification that completed it each chunk was there.

    handed_on_s: until the link gave it away; stored_s: until its commit was through.
    """

    wearable: SimWearable
    log: Appending
    link: WearableLink | None = None
    heard_s: float = 0.0
    measuring: bool = False
    samples: int = 0
    handed_on_s: list[float] = field(default_factory=list)
    stored_s: list[float] = field(default_factory=list)

    def tap(self, kind: str, _uuid: str, _data: bytes) -> None:
        if kind == "N":
            self.heard_s = time.perf_counter()

    def chunk(self, chunk: Chunk) -> None:
        self.samples += len(chunk) - chunk.missing
        if self.measuring:
            self.handed_on_s.append(time.perf_counter() - self.heard_s)
        self.log.put(chunk, self.heard_s, self.stored_s if self.measuring else [])


class Appending:
    """One thread that appends what waits, as a gateway does: durable commits to the chunk log of a database on disk."""

    def __init__(self, log: ChunkLog) -> None:
        self._log = log
        self._queue: queue.Queue[tuple[Chunk, float, list[float]] | None] = queue.Queue()
        self.handed_on = self.stored = 0

    def put(self, chunk: Chunk, heard_s: float, waits_s: list[float]) -> None:
        """Enqueue a chunk; `waits_s` gets how long after `heard_s` it was stored."""
        self.handed_on += 1
        self._queue.put((chunk, heard_s, waits_s))

    @contextmanager
    def running(self) -> Iterator[None]:
        """Append until the block ends and nothing waits."""
        thread = threading.Thread(target=self._run)
        thread.start()
        try:
            yield
        finally:
            self._queue.put(None)
            thread.join()

    def _run(self) -> None:
        ended = False
        while not ended:
            waiting = [self._queue.get()]
            while not self._queue.empty():
                waiting.append(self._queue.get())
            ended = None in waiting
            batch = [one for one in waiting if one is not None]
            if batch:
                self.stored += len(self._log.append([chunk for chunk, _, _ in batch]))
                now_s = time.perf_counter()
                for _, heard_s, waits_s in batch:
                    waits_s.append(now_s - heard_s)


def one(count: int, speed: float) -> str:
    """Return the line of `count` DOTs at 60 Hz."""
    clock = ScaledClock.starting_now(time.time(), speed)
    wearables = [
        SimWearable(motion=lifting(k), clock=clock, rate_hz=60, address=f"C0:FF:EE:00:01:{k:02X}") for k in range(count)
    ]
    with SimBus(wearables).running(), BleHub() as hub:
        links = [
            hub.open(LinkRequest(wearable.address, "movella-dot", 60, "bench", clock), lambda chunk: None)
            for wearable in wearables
        ]
        _until_all_stream(links)
        sent, cpu, began = sum(w.frames_sent for w in wearables), time.process_time(), time.monotonic()
        time.sleep(SECONDS)
        cpu, took = time.process_time() - cpu, time.monotonic() - began
        sent = sum(w.frames_sent for w in wearables) - sent
        for wearable in wearables:
            wearable.go_silent(True)
        time.sleep(0.3)
        hub.close()
        lost = sum(w.frames_sent - link.status().samples_received for w, link in zip(wearables, links, strict=True))
    return (
        f"- wearables: {count} at 60 Hz, clock at {speed:g} times real time: {sent / took:,.0f} frames/s, "
        f"{lost} lost, {cpu / took:.3f} cores (simulator, bus, bleak and link together)"
    )


def fifty() -> list[str]:
    """Return the lines of fifty wearables of all families at the rate next to 50 Hz, stored in a database on disk."""
    with tempfile.TemporaryDirectory() as folder, a_house(Path(folder)) as house:
        return _fifty_in(house)


def _fifty_in(house: House) -> list[str]:
    clock = SystemClock()
    log = Appending(house.services.log)
    stored = [_made(number, clock, log) for number in range(FIFTY)]
    for each in stored:
        # Its placement changes nothing here.
        house.services.wearables.add(
            house.athlete, house.athlete_id, each.wearable.address, _family(each), each.wearable.address, "chest"
        )
    with log.running(), SimBus([each.wearable for each in stored]).running(), BleHub() as hub:
        for each in stored:
            each.link = _opened(hub, each, clock)
        links = [each.link for each in stored if each.link is not None]
        _until_all_stream(links)
        for each in stored:
            each.measuring = True
        before, cpu, began = _sent(stored), time.process_time(), time.monotonic()
        time.sleep(FIFTY_S)
        cpu, took = time.process_time() - cpu, time.monotonic() - began
        sent = _sent(stored) - before
        losses = sum(link.status().losses for link in links)
        for each in stored:
            each.measuring = False
            each.wearable.go_silent(True)
        time.sleep(_SETTLE_S)
        hub.close()
    lost = sum(_lost(each) for each in stored)
    handed_on = _told_ms([wait_s for each in stored for wait_s in each.handed_on_s])
    committed = _told_ms([wait_s for each in stored for wait_s in each.stored_s])
    return [
        f"- {FIFTY} wearables of {len(PRODUCTS)} products at {FIFTY_HZ:g} Hz or next to it for {took:.0f} s in one "
        f"process: {sent / took:,.0f} samples/s, {lost} lost, {losses} links lost, {cpu / took:.3f} cores (all of it)",
        f"- from the notification that completes a chunk to the chunk stored (SQLite, synchronous=FULL, committed): "
        f"{committed}; to the chunk handed on: {handed_on}; {log.stored} of {log.handed_on} chunks stored",
    ]


def _told_ms(waits_s: list[float]) -> str:
    p50, p99 = np.percentile(np.array(waits_s) * 1e3, (50, 99))
    return f"median {p50:.1f} ms, p99 {p99:.1f} ms"


def _made(number: int, clock: HostClock, log: Appending) -> Stored:
    product = list(PRODUCTS)[number % len(PRODUCTS)]
    address = f"C0:FF:EE:00:02:{number:02X}"
    rate_hz = min(make_firmware(product, address).rates_hz, key=lambda rate: abs(rate - FIFTY_HZ))
    wearable = SimWearable(
        motion=lifting(number), clock=clock, product=product, rate_hz=rate_hz, address=address, seed=number
    )
    return Stored(wearable, log)


def _family(each: Stored) -> str:
    seen = each.wearable.advertisement()
    profile = recognise(seen) if seen is not None else None
    if profile is None:
        raise RuntimeError(f"{each.wearable.address} is not recognised")
    return profile.family


def _opened(hub: BleHub, each: Stored, clock: HostClock) -> WearableLink:
    return hub.open(
        LinkRequest(each.wearable.address, _family(each), each.wearable.rate_hz, "bench", clock, tap=each.tap),
        each.chunk,
    )


def _sent(stored: list[Stored]) -> int:
    """Return the samples handed over: accelerations, and of products without them the values of their stream."""
    truths = [each.wearable.truth for each in stored]
    return sum(truth.sensors["acc"].sent or truth.frames_sent for truth in truths)


def _lost(each: Stored) -> int:
    """Return how many of them were not received. The first line of a text stream is not used by intention."""
    if each.wearable.truth.sensors["acc"].sent:
        return _sent([each]) - each.samples - (each.wearable.firmware.product == "nordic-uart")
    return _sent([each]) - (each.link.status().frames if each.link is not None else 0)


def _until_all_stream(links: list[WearableLink]) -> None:
    while not all(link.status().state is LinkState.STREAMING for link in links):
        time.sleep(0.01)


def measure() -> list[str]:
    """Return the lines of the report."""
    return [one(1, 1.0), one(10, 1.0), one(1, 45.0), *fifty()]


if __name__ == "__main__":
    print("\n".join(measure()))
