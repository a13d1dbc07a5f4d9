"""From a wearable's notification to a session: real trunk bends, the simulated radio, bleak, and every room between.

The recordings are seated bends of two people (see the data's own README); each is repeated to fill 15 minutes and
played by the simulated wearable through bleak's own BlueZ backend. Nothing is put into the database but people.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from coach.clock import release_due
from coach.gateway import Gateway, request_from
from coach.live import LiveAnalysis
from coach.service.types import PlanState, SessionState
from coach.serving import LiveDoor, LocalServing
from coach.worker import Worker
from devices.hostclock import ScaledClock
from devices.hub import BleHub
from devices.sim.bus import SimBus
from devices.sim.replay import RecordingMotion
from devices.sim.wearable import SimWearable
from tests.scenarios.house import House, a_house, csrf_token, wait_for

# Ten minutes have to be seen; the last two wait for what may follow, and a window begins with a clock minute.
FILL_S = 900.0
SPEED = 60.0


@pytest.mark.recordings
@pytest.mark.skipif(sys.platform != "linux", reason="the simulated BlueZ needs Linux")
@pytest.mark.parametrize("name", ["s1_e2_test.npz", "s2_e2_test.npz"])
def test_real_bends_become_an_accepted_program_and_a_released_session(
    name: str, recordings: Path, tmp_path: Path, figure: Callable[[str, object, str], None]
) -> None:
    motion = RecordingMotion.from_npz(recordings / "pted" / name, "chest", FILL_S)
    with a_house(tmp_path) as house:
        played = play(house, motion)
        assert played.truth.frames_sent >= FILL_S * played.rate_hz * 0.99

        # A finding with its evidence, stored.
        (finding,) = house.services.findings.for_athlete(house.athlete_id)
        assert finding.kind == "repeated_bending"
        because = finding.because
        start, end = (datetime.fromisoformat(because["window"][name]) for name in ("start_utc", "end_utc"))
        assert end - start >= timedelta(minutes=10)
        assert because["windows"][0]["stream_id"]
        assert max(value for key, value in because["values"].items() if "rate" in key) > 4
        assert because["threshold"]
        assert because["source"]
        assert because["algorithm"]["version"]
        assert finding.coverage_share >= 0.8
        figure("bends per minute found", because["values"], "")

        # A proposal that answers it, seen and accepted by the coach on the page.
        page = house.signed_in(house.coach)
        desk = page.get(f"/athletes/{house.athlete_id}").get_data(as_text=True)
        # The coach reads the athlete's name where the athlete reads "You".
        assert "Mara" + finding.statement.removeprefix("You").partition(".")[0] in desk
        proposal = house.services.plans.proposal(house.athlete_id)
        assert proposal is not None
        assert proposal.finding_ids == (finding.finding_id,)
        assert all(item.because for item in proposal.prescription.exercises)
        answer = page.post(f"/plans/{proposal.plan_id}/accept", data={"csrf_token": csrf_token(desk)})
        assert answer.status_code in {200, 303}
        active = house.services.plans.active(house.athlete_id)
        assert active is not None
        assert active.state is PlanState.ACCEPTED
        assert active.decided_by

        # Sessions in the athlete's week, at the athlete's local time.
        today = house.today()
        week = [
            session
            for start in (today, today + timedelta(days=7))
            for session in house.services.plans.week(house.athlete_id, start)
        ]
        assert len(week) >= 3
        first = week[0]
        assert first.state is SessionState.PLANNED
        local = first.due_at.astimezone(ZoneInfo("Europe/Berlin"))
        assert (local.date(), local.time()) == (first.local_date, first.local_time)

        # The clock releases it once it is due, and only then.
        house.clock.move_to(first.due_at.timestamp() - 60)
        assert release_due(house.services, house.feed, house.now()) in {0, 1}
        assert house.services.plans.session(house.athlete, first.session_id).state is SessionState.PLANNED
        house.clock.move_to(first.due_at.timestamp() + 1)
        assert release_due(house.services, house.feed, house.now()) in {0, 1}
        assert house.services.plans.session(house.athlete, first.session_id).state is SessionState.DUE


def play(house: House, motion: RecordingMotion) -> SimWearable:
    """Let the wearable play its motion to the end through bleak, and the worker finish."""
    clock = ScaledClock.starting_now(time.time() - FILL_S, SPEED)
    wearable = SimWearable(
        motion=motion, clock=clock, rate_hz=motion.nearest_rate_hz((1, 4, 10, 12, 15, 20, 30, 60)),
        address="C0:FF:EE:00:00:31",
    )  # fmt: skip
    house.services.wearables.add(house.athlete, house.athlete_id, wearable.address, "movella-dot", "Replay", "chest")
    live = LiveAnalysis(house.feed, house.services.athletes.analysis_params)
    worker = Worker(house.services, house.feed)
    with SimBus([wearable]).running(), BleHub() as hub:
        request_of = request_from(house.config, clock)

        def at_its_rate(view, recording_id):  # type: ignore[no-untyped-def]
            return replace(request_of(view, recording_id), rate_hz=float(wearable.rate_hz))

        serving = LocalServing(house.services, LiveDoor(house.services, live), house.feed)
        gateway = Gateway(hub, serving, house.services.log, at_its_rate)
        for role in (live, worker, gateway):
            role.start()
        wait_for(wearable.ended.is_set, 120, "the end of the recording")
        for role in (gateway, worker, live):
            role.close()
    worker.drain()
    # A day that runs is judged now and then; what came since the last time is judged two minutes on.
    house.clock.move_to(house.clock.utc_s() + 120.0)
    worker.drain()
    assert gateway.counts.acknowledged > 0
    assert gateway.counts.dropped == gateway.counts.refused == 0
    return wearable
