"""What every answer carries, whatever was asked, by whom, and whether it could be read at all."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.datastructures import Headers

from coach.web import access
from tests.coach.web.test_access import of_ada, routes
from tests.coach.web.test_server import SERVE

TEMPLATES = Path(access.__file__).parent / "templates"
EXACT = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "X-Permitted-Cross-Domain-Policies": "none",
    "Origin-Agent-Cluster": "?1",
    "X-Robots-Tag": "noindex, nofollow",
}
INLINE = re.compile(
    r"<script(?![^>]*\bsrc=)|<style|\sstyle\s*=|\son[a-z]+\s*=|\bhx-on|javascript:|<base\b|<iframe|<object"
)
# What may be kept: what is of the program and nobody's, and a calendar, whose readers ask again and again.
KEPT = {"static", "calendar.feed", "reminders.worker", "api.document"}


def check(headers: Headers, what: object) -> None:
    """Hold one answer's headers to all that is promised of every answer."""
    for name, value in EXACT.items():
        assert headers.getlist(name) == [value], (what, name, headers.getlist(name))
    assert headers["Referrer-Policy"] in {"same-origin", "no-referrer"}, what
    (policy,) = headers.getlist("Content-Security-Policy")
    told = dict(part.strip().partition(" ")[::2] for part in policy.split(";"))
    # A file that is not ours may do nothing at all; a page only what this server itself gives.
    assert told["default-src"] in {"'self'", "'none'"}, what
    if told["default-src"] == "'self'":
        assert told["script-src"] == told["style-src"] == told["connect-src"] == told["form-action"] == "'self'", what
        assert (told["object-src"], told["base-uri"], told["frame-ancestors"]) == ("'none'", "'none'", "'none'"), what
        assert (told["require-trusted-types-for"], told["trusted-types"]) == ("'script'", "default"), what
    assert not re.search(r"unsafe|https?:|\*|blob:|nonce|strict-dynamic", policy), what
    assert not [name for name, _ in headers if name.lower().startswith("access-control")], what
    for cookie in headers.getlist("Set-Cookie"):
        flags = {part.strip().lower() for part in cookie.split(";")[1:]}
        assert "httponly" in flags, (what, cookie)
        assert flags & {"samesite=lax", "samesite=strict"}, (what, cookie)
        assert not any(flag.startswith("domain=") for flag in flags), what


def asked(world: Any) -> Iterator[tuple[str, str, Any, Any]]:
    """Yield endpoint, method, who and the answer of every route, for an athlete, her coach and a stranger."""
    world.app.config["WTF_CSRF_ENABLED"] = False
    values = of_ada(world)
    for who in (world.ada, world.kim, None):
        client = world.client(who)
        for endpoint, method, path in routes(world.app, values):
            if endpoint == "welcome.sign_out":
                continue
            answer = client.open(path, method=method, headers={"Origin": "http://localhost"}, buffered=False)
            yield endpoint, method, who, answer
            answer.close()


def test_every_route_answers_with_all_headers_and_no_page_has_code_in_it(accepted) -> None:
    statuses: set[int] = set()
    pages = 0
    for endpoint, method, who, answer in asked(accepted):
        what = (endpoint, method, who and who.identity.name, answer.status_code)
        check(answer.headers, what)
        statuses.add(answer.status_code)
        if endpoint not in KEPT:
            assert answer.headers["Cache-Control"] == "no-store", what
        if answer.mimetype == "text/html" and endpoint != "live.events":
            page = answer.get_data(as_text=True)
            assert not INLINE.search(page), (what, INLINE.search(page))
            pages += 1
    assert statuses >= {200, 303, 401, 403, 404, 422}
    assert pages > 150


