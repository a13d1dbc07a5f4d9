"""What the safety questions lock, when they are asked, what falls back and comes back, and how a lock ends."""

from __future__ import annotations

from datetime import timedelta

import pytest

from coach.config import CareSection, Config
from coach.errors import Conflict, Locked
from coach.service.diary import CheckIn
from coach.service.triage import refuse_locked
from coach.service.types import SessionState, SessionView
from coach.store import athletes
from coach.store import triage as answers_table
from coach.store.engine import Store
from programs.phases import FALLBACK, FALLBACK_WORDS
from programs.triage import QUESTIONS_VERSION
from programs.types import Answer, Lock
from tests.coach.club import START, Club, FakeClock, found_club
from tests.coach.service.test_plans import accepted, answer_no, proposed


def lock_of(club: Club) -> Lock:
    with club.store.read() as tx:
        row = athletes.get(tx, club.athlete_id)
    assert row is not None
    return Lock(row["lock"])


def door_is_open(club: Club) -> bool:
    with club.store.read() as tx:
        row = athletes.get(tx, club.athlete_id)
        assert row is not None
        try:
            refuse_locked(tx, club.athlete, row, club.clock.now)
        except Locked:
            return False
    return True


def week(club: Club) -> list[SessionView]:
    return club.services.plans.week(club.athlete_id, club.clock.now.date())


def must_ask(club: Club) -> bool:
    return club.services.triage.view_for(club.athlete, club.athlete_id).must_ask


def tell(club: Club, pain: int) -> None:
    club.clock.forward(minutes=1)
    key = club.clock.now.isoformat()
    club.services.diary.check_in(club.athlete, club.athlete_id, CheckIn(pain_in_motion=pain), key)
    club.clock.forward(minutes=1)


def test_a_prompt_answer_lets_what_runs_fall_back_and_the_original_comes_back(club: Club) -> None:
    accepted(club)
    planned = week(club)
    answer_no(club, CAN=Answer.YES)
    assert lock_of(club) is Lock.STARTING
    for before, now in zip(planned, week(club), strict=True):
        assert now.fallback
        assert not before.fallback
        assert [each["exercise_id"] for each in now.exercises] == list(FALLBACK)
        assert (now.because, now.due_at, now.session_id) == (FALLBACK_WORDS, before.due_at, before.session_id)
        assert now.sequence == before.sequence + 1  # calendars are told
    assert club.services.plans.plan_ahead(club.clock.now) == 0  # all four weeks stand already, nothing is doubled
    club.services.triage.clear(club.coach, club.athlete_id, "Dr. Who", "2026-11-24")
    assert lock_of(club) is Lock.NONE
    for before, now in zip(planned, week(club), strict=True):
        assert (now.exercises, now.because, now.duration_min) == (before.exercises, before.because, before.duration_min)


def test_a_session_done_as_walking_and_rest_stays_one(club: Club) -> None:
    accepted(club)
    answer_no(club, CAN=Answer.YES)
    first = week(club)[0]
    club.clock.now = first.due_at
    (released,) = club.services.plans.release_due(club.clock.now)
    assert released.fallback
    club.services.plans.record_outcome(first.session_id, club.athlete, SessionState.DONE, 1, 0)
    answer_no(club)
    club.services.triage.clear(club.coach, club.athlete_id, "Dr. Who", club.clock.now.date().isoformat())
    assert club.services.plans.session(club.athlete, first.session_id).fallback
    later = [each for each in week(club) if each.state is SessionState.PLANNED]
    assert later
    assert not any(each.fallback for each in later)


def test_nothing_starts_while_only_starting_is_locked(club: Club) -> None:
    plan = proposed(club)
    answer_no(club, CAN=Answer.YES)
    assert not door_is_open(club)
    with pytest.raises(Locked):
        club.services.plans.accept(plan.plan_id, club.coach)


@pytest.mark.parametrize("flag", ["CES", "AAA", "VIS", "NEU"])
def test_an_emergency_or_urgent_answer_releases_nothing(club: Club, flag: str) -> None:
    accepted(club)
    answer_no(club, **{flag: Answer.UNKNOWN})  # a skipped one counts as yes
    assert lock_of(club) is Lock.ALL
    club.clock.now = week(club)[0].due_at
    assert club.services.plans.release_due(club.clock.now) == ()
    assert not door_is_open(club)


def test_any_other_skipped_question_locks_until_it_is_answered(club: Club) -> None:
    accepted(club)
    answer_no(club, INF=Answer.UNKNOWN)
    club.clock.now = week(club)[0].due_at
    assert (lock_of(club), club.services.plans.release_due(club.clock.now)) == (Lock.ALL, ())
    answer_no(club)
    assert lock_of(club) is Lock.NONE
    assert len(club.services.plans.release_due(club.clock.now)) == 1


def test_a_lock_never_gets_milder_by_answering_again(club: Club) -> None:
    answer_no(club, CES=Answer.YES)
    answer_no(club, CAN=Answer.YES)
    assert lock_of(club) is Lock.ALL
    shown = club.services.triage.view_for(club.athlete, club.athlete_id).result
    assert shown is not None
    assert shown.reasons == ("CES", "CAN")


def test_an_emergency_is_not_diluted_by_a_review_that_stands(club: Club) -> None:
    for first, second in ({"CAN": Answer.YES}, {"CES": Answer.YES}), ({"CES": Answer.YES}, {"CAN": Answer.YES}):
        answer_no(club, **first)
        answer_no(club, **second)
        shown = club.services.triage.view_for(club.athlete, club.athlete_id).result
        assert shown is not None
        assert shown.reasons == ("CES", "CAN")
        (message,) = shown.messages
        assert "Go to an emergency department" in message


