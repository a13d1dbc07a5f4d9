"""The diary: entered once, read by the day's findings, tests and the safety questions."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from coach.errors import InvalidInput, NoSuch
from coach.service.day_entries import entered_of
from coach.service.diary import CheckIn
from coach.service.types import Identity, Role
from coach.store import athletes, days
from programs.types import Answer
from tests.coach.club import Club

TUESDAY = date(2026, 11, 24)


def check_in(club: Club, key: str = "one", **told: object):
    return club.services.diary.check_in(club.athlete, club.athlete_id, CheckIn(**told), key)  # type: ignore[arg-type]


def entered(club: Club, day: date):
    with club.store.read() as tx:
        athlete = athletes.get(tx, club.athlete_id)
        assert athlete is not None
        return entered_of(tx, athlete, day)


def well(club: Club) -> None:
    answers = {question.id: Answer.NO for question in club.services.triage.questions()}
    club.services.triage.answer(club.athlete, club.athlete_id, answers, 34)


def test_two_presses_are_one_and_the_second_tap_adds(club: Club) -> None:
    first = check_in(club, pain_at_rest=3)
    assert check_in(club, pain_at_rest=3).checkin_id == first.checkin_id
    more = CheckIn(3, 5, sites=("lower_back",), symptoms=("worse_moving",), sleep_h=6.5, note="After work.")
    club.services.diary.complete(club.athlete, first.checkin_id, more)
    told, done = club.services.diary.between(club.athlete, club.athlete_id, TUESDAY, TUESDAY + timedelta(days=1))
    assert [each.told for each in told] == [more]
    assert done == ()
    # A coach sees numbers, not where it hurts, nor words.
    told, _ = club.services.diary.between(club.coach, club.athlete_id, TUESDAY, TUESDAY + timedelta(days=1))
    assert [each.told for each in told] == [CheckIn(3, 5, sleep_h=6.5)]


def test_an_afternoon_belongs_to_its_day_and_a_morning_to_the_day_before(club: Club) -> None:
    check_in(club, "afternoon", pain_at_rest=2, pain_in_motion=4)
    club.clock.forward(hours=16)  # seven in the morning in Berlin
    assert check_in(club, "morning", pain_at_rest=5).morning
    tuesday = entered(club, TUESDAY).pain
    assert [(each.at_rest, each.in_motion, each.next_morning) for each in tuesday] == [(2, 4, False), (5, None, True)]
    assert entered(club, TUESDAY + timedelta(days=1)).pain == ()


def test_trainings_are_load_and_pitches_and_rest_is_known_of_who_enters(club: Club) -> None:
    assert entered(club, TUESDAY).load is None
    add = club.services.diary.add_training
    add(club.athlete, club.athlete_id, "Nets", 40, 6, "a", pitches=35)
    add(club.athlete, club.athlete_id, "Game", 90, 7, "b", pitches=50)
    add(club.athlete, club.athlete_id, "Game", 90, 7, "b", pitches=50)
    today = entered(club, TUESDAY)
    # Foster: effort x minutes, summed over the day.
    assert (today.load, today.pitches) == (40 * 6 + 90 * 7, 85)
    after = entered(club, TUESDAY + timedelta(days=1))
    assert (after.load, after.pitches) == (0.0, None)


def test_an_entry_has_its_day_judged_again_and_a_mistake_can_go(club: Club) -> None:
    with club.store.begin() as tx:
        for row in days.due(tx, club.clock.now + timedelta(days=1), 50):
            days.put_off(tx, row, None)
    told = check_in(club, pain_at_rest=1)
    with club.store.read() as tx:
        due = {row["local_date"] for row in days.due(tx, club.clock.now + timedelta(hours=1), 50)}
    assert {TUESDAY - timedelta(days=1), TUESDAY} <= due
    club.services.diary.drop_checkin(club.athlete, told.checkin_id)
    with pytest.raises(NoSuch):
        club.services.diary.checkin(club.athlete, told.checkin_id)
    assert entered(club, TUESDAY).pain == ()


@pytest.mark.parametrize(("at_rest", "in_motion", "asks"), [(5, 5, False), (6, None, True), (0, 6, True)])
def test_strong_pain_pauses_until_the_questions_are_answered_again(
    club: Club, at_rest: int, in_motion: int | None, asks: bool
) -> None:
    well(club)
    club.clock.forward(minutes=1)
    check_in(club, pain_at_rest=at_rest, pain_in_motion=in_motion)
    assert club.services.triage.view_for(club.athlete, club.athlete_id).must_ask is asks
    with club.store.read() as tx:
        athlete = athletes.get(tx, club.athlete_id)
    assert athlete is not None
    assert (athlete["lock"] == "all") is asks
    club.clock.forward(minutes=1)
    well(club)
    assert not club.services.triage.view_for(club.athlete, club.athlete_id).must_ask


def test_pain_of_the_diary_stands_against_tests(club: Club) -> None:
    well(club)
    club.clock.forward(minutes=1)
    limit = club.config.assessment.pain_limit
    check_in(club, pain_in_motion=limit)
    overview = club.services.assessments.overview(club.athlete, club.athlete_id)
    assert overview.refused is not None
    assert f"Pain of {limit}" in overview.refused or "safety questions" in overview.refused


@pytest.mark.parametrize(
    ("told", "says"),
    [
        (CheckIn(), "Nothing was told"),
        (CheckIn(11), "pain at rest of 11"),
        (CheckIn(1, sleep_h=25.0), "sleep of 25"),
        (CheckIn(1, sites=("nose",)), "'nose' is no place"),
        (CheckIn(1, symptoms=("bored",)), "'bored' is no symptom"),
        (CheckIn(1, note="x" * 1001), "at most 1000"),
        (CheckIn(1, pain_by_site={"neck": 1}), "no place that this check-in tells of"),
        (CheckIn(3, 2, sites=("neck",), pain_by_site={"neck": 4}), "more than at rest and when you move"),
        (CheckIn(3, sites=("neck",), pain_by_site={"neck": -1}), "pain of neck of -1"),
    ],
)
def test_wrong_check_ins_are_refused_in_a_sentence(club: Club, told: CheckIn, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        club.services.diary.check_in(club.athlete, club.athlete_id, told, "one")
    assert entered(club, TUESDAY).pain == ()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"what": " "}, "what you did"),
        ({"duration_min": 1441}, "duration of 1441"),
        ({"effort": -1}, "effort of -1"),
        ({"pitches": 501}, "pitches of 501"),
        ({"on": date(2026, 11, 25)}, "is not between"),
        ({"on": date(2026, 1, 1)}, "is not between"),
        ({"key": ""}, "incomplete"),
    ],
)
def test_wrong_trainings_are_refused_in_a_sentence(club: Club, change: dict[str, object], says: str) -> None:
    given = {"what": "Run", "duration_min": 30, "effort": 4, "key": "one", **change}
    with pytest.raises(InvalidInput, match=says):
        club.services.diary.add_training(club.athlete, club.athlete_id, **given)  # type: ignore[arg-type]


def test_strangers_reach_nothing(club: Club) -> None:
    told = check_in(club, pain_at_rest=1)
    stranger = Identity("somebody", Role.COACH, "Lee", None)
    for ask in (
        lambda: club.services.diary.check_in(stranger, club.athlete_id, CheckIn(1), "x"),
        lambda: club.services.diary.checkin(stranger, told.checkin_id),
        lambda: club.services.diary.complete(stranger, told.checkin_id, CheckIn(2)),
        lambda: club.services.diary.drop_checkin(stranger, told.checkin_id),
        lambda: club.services.diary.between(stranger, club.athlete_id, TUESDAY, TUESDAY),
        lambda: club.services.diary.add_training(stranger, club.athlete_id, "Run", 1, 1, "x"),
    ):
        with pytest.raises(NoSuch):
            ask()
    assert replace(told.told, pain_at_rest=1) == told.told


def test_the_caps_of_pitches_are_judged_from_the_diary(club: Club) -> None:
    club.services.athletes.set_profile(club.coach, club.athlete_id, "baseball")
    club.services.athletes.set_born_on(club.coach, club.athlete_id, date(2014, 6, 1))  # twelve years old
    club.services.diary.add_training(club.athlete, club.athlete_id, "Game", 60, 6, "a", pitches=86)
    club.clock.forward(days=1)
    club.services.days.judge_due(club.clock.now)
    answers = club.services.findings.answers(club.coach, club.athlete_id, TUESDAY)
    (pitches,) = [each for each in answers if each.kind == "pitch_count"]
    # Facts, T16: at 12 years 85 a day.
    assert pitches.outcome == "found"
    assert "85" in pitches.statement
