"""Sessions at local times: the same time of day through every change of the clock, with room between sessions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from types import MappingProxyType
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from programs.dose import lighter, session_duration_min
from programs.errors import NoSlot, ProgramError
from programs.exercises import known
from programs.rest import is_deload_week
from programs.spacing import DAYS_IN_WEEK, Spacing, half_of, halves, spacing_for
from programs.types import Availability, PlannedSession, PrescribedExercise, Prescription

# Clocks change in these hours in most zones: a session there could come twice or not at all. Both ends are closed.
NIGHT_START = time(1, 0)
NIGHT_END = time(3, 30)
# A time inside the night moves here. Own heuristic.
AFTER_NIGHT = time(4, 0)
# Own heuristic; less bending after rising lowered pain in a trial (Snook 1998, Spine 23:2601, n=85).
AFTER_WAKING_MIN = 60
_DAY_MIN = 24 * 60
# Moves of the time of day that may follow each other: quiet hours, night, waking, and these again. Own choice.
_MOVES_MAX = 6


@dataclass(frozen=True, slots=True)
class SessionTime:
    """The time of day of sessions. moved: sentences on why it is not the wanted one; empty when it is."""

    local_time: time
    moved: tuple[str, ...]


def session_time(prescription: Prescription, availability: Availability, weekday: int = 0) -> SessionTime:
    """Return the local time of a weekday's sessions: the wanted one, or the first allowed one after it.

    A time from 01:00 to 03:30 moves to 04:00, one within the quiet hours to their end. A session that bends or loads
    the trunk forward moves out of the 60 minutes after waking, to their end; so does one with an exercise that has left
    the library. Raises NoSlot when these leave no time.
    Source: Snook 1998 (Spine 23:2601) for the idea, 60 minutes and the night hours: own heuristic, see
    docs/decisions/0003-programs.md.
    """
    chosen = availability.time_on(weekday).replace(second=0, microsecond=0, tzinfo=None, fold=0)
    bends = _bends(prescription.exercises)
    moved: list[str] = []
    for _ in range(_MOVES_MAX):
        step = _moved(chosen, availability, bends)
        if step is None:
            return SessionTime(chosen, tuple(dict.fromkeys(moved)))
        chosen, why = step
        moved.append(why)
    raise NoSlot(
        "Your quiet hours, the night and the hour after waking leave no time of day for a session; make the quiet "
        "hours shorter."
    )


def _moved(chosen: time, availability: Availability, bends: bool) -> tuple[time, str] | None:
    """Return the next allowed time and why, None where a time may stay."""
    if availability.quiet is not None and _within(availability.quiet, chosen):
        until = availability.quiet[1].replace(second=0, microsecond=0)
        return until, f"It is at {until:%H:%M}, when your quiet hours end."
    if NIGHT_START <= chosen <= NIGHT_END:
        return AFTER_NIGHT, (
            f"It is at {AFTER_NIGHT:%H:%M}, because the hours when clocks change, 01:00 to 03:30, have no sessions."
        )
    if bends and _minutes_after(availability.wake, chosen) < AFTER_WAKING_MIN:
        later = _add_minutes(availability.wake, AFTER_WAKING_MIN)
        return later, (
            f"It is at {later:%H:%M}, an hour after you usually wake, because it bends your trunk forward, and in a "
            "trial people who bent less after rising had less back pain."
        )
    return None


def _within(hours: tuple[time, time], moment: time) -> bool:
    """Tell whether a time of day is in hours that may go over midnight; the end is outside, equal ends are none."""
    start, end = hours
    return start <= moment < end if start <= end else moment >= start or moment < end


def local_moment(day: date, local_time: time, zone: tzinfo) -> datetime | None:
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
    wanted: Mapping[date, datetime] = MappingProxyType({}),
    not_before: date | None = None,
    taken_at: Mapping[date, datetime] = MappingProxyType({}),
) -> tuple[PlannedSession, ...]:
    """Return the sessions of a program that are still to be planned, in order of time.

    start: first local day of the program; its weeks count from it. now: aware; nothing is placed at or before it.
    taken_slots: local dates (ISO) that have a session; each counts as one of its week, so that placing again with
    what was placed before returns the rest, and nothing when all is there. wanted: days that had a session before a
    change, and when; they are used again where the rules allow it, above all where the session then stays as it is.
    not_before: first day that may have one, such as the day from which a pitcher may throw again. taken_at: when the
    sessions of taken days are; by default when they would be now.
    Every session is at the local time of its weekday (`session_time`), on a journey in the zone of that day; a day on
    which the clock skips that time is not used, a time that comes twice means the first. Up to 3 sessions a week have a
    day between them (48 h for the same muscles, 47 h across the spring change). More are done in halves that share no
    muscle group, at most 3 days in a row, 48 h between the same half; a program of one group has a day between. A week
    takes the weekdays of the week before, the first one spreads them. Every fourth week has lighter doses. What finds
    no day in its week moves to no other week. A prescription of rest only has no sessions.
    Raises NoSlot when the availability or the clock leave no day at all, ProgramError for a naive `now`, an unknown
    time zone, weekday, slot or number of sessions.
    Source: ACSM 2011 (Garber et al., MSSE 43:1334) for 48 h, Andersen 2017 (SJWEH 43:68) for days in a row, own
    heuristics for the rest, see docs/decisions/0003-programs.md.
    """
    _check(prescription, availability, now)
    if not prescription.exercises:
        return ()
    if not availability.weekdays:
        raise NoSlot("No day of the week is free for sessions; choose at least one day.")
    clocks = {weekday: session_time(prescription, availability, weekday) for weekday in range(DAYS_IN_WEEK)}
    taken = {_day(slot) for slot in taken_slots}
    usual = _moments(clocks, lambda _: UTC, {})
    rule = spacing_for(prescription.sessions_per_week, prescription.exercises, usual)
    no_room = _no_room(rule, availability)
    rule = replace(rule, moment_of=_moments(clocks, lambda day: ZoneInfo(zone_on(availability, day)), taken_at))
    busy, skipped = set(taken), set[time]()
    sessions: list[PlannedSession] = []
    pattern: frozenset[int] = frozenset()
    for week in range(1, prescription.weeks + 1):
        days = _week(start, week)
        due = _due([day for day in days if not_before is None or day >= not_before], clocks, availability)
        skipped |= {clocks[day.weekday()].local_time for day, moment in due.items() if moment is None}
        free = {day: moment for day, moment in due.items() if moment and moment > now and day not in busy}
        there = [day for day in days if day in taken]
        stays = {day for day, moment in free.items() if wanted.get(day) == moment}
        chosen = rule.choose(list(free), there, busy, pattern, wanted, stays)
        pattern = frozenset(day.weekday() for day in (*there, *chosen)) or pattern
        busy.update(chosen)
        for day in chosen:
            share, clock = _share(prescription, rule, day), clocks[day.weekday()]
            sessions.append(_session(share, week, clock, (day, free[day]), no_room, availability))
    if not sessions and not taken:
        _say_no_room(availability, skipped, not_before, start + timedelta(weeks=prescription.weeks))
    return tuple(sessions)


def _due(
    days: Sequence[date], clocks: Mapping[int, SessionTime], availability: Availability
) -> dict[date, datetime | None]:
    """Return when a session on each free day would be; None where the clock skips its time."""
    return {
        day: local_moment(day, clocks[day.weekday()].local_time, ZoneInfo(zone_on(availability, day)))
        for day in days
        if day.weekday() in availability.weekdays
    }


def _moments(
    clocks: Mapping[int, SessionTime], zone_of: Callable[[date], tzinfo], taken_at: Mapping[date, datetime]
) -> Callable[[date], datetime]:
    """Return how to tell when the session of a day is."""

    def moment_of(day: date) -> datetime:
        # Of a time that the clock skips, the hour beside it: enough to tell how far apart sessions are.
        usual = datetime.combine(day, clocks[day.weekday()].local_time, tzinfo=zone_of(day)).astimezone(UTC)
        return taken_at.get(day, usual)

    return moment_of


def _say_no_room(availability: Availability, skipped: Collection[time], not_before: date | None, end: date) -> None:
    if not_before is not None and not_before >= end:
        raise NoSlot(
            f"No day is left: the rest lasts until {not_before}, and the program ends before; plan it anew after."
        )
    if skipped:
        raise NoSlot(
            f"The clock in {availability.time_zone} skips {min(skipped):%H:%M} on every day that is free; "
            "choose another time of day or another day."
        )


def _share(prescription: Prescription, rule: Spacing, day: date) -> Prescription:
    """Return what a day has of the program: all of it, or its half."""
    parts = halves(prescription.exercises) if rule.in_halves else None
    if parts is None:
        return prescription
    because = f"{prescription.because} Half of the exercises each time, so that the same muscles have 48 hours."
    return replace(prescription, exercises=parts[half_of(day)], because=because.strip())


def zone_on(availability: Availability, day: date) -> str:
    """Return the time zone of a local day: that of the journey it is on, the last one named first, else home's."""
    stays = (stay for stay in reversed(availability.travel) if stay.first <= day <= stay.last)
    return next((stay.time_zone for stay in stays), availability.time_zone)


