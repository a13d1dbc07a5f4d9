"""Somebody who lives with Backstop for months, and a ledger of what was told and done, against which all is held.

The days go through the pages; the clock's ticks are those of `coach/clock.py`. Whatever a test says was due, earned or
asked for is counted here, from what was told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from flask import Flask
from flask.testing import FlaskClient

from coach import clock as clockwork
from coach.live import LiveFeed
from coach.service.may_test import QUESTIONS as BEFORE_TESTS
from coach.service.reminder_choices import Choices
from coach.service.types import Identity, SessionView
from coach.store import plans, program_changes, sessions
from coach.store.engine import migrate, open_store
from coach.web import create_app
from coach.worker import Worker
from devices.types import Chunk
from programs.triage import QUESTIONS
from tests.coach.club import ADDRESS, RATE_HZ, Club, FakeClock, found_club
from tests.coach.notify.receivers import MailServer, mail_server
from tests.coach.service.reminded import config_of

BERLIN = ZoneInfo("Europe/Berlin")
# A Monday; the clocks change on the 25th of October.
BEGIN = date(2026, 8, 31)
MORNING, NOON = time(7, 30), time(12, 0)
BEND_S = 4.0
TICKS = (
    clockwork.plan_ahead,
    clockwork.look_at_programs,
    clockwork.close_stale,
    clockwork.judge_days,
    clockwork.settle_trials,
    clockwork.send_due,
)
Asked = dict[str, tuple[int, float]]


@dataclass(frozen=True)
class Done:
    """A session that was done. usual: the median of the last seven at rest before it."""

    on: date
    pains: tuple[int, int]
    usual: float
    whole: bool


@dataclass
class Ledger:
    """What was told and done. rest, worst: pain of each day. changed: the last session that a change of program knew.

    asked: what the program asks of each exercise, level and seconds. paused: nothing may be released.
    """

    rest: dict[date, int] = field(default_factory=dict)
    worst: dict[date, int] = field(default_factory=dict)
    done: list[Done] = field(default_factory=list)
    skipped: list[date] = field(default_factory=list)
    released: list[SessionView] = field(default_factory=list)
    asked: Asked = field(default_factory=dict)
    paused: bool = False
    fallback: bool = False
    yes: list[str] = field(default_factory=list)
    since: int = 0  # sessions done before the last change of the program

    def usual(self) -> float:
        told = list(self.rest.values())
        return float(median(told[-7:])) if len(told) >= 3 else float(told[0])

    def green(self, one: Done) -> bool:
        morning = self.rest.get(one.on + timedelta(days=1))
        return one.whole and max(one.pains) <= 2 and morning is not None and morning <= one.usual

    def earned(self) -> bool:
        """Tell whether the last two sessions since the program last changed were green."""
        since = self.done[self.since :]
        return len(since) >= 2 and all(map(self.green, since[-2:]))


@dataclass
class Life:
    """One athlete, one coach, two browsers. ledger: the truth."""

    club: Club
    feed: LiveFeed
    mails: MailServer
    mine: FlaskClient
    coachs: FlaskClient
    ledger: Ledger = field(default_factory=Ledger)
    keys: int = 0
    signed_in: dict[bool, datetime] = field(default_factory=dict)

    @property
    def whom(self) -> str:
        return self.club.athlete_id

    @property
    def today(self) -> date:
        return self.club.clock.now.astimezone(BERLIN).date()

    def key(self) -> str:
        self.keys += 1
        return f"form-{self.keys}"

    # The clock

    def at(self, moment: time | datetime) -> None:
        """Go to a local time of today, or a moment, and let the clock tick."""
        clock = self.club.clock
        target = moment if isinstance(moment, datetime) else datetime.combine(self.today, moment, BERLIN)
        assert target >= clock.now, "a story does not go back"
        clock.now = target.astimezone(UTC)
        self.tick()

    def tick(self) -> None:
        """Tick once; what is released is held to what this story knows of locks."""
        now = self.club.clock.now
        for session in self.club.services.plans.release_due(now):
            assert not self.ledger.paused, f"{session.local_date}: released while all is locked"
            assert session.fallback is self.ledger.fallback
            self.ledger.released.append(session)
        for work in TICKS:
            work(self.club.services, self.feed, now)
        self.hold_load()

    def next_day(self) -> None:
        """Sleep. The clock ticks with what comes next: an entry or a session."""
        morning = datetime.combine(self.today + timedelta(days=1), MORNING, BERLIN)
        self.club.clock.now = morning.astimezone(UTC)

    # Pages

    def browser(self, coach: bool) -> FlaskClient:
        """Return somebody's browser, signed in anew each ten days: a sign-in ends by itself after two idle weeks."""
        client, now = self.coachs if coach else self.mine, self.club.clock.now
        since = self.signed_in.get(coach)
        if since is None or now - since > timedelta(days=10):
            _sign_in(client, self.club, self.club.coach if coach else self.club.athlete)
            self.signed_in[coach] = now
        return client

    def get(self, path: str, coach: bool = False) -> str:
        answer = self.browser(coach).get(path)
        assert answer.status_code == 200, f"{path}: {answer.status_code}"
        return answer.text

    def post(self, path: str, coach: bool = False, status: int = 303, **form: Any) -> str:
        answer = self.browser(coach).post(path, data=form)
        assert answer.status_code == status, f"{path}: {answer.status_code} {answer.text[-3000:]}"
        return answer.headers.get("Location", "") if status == 303 else answer.text

    def answer_safety(self, **other: str) -> None:
        """Answer the safety questions: no, but for what is named."""
        answers = {question.id: "no" for question in QUESTIONS} | other
        self.post("/safety", age_years="34", **answers)

    def check_in(self, at_rest: int, in_motion: int, **more: Any) -> None:
        """Tell in two taps how the back is."""
        self.tick()
        place = self.post("/diary/checkins", key=self.key(), pain_at_rest=at_rest)
        self.post(place, pain_in_motion=in_motion, sites="lower_back", **more)
        told = self.ledger
        told.rest[self.today] = at_rest
        told.worst[self.today] = max(at_rest, in_motion, told.worst.get(self.today, 0))
        if max(at_rest, in_motion) >= 6:
            told.paused = True
        self.hold_load()

    def train(self, during: int, after: int, effort: int = 4) -> None:
        """Wait for today's session and do it."""
        session = self.todays()
        self.at(session.due_at)
        assert self.ledger.released[-1].session_id == session.session_id
        page = self.get(f"/sessions/{session.session_id}")
        assert f"/sessions/{session.session_id}/outcome" in page
        usual = self.ledger.usual()
        self.club.clock.forward(minutes=session.duration_min)
        form = {"outcome": "done", "effort": effort, "pain_during": during, "pain_after": after}
        self.post(f"/sessions/{session.session_id}/outcome", **form)
        self.ledger.done.append(Done(self.today, (during, after), usual, not self.ledger.fallback))
        if max(during, after) >= 6:
            self.ledger.paused = True
        self.hold_load()

    def skip(self, reason: str | None) -> None:
        """Skip today's session, with a reason; or say nothing at all."""
        session = self.todays()
        self.at(session.due_at)
        if reason is not None:
            self.post(f"/sessions/{session.session_id}/outcome", outcome="skipped", reason=reason)
        self.ledger.skipped.append(self.today)

    def todays(self) -> SessionView:
        (session,) = self.planned_today()
        return session

    def planned_today(self) -> list[SessionView]:
        week = self.club.services.plans.week(self.whom, self.today)
        return [each for each in week if each.local_date == self.today and each.state == "planned"]

    def yes(self, kind: str) -> None:
        """Let the coach say yes on the desk to a program (plans) or a step (steps)."""
        desk = self.get(f"/athletes/{self.whom}", coach=True)
        (act,) = set(re.findall(rf'action="(/{kind}/[0-9a-f]+/accept)"', desk))
        assert self.mine.post(act).status_code == 403  # the athlete has a coach
        self.hold_load()
        self.ledger.asked = {}  # what may rise now is what was said yes to
        self.ledger.yes.append(kind)
        self.post(act, coach=True)
        self.ledger.since = len(self.ledger.done)
        self.hold_load()

    def work(self, minutes: float, bends_every_s: float) -> None:
        """Wear the sensor at work from nine on, bending; have it stored and analysed."""
        self.at(datetime.combine(self.today, time(9), BERLIN) + timedelta(minutes=minutes))
        chunks = bent(self.today, minutes, bends_every_s)
        keys = self.club.services.log.append(chunks)
        assert len(keys) == len(chunks)
        Worker(self.club.services, self.feed).drain()

    def battery(self, seconds: dict[str, float]) -> str:
        """Do the battery of tests by the page's stopwatch; return the page of results."""
        asked = {question.id: "no" for question in BEFORE_TESTS}
        where = self.post("/tests/start/trunk_endurance", key=self.key(), pain_now=1, wearable_id="", **asked)
        for number in range(4):
            if number:
                self.club.clock.forward(seconds=301)
            page = self.get(where)
            test = _found(r'name="test" value="([a-z_]+)"', page)
            begun = self.post(f"{where}/begin", status=200, test=test, key=f"try-{number}")
            self.club.clock.forward(seconds=seconds[test])
            self.post(f"/tests/trials/{_found(r'/tests/trials/([0-9a-f]{32})/stop', begun)}/stop", status=200)
        return self.post(f"{where}/finish")

    # What must never be

    def hold_load(self) -> None:
        """Hold the program and the planned sessions to what they may ask for: no more than what was said yes to."""
        with self.club.store.read() as tx:
            plan = plans.in_state(tx, self.whom, "accepted")
            ahead = [row["exercises"] for row in sessions.planned(tx, self.whom)]
            waiting = program_changes.proposed(tx, self.whom)
            made = program_changes.of_plan(tx, plan["id"]) if plan is not None else []
        if plan is None:
            assert ahead == []
            return
        asked = asked_of(plan["prescription"]["exercises"])
        if self.ledger.asked and asked != self.ledger.asked:
            # It changed without a yes: then only to less, and the count of green sessions begins anew.
            hold_less(self.ledger.asked, asked)
            self.ledger.since = len(self.ledger.done)
        self.ledger.asked = asked
        for each in ahead:
            for name, (level, seconds) in asked_of(each).items():
                assert level <= asked[name][0]
                assert seconds <= asked[name][1]
        if waiting is not None and waiting["kind"] == "step":
            assert self.ledger.earned(), f"{self.today}: a step was offered that two green sessions had not earned"
        yes = sum(row["kind"] in ("step", "resume") and row["state"] == "made" for row in made)
        assert yes <= self.ledger.yes.count("steps")


