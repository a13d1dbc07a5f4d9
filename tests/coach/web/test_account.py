"""One's own account in a browser: passwords, codes, passkeys, sign-ins, and what asks for a fresh one."""

from __future__ import annotations

import json
import re
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pyotp
import pytest
from flask.testing import FlaskClient

from coach.config import Config
from coach.errors import StoreUnavailable
from coach.service.types import Role
from coach.web import access, limit_memory
from coach.web.browsers import device_words
from coach.web.limits import LIMIT_OF_ACCOUNT
from coach.web.welcome import local_page
from tests.coach.authenticator import Authenticator
from tests.coach.quick_hashes import QuickHasher
from tests.coach.web.told import store_of

GOOD = "kettle violin marsh"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"
CsrfOf = Callable[[FlaskClient], str]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coach.service.secrets.PasswordHasher", QuickHasher)


@pytest.fixture
def open_doors(world):
    """Forms need no token here: what CSRF does is tested in test_protection."""
    world.app.config["WTF_CSRF_ENABLED"] = False
    return world


def with_password(world, name: str = "kim") -> None:
    world.services.accounts.set_password(getattr(world, name).identity.user_id, GOOD)


def by_password(world, name: str = "Kim", password: str = GOOD, address: str = "127.0.0.1"):
    client = world.app.test_client()
    answer = client.post("/sign-in", data={"name": name, "password": password}, environ_base={"REMOTE_ADDR": address})
    return client, answer


def switch_on(world, client: FlaskClient) -> tuple[str, list[str]]:
    page = client.post("/account/second-factor", follow_redirects=True).text
    secret = re.sub(r"\s", "", re.search(r"<code[^>]*>([A-Z2-7 ]+)</code>", page)[1])
    told = client.post("/account/second-factor/confirm", data={"code": pyotp.TOTP(secret).at(world.clock.now)})
    codes = re.search(r"<textarea[^>]*>([^<]+)</textarea>", told.text)[1].split()
    world.clock.forward(minutes=2)
    return secret, codes


def pressed(client: FlaskClient, device: Authenticator, confirm: bool = False, onward: str = ""):
    options = client.post("/sign-in/passkey/options", headers={"Accept": "application/json"})
    assert options.status_code == 200, options.text
    body = {"answer": device.get(options.text), "confirm": confirm, "next": onward}
    return client.post("/sign-in/passkey", json=body, headers={"Accept": "application/json"})


def enrol(client: FlaskClient, device: Authenticator, name: str = "my phone"):
    options = client.post("/account/passkeys/options", headers={"Accept": "application/json"})
    assert options.status_code == 200, options.text
    body = {"answer": device.create(options.text), "name": name}
    return client.post("/account/passkeys", json=body, headers={"Accept": "application/json"})


# Sign-ins


def test_the_account_lists_where_one_is_signed_in_and_ends_each(world, csrf_of: CsrfOf) -> None:
    phone, desk = world.client(world.kim), world.app.test_client()
    token = world.services.accounts.issue_sign_in_link(world.kim.identity.user_id)
    desk.get(f"/enter/{token}", headers={"User-Agent": FIREFOX})
    page = desk.get("/account").text
    assert "Firefox on Linux" in page
    assert FIREFOX not in page
    (form,) = re.findall(r'action="(/account/sessions/[0-9a-f]+/end)"', page)  # the other one, not this one
    assert desk.post(form, data={"csrf_token": csrf_of(desk)}).status_code == 303
    assert phone.get("/athletes").headers["Location"] == "/"
    assert desk.get("/account").status_code == 200
    third, data = world.client(world.kim), {"csrf_token": csrf_of(desk)}
    assert desk.post("/account/sessions/end-others", data=data).status_code == 303
    assert third.get("/athletes").headers["Location"] == "/"


def test_signing_out_ends_the_row_not_only_the_cookie(world, csrf_of: CsrfOf) -> None:
    client = world.client(world.kim)
    with client.session_transaction() as cookie:
        stolen = dict(cookie)
    client.post("/sign-out", data={"csrf_token": csrf_of(client)})
    thief = world.app.test_client()
    with thief.session_transaction() as cookie:
        cookie.update(stolen)
    assert thief.get("/athletes").headers["Location"] == "/"


