"""A year of many athletes in eight time zones, through changes of the clock, flights, restarts and kill -9: every
session is released exactly once and never from 01:00 to 03:30, every reminder comes once over each channel."""

from __future__ import annotations

import random
import resource
import time
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from tests.coach.notify.receivers import HttpReceiver, MailServer, http_receiver, mail_server
from tests.scenarios.processes import rows
from tests.scenarios.year_house import STEP_S, ClockProcess, YearHouse, a_year_house, on_a_trip, received
from tests.scenarios.year_truth import AWAY, ZONES, Occurrence, Person, is_night, occurrences, person, reminded_at

# A program's weeks, and after how many the next one takes its place.
PROGRAM_WEEKS, NEXT_AFTER_WEEKS = 12, 11
# h that the clock is away: mostly not long, sometimes for a night; never so long that a session gives way to the next.
AWAY_H = (0.0, 0.1, 1.3, 4.0, 9.0)
# Where a clock is killed: while it releases, when it has noted that a reminder goes out, when one was sent and nothing
# written of it, and by the receiver while it delivers.
KILLS = ("INSERT INTO event", "handed_at=", "INSERT INTO delivery", "receiver")
# Reminders that are sent at once, and that a clock claims at a time.
AT_ONCE, CLAIMED = 4, 20
TEN_MINUTES = timedelta(minutes=10)
WEEK = timedelta(weeks=1)
# A mail is sent so long before its session at most.
MAIL_AHEAD = timedelta(minutes=30)


@dataclass(frozen=True)
class Plan:
    """What the year brings. events: weeks after the beginning, on a Saturday, and what happens then."""

    begin: datetime
    end: datetime
    people: int
    restarts: int
    kills: int
    events: dict[int, tuple[str, ...]]


# The first week of the year; programs follow each other, journeys become known and people move home.
FULL = Plan(
    datetime(2026, 1, 3, 12, tzinfo=UTC), datetime(2027, 1, 2, 12, tzinfo=UTC), 200, 50, 20,
    {6: ("trip",), 11: ("program",), 15: ("move",), 22: ("program",), 28: ("trip",), 33: ("program",), 37: ("move",),
     40: ("trip",), 44: ("program",)},
)  # fmt: skip
# Berlin's clock goes forward on 29 March, those of Sydney, Auckland and Lord Howe go back on 5 April.
QUICK = Plan(
    datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 4, 9, 12, tzinfo=UTC), 24, 3, 4,
    {1: ("trip", "move", "program")},
)  # fmt: skip


@dataclass
class Year:
    """The way through the year. killed: times of ticks in which the clock died."""

    plan: Plan
    house: YearHouse
    clock: ClockProcess
    people: list[Person]
    chance: random.Random = field(default_factory=lambda: random.Random(2026))
    killed: list[datetime] = field(default_factory=list)
    restarts: int = 0

    def live(self) -> None:
        """Go from stop to stop; the clock is killed on some of the ways between them."""
        plan, now = self.plan, self.plan.begin
        stops = self._stops()
        kills = [0] * len(stops)
        for at in self.chance.sample(range(len(stops)), min(plan.kills, len(stops))):
            kills[at] = 1
        owed = plan.kills - sum(kills)
        for number, (stop, events) in enumerate(stops):
            owed += kills[number]
            while now < stop:
                kill = self._kill() if owed else None
                if self.clock.run(now, stop, kill):
                    owed -= 1
                    self.killed.append(self.clock.ticks[-1][0])
                    now = self.killed[-1] + self._away()
                else:
                    now = stop
            self.restarts += 1
            self.house.clock.now = now
            for event in events:
                self._happens(event, now.date())
            now += self._away()
        assert not owed, "every kill has to hit a clock"
        self.clock.run(now, plan.end)

    def _stops(self) -> list[tuple[datetime, tuple[str, ...]]]:
        plan = self.plan
        stops = {plan.begin + week * WEEK: events for week, events in plan.events.items()}
        seconds = (plan.end - plan.begin).total_seconds()
        while len(stops) < plan.restarts:
            stops.setdefault(plan.begin + timedelta(seconds=self.chance.randrange(3600, int(seconds) - 86_400)), ())
        return sorted(stops.items())

    def _kill(self) -> tuple[str, int]:
        most = 20 if self.plan.people > 100 else 4
        return KILLS[len(self.killed) % len(KILLS)], self.chance.randint(1, most)

    def _away(self) -> timedelta:
        return timedelta(hours=self.chance.choice(AWAY_H))

    def _happens(self, event: str, saturday: date) -> None:
        for who in self.people:
            if event == "program":
                self.house.start_program(who, PROGRAM_WEEKS)
            elif event == "trip" and who.number % 3:
                later = 0 if self.plan is QUICK else 7 * (1 + who.number % 3)
                away = AWAY[(who.number + len(who.trips)) % len(AWAY)]
                on_a_trip(who, saturday + timedelta(days=later), 1 + who.number % 2, away)
                self.house.set_week(who, saturday)
            elif event == "move" and who.number % 10 == 0:
                who.moves.append((saturday, ZONES[(ZONES.index(who.home_on(saturday)) + 3) % len(ZONES)]))
                self.house.set_week(who, saturday)


