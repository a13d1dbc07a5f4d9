"""The virtual year's Backstop: people put into it through the services, a clock run as a process, receivers outside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

from coach.instance import database_path
from coach.service import Services, build_services
from coach.service.plain import prescription_to_plain
from coach.service.reminder_choices import Choices
from coach.service.types import Identity, Role
from coach.store import plans
from coach.store.engine import Store, migrate, open_store
from programs.dose import session_duration_min
from programs.types import Answer, Availability, Dose, PrescribedExercise, Prescription, Stay
from tests.coach.notify.receivers import Browser, HttpReceiver, MailServer
from tests.scenarios.year_clock import config_of
from tests.scenarios.year_truth import Person

# s between two ticks: a reminder half an hour before has one at least.
STEP_S = 1800.0
# `curl_up` bends the trunk, `bird_dog` does not.
BENDS = PrescribedExercise("curl_up", 0, Dose((6, 4, 2), 10.0, 20.0, False), "because")
STRAIGHT = PrescribedExercise("bird_dog", 0, Dose((6, 4, 2), 10.0, 20.0, True), "because")


class MovedClock:
    """The services' clock in this process: where the year has come to."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def utc_s(self) -> float:
        return self.now.timestamp()


@dataclass
class YearHouse:
    """ids: of athletes, by number. known: who signs in for whom."""

    folder: Path
    store: Store
    services: Services
    clock: MovedClock
    coach: Identity
    browser: Browser
    ids: dict[int, str] = field(default_factory=dict)
    known: dict[int, Identity] = field(default_factory=dict)

    def add(self, who: Person, hook: HttpReceiver) -> None:
        """Have somebody join: the safety questions, when and how to be reminded, when to train."""
        services, number = self.services, who.number
        athlete_id = services.athletes.create(f"Athlete {number}", who.zone, self.coach.user_id, wake=who.wake)
        user_id = services.accounts.create_user(f"Athlete {number}", Role.ATHLETE, athlete_id=athlete_id)
        by = services.accounts.identity(user_id)
        assert by is not None
        self.ids[number], self.known[number] = athlete_id, by
        no = {question.id: Answer.NO for question in services.triage.questions()}
        services.triage.answer(by, athlete_id, no, age_years=30)
        mail = "mail" in who.channels
        chosen = Choices(True, mail, False, False, f"athlete{number}@example.org", (30,), *who.quiet, 30)
        own = services.reminder_settings
        own.choose(by, athlete_id, chosen)
        if "push" in who.channels:
            own.add_device(by, athlete_id, f"{hook.url}/push/{number}", label="Phone", **self.browser.keys())
        if "webhook" in who.channels:
            own.set_webhook(by, athlete_id, f"{hook.url}/hook/{number}")
        self.set_week(who)

    def set_week(self, who: Person, today: date = date.min) -> None:
        """Tell when somebody trains, where they live, and which journeys are known by now."""
        trips = tuple(Stay(*trip) for trip in who.trips)
        week = Availability(
            who.home_on(today), who.days, who.usual, who.wake, travel=trips, times=tuple(who.own.items())
        )
        self.services.athletes.set_availability(self.known[who.number], self.ids[who.number], week)

    def start_program(self, who: Person, weeks: int) -> None:
        """Propose a program and let the coach accept it; in place of the one that runs, if there is one."""
        items = (BENDS if who.bends else STRAIGHT,)
        minutes = session_duration_min(item.dose for item in items)
        program = Prescription("Program", items, len(who.days), weeks, minutes, (), "You bent forward much.")
        values = {
            "athlete_id": self.ids[who.number],
            "state": "proposed",
            "prescription": prescription_to_plain(program),
            "need_kinds": [],
            "finding_ids": [],
            "created_at": self.clock.now,
        }
        with self.store.begin() as tx:
            plan_id = plans.add(tx, values)
        self.services.plans.accept(plan_id, self.coach)


