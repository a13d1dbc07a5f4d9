"""Heart rate from the radio to the store: every beat that was sent, in order, once, over a link that is lost."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import pytest

from coach.gateway import Gateway, request_from
from coach.live import LiveAnalysis
from coach.serving import LiveDoor, LocalServing
from coach.store import hearts
from coach.web import words
from devices.heartblock import BEATS, RR
from devices.hostclock import ScaledClock
from devices.hub import BleHub
from devices.profiles import PROFILES
from devices.sim import heart
from devices.sim.bus import SimBus
from devices.sim.motions import lifting
from devices.sim.wearable import SimWearable
from devices.types import LinkState
from tests.scenarios.house import House, a_house, wait_for

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the simulated BlueZ needs Linux")

STRAP, H10, DOT, POD = (f"C0:FF:EE:00:00:6{k}" for k in range(4))
PRODUCTS = {STRAP: "heart-rate", H10: "polar-h10", DOT: "movella-dot", POD: "running-speed"}
SPEED = 12.0
# s of the wearables' clock before the loss, while they are out of reach, and after it.
BEFORE, AWAY, AFTER = 25, 10, 20

Told = list[tuple[float, int, tuple[float, ...]]]


def kept(house: House, wearable_id: str) -> Told:
    """Return (arrival, beats a minute, intervals) of each notification that is stored, by recording and number."""
    with house.store.read() as tx:
        rows = [row for row in hearts.between(tx, house.athlete_id, 0, 1e11) if row["wearable_id"] == wearable_id]
    beats = np.frombuffer(b"".join(row["beats"] for row in rows), BEATS)
    rr_s = np.frombuffer(b"".join(row["rr_s"] for row in rows), RR)
    parts = np.split(rr_s, np.cumsum(beats["rr_count"], dtype=int))[: len(beats)]
    return [
        (float(beat["arrival_utc_s"]), int(beat["heart_rate_bpm"]), tuple(part.tolist()))
        for beat, part in zip(beats, parts, strict=True)
    ]


def seconds_of(told: Told, seed: int) -> list[int]:
    """Return which seconds of its heart each notification is of, by the simulator's truth; fail for an invented one."""
    made = {}
    for second in range(400):
        intervals = tuple((np.round(heart.intervals_s(seed, second) * 1024) / 1024).tolist())
        made.setdefault((round(heart.heart_rate_bpm(second + 1.0)), intervals), []).append(second)
    found: list[int] = []
    for _, bpm, intervals in told:
        found.append(next(second for second in made[bpm, intervals] if not found or second > found[-1]))
    return found


def away_and_back(wearables: list[SimWearable], clock: ScaledClock) -> None:
    for wearable in wearables:
        wearable.leave_reach(0.0)
    end = clock.utc_s() + AWAY
    while clock.utc_s() < end:
        time.sleep(0.02)
    for wearable in wearables:
        wearable.come_back()


def test_beats_are_kept_once_and_in_order_over_a_loss_and_running_is_not(tmp_path: Path) -> None:
    with a_house(tmp_path) as house:
        me, services = house.athlete, house.services
        ids = {
            address: services.wearables.add(me, house.athlete_id, address, product, product, "chest")
            for address, product in PRODUCTS.items()
        }
        clock = ScaledClock.starting_now(time.time(), SPEED)
        wearables = [
            SimWearable(address=address, product=product, motion=lifting(seed), clock=clock, seed=seed)
            for seed, (address, product) in enumerate(PRODUCTS.items())
        ]
        live = LiveAnalysis(house.feed, services.athletes.analysis_params)
        serving = LocalServing(services, LiveDoor(services, live), house.feed)
        with SimBus(wearables).running(), BleHub() as hub:
            gateway = Gateway(hub, serving, services.log, request_from(house.config, clock))
            gateway.start()
            beating = [ids[address] for address in (STRAP, H10, DOT)]
            wait_for(lambda: all(len(kept(house, each)) >= BEFORE for each in beating), 20, "the first beats")
            away_and_back(wearables, clock)
            before = {each: len(kept(house, each)) for each in beating}
            wait_for(
                lambda: all(len(kept(house, each)) >= before[each] + AFTER for each in beating), 20, "the beats after"
            )
            pod = services.wearables.get(me, ids[POD])
            shown = services.wearables.get(me, ids[STRAP])
            gateway.close()
        assert gateway.counts.dropped == gateway.counts.refused == gateway.counts.waiting == 0
        assert len(kept(house, ids[STRAP])) == wearables[0].truth.sensors["heart"].sent > BEFORE + AFTER
        for seed, wearable_id in enumerate(beating):
            told = kept(house, wearable_id)
            seconds, arrivals = seconds_of(told, seed), np.array([beat[0] for beat in told])
            steps = np.diff(seconds)
            assert (steps >= 1).all()
            assert (steps > 1).sum() == 1  # the loss; no other second is missing
            assert steps.max() >= AWAY - 2
            # Its second is told when it is over; the radio adds real time, which counts 12 times here.
            lag_s = arrivals - np.array(seconds)
            assert np.ptp(lag_s) < 0.5 * SPEED
        assert (pod.status.state, kept(house, pod.wearable_id)) == (LinkState.STREAMING, [])
        assert any("keeps none of them" in sentence for sentence in PROFILES["running-speed"].cannot)
        assert not any("keeps none" in sentence for sentence in PROFILES["heart-rate"].cannot)
        with house.app.test_request_context():
            assert words.heart_now(shown).endswith("a minute · on the skin")
        assert shown.status.heart.heart_rate_bpm in {beat[1] for beat in kept(house, shown.wearable_id)}
