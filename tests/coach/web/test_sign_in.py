"""Signing in by link and by password, cookies, and how often it may be tried."""

from __future__ import annotations


def test_a_link_works_once_and_leads_to_the_one_athlete(world) -> None:
    token = world.services.accounts.issue_sign_in_link(world.kim.identity.user_id)
    client = world.app.test_client()
    answer = client.get(f"/enter/{token}")
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"/athletes/{world.ada.athlete_id}"
    # The page after the link must not tell anybody the link.
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert world.app.test_client().get(f"/enter/{token}").status_code == 403
    # Opening it again in the same browser is no error for the person.
    assert client.get(f"/enter/{token}").status_code == 303


def test_a_browser_that_guesses_ahead_does_not_use_the_link_up(world) -> None:
    token = world.services.accounts.issue_sign_in_link(world.ada.identity.user_id)
    client = world.app.test_client()
    assert client.get(f"/enter/{token}", headers={"Sec-Purpose": "prefetch;prerender"}).status_code == 503
    answer = client.get(f"/enter/{token}")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/today")


def test_the_cookie_is_for_this_server_only_and_secure_over_https(world) -> None:
    for scheme, secure in (("http", False), ("https", True)):
        token = world.services.accounts.issue_sign_in_link(world.kim.identity.user_id)
        cookie = (
            world.app.test_client().get(f"/enter/{token}", base_url=f"{scheme}://10.0.0.7:8000").headers["Set-Cookie"]
        )
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert ("Secure" in cookie) is secure


def test_password_from_account_to_sign_in(world, csrf_of) -> None:
    client = world.client(world.ada)
    token = csrf_of(client)
    short = client.post("/account", data={"csrf_token": token, "password": "short", "again": "short"})
    assert short.status_code == 422
    differ = client.post("/account", data={"csrf_token": token, "password": "long enough 1", "again": "long enough 2"})
    assert "differ" in differ.text
    done = client.post("/account", data={"csrf_token": token, "password": "long enough 1", "again": "long enough 1"})
    assert done.status_code == 303
    client.post("/sign-out", data={"csrf_token": token})
    assert client.get("/today").headers["Location"] == "/"
    world.app.config["WTF_CSRF_ENABLED"] = False
    wrong = client.post("/sign-in", data={"name": "Ada", "password": "not this one"})
    assert wrong.status_code == 403
    right = client.post("/sign-in", data={"name": "Ada", "password": "long enough 1"})
    assert right.headers["Location"] == "/today"


def test_tries_without_a_token_are_counted_too(world) -> None:
    client = world.client()
    statuses = [client.post("/sign-in", data={"name": "Ada", "password": "x"}).status_code for _ in range(12)]
    assert statuses[:10] == [400] * 10
    assert statuses[10:] == [429] * 2
    assert client.post("/sign-in").headers["Retry-After"]
