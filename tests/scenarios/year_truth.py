"""Who lives through the virtual year, and what has to happen to them: worked out here with zoneinfo alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Australia/Sydney",
    "America/Los_Angeles",
    "Australia/Lord_Howe",  # changes by half an hour
    "Asia/Kathmandu",  # never changes, a quarter of an hour beside the others
    "Pacific/Auckland",
    "Africa/Casablanca",  # changes for Ramadan
)
AWAY = ("Asia/Tokyo", "America/Sao_Paulo", "Europe/Berlin", "Pacific/Honolulu", "Europe/London", "America/New_York")
CHANNELS = (("mail",), ("push",), ("webhook",), ("mail", "push", "webhook"))
LEAD = timedelta(minutes=30)
MINUTE = timedelta(minutes=1)
# With these days and times two sessions are 47 hours apart also over the longest flight, which is on a weekend.
DAYS = ((0, 2, 4), (1, 3), (0, 3))


@dataclass
class Person:
    """quiet: equal ends are none. bends: the program bends the trunk. trips: first day, last day, zone, both ends in.

    moves: from that day on at home in that zone.
    """

    number: int
    zone: str
    days: tuple[int, ...]
    usual: time
    own: dict[int, time]
    wake: time
    bends: bool
    quiet: tuple[time, time]
    trips: list[tuple[date, date, str]] = field(default_factory=list)
    moves: list[tuple[date, str]] = field(default_factory=list)

    @property
    def channels(self) -> tuple[str, ...]:
        return CHANNELS[self.number % 4]

    def home_on(self, day: date) -> str:
        return next((zone for since, zone in reversed(self.moves) if day >= since), self.zone)

    def zone_on(self, day: date) -> str:
        there = [zone for first, last, zone in self.trips if first <= day <= last]
        return there[-1] if there else self.home_on(day)

    def zone_at(self, moment: datetime) -> str:
        return self.zone_on(moment.astimezone(ZoneInfo(self.home_on(moment.date()))).date())


@dataclass(frozen=True)
class Occurrence:
    number: int
    day: date
    clock: time
    zone: str
    due: datetime

    @property
    def key(self) -> tuple[int, str]:
        return self.number, self.day.isoformat()


def person(number: int) -> Person:
    """Return somebody with one of six ways to live; two times of day are not to be had as they are wanted."""
    evening, none = (time(22), time(7)), (time(12), time(12))
    days = DAYS[number % 3]
    ways: tuple[tuple[time, dict[int, time], time, bool, tuple[time, time]], ...] = (
        (time(18, 30), {}, time(7), False, evening),
        (time(7, 15), {}, time(6), True, evening),  # its reminder has to wait for the end of the quiet hours
        (time(2, 30), {}, time(7), False, none),  # in the hours when clocks change
        (time(12, 40), {days[0]: time(11, 30), days[1]: time(12, 10)}, time(5), True, evening),
        (time(6, 45), {}, time(6, 30), True, none),  # bends within an hour of waking
        (time(0, 20), {}, time(7), False, none),  # its reminder comes the evening before
    )
    way = ways[(5 * number + number // len(ZONES)) % len(ways)]
    return Person(number, ZONES[number % len(ZONES)], days, *way)


def clock_on(who: Person, day: date) -> time:
    """Return the local time of a session: not from 01:00 to 03:30, and bending not within 60 minutes of waking."""
    wanted = who.own.get(day.weekday(), who.usual)
    if time(1) <= wanted <= time(3, 30):
        wanted = time(4)
    woken = datetime.combine(day, who.wake)
    if who.bends and woken <= datetime.combine(day, wanted) < woken + timedelta(hours=1):
        wanted = (woken + timedelta(hours=1)).time()
    return wanted


def occurrences(who: Person, after: datetime, until: datetime) -> Iterator[Occurrence]:
    """Yield what is due in (after, until): every free day has one."""
    day = after.date() - timedelta(days=2)
    while day <= until.date() + timedelta(days=2):
        if day.weekday() in who.days:
            clock, zone = clock_on(who, day), who.zone_on(day)
            due = datetime.combine(day, clock, ZoneInfo(zone)).astimezone(UTC)
            if after < due < until:
                yield Occurrence(who.number, day, clock, zone, due)
        day += timedelta(days=1)


def is_night(moment: datetime, zone: str) -> bool:
    return time(1) <= moment.astimezone(ZoneInfo(zone)).time() < time(3, 31)


def reminded_at(who: Person, one: Occurrence) -> datetime:
    """Return the minute at which to remind: half an hour before, or at the end of quiet hours, after the night at 4."""
    start, end = who.quiet
    moment, from_night = one.due - LEAD, False
    while True:
        local = moment.astimezone(ZoneInfo(one.zone)).time()
        quiet = start <= local < end if start <= end else local >= start or local < end
        waits = from_night and local < time(4)
        from_night = from_night or is_night(moment, one.zone)
        if not quiet and not waits and not is_night(moment, one.zone):
            return moment
        moment += MINUTE
        assert moment <= one.due, "nobody here has a session in their quiet hours"