def _week(start: date, week: int) -> list[date]:
    return [start + timedelta(days=DAYS_IN_WEEK * (week - 1) + offset) for offset in range(DAYS_IN_WEEK)]


def _session(
    prescription: Prescription,
    week: int,
    clock: SessionTime,
    when: tuple[date, datetime],
    no_room: Sequence[str],
    availability: Availability,
) -> PlannedSession:
    day, due_at = when
    exercises, sentences = prescription.exercises, [prescription.because, *clock.moved, *no_room]
    if is_deload_week(week):
        exercises = tuple(replace(item, dose=lighter(item.dose)) for item in exercises)
        sentences.append(f"Week {week} is a lighter week: about half of the repetitions.")
    return PlannedSession(
        slot=day.isoformat(),
        local_date=day,
        local_time=clock.local_time,
        due_at=due_at,
        duration_min=session_duration_min(item.dose for item in exercises),
        exercises=exercises,
        because=" ".join(sentence for sentence in sentences if sentence),
        time_zone=zone_on(availability, day),
    )


def _no_room(rule: Spacing, availability: Availability) -> list[str]:
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
    # Of what has left the library since nobody knows any more: it keeps away from the first hour, too.
    found = [known(item) for item in items]
    return any(one is None or one.flexion_loaded or one.bends_forward for one in found)


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


def _check(prescription: Prescription, availability: Availability, now: datetime) -> None:
    if now.utcoffset() is None:
        raise ProgramError("Placing sessions needs the moment with its time zone; pass an aware datetime in UTC.")
    if not 1 <= prescription.sessions_per_week <= DAYS_IN_WEEK:
        raise ProgramError(f"{prescription.sessions_per_week} sessions a week cannot be placed; choose 1 to 7.")
    for weekday in (*availability.weekdays, *(weekday for weekday, _ in availability.times)):
        if not 0 <= weekday < DAYS_IN_WEEK:
            raise ProgramError(f"Weekday {weekday} does not exist; weekdays go from 0 (Monday) to 6 (Sunday).")
    for time_zone in (availability.time_zone, *(stay.time_zone for stay in availability.travel)):
        try:
            ZoneInfo(time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ProgramError(
                f"The time zone '{time_zone}' is not known; choose an IANA name such as Europe/Berlin."
            ) from None
