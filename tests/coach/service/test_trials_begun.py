"""Guided tests: refused where they must be, and in a drawn order."""

from __future__ import annotations

from datetime import timedelta

import pytest

from coach.analysis.assessment_types import BATTERY
from coach.errors import Conflict, InvalidInput, Locked, NoSuch, NotAllowed
from coach.service.assessment_views import AssessmentState, Kind, Source, Stage
from coach.service.battery import draw_order
from coach.service.entered import Entered
from coach.service.types import Identity, Role
from coach.store import assessments as table
from programs.types import Answer
from tests.coach.club import Club
from tests.coach.held import (
    NO_TO_ALL,
    done_by_hand,
    started,
    step,
)


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
