"""Headers on every answer, no inline code, CSRF and Origin, sizes."""

from __future__ import annotations

import re

import pytest

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
