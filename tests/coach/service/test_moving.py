"""Moving a session by its athlete: in its week, with the rest between sessions, once, and not while all is locked."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest

from coach.errors import Conflict, Locked, NoSuch
from coach.service.types import Role, SessionState, SessionView
from coach.store import athletes, sessions
from programs.moving import Against
from programs.spacing import SAME_MUSCLES_H
from tests.coach.club import Club
from tests.coach.service.test_plans import accepted


def fortnight(club: Club) -> list[SessionView]:
    first = club.clock.now.date()
    weeks = (club.services.plans.week(club.athlete_id, first + timedelta(weeks=week)) for week in range(2))
    return [each for week in weeks for each in week]


def free_days(club: Club, session: SessionView) -> list[date]:
    choices = club.services.moving.choices(club.athlete, club.athlete_id, [session.session_id])
    return [each.day for each in choices[session.session_id] if each.due_at is not None]


def with_a_free_day(club: Club) -> tuple[SessionView, date]:
    """A session and a day that it may have without another one making room."""
    for session in fortnight(club):
        choices = club.services.moving.choices(club.athlete, club.athlete_id, [session.session_id])
        for each in choices[session.session_id]:
            if each.due_at is not None and not each.along:
                return session, each.day
    raise AssertionError("no session of the fortnight can be moved")


def test_it_is_on_the_day_and_no_other_row_is_touched(club: Club) -> None:
    accepted(club)
    session, to = with_a_free_day(club)
    others = [each for each in fortnight(club) if each.session_id != session.session_id]
    moved = club.services.moving.move(club.athlete, session.session_id, to)
    assert (moved.local_date, moved.state) == (to, SessionState.PLANNED)
    assert moved.sequence == session.sequence + 1, "calendars are told"
    after = fortnight(club)
    assert [each for each in after if each.session_id != session.session_id] == others
    assert len(after) == len(others) + 1


def test_every_offered_day_keeps_the_rest_and_every_other_day_is_refused(club: Club) -> None:
    accepted(club)
    everything = fortnight(club)
    looked_at = 0
    for session in everything:
        choices = club.services.moving.choices(club.athlete, club.athlete_id, [session.session_id])[session.session_id]
        assert len(choices) == 6, "the other days of its week"
        for choice in choices:
            if choice.due_at is None:
                with pytest.raises(Conflict):
                    club.services.moving.move(club.athlete, session.session_id, choice.day)
                looked_at += 1
                continue
            along = {from_day: at for from_day, _, at in choice.along}
            others = [along.get(each.local_date, each.due_at) for each in everything if each != session]
            moments = sorted([*others, choice.due_at])
            assert min(b - a for a, b in pairwise(moments)) >= SAME_MUSCLES_H
            assert choice.due_at > club.clock.now
    assert looked_at > 0
    assert fortnight(club) == everything


def test_to_its_own_day_changes_nothing_so_that_a_second_sending_is_harmless(club: Club) -> None:
    accepted(club)
    session, to = with_a_free_day(club)
    first = club.services.moving.move(club.athlete, session.session_id, to)
    assert club.services.moving.move(club.athlete, session.session_id, to) == first


def test_a_released_session_waits_again_and_is_released_on_its_new_day(club: Club) -> None:
    accepted(club)
    first = fortnight(club)[0]
    club.clock.now = first.due_at + timedelta(minutes=1)
    assert [each.session_id for each in club.services.plans.release_due(club.clock.now)] == [first.session_id]
    days = free_days(club, first)
    assert days, "a day of the week is left"
    moved = club.services.moving.move(club.athlete, first.session_id, days[0])
    assert (moved.state, moved.released_at) == (SessionState.PLANNED, None)
    assert club.services.plans.release_due(club.clock.now) == ()
    club.clock.now = moved.due_at + timedelta(minutes=1)
    assert first.session_id in {each.session_id for each in club.services.plans.release_due(club.clock.now)}


def test_later_sessions_of_the_week_make_room_and_keep_their_order(club: Club) -> None:
    accepted(club)
    before = fortnight(club)
    first = before[0]
    choices = club.services.moving.choices(club.athlete, club.athlete_id, [first.session_id])[first.session_id]
    choice = next(each for each in choices if each.along)
    club.services.moving.move(club.athlete, first.session_id, choice.day)
    after = fortnight(club)
    assert [each.session_id for each in after] == [each.session_id for each in before], "the same ones in their order"
    assert min(b.due_at - a.due_at for a, b in pairwise(after)) >= SAME_MUSCLES_H
    gone_on = {each.session_id: each.local_date for each in after}
    for from_day, to, _ in choice.along:
        (other,) = (each for each in before if each.local_date == from_day)
        assert gone_on[other.session_id] == to
        assert to > from_day


def test_another_week_and_a_taken_day_are_said_to_be_so(club: Club) -> None:
    accepted(club)
    session, *others = fortnight(club)
    with pytest.raises(Conflict, match="stays in its week"):
        club.services.moving.move(club.athlete, session.session_id, session.local_date + timedelta(days=7))
    choices = club.services.moving.choices(club.athlete, club.athlete_id, [session.session_id])[session.session_id]
    held = [each.day for each in choices if each.against is Against.HELD]
    assert set(held) <= {each.local_date for each in others}
    assert held


def test_nothing_moves_while_all_is_locked(club: Club) -> None:
    accepted(club)
    session, to = with_a_free_day(club)
    with club.store.begin() as tx:
        athletes.change(tx, club.athlete_id, lock="all")
    assert club.services.moving.choices(club.athlete, club.athlete_id, [session.session_id]) == {}
    with pytest.raises(Locked):
        club.services.moving.move(club.athlete, session.session_id, to)
    with club.store.read() as tx:
        row = sessions.get(tx, session.session_id)
    assert row is not None
    assert row["local_date"] == session.local_date


def test_what_was_answered_stays_and_strangers_learn_nothing(club: Club) -> None:
    accepted(club)
    session, to = with_a_free_day(club)
    club.services.plans.record_outcome(session.session_id, club.athlete, SessionState.SKIPPED)
    with pytest.raises(Conflict, match="answered or cancelled already"):
        club.services.moving.move(club.athlete, session.session_id, to)
    other = club.services.accounts.identity(club.services.accounts.create_user("Lou", Role.COACH))
    assert other is not None
    with pytest.raises(NoSuch):
        club.services.moving.move(other, session.session_id, to)
