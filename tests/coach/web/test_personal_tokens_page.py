"""A person makes a token on a page; a program gets exactly so far with it."""

from __future__ import annotations

import re

import pytest

from coach.service.personal_tokens import TokenScope
from coach.store.tables import coach_athlete
from coach.web import access
from coach.web.described import description_of

READ = ["read:athlete", "read:plans"]


def asked(world, secret: str, path: str, method: str = "GET", client=None, **sent):
    headers = {"Authorization": f"Bearer {secret}"}
    return (client or world.client()).open(path, method=method, headers=headers, **sent)


@pytest.fixture
def made(world, csrf_of):
    """Ada makes a token on the page; returns what the page shows."""

    def make(name: str = "my script", scopes: tuple[str, ...] = tuple(READ), days: str = "30"):
        client = world.client(world.ada)
        form = {"csrf_token": csrf_of(client), "name": name, "scope": list(scopes), "days": days}
        return client, client.post("/account/tokens", data=form)

    return make


def secret_in(page: str) -> str:
    found = re.search(r'id="token" value="(backstop-[^"]+)"', page)
    assert found, page
    return found[1]


def test_a_token_is_shown_once_and_listed_until_it_is_revoked(world, made, csrf_of) -> None:
    client, answer = made()
    secret = secret_in(answer.text)
    assert answer.headers["Cache-Control"] == "no-store"
    page = client.get("/account/tokens").text
    assert "my script" in page
    assert "read:athlete, read:plans; until 24 December 2026; never used" in " ".join(page.split())
    assert secret not in page
    assert secret.split("-", 2)[2] not in page
    told = asked(world, secret, "/api/v1/me").get_json()
    assert (told["name"], told["athlete_id"], told["scopes"]) == ("Ada", world.ada.athlete_id, READ)
    assert "last used 24 November 2026 at 14:00" in client.get("/account/tokens").text
    (view,) = world.services.personal_tokens.mine(world.ada.identity)
    form = {"csrf_token": csrf_of(client)}
    assert client.post(f"/account/tokens/{view.token_id}/revoke", data=form).status_code == 303
    refused = asked(world, secret, "/api/v1/me")
    assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert "None yet." in client.get("/account/tokens").text


@pytest.mark.parametrize(
    ("name", "scopes", "days"),
    [("", READ, "30"), ("x", (), "30"), ("x", ("metrics",), "30"), ("x", READ, "366"), ("x", READ, "-1")],
)
def test_the_form_says_what_is_wrong(made, name: str, scopes: tuple[str, ...], days: str) -> None:
    client, answer = made(name, scopes, days)
    if days == "-1":
        assert answer.status_code == 422
    else:
        assert (answer.status_code, 'role="alert"' in answer.text) == (422, True)
    assert "None yet." in client.get("/account/tokens").text


def test_making_one_needs_a_sign_in_of_the_last_minutes_and_ending_one_does_not(world, made, csrf_of) -> None:
    client, _ = made()
    assert "/account/tokens" in client.get("/account").text
    world.clock.forward(minutes=11)
    form = {"csrf_token": csrf_of(client), "name": "x", "scope": READ, "days": "7"}
    answer = client.post("/account/tokens", data=form)
    assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (303, "/confirm")
    (view,) = world.services.personal_tokens.mine(world.ada.identity)
    assert client.post(f"/account/tokens/{view.token_id}/revoke", data=form).status_code == 303
    assert world.services.personal_tokens.mine(world.ada.identity) == ()


def test_making_one_needs_the_page_it_is_made_on(world) -> None:
    form = {"name": "x", "scope": READ}
    assert world.client(world.ada).post("/account/tokens", data=form).status_code == 400
    assert world.services.personal_tokens.mine(world.ada.identity) == ()


def test_a_scope_opens_what_it_names_and_nothing_else(world) -> None:
    """Of every address that a token can open, each scope alone opens exactly those that name it."""
    secrets = {
        scope: world.services.personal_tokens.make(world.ada.identity, scope.value, [scope]).secret
        for scope in TokenScope
    }
    opened: dict[TokenScope, int] = dict.fromkeys(TokenScope, 0)
    client = world.client()
    with world.app.test_request_context():
        adapter = world.app.url_map.bind("localhost")
    for rule in world.app.url_map.iter_rules():
        told = description_of(world.app, rule.endpoint)
        if told is None or told.scope is None:
            continue
        method = next(each for each in ("GET", "POST", "PUT", "DELETE") if each in (rule.methods or ()))
        path = adapter.build(rule.endpoint, dict.fromkeys(rule.arguments, "no-such-id"), method=method)
        for scope, secret in secrets.items():
            answer = asked(world, secret, path, method, client)
            answer.close()
            lacks = answer.status_code == 403 and "would need the scope" in answer.text
            assert lacks is (scope is not told.scope), (rule.endpoint, scope, answer.status_code)
            opened[scope] += not lacks
    assert {scope for scope, count in opened.items() if count} >= set(TokenScope) - {
        TokenScope.EXPORT,
        TokenScope.METRICS,
    }


