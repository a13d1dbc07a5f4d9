"""Local days through changes of an athlete's time zone: what has been lived stays as it was cut.

A day begins at midnight of the zone that it was, or is, lived in, and ends where the next one begins. So the day on
which an athlete moves is shorter or longer than others, and every moment belongs to one day.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from coach.store.rows import Row

_DAY = timedelta(days=1)


def bounds_of(athlete: Row, day: date) -> tuple[float, float]:
    """Return Unix times of a local day's begin and end."""
    return _begin(athlete, day), _begin(athlete, day + _DAY)


def day_of(athlete: Row, utc_s: float) -> date:
    """Return the local day that a Unix time belongs to."""
    day = datetime.fromtimestamp(utc_s, ZoneInfo(athlete["time_zone"])).date()
    while utc_s < _begin(athlete, day):
        day -= _DAY
    while utc_s >= _begin(athlete, day + _DAY):
        day += _DAY
    return day


def zones_until(athlete: Row, now: datetime) -> list[list[str]]:
    """Return what `past_zones` is once the athlete leaves their time zone now: today is the last day of it."""
    past: list[list[str]] = list(athlete["past_zones"])
    today = day_of(athlete, now.timestamp()).isoformat()
    # Of two moves on one day the first one counts: the day was begun in the zone before it.
    return past if past and past[-1][0] >= today else [*past, [today, athlete["time_zone"]]]


def _begin(athlete: Row, day: date) -> float:
    # Over more than a day of difference, as from Samoa to Kiribati, a day of the calendar is empty; none is negative.
    return max(_midnight(athlete, day), _midnight(athlete, day - _DAY))


def _midnight(athlete: Row, day: date) -> float:
    zone = next((zone for last, zone in athlete["past_zones"] if day.isoformat() <= last), athlete["time_zone"])
    return datetime.combine(day, time(), ZoneInfo(zone)).timestamp()
