"""Run wearables of all products with their faults on one simulated Bluetooth service, and keep what came of it.

Everything goes over bleak's own BlueZ backend. All wearables of a run are there at once; each goes through its own
phases: streaming, fault, end of the fault, streaming again.
"""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import Enum, auto
from unittest.mock import patch

import numpy as np

import devices.session
from devices.hostclock import ScaledClock
from devices.hub import BleHub
from devices.link import LinkRequest, WearableLink
from devices.profiles import recognise
from devices.profiles.types import Profile
from devices.sim.bus import SimBus
from devices.sim.products import PRODUCTS, make_firmware
from devices.sim.wearable import SimWearable
from devices.types import Advertisement, Chunk, FloatArray, HeartRateSample, IntArray, LinkState, LinkStatus
from tests.contracts.fault_table import Fault

# The wearables' clock: fast enough that slow products send several times a second, slow enough for two cores.
SPEED = 3.0
# Each acceleration tells its number: prime, so that a sample lost or doubled shows at once; in steps that every
# product's resolution tells apart, within the smallest full scale in use (8 g).
CYCLE, STEP_MPS2 = 97, 0.6
_RATE_WANTED_HZ = 12.5
# Real s. A fault that ends by itself is looked at for so long; no phase takes longer than the limit.
_HOLD_S, _LIMIT_S = 0.3, 40.0
# s of the wearables' clock, before the fault and after it.
_BEFORE_S, _AFTER_S = 1.8 * SPEED, 1.8 * SPEED
_LOOK_S = 0.01
# s that the wearables were on before: more than what device and host may disagree about.
_UPTIME_S = 1000.0
# Real s until everything that was sent is through.
_SETTLE_S = 0.3
_GOODBYE_S = 0.5


class Numbered:
    """A motion whose acceleration tells its number; the turning is steady."""

    duration_s: float | None = None

    def samples(self, start_index: int, count: int, rate_hz: float) -> tuple[FloatArray, FloatArray]:
        acc = np.zeros((count, 3))
        acc[:, 0] = np.arange(start_index, start_index + count) % CYCLE * STEP_MPS2
        return acc, np.full((count, 3), 0.25)


class Phase(Enum):
    """Where a cell is in its story."""

    OPENING = auto()
    BEFORE = auto()
    FAULT = auto()
    RETURNING = auto()
    AFTER = auto()
    OVER = auto()


@dataclass(slots=True)
class Cell:
    """One wearable with one fault, and all that the link told of it. Times are real, monotonic."""

    product: str
    fault: Fault
    wearable: SimWearable
    profile: Profile
    link: WearableLink
    chunks: list[Chunk] = field(default_factory=list)
    beats: list[HeartRateSample] = field(default_factory=list)
    told: list[tuple[float, LinkStatus]] = field(default_factory=list)
    phase: Phase = Phase.OPENING
    since_s: float = field(default_factory=time.monotonic)
    began_s: float = 0.0
    ended_s: float = 0.0
    returned_s: float = 0.0
    over_s: float = 0.0
    losses: int = 0
    gave_up: str = ""

    @property
    def has_clock(self) -> bool:
        return self.profile.ticks_per_s is not None

    def statuses(self) -> list[LinkStatus]:
        """Return what was told from the fault on until the end of the story, before everything was switched off."""
        until_s = self.over_s or time.monotonic()
        return [status for at_s, status in self.told if self.began_s <= at_s < until_s]

    @property
    def sessions(self) -> int:
        """Return how often the stream began."""
        return self.link.log_text().count("| first frame")

    def shown(self) -> bool:
        """Tell whether the fault's sentence was told."""
        return not self.fault.says or any(re.search(self.fault.says, one.problem or "") for one in self.statuses())

    def numbers(self) -> IntArray:
        """Return the numbers, modulo CYCLE, of the accelerations received, in the order of the recording."""
        acc = np.concatenate([np.zeros(0), *(chunk.acc_mps2[:, 0] for chunk in self.chunks)])
        return np.asarray(np.rint(acc[np.isfinite(acc)] / STEP_MPS2).astype(np.int64))

    def go(self, phase: Phase) -> None:
        self.phase, self.since_s = phase, time.monotonic()

    def begin_fault(self) -> None:
        self.began_s = time.monotonic()
        self.fault.during(self.wearable)
        self.go(Phase.FAULT)

    def end_fault(self) -> None:
        self.fault.after(self.wearable)
        self.go(Phase.RETURNING)
        self.ended_s = self.since_s

    def step(self) -> None:
        """Go on if the time has come. What befalls all together is begun and ended by the runner."""
        passed_s, status = time.monotonic() - self.since_s, self.link.status()
        streams, own = status.state is LinkState.STREAMING, not self.fault.together
        if passed_s > _LIMIT_S:
            self.gave_up = f"{self.phase.name} for {passed_s:.0f} s, {status.state} ({status.problem})"
            self.go(Phase.OVER)
        elif self.phase is Phase.OPENING and (streams or self.fault.prevents):
            self.go(Phase.BEFORE if self.fault.interrupts else Phase.FAULT if self.fault.prevents else Phase.AFTER)
            self.began_s = 0.0 if self.fault.prevents else self.since_s
        elif self.phase is Phase.BEFORE and own and passed_s * SPEED >= _BEFORE_S:
            self.begin_fault()
        elif self.phase is Phase.FAULT and own and passed_s >= _HOLD_S and self.shown():
            if not (self.fault.apart and self.wearable.connected):
                self.end_fault()
        elif self.phase is Phase.RETURNING and streams:
            self.go(Phase.AFTER)
            self.returned_s = self.since_s
        elif self.phase is Phase.AFTER and passed_s * SPEED >= _AFTER_S:
            self.go(Phase.OVER)


