"""Where in its week a planned session may go: the same rest between sessions that placing keeps."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from programs.errors import NoSlot
from programs.place import local_moment, session_time, zone_on
from programs.spacing import DAYS_IN_WEEK, half_of, spacing_for
from programs.types import Availability, Prescription


class Against(StrEnum):
    """What stands against a day."""

    PAST = "past"
    HELD = "held"  # a session lies there already
    CLOSE = "close"  # too near to another session
    HALF = "half"  # the other half of the program belongs there
    RESTING = "resting"  # days of rest last until then
    LIGHTER = "lighter"  # days that a change made lighter
    CLOCK = "clock"  # no time of that day is left, or its clock skips it


@dataclass(frozen=True, slots=True)
class DayChoice:
    """A day of the session's week. due_at: when the session would be; None where something is against it.

    along: later sessions of the week that make room, (from, to, when) each.
    """

    day: date
    due_at: datetime | None
    against: Against | None = None
    along: tuple[tuple[date, date, datetime], ...] = ()


@dataclass(frozen=True, slots=True)
class Week:
    """What moving must know. starts_on: first day of the program, from which its weeks count.

    held: the days that have a session beside the one that is moved, and when, in UTC. movable: those of them that may
    make room. not_before: first day that may have one. lighter: (first, last) of days that were made lighter.
    """

    prescription: Prescription
    availability: Availability
    starts_on: date
    held: Mapping[date, datetime]
    movable: Collection[date] = ()
    not_before: date | None = None
    lighter: Collection[tuple[date, date]] = ()

    def days(self, day: date) -> list[date]:
        """Return the days of the program's week that a day is in."""
        first = self.starts_on + timedelta(days=(day - self.starts_on).days // DAYS_IN_WEEK * DAYS_IN_WEEK)
        return [first + timedelta(days=offset) for offset in range(DAYS_IN_WEEK)]


def days_for(from_day: date, week: Week, now: datetime) -> tuple[DayChoice, ...]:
    """Return the other days of a session's program week, each with its moment or what is against it.

    A session stays in its week, so that no week gets more than was agreed to; it may go to days that are not usually
    free, for whoever moves it wants it there. Its time of day is that of the day's sessions (`session_time`). Where
    later sessions of the week are in the way, they go on to the next days that fit, in their order.
    now: aware. Source: own heuristic for the week, `programs.spacing` for the rest between sessions.
    """
    return tuple(_choice(day, from_day, week, now) for day in week.days(from_day) if day != from_day)


def _choice(day: date, from_day: date, week: Week, now: datetime) -> DayChoice:
    found = _tried(day, from_day, week.held, week, now)
    if isinstance(found, datetime):
        return DayChoice(day, found)
    if found not in {Against.HELD, Against.CLOSE}:
        return DayChoice(day, None, found)
    return _with_others(day, from_day, week, now) or DayChoice(day, None, found)


def _with_others(day: date, from_day: date, week: Week, now: datetime) -> DayChoice | None:
    """Return a day for which later sessions of the week make room; None when they cannot."""
    later = sorted(each for each in week.days(from_day) if each in week.movable and each > from_day)
    busy = {each: moment for each, moment in week.held.items() if each not in later}
    first = _tried(day, from_day, busy, week, now)
    if not isinstance(first, datetime):
        return None
    busy[day] = first
    along: list[tuple[date, date, datetime]] = []
    for other in later:
        open_days = (each for each in week.days(from_day) if each >= max(other, day))
        tried = ((each, _tried(each, other, busy, week, now)) for each in open_days)
        place = next(((each, at) for each, at in tried if isinstance(at, datetime)), None)
        if place is None:
            return None
        busy[place[0]] = place[1]
        if place[0] != other:
            along.append((other, *place))
    return DayChoice(day, first, None, tuple(along))


def _tried(day: date, from_day: date, busy: Mapping[date, datetime], week: Week, now: datetime) -> datetime | Against:
    """Return when a session that was on from_day would be on a day, or what is against it."""
    if day in busy:
        return Against.HELD
    # Where it is already, it stays at its own moment.
    due_at = week.held.get(day) or _moment(day, week)
    if due_at is None:
        return Against.CLOCK
    if due_at <= now:
        return Against.PAST
    if week.not_before is not None and day < week.not_before:
        return Against.RESTING
    if _in(week.lighter, day) and not _in(week.lighter, from_day):
        return Against.LIGHTER
    return _too_near(day, from_day, due_at, busy, week) or due_at


def _moment(day: date, week: Week) -> datetime | None:
    try:
        at = session_time(week.prescription, week.availability, day.weekday()).local_time
    except NoSlot:
        return None
    return local_moment(day, at, ZoneInfo(zone_on(week.availability, day)))


def _too_near(day: date, from_day: date, due_at: datetime, busy: Mapping[date, datetime], week: Week) -> Against | None:
    moments = {**busy, day: due_at}
    rule = spacing_for(week.prescription.sessions_per_week, week.prescription.exercises, moments.__getitem__)
    if rule.in_halves and half_of(day) != half_of(from_day):
        return Against.HALF
    return None if rule.fits(day, busy) else Against.CLOSE


def _in(ranges: Collection[tuple[date, date]], day: date) -> bool:
    return any(first <= day <= last for first, last in ranges)
