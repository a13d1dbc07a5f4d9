"""A zone of the calendar feed, as the clock changes within it.

The library's own gives a row of dates for each kind of time (RDATE) and says the onset of summer time an hour late;
readers that know no such rows (vobject for one) then show every summer event an hour off. Here each change within the
feed is a component with its one onset, which all of them read.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from icalendar import Timezone, TimezoneDaylight, TimezoneStandard

_DAY, _MINUTE = timedelta(days=1), timedelta(minutes=1)


def vtimezone(time_zone: str, first: date, last: date) -> Timezone:
    """Return the zone, right from the day before `first` to the day after `last`.

    Source: RFC 5545, 3.6.5: an onset is given in the time that was valid before it.
    """
    zone = ZoneInfo(time_zone)
    begin, end = (datetime.combine(day, time(), UTC) for day in (first - 2 * _DAY, last + 3 * _DAY))
    found = Timezone()
    found.add("tzid", time_zone)
    found.add_component(_observance(begin, begin, zone))
    for onset in _changes(zone, begin, end):
        found.add_component(_observance(onset - _MINUTE, onset, zone))
    return found


def _changes(zone: ZoneInfo, begin: datetime, end: datetime) -> Iterator[datetime]:
    """Yield the moments from which another time is valid; zones change on whole minutes, never twice a day."""
    day = begin
    while day < end:
        low, high = day, day + _DAY
        if _kind(low, zone) != _kind(high, zone):
            while high - low > _MINUTE:
                middle = low + (high - low) // (2 * _MINUTE) * _MINUTE
                low, high = (middle, high) if _kind(middle, zone) == _kind(low, zone) else (low, middle)
            yield high
        day += _DAY


def _kind(moment: datetime, zone: ZoneInfo) -> tuple[timedelta | None, str | None]:
    local = moment.astimezone(zone)
    return local.utcoffset(), local.tzname()


def _observance(before: datetime, onset: datetime, zone: ZoneInfo) -> TimezoneStandard | TimezoneDaylight:
    local = onset.astimezone(zone)
    offset_from = before.astimezone(zone).utcoffset() or timedelta(0)
    found = TimezoneDaylight() if local.dst() else TimezoneStandard()
    found.add("dtstart", onset.replace(tzinfo=None) + offset_from)
    found.add("tzoffsetfrom", offset_from)
    found.add("tzoffsetto", local.utcoffset())
    found.add("tzname", local.tzname())
    return found
