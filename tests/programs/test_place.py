"""Where sessions land: local times through clock changes, room between them, nothing twice, nothing in the past."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from programs.dose import session_duration_min
from programs.errors import NoSlot, ProgramError
from programs.exercises import exercise
from programs.place import place, session_time
from programs.spacing import half_of, halves
from programs.types import Availability, Dose, PlannedSession, PrescribedExercise, Prescription, Stay

ZONES = (
    "America/Sao_Paulo",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Europe/Berlin",
    "America/New_York",
    "Africa/Casablanca",
    "America/Havana",  # changes at midnight
    "Pacific/Apia",  # once skipped a whole day
)
# Local days on which at least one of those clocks changed (read from the zones' published history).
CHANGES = (
    date(2018, 11, 4),  # Sao Paulo 00:00 -> 01:00, New York and Havana back
    date(2018, 2, 18),  # Sao Paulo back at midnight
    date(2026, 3, 29),  # Berlin forward
    date(2026, 10, 25),  # Berlin back
    date(2026, 3, 8),  # New York and Havana forward
    date(2026, 11, 1),  # New York and Havana back
    date(2026, 4, 5),  # Lord Howe back by half an hour
    date(2026, 10, 4),  # Lord Howe forward by half an hour
    date(2026, 2, 15),  # Casablanca back for Ramadan
    date(2026, 3, 22),  # Casablanca forward after it
    date(2011, 12, 30),  # the day that Apia never had
)
BEND = PrescribedExercise("curl_up", 0, Dose((6, 4, 2), 10.0, 20.0, False), "because")
STILL = PrescribedExercise("bird_dog", 0, Dose((6, 4, 2), 10.0, 20.0, True), "because")


def program(*items: PrescribedExercise, per_week: int = 3, weeks: int = 4) -> Prescription:
    items = items or (STILL, BEND)
    minutes = session_duration_min(item.dose for item in items)
    return Prescription("Title", items, per_week, weeks, minutes, (), "You bent forward 84 times.")


def at_midnight_before(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=2)


def spots(sessions: tuple[PlannedSession, ...]) -> list[int]:
    return [(session.local_date - sessions[0].local_date).days for session in sessions]


START = date(2026, 11, 24)  # a Tuesday
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_three_a_week_are_spread_and_keep_their_weekdays() -> None:
    sessions = place(program(), Availability("Europe/Berlin"), START, NOON)
    assert spots(sessions) == [0, 2, 4, 7, 9, 11, 14, 16, 18, 21, 23, 25]
    first = sessions[0]
    assert (first.slot, first.local_date, first.local_time) == ("2026-11-24", START, time(18, 30))
    assert first.due_at == datetime(2026, 11, 24, 17, 30, tzinfo=UTC)
    assert first.because.startswith("You bent forward 84 times.")


def test_a_start_after_todays_time_begins_tomorrow_and_stays_regular() -> None:
    late = datetime(2026, 11, 24, 17, 30, tzinfo=UTC)  # 18:30 in Berlin: at the moment itself is too late
    sessions = place(program(), Availability("Europe/Berlin"), START, late)
    assert [session.local_date.isoformat() for session in sessions[:4]] == [
        "2026-11-25",
        "2026-11-27",
        "2026-11-29",
        "2026-12-02",
    ]
    assert len(sessions) == 12


@pytest.mark.parametrize(
    ("weekdays", "expected"),
    [
        ((0, 1, 2, 3, 4), ["Tue", "Thu", "Mon", "Wed", "Fri"]),
        ((0, 2, 4), ["Wed", "Fri", "Mon", "Wed", "Fri"]),
        ((5, 6), ["Sat", "Sat", "Sat", "Sat"]),
    ],
)
def test_only_free_weekdays_are_used(weekdays: tuple[int, ...], expected: list[str]) -> None:
    sessions = place(program(), Availability("Europe/Berlin", weekdays), START, NOON)
    assert {session.local_date.weekday() for session in sessions} <= set(weekdays)
    if weekdays == (5, 6):
        assert [f"{session.local_date:%a}" for session in sessions] == expected
        assert all("room for 1 of 3 sessions a week" in session.because for session in sessions)
    if weekdays == (0, 2, 4):
        assert [f"{session.local_date:%a}" for session in sessions[:5]] == expected
        assert not any("room for" in session.because for session in sessions)


@pytest.mark.parametrize(
    ("zone", "before", "after"),
    [
        ("Europe/Berlin", date(2026, 3, 27), date(2026, 3, 31)),
        ("Europe/Berlin", date(2026, 10, 23), date(2026, 10, 27)),
        ("America/New_York", date(2026, 3, 6), date(2026, 3, 10)),
        ("Australia/Lord_Howe", date(2026, 4, 3), date(2026, 4, 7)),
    ],
)
def test_the_local_time_stays_through_both_changes(zone: str, before: date, after: date) -> None:
    sessions = place(program(), Availability(zone), before, at_midnight_before(before))
    offsets = set()
    for session in sessions:
        there = session.due_at.astimezone(ZoneInfo(zone))
        assert (there.date(), there.time()) == (session.local_date, time(18, 30))
        offsets.add(there.utcoffset())
    assert len(offsets) == 2
    assert sessions[0].local_date <= after <= sessions[-1].local_date


def test_a_time_that_comes_twice_is_the_first() -> None:
    # Havana set 01:00 back to 00:00 on 1 November 2026: 00:15 came at 04:15 UTC and again at 05:15 UTC.
    day = date(2026, 11, 1)
    free = Availability("America/Havana", weekdays=(6,), preferred=time(0, 15), wake=time(9))
    (session,) = place(program(weeks=1), free, day, at_midnight_before(day))
    assert session.due_at == datetime(2026, 11, 1, 4, 15, tzinfo=UTC)


def test_a_day_on_which_the_clock_skips_the_time_is_not_used() -> None:
    # Sao Paulo went from 00:00 to 01:00 on Sunday 4 November 2018.
    day = date(2018, 11, 4)
    night_owl = Availability("America/Sao_Paulo", weekdays=(6,), preferred=time(0, 15), wake=time(11))
    sessions = place(program(weeks=3), night_owl, day, at_midnight_before(day))
    assert [session.slot for session in sessions] == ["2018-11-11", "2018-11-18"]
    with pytest.raises(NoSlot, match="00:15"):
        place(program(weeks=1), night_owl, day, at_midnight_before(day))


@pytest.mark.parametrize("per_week", [3, 6])
def test_a_day_that_never_was_has_no_session_and_is_no_rest(per_week: int) -> None:
    # 29 and 31 December 2011 were neighbours in Apia.
    apia = Availability("Pacific/Apia")
    sessions = place(program(weeks=1, per_week=per_week), apia, date(2011, 12, 28), datetime(2011, 12, 1, tzinfo=UTC))
    assert "2011-12-30" not in {session.slot for session in sessions}
    gaps = [(b.due_at - a.due_at) / timedelta(hours=1) for a, b in pairwise(sessions)]
    if per_week == 3:
        assert len(sessions) == 3
        assert min(gaps) == 48
    else:
        assert not any(gaps[i : i + 3] == [24, 24, 24] for i in range(len(gaps)))


@pytest.mark.parametrize(
    ("preferred", "expected"),
    [
        (time(0, 59), time(0, 59)),
        (time(1, 0), time(4, 0)),
        (time(2, 30), time(4, 0)),
        (time(3, 30), time(4, 0)),
        (time(3, 31), time(3, 31)),
    ],
)
def test_no_session_in_the_hours_when_clocks_change(preferred: time, expected: time) -> None:
    found = session_time(program(), Availability("Europe/Berlin", preferred=preferred, wake=time(12)))
    assert found.local_time == expected
    assert bool(found.moved) is (preferred != expected)


@pytest.mark.parametrize(
    ("wake", "preferred", "expected"),
    [
        (time(7), time(7), time(8)),
        (time(7), time(7, 59), time(8)),
        (time(7), time(8), time(8)),
        (time(7), time(6, 59), time(6, 59)),  # before waking is the evening's end, not the morning
        (time(23, 40), time(0, 10), time(0, 40)),  # across midnight
        (time(0, 30), time(0, 45), time(4)),  # an hour after waking would be in the night
        (time(3, 20), time(2), time(4, 20)),  # out of the night, then out of the first hour
    ],
)
def test_a_session_that_bends_keeps_away_from_the_first_hour(wake: time, preferred: time, expected: time) -> None:
    free = Availability("Europe/Berlin", preferred=preferred, wake=wake)
    assert session_time(program(BEND), free).local_time == expected
    sessions = place(program(BEND), free, START, NOON)
    assert all(session.local_time == expected for session in sessions)
    if expected != preferred:
        assert all(f"{expected:%H:%M}" in session.because for session in sessions)


def test_a_session_that_does_not_bend_may_be_at_waking() -> None:
    free = Availability("Europe/Berlin", preferred=time(7), wake=time(7))
    assert session_time(program(STILL), free).local_time == time(7)


def test_week_four_is_lighter_and_shorter_and_says_so() -> None:
    sessions = place(program(weeks=8), Availability("Europe/Berlin"), START, NOON)
    for number, session in enumerate(sessions):
        lighter_week = number // 3 + 1 in (4, 8)
        counts = [item.dose.repetitions for item in session.exercises]
        assert counts == ([(6,), (6,)] if lighter_week else [(6, 4, 2), (6, 4, 2)])
        assert session.duration_min == (4 if lighter_week else 9)
        assert ("lighter week" in session.because) is lighter_week


def test_taken_days_count_and_keep_their_room() -> None:
    free = Availability("Europe/Berlin")
    everything = place(program(), free, START, NOON)
    assert place(program(), free, START, NOON, frozenset(session.slot for session in everything)) == ()
    some = place(program(), free, START, NOON, frozenset({"2026-11-25"}))
    assert [session.slot for session in some[:2]] == ["2026-11-27", "2026-11-29"]
    before = place(program(), free, START, NOON, frozenset({"2026-11-23"}))
    assert before[0].slot == "2026-11-25"


def test_a_program_that_is_over_places_nothing() -> None:
    assert place(program(), Availability("Europe/Berlin"), date(2026, 1, 1), NOON) == ()


@pytest.mark.parametrize(
    ("availability", "says"),
    [
        (Availability("Europe/Berlin", weekdays=(7,)), "Weekday 7"),
        (Availability("Mars/Olympus"), "Mars/Olympus"),
        (Availability("../etc/passwd"), "passwd"),
        (Availability("Europe"), "'Europe'"),
        (Availability(""), "IANA"),
    ],
)
def test_an_availability_that_makes_no_sense_is_named(availability: Availability, says: str) -> None:
    with pytest.raises(ProgramError, match=says):
        place(program(), availability, START, NOON)


def test_no_free_day_is_said_with_what_to_do() -> None:
    with pytest.raises(NoSlot, match="choose at least one day"):
        place(program(), Availability("Europe/Berlin", weekdays=()), START, NOON)


def test_moments_slots_and_counts_are_checked() -> None:
    free = Availability("Europe/Berlin")
    with pytest.raises(ProgramError, match="time zone"):
        place(program(), free, START, NOON.replace(tzinfo=None))
    with pytest.raises(ProgramError, match="tomorrow"):
        place(program(), free, START, NOON, frozenset({"tomorrow"}))
    with pytest.raises(ProgramError, match="8 sessions"):
        place(program(per_week=8), free, START, NOON)


def groups_of(session: PlannedSession) -> set[str]:
    return {exercise(item.exercise_id).muscle_group for item in session.exercises}


def test_above_three_a_week_the_same_muscles_have_48_hours() -> None:
    side = replace(STILL, exercise_id="side_bridge")
    sessions = place(program(STILL, BEND, side, per_week=5, weeks=6), Availability("Europe/Berlin"), START, NOON)
    assert {len(session.exercises) for session in sessions} == {1, 2}
    assert set().union(*map(groups_of, sessions)) == {"back extensors", "front trunk", "side trunk"}
    for earlier in sessions:
        for later in sessions:
            if earlier.due_at < later.due_at and groups_of(earlier) & groups_of(later):
                assert later.due_at - earlier.due_at >= timedelta(hours=48)
    assert all("the same muscles have 48 hours" in session.because for session in sessions)


def test_one_muscle_group_has_a_day_between_however_often_it_is_asked_for() -> None:
    sessions = place(program(STILL, per_week=6, weeks=2), Availability("Europe/Berlin"), START, NOON)
    assert all((b.local_date - a.local_date).days >= 2 for a, b in pairwise(sessions))
    assert all("room for 3 of 6 sessions" in session.because for session in sessions)


def test_mobility_is_in_both_halves() -> None:
    turn = replace(STILL, exercise_id="open_book")
    found = halves((STILL, turn, BEND))
    assert found == ((STILL, turn), (turn, BEND))
    assert halves((STILL, turn)) is None
    assert {half_of(START), half_of(START + timedelta(days=1))} == {0, 1}


def test_a_journey_keeps_the_local_time_in_its_zone_and_the_rest_across_the_flight() -> None:
    trip = Stay(date(2026, 11, 26), date(2026, 12, 3), "Asia/Tokyo")
    sessions = place(program(), Availability("Europe/Berlin", travel=(trip,)), START, NOON)
    for session in sessions:
        zone = "Asia/Tokyo" if trip.first <= session.local_date <= trip.last else "Europe/Berlin"
        assert session.time_zone == zone
        there = session.due_at.astimezone(ZoneInfo(zone))
        assert (there.date(), there.time()) == (session.local_date, time(18, 30))
    assert {session.time_zone for session in sessions} == {"Asia/Tokyo", "Europe/Berlin"}
    # Tuesday in Berlin and Thursday in Tokyo are 40 hours apart: too near.
    assert all(b.due_at - a.due_at >= timedelta(hours=47) for a, b in pairwise(sessions))


@pytest.mark.parametrize(
    ("quiet", "preferred", "expected"),
    [
        ((time(22), time(7)), time(22), time(7)),
        ((time(22), time(7)), time(21, 59), time(21, 59)),
        ((time(22), time(7)), time(7), time(7)),
        ((time(22), time(2)), time(23), time(4)),  # their end is in the night
        ((time(12), time(14)), time(13), time(14)),
        ((time(9), time(9)), time(9), time(9)),  # equal ends: none
    ],
)
def test_quiet_hours_have_no_session(quiet: tuple[time, time], preferred: time, expected: time) -> None:
    free = Availability("Europe/Berlin", preferred=preferred, wake=time(12), quiet=quiet)
    found = session_time(program(STILL), free)
    assert found.local_time == expected
    assert bool(found.moved) is (preferred != expected)


def test_hours_that_leave_no_time_are_said() -> None:
    all_day = Availability("Europe/Berlin", preferred=time(12), wake=time(6), quiet=(time(7), time(6, 59)))
    with pytest.raises(NoSlot, match="quiet hours"):
        session_time(program(BEND), all_day)


def test_nothing_before_the_day_that_rest_ends_and_no_day_left_is_said() -> None:
    friday = date(2026, 11, 27)
    sessions = place(program(weeks=1), Availability("Europe/Berlin"), START, NOON, not_before=friday)
    assert sessions[0].local_date == friday
    with pytest.raises(NoSlot, match="2026-12-01"):
        place(program(weeks=1), Availability("Europe/Berlin"), START, NOON, not_before=date(2026, 12, 1))


def test_days_that_had_a_session_are_used_again() -> None:
    free = Availability("Europe/Berlin")
    fridays = [START + timedelta(days=3 + 7 * week) for week in range(4)]
    sessions = place(program(per_week=2), free, START, NOON, wanted=dict.fromkeys(fridays, NOON))
    assert set(fridays) <= {session.local_date for session in sessions}
    assert len(sessions) == 8


availabilities = st.builds(
    Availability,
    time_zone=st.sampled_from(ZONES),
    weekdays=st.sets(st.integers(0, 6), min_size=1).map(lambda days: tuple(sorted(days))),
    preferred=st.times().map(lambda moment: moment.replace(second=0, microsecond=0)),
    wake=st.times().map(lambda moment: moment.replace(second=0, microsecond=0)),
)
starts = st.builds(lambda day, shift: day + timedelta(days=shift), st.sampled_from(CHANGES), st.integers(-20, 6))
programs = st.builds(
    lambda items, per_week, weeks: program(*items, per_week=per_week, weeks=weeks),
    st.sampled_from([(STILL,), (BEND,), (STILL, BEND)]),
    st.integers(1, 7),
    st.integers(1, 6),
)


@pytest.mark.proof
@settings(max_examples=8000 if os.environ.get("PROOF") else 400, deadline=None)
@example(
    program(STILL, per_week=2, weeks=1), Availability("Pacific/Apia", (3, 5), time(0), time(0)), date(2011, 12, 29), 0
)
@given(programs, availabilities, starts, st.integers(-72, 24 * 20))
def test_whatever_is_asked_the_rules_hold(wanted: Prescription, free: Availability, start: date, shift_h: int) -> None:
    now = datetime(start.year, start.month, start.day, tzinfo=UTC) + timedelta(hours=shift_h)
    clock = session_time(wanted, free)
    try:
        sessions = place(wanted, free, start, now)
    except NoSlot:
        return
    zone = ZoneInfo(free.time_zone)
    for session in sessions:
        there = session.due_at.astimezone(zone)
        assert (there.date(), there.time()) == (session.local_date, session.local_time)
        assert there.fold == 0
        assert session.local_time == clock.local_time
        assert clock.moved or session.local_time == free.preferred
        assert not time(1) <= there.time() <= time(3, 30)
        assert session.due_at > now
        assert session.due_at.utcoffset() == timedelta(0)
        assert start <= session.local_date < start + timedelta(weeks=wanted.weeks)
        assert session.local_date.weekday() in free.weekdays
        assert session.slot == session.local_date.isoformat()
        if BEND in wanted.exercises:
            woke = datetime.combine(date(2001, 1, 2), free.wake)
            minutes = (datetime.combine(date(2001, 1, 2), there.time()) - woke).total_seconds() / 60 % 1440
            assert minutes >= 60
    assert [session.due_at for session in sessions] == sorted(session.due_at for session in sessions)
    days = [session.local_date for session in sessions]
    assert len(set(days)) == len(days)
    weeks = [(day - start).days // 7 for day in days]
    assert all(weeks.count(week) <= wanted.sessions_per_week for week in weeks)
    if wanted.sessions_per_week <= 3:
        assert all((b - a).days >= 2 for a, b in pairwise(days))
        # 48 h, less what one change of the clock takes (an hour).
        assert all(b.due_at - a.due_at >= timedelta(hours=47) for a, b in pairwise(sessions))
    hours = [(b.due_at - a.due_at) / timedelta(hours=1) for a, b in pairwise(sessions)]
    assert not any(all(gap <= 25 for gap in hours[i : i + 3]) for i in range(len(hours) - 2))


@settings(max_examples=150, deadline=None)
@given(programs, availabilities, starts, st.integers(0, 20))
def test_placing_again_returns_the_rest(wanted: Prescription, free: Availability, start: date, keep: int) -> None:
    now = datetime(start.year, start.month, start.day, tzinfo=UTC) - timedelta(days=2)
    try:
        everything = place(wanted, free, start, now)
    except NoSlot:
        return
    assert place(wanted, free, start, now) == everything
    kept = frozenset(session.slot for session in everything[:keep])
    assert place(wanted, free, start, now, kept) == everything[keep:]


def test_rest_alone_has_no_sessions() -> None:
    rest_only = replace(program(), exercises=())
    assert place(rest_only, Availability("Europe/Berlin"), START, NOON) == ()


journeys = st.lists(
    st.builds(
        lambda shift, days, zone: Stay(
            date(2026, 3, 1) + timedelta(days=shift), date(2026, 3, 1) + timedelta(days=shift + days), zone
        ),
        st.integers(0, 40),
        st.integers(0, 12),
        st.sampled_from(ZONES),
    ),
    max_size=3,
).map(tuple)
quiets = st.none() | st.tuples(st.integers(0, 23).map(time), st.integers(0, 23).map(time))


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 7), journeys, quiets, st.integers(0, 6).map(time))
def test_on_journeys_and_around_quiet_hours_the_rules_hold(
    per_week: int, travel: tuple[Stay, ...], quiet: tuple[time, time] | None, preferred: time
) -> None:
    free = Availability("Europe/Berlin", preferred=preferred, wake=time(5), quiet=quiet, travel=travel)
    start = date(2026, 3, 2)
    try:
        sessions = place(program(per_week=per_week), free, start, at_midnight_before(start))
    except NoSlot:
        assert quiet is not None
        return
    assert len({session.slot for session in sessions}) == len(sessions)
    for session in sessions:
        there = session.due_at.astimezone(ZoneInfo(session.time_zone))
        assert (there.date(), there.time()) == (session.local_date, session.local_time)
        assert not time(1) <= there.time() <= time(3, 30)
        if quiet is not None and quiet[0] != quiet[1]:
            over_midnight = quiet[0] > quiet[1]
            after, before = there.time() >= quiet[0], there.time() < quiet[1]
            assert not ((after or before) if over_midnight else (after and before))
    for one in sessions:
        for other in sessions:
            # The rest is counted from noon to noon; both are at the same time of day.
            if one.local_date < other.local_date and groups_of(one) & groups_of(other):
                assert other.due_at - one.due_at >= timedelta(hours=46)