@pytest.mark.parametrize(
    ("path", "told", "status"),
    [
        ("/no/such/page", {}, 404),
        ("/healthz", {"method": "DELETE"}, 405),
        ("/sign-in", {"method": "POST", "data": "x" * 200_000}, 413),
        ("/" + "x" * 2000, {}, 414),
        ("/sign-in", {"method": "POST"}, 400),
        ("/sign-in", {"method": "POST", "headers": {"Origin": "https://evil.example"}}, 400),
        ("/api/v1/chunks", {"method": "POST"}, 401),
        ("/broken", {}, 500),
        ("/today", {"method": "OPTIONS", "headers": {"Origin": "https://evil.example"}}, None),
    ],
)
def test_every_failure_answers_with_all_headers(world, path: str, told: dict[str, Any], status: int | None) -> None:
    def broken() -> str:
        raise RuntimeError("no")

    world.app.add_url_rule("/broken", endpoint="broken", view_func=access.public(broken))
    answer = world.client().open(path, **told)
    assert status is None or answer.status_code == status
    check(answer.headers, path)


def test_too_often_answers_with_all_headers(world) -> None:
    client = world.client()
    told = [client.post("/sign-in") for _ in range(11)]
    assert told[-1].status_code == 429
    check(told[-1].headers, "429")


def test_over_https_only_https_is_asked_for_from_then_on_and_the_cookie_stays_there(world) -> None:
    plain, ended = world.client().get("/"), world.client().get("/", base_url="https://backstop.example")
    assert "Strict-Transport-Security" not in plain.headers
    assert ended.headers["Strict-Transport-Security"] == "max-age=31536000"
    client = world.app.test_client()
    link = world.services.accounts.issue_sign_in_link(world.kim.identity.user_id)
    answer = client.get(f"/enter/{link}", base_url="https://backstop.example")
    cookies = answer.headers.getlist("Set-Cookie")
    assert cookies
    assert all("; Secure" in cookie for cookie in cookies)
    check(answer.headers, "https")


def test_no_template_has_code_or_style_in_it() -> None:
    """Also what no test renders."""
    templates = sorted(TEMPLATES.rglob("*.html"))
    assert len(templates) > 60
    found = {str(path.relative_to(TEMPLATES)): INLINE.findall(path.read_text("utf-8")) for path in templates}
    assert {name: each for name, each in found.items() if each} == {}


MARKER = "planted-by-the-test"
UNREADABLE = [
    (f"GE T /{MARKER} HTTP/1.1\r\n\r\n", 400),
    (f"GET /{MARKER}{'x' * 5000} HTTP/1.1\r\nHost: a\r\n\r\n", 414),
    (f"GET / HTTP/1.1\r\nHost: a\r\nCookie: {MARKER}{'x' * 9000}\r\n\r\n", 431),
    ("GET / HTTP/1.1\r\nHost: a\r\n" + "".join(f"X-{k}: {MARKER}\r\n" for k in range(80)) + "\r\n", 431),
    (f"GET / HTTP/1.1\r\nHost: a\r\nCookie {MARKER}\r\n\r\n", 400),
    (f"GET / HTTP/1.1\r\nHost: a\r\nCookie: a\r\n {MARKER}\r\n\r\n", 400),
    (f"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: {MARKER}\r\n\r\n", 501),
    (f"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {MARKER}\r\n\r\n", 400),
    (f"GET /{MARKER} HTTP/9.9\r\nHost: a\r\n\r\n", 400),
]


def test_what_is_no_request_is_answered_in_a_sentence_and_repeated_nowhere(tmp_path: Path) -> None:
    serve = SERVE.replace("import os, sys", "import logging, os, sys\nlogging.basicConfig(level=logging.DEBUG)", 1)
    command = [sys.executable, "-c", serve, str(tmp_path), "4", "4"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        port = int(process.stdout.readline().split()[0])
        for sent, status in UNREADABLE:
            with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
                connection.sendall(sent.encode())
                told = b""
                while piece := connection.recv(65536):
                    told += piece
            head, _, body = told.decode().partition("\r\n\r\n")
            assert head.split()[1] == str(status), (sent[:80], head)
            check(Headers([tuple(line.split(": ", 1)) for line in head.split("\r\n")[1:]]), sent[:40])  # type: ignore[misc]
            assert MARKER not in told.decode()
            assert body == "This request could not be read, so nothing was changed.\n"
        process.terminate()
        _, errors = process.communicate(timeout=30)
    assert MARKER not in errors
