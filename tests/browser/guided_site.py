"""A site with a session to be led through today, and a simulated wearable behind bleak's own BlueZ backend."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

from coach.config import Config
from coach.gateway import Gateway, request_from
from coach.guide import SetGuide
from coach.live import LiveAnalysis
from coach.service.plain import exercises_to_plain
from coach.serving import LiveDoor, LocalServing
from coach.store.tables import planned_session
from devices.hostclock import HostClock, ScaledClock, SystemClock
from devices.hub import BleHub
from devices.sim.bus import SimBus
from devices.sim.exercises import Sets, exercise
from devices.sim.exercises import _seated_bend as bends_held
from devices.sim.exercises import _squat as squats
from devices.sim.synthetic import SyntheticMotion
from devices.sim.wearable import SimWearable
from programs.types import Dose, PrescribedExercise
from tests.browser.conftest import ADDRESS, Site

HINGE = PrescribedExercise("hip_hinge", 0, Dose((12, 12), None, 20.0, False), "a test")
HINGE_LONG = PrescribedExercise("hip_hinge", 0, Dose((60,), None, 20.0, False), "a test")
HOLD = PrescribedExercise("back_extension_hold", 0, Dose((6,), 4.0, 20.0, False), "a test")
BRIDGE = PrescribedExercise("side_bridge", 0, Dose((3, 2), 10.0, 20.0, True), "a test", "right", True)


def reps(count: int, seed: int = 4) -> SyntheticMotion:
    """Return repetitions of 35 degrees, one every 2.6 s, after standing for 3 s."""
    return exercise(seed, Sets(count, each_s=2.6, move_s=0.9, hold_s=0.2, rest_s=600.0, first_s=3.0), 35.0, squats)


def holds(count: int, seed: int = 4) -> SyntheticMotion:
    """Return positions held for 4 s, after sitting for 3 s."""
    return exercise(seed, Sets(count, each_s=7.0, move_s=1.0, hold_s=4.0, rest_s=600.0, first_s=3.0), 45.0, bends_held)


def session_of(site: Site, items: Sequence[PrescribedExercise]) -> str:
    """Let the athlete have a session of these exercises today; return its id."""
    site.say_no_to_all()
    coach = site.services.accounts.identity(site.coach_id)
    proposal = site.services.plans.proposal(site.athlete_id)
    assert coach is not None
    assert proposal is not None
    site.services.plans.accept(proposal.plan_id, coach)
    store = site.services.guidance._ground.store
    with store.begin() as tx:
        row = (
            tx.execute(planned_session.select().where(planned_session.c.athlete_id == site.athlete_id))
            .mappings()
            .first()
        )
        assert row is not None
        today = site.services.guidance._ground.now().astimezone(UTC)
        local = today.astimezone(ZoneInfo(row["time_zone"])).date()
        changes: dict[str, Any] = {
            "state": "due",
            "local_date": local,
            "slot": local.isoformat(),
            "due_at": today,
            "released_at": today,
            "exercises": exercises_to_plain(items),
        }
        tx.execute(planned_session.update().where(planned_session.c.id == row["id"]).values(**changes))
    return str(row["id"])


@contextlib.contextmanager
def worn(site: Site, motion: SyntheticMotion, speed: float = 1.0) -> Iterator[SimWearable]:
    """Wear a simulated chest strap: the deployed link, gateway and live count, over the simulated bus.

    speed: how many times faster than real its time passes.
    """
    config = Config()
    clock: HostClock = SystemClock() if speed == 1.0 else ScaledClock.starting_now(time.time(), speed)
    wearable = SimWearable(address=ADDRESS, motion=motion, clock=clock, rate_hz=60.0)
    with SimBus([wearable]).running():
        hub, live = BleHub(), LiveAnalysis(site.feed, site.services.athletes.analysis_params)
        guide = SetGuide(site.services.guidance, site.feed)
        serving = LocalServing(site.services, LiveDoor(site.services, live), site.feed)
        gateway = Gateway(hub, serving, site.services.log, request_from(config, clock))
        roles = (live, guide, hub, gateway)
        for role in roles:
            role.start()
        try:
            yield wearable
        finally:
            for role in reversed(roles):
                role.close()


def settle(site: Site) -> None:
    """Do what worker and clock do: take the stored chunks in, count the sets that are over from them."""
    while streams := site.services.motion.pending_streams():
        for stream in streams:
            site.services.motion.handle_pending(stream)
    site.services.guidance.settle(site.services.guidance._ground.now())
