"""What an athlete tells of their body: who reads it, what it keeps away, where one-sided work begins."""

from __future__ import annotations

import pytest

from coach.analysis.assessment_types import AssessmentTest
from coach.analysis.guided import Side
from coach.errors import InvalidInput, NoSuch, NotAllowed
from coach.service.assessment_views import Kind
from coach.service.body import HURTS
from coach.service.may_test import QUESTIONS
from coach.service.types import Level, Purpose, Role
from programs.exercises import CONTRAINDICATIONS, library
from tests.coach.club import Club
from tests.coach.service.test_plans import answer_no
from tests.coach.service.test_progress import start


def tell(club: Club, side: Side | None = None, hurts: tuple[str, ...] = ()) -> None:
    club.services.bodies.tell(club.athlete, club.athlete_id, side, ("lower_back",), "a strain", hurts)


def test_what_hurts_is_something_that_the_library_keeps_exercises_away_from() -> None:
    assert set(HURTS) <= set(CONTRAINDICATIONS)
    assert {each for one in library().values() for each in one.contraindications} >= set(HURTS)


def test_what_hurts_now_leaves_the_running_program_at_once_and_comes_back_only_as_a_proposal(club: Club) -> None:
    runs = start(club)
    assert "bird_dog" in {item.exercise_id for item in runs.program.exercises}
    tell(club, hurts=("wrist_pain",))
    after = {item.exercise_id for item in runs.program.exercises}
    assert after
    assert not [each for each in after if "wrist_pain" in library()[each].contraindications]
    # It is over: nothing comes back by itself.
    tell(club)
    assert {item.exercise_id for item in runs.program.exercises} == after


def test_an_injury_of_before_changes_no_exercise(club: Club) -> None:
    runs = start(club)
    before = runs.program
    tell(club)
    assert runs.program == before


@pytest.mark.parametrize("side", [Side.LEFT, Side.RIGHT])
def test_the_first_hold_is_on_the_side_that_was_named_and_the_next_tests_follow(club: Club, side: Side) -> None:
    services = club.services
    tell(club, side)
    no = {question.id: "no" for question in QUESTIONS}
    answer_no(club)
    begun = services.trials.start(club.athlete, club.athlete_id, Kind.FIRST_HOLD, None, no, 0, "first")
    tests = services.assessments.get(club.athlete, begun).tests
    assert tests == (AssessmentTest(f"side_bridge_{side.value}"),)
    services.trials.begin(club.athlete, begun, tests[0], "try")
    club.clock.forward(seconds=43)
    (trial,) = services.assessments.get(club.athlete, begun).trials
    services.trials.stop(club.athlete, trial.trial_id)
    services.trials.finish(club.athlete, begun)
    (done,) = services.assessments.overview(club.athlete, club.athlete_id).past
    assert done.trials[0].known is not None
    assert done.trials[0].known.value == pytest.approx(43.0)
    retest = services.assessments.retest(club.athlete_id)
    assert retest is not None
    assert (retest.due_on - club.clock.now.date()).days in {27, 28, 29}


def test_only_who_reads_health_text_at_full_reads_it(club: Club) -> None:
    services = club.services
    tell(club, Side.BOTH, ("neck_pain",))
    told = services.bodies.of_athlete(club.athlete, club.athlete_id)
    assert told is not None
    assert (told.side, told.hurts_now, told.injured_at) == (Side.BOTH, ("neck_pain",), ("lower_back",))
    services.consents.withdraw(club.athlete, club.athlete_id, Purpose.PAIN_TEXT)
    assert services.bodies.of_athlete(club.coach, club.athlete_id) is None
    other = services.accounts.identity(services.accounts.create_user("Oda", Role.COACH))
    assert other is not None
    with pytest.raises(NoSuch):
        services.bodies.of_athlete(other, club.athlete_id)
    with pytest.raises(NotAllowed):
        services.bodies.tell(club.coach, club.athlete_id, Side.LEFT, (), "")
    services.sharing.set_level(club.athlete, club.athlete_id, club.coach.user_id, Level.PLAN)
    with pytest.raises(NotAllowed):
        services.bodies.of_athlete(club.coach, club.athlete_id)


@pytest.mark.parametrize(
    "wrong", [{"injured_at": ("moon",)}, {"hurts_now": ("osteoporosis",)}, {"injuries": "x" * 501}]
)
def test_what_is_no_place_and_what_is_too_long_is_refused(club: Club, wrong: dict[str, object]) -> None:
    asked: dict[str, object] = {"injured_at": (), "injuries": "", "hurts_now": ()} | wrong
    with pytest.raises(InvalidInput):
        club.services.bodies.tell(club.athlete, club.athlete_id, None, **asked)  # type: ignore[arg-type]