def run(faults: Sequence[Fault]) -> dict[tuple[str, str], Cell]:
    """Run every fault with every product at once, and return the cells by (fault, product)."""
    clock = ScaledClock.starting_now(1_800_000_000.0, SPEED)
    made = []
    for number, (fault, product) in enumerate((fault, product) for fault in faults for product in PRODUCTS):
        address = f"C0:FF:EE:00:{number // 256:02X}:{number % 256:02X}"
        one = SimWearable(
            motion=Numbered(),
            clock=clock,
            product=product,
            address=address,
            # Some products have one rate, or one that only their owner sets.
            rate_hz=min(make_firmware(product, address).rates_hz, key=lambda rate: abs(rate - _RATE_WANTED_HZ)),
            seed=number,
            uptime_s=_UPTIME_S,
        )
        fault.before(one)
        made.append((fault, product, one))
    bus = SimBus([one for _, _, one in made])
    with bus.running(), BleHub() as hub:
        hub.scan(0.1)
        # The hub's own, and the one by which bleak watches the bus.
        own_tasks = hub.call(_other_tasks())
        cells = [_opened(hub, fault, product, one, clock) for fault, product, one in made]
        while any(cell.phase is not Phase.OVER for cell in cells):
            for cell in cells:
                cell.step()
            _step_together(bus, [cell for cell in cells if cell.fault.together])
            time.sleep(_LOOK_S)
        for cell in cells:
            cell.over_s, cell.losses = time.monotonic(), cell.link.status().losses
            cell.wearable.go_silent(True)
        time.sleep(_SETTLE_S)
        # A silent wearable answers no goodbye, and each is waited for: at once, and not long.
        with patch.object(devices.session, "_GOODBYE_S", _GOODBYE_S), ThreadPoolExecutor(len(cells)) as pool:
            list(pool.map(lambda cell: cell.link.close(), cells))
        assert hub.call(_other_tasks()) == own_tasks
    assert not any(thread.name == "backstop-radio" for thread in threading.enumerate())
    return {(cell.fault.name, cell.product): cell for cell in cells}


def _opened(hub: BleHub, fault: Fault, product: str, one: SimWearable, clock: ScaledClock) -> Cell:
    profile = _profile_of(one)
    request = LinkRequest(
        address=one.address,
        family=profile.family,
        rate_hz=one.rate_hz,
        recording_id="rec",
        clock=clock,
        silence_s=3.0,
        # Short where it is the fault; else long enough for a machine that does other things.
        connect_timeout_s=0.5 if fault.name == "slow connect" else 5.0,
        scan_s=0.5,
        backoff_first_s=0.1,
    )
    chunks: list[Chunk] = []
    beats: list[HeartRateSample] = []
    told: list[tuple[float, LinkStatus]] = []
    link = hub.open(
        request,
        chunks.append,
        None,
        lambda status: told.append((time.monotonic(), status)),
        lambda beat, _utc_s: beats.append(beat),
    )
    return Cell(product, fault, one, profile, link, chunks, beats, told)


def _profile_of(one: SimWearable) -> Profile:
    """Return the profile that recognises the wearable, however hidden it is now."""
    firmware = one.firmware
    data = {} if firmware.company_id is None else {firmware.company_id: firmware.company_data()}
    seen = Advertisement(one.address, firmware.name, firmware.advertised_uuids, data, -60)
    profile = recognise(seen)
    assert profile is not None, f"no profile recognises {seen}"
    return profile


def _step_together(bus: SimBus, cells: list[Cell]) -> None:
    """Begin a fault of all at once when all stream, and end it when all have said so."""
    now_s = time.monotonic()
    if not cells:
        return
    service = cells[0].fault.service
    if all(cell.phase is Phase.BEFORE and (now_s - cell.since_s) * SPEED >= _BEFORE_S for cell in cells):
        if service is not None:
            service(bus, True)
        for cell in cells:
            cell.begin_fault()
    elif all(cell.phase is Phase.FAULT and cell.shown() for cell in cells):
        if service is not None:
            service(bus, False)
        for cell in cells:
            cell.end_fault()


async def _other_tasks() -> set[str]:
    me = asyncio.current_task()
    return {task.get_name() for task in asyncio.all_tasks() if task is not me}
