"""Several processes' worth of Backstop over one PostgreSQL and one NATS: the deployed roles, each with its own folder.

They run in this process, so that a test can ask each; tests/scenarios/test_roles.py starts them as commands.
"""

from __future__ import annotations

import itertools
import json
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from coach import wire
from coach.commands.web_role import WebRole
from coach.config import Config
from coach.log import pack
from coach.service import Services, build_services
from coach.service.types import Identity, Role
from coach.store.engine import open_store
from coach.web.house import house_of
from devices.codec import encode_chunk
from devices.hostclock import SystemClock
from devices.types import Chunk
from programs.types import Answer
from tests.coach.club import ADDRESS
from tests.scenarios.house import wait_for
from tests.servers import Nats


class Browser:
    """One person's browser before two webs: each request goes to the other one, as a proxy would send it."""

    def __init__(self, apps: tuple[Flask, ...]) -> None:
        self.clients: tuple[FlaskClient, ...] = tuple(app.test_client() for app in apps)
        for each in self.clients[1:]:
            each._cookies = self.clients[0]._cookies
        self._turn = itertools.cycle(self.clients)

    def get(self, path: str, **more: Any) -> TestResponse:
        return next(self._turn).get(path, **more)

    def post(self, path: str, **more: Any) -> TestResponse:
        return next(self._turn).post(path, **more)


class Listener:
    """An open event stream at one web, read by a thread. told: its events so far."""

    def __init__(self, client: FlaskClient, athlete_id: str) -> None:
        self.told: list[dict[str, Any]] = []
        self._answer = client.get(f"/live/{athlete_id}", buffered=False)
        assert self._answer.status_code == 200
        self._begun: queue.Queue[None] = queue.Queue()
        self._over = False
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        self._begun.get(timeout=30)

    def _read(self) -> None:
        for part in self._answer.response:
            self._begun.put(None)
            assert isinstance(part, bytes)
            for line in part.decode().splitlines():
                if line.startswith("data: "):
                    self.told.append(json.loads(line.removeprefix("data: ")))
            if self._over:
                break
        self._answer.close()

    def angles(self) -> list[float | None]:
        """Return the points of the line so far."""
        return [deg for event in tuple(self.told) for run in event.get("signal", ()) for deg in run["deg"]]

    def changed(self, what: str) -> bool:
        return any(what in event.get("changed", ()) for event in tuple(self.told))

    def close(self) -> None:
        self._over = True
        self._thread.join(10)


@dataclass
class Town:
    nats: Nats
    config: Config
    roles: tuple[WebRole, WebRole]
    apps: tuple[Flask, Flask]
    services: Services
    coach: Identity
    athlete: Identity
    athlete_id: str
    wearable_id: str
    token: str
    token_id: str

    def at(self, web: int) -> Services:
        """Return the services of a web."""
        return house_of(self.apps[web]).services

    def signed_in(self, who: Identity) -> Browser:
        browser = Browser(self.apps)
        link = self.services.accounts.issue_sign_in_link(who.user_id)
        assert browser.get(f"/enter/{link}").status_code == 303
        return browser

    def gateway(self, web: int, path: str, body: bytes, **headers: str) -> TestResponse:
        """Post as the athlete's gateway."""
        headers["Authorization"] = f"Bearer {self.token}"
        return self.apps[web].test_client().post(f"/api/v1/{path}", data=body, headers=headers)

    def beat(self, web: int, beat: wire.Beat) -> wire.Orders:
        answer = self.gateway(web, "gateway", wire.encode(beat))
        assert answer.status_code == 200, answer.text
        return wire.decode_orders(answer.data)

    def live(self, web: int, *blocks: Chunk) -> None:
        assert self.gateway(web, "live", pack([encode_chunk(each) for each in blocks])).status_code == 204


@contextmanager
def a_town(url: str, nats: Nats, folder: Path) -> Iterator[Town]:
    """Open two webs, a coach and an athlete with a wearable and a gateway's token."""
    configs = [_config(url, nats, folder / name) for name in "ab"]
    roles = WebRole(configs[0]), WebRole(configs[1])
    store = open_store(url)
    services = build_services(store, configs[0], SystemClock())
    coach_id = services.accounts.create_user("Kim", Role.COACH)
    athlete_id = services.athletes.create("Ada", "Europe/Berlin", coach_id)
    user_id = services.accounts.create_user("Ada", Role.ATHLETE, athlete_id=athlete_id)
    coach, athlete = services.accounts.identity(coach_id), services.accounts.identity(user_id)
    assert coach is not None
    assert athlete is not None
    services.triage.answer(athlete, athlete_id, {each.id: Answer.NO for each in services.triage.questions()}, 30)
    wearable_id = services.wearables.add(athlete, athlete_id, ADDRESS, "movella-dot", "Chest strap", "chest")
    token = services.tokens.issue(athlete, athlete_id, "laptop")
    (known,) = services.tokens.of_athlete(athlete, athlete_id)
    named = coach, athlete, athlete_id, wearable_id, token, known.token_id
    try:
        for role in roles:
            role.check()
        apps = roles[0].make_app(), roles[1].make_app()
        for role in roles:
            role.start()
        wait_for(lambda: all(house_of(app).live_feed.connected for app in apps), 20, "lines to NATS")
        yield Town(nats, configs[0], roles, apps, services, *named)
    finally:
        for role in roles:
            role.close()
        store.close()


def _config(url: str, nats: Nats, folder: Path) -> Config:
    folder.mkdir()
    return Config.model_validate(
        {"storage": {"directory": folder, "database_url": url, "log_url": nats.url, "log_partitions": 4}}
    )
