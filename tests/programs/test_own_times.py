"""Weekdays with a time of their own: kept, moved for a reason, and never nearer to each other than the rest allows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import combinations, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from programs.errors import ProgramError
from programs.exercises import exercise
from programs.place import NIGHT_END, NIGHT_START, place, session_time
from programs.types import Availability, PlannedSession
from tests.programs.test_place import BEND, NOON, START, STILL, program

BERLIN = Availability("Europe/Berlin", weekdays=(0, 2, 4))


def test_each_weekday_keeps_its_own_time_and_the_others_the_usual_one() -> None:
    free = replace(BERLIN, times=((0, time(12, 15)), (4, time(20))))
    sessions = place(program(weeks=2), free, START, NOON)
    assert {(each.local_date.weekday(), each.local_time) for each in sessions} == {
        (0, time(12, 15)),
        (2, time(18, 30)),
        (4, time(20)),
    }
    for each in sessions:
        assert each.due_at.astimezone(ZoneInfo("Europe/Berlin")).time() == each.local_time


def test_a_time_of_a_weekday_moves_by_the_same_rules_and_only_its_sessions_say_so() -> None:
    free = replace(BERLIN, times=((0, time(2)), (2, time(7, 30))))
    found = {each.local_date.weekday(): each for each in place(program(), free, START, NOON)}
    assert (found[0].local_time, found[2].local_time, found[4].local_time) == (time(4), time(8), time(18, 30))
    assert "clocks change" in found[0].because
    assert "after you usually wake" in found[2].because
    assert "clocks" not in found[4].because
    assert "wake" not in found[4].because


def test_an_evening_and_the_morning_after_next_are_no_two_days_apart() -> None:
    free = replace(BERLIN, weekdays=(0, 2), times=((0, time(21)), (2, time(6))))
    sessions = place(program(STILL, weeks=3), free, START, NOON)
    # 33 hours between Monday evening and Wednesday morning: too near, so each week has one of them.
    assert all(b.due_at - a.due_at >= timedelta(hours=47) for a, b in pairwise(sessions))
    assert len(sessions) < 6
    assert "room for 1 of 3 sessions" in sessions[0].because


def test_when_taken_sessions_really_are_counts() -> None:
    free = replace(BERLIN, weekdays=(2, 4), preferred=time(6))
    taken = {"2026-11-24"}
    near = datetime(2026, 11, 24, 22, tzinfo=UTC)
    usual = place(program(STILL, weeks=1), free, START, NOON, taken)
    late = place(program(STILL, weeks=1), free, START, NOON, taken, taken_at={START: near})
    assert [each.local_date.day for each in usual] == [27]
    assert [each.local_date.day for each in late] == [27]
    thursday = replace(free, weekdays=(3,))
    assert [each.local_date.day for each in place(program(STILL, weeks=1), thursday, START, NOON, taken)] == [26]
    assert place(program(STILL, weeks=1), thursday, START, NOON, taken, taken_at={START: near}) == ()


def test_a_time_of_a_weekday_that_does_not_exist_is_named() -> None:
    with pytest.raises(ProgramError, match="Weekday 7"):
        place(program(), replace(BERLIN, times=((7, time(12)),)), START, NOON)


def groups(session: PlannedSession) -> set[str]:
    return {exercise(item.exercise_id).muscle_group for item in session.exercises}


@given(
    times=st.dictionaries(st.integers(0, 6), st.times(), max_size=7),
    weekdays=st.sets(st.integers(0, 6), min_size=1),
    per_week=st.integers(1, 7),
    two=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_no_times_bring_the_same_muscles_within_48_hours_or_a_session_into_the_night(
    times: dict[int, time], weekdays: set[int], per_week: int, two: bool
) -> None:
    free = Availability("Europe/Berlin", tuple(weekdays), times=tuple(times.items()))
    items = (STILL, BEND) if two else (STILL,)
    sessions = place(program(*items, per_week=per_week, weeks=3), free, START, NOON)
    assert all(not NIGHT_START <= each.local_time <= NIGHT_END for each in sessions)
    for each in sessions:
        assert each.local_time == session_time(program(*items), free, each.local_date.weekday()).local_time
    for a, b in combinations(sessions, 2):
        if groups(a) & groups(b):
            assert b.due_at - a.due_at >= timedelta(hours=47)