@pytest.mark.proof
def test_a_year_of_sessions_and_reminders_through_restarts_and_kills(
    tmp_path: Path, full_or_quick: Callable[[Plan, Plan], Plan], figure: Callable[..., None]
) -> None:
    plan, began = full_or_quick(FULL, QUICK), time.monotonic()
    with mail_server() as mails, http_receiver() as hook, a_year_house(tmp_path, mails.port, plan.begin) as house:
        people = [person(number) for number in range(plan.people)]
        for who in people:
            if who.number % 3 == 0:  # a journey that is known from the beginning
                on_a_trip(who, (plan.begin + WEEK).date(), 1 + who.number % 2, AWAY[who.number % len(AWAY)])
            house.add(who, hook)
            house.start_program(who, PROGRAM_WEEKS)
        with closing(ClockProcess(tmp_path, mails, hook)) as clock:
            year = Year(plan, house, clock, people)
            year.live()
        lived_s = time.monotonic() - began
        assert (year.restarts, len(year.killed)) == (plan.restarts, plan.kills)
        released, waited, late_s = check_sessions(year)
        sent, missed, torn = check_reminders(year, mails, hook)
    figure("athletes", plan.people)
    figure("restarts", year.restarts)
    figure("kill -9", len(year.killed))
    figure("sessions released, each once", released)
    figure("of them late, and held until a night was over", waited)
    figure("latest release while a clock ran", late_s, "s")
    figure("reminders sent, each once per channel", sent)
    figure("reminders whose time passed while no clock ran", missed)
    figure("reminders that a kill left open, not sent again", torn)
    figure("ticks", len(year.clock.ticks))
    figure("took", round(lived_s, 1), "s")
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    figure("clock processes used", round(spent.ru_utime + spent.ru_stime, 1), "s of CPU")
    figure("database", round((tmp_path / "backstop.sqlite3").stat().st_size / 1e6, 1), "MB")


def wanted(year: Year) -> dict[tuple[int, str], Occurrence]:
    """Return all that has to happen in the year but on its last day, for that a clock may have been away."""
    until = year.plan.end - timedelta(days=1)
    all_of = (each for who in year.people for each in occurrences(who, year.plan.begin, until))
    return {each.key: each for each in all_of}


def check_sessions(year: Year) -> tuple[int, int, float]:
    """Hold the table to the truth; return how many sessions were released, how many waited for the end of a night.

    Last comes how late one was released at most, in s, where neither a pause nor a night was between.
    """
    numbers = {athlete_id: number for number, athlete_id in year.house.ids.items()}
    question = """
        select s.athlete_id, s.slot, s.due_at, s.released_at, s.local_time, s.time_zone,
               (select count(*) from event e where e.subject_id = s.id and e.action = 'released')
        from planned_session s where s.state <> 'cancelled' or s.released_at is not null
    """
    last, truth, found, waited, most_s = year.plan.end - timedelta(days=1), wanted(year), {}, 0, 0.0
    for athlete_id, slot, due, at, clock, zone, times in rows(year.house.folder, question):
        due_at, key = datetime.fromisoformat(due).replace(tzinfo=UTC), (numbers[athlete_id], slot)
        if due_at >= last:
            continue
        assert key not in found, "a second session on one day"
        found[key] = due_at
        assert (due_at, clock[:5], zone) == (truth[key].due, f"{truth[key].clock:%H:%M}", truth[key].zone)
        assert times == 1, f"{key} was released {times} times"
        released_at = datetime.fromisoformat(at).replace(tzinfo=UTC)
        where = year.people[key[0]].zone_at(released_at)
        assert not is_night(released_at, where), f"{key} was released at night, {released_at} in {where}"
        waited += slept(year, due_at, released_at, year.people[key[0]])
        first = first_chance(year, due_at, year.people[key[0]])
        assert due_at <= released_at <= first, f"{key} was released at {released_at}, not by {first}"
        if (first - due_at).total_seconds() < STEP_S:  # no pause and no night between
            most_s = max(most_s, (released_at - due_at).total_seconds())
    assert found.keys() == truth.keys()
    assert most_s < STEP_S
    assert waited, "no session that was late met a night"
    return len(found), waited, most_s


