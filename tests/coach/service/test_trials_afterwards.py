"""Guided tests: when they are due again, turned and lifted ones, and the roles around them."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from coach.analysis.assessment_types import AssessmentTest, TrialOutcome
from coach.clock import settle_trials
from coach.errors import Locked
from coach.guide import TrialGuide
from coach.live import LiveFeed
from coach.service.assessment_views import Kind, Stage, TrialState
from coach.service.diary import CheckIn
from coach.store import plans, sessions
from devices.sim.battery import (
    SIDE_BRIDGE_LEFT,
    HoldMotion,
    HoldPlan,
)
from devices.sim.exercises import seated_bends
from devices.sim.mobility import MOBILITY
from tests.coach.club import Club
from tests.coach.held import (
    READY_S,
    blocks,
    by_hand_to,
    do,
    done_by_hand,
    started,
    step,
    store_signal,
    worn,
)


def test_the_next_battery_is_due_after_four_weeks(fit: Club) -> None:
    assert fit.services.assessments.retest(fit.athlete_id) is None
    first = done_by_hand(fit)
    retest = fit.services.assessments.retest(fit.athlete_id)
    assert (retest.due_on.isoformat(), retest.after, retest.late) == ("2026-12-22", first, False)
    fit.clock.forward(weeks=4)
    assert fit.services.assessments.retest(fit.athlete_id).late
    second = done_by_hand(fit, key="second")
    retest = fit.services.assessments.retest(fit.athlete_id)
    assert (retest.due_on.isoformat(), retest.after, retest.late) == ("2027-01-19", second, False)


def told_pain(club: Club, pain: int) -> None:
    """Let the athlete tell of pain during a session that was done now."""
    now, day = club.clock.now, club.clock.now.date()
    with club.store.begin() as tx:
        values = {"athlete_id": club.athlete_id, "state": "accepted", "prescription": {}, "need_kinds": []}
        plan_id = plans.in_state(tx, club.athlete_id, "accepted")
        plan_id = plan_id["id"] if plan_id else plans.add(tx, values | {"finding_ids": [], "created_at": now})
        session = {"athlete_id": club.athlete_id, "plan_id": plan_id, "slot": f"s-{now}", "state": "done"}
        times = {"local_date": day, "local_time": now.time(), "time_zone": "UTC", "due_at": now}
        more = {"duration_min": 10, "exercises": [], "because": "", "created_at": now, "updated_at": now}
        session_id = sessions.add(tx, session | times | more)
        outcome = {"session_id": session_id, "outcome": "done", "pain_during": pain, "recorded_at": now}
        sessions.add_outcome(tx, outcome)


def test_after_much_pain_nothing_is_tested_for_two_days(fit: Club) -> None:
    told_pain(fit, 5)
    fit.clock.forward(hours=1)
    told_pain(fit, 1)  # a better session later does not undo it
    with pytest.raises(Locked, match=r"Pain of 5 out of 10 was told in the last 48 hours"):
        started(fit, by_hand=True)
    fit.clock.forward(hours=46)
    with pytest.raises(Locked):
        started(fit, by_hand=True)
    fit.clock.forward(hours=2)
    started(fit, by_hand=True)


@pytest.mark.parametrize(("pain", "refused"), [(3, False), (4, True), (5, True)])
def test_pain_of_the_diary_counts_too(fit: Club, pain: int, refused: bool) -> None:
    fit.services.diary.check_in(fit.athlete, fit.athlete_id, CheckIn(pain_in_motion=pain), "evening")
    fit.clock.forward(hours=20)
    if refused:
        with pytest.raises(Locked, match=f"Pain of {pain} out of 10"):
            started(fit, by_hand=True)
    else:
        started(fit, by_hand=True)


@pytest.mark.parametrize(
    ("kind", "test", "motion", "placement"),
    [
        (Kind.TRUNK_ROTATION, AssessmentTest.THORACIC_ROTATION_LEFT, "thoracic-rotation-left", "chest"),
        (
            Kind.HIP_ROTATION_RIGHT,
            AssessmentTest.HIP_INTERNAL_ROTATION_RIGHT,
            "hip-rotation-right",
            "ankle_right",
        ),
    ],
)
def test_a_turn_is_measured_from_the_stored_signal(
    fit: Club, kind: Kind, test: AssessmentTest, motion: str, placement: str
) -> None:
    turning = MOBILITY[motion](4)
    worn(fit.services, fit.athlete, fit.wearable_id, turning, placement)
    assessment_id = started(fit, kind)
    began = fit.clock.utc_s()
    assert step(fit, assessment_id).test is test
    fit.services.trials.begin(fit.athlete, assessment_id, test, "a")
    assert not fit.services.trials.wanted(fit.wearable_id)  # no hold: nothing to watch
    fit.clock.forward(seconds=50)
    fit.services.trials.stop(fit.athlete, step(fit, assessment_id).trial.trial_id)
    # The sitting is over before the signal is there: the next test does not wait for it, and there is no rest.
    assert step(fit, assessment_id).stage is Stage.READY
    # Presses at the motion's 22nd and 72nd second: five turns.
    store_signal(fit, turning, began - 22.0, 90.0)
    fit.services.trials.settle(fit.clock.now + timedelta(seconds=10))
    result = fit.services.assessments.get(fit.athlete, assessment_id).trials[-1].result
    assert result.outcome is TrialOutcome.MEASURED, result.statement
    true_deg = [each.rom_deg for each in turning.truth(90.0) if each.start_s >= 22.0 and each.end_s <= 77.0][:5]
    assert result.value == pytest.approx(np.median(true_deg), abs=2.0)


def test_a_speed_needs_its_exercise_and_load(fit: Club) -> None:
    motion = seated_bends(5)
    worn(fit.services, fit.athlete, fit.wearable_id, motion, "chest")
    assessment_id = started(fit, Kind.REPETITION_SPEED)
    setup = {"exercise": "trunk_bend", "load_kg": 10.0, "lifting": "back"}
    began = fit.clock.utc_s()
    fit.services.trials.begin(fit.athlete, assessment_id, AssessmentTest.REPETITION_SPEED, "a", setup)
    fit.clock.forward(seconds=170)
    fit.services.trials.stop(fit.athlete, step(fit, assessment_id).trial.trial_id)
    store_signal(fit, motion, began, 190.0)
    fit.services.trials.settle(fit.clock.now + timedelta(seconds=10))
    result = fit.services.assessments.get(fit.athlete, assessment_id).trials[-1].result
    assert result.outcome is TrialOutcome.MEASURED, result.statement
    assert (result.exercise, result.load_kg) == ("trunk_bend", 10.0)
    slowest, fastest = (rom / s for rom, s in ((20.0, 3.0), (90.0, 0.8)))
    assert slowest < result.value < fastest


def test_the_guide_tells_the_open_pages_and_the_clock_settles(fit: Club) -> None:
    motion = HoldMotion(5, HoldPlan(SIDE_BRIDGE_LEFT, hold_s=20.0))
    assessment_id = do(fit, motion, AssessmentTest.SIDE_BRIDGE_LEFT, 40.0)
    feed = LiveFeed(2)
    guide = TrialGuide(fit.services.trials, feed)
    with feed.subscribe(fit.athlete_id) as reader:
        began = fit.clock.utc_s() - 40.0
        for block in blocks(motion, began, 40.0, 70.0, 0.25):
            fit.services.trials.take(fit.wearable_id, block)
        guide.look()
        assert [each["kind"] for each in reader.get_batch(1.0)] == ["assessment"]
        guide.look()
        assert reader.get_batch(0.0) == []
        trial = fit.services.assessments.get(fit.athlete, assessment_id).trials[-1]
        assert trial.state is TrialState.ENDED
        store_signal(fit, motion, trial.started_at.timestamp() - READY_S, 90.0)
        assert settle_trials(fit.services, feed, fit.clock.now + timedelta(seconds=60)) == 1
        assert [each["kind"] for each in reader.get_batch(1.0)] == ["assessment"]
    feed.close()


def test_the_guides_thread_looks_by_itself_and_ends(fit: Club) -> None:
    motion = HoldMotion(5, HoldPlan(SIDE_BRIDGE_LEFT, hold_s=20.0))
    worn(fit.services, fit.athlete, fit.wearable_id, motion)
    feed = LiveFeed(2)
    guide = TrialGuide(fit.services.trials, feed)
    guide.start()
    guide.start()
    try:
        assessment_id = started(fit)
        by_hand_to(fit, assessment_id, AssessmentTest.SIDE_BRIDGE_LEFT)
        fit.services.trials.begin(fit.athlete, assessment_id, AssessmentTest.SIDE_BRIDGE_LEFT, "try")
        with feed.subscribe(fit.athlete_id) as reader:
            reader.get_batch(0.0)
            for block in blocks(motion, fit.clock.utc_s() - READY_S, READY_S, 40.0, 0.25):
                fit.services.trials.take(fit.wearable_id, block)
            assert reader.get_batch(10.0)[0]["kind"] == "assessment"
    finally:
        guide.close()
        guide.close()
        feed.close()
