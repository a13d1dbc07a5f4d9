"""Headers on every answer, no inline code, CSRF and Origin, sizes."""

from __future__ import annotations

import re

import pytest

from coach.service.types import Role
from coach.web.headers import _same_host

PAGES = {
    "kim": ["/athletes", "/athletes/{ada}", "/findings/{finding}", "/athletes/{ada}/safety", "/account"],
    "ada": ["/today", "/week", "/safety", "/wearables", "/account"],
}


def test_every_answer_carries_the_headers(world) -> None:
    client = world.client(world.kim)
    for path in ("/", "/athletes", "/nothing", "/static/css/backstop.css", "/healthz", "/api/v1/athletes", "/today"):
        headers = client.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy, path
        assert "frame-ancestors 'none'" in policy
        assert "base-uri 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] in {"same-origin", "no-referrer"}
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"


def test_pages_with_health_data_are_not_kept(world) -> None:
    assert world.client(world.kim).get(f"/athletes/{world.ada.athlete_id}").headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("name", ["kim", "ada"])
def test_no_page_has_inline_code_or_foreign_addresses(accepted, name: str) -> None:
    client = accepted.client(getattr(accepted, name))
    for path in PAGES[name]:
        page = client.get(path.format(ada=accepted.ada.athlete_id, finding=accepted.finding_id)).text
        assert not re.search(r"<script(?![^>]*\bsrc=)", page), path
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|hx-on|javascript:", page), path
        own = re.sub(r'value="http://[^"]*/calendar/[^"]+"', "", page)
        assert not re.search(r'(src|href)="(https?:)?//', own), path
        assert '<html lang="en">' in page
        assert 'href="#main"' in page


def test_a_change_without_a_token_is_refused(nothing_to_tell) -> None:
    client = nothing_to_tell.client(nothing_to_tell.kim)
    answer = client.post(f"/plans/{nothing_to_tell.plan_id}/accept")
    assert answer.status_code == 400
    assert "Reload" in answer.text
    assert nothing_to_tell.services.plans.active(nothing_to_tell.ada.athlete_id) is None


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://localhost.evil.example", "http://localhost:81"]
)
def test_another_sites_page_cannot_change_anything(nothing_to_tell, csrf_of, origin: str) -> None:
    client = nothing_to_tell.client(nothing_to_tell.kim)
    headers = {"X-CSRFToken": csrf_of(client), "Origin": origin}
    assert client.post(f"/plans/{nothing_to_tell.plan_id}/accept", headers=headers).status_code == 400
    assert nothing_to_tell.services.plans.active(nothing_to_tell.ada.athlete_id) is None


@pytest.mark.parametrize("host", ["localhost", "192.168.1.20:8000", "backstop.local:8000", "[fe80::1]:8000"])
def test_any_host_name_works(nothing_to_tell, csrf_of, host: str) -> None:
    client, base = nothing_to_tell.app.test_client(), f"http://{host}"
    link = nothing_to_tell.services.accounts.issue_sign_in_link(nothing_to_tell.kim.identity.user_id)
    client.get(f"/enter/{link}", base_url=base)
    page = client.get("/account", base_url=base).text
    found = re.search(r'"X-CSRFToken": "([^"]+)"', page)
    assert found
    answer = client.post(
        f"/plans/{nothing_to_tell.plan_id}/accept",
        base_url=base,
        headers={"X-CSRFToken": found[1], "Origin": base},
    )
    assert answer.status_code == 303


@pytest.mark.parametrize(
    ("origin", "host", "same"),
    [
        ("https://back.example", "back.example", True),
        ("https://back.example", "back.example:443", True),
        ("https://back.example", "back.example:8000", False),
        ("http://back.example:8000", "back.example:8000", True),
        ("http://BACK.example", "back.example", True),
        ("null", "null", False),
        ("http://a:notaport", "a", False),
        ("file://", "", False),
    ],
)
def test_origin_against_host(origin: str, host: str, same: bool) -> None:
    assert _same_host(origin, host) is same


def test_a_form_that_is_too_large_is_refused(world, csrf_of) -> None:
    client = world.client(world.ada)
    answer = client.post("/account", data={"csrf_token": csrf_of(client), "password": "x" * 100_000, "again": ""})
    assert answer.status_code == 413
    assert "more than" in answer.text


def test_static_files_are_versioned_and_compressed(world) -> None:
    client = world.client()
    page = client.get("/").text
    found = re.search(r'href="(/static/vendor/tabler[^"]+)"', page)
    assert found
    plain = client.get(found[1])
    packed = client.get(found[1], headers={"Accept-Encoding": "gzip"})
    assert "max-age=31536000" in plain.headers["Cache-Control"]
    assert packed.headers["Content-Encoding"] == "gzip"
    assert len(packed.data) < len(plain.data) / 4
    assert client.get("/static/../app.py").status_code == 404
    for folder in ("/static/", "/static/css", "/static/%2e%2e/app.py", "/static/css/..%2f..%2fapp.py"):
        assert client.get(folder).status_code == 404, folder


def test_a_header_that_anybody_can_write_opens_nothing(nothing_to_tell, csrf_of) -> None:
    client = nothing_to_tell.client(nothing_to_tell.kim)
    headers = {
        "X-CSRFToken": csrf_of(client),
        "Origin": "http://evil.example",
        "X-Forwarded-Host": "evil.example",
        "X-HTTP-Method-Override": "POST",
    }
    assert client.post(f"/plans/{nothing_to_tell.plan_id}/accept", headers=headers).status_code == 400
    assert client.get(f"/plans/{nothing_to_tell.plan_id}/accept", headers=headers).status_code == 405
    assert nothing_to_tell.services.plans.active(nothing_to_tell.ada.athlete_id) is None


