"""A small club behind real services: two coaches, two athletes who must not see each other, one found pattern."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient

from coach.analysis.detectors.types import Answer as Told
from coach.config import Config
from coach.live import LiveFeed
from coach.service import Services, build_services
from coach.service.types import Identity, Role
from coach.store.engine import migrate
from coach.web import create_app
from devices.types import Chunk
from programs.types import Answer
from tests.coach.every_answer import store_every_answer
from tests.coach.web.told import store_of, stream_of
from tests.databases import copy_database, open_store

# A Tuesday, three in the afternoon in Berlin.
START = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
ADDRESS = "C0:FF:EE:00:00:01"
RATE_HZ = 25.0
MINUTES = 12.0
BENDS_PER_MIN = 6.0


@dataclass
class StandingClock:
    """A clock that stands still until it is moved."""

    now: datetime = START

    def utc_s(self) -> float:
        return self.now.timestamp()

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass(frozen=True)
class Person:
    identity: Identity
    athlete_id: str  # whom they are, or whom they coach


@dataclass
class World:
    """Ada is Kim's, Bo is Lou's. finding_id and plan_id are Ada's."""

    services: Services
    clock: StandingClock
    feed: LiveFeed
    app: Flask
    kim: Person
    ada: Person
    lou: Person
    bo: Person
    wearable_id: str
    finding_id: str
    plan_id: str
    clients: dict[str, FlaskClient] = field(default_factory=dict)

    def client(self, person: Person | None = None) -> FlaskClient:
        """Return a browser, signed in by a one-time link where a person is named."""
        client = self.app.test_client()
        if person is not None:
            token = self.services.accounts.issue_sign_in_link(person.identity.user_id)
            assert client.get(f"/enter/{token}").status_code == 303
        return client

    def restarted(self, config: Config, feed: LiveFeed | None = None) -> Flask:
        """Return another app over the same services."""
        return create_app(self.services, feed or self.feed, config, "k" * 32, clock=self.clock)


def standing_then_bending() -> list[Chunk]:
    """A trunk that stands for 10 s, then bends 50 degrees forward and back; sensor x points up, the bend is about y."""
    n = round(MINUTES * 60 * RATE_HZ)
    t_s = np.arange(n) / RATE_HZ
    phase = np.where(t_s < 10.0, 0.0, 2 * np.pi * (t_s - 10.0) * BENDS_PER_MIN / 60.0)
    angle = np.radians(25.0) * (1 - np.cos(phase))
    acc = 9.81 * np.column_stack([np.cos(angle), np.zeros(n), np.sin(angle)])
    gyr = np.column_stack([np.zeros(n), np.gradient(angle, t_s), np.zeros(n)])
    start_utc_s = START.timestamp() - MINUTES * 60
    per = round(5 * RATE_HZ)
    return [
        Chunk(ADDRESS, "rec", seq, start_utc_s + at / RATE_HZ, at, RATE_HZ, acc[at : at + per], gyr[at : at + per])
        for seq, at in enumerate(range(0, n, per))
    ]


def _pair(services: Services, coach_name: str, athlete_name: str) -> tuple[Person, Person]:
    coach_id = services.accounts.create_user(coach_name, Role.COACH)
    athlete_id = services.athletes.create(athlete_name, "Europe/Berlin", coach_id, sport="lifting")
    user_id = services.accounts.create_user(athlete_name, Role.ATHLETE, athlete_id=athlete_id)
    found = [services.accounts.identity(each) for each in (coach_id, user_id)]
    assert found[0] is not None
    assert found[1] is not None
    return Person(found[0], athlete_id), Person(found[1], athlete_id)


def analyse_all(services: Services) -> None:
    while streams := services.motion.pending_streams():
        for stream in streams:
            services.motion.handle_pending(stream)
    services.days.judge_due()


@pytest.fixture(scope="session")
def club_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of the club, made once; every test works on a copy."""
    path = tmp_path_factory.mktemp("club") / "backstop.db"
    with open_store(path) as store:
        migrate(store)
        services = build_services(store, Config(), StandingClock())
        _, ada = _pair(services, "Kim", "Ada")
        _pair(services, "Lou", "Bo")
        services.wearables.add(ada.identity, ada.athlete_id, ADDRESS, "movella-dot", "Chest strap", "chest")
        keys = services.log.append(standing_then_bending())
        assert len(keys) == MINUTES * 12
        analyse_all(services)
        services.plans.replan(ada.athlete_id)
    return path


@pytest.fixture
def world(club_file: Path, tmp_path: Path) -> Iterator[World]:
    copy_database(club_file, tmp_path / club_file.name)
    with open_store(tmp_path / club_file.name) as store:
        # The key that signs pushes lies in the storage folder.
        clock, feed, config = StandingClock(), LiveFeed(3), Config(storage={"directory": tmp_path})
        services = build_services(store, config, clock)
        people = {}
        for user in services.accounts.users():
            athlete_id = user.athlete_id or services.athletes.roster(user)[0].athlete.athlete_id
            people[user.name] = Person(user, athlete_id)
        ada = people["Ada"]
        proposal = services.plans.proposal(ada.athlete_id)
        assert proposal is not None
        yield World(
            services=services,
            clock=clock,
            feed=feed,
            app=create_app(services, feed, config, "k" * 32, clock=clock),
            kim=people["Kim"],
            ada=ada,
            lou=people["Lou"],
            bo=people["Bo"],
            wearable_id=services.wearables.for_athlete(ada.athlete_id)[0].wearable_id,
            finding_id=services.findings.for_athlete(ada.athlete_id)[0].finding_id,
            plan_id=proposal.plan_id,
        )
        feed.close()


@pytest.fixture
def owner(world: World) -> FlaskClient:
    """The owner of the machine, signed in."""
    owner_id = world.services.accounts.create_user("Olga", Role.OWNER)
    client = world.app.test_client()
    assert client.get(f"/enter/{world.services.accounts.issue_sign_in_link(owner_id)}").status_code == 303
    return client


@pytest.fixture
def csrf_of() -> Callable[[FlaskClient], str]:
    """The token that a page carries for its forms and for htmx."""

    def token(client: FlaskClient) -> str:
        page = client.get("/account").text
        found = re.search(r'"X-CSRFToken": "([^"]+)"', page)
        assert found, page[:500]
        return found[1]

    return token


@pytest.fixture
def nothing_to_tell(world: World) -> World:
    """Ada has answered the safety questions with no throughout."""
    answers = {question.id: Answer.NO for question in world.services.triage.questions()}
    world.services.triage.answer(world.ada.identity, world.ada.athlete_id, answers, 30)
    return world


@pytest.fixture
def accepted(nothing_to_tell: World) -> World:
    """Ada's program is accepted."""
    nothing_to_tell.services.plans.accept(nothing_to_tell.plan_id, nothing_to_tell.kim.identity)
    return nothing_to_tell


@pytest.fixture
def told(world: World) -> list[Told]:
    """Every answer of every kind, of Ada in summer; she has had her findings of today before."""
    return store_every_answer(store_of(world), Config(), world.ada.athlete_id, stream_of(world), world.clock.now)
