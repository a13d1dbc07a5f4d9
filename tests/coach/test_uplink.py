"""The connection to a server: where it may speak plainly, and what each answer means to a person."""

from __future__ import annotations

import http.server
import json
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from coach.errors import Conflict, InvalidInput, NotAllowed, StoreUnavailable
from coach.uplink import NotWanted, TooMuch, Uplink, _private
from tests.conftest import skip_or_fail

TOKEN = "0123456789abcdef-secret"


class Answering:
    """A server that answers as it is told and remembers what it was asked."""

    def __init__(self) -> None:
        self.status, self.body, self.asked, self.connections = 200, b"{}", list[dict[str, str]](), 0
        self.close_after = False
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                outer.connections += 1
                super().setup()

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                outer.asked.append(dict(self.headers) | {"path": self.path})
                self.send_response(outer.status)
                self.send_header("Content-Length", str(len(outer.body)))
                self.end_headers()
                self.wfile.write(outer.body)
                # Ended without a word, as a server that restarts does.
                self.close_connection = outer.close_after

            def log_message(self, *_: object) -> None:
                pass

        self.httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.httpd.daemon_threads = True
        self.port = self.httpd.server_port
        threading.Thread(target=self.httpd.serve_forever, args=(0.02,), daemon=True).start()

    def says(self, what: str) -> None:
        self.body = json.dumps({"error": {"what": what}}).encode()


@pytest.fixture
def server() -> Iterator[Answering]:
    running = Answering()
    yield running
    running.httpd.shutdown()
    running.httpd.server_close()


@pytest.fixture
def uplink(server: Answering) -> Iterator[Uplink]:
    link = Uplink(f"http://127.0.0.1:{server.port}/club/", TOKEN)
    yield link
    link.close()


def test_one_connection_serves_many_posts(server: Answering, uplink: Uplink) -> None:
    for _ in range(5):
        assert uplink.post("/api/v1/chunks", b"x", "text/plain", Extra="1") == b"{}"
    assert server.connections == 1
    assert {each["path"] for each in server.asked} == {"/club/api/v1/chunks"}
    assert {(each["Authorization"], each["Extra"]) for each in server.asked} == {(f"Bearer {TOKEN}", "1")}


def test_a_connection_that_the_server_ended_is_opened_again(server: Answering, uplink: Uplink) -> None:
    server.close_after = True
    for _ in range(3):
        assert uplink.post("/x", b"", "text/plain") == b"{}"
    assert (server.connections, len(server.asked)) == (3, 3)


@pytest.mark.parametrize(
    ("status", "kind", "told"),
    [
        (401, NotAllowed, "make a new one"),
        (403, NotWanted, "the reason"),
        (409, Conflict, "the reason"),
        (413, TooMuch, "at a time"),
        (422, InvalidInput, "the reason"),
        (400, InvalidInput, "the reason"),
        (301, StoreUnavailable, "has moved"),
        (429, StoreUnavailable, "try again later"),
        (503, StoreUnavailable, "try again later"),
        (418, StoreUnavailable, "try again later"),
    ],
)
def test_every_refusal_is_one_sentence(
    server: Answering, uplink: Uplink, status: int, kind: type[Exception], told: str
) -> None:
    server.status = status
    server.says("the reason")
    with pytest.raises(kind, match=told) as caught:
        uplink.post("/api/v1/chunks", b"x", "text/plain")
    assert type(caught.value) is kind
    assert TOKEN not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_foreign_portals_401_ends_nothing(server: Answering, uplink: Uplink) -> None:
    server.status, server.body = 401, b"<html>Welcome to our hotel"
    with pytest.raises(StoreUnavailable):
        uplink.post("/api/v1/chunks", b"x", "text/plain")


@pytest.mark.parametrize("url", ["ftp://x", "backstop", "http://", "http://[::1", "http://a:b@c", "https://x:99999"])
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(InvalidInput, match="web address"):
        Uplink(url, TOKEN)


@pytest.mark.parametrize("token", ["", "two words", "line\n", "bär"])
def test_tokens_that_are_none(token: str) -> None:
    with pytest.raises(InvalidInput, match="Wearables page"):
        Uplink("http://127.0.0.1", token)


def test_nothing_is_sent_in_plain_text_to_the_open_internet(server: Answering, monkeypatch: pytest.MonkeyPatch) -> None:
    # The socket is real; only what it says of its far end is that of a server of the internet.
    monkeypatch.setattr(socket.socket, "getpeername", lambda _: ("93.184.216.34", 80))
    with pytest.raises(StoreUnavailable, match="nothing was sent"):
        Uplink(f"http://127.0.0.1:{server.port}", TOKEN).post("/x", b"", "text/plain")
    assert server.asked == []
    open_way = Uplink(f"http://127.0.0.1:{server.port}", TOKEN, allow_plain=True)
    open_way.post("/x", b"", "text/plain")
    open_way.close()
    assert len(server.asked) == 1


def test_which_networks_are_private() -> None:
    private = ("127.0.0.1", "::1", "10.1.2.3", "192.168.1.20", "172.16.0.9", "169.254.1.1", "fe80::1%eth0", "fd00::5")
    assert all(map(_private, (*private, "::ffff:192.168.1.20")))
    assert not any(map(_private, ("8.8.8.8", "100.64.0.1", "2606:4700::1111", "::ffff:8.8.8.8", "172.32.0.1")))


def test_nobody_there_is_one_sentence() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        Uplink(f"http://127.0.0.1:{port}", TOKEN).post("/x", b"", "text/plain")


def test_a_server_that_hangs_is_given_up(server: Answering) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(StoreUnavailable, match="cannot be reached"):
            Uplink(f"http://127.0.0.1:{silent.getsockname()[1]}", TOKEN, timeout_s=0.1).post("/x", b"", "text/plain")


def secured(server: Answering, folder: Path) -> Path:
    """Let the server speak https with a certificate for localhost that it signed itself; return the certificate."""
    if shutil.which("openssl") is None:
        skip_or_fail("No openssl to make a certificate with: apt-get install openssl.")
    key, certificate = folder / "key.pem", folder / "cert.pem"
    words = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=localhost"
    words += f" -addext subjectAltName=DNS:localhost -keyout {key} -out {certificate}"
    subprocess.run(words.split(), capture_output=True, check=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.httpd.socket = context.wrap_socket(server.httpd.socket, server_side=True)
    return certificate


def test_a_certificate_that_nobody_vouches_for_is_refused_before_the_token_is_sent(
    server: Answering, tmp_path: Path
) -> None:
    secured(server, tmp_path)
    with pytest.raises(StoreUnavailable, match="is not trusted"):
        Uplink(f"https://localhost:{server.port}", TOKEN).post("/x", b"", "text/plain")
    assert server.asked == []


def test_a_trusted_certificate_counts_for_its_own_name_only(
    server: Answering, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(secured(server, tmp_path)))
    uplink = Uplink(f"https://localhost:{server.port}", TOKEN)
    assert uplink.post("/x", b"", "text/plain") == b"{}"
    uplink.close()
    assert len(server.asked) == 1
    with pytest.raises(StoreUnavailable, match="is not trusted"):
        Uplink(f"https://127.0.0.1:{server.port}", TOKEN).post("/x", b"", "text/plain")
    assert len(server.asked) == 1