def test_no_token_opens_a_page_or_form_whatever_it_is_for(world) -> None:
    every = world.services.personal_tokens.make(world.ada.identity, "all", list(TokenScope)).secret
    for method, path in (
        ("GET", "/account"),
        ("POST", "/account"),
        ("GET", "/account/tokens"),
        ("POST", "/account/tokens"),
        ("GET", "/today"),
        ("POST", "/safety"),
        ("POST", f"/plans/{world.plan_id}/accept"),
    ):
        world.app.config["WTF_CSRF_ENABLED"] = False
        answer = asked(world, every, path, method)
        assert (answer.status_code, "No token opens" in answer.text) == (403, True), path


def test_a_token_beside_a_cookie_is_all_that_counts(world) -> None:
    narrow = world.services.personal_tokens.make(world.bo.identity, "narrow", ["read:plans"]).secret
    client = world.client(world.ada)
    assert client.get("/api/v1/me").get_json()["name"] == "Ada"
    assert asked(world, narrow, "/api/v1/me", client=client).status_code == 403
    assert asked(world, "backstop-x-y", "/api/v1/me", client=client).status_code == 401
    own = f"/api/v1/athletes/{world.ada.athlete_id}/plans"
    assert client.get(own).status_code == 200
    assert asked(world, narrow, own, client=client).status_code == 404


def test_a_change_by_cookie_proves_its_page_and_one_by_token_need_not(nothing_to_tell, csrf_of) -> None:
    world, path = nothing_to_tell, f"/api/v1/athletes/{nothing_to_tell.ada.athlete_id}/checkins"
    client = world.client(world.ada)
    assert client.post(path, json={"pain_at_rest": 2}).status_code == 400
    assert client.post(path, json={"pain_at_rest": 2}, headers={"X-CSRFToken": csrf_of(client)}).status_code == 201
    secret = world.services.personal_tokens.make(world.ada.identity, "w", ["write:diary"]).secret
    assert asked(world, secret, path, "POST", json={"pain_at_rest": 3}).status_code == 201


def test_a_token_never_does_more_than_its_person(world) -> None:
    secret = world.services.personal_tokens.make(world.ada.identity, "w", list(TokenScope)).secret
    # Ada has a coach, so that she cannot accept; neither can her program.
    refused = asked(world, secret, f"/api/v1/plans/{world.plan_id}/accept", "POST")
    assert refused.status_code == 403
    assert world.services.plans.active(world.ada.athlete_id) is None
    for path in (f"/api/v1/athletes/{world.bo.athlete_id}", f"/api/v1/athletes/{world.bo.athlete_id}/checkins"):
        assert asked(world, secret, path).status_code == 404


def test_a_coach_who_is_coach_no_more_reads_nothing_by_an_old_token(world) -> None:
    secret = world.services.personal_tokens.make(world.kim.identity, "w", ["read:findings"]).secret
    path = f"/api/v1/athletes/{world.ada.athlete_id}/findings"
    assert len(asked(world, secret, path).get_json()["items"]) == 1
    with world.services.findings._ground.store.begin() as tx:
        tx.execute(coach_athlete.delete())
    assert asked(world, secret, path).status_code == 404


def test_a_live_line_ends_with_the_token_that_it_was_asked_with(world) -> None:
    made = world.services.personal_tokens.make(world.ada.identity, "live", ["read:signals"])
    path, bearer = f"/live/{world.ada.athlete_id}", {"Authorization": f"Bearer {made.secret}"}
    assert world.client().head(path, headers=bearer).status_code == 200
    with world.app.test_request_context(path, headers=bearer):
        still = access.asker_later()
    present = still()
    assert present is not None
    assert present.user_id == world.ada.identity.user_id
    world.services.personal_tokens.revoke(world.ada.identity, made.view.token_id)
    assert still() is None
    assert world.client().head(path, headers=bearer).status_code == 401


def test_a_program_is_slowed_by_its_token(world) -> None:
    one, two = (
        world.services.personal_tokens.make(world.ada.identity, name, ["write:diary"]).secret for name in ("a", "b")
    )
    client, path = world.client(), f"/api/v1/checkins/{'0' * 32}"
    seen = [asked(world, one, path, "DELETE", client).status_code for _ in range(601)]
    assert seen == [404] * 600 + [429]
    last = asked(world, one, path, "DELETE", client)
    assert last.headers["Retry-After"].isdigit()
    assert isinstance(last.get_json()["error"]["what"], str)
    assert asked(world, two, path, "DELETE", client).status_code == 404
