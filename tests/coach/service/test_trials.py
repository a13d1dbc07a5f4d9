"""Guided tests: refused where they must be, in a drawn order, watched to the truth, judged from what is stored."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from coach.analysis.assessment_types import BATTERY, AssessmentTest, HoldPhase, TrialOutcome
from coach.clock import settle_trials
from coach.errors import Conflict, InvalidInput, Locked, NoSuch, NotAllowed
from coach.guide import TrialGuide
from coach.live import LiveFeed
from coach.service.assessment_views import AssessmentState, Kind, Source, Stage, TrialState
from coach.service.battery import draw_order
from coach.service.diary import CheckIn
from coach.service.entered import Entered
from coach.service.types import Identity, Role
from coach.store import assessments as table
from coach.store import plans, sessions
from devices.sim.battery import (
    EXTENSOR,
    SIDE_BRIDGE_LEFT,
    HoldForm,
    HoldMotion,
    HoldPlan,
)
from devices.sim.exercises import seated_bends
from devices.sim.mobility import MOBILITY
from programs.types import Answer
from tests.coach.club import Club
from tests.coach.held import NO_TO_ALL, blocks, nothing_to_tell, rested, started, worn

READY_S = 27.0


@pytest.fixture
def fit(club: Club) -> Club:
    """The club with safety questions answered; the wearable is at the lower back, calibrated."""
    nothing_to_tell(club.services, club.athlete, club.athlete_id)
    return club


def step(club: Club, assessment_id: str):  # type: ignore[no-untyped-def]
    return club.services.trials.step(club.athlete, assessment_id)


def by_hand_to(club: Club, assessment_id: str, test: AssessmentTest) -> None:
    """Enter everything by hand until a test is next."""
    while (now := step(club, assessment_id)).test is not test:
        club.services.trials.enter(club.athlete, assessment_id, Entered(now.test, (60.0,)), f"hand-{now.number}")
    rested(club)


def do(club: Club, motion: HoldMotion, test: AssessmentTest, until_s: float, each_s: float = 0.25) -> str:
    """Start a battery, come to a test, begin it, and let the live blocks of the motion come; return the assessment."""
    worn(club.services, club.athlete, club.wearable_id, motion)
    assessment_id = started(club)
    by_hand_to(club, assessment_id, test)
    club.services.trials.begin(club.athlete, assessment_id, test, "try")
    watch(club, motion, until_s, each_s)
    return assessment_id


def watch(club: Club, motion: HoldMotion, until_s: float, each_s: float) -> None:
    """Bring live blocks from the ready position on, looked at every few, and let the clock run with them."""
    began = club.clock.utc_s()
    for number, block in enumerate(blocks(motion, began - READY_S, READY_S, until_s, each_s)):
        club.clock.forward(seconds=each_s)
        club.services.trials.take(club.wearable_id, block)
        if number % 4 == 3:
            club.services.trials.watch()
    club.services.trials.watch()


# Refused


def test_never_asked_athletes_are_refused(club: Club) -> None:
    with pytest.raises(Locked, match="not answered yet"):
        started(club, by_hand=True)
    assert "not answered" in club.services.assessments.overview(club.athlete, club.athlete_id).refused


def test_a_red_flag_refuses_and_shows_no_retest(fit: Club) -> None:
    done_by_hand(fit)
    assert fit.services.assessments.retest(fit.athlete_id) is not None
    answers = {each.id: Answer.NO for each in fit.services.triage.questions()}
    answers[next(iter(answers))] = Answer.YES
    fit.services.triage.answer(fit.athlete, fit.athlete_id, answers, 30)
    with pytest.raises(Locked):
        started(fit, by_hand=True, key="second")
    assert fit.services.assessments.retest(fit.athlete_id) is None


def test_a_lock_stops_a_battery_that_goes_on(fit: Club) -> None:
    assessment_id = started(fit, by_hand=True)
    answers = {each.id: Answer.NO for each in fit.services.triage.questions()}
    answers[next(iter(answers))] = Answer.YES
    fit.services.triage.answer(fit.athlete, fit.athlete_id, answers, 30)
    with pytest.raises(Locked):
        fit.services.trials.begin(fit.athlete, assessment_id, step(fit, assessment_id).test, "a")


@pytest.mark.parametrize("pain", [4, 7, 10])
def test_pain_now_refuses(fit: Club, pain: int) -> None:
    with pytest.raises(Locked, match=rf"pain of {pain} out of 10 .*rule of thumb"):
        fit.services.trials.start(fit.athlete, fit.athlete_id, Kind.TRUNK_ENDURANCE, None, NO_TO_ALL, pain, "k")


@pytest.mark.parametrize(
    ("question", "answer"), [("pregnant", "yes"), ("blood_pressure", "unknown"), ("unwell", "yes")]
)
def test_a_state_of_health_refuses_and_is_not_kept(fit: Club, question: str, answer: str) -> None:
    answers = NO_TO_ALL | {question: answer}
    with pytest.raises(Locked):
        fit.services.trials.start(fit.athlete, fit.athlete_id, Kind.TRUNK_ENDURANCE, None, answers, 0, "k")
    with fit.store.read() as tx:
        assert table.of_athlete(tx, fit.athlete_id, 10) == []


@pytest.mark.parametrize("missing", list(NO_TO_ALL))
def test_a_question_without_an_answer_is_asked_again(fit: Club, missing: str) -> None:
    answers = {key: value for key, value in NO_TO_ALL.items() if key != missing}
    with pytest.raises(InvalidInput, match="no answer yet"):
        fit.services.trials.start(fit.athlete, fit.athlete_id, Kind.TRUNK_ENDURANCE, None, answers, 0, "k")


def test_only_the_athlete_does_the_tests_and_strangers_see_nothing(fit: Club) -> None:
    trials, stranger = fit.services.trials, Identity("somebody", Role.COACH, "Lee", None)
    assessment_id = started(fit, by_hand=True)
    for ask in (
        lambda who: trials.start(who, fit.athlete_id, Kind.TRUNK_ENDURANCE, None, NO_TO_ALL, 0, "z"),
        lambda who: trials.begin(who, assessment_id, step(fit, assessment_id).test, "z"),
        lambda who: trials.finish(who, assessment_id),
    ):
        with pytest.raises(NotAllowed):
            ask(fit.coach)
        with pytest.raises(NoSuch):
            ask(stranger)
    for see in (fit.services.assessments.get, fit.services.assessments.results, trials.step):
        see(fit.coach, assessment_id)
        with pytest.raises(NoSuch):
            see(stranger, assessment_id)


def test_a_wearable_that_cannot_measure_these_tests_is_refused(fit: Club) -> None:
    with pytest.raises(Conflict, match="upright pose first"):
        started(fit)
    fit.services.wearables.set_placement(fit.athlete, fit.wearable_id, "wrist_left")
    with pytest.raises(Conflict, match="worn elsewhere"):
        started(fit)


# In order


def test_the_order_is_random_but_belongs_to_the_seed(fit: Club) -> None:
    assessment_id = started(fit, by_hand=True)
    with fit.store.read() as tx:
        row = table.get(tx, assessment_id)
    assert sorted(row["tests"]) == sorted(BATTERY)
    assert row["tests"] == [each.value for each in draw_order(Kind.TRUNK_ENDURANCE, row["seed"])]
    orders = {draw_order(Kind.TRUNK_ENDURANCE, seed) for seed in range(400)}
    assert len(orders) == 24  # every order there is


def test_the_same_press_twice_is_one(fit: Club) -> None:
    first = started(fit, by_hand=True)
    assert started(fit, by_hand=True) == first
    with pytest.raises(Conflict, match="goes on already"):
        started(fit, by_hand=True, key="another")
    test = step(fit, first).test
    for _ in range(2):
        fit.services.trials.begin(fit.athlete, first, test, "a")
    assert len(fit.services.assessments.get(fit.athlete, first).trials) == 1
    for _ in range(2):
        fit.services.trials.enter(fit.athlete, first, Entered(test, (50.0,)), "b")
    view = fit.services.assessments.get(fit.athlete, first)
    assert [each.known and each.known.value for each in view.trials] == [None, 50.0]


def test_between_tests_that_tire_lie_five_minutes(fit: Club) -> None:
    assessment_id = started(fit, by_hand=True)
    first = step(fit, assessment_id)
    assert first.stage is Stage.READY
    fit.services.trials.begin(fit.athlete, assessment_id, first.test, "a")
    fit.clock.forward(seconds=58.4)
    fit.services.trials.stop(fit.athlete, step(fit, assessment_id).trial.trial_id)
    resting = step(fit, assessment_id)
    assert resting.stage is Stage.REST
    assert resting.last.known.value == pytest.approx(58.4)
    assert resting.last.source is Source.ENTERED
    assert resting.rest_until - fit.clock.now == timedelta(minutes=5)
    fit.clock.forward(seconds=299)
    with pytest.raises(Conflict, match="Another step"):
        fit.services.trials.begin(fit.athlete, assessment_id, resting.test, "b")
    fit.clock.forward(seconds=1)
    fit.services.trials.begin(fit.athlete, assessment_id, resting.test, "b")
    assert step(fit, assessment_id).stage is Stage.RUNNING


def test_another_test_than_the_next_is_refused(fit: Club) -> None:
    assessment_id = started(fit, by_hand=True)
    other = next(each for each in BATTERY if each is not step(fit, assessment_id).test)
    with pytest.raises(Conflict):
        fit.services.trials.begin(fit.athlete, assessment_id, other, "a")
    with pytest.raises(Conflict):
        fit.services.trials.enter(fit.athlete, assessment_id, Entered(other, (60.0,)), "a")


def test_a_test_is_left_out_only_with_a_reason(fit: Club) -> None:
    assessment_id = started(fit, by_hand=True)
    for number in range(4):
        test = step(fit, assessment_id).test
        with pytest.raises(InvalidInput):
            fit.services.trials.skip(fit.athlete, assessment_id, test, "  ", f"s-{number}")
        fit.services.trials.skip(fit.athlete, assessment_id, test, "no bench", f"s-{number}")
    assert step(fit, assessment_id).stage is Stage.OVER
    fit.services.trials.finish(fit.athlete, assessment_id)
    # Nothing was measured: no re-test follows from it.
    assert fit.services.assessments.get(fit.athlete, assessment_id).state is AssessmentState.LEFT
    assert fit.services.assessments.retest(fit.athlete_id) is None


@pytest.mark.parametrize("value", [0.0, -3.0, 5000.0, float("nan"), float("inf")])
def test_nonsense_is_not_entered(fit: Club, value: float) -> None:
    assessment_id = started(fit, by_hand=True)
    with pytest.raises(InvalidInput):
        fit.services.trials.enter(fit.athlete, assessment_id, Entered(step(fit, assessment_id).test, (value,)), "a")


# Watched and judged


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


def store_signal(
    club: Club, motion: HoldMotion, start_utc_s: float, until_s: float, lost: tuple[float, float] = (0, 0)
) -> None:
    """Append the recording's chunks, but for those that begin within `lost` (s of the motion)."""
    chunks = [
        each
        for each in blocks(motion, start_utc_s, 0.0, until_s, 5.0)
        if not lost[0] <= each.start_utc_s - start_utc_s < lost[1]
    ]
    club.services.log.append(chunks)


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


# Afterwards


def done_by_hand(club: Club, seconds: dict[AssessmentTest, float] | None = None, key: str = "k") -> str:
    """Do a battery by stopwatch."""
    assessment_id = started(club, by_hand=True, key=key)
    while (now := step(club, assessment_id)).stage is not Stage.OVER:
        told = Entered(now.test, ((seconds or {}).get(now.test, 60.0),))
        club.services.trials.enter(club.athlete, assessment_id, told, f"hand-{now.number}")
    club.services.trials.finish(club.athlete, assessment_id)
    return assessment_id


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


# Turned and lifted


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


# The roles


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
