"""Sessions at local times: the same time of day through every change of the clock, with room between sessions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import combinations
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from programs.dose import lighter, session_duration_min
from programs.errors import NoSlot, ProgramError
from programs.exercises import exercise
from programs.rest import MAX_DAYS_IN_A_ROW, SPACED_SESSIONS_PER_WEEK, is_deload_week
from programs.types import Availability, PlannedSession, PrescribedExercise, Prescription

# Clocks change in these hours in most zones: a session there could come twice or not at all. Both ends are closed.
NIGHT_START = time(1, 0)
NIGHT_END = time(3, 30)
# A time inside the night moves here. Own heuristic.
AFTER_NIGHT = time(4, 0)
# Own heuristic; less bending after rising lowered pain in a trial (Snook 1998, Spine 23:2601, n=85).
AFTER_WAKING_MIN = 60
DAYS_IN_WEEK = 7
_DAY_MIN = 24 * 60
# Noon to noon: the next day is 23 to 25 h away, the day after it 47 to 49 h. Own choice, the middle.
NEXT_DAY_BELOW = timedelta(hours=36)
# Days farther away than the longest row of sessions do not matter to a week.
_REACH = timedelta(days=DAYS_IN_WEEK)


@dataclass(frozen=True, slots=True)
class SessionTime:
    """The time of day of every session. moved: sentences on why it is not the wanted one; empty when it is."""

    local_time: time
    moved: tuple[str, ...]


def session_time(prescription: Prescription, availability: Availability) -> SessionTime:
    """Return the local time of every session: the preferred one, or the first allowed one after it.

    A time from 01:00 to 03:30 moves to 04:00. A session that bends or loads the trunk forward moves out of the 60
    minutes after waking, to their end. Raises ProgramError for an exercise that the library does not know.
    Source: Snook 1998 (Spine 23:2601) for the idea, 60 minutes and the night hours: own heuristic, see
    docs/decisions/0003-programs.md.
    """
    wanted = availability.preferred.replace(second=0, microsecond=0, tzinfo=None, fold=0)
    moved: list[str] = []
    chosen = _out_of_night(wanted, moved)
    if _bends(prescription.exercises) and _minutes_after(availability.wake, chosen) < AFTER_WAKING_MIN:
        chosen = _add_minutes(availability.wake, AFTER_WAKING_MIN)
        moved.append(
            f"It is at {chosen:%H:%M}, an hour after you usually wake, because it bends your trunk forward, and in a "
            "trial people who bent less after rising had less back pain."
        )
        chosen = _out_of_night(chosen, moved)
    return SessionTime(chosen, tuple(moved))


def local_moment(day: date, local_time: time, zone: ZoneInfo) -> datetime | None:
    """Return the UTC moment of a local time on a day; None when the clock skips that time.

    A time that comes twice means the first. Source: PEP 495 (fold); own heuristic for which of the two.
    """
    local = datetime.combine(day, local_time, tzinfo=zone).replace(fold=0)
    moment = local.astimezone(UTC)
    return moment if moment.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None) else None


def place(
    prescription: Prescription,
    availability: Availability,
    start: date,
    now: datetime,
    taken_slots: Collection[str] = frozenset(),
) -> tuple[PlannedSession, ...]:
    """Return the sessions of a program that are still to be planned, in order of time.

    start: first local day of the program; its weeks count from it. now: aware; nothing is placed at or before it.
    taken_slots: local dates (ISO) that have a session; each counts as one of its week, so that placing again with
    what was placed before returns the rest, and nothing when all is there.
    Every session is at the same local time (`session_time`); a day on which the clock skips that time is not used, a
    time that comes twice means the first. Up to 3 sessions a week have a day between them (48 h for the same muscles,
    47 h across the spring change), more have at most 3 days in a row. A week takes the weekdays of the week before, the
    first one spreads them. Every fourth week has lighter doses. What finds no day in its week moves to no other week. A
    prescription of rest only has no sessions.
    Raises NoSlot when the availability or the clock leave no day at all, ProgramError for a naive `now`, an unknown
    time zone, weekday, slot or number of sessions.
    Source: ACSM 2011 (Garber et al., MSSE 43:1334) for 48 h, Andersen 2017 (SJWEH 43:68) for days in a row, own
    heuristics for the rest, see docs/decisions/0003-programs.md.
    """
    zone = _check(prescription, availability, now)
    if not prescription.exercises:
        return ()
    if not availability.weekdays:
        raise NoSlot("No day of the week is free for sessions; choose at least one day.")
    clock = session_time(prescription, availability)
    taken = {_day(slot) for slot in taken_slots}
    rule = _Spacing(prescription.sessions_per_week, zone)
    notes = (*clock.moved, *_no_room(_Spacing(prescription.sessions_per_week, UTC), availability))
    busy, sessions, skipped = set(taken), [], False
    pattern: frozenset[int] = frozenset()
    for week in range(1, prescription.weeks + 1):
        days = _week(start, week)
        due = {day: local_moment(day, clock.local_time, zone) for day in days if day.weekday() in availability.weekdays}
        skipped = skipped or any(moment is None for moment in due.values())
        free = {day: moment for day, moment in due.items() if moment and moment > now and day not in busy}
        there = [day for day in days if day in taken]
        chosen = rule.choose(list(free), there, busy, pattern)
        pattern = frozenset(day.weekday() for day in (*there, *chosen)) or pattern
        busy.update(chosen)
        sessions += [_session(prescription, day, clock.local_time, free[day], week, notes) for day in chosen]
    if not sessions and skipped and not taken:
        raise NoSlot(
            f"The clock in {availability.time_zone} skips {clock.local_time:%H:%M} on every day that is free; "
            "choose another time of day or another day."
        )
    return tuple(sessions)


@dataclass(frozen=True, slots=True)
class _Spacing:
    """How many sessions a week, and which days may have one beside the days that already do."""

    per_week: int
    zone: tzinfo

    def choose(
        self, free: Sequence[date], there: Sequence[date], busy: Collection[date], pattern: frozenset[int]
    ) -> tuple[date, ...]:
        """Return the days to add: as many as are missing, then like the week before, then spread, then early."""
        near = [day for day in busy if free and free[0] - _REACH <= day <= free[-1] + _REACH]
        for count in range(min(self.per_week - len(there), len(free)), 0, -1):
            allowed = [days for days in combinations(free, count) if self._allows(days, near)]
            if allowed:
                return min(allowed, key=lambda days: (*_unlike(days, there, pattern), days))
        return ()

    def _allows(self, days: Sequence[date], near: Sequence[date]) -> bool:
        longest = 1 if self.per_week <= SPACED_SESSIONS_PER_WEEK else MAX_DAYS_IN_A_ROW
        runs = self._runs(sorted({*days, *near}))
        return all(len(run) <= longest for run in runs if not run.isdisjoint(days))

    def _runs(self, days: Sequence[date]) -> list[set[date]]:
        """Return groups of days that follow each other; a day that the clock skipped does not part its neighbours."""
        runs: list[set[date]] = []
        before: datetime | None = None
        for day in days:
            noon = datetime.combine(day, time(12), tzinfo=self.zone).astimezone(UTC)
            if before is not None and noon - before < NEXT_DAY_BELOW:
                runs[-1].add(day)
            else:
                runs.append({day})
            before = noon
        return runs


def _unlike(days: Sequence[date], there: Sequence[date], pattern: frozenset[int]) -> tuple[int, list[int]]:
    """Return how little days follow the pattern, and how unevenly they lie in a week that repeats; less is better."""
    weekdays = sorted({day.weekday() for day in (*days, *there)})
    gaps = [(b - a) % DAYS_IN_WEEK for a, b in zip(weekdays, [*weekdays[1:], weekdays[0]], strict=True)]
    return -len(pattern & set(weekdays)), sorted((gap * gap for gap in gaps), reverse=True)


def _week(start: date, week: int) -> list[date]:
    return [start + timedelta(days=DAYS_IN_WEEK * (week - 1) + offset) for offset in range(DAYS_IN_WEEK)]


def _session(
    prescription: Prescription, day: date, local_time: time, due_at: datetime, week: int, notes: Sequence[str]
) -> PlannedSession:
    exercises, sentences = prescription.exercises, [prescription.because, *notes]
    if is_deload_week(week):
        exercises = tuple(replace(item, dose=lighter(item.dose)) for item in exercises)
        sentences.append(f"Week {week} is a lighter week: about half of the repetitions.")
    return PlannedSession(
        slot=day.isoformat(),
        local_date=day,
        local_time=local_time,
        due_at=due_at,
        duration_min=session_duration_min(item.dose for item in exercises),
        exercises=exercises,
        because=" ".join(sentence for sentence in sentences if sentence),
    )


def _no_room(rule: _Spacing, availability: Availability) -> list[str]:
    """Say when a week as it usually is cannot hold the sessions: three equal weeks, the middle one counts."""
    monday = date(2001, 1, 1)  # any Monday
    busy: set[date] = set()
    found = 0
    for week in range(1, 4):
        free = [day for day in _week(monday, week) if day.weekday() in availability.weekdays]
        chosen = rule.choose(free, (), busy, frozenset(day.weekday() for day in busy))
        found = len(chosen)
        busy.update(chosen)
    if found >= rule.per_week:
        return []
    return [
        f"Your free days have room for {found} of {rule.per_week} sessions a week, with the rest that belongs to them."
    ]


def _bends(items: Sequence[PrescribedExercise]) -> bool:
    found = [exercise(item.exercise_id) for item in items]
    return any(one.flexion_loaded or one.bends_forward for one in found)


def _out_of_night(wanted: time, moved: list[str]) -> time:
    if not NIGHT_START <= wanted <= NIGHT_END:
        return wanted
    moved.append(
        f"It is at {AFTER_NIGHT:%H:%M}, because the hours when clocks change, 01:00 to 03:30, have no sessions."
    )
    return AFTER_NIGHT


def _minutes_after(earlier: time, later: time) -> int:
    """Return the minutes from one time of day to the next occurrence of another."""
    return (later.hour * 60 + later.minute - earlier.hour * 60 - earlier.minute) % _DAY_MIN


def _add_minutes(moment: time, minutes: int) -> time:
    total = (moment.hour * 60 + moment.minute + minutes) % _DAY_MIN
    return time(total // 60, total % 60)


def _day(slot: str) -> date:
    try:
        return date.fromisoformat(slot)
    except ValueError:
        raise ProgramError(f"The slot '{slot}' is not a date; slots are local dates such as 2026-11-24.") from None


def _check(prescription: Prescription, availability: Availability, now: datetime) -> ZoneInfo:
    if now.utcoffset() is None:
        raise ProgramError("Placing sessions needs the moment with its time zone; pass an aware datetime in UTC.")
    if not 1 <= prescription.sessions_per_week <= DAYS_IN_WEEK:
        raise ProgramError(f"{prescription.sessions_per_week} sessions a week cannot be placed; choose 1 to 7.")
    for weekday in availability.weekdays:
        if not 0 <= weekday < DAYS_IN_WEEK:
            raise ProgramError(f"Weekday {weekday} does not exist; weekdays go from 0 (Monday) to 6 (Sunday).")
    try:
        return ZoneInfo(availability.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ProgramError(
            f"The time zone '{availability.time_zone}' is not known; choose an IANA name such as Europe/Berlin."
        ) from None