def test_open_answers_beside_a_review_end_with_the_answers_and_the_review_stays(club: Club) -> None:
    answer_no(club, CAN=Answer.YES, INF=Answer.UNKNOWN)
    assert lock_of(club) is Lock.ALL
    with pytest.raises(Conflict, match="questions come first"):
        club.services.triage.clear(club.coach, club.athlete_id, "Dr. Who", "2026-11-24")
    answer_no(club)
    assert lock_of(club) is Lock.STARTING
    shown = club.services.triage.view_for(club.athlete, club.athlete_id).result
    assert shown is not None
    assert (shown.reasons, shown.messages) == (("CAN",), ("Please book a medical review before starting.",))


def test_asked_at_onboarding(club: Club) -> None:
    assert must_ask(club)
    assert not door_is_open(club)
    answer_no(club)
    assert not must_ask(club)
    assert door_is_open(club)


def test_asked_at_a_session_with_pain_of_six(club: Club) -> None:
    accepted(club)
    first = week(club)[0]
    club.clock.now = first.due_at
    club.services.plans.release_due(club.clock.now)
    club.services.plans.record_outcome(first.session_id, club.athlete, SessionState.DONE, 5, 6)
    assert lock_of(club) is Lock.ALL
    assert not door_is_open(club)


@pytest.mark.parametrize(("pain", "asks"), [(5, False), (6, True)])
def test_asked_at_a_check_in_with_pain_of_six(club: Club, pain: int, asks: bool) -> None:
    answer_no(club)
    tell(club, pain)
    assert (must_ask(club), lock_of(club) is Lock.ALL) == (asks, asks)


@pytest.mark.parametrize(("pain", "asks"), [(0, False), (1, True)])
def test_asked_every_seven_days_in_pain(club: Club, pain: int, asks: bool) -> None:
    answer_no(club)
    tell(club, pain)
    club.clock.forward(days=6, hours=23)
    assert not must_ask(club)
    club.clock.forward(hours=1)
    assert must_ask(club) is asks
    assert door_is_open(club) is not asks


def test_asked_before_unlocking(club: Club) -> None:
    answer_no(club, NEU=Answer.YES)
    club.clock.forward(days=3)
    seen_on = club.clock.now.date().isoformat()
    with pytest.raises(Conflict, match="questions come first"):
        club.services.triage.clear(club.coach, club.athlete_id, "Dr. Who", seen_on)
    assert lock_of(club) is Lock.ALL
    answer_no(club)
    club.services.triage.clear(club.coach, club.athlete_id, "Dr. Who", seen_on)
    assert lock_of(club) is Lock.NONE


def test_answers_of_a_week_ago_do_not_unlock_and_a_visit_before_the_lock_is_none(club: Club) -> None:
    answer_no(club, NEU=Answer.YES)
    club.clock.forward(days=7)
    for seen_on in ("2026-11-24", "2026-11-25"):
        with pytest.raises(Conflict):
            club.services.triage.clear(club.coach, club.athlete_id, "Dr. Who", seen_on)
    answer_no(club)
    # The visit was days before the newest answers, and after the first that locked.
    club.services.triage.clear(club.coach, club.athlete_id, "Dr. Who", "2026-11-25")
    assert door_is_open(club)


def test_pain_while_starting_is_locked_holds_all_until_asked(club: Club) -> None:
    accepted(club)
    answer_no(club, CAN=Answer.YES)
    tell(club, 7)
    assert lock_of(club) is Lock.ALL
    answer_no(club)
    assert lock_of(club) is Lock.STARTING


def test_each_set_of_answers_is_a_row_with_its_version_and_what_was_shown(club: Club) -> None:
    answer_no(club, CES=Answer.YES)
    answer_no(club)
    with club.store.read() as tx:
        rows = answers_table.all_of(tx, club.athlete_id)
    assert [row["answers"]["CES"] for row in rows] == ["yes", "no"]
    assert {row["questions_version"] for row in rows} == {QUESTIONS_VERSION}
    for row in rows:
        assert "call the emergency number 112 now" in row["messages"][0]  # Ada is in Berlin
        assert len(row["answers"]) == len(club.services.triage.questions())


@pytest.mark.parametrize(
    ("time_zone", "configured", "says"),
    [
        ("Asia/Kathmandu", "", "your local emergency number"),
        ("Asia/Kathmandu", "102", "the emergency number 102"),
        ("Europe/Berlin", "110", "the emergency number 110"),
    ],
)
def test_the_message_names_the_number_of_the_place(store: Store, time_zone: str, configured: str, says: str) -> None:
    config = Config(care=CareSection(emergency_number=configured))
    club = found_club(store, FakeClock(START), time_zone, config)
    result = club.services.triage.answer(club.athlete, club.athlete_id, {"CES": Answer.YES}, 30)
    assert f"call {says} now" in result.messages[0]


def test_without_the_acute_plan_nothing_falls_back(store: Store) -> None:
    club = found_club(store, FakeClock(START), config=Config(care=CareSection(acute_plan=False)))
    accepted(club)
    answer_no(club, CAN=Answer.YES)
    shown = club.services.triage.view_for(club.athlete, club.athlete_id).result
    assert shown is not None
    assert (shown.lock, shown.messages) == (Lock.ALL, ("Please book a medical review before starting.",))
    assert not any(each.fallback for each in week(club))
    club.clock.now = week(club)[0].due_at + timedelta(minutes=1)
    assert club.services.plans.release_due(club.clock.now) == ()