@contextmanager
def a_year_house(folder: Path, mail_port: int, now: datetime) -> Iterator[YearHouse]:
    clock = MovedClock(now)
    with open_store(database_path(folder)) as store:
        migrate(store)
        services = build_services(store, config_of(folder, mail_port), clock)
        coach = services.accounts.identity(services.accounts.create_user("Sam", Role.COACH))
        assert coach is not None
        yield YearHouse(folder, store, services, clock, coach, Browser())


class ClockProcess:
    """The clock as processes. ticks: its times in order, and whether each was through."""

    def __init__(self, folder: Path, mails: MailServer, hook: HttpReceiver) -> None:
        self._folder, self._mails, self._hook = folder, mails, hook
        self.ticks: list[tuple[datetime, bool]] = []
        command = [sys.executable, "-m", "tests.scenarios.year_clock", str(folder), str(mails.port), f"{STEP_S:.0f}"]
        with (folder / "clock.log").open("ab") as log:
            self._forks = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, bufsize=1
            )

    def run(self, begin: datetime, end: datetime, kill: tuple[str, int] | None = None) -> bool:
        """Run from one time to another; tell whether it was killed on the way.

        kill: a part of a statement and its number, see year_clock; or "receiver" and the number of the delivery at
        which the receiver, before it answers, kills the clock that delivers.
        """
        by_receiver = kill is not None and kill[0] == "receiver"
        order = [f"{each.timestamp():.0f}" for each in (begin, end)]
        if kill is not None and not by_receiver:
            order += [kill[0], str(kill[1])]
        left = [kill[1] if kill is not None and by_receiver else 0]
        child = [0]

        def heard() -> None:
            left[0] -= 1
            if left[0] == 0:
                os.kill(child[0], signal.SIGKILL)

        self._mails.heard = self._hook.heard = heard
        assert self._forks.stdin is not None
        assert self._forks.stdout is not None
        self._forks.stdin.write("\t".join(order) + "\n")
        child[0] = int(self._forks.stdout.readline())
        code = int(self._forks.stdout.readline())
        assert code in (0, -signal.SIGKILL), (self._folder / "clock.log").read_text(encoding="utf-8")[-3000:]
        with (self._folder / "ticks").open("r+", encoding="ascii") as file:
            lines = file.read().splitlines()
            file.truncate(0)
        told = (line.partition(" ") for line in lines)
        self.ticks += [(datetime.fromtimestamp(int(at), UTC), through == "through") for at, _, through in told]
        return code != 0

    def close(self) -> None:
        """End the processes."""
        assert self._forks.stdin is not None
        self._forks.stdin.close()
        self._forks.wait(60)
        assert self._forks.stdout is not None
        self._forks.stdout.close()


def received(house: YearHouse, mails: MailServer, hook: HttpReceiver, days: dict[str, tuple[int, str]]) -> list[tuple]:
    """Return (number, day, channel) of everything that the receivers got; of mails when they were sent for the day.

    days: by session, whose it is and its day.
    """
    found: list[tuple] = []
    for each in hook.received:
        _, kind, number = each.path.split("/")
        if kind == "hook":
            told = json.loads(each.body)
            assert (int(number), told["local_date"]) == days[told["session_id"]]
            found.append((int(number), told["local_date"], "webhook"))
        else:
            session_id = house.browser.read(each.body)["path"].rpartition("/")[2]
            assert days[session_id][0] == int(number)
            found.append((*days[session_id], "push"))
    for mail in mails.mails:
        number = int(mail["To"].partition("@")[0].removeprefix("athlete"))
        found.append((number, parsedate_to_datetime(mail["Date"]), "mail"))
    return found


def on_a_trip(who: Person, first: date, weeks: int, zone: str) -> None:
    """Add a journey from a Saturday to a Sunday."""
    assert first.weekday() == 5
    who.trips = [*who.trips, (first, first + timedelta(days=7 * weeks + 1), zone)]