def bent(day: date, minutes: float, every_s: float) -> list[Chunk]:
    """Return a chest that stands from nine on and bends 50 degrees for 4 s every so often, first after `every_s`.

    Sensor x points up; the bend turns about y.
    """
    n, per = round(minutes * 60 * RATE_HZ), round(30 * RATE_HZ)
    t_s = np.arange(n) / RATE_HZ
    within_s = np.where(t_s < every_s, BEND_S, t_s % every_s)
    angle = np.radians(25.0) * (1 - np.cos(2 * np.pi * np.minimum(within_s / BEND_S, 1.0)))
    acc = 9.81 * np.column_stack([np.cos(angle), np.zeros(n), np.sin(angle)])
    gyr = np.column_stack([np.zeros(n), np.gradient(angle, t_s), np.zeros(n)])
    start_s = datetime.combine(day, time(9), BERLIN).timestamp()
    return [
        Chunk(ADDRESS, f"work-{day}", seq, start_s + at / RATE_HZ, at, RATE_HZ, acc[at : at + per], gyr[at : at + per])
        for seq, at in enumerate(range(0, n, per))
    ]


def hold_less(before: Asked, after: Asked) -> None:
    """Nothing is asked for more or harder; what is new stands in for something, and all of it is no more."""
    for name, (level, seconds) in after.items():
        if name in before:
            assert level <= before[name][0]
            assert seconds <= before[name][1]
    assert total_s(after) <= total_s(before)
    assert len(after) <= len(before)


