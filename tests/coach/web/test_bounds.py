"""Every route, whoever adds it: a bound on the body, on the address and the fields, and a limit on how often."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask, request

from coach.config import Config
from coach.service.tokens import Scope
from coach.service.types import Role
from coach.web import access, limits
from tests.coach.web.test_access import of_ada, routes
from tests.coach.web.test_trust_pages import somebody

# Larger than anything that any address takes, also one that takes files.
FAR_TOO_LARGE = 2_000_000_000
CHANGING = ("POST", "PUT", "PATCH", "DELETE")


def token_of(world: Any, endpoint: str) -> dict[str, str]:
    """Return the header of a fresh token for a route that takes one."""
    scope = {access.Access.BEARER: Scope.GATEWAY, access.Access.PHONE: Scope.PHONE}.get(
        access.access_of(world.app, endpoint)
    )
    if scope is None:
        return {}
    tokens, ada = world.services.tokens, world.ada
    for old in tokens.of_athlete(ada.identity, ada.athlete_id):
        tokens.revoke(ada.identity, old.token_id)
    return {"Authorization": f"Bearer {tokens.issue(ada.identity, ada.athlete_id, 'it', scope)}"}


def test_no_route_takes_a_body_without_bound(world) -> None:
    world.app.config["WTF_CSRF_ENABLED"] = False
    values = of_ada(world)
    olga = somebody(world, "Olga", Role.OWNER)
    clients = [world.client(world.ada), world.client(world.kim), world.client(olga), world.client()]
    told: dict[str, set[int]] = {}
    for endpoint, method, path in routes(world.app, values):
        if method not in CHANGING:
            continue
        for client in clients:
            answer = client.open(
                path,
                method=method,
                headers={"Content-Type": "application/x-www-form-urlencoded"} | token_of(world, endpoint),
                environ_overrides={"CONTENT_LENGTH": str(FAR_TOO_LARGE)},
                buffered=True,
            )
            told.setdefault(endpoint, set()).add(answer.status_code)
    assert len(told) > 40
    refused = {413, access.STATUS_SHOWN}
    assert {endpoint: seen for endpoint, seen in told.items() if not seen & refused} == {}
    # Nobody got through with it, and nothing of ours broke.
    assert set().union(*told.values()) <= {303, 401, 403, 404, *refused}


def later_routes(app: Flask) -> None:
    """Add what somebody might add later, with no thought of any bound."""

    @access.public
    def later() -> str:
        return f"{len(request.form)} {request.get_json(silent=True)!r}"

    app.add_url_rule("/later", endpoint="later", view_func=later, methods=["GET", "POST"])


@pytest.fixture
def few(world, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """An app whose general limits are soon reached."""
    monkeypatch.setattr(limits, "CHANGES", "5 per minute")
    monkeypatch.setattr(limits, "LOOKS", "7 per minute")
    app = world.restarted(Config())
    app.config["WTF_CSRF_ENABLED"] = False
    later_routes(app)
    return app


@pytest.mark.parametrize(("method", "wanted"), [("GET", 7), ("POST", 5)])
def test_a_route_that_nobody_thought_of_has_a_limit(few: Flask, method: str, wanted: int) -> None:
    client = few.test_client()
    told = [client.open("/later", method=method, buffered=True) for _ in range(wanted + 1)]
    assert [each.status_code for each in told] == [200] * wanted + [429]
    assert int(told[-1].headers["Retry-After"]) > 0
    # Another address is not held back by it.
    assert client.open("/later", method=method, environ_overrides={"REMOTE_ADDR": "192.0.2.7"}).status_code == 200


def test_no_route_is_without_a_limit(world, few: Flask) -> None:
    """Every route that has no limit of its own is held back by the general one, all of them together."""
    values = of_ada(world)
    client = few.test_client()
    own = limits.LIMIT_OF_ENDPOINT.keys() | limits.LIMIT_OF_TOKEN.keys() | limits.LIMIT_OF_PERSON.keys()
    asked = [each for each in routes(few, values | {"filename": "css/backstop.css"}) if each[0] not in own]
    assert len(asked) > 90
    for method in ("GET", "POST"):
        for _ in range(8):
            client.open("/later", method=method, buffered=True)
    free = []
    for endpoint, method, path in asked:
        answer = client.open(path, method=method, buffered=False)
        answer.close()
        if answer.status_code != 429:
            free.append(endpoint)
    # Small files of the program itself; Flask-Limiter never counts them.
    assert free == ["static"]
    assert own <= few.view_functions.keys()


def test_limits_count_by_person_where_one_is_signed_in(world, few: Flask) -> None:
    people = []
    for person in (world.ada, world.kim):
        client = few.test_client()
        client.get(f"/enter/{world.services.accounts.issue_sign_in_link(person.identity.user_id)}")
        people.append(client)
    for _ in range(6):
        people[0].post("/later")
    assert [each.post("/later").status_code for each in people] == [429, 200]


def test_who_tries_another_token_each_time_is_counted_by_address_also_where_tokens_have_a_limit(
    world, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PROGRAMS", "5 per minute")
    client = world.restarted(Config()).test_client()
    path = f"/api/v1/athletes/{world.ada.athlete_id}/export"
    tried = [client.get(path, headers={"Authorization": f"Bearer backstop-x-{number}"}) for number in range(6)]
    assert [each.status_code for each in tried] == [401] * 5 + [429]
    # Beyond that, no more senders are remembered: each would make another forgotten.
    (limiter,) = client.application.extensions["limiter"]
    remembered = len(limiter.limiter.storage._tries)
    for number in range(6, 12):
        client.get("/api/v1/me", headers={"Authorization": f"Bearer backstop-x-{number}"})
    assert len(limiter.limiter.storage._tries) == remembered


@pytest.mark.parametrize(
    "path",
    ["/" + "x" * 2000, "/later?" + "q" * 3000, "/later?" + "a=b&" * 60, "/athletes/" + "y" * 1500 + "/day.json"],
)
def test_an_address_longer_than_any_is_refused(few: Flask, path: str) -> None:
    answer = few.test_client().get(path)
    assert answer.status_code == 414
    assert "longer than any" in answer.text


def test_more_fields_than_any_form_has_are_refused(few: Flask) -> None:
    client = few.test_client()
    assert client.post("/later", data={f"f{k}": "1" for k in range(900)}).text == "900 None"
    assert client.post("/later", data={"f": ["1"] * 1001}).status_code == 413
    parts = {f"f{k}": "1" for k in range(200)}
    assert client.post("/later", data=parts, content_type="multipart/form-data").status_code == 413


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ('{"a": [1, 2.5, "x", null]}', True),
        ("[" * 12 + "]" * 12, True),
        ("[" * 30 + "]" * 30, False),
        ("[" * 30_000, False),
        ("[" * 25_000 + "]" * 25_000, False),
        (json.dumps([0] * 11_000), False),
        ("NaN", False),
        ('{"a": Infinity}', False),
        ("1" * 5000, False),
        ("{", False),
    ],
)
def test_json_that_is_nested_deeply_or_holds_very_much_is_not_read(few: Flask, text: str, read: bool) -> None:
    answer = few.test_client().post("/later", data=text, content_type="application/json")
    assert answer.status_code == 200
    assert (answer.text != "0 None") is read
