"""One athlete's day in a process of its own: simulated wearables with their faults, and the gateway that serves them.

The gateway is put together as `backstop gateway` does it, with two differences: the wearables lie behind bleak's
`backend=` hook, and their time is paced. It goes on in steps of the loop that pumps them, so that a machine that
stands still lets it stand still too, and it slows down while the server is behind: the day is as fast as it can be.
What really happened is written down at the end, from the wearables' own books.

Usage: soak_wearers.py PLAN.json, see `Plan`.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import random
import signal
import sys
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from coach.config import Config
from coach.delivery import Contact, ContactParams
from coach.gateway import Gateway, RequestOf, request_from
from coach.outpost import Outpost
from coach.service.types import WearableView
from coach.spool import Spool
from coach.uplink import Uplink
from devices.hub import BleHub
from devices.link import LinkRequest
from devices.profiles import profile_of
from devices.sim.backend import PUMP_S, sim_radio
from devices.sim.motions import MOTIONS
from devices.sim.wearable import SimWearable

SPOOL_BYTES = 256_000_000
# Chunks that wait for the server, from which the wearables' time goes on no faster than the wall's.
_BEHIND = 2000
# s of the wearables' time between two faults of one wearable, and how long one lasts.
_FAULT_EVERY_S, _FAULT_S = (600.0, 1800.0), (5.0, 60.0)
# s of real time that a day may take: two days.
_REAL_MAX_S = 172_800.0
# s of the wearables' time at the end without faults, so that the last ones have ended.
_CALM_S = 240.0


@dataclass(frozen=True, slots=True)
class Worn:
    """One wearable of the plan."""

    address: str
    product: str
    family: str
    motion: str
    seed: int
    drift_ppm: float


@dataclass(frozen=True, slots=True)
class Plan:
    """What one process does: from start_utc_s to end_utc_s at most `speed` times faster than the wall's clock.

    The token is in BACKSTOP_GATEWAY__TOKEN. told: file for the wearables' books; `<told>.now` shows the time.
    """

    url: str
    folder: str
    told: str
    start_utc_s: float
    end_utc_s: float
    speed: float
    worn: tuple[Worn, ...]

    @classmethod
    def read(cls, path: Path) -> Plan:
        """Read a plan that was written as JSON."""
        found = json.loads(path.read_text(encoding="utf-8"))
        return cls(**found | {"worn": tuple(Worn(**each) for each in found["worn"])})

    def write(self, path: Path) -> None:
        """Write the plan as JSON."""
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")


class PacedClock:
    """A clock that shows what it was set to."""

    def __init__(self, start_utc_s: float) -> None:
        self.now_s = start_utc_s

    def utc_s(self) -> float:
        """Return the wearables' time."""
        return self.now_s


def faults_of(wearable: SimWearable, worn: Worn, plan: Plan) -> Iterator[tuple[float, str, float]]:
    """Return the faults (when, which, how long) of one wearable, in order, drawn from its seed and the start."""
    chance = random.Random(f"{worn.seed} {plan.start_utc_s}")
    at_s = plan.start_utc_s + chance.uniform(60.0, _FAULT_EVERY_S[0])
    names = ["drop_link", "leave_reach", "corrupt", "truncate", "duplicate", "silent", "delay", "drift"]
    if worn.seed % 4 == 0:
        names.append("power_cycle")
    while at_s < plan.end_utc_s - _CALM_S:
        lasts_s = chance.uniform(*_FAULT_S)
        yield at_s, chance.choice(names), lasts_s
        at_s += lasts_s + chance.uniform(*_FAULT_EVERY_S)


def begin_fault(wearable: SimWearable, name: str) -> None:
    """Throw a switch."""
    if name == "drop_link":
        wearable.drop_link()
    elif name == "leave_reach":
        wearable.leave_reach(2.0)
    elif name == "silent":
        wearable.go_silent(True)
    elif name == "corrupt":
        wearable.corrupt_every(7)
    elif name == "truncate":
        wearable.truncate_every(11)
    elif name == "duplicate":
        wearable.duplicate_every(5)
    elif name == "delay":
        wearable.delay_frames(0.4)
    elif name == "drift":
        wearable.drift(-60.0)
    else:
        wearable.power_cycle()


def end_fault(wearable: SimWearable, worn: Worn) -> None:
    """Put every switch back."""
    wearable.come_back()
    wearable.go_silent(False)
    wearable.corrupt_every(0)
    wearable.truncate_every(0)
    wearable.duplicate_every(0)
    wearable.delay_frames(0.0)
    wearable.drift(worn.drift_ppm)


