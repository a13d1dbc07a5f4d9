"""When an athlete can train, from what is stored: days and time, waking, journeys, and quiet hours that were chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from coach.errors import InvalidInput
from coach.store import notifications
from coach.store.engine import Tx
from coach.store.rows import Row
from programs.place import zone_on
from programs.types import Availability, Stay

EVERY_DAY = (0, 1, 2, 3, 4, 5, 6)
# Own bounds: journeys that are kept at once, and how long one may be.
_STAYS_MAX, _STAY_MAX = 20, timedelta(days=366)


def availability_of(tx: Tx, row: Row) -> Availability:
    """Return when an athlete can train. Quiet hours count once the athlete has chosen them for reminders."""
    settings = notifications.settings(tx, row["id"])
    return Availability(
        row["time_zone"],
        tuple(row["weekdays"]),
        row["preferred"],
        row["wake"],
        (settings["quiet_from"], settings["quiet_until"]) if settings is not None else None,
        _stays(row),
        tuple((int(weekday), time.fromisoformat(text)) for weekday, text in sorted(row["times"].items())),
    )


def zone_at(row: Row, now: datetime) -> str:
    """Return the time zone where an athlete is now: that of the journey they are on, else home's."""
    home = ZoneInfo(row["time_zone"])
    return zone_on(Availability(row["time_zone"], travel=_stays(row)), now.astimezone(home).date())


def _stays(row: Row) -> tuple[Stay, ...]:
    return tuple(Stay(date.fromisoformat(first), date.fromisoformat(last), zone) for first, last, zone in row["travel"])


def columns_of(availability: Availability) -> dict[str, Any]:
    """Return the columns of an athlete; quiet hours are kept with the reminders."""
    return {
        "time_zone": availability.time_zone,
        "weekdays": list(availability.weekdays),
        "preferred": availability.preferred,
        "wake": availability.wake,
        "times": {str(weekday): f"{each:%H:%M}" for weekday, each in sorted(availability.times)},
        "travel": [[stay.first.isoformat(), stay.last.isoformat(), stay.time_zone] for stay in availability.travel],
    }


def checked(availability: Availability) -> Availability:
    """Return an availability with its weekdays in order. Raises InvalidInput, a sentence that says what to give."""
    _check_zone(availability.time_zone)
    weekdays = tuple(sorted(set(availability.weekdays)))
    if not weekdays or not set(weekdays) <= set(EVERY_DAY):
        raise InvalidInput("Choose at least one weekday: 0 is Monday, 6 is Sunday.")
    _check_travel(availability.travel)
    own = dict(availability.times)
    if not set(own) <= set(weekdays):
        raise InvalidInput("A day with a time of its own must be one of the days that are free.")
    return replace(availability, weekdays=weekdays, times=tuple(sorted(own.items())))


def _check_travel(travel: Sequence[Stay]) -> None:
    if len(travel) > _STAYS_MAX:
        raise InvalidInput(f"At most {_STAYS_MAX} journeys are kept: leave out those that are over.")
    for stay in travel:
        _check_zone(stay.time_zone)
        if not timedelta(0) <= stay.last - stay.first <= _STAY_MAX:
            raise InvalidInput(f"A journey from {stay.first} to {stay.last} cannot be: give its first and last day.")


def _check_zone(time_zone: str) -> None:
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidInput(
            f"The time zone {time_zone[:40]!r} is not known: give a name such as Europe/Berlin."
        ) from None
