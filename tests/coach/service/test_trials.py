"""Guided tests: watched to the truth, judged from what is stored."""

from __future__ import annotations

from datetime import timedelta

import pytest

from coach.analysis.assessment_types import AssessmentTest, HoldPhase, TrialOutcome
from coach.service.assessment_views import AssessmentState, Stage, TrialState
from devices.sim.battery import (
    EXTENSOR,
    SIDE_BRIDGE_LEFT,
    HoldForm,
    HoldMotion,
    HoldPlan,
)
from tests.coach.club import Club
from tests.coach.held import (
    READY_S,
    blocks,
    by_hand_to,
    do,
    rested,
    started,
    step,
    store_signal,
    worn,
)


def test_a_hold_is_watched_to_its_end_and_what_is_stored_counts(fit: Club) -> None:
    motion = HoldMotion(5, HoldPlan(SIDE_BRIDGE_LEFT, hold_s=20.0))
    assessment_id = do(fit, motion, AssessmentTest.SIDE_BRIDGE_LEFT, 70.0)
    (hold,) = motion.holds(100.0)
    view = fit.services.assessments.get(fit.athlete, assessment_id)
    trial = view.trials[-1]
    assert trial.state is TrialState.ENDED
    assert trial.live.outcome is TrialOutcome.HELD
    assert trial.live.value == pytest.approx(hold.end_s - hold.start_s, abs=0.5)
    assert trial.result is None
    # It tired, though its stored signal is not there yet.
    assert step(fit, assessment_id).stage in {Stage.REST, Stage.OVER}
    fit.services.trials.settle(fit.clock.now)
    assert fit.services.assessments.get(fit.athlete, assessment_id).trials[-1].state is TrialState.ENDED
    store_signal(fit, motion, trial.started_at.timestamp() - READY_S, 80.0)
    assert fit.services.trials.settle(fit.clock.now) == (fit.athlete_id,)
    settled = fit.services.assessments.get(fit.athlete, assessment_id).trials[-1]
    assert settled.state is TrialState.SETTLED
    assert settled.result.outcome is TrialOutcome.HELD
    assert settled.result.value == pytest.approx(hold.end_s - hold.start_s, abs=0.5)
    # Stored samples are rounded to the sensor's steps; the function is the same.
    assert settled.result.value == pytest.approx(settled.live.value, abs=0.05)
    assert settled.result.coverage_share == 1.0
    assert fit.services.trials.settle(fit.clock.now) == ()


def test_the_stored_signal_overrules_the_live_view(fit: Club) -> None:
    motion = HoldMotion(5, HoldPlan(SIDE_BRIDGE_LEFT, hold_s=20.0))
    assessment_id = do(fit, motion, AssessmentTest.SIDE_BRIDGE_LEFT, 70.0)
    trial = fit.services.assessments.get(fit.athlete, assessment_id).trials[-1]
    assert trial.live.counts
    # What was stored has a hole in the middle of the hold.
    store_signal(fit, motion, trial.started_at.timestamp() - READY_S, 80.0, lost=(40.0, 45.0))
    fit.services.trials.settle(fit.clock.now)
    settled = fit.services.assessments.get(fit.athlete, assessment_id).trials[-1]
    assert settled.result.outcome is TrialOutcome.INTERRUPTED
    assert settled.known is settled.result
    assert not settled.closes
    rested(fit)
    assert step(fit, assessment_id).stage is Stage.AGAIN


@pytest.mark.parametrize(
    ("form", "outcome", "closes"),
    [
        (HoldForm.FIDGETING, TrialOutcome.FIDGETING, False),
        (HoldForm.SINKING, TrialOutcome.SINKING, True),
        (HoldForm.SHORT_OF_POSE, TrialOutcome.NEVER_STARTED, False),
    ],
)
def test_what_is_no_proper_hold_is_told_apart(fit: Club, form: HoldForm, outcome: TrialOutcome, closes: bool) -> None:
    motion = HoldMotion(7, HoldPlan(EXTENSOR, form, hold_s=30.0, off_deg=20.0))
    assessment_id = do(fit, motion, AssessmentTest.EXTENSOR, 85.0)
    trial = fit.services.assessments.get(fit.athlete, assessment_id).trials[-1]
    if trial.state is TrialState.RUNNING:
        fit.services.trials.stop(fit.athlete, trial.trial_id)
    store_signal(fit, motion, trial.started_at.timestamp() - READY_S, 95.0)
    fit.services.trials.settle(fit.clock.now + timedelta(seconds=10))
    settled = fit.services.assessments.get(fit.athlete, assessment_id).trials[-1]
    assert settled.result.outcome is outcome
    assert settled.closes is closes


def test_at_the_cap_the_page_says_stop_and_the_result_is_at_least_that(fit: Club) -> None:
    motion = HoldMotion(3, HoldPlan(EXTENSOR, hold_s=300.0))
    assessment_id = do(fit, motion, AssessmentTest.EXTENSOR, 268.0, each_s=1.0)
    seen = step(fit, assessment_id).seen
    assert seen.progress.phase is HoldPhase.HOLDING
    assert not seen.progress.must_stop
    watch_on(fit, motion, 268.0, 276.0)
    trial = fit.services.assessments.get(fit.athlete, assessment_id).trials[-1]
    assert trial.state is TrialState.ENDED
    assert trial.live.outcome is TrialOutcome.STOPPED_AT_LIMIT
    assert trial.live.at_least
    assert trial.live.value == pytest.approx(240.0, abs=0.5)
    store_signal(fit, motion, trial.started_at.timestamp() - READY_S, 290.0)
    fit.services.trials.settle(fit.clock.now)
    assert fit.services.assessments.get(fit.athlete, assessment_id).trials[-1].result.at_least