def total_s(asked: Asked) -> float:
    return sum(seconds for _, seconds in asked.values())


def asked_of(exercises: list[dict[str, Any]], level: str = "level") -> Asked:
    """Return level and seconds under load of exercises; a repetition without a hold counts as three seconds.

    level: what the level's number is called, in a row or a view.
    """
    found = {}
    for each in exercises:
        dose = each["dose"]
        sides = 2 if dose["per_side"] else 1
        found[each["exercise_id"]] = (each[level], sum(dose["repetitions"]) * (dose["hold_s"] or 3.0) * sides)
    return found


def _found(pattern: str, page: str) -> str:
    found = re.search(pattern, page)
    assert found, f"{pattern} is not on the page: {page[-2000:]}"
    return found[1]


def _browser(app: Flask, club: Club, who: Identity) -> FlaskClient:
    client = app.test_client()
    _sign_in(client, club, who)
    return client


def _sign_in(client: FlaskClient, club: Club, who: Identity) -> None:
    link = club.services.accounts.issue_sign_in_link(who.user_id)
    assert client.get(f"/enter/{link}").status_code == 303
    client.environ_base["HTTP_X_CSRFTOKEN"] = _found(r'"X-CSRFToken": "([^"]+)"', client.get("/account").text)


@contextmanager
def a_life(folder: Path) -> Iterator[Life]:
    """Begin on a Monday morning: an athlete with a coach and a chest wearable, who has not been asked anything yet."""
    clock = FakeClock(datetime.combine(BEGIN, MORNING, BERLIN).astimezone(UTC))
    with mail_server() as mails, open_store(folder / "backstop.db") as store:
        migrate(store)
        config = config_of(folder, mails.port)
        club = found_club(store, clock, config=config)
        choices = Choices(True, True, False, False, "ada@example.org", (30,), time(22, 0), time(7, 0), 30)
        club.services.reminder_settings.choose(club.athlete, club.athlete_id, choices)
        feed = LiveFeed()
        app = create_app(club.services, feed, config, "k" * 64, clock=clock)
        yield Life(club, feed, mails, _browser(app, club, club.athlete), _browser(app, club, club.coach))
        feed.close()
