"""A whole story told at the lowest level of the logs: of secrets and of what people wrote, no line repeats anything."""

from __future__ import annotations

import io
import logging
import re
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from sqlalchemy import text as sql

from coach import logs
from coach.clock import send_due
from coach.config import Config, LogSection, MailSection
from coach.errors import CoachError, NotAllowed
from coach.notify.errors import NotDelivered
from coach.notify.mail import Mail
from coach.notify.types import Message, Target
from coach.service.tokens import Scope
from coach.web import access
from coach.worker import Worker
from tests.coach.web.test_access import of_ada, routes

# What nobody types by chance; shorter than a secret of ours, so that no pattern hides it by its form.
HEALTH, PASSWORD = "plantedhealthtext", "plantedpassword"
# Fields whose content is chosen from what a page offers, or read as a number or a day.
_NUMBER, _DAY, _TIME = "3", "2026-11-24", "18:30"


@dataclass
class Form:
    action: str
    fields: dict[str, str] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)


class Forms(HTMLParser):
    """The forms of a page, filled in: whatever takes words gets the planted ones."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._select: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "form" and told.get("method", "").lower() == "post":
            self.found.append(Form(told.get("action", "")))
        if not self.found or not (name := told.get("name", self._select or "")):
            return
        form = self.found[-1]
        kind = told.get("type", "text")
        if tag == "textarea":
            form.fields[name] = f"{HEALTH} in {name}"
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select:
            form.fields.setdefault(self._select, told.get("value", ""))
        elif tag == "input" and kind == "file":
            form.files.append(name)
        elif tag == "input" and kind in {"hidden", "radio", "checkbox"}:
            form.fields.setdefault(name, told.get("value", "on"))
        elif tag == "input":
            filled = {"number": _NUMBER, "date": _DAY, "time": _TIME, "password": PASSWORD}
            form.fields[name] = filled.get(kind, f"{HEALTH}{name}")


@pytest.fixture
def told() -> Iterator[io.StringIO]:
    """All lines, as text; that JSON leaves out the same is a test of the logs."""
    root, hook = logging.getLogger(), threading.excepthook
    before = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in ("sqlalchemy", "bleak", "dbus_fast")}
    stream = io.StringIO()
    logs.configure(LogSection(level="debug"), stream)
    yield stream
    root.handlers[:], root.level = before
    threading.excepthook = hook
    logging.captureWarnings(False)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def secrets_shown(world: Any, client: Any) -> list[str]:
    """Let every kind of secret be made, used rightly and wrongly; return them."""
    services, ada = world.services, world.ada
    link = services.accounts.issue_sign_in_link(ada.identity.user_id)
    world.app.test_client().get(f"/enter/{link}")
    gateway = services.tokens.issue(ada.identity, ada.athlete_id, "machine", Scope.GATEWAY)
    phone = services.tokens.issue(ada.identity, ada.athlete_id, "phone", Scope.PHONE)
    calendar = services.plans.calendar_token(ada.identity, ada.athlete_id)
    hook = services.reminder_settings.set_webhook(ada.identity, ada.athlete_id, f"https://hook.example.org/{HEALTH}")
    stranger = world.app.test_client()
    for path, method in ((f"/calendar/{calendar}.ics", "GET"), (f"/enter/{link}", "POST"), (f"/enter/{link}x", "GET")):
        stranger.open(path, method=method, buffered=True)
    for token in (gateway, phone, f"{gateway}x"):
        head = {"Authorization": f"Bearer {token}"}
        for path in ("/api/v1/chunks", "/api/v1/gateway", "/api/v1/live", "/api/v1/phone"):
            stranger.post(path, data=HEALTH.encode(), headers=head, buffered=True)
    stranger.post(f"/api/v1/phone/{phone}", data=b'{"payload": [{"name": "' + HEALTH.encode() + b'"}]}')
    stranger.post("/sign-in", data={"name": "Ada", "password": PASSWORD})
    cookies = [cookie.value for cookie in client._cookies.values()]
    return [link, gateway, phone, calendar, hook, *cookies]


def fill_every_form(world: Any, client: Any, values: dict[str, str]) -> set[int]:
    """Send every form of every page of hers, and a file where one is asked for."""
    world.app.config["WTF_CSRF_ENABLED"] = False
    statuses: set[int] = set()
    sent: set[str] = set()
    for endpoint, method, path in routes(world.app, values):
        if method != "GET" or endpoint in {"live.events", "welcome.sign_out"}:
            continue
        page = client.get(path, buffered=True)
        if page.mimetype != "text/html":
            continue
        forms = Forms()
        forms.feed(page.text)
        for form in forms.found:
            action = form.action or path
            if action in sent or re.search(r"sign-out|erase|leave|password|sessions|withdraw|account|/end", action):
                continue
            sent.add(action)
            data: dict[str, Any] = dict(form.fields)
            for name in form.files:
                data[name] = (io.BytesIO(f"{HEALTH} as a file".encode()), f"{HEALTH}.txt")
            answer = client.post(
                action, data=data, content_type="multipart/form-data" if form.files else None, buffered=True
            )
            statuses.add(answer.status_code)
    assert len(sent) > 25
    return statuses


def add_broken(world: Any) -> None:
    """Add views that fail, by themselves or in the database, with the words in their hands."""
    store = world.services.athletes._ground.store

    @access.public
    def broken(kind: str) -> str:
        if kind == "value":
            return str(int(f"{HEALTH} {PASSWORD}"))
        with store.begin() as tx:
            if kind == "statement":
                tx.execute(sql("SELECT * FROM nowhere WHERE a = :a"), {"a": HEALTH})
            tx.execute(sql("INSERT INTO athlete (id, name) VALUES (:a, :b)"), {"a": HEALTH, "b": PASSWORD})
        return ""

    world.app.add_url_rule("/broken/<kind>", endpoint="broken", view_func=broken)


def break_everything(world: Any, client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let views, the database, the worker, the clock and the mail server fail with the words in their hands."""
    told = [client.get(f"/broken/{kind}?q={HEALTH}").status_code for kind in ("value", "statement", "insert")]
    assert told == [500, 503, 409]

    def fails(*_: Any) -> Any:
        try:
            int(HEALTH)
        except ValueError as error:
            raise RuntimeError(f"{PASSWORD} {HEALTH}") from error

    monkeypatch.setattr(world.services.motion, "pending_streams", lambda: ["s"])
    monkeypatch.setattr(world.services.motion, "handle_pending", fails)
    monkeypatch.setattr(world.services.days, "judge_due", fails)
    worker = Worker(world.services, world.feed, Config())
    with suppress(Exception):
        worker._attempt(None)
    thread = threading.Thread(target=fails)
    thread.start()
    thread.join()
    world.clock.forward(days=1)
    with suppress(CoachError):
        send_due(world.services, world.feed, world.clock.now + timedelta(minutes=1))
    mail = MailSection(host="127.0.0.1", port=1, tls="none", user="u", password=PASSWORD, sender="a@example.org")  # type: ignore[arg-type]
    message = Message("m", HEALTH, HEALTH, "/", 60.0, {"text": HEALTH})
    with pytest.raises(NotDelivered):
        Mail(mail, "").send(Target(f"{HEALTH}@example.org"), message, world.clock.utc_s())
    with suppress(NotAllowed):
        world.services.tokens.holder(PASSWORD, Scope.GATEWAY)


def test_neither_secrets_nor_what_people_wrote_are_in_any_line(
    nothing_to_tell: Any, told: io.StringIO, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    world = nothing_to_tell
    add_broken(world)
    client, values = world.client(world.ada), of_ada(world)
    planted = [HEALTH, PASSWORD, *secrets_shown(world, client)]
    statuses = fill_every_form(world, client, values)
    # Some were taken, some refused with a sentence that repeats what was typed.
    assert statuses >= {303, 422}
    break_everything(world, client, monkeypatch)
    lines = told.getvalue()
    for sign in ("GET broken failed", "builtins.ValueError", "RuntimeError", "StoreUnavailable", "ended by an error"):
        assert sign in lines, sign
    assert len(planted) > 7
    errors = capfd.readouterr()
    for text in (lines, errors.out, errors.err):
        found = [line for line in text.splitlines() if any(each in line for each in planted)]
        assert found == []