def watch_on(club: Club, motion: HoldMotion, from_s: float, until_s: float) -> None:
    began = club.clock.utc_s() - from_s
    for block in blocks(motion, began, from_s, until_s, 0.25):
        club.clock.forward(seconds=0.25)
        club.services.trials.take(club.wearable_id, block)
        club.services.trials.watch()


def test_a_person_who_presses_stop_on_the_way_down_loses_nothing(fit: Club) -> None:
    motion = HoldMotion(5, HoldPlan(SIDE_BRIDGE_LEFT, hold_s=20.0))
    (hold,) = motion.holds(100.0)
    assessment_id = do(fit, motion, AssessmentTest.SIDE_BRIDGE_LEFT, hold.end_s)
    trial = step(fit, assessment_id).trial
    fit.services.trials.stop(fit.athlete, trial.trial_id)
    store_signal(fit, motion, trial.started_at.timestamp() - READY_S, 80.0)
    fit.services.trials.settle(fit.clock.now + timedelta(seconds=10))
    result = fit.services.assessments.get(fit.athlete, assessment_id).trials[-1].result
    assert result.outcome is TrialOutcome.HELD
    assert result.value == pytest.approx(hold.end_s - hold.start_s, abs=0.5)


def test_without_any_live_block_the_stored_signal_alone_gives_the_result(fit: Club) -> None:
    motion = HoldMotion(5, HoldPlan(SIDE_BRIDGE_LEFT, hold_s=20.0))
    (hold,) = motion.holds(100.0)
    worn(fit.services, fit.athlete, fit.wearable_id, motion)
    assessment_id = started(fit)
    by_hand_to(fit, assessment_id, AssessmentTest.SIDE_BRIDGE_LEFT)
    fit.services.trials.begin(fit.athlete, assessment_id, AssessmentTest.SIDE_BRIDGE_LEFT, "try")
    began = fit.clock.utc_s()
    fit.clock.forward(seconds=5)
    seen = step(fit, assessment_id).seen
    assert seen.silent
    fit.clock.forward(seconds=40)
    fit.services.trials.stop(fit.athlete, step(fit, assessment_id).trial.trial_id)
    store_signal(fit, motion, began - READY_S, 90.0)
    fit.services.trials.settle(fit.clock.now + timedelta(seconds=10))
    result = fit.services.assessments.get(fit.athlete, assessment_id).trials[-1].result
    assert result.value == pytest.approx(hold.end_s - hold.start_s, abs=0.5)


def test_a_signal_that_never_comes_is_said_to_be_missing(fit: Club) -> None:
    motion = HoldMotion(5, HoldPlan(SIDE_BRIDGE_LEFT, hold_s=20.0))
    worn(fit.services, fit.athlete, fit.wearable_id, motion)
    assessment_id = started(fit)
    test = step(fit, assessment_id).test
    fit.services.trials.begin(fit.athlete, assessment_id, test, "try")
    # Nobody ends it, nobody closes the assessment: the clock does.
    fit.clock.forward(minutes=16)
    fit.services.trials.settle(fit.clock.now)
    assert fit.services.assessments.get(fit.athlete, assessment_id).trials[-1].state is TrialState.ENDED
    fit.clock.forward(hours=49)
    fit.services.trials.settle(fit.clock.now)
    view = fit.services.assessments.get(fit.athlete, assessment_id)
    assert view.trials[-1].result.outcome is TrialOutcome.NOT_COMPUTABLE
    assert "never stored" in view.trials[-1].result.needs
    assert view.state is AssessmentState.LEFT


def test_blocks_of_another_wearable_are_nobodys(fit: Club) -> None:
    motion = HoldMotion(5, HoldPlan(SIDE_BRIDGE_LEFT, hold_s=20.0))
    worn(fit.services, fit.athlete, fit.wearable_id, motion)
    assessment_id = started(fit)
    trials = fit.services.trials
    trials.begin(fit.athlete, assessment_id, step(fit, assessment_id).test, "try")
    assert trials.wanted(fit.wearable_id)
    assert not trials.wanted("another")
    trials.watch()
    for block in blocks(motion, 0.0, 27.0, 28.0, 0.25):
        trials.take("another", block)
    assert trials.watch() == frozenset()
    for block in blocks(motion, 0.0, 27.0, 28.0, 0.25):
        trials.take(fit.wearable_id, block)
    assert trials.watch() == {fit.athlete_id}


def test_a_block_that_comes_twice_or_late_costs_no_hold(fit: Club) -> None:
    motion = HoldMotion(5, HoldPlan(SIDE_BRIDGE_LEFT, hold_s=20.0))
    assessment_id = do(fit, motion, AssessmentTest.SIDE_BRIDGE_LEFT, 45.0)
    held_s = step(fit, assessment_id).seen.progress.held_s
    assert held_s > 5
    began = step(fit, assessment_id).trial.started_at.timestamp() - READY_S
    for block in blocks(motion, began, 40.0, 45.0, 0.25):
        fit.services.trials.take(fit.wearable_id, block)
    fit.services.trials.watch()
    assert step(fit, assessment_id).seen.progress.held_s == held_s