class Day:
    """The wearables and their time."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.clock = PacedClock(plan.start_utc_s)
        self.wearables = {
            worn.address: SimWearable(
                motion=MOTIONS[worn.motion](worn.seed), clock=self.clock, address=worn.address, product=worn.product,
                seed=worn.seed, drift_ppm=worn.drift_ppm, uptime_s=1000.0,
            ) for worn in plan.worn
        }  # fmt: skip
        self._radio = sim_radio(list(self.wearables.values()))
        self._worn = {worn.address: worn for worn in plan.worn}
        self._faults = {address: faults_of(each, self._worn[address], plan) for address, each in self.wearables.items()}
        self._next = {address: next(faults, None) for address, faults in self._faults.items()}
        self._ends: dict[str, float] = {}
        self.faults: dict[str, int] = {}
        self.over = threading.Event()

    def requests(self, config: Config) -> RequestOf:
        """Return how to link to one of the wearables."""
        real = request_from(config, self.clock)

        def request_of(view: WearableView, recording_id: str) -> LinkRequest | None:
            request = real(view, recording_id)
            return replace(request, radio=self._radio) if request and view.address in self.wearables else None

        return request_of

    async def pass_by(self, spool: Spool, gateway: Gateway) -> None:
        """Let the time go on until the day is over. On the hub's loop."""
        while not all(each.connected for each in self.wearables.values()):
            await asyncio.sleep(PUMP_S)
        while self.clock.now_s < self._plan.end_utc_s and not self.over.is_set():
            behind = gateway.counts.waiting + spool.waiting > _BEHIND
            self.clock.now_s += PUMP_S * (1.0 if behind else self._plan.speed)
            self._throw_switches()
            await asyncio.sleep(PUMP_S)
        self.over.set()

    def _throw_switches(self) -> None:
        now_s = self.clock.now_s
        for address, wearable in self.wearables.items():
            if self._ends.get(address, float("inf")) <= now_s:
                del self._ends[address]
                end_fault(wearable, self._worn[address])
            due = self._next[address]
            if due is not None and due[0] <= now_s:
                _, name, lasts_s = due
                begin_fault(wearable, name)
                self.faults[name] = self.faults.get(name, 0) + 1
                self._ends[address] = now_s + lasts_s
                self._next[address] = next(self._faults[address], None)

    def books(self) -> dict[str, object]:
        """Return what really happened, by address: counts, and the first and last number of the samples sent."""
        told: dict[str, object] = {"faults": self.faults, "now_s": self.clock.now_s}
        for address, wearable in self.wearables.items():
            truth = wearable.truth
            acc, numbers = truth.sensors["acc"], truth.numbers_sent
            told[address] = {
                "sent": acc.sent, "damaged": acc.damaged, "unsent": acc.unsent, "duplicated": acc.duplicated,
                "first": int(numbers.min()) if len(numbers) else 0, "last": int(numbers.max()) if len(numbers) else -1,
                "distinct": len(np.unique(numbers)), "connects": truth.connects, "restarts": truth.restarts,
            }  # fmt: skip
        return told


def main(plan: Plan) -> int:
    """Run the day until it is over or SIGTERM comes; return 0 when everything was delivered."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s: %(message)s")
    config, folder = Config(), Path(plan.folder)
    day, hub = Day(plan), BleHub()
    spool = Spool(folder / "spool", SPOOL_BYTES)
    contact = Contact(spool, print, ContactParams(0.5, 0.2, 2.0))
    token = os.environ["BACKSTOP_GATEWAY__TOKEN"]
    outpost = Outpost(lambda: Uplink(plan.url, token), folder, spool, hub, day.clock, contact)
    gateway = Gateway(hub, outpost, outpost.log, day.requests(config))
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: day.over.set())
    hub.start()
    outpost.start()
    gateway.start()
    passing = threading.Thread(target=hub.call, args=(day.pass_by(spool, gateway), _REAL_MAX_S), name="time")
    passing.start()
    now = Path(f"{plan.told}.now")
    while not day.over.wait(1.0):
        now.write_text(f"{day.clock.now_s:.3f} {spool.waiting} {gateway.counts.waiting}\n", encoding="ascii")
    passing.join(60.0)
    gateway.close()
    while spool.waiting and not contact.ended.is_set():
        threading.Event().wait(0.1)
    Path(plan.told).write_text(json.dumps(day.books()), encoding="utf-8")
    outpost.close()
    hub.close()
    spool.close()
    return 0 if contact.problem is None and not outpost.log.left_out else 1


def worn_of(number: int, kinds: list[tuple[str, str]], address: str) -> Worn:
    """Return the wearable with this number: products and motions in turn, drifts within what crystals do."""
    product, motion = kinds[number % len(kinds)]
    family = product.replace("-mg", "").replace("metamotion-r", "metamotion")
    profile_of(family)
    return Worn(address, product, family, motion, number + 1, drift_ppm=random.Random(number).uniform(-150.0, 150.0))


if __name__ == "__main__":
    sys.exit(main(Plan.read(Path(sys.argv[1]))))