def test_behind_a_proxy_that_ends_https_and_passes_on_the_host(nothing_to_tell) -> None:
    client = nothing_to_tell.app.test_client()
    asked = {"base_url": "http://back.example"}
    told = {"X-Forwarded-Proto": "https"}
    link = nothing_to_tell.services.accounts.issue_sign_in_link(nothing_to_tell.kim.identity.user_id)
    answer = client.get(f"/enter/{link}", headers=told, **asked)
    assert "Secure" in answer.headers["Set-Cookie"]
    cookie = answer.headers["Set-Cookie"].partition(";")[0]
    page = client.get("/account", headers={**told, "Cookie": cookie}, **asked)
    found = re.search(r'"X-CSRFToken": "([^"]+)"', page.text)
    assert found
    kept = page.headers.get("Set-Cookie", cookie).partition(";")[0]
    headers = {**told, "Cookie": kept, "X-CSRFToken": found[1], "Origin": "https://back.example"}
    accepted = client.post(f"/plans/{nothing_to_tell.plan_id}/accept", headers=headers, **asked)
    assert accepted.status_code == 303
    assert accepted.headers["Location"].startswith("/athletes/")


def test_a_program_without_an_origin_but_with_a_token_is_let_in(nothing_to_tell, csrf_of) -> None:
    client = nothing_to_tell.client(nothing_to_tell.kim)
    headers = {"X-CSRFToken": csrf_of(client)}
    path = f"/plans/{nothing_to_tell.plan_id}/decline"
    assert client.post(path, headers={**headers, "Sec-Fetch-Site": "cross-site"}).status_code == 400
    assert client.post(path, headers=headers).status_code == 303


STRANGE = [
    "/athletes/%ff%fe",
    "/athletes/%00",
    "/findings/%e2%80%ae/signal.json",
    "/athletes/{ada}/day.json?day=9999-12-31",
    "/athletes/{ada}/day.json?day=0001-01-01",
    "/athletes/{ada}/day.json?day=%ff",
    "/athletes/{ada}/day.json?" + "a=b&" * 2000,
    "/live/" + "x" * 3000,
    "/enter/%00",
    "/calendar/%ff.ics",
    "//evil.example/athletes",
    "/%2f%2fevil.example",
    "/athletes/{ada}%0d%0aSet-Cookie:a=b",
]


@pytest.mark.parametrize("path", STRANGE)
def test_a_strange_address_is_answered_with_a_sentence(world, path: str) -> None:
    answer = world.client(world.kim).get(path.format(ada=world.ada.athlete_id))
    assert answer.status_code in {200, 303, 308, 400, 403, 404, 414, 422}
    assert "evil.example" not in answer.headers.get("Location", "").removeprefix("http://localhost")
    assert "a=b" not in answer.headers.get("Set-Cookie", "")
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("body", [b"outcome=\xff\xfe", b"%", b"name=" + b"%00" * 50, b"\xff" * 500])
def test_a_strange_form_is_answered_with_a_sentence(world, csrf_of, body: bytes) -> None:
    client = world.client(world.ada)
    headers = {"X-CSRFToken": csrf_of(client), "Content-Type": "application/x-www-form-urlencoded"}
    for path in ("/wearables", "/safety", "/account", "/sign-in"):
        answer = client.post(path, data=body, headers=headers)
        assert answer.status_code in {303, 400, 403, 422, 429}, (path, answer.status_code)
        assert "Traceback" not in answer.text


def test_names_are_text_wherever_they_are_shown(world, csrf_of) -> None:
    name = "<img src=x onerror=alert(1)>\"'{{7*7}}"
    coach_id = world.services.accounts.create_user(name, Role.COACH)
    athlete_id = world.services.athletes.create(name, "Europe/Berlin", coach_id, sport="<b>x</b>")
    world.services.athletes.link_coach(world.kim.identity.user_id, athlete_id)
    client = world.client(world.kim)
    for path in ("/athletes", f"/athletes/{athlete_id}", f"/athletes/{athlete_id}/safety"):
        page = client.get(path).text
        assert "<img" not in page, path
        assert "<b>x" not in page
        assert "onerror" in page
    listed = client.get("/api/v1/athletes")
    assert listed.content_type == "application/json"
    assert name in {each["athlete"]["name"] for each in listed.get_json()["items"]}


def test_what_a_fragment_could_not_do_leaves_the_page_standing(nothing_to_tell) -> None:
    client, world = nothing_to_tell.client(nothing_to_tell.kim), nothing_to_tell
    refused = client.post(f"/plans/{world.plan_id}/accept", headers={"HX-Request": "true"})
    assert refused.status_code == 400
    assert refused.headers["HX-Reswap"] == "afterbegin"
    assert 'role="alert"' in refused.text
    gone = client.get("/athletes/nobody/plan", headers={"HX-Request": "true"})
    assert (gone.status_code, gone.headers["HX-Reswap"]) == (404, "none")
    stranger = world.client().get(f"/athletes/{world.ada.athlete_id}/plan", headers={"HX-Request": "true"})
    assert (stranger.status_code, stranger.headers["HX-Redirect"]) == (401, "/")


def test_nothing_is_to_be_found_by_search_and_health_tells_no_details(world) -> None:
    for path in ("/", "/healthz", "/calendar/x.ics", "/static/css/backstop.css"):
        assert "noindex" in world.client().get(path).headers["X-Robots-Tag"], path
    assert world.client().get("/healthz").get_json() == {"status": "alive"}
    assert world.client().get("/readyz").get_json() == {"status": "ready"}
    assert world.client().options("/athletes").status_code in {200, 303}
    assert not world.client().head("/").data
