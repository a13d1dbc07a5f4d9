"""Changing a plan: as many sessions as can be stay, the fewest are touched, and none is lost or doubled."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.errors import ProgramError
from programs.replace import Held, replace_sessions
from programs.types import PlannedSession

MONDAY = date(2026, 11, 23)


def session(day: int, hour: int = 18) -> PlannedSession:
    on = MONDAY + timedelta(days=day)
    due_at = datetime.combine(on, time(hour), UTC)
    return PlannedSession(on.isoformat(), on, time(hour), due_at, 10, (), "because", "UTC")


def held(day: int, hour: int = 18) -> Held:
    one = session(day, hour)
    return Held(f"row {day}", one.slot, one.due_at)


weeks = st.dictionaries(st.integers(0, 13), st.sampled_from((7, 18)), max_size=6)


def test_same_moments_stay_and_the_one_that_changed_moves() -> None:
    done = replace_sessions([held(0), held(2), held(4)], [session(0), session(3), session(4)])
    assert [pair[0].key for pair in done.kept] == ["row 0", "row 4"]
    assert [(pair[0].key, pair[1].slot) for pair in done.moved] == [("row 2", "2026-11-26")]
    assert (done.added, done.cancelled) == ((), ())


def test_another_time_of_the_same_day_moves_that_session_and_no_other() -> None:
    done = replace_sessions([held(0), held(2)], [session(0, 7), session(2)])
    assert [(pair[0].key, pair[1].due_at.hour) for pair in done.moved] == [("row 0", 7)]
    assert [pair[0].key for pair in done.kept] == ["row 2"]


def test_more_are_added_fewer_are_cancelled() -> None:
    assert [one.slot for one in replace_sessions([held(0)], [session(0), session(2)]).added] == ["2026-11-25"]
    assert [one.key for one in replace_sessions([held(0), held(2)], [session(0)]).cancelled] == ["row 2"]


@given(weeks, weeks)
def test_nothing_is_lost_or_doubled_and_no_way_touches_fewer(old: dict[int, int], new: dict[int, int]) -> None:
    before, after = [held(*one) for one in old.items()], [session(*one) for one in new.items()]
    done = replace_sessions(before, after)
    assert sorted(one.key for one in (*(p[0] for p in (*done.kept, *done.moved)), *done.cancelled)) == sorted(
        one.key for one in before
    )
    assert sorted(one.slot for one in (*(p[1] for p in (*done.kept, *done.moved)), *done.added)) == sorted(
        one.slot for one in after
    )
    assert all(one.due_at == other.due_at for one, other in done.kept)
    assert not (done.added and done.cancelled)
    # No pairing of old and new can leave more where they are; whoever is not kept is touched once.
    assert len(done.kept) == len({one.due_at for one in before} & {one.due_at for one in after})
    assert len(done.moved) == min(len(before), len(after)) - len(done.kept)


@given(
    st.sets(st.integers(0, 6), max_size=4),
    st.sets(st.integers(7, 13), max_size=4),
)
def test_moves_are_shortest_together(old: set[int], new: set[int]) -> None:
    size = min(len(old), len(new))
    old, new = set(sorted(old)[:size]), set(sorted(new)[:size])
    done = replace_sessions([held(day) for day in old], [session(day) for day in new])
    taken = sum((abs(b.due_at - a.due_at) for a, b in done.moved), timedelta(0))
    every = [
        sum((abs(session(b).due_at - session(a).due_at) for a, b in zip(sorted(old), way, strict=True)), timedelta(0))
        for way in permutations(new)
    ]
    assert taken == min(every)


def test_a_slot_holds_one_session() -> None:
    with pytest.raises(ProgramError, match="2026-11-23"):
        replace_sessions([held(0), replace(held(0), key="other")], [])
    with pytest.raises(ProgramError, match="2026-11-23"):
        replace_sessions([], [session(0), session(0, 7)])
