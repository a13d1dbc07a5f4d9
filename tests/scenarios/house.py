"""A whole Backstop in this process, on a database of its own, for the stories told here."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from flask import Flask
from flask.testing import FlaskClient

from coach.config import Config
from coach.live import LiveFeed
from coach.service import Services, build_services
from coach.service.types import Identity, Role
from coach.store.engine import Store, migrate, open_store
from coach.web.app import create_app
from devices.hostclock import SystemClock
from programs.types import Answer


class StepClock:
    """A service clock that follows the machine's, until a story moves it on."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def utc_s(self) -> float:
        return SystemClock().utc_s() + self.ahead_s

    def move_to(self, utc_s: float) -> None:
        """Jump forward."""
        self.ahead_s += utc_s - self.utc_s()


@dataclass
class House:
    store: Store
    services: Services
    feed: LiveFeed
    clock: StepClock
    config: Config
    app: Flask
    coach: Identity
    athlete: Identity
    athlete_id: str

    def now(self) -> datetime:
        """Return the present of this story."""
        return datetime.fromtimestamp(self.clock.utc_s(), UTC)

    def today(self) -> date:
        """Return the athlete's local date."""
        zone = ZoneInfo(self.services.athletes.availability(self.athlete_id).time_zone)
        return datetime.fromtimestamp(self.clock.utc_s(), zone).date()

    def signed_in(self, identity: Identity) -> FlaskClient:
        """Return a browser's stand-in that has used a one-time link."""
        client = self.app.test_client()
        answer = client.get(f"/enter/{self.services.accounts.issue_sign_in_link(identity.user_id)}")
        assert answer.status_code == 303
        return client


def csrf_token(page: str) -> str:
    """Read the token that a form of the page carries."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found, "the page has no form with a CSRF token"
    return found.group(1)


@contextmanager
def a_house(folder: Path, time_zone: str = "Europe/Berlin") -> Iterator[House]:
    """Open a Backstop with one coach and one athlete who has answered every safety question with no."""
    store = open_store(folder / "backstop.sqlite3")
    try:
        migrate(store)
        clock, config = StepClock(), Config()
        services = build_services(store, config, clock)
        feed = LiveFeed()
        coach_id = services.accounts.create_user("Sam", Role.COACH)
        athlete_id = services.athletes.create("Mara", time_zone, coach_id, sport="golf")
        user_id = services.accounts.create_user("Mara", Role.ATHLETE, athlete_id=athlete_id)
        coach, athlete = services.accounts.identity(coach_id), services.accounts.identity(user_id)
        assert coach
        assert athlete
        services.triage.answer(
            athlete, athlete_id, {question.id: Answer.NO for question in services.triage.questions()}, age_years=30
        )
        app = create_app(services, feed, config, "k" * 64, clock=clock)
        app.testing = True
        yield House(store, services, feed, clock, config, app, coach, athlete, athlete_id)
    finally:
        store.close()


def wait_for(happened: Callable[[], object], timeout_s: float, what: str, each_s: float = 0.02) -> None:
    """Wait until something holds, asked every `each_s`; fail with what was waited for."""
    give_up_s = time.monotonic() + timeout_s
    while not happened():
        assert time.monotonic() < give_up_s, f"waited {timeout_s} s in vain for {what}"
        time.sleep(each_s)


def threads_of(names: set[str]) -> set[str]:
    """Return which of these threads are alive."""
    return {thread.name for thread in threading.enumerate() if thread.is_alive()} & names
