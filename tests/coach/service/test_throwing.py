"""T16 from the diary to the week: days of rest after pitching have no session that works the arm."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from coach.service.plain import prescription_to_plain
from coach.service.types import SessionState
from coach.store import athletes, plans
from programs.types import Availability, Dose, PrescribedExercise, Prescription
from tests.coach.club import Club

MONDAY = date(2026, 11, 23)
EVENING = datetime(2026, 11, 23, 20, tzinfo=UTC)  # 21:00 in Berlin
ARM = PrescribedExercise("push_up_plus", 0, Dose((6,), None, 0.0, False), "because")
TRUNK = PrescribedExercise("bird_dog", 0, Dose((6,), 10.0, 0.0, True), "because")


@pytest.fixture
def pitcher(club: Club) -> Club:
    """A pitcher of twelve years on the evening of a Monday."""
    club.clock.now = EVENING
    club.services.athletes.set_profile(club.coach, club.athlete_id, "baseball")
    club.services.athletes.set_born_on(club.coach, club.athlete_id, date(2014, 5, 1))
    free = Availability("Europe/Berlin", weekdays=(1, 2, 3, 4, 5, 6))
    club.services.athletes.set_availability(club.coach, club.athlete_id, free)
    with club.store.begin() as tx:
        athletes.change(tx, club.athlete_id, lock="none")
    return club


def runs(club: Club, *items: PrescribedExercise, weeks: int = 2) -> None:
    program = Prescription("Program", items, 3, weeks, 5, (), "because")
    values = {
        "athlete_id": club.athlete_id,
        "state": "accepted",
        "prescription": prescription_to_plain(program),
        "need_kinds": [],
        "finding_ids": [],
        "created_at": club.clock.now,
        "decided_at": club.clock.now,
        "starts_on": MONDAY,
        "ends_on": MONDAY + timedelta(weeks=weeks),
    }
    with club.store.begin() as tx:
        plans.add(tx, values)
    club.services.plans.plan_ahead(club.clock.now)


def days(club: Club) -> list[date]:
    return [
        each.local_date
        for week in (0, 7)
        for each in club.services.plans.week(club.athlete_id, MONDAY + timedelta(week))
    ]


def pitched(club: Club, pitches: int | None, on: date = MONDAY) -> str:
    services, key = club.services, f"key-{on}-{pitches}"
    return services.diary.add_training(
        club.athlete, club.athlete_id, "game", 60, 5, key, on=on, pitches=pitches
    ).training_id


@pytest.mark.parametrize(("pitches", "first"), [(20, 24), (35, 25), (60, 27), (66, 28)])
def test_t16_pitches_entered_before_a_program_bar_their_days_of_rest(pitcher: Club, pitches: int, first: int) -> None:
    pitched(pitcher, pitches)
    runs(pitcher, ARM)
    assert days(pitcher)[0] == date(2026, 11, first)


def test_t16_pitches_entered_while_a_program_runs_move_what_is_in_their_rest_and_nothing_else(pitcher: Club) -> None:
    runs(pitcher, ARM)
    before = days(pitcher)
    assert before[:3] == [date(2026, 11, 24), date(2026, 11, 26), date(2026, 11, 28)]
    pitched(pitcher, 60)
    after = days(pitcher)
    assert after[0] == date(2026, 11, 27)
    assert after[-3:] == before[-3:]


def test_two_games_of_a_day_count_together_and_the_longest_rest_holds(pitcher: Club) -> None:
    pitched(pitcher, 20, MONDAY - timedelta(days=1))
    pitched(pitcher, 30)
    pitched(pitcher, 36)  # 66 together: four days
    runs(pitcher, ARM)
    assert days(pitcher)[0] == date(2026, 11, 28)


def test_a_game_that_was_a_mistake_frees_its_days(pitcher: Club) -> None:
    training_id = pitched(pitcher, 60)
    runs(pitcher, ARM)
    assert days(pitcher)[:2] == [date(2026, 11, 27), date(2026, 11, 29)]
    pitcher.services.diary.drop_training(pitcher.athlete, training_id)
    # What is planned stays, and the week's third session has room again.
    assert days(pitcher)[:3] == [date(2026, 11, 24), date(2026, 11, 27), date(2026, 11, 29)]


@pytest.mark.parametrize("why", ["no work for the arm", "no age", "no guideline", "no pitches"])
def test_nothing_is_barred(pitcher: Club, why: str) -> None:
    services = pitcher.services
    if why == "no age":
        services.athletes.set_born_on(pitcher.coach, pitcher.athlete_id, None)
    if why == "no guideline":
        services.athletes.set_profile(pitcher.coach, pitcher.athlete_id, "general")
    pitched(pitcher, None if why == "no pitches" else 66)
    runs(pitcher, TRUNK if why == "no work for the arm" else ARM)
    assert days(pitcher)[0] == date(2026, 11, 24)


def test_a_rest_beyond_the_end_of_the_program_leaves_no_session(pitcher: Club) -> None:
    runs(pitcher, ARM, weeks=1)
    saturday = datetime(2026, 11, 28, 8, tzinfo=UTC)
    pitcher.clock.now = saturday
    pitcher.services.plans.release_due(saturday)
    assert [each.state for each in pitcher.services.plans.week(pitcher.athlete_id, MONDAY)][-1] == SessionState.PLANNED
    pitched(pitcher, 66, saturday.date())
    left = [each.state for each in pitcher.services.plans.week(pitcher.athlete_id, MONDAY)]
    assert SessionState.PLANNED not in left
