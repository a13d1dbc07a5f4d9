"""What is at hand, how much time there is, and what somebody does not want: programs keep to it."""

from __future__ import annotations

import pytest

from coach.errors import InvalidInput, NoSuch
from coach.service.change_views import ChangeKind
from coach.service.types import Identity, PlanState, Role, SessionState
from programs.exercises import AT_HOME
from tests.coach.club import Club
from tests.coach.service.test_plans import accepted, bend, proposed
from tests.coach.service.test_progress import start


def names(club: Club) -> list[str]:
    plan = club.services.plans.proposal(club.athlete_id) or club.services.plans.active(club.athlete_id)
    assert plan is not None
    return [item.exercise_id for item in plan.prescription.exercises]


def test_before_anybody_says_it_is_what_most_homes_have(club: Club) -> None:
    view = club.services.choices.of_athlete(club.athlete, club.athlete_id)
    assert (view.equipment, view.equipment_said, view.session_max_min, view.declined) == (AT_HOME, False, None, ())


def test_a_program_keeps_to_what_is_at_hand_and_to_the_time(club: Club) -> None:
    assert "hip_hinge" in names_of_proposal(club)  # it needs a stick
    club.services.choices.choose(club.athlete, club.athlete_id, ["chair"], 12)
    club.services.plans.replan_wanted()
    assert "hip_hinge" not in names(club)
    plan = club.services.plans.proposal(club.athlete_id)
    assert plan is not None
    assert plan.prescription.session_duration_min <= 12
    view = club.services.choices.of_athlete(club.coach, club.athlete_id)
    assert (view.equipment, view.equipment_said, view.session_max_min) == (frozenset({"chair"}), True, 12)


def names_of_proposal(club: Club) -> list[str]:
    proposed(club)
    return names(club)


@pytest.mark.parametrize(("equipment", "minutes"), [(["rocket"], None), ([], 7), ([], 61)])
def test_what_cannot_be_is_said(club: Club, equipment: list[str], minutes: int | None) -> None:
    with pytest.raises(InvalidInput):
        club.services.choices.choose(club.athlete, club.athlete_id, equipment, minutes)
    assert not club.services.choices.of_athlete(club.athlete, club.athlete_id).equipment_said


def test_a_no_leaves_the_exercise_out_at_once_and_is_remembered_until_taken_back(club: Club) -> None:
    accepted(club)
    before = names(club)
    assert "curl_up" in before
    club.services.choices.say_no(club.athlete, club.athlete_id, "curl_up")
    assert names(club) == [name for name in before if name != "curl_up"]
    planned = club.services.plans.week(club.athlete_id, club.clock.now.date())
    assert planned
    assert all("curl_up" not in [each["exercise_id"] for each in session.exercises] for session in planned)
    (change,) = club.services.progress.lately(club.athlete_id)
    assert change.kind is ChangeKind.LEFT_OUT
    assert "you said no to it: curl-up" in change.because
    (no,) = club.services.choices.of_athlete(club.coach, club.athlete_id).declined
    assert (no.exercise_id, no.by) == ("curl_up", "Ada")
    club.clock.forward(days=29)
    bend(club, "later")
    assert "curl_up" not in names(club)
    club.services.choices.take_back(club.athlete, club.athlete_id, "curl_up")
    club.services.plans.replan_wanted()
    assert "curl_up" in names(club)
    assert club.services.choices.of_athlete(club.coach, club.athlete_id).declined == ()


def test_a_no_to_all_of_it_ends_the_program_and_a_new_one_is_proposed(club: Club) -> None:
    plan = accepted(club)
    for name in names(club):
        club.services.choices.say_no(club.coach, club.athlete_id, name)
    assert club.services.plans.active(club.athlete_id) is None
    assert club.services.plans.get(club.coach, plan.plan_id).state is PlanState.SUPERSEDED
    week = club.services.plans.week(club.athlete_id, club.clock.now.date())
    assert not any(each.state is SessionState.PLANNED for each in week)
    club.services.plans.replan_wanted()
    declined = {each.exercise_id for each in club.services.choices.of_athlete(club.coach, club.athlete_id).declined}
    assert names(club)
    assert declined.isdisjoint(names(club))


def test_a_no_takes_a_waiting_step_back(club: Club) -> None:
    runs = start(club)
    runs.green(2)
    assert runs.step is not None
    club.services.choices.say_no(club.athlete, club.athlete_id, "bird_dog")
    assert runs.step is None
    runs.green(2)
    assert runs.step is not None
    assert "bird-dog" not in runs.step.because


def test_nobody_chooses_for_a_stranger(club: Club) -> None:
    stranger = Identity("somebody", Role.COACH, "Lee", None)
    choices = club.services.choices
    for ask in (
        lambda: choices.of_athlete(stranger, club.athlete_id),
        lambda: choices.choose(stranger, club.athlete_id, []),
        lambda: choices.say_no(stranger, club.athlete_id, "curl_up"),
        lambda: choices.take_back(stranger, club.athlete_id, "curl_up"),
    ):
        with pytest.raises(NoSuch):
            ask()
    with pytest.raises(InvalidInput):
        choices.say_no(club.athlete, club.athlete_id, "flying")


def test_what_the_running_program_needs_and_is_not_at_hand_is_named(club: Club) -> None:
    accepted(club)
    assert club.services.choices.of_athlete(club.athlete, club.athlete_id).lacking == ()
    club.services.choices.choose(club.athlete, club.athlete_id, ["chair"])
    assert "hip_hinge" in names(club)  # what runs stays
    (one,) = club.services.choices.of_athlete(club.athlete, club.athlete_id).lacking
    assert (one.exercise_id, one.things) == ("hip_hinge", ("a stick",))
    club.services.choices.say_no(club.athlete, club.athlete_id, "hip_hinge")
    assert club.services.choices.of_athlete(club.athlete, club.athlete_id).lacking == ()