def test_an_open_stream_ends_after_its_sign_in_was_ended(world, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coach.web.live.ALLOWED_S", 0.1)
    monkeypatch.setattr("coach.web.live.BATCH_S", 0.05)
    client = world.client(world.ada)
    answer = client.get(f"/live/{world.ada.athlete_id}", buffered=False)
    (view,) = world.services.sign_ins.of_person(world.ada.identity, None)
    for number, _ in enumerate(answer.response):
        if number == 1:
            world.services.sign_ins.end(world.ada.identity, view.session_id)
    answer.close()
    assert world.feed.readers == 0


@contextmanager
def full_disk() -> Iterator[None]:
    """No file of this process grows any more: the kernel refuses each write, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_on_a_full_disk_pages_are_shown_and_answers_stay_the_same(open_doors) -> None:
    world = open_doors
    with_password(world)
    client = world.client(world.kim)
    world.clock.forward(minutes=3)
    with full_disk():
        with pytest.raises(StoreUnavailable), store_of(world).begin() as tx:
            tx.exec_driver_sql("UPDATE sign_in_session SET device = 'x'")
        page = client.get("/account")
        refused = [by_password(world, name, "guess")[1] for name in ("Kim", "Nobody")]
        right = by_password(world)[1]
        out = client.post("/sign-out", follow_redirects=True)
    assert page.status_code == 200
    assert [each.status_code for each in refused] == [403, 403]
    assert right.status_code == 503
    assert right.headers["Retry-After"]
    assert "signed out in this browser" in out.text
    assert client.get("/athletes").headers["Location"] == "/"
    assert world.client(world.kim).get("/account").status_code == 200


def test_the_cookie_tells_neither_password_nor_name(world) -> None:
    client = world.client(world.kim)
    with client.session_transaction() as cookie:
        assert set(cookie) <= {"secret", "user_id", "_permanent", "csrf_token", "_flashes", "_fresh"}
        with store_of(world).read() as tx:
            kept = str(tx.exec_driver_sql("SELECT * FROM sign_in_session").all())
        assert cookie["secret"] not in kept


# Nobody learns who has an account


def test_all_who_are_refused_get_the_same_answer(open_doors) -> None:
    world = open_doors
    with_password(world)
    with_password(world, "lou")
    client, _ = by_password(world, "Lou")
    switch_on(world, client)
    told = set()
    for name, password in (
        ("Nobody", "wrong wrong wrong"),
        ("Kim", "wrong wrong wrong"),
        ("Ada", "wrong wrong wrong"),  # has no password
        ("Lou", "wrong wrong wrong"),  # has a second factor
        ("Nobody", "x" * 300),
    ):
        asking = world.app.test_client()
        answer = asking.post("/sign-in", data={"name": name, "password": password})
        headers = sorted((key, value) for key, value in answer.headers if key not in {"Date", "X-Request-Id"})
        kept = [re.sub(r"=[^;]+", "=…", value, count=1) for key, value in headers if key == "Set-Cookie"]
        rest = [(key, value) for key, value in headers if key not in {"Set-Cookie", "Content-Length"}]
        page = re.sub(r'(csrf_token" value=|X-CSRFToken": |data-csrf=)"[^"]+"', "", answer.text).replace(name, "NAME")
        told.add((answer.status_code, json.dumps(rest), json.dumps(kept), page))
    assert len(told) == 1
    assert next(iter(told))[0] == 403


def test_a_link_a_code_and_a_passkey_tell_nothing_either(open_doors) -> None:
    world = open_doors
    assert world.app.test_client().get("/sign-in/code").headers["Location"] == "/"
    assert world.app.test_client().post("/sign-in/code", data={"code": "123456"}).headers["Location"] == "/"
    known, stranger = Authenticator(), Authenticator()
    enrol(world.client(world.kim), known)
    known.key = stranger.key
    answers = {
        (each.status_code, each.text) for each in (pressed(world.app.test_client(), d) for d in (known, stranger))
    }
    assert len(answers) == 1
    # What is asked of the device names no account: it offers what it has.
    asked = world.app.test_client().post("/sign-in/passkey/options").get_json()
    assert asked["allowCredentials"] == []
    assert asked["userVerification"] == "required"


# Tries are counted


def test_many_addresses_cannot_guess_one_account_and_its_owner_still_gets_in(open_doors) -> None:
    world = open_doors
    with_password(world)
    device = Authenticator()
    enrol(world.client(world.kim), device)
    statuses = [by_password(world, " KIM", "guess", f"10.0.{n}.1")[1].status_code for n in range(12)]
    assert statuses == [403] * 10 + [429] * 2
    _, right = by_password(world, address="10.1.0.1")
    assert right.status_code == 429
    assert right.headers["Retry-After"] == "600"
    assert "passkey or a sign-in link" in right.text
    _, nobody = by_password(world, "Lou", "guess", "10.1.0.2")
    assert nobody.status_code == 403  # another account is not touched
    assert pressed(world.app.test_client(), device).get_json()["next"].startswith("/athletes")
    assert world.client(world.kim).get("/account").status_code == 200  # by link


def test_a_browser_that_was_in_before_is_not_kept_out_by_others_tries(open_doors) -> None:
    world = open_doors
    with_password(world)
    mine, _ = by_password(world)
    mine.post("/sign-out")
    for number in range(12):
        by_password(world, "Kim", "guess", f"10.0.{number}.1")
    assert by_password(world, address="10.1.0.1")[1].status_code == 429
    # Nor may this browser guess without end; and what it is known by is of no use on another account.
    wrong = [mine.post("/sign-in", data={"name": "Kim", "password": "guess"}).status_code for _ in range(2)]
    assert wrong == [403, 403]
    for number in range(12):
        by_password(world, "Lou", "guess", f"10.0.{number}.1")
    other = mine.post("/sign-in", data={"name": "Lou", "password": "x"}, environ_base={"REMOTE_ADDR": "10.2.0.1"})
    assert other.status_code == 429
    right = mine.post("/sign-in", data={"name": "Kim", "password": GOOD})
    assert right.status_code == 303
    tried = [
        mine.post("/sign-in", data={"name": "Kim", "password": "x"}, environ_base={"REMOTE_ADDR": f"10.4.{n}.1"})
        for n in range(9)
    ]
    assert [each.status_code for each in tried][-2:] == [429, 429]


@pytest.mark.parametrize("forged", ["", "x", "e30.x", "W10.abc"])
def test_nobody_makes_a_browser_known_by_hand(open_doors, forged: str) -> None:
    world = open_doors
    with_password(world)
    for number in range(11):
        by_password(world, "Kim", "guess", f"10.0.{number}.1")
    client = world.app.test_client()
    client.set_cookie("backstop_known", forged)
    assert client.post("/sign-in", data={"name": "Kim", "password": GOOD}).status_code == 429


def test_a_name_that_is_nobodys_is_counted_alike(open_doors) -> None:
    statuses = [by_password(open_doors, "Nobody", "guess", f"10.0.{n}.1")[1].status_code for n in range(12)]
    assert statuses == [403] * 10 + [429] * 2


def test_codes_are_counted_by_account(open_doors) -> None:
    world = open_doors
    with_password(world)
    client, _ = by_password(world)
    secret, codes = switch_on(world, client)
    guessing, _ = by_password(world, address="10.0.0.9")
    tried = [
        guessing.post("/sign-in/code", data={"code": "000000"}, environ_base={"REMOTE_ADDR": f"10.0.{n}.1"})
        for n in range(11)
    ]
    assert [each.status_code for each in tried] == [403] * 10 + [429]
    # A right one is not looked at any more either: neither from the app nor from paper.
    for code in (pyotp.TOTP(secret).at(world.clock.now), codes[0]):
        answer = guessing.post("/sign-in/code", data={"code": code}, environ_base={"REMOTE_ADDR": "10.3.0.1"})
        assert answer.status_code == 429
    assert world.services.second_factors.of_person(world.kim.identity).codes_left == 10


@pytest.mark.parametrize(("path", "tries"), [("/sign-in", 10), ("/sign-in/code", 10), ("/sign-in/passkey", 20)])
def test_what_csrf_refuses_is_counted_too(world, path: str, tries: int) -> None:
    client = world.client()
    assert [client.post(path).status_code for _ in range(tries + 1)] == [400] * tries + [429]


def test_what_csrf_refuses_is_not_counted_against_the_account(world, csrf_of: CsrfOf) -> None:
    """Else a page elsewhere could make its visitors lock somebody out."""
    with_password(world)
    for number in range(12):
        world.app.test_client().post(
            "/sign-in", data={"name": "Kim", "password": "x"}, environ_base={"REMOTE_ADDR": f"10.0.{number}.1"}
        )
    world.app.config["WTF_CSRF_ENABLED"] = False
    assert by_password(world, address="10.9.0.1")[1].status_code == 303


def test_a_network_of_ipv6_is_one_sender(world) -> None:
    def post(address: str) -> int:
        return world.app.test_client().post("/sign-in", environ_base={"REMOTE_ADDR": address}).status_code

    assert [post(f"2001:db8:1:2::{n:x}") for n in range(11)] == [400] * 10 + [429]
    assert post("2001:db8:1:3::1") == 400
    assert [post(f"::ffff:10.0.0.{n}") for n in range(11)] == [400] * 11  # IPv4 in other clothes


def test_behind_a_known_proxy_tries_are_counted_by_whom_it_names(world) -> None:
    app = world.restarted(Config(web={"proxies": 1}))  # type: ignore[arg-type]

    def post(said: str) -> int:
        return app.test_client().post("/sign-in", headers={"X-Forwarded-For": said}).status_code

    # What the asker wrote before the proxy's own word is not believed.
    assert [post(f"1.1.1.{n}, 10.0.0.7") for n in range(11)] == [400] * 10 + [429]
    assert post("10.0.0.8") == 400


def test_memory_for_tries_is_bounded_and_the_oldest_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limit_memory, "KEYS_MAX", 100)
    monkeypatch.setattr(limit_memory, "TRIES_MAX", 300)
    memory = limit_memory.BoundedMemory()
    assert [memory.acquire_entry("victim", 3, 60) for _ in range(4)] == [True, True, True, False]
    for number in range(99):
        assert memory.acquire_entry(f"other {number}", 3, 60)
    assert not memory.acquire_entry("victim", 3, 60)  # looked at again, so it stays
    for number in range(5000):
        memory.acquire_entry(f"flood {number}", 3, 60)
    assert len(memory._tries) == 100
    for _ in range(1000):
        memory.acquire_entry("busy", 1000, 60)
    assert sum(map(len, memory._tries.values())) == memory._count <= 1000
    assert memory.get_moving_window("busy", 1000, 60)[1] == memory._count
    memory.clear("busy")
    assert (memory._count, memory.reset()) == (0, 0)


def test_tries_grow_old(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(limit_memory.time, "monotonic", lambda: now[0])
    memory = limit_memory.BoundedMemory()
    assert [memory.acquire_entry("a", 2, 60) for _ in range(3)] == [True, True, False]
    now[0] += 61
    assert memory.get_moving_window("a", 2, 60)[1] == 0
    assert memory.acquire_entry("a", 2, 60)
    assert memory._count == 1


def test_no_account_can_be_tried_more_often_than_the_source_allows() -> None:
    assert all(
        "per day" in limit and int(limit.split("; ")[1].split()[0]) <= 100 for limit in LIMIT_OF_ACCOUNT.values()
    )


# The second factor


def test_from_the_picture_to_a_sign_in_with_a_code(open_doors) -> None:
    world = open_doors
    with_password(world)
    client, _ = by_password(world)
    page = client.post("/account/second-factor", follow_redirects=True).text
    assert "<svg" in page
    assert "style=" not in page
    assert "data:" not in page.replace("data-", "")
    secret, codes = switch_on(world, client)
    assert len(codes) == 10
    assert codes[0] not in client.get("/account").text
    signing, answer = by_password(world)
    assert answer.headers["Location"] == "/sign-in/code"
    assert signing.get("/athletes").headers["Location"] == "/"  # half a sign-in is none
    wrong = signing.post("/sign-in/code", data={"code": "000000"})
    assert (wrong.status_code, "used before" in wrong.text) == (403, True)
    done = signing.post("/sign-in/code", data={"code": pyotp.TOTP(secret).at(world.clock.now)})
    assert done.headers["Location"].startswith("/athletes")
    paper, _ = by_password(world)
    done = paper.post("/sign-in/code", data={"code": codes[3]}, follow_redirects=True)
    assert "9 are left" in done.text
    off = client.post("/account/second-factor/remove")
    assert off.status_code == 303
    assert by_password(world)[1].headers["Location"].startswith("/athletes")


def test_half_a_sign_in_does_not_wait_for_ever(open_doors) -> None:
    world = open_doors
    with_password(world)
    secret, _ = switch_on(world, by_password(world)[0])
    late, _ = by_password(world)
    world.clock.forward(minutes=6)
    answer = late.post("/sign-in/code", data={"code": pyotp.TOTP(secret).at(world.clock.now)})
    assert answer.headers["Location"] == "/"


def test_without_a_password_there_is_nothing_to_ask_a_code_after(open_doors) -> None:
    assert open_doors.client(open_doors.kim).post("/account/second-factor").status_code == 409


# Passkeys


def test_from_a_new_passkey_to_a_sign_in_and_its_end(open_doors) -> None:
    world, device = open_doors, Authenticator()
    client = world.client(world.kim)
    assert enrol(client, device).get_json() == {"next": "/account"}
    page = client.get("/account").text
    assert "my phone" in page
    other = world.app.test_client()
    assert pressed(other, device).get_json()["next"] == f"/athletes/{world.ada.athlete_id}"
    assert other.get("/athletes").status_code == 200
    passkey_id = world.services.passkeys.of_person(world.kim.identity)[0].passkey_id
    client.post(f"/account/passkeys/{passkey_id}/name", data={"name": "old phone"})
    assert "old phone" in client.get("/account").text
    assert client.post(f"/account/passkeys/{passkey_id}/remove").status_code == 303
    assert pressed(world.app.test_client(), device).status_code == 403


def test_a_challenge_is_of_one_browser_one_purpose_and_one_sign_in(open_doors) -> None:
    world, device = open_doors, Authenticator()
    client = world.client(world.kim)
    enrol(client, device)
    mine, theirs = world.app.test_client(), world.app.test_client()
    options = mine.post("/sign-in/passkey/options").text
    theirs.post("/sign-in/passkey/options")
    body = {"answer": device.get(options)}
    headers = {"Accept": "application/json"}
    assert theirs.post("/sign-in/passkey", json=body, headers=headers).status_code == 403
    assert world.app.test_client().post("/sign-in/passkey", json=body, headers=headers).status_code == 422
    # Asked for a new passkey, answered as a sign-in; and asked before signing in, answered after.
    client.post("/account/passkeys/options", headers=headers)
    assert client.post("/sign-in/passkey", json=body, headers=headers).status_code == 422
    token = world.services.accounts.issue_sign_in_link(world.kim.identity.user_id)
    mine.get(f"/enter/{token}")
    assert mine.post("/sign-in/passkey", json=body, headers=headers).status_code == 422
    late = world.app.test_client()
    body = {"answer": device.get(late.post("/sign-in/passkey/options").text)}
    world.clock.forward(minutes=6)
    assert late.post("/sign-in/passkey", json=body, headers=headers).status_code == 422


def test_a_cookie_that_was_kept_does_not_let_an_answer_in_twice(open_doors) -> None:
    world, device = open_doors, Authenticator()
    enrol(world.client(world.kim), device)
    device.count = -1  # a device that does not count, as phones do not
    with store_of(world).begin() as tx:
        tx.exec_driver_sql("UPDATE passkey SET sign_count = 0")
    client = world.app.test_client()
    body = {"answer": device.get(client.post("/sign-in/passkey/options").text)}
    with client.session_transaction() as cookie:
        kept = dict(cookie)
    assert client.post("/sign-in/passkey", json=body).status_code == 200
    again = world.app.test_client()
    with again.session_transaction() as cookie:
        cookie.update(kept)
    assert again.post("/sign-in/passkey", json=body, headers={"Accept": "application/json"}).status_code == 403


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"null", b'{"answer": {"response": 1}}', b"\xff", b"[" * 3000])
def test_what_is_no_answer_is_refused_with_a_sentence(open_doors, body: bytes) -> None:
    client = open_doors.app.test_client()
    client.post("/sign-in/passkey/options")
    headers = {"Accept": "application/json", "Content-Type": "application/json"}
    answer = client.post("/sign-in/passkey", data=body, headers=headers)
    assert answer.status_code in {400, 403, 422}
    assert answer.get_json()["error"]["what"]


def test_elsewhere_than_over_https_it_is_said_why_there_are_none(open_doors) -> None:
    world, base = open_doors, "http://192.168.1.20:8000"
    client = world.app.test_client()
    token = world.services.accounts.issue_sign_in_link(world.kim.identity.user_id)
    client.get(f"/enter/{token}", base_url=base)
    page = client.get("/account", base_url=base).text
    assert "Passkeys need https" in page
    assert "Add a passkey" not in page
    headers = {"Accept": "application/json"}
    refused = client.post("/sign-in/passkey/options", base_url=base, headers=headers)
    assert refused.status_code == 422
    assert "https" in refused.get_json()["error"]["what"]
    app = world.restarted(Config(web={"address": "https://back.example"}))  # type: ignore[arg-type]
    app.config["WTF_CSRF_ENABLED"] = False
    asked = app.test_client().post("/sign-in/passkey/options", base_url="https://back.example", headers=headers)
    assert asked.get_json()["rpId"] == "back.example"


# What asks for a fresh sign-in


def test_keys_are_changed_after_a_fresh_sign_in_only(open_doors) -> None:
    world, device = open_doors, Authenticator()
    with_password(world)
    client, _ = by_password(world)
    enrol(client, device)
    passkey_id = world.services.passkeys.of_person(world.kim.identity)[0].passkey_id
    world.clock.forward(minutes=11)
    headers = {"Referer": "http://localhost/account"}
    new = {"password": "another kettle violin", "again": "another kettle violin"}
    for path, data in (
        ("/account", new),
        (f"/account/passkeys/{passkey_id}/remove", {}),
        ("/account/second-factor", {}),
        ("/account/second-factor/confirm", {"code": "123456"}),
        ("/account/second-factor/codes", {}),
        ("/account/second-factor/remove", {}),
    ):
        answer = client.post(path, data=data, headers=headers)
        assert answer.headers["Location"] == "/confirm?next=/account", path
    assert client.post("/account/passkeys/options", headers={"Accept": "application/json"}).status_code == 403
    assert client.get("/account/second-factor").headers["Location"].startswith("/confirm?next=")
    assert "Nothing was changed yet" in client.get("/confirm?next=/account").text
    page = client.get("/account").text
    assert "Show that it is you" in page
    assert 'name="password"' not in page
    wrong = client.post("/sign-in", data={"confirm": "yes", "password": "guess", "next": "/account"})
    assert (wrong.status_code, "Show that it is you" in wrong.text) == (403, True)
    right = client.post("/sign-in", data={"confirm": "yes", "name": "Lou", "password": GOOD, "next": "/account"})
    assert right.headers["Location"] == "/account"
    assert len(world.services.sign_ins.of_person(world.kim.identity, None)) == 1
    assert client.post("/account", data=new).status_code == 303
    world.clock.forward(minutes=11)
    assert pressed(client, device, confirm=True, onward="/account").get_json()["next"] == "/account"
    assert client.get("/confirm?next=/account").headers["Location"] == "/account"


def test_a_clock_that_is_set_back_makes_nothing_fresh(open_doors) -> None:
    world = open_doors
    with_password(world)
    client, _ = by_password(world)
    assert client.get("/confirm?next=/account").status_code == 303
    world.clock.forward(seconds=-30)  # kept right
    assert client.get("/confirm?next=/account").status_code == 303
    world.clock.forward(days=-3)
    assert client.get("/confirm?next=/account").status_code == 200
    half = client.post("/sign-in", data={"confirm": "yes", "password": GOOD, "next": "/account"})
    assert half.headers["Location"] == "/account"
    assert client.get("/confirm?next=/account").status_code == 303


def test_a_code_is_part_of_showing_that_it_is_you(open_doors) -> None:
    world = open_doors
    with_password(world)
    client, _ = by_password(world)
    secret, _ = switch_on(world, client)
    world.clock.forward(minutes=11)
    half = client.post("/sign-in", data={"confirm": "yes", "password": GOOD, "next": "/account"})
    assert half.headers["Location"] == "/sign-in/code"
    assert client.get("/account/second-factor").headers["Location"].startswith("/confirm")
    done = client.post("/sign-in/code", data={"code": pyotp.TOTP(secret).at(world.clock.now)})
    assert done.headers["Location"] == "/account"
    assert "Switch it off" in client.get("/account").text


def test_a_first_password_needs_no_more_than_the_sign_in(open_doors) -> None:
    """Whoever came by link a week ago has nothing to show again; the first secret is set as it always was."""
    client = open_doors.client(open_doors.ada)
    open_doors.clock.forward(days=7)
    new = {"password": GOOD, "again": GOOD}
    assert client.post("/account", data=new).headers["Location"] == "/account"
    other = {"password": "another kettle violin", "again": "another kettle violin"}
    assert client.post("/account", data=other).headers["Location"].startswith("/confirm")


def test_every_route_that_asks_for_a_fresh_sign_in_needs_somebody_signed_in(world) -> None:
    asking = {endpoint for endpoint in world.app.view_functions if access.wants_fresh(world.app, endpoint)}
    assert {"account.remove_factor", "passkeys.remove", "account.renew_codes"} <= asking
    public = {each for each in asking if access.access_of(world.app, each) is access.Access.PUBLIC}
    assert public == set()


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("/account", True),
        ("/athletes/1?day=2026-11-24", True),
        ("//evil.example", False),
        ("/\\evil.example", False),
        ("https://evil.example/", False),
        ("javascript:alert(1)", False),
        ("/a\r\nSet-Cookie: x", False),
        ("account", False),
        ("http://[", False),
        ("/" + "x" * 2000, False),
        ("", False),
    ],
)
def test_a_sign_in_leads_nowhere_else(text: str, kept: bool) -> None:
    assert local_page(text) == (text if kept else "")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (FIREFOX, "Firefox on Linux"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit Chrome/130.0 Safari/537.36 Edg/130.0", "Edge on Windows"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit Chrome/130.0 Mobile Safari/537.36", "Chrome on Android"),
        ("<script>alert(1)</script>", "Another browser"),
        ("", "Another browser"),
        ("x" * 100_000, "Another browser"),
    ],
)
def test_browsers_are_called_what_people_call_them(said: str, words: str) -> None:
    assert device_words(said) == words


def test_who_was_helped_is_told_at_the_next_sign_in(open_doors) -> None:
    world = open_doors
    with_password(world)
    switch_on(world, by_password(world)[0])
    world.services.accounts.reset(world.kim.identity.user_id)
    client = world.app.test_client()
    token = world.services.accounts.issue_sign_in_link(world.kim.identity.user_id)
    page = client.get(f"/enter/{token}", follow_redirects=True).text
    assert "removed your second factor" in page
    assert "removed your second factor" not in client.get("/account").text


def test_failed_tries_are_shown_to_whose_account_it_is(open_doors) -> None:
    world = open_doors
    with_password(world)
    for _ in range(2):
        by_password(world, "Kim", "guess")
    client, _ = by_password(world)
    assert "2 tries to sign in as you failed" in client.get("/account").text
    world.clock.forward(days=8)
    later = world.client(world.kim)
    assert "tries to sign in as you failed" not in later.get("/account").text


@pytest.mark.parametrize("role", list(Role))
def test_everybody_has_an_account_whatever_they_are_here_for(open_doors, role: Role) -> None:
    world, device = open_doors, Authenticator()
    accounts = world.services.accounts
    athlete_id = world.services.athletes.create("Noa", "UTC") if role is Role.ATHLETE else None
    user_id = accounts.create_user("Noa", role, athlete_id=athlete_id)
    client = world.app.test_client()
    assert client.get(f"/enter/{accounts.issue_sign_in_link(user_id)}").status_code == 303
    assert client.get("/account").status_code == 200
    assert enrol(client, device).status_code == 200
    onward = pressed(world.app.test_client(), device).get_json()["next"]
    assert client.get(onward).status_code == 200
