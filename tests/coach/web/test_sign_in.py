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
    differ = client.post(
        "/account", data={"csrf_token": token, "password": "kettle violin marsh", "again": "kettle violin march"}
    )
    assert "differ" in differ.text
    done = client.post(
        "/account", data={"csrf_token": token, "password": "kettle violin marsh", "again": "kettle violin marsh"}
    )
    assert done.status_code == 303
    assert client.get("/today").status_code == 200
    # The session was begun anew, and its token with it.
    assert client.post("/sign-out", data={"csrf_token": token}).status_code == 400
    client.post("/sign-out", data={"csrf_token": csrf_of(client)})
    assert client.get("/today").headers["Location"] == "/"
    world.app.config["WTF_CSRF_ENABLED"] = False
    wrong = client.post("/sign-in", data={"name": "Ada", "password": "not this one"})
    assert wrong.status_code == 403
    right = client.post("/sign-in", data={"name": "Ada", "password": "kettle violin marsh"})
    assert right.headers["Location"] == "/today"


def test_tries_without_a_token_are_counted_too(world) -> None:
    client = world.client()
    statuses = [client.post("/sign-in", data={"name": "Ada", "password": "x"}).status_code for _ in range(12)]
    assert statuses[:10] == [400] * 10
    assert statuses[10:] == [429] * 2
    assert client.post("/sign-in").headers["Retry-After"]


def test_a_new_password_ends_the_sessions_elsewhere(world, csrf_of) -> None:
    phone, desk, other = world.client(world.ada), world.client(world.ada), world.client(world.kim)
    data = {"csrf_token": csrf_of(phone), "password": "kettle violin marsh", "again": "kettle violin marsh"}
    assert phone.post("/account", data=data).status_code == 303
    assert "signed out" in phone.get("/account").text
    assert phone.get("/today").status_code == 200
    assert desk.get("/today").headers["Location"] == "/"
    assert desk.get(f"/live/{world.ada.athlete_id}").status_code == 401
    assert other.get("/athletes").status_code == 200


def test_a_session_is_made_anew_by_signing_in(world) -> None:
    client = world.app.test_client()
    client.get("/")
    with client.session_transaction() as before:
        before["planted"] = "by somebody else"
    client.get(f"/enter/{world.services.accounts.issue_sign_in_link(world.ada.identity.user_id)}")
    with client.session_transaction() as after:
        assert "planted" not in after
        assert after["user_id"] == world.ada.identity.user_id


def test_asking_whether_a_link_exists_does_not_use_it_up(world) -> None:
    token = world.services.accounts.issue_sign_in_link(world.ada.identity.user_id)
    client = world.app.test_client()
    assert client.head(f"/enter/{token}").status_code == 204
    assert client.get("/today").status_code == 303
    assert client.get(f"/enter/{token}").status_code == 303


def test_signing_out_is_no_link(world) -> None:
    client = world.client(world.ada)
    assert client.get("/sign-out").status_code == 405
    assert client.get("/today").status_code == 200


def test_tries_are_counted_by_the_address_that_asks_not_by_what_it_says(world) -> None:
    client = world.client()
    for number in range(12):
        claimed = {"X-Forwarded-For": f"10.0.0.{number}", "X-Real-Ip": f"10.0.0.{number}"}
        answer = client.post("/sign-in", data={"name": "Ada", "password": "x"}, headers=claimed)
    assert answer.status_code == 429
    elsewhere = client.post("/sign-in", data={"name": "Ada"}, environ_base={"REMOTE_ADDR": "10.9.9.9"})
    assert elsewhere.status_code == 400