def slept(year: Year, due_at: datetime, released_at: datetime, who: Person) -> bool:
    """Tell whether a clock was there before the release, and it was night."""
    ticks = year.clock.ticks
    there = ticks[bisect_left(ticks, (due_at, False)) : bisect_left(ticks, (released_at, False))]
    return any(is_night(tick, who.zone_at(tick)) for tick, _ in there)


def first_chance(year: Year, due_at: datetime, who: Person) -> datetime:
    """Return the first tick that came through and had to release what was due."""
    ticks = year.clock.ticks
    at = bisect_left(ticks, (due_at, False))
    return next(tick for tick, through in ticks[at:] if through and not is_night(tick, who.zone_at(tick)))


def check_reminders(year: Year, mails: MailServer, hook: HttpReceiver) -> tuple[int, int, int]:
    """Hold what the receivers got to the truth; return how many came, and how many did not for either reason."""
    truth = wanted(year)
    got = Counter(key for key in keys_received(year, truth, mails, hook) if key[:2] in truth)
    twice = {key: count for key, count in got.items() if count > 1}
    assert not twice, twice
    due, missed, torn = set(), 0, Counter[datetime]()
    for one in truth.values():
        who = year.people[one.number]
        at = reminded_at(who, one)
        for channel in who.channels:
            key = (*one.key, channel)
            if key in got:
                due.add(key)
            elif (killed := torn_by(year, at, one.due)) is not None:
                torn[killed] += 1
            else:
                assert not could_send(year, at, one.due, at), f"the reminder {key} of {at} never came"
                missed += 1
    assert got.keys() == due, sorted(got.keys() - due)[:5]
    # Of what a clock had in hand when it died, what it may have sent is not sent again; the rest another one takes up.
    assert all(count <= CLAIMED + AT_ONCE for count in torn.values()), torn
    return len(got), missed, torn.total()


def torn_by(year: Year, at: datetime, due_at: datetime) -> datetime | None:
    """Return the time of the kill that may have torn a reminder out of a clock's hand."""
    return next((kill for kill in year.killed if at <= kill <= latest(at, due_at)), None)


def latest(at: datetime, due_at: datetime) -> datetime:
    """Return until when a reminder is sent: its session's begin, or ten minutes late (reminders.late_min)."""
    return max(due_at, at + TEN_MINUTES)


def could_send(year: Year, at: datetime, due_at: datetime, since: datetime) -> bool:
    """Tell whether a tick came through in which a reminder had to be sent."""
    ticks = year.clock.ticks
    here = ticks[bisect_left(ticks, (since, False)) : bisect_right(ticks, (latest(at, due_at), True))]
    return any(through for _, through in here)


def keys_received(
    year: Year, truth: dict[tuple[int, str], Occurrence], mails: MailServer, hook: HttpReceiver
) -> list[tuple[int, str, str]]:
    """Return whose reminder of which day came over which channel."""
    numbers = {athlete_id: number for number, athlete_id in year.house.ids.items()}
    question = "select id, athlete_id, slot from planned_session"
    days = {each: (numbers[whose], slot) for each, whose, slot in rows(year.house.folder, question)}
    own: dict[int, list[Occurrence]] = {}
    for one in sorted(truth.values(), key=lambda each: each.due):
        own.setdefault(one.number, []).append(one)
    found = []
    for number, day, channel in received(year.house, mails, hook, days):
        if isinstance(day, datetime):  # a mail tells when it was sent: from half an hour before its session on
            sessions = own.get(number, [])
            place = bisect_left(sessions, day - TEN_MINUTES, key=lambda each: each.due)
            near = [each for each in sessions[place : place + 1] if each.due - day <= MAIL_AHEAD]
            day = near[0].key[1] if near else day.isoformat()
        found.append((number, day, channel))
    return found
