"""The example of a NATS with TLS and a name for each role: what each may do is what its process does, and no more."""

from __future__ import annotations

import queue
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from coach.errors import StoreUnavailable
from coach.jetstream.line import NatsLine
from coach.jetstream.streams import Message, backlog, forget, make_stream, store
from coach.jetstream.taking import Taker
from coach.jetstream_log import MOTION, JetStreamLog
from tests.conftest import skip_or_fail
from tests.servers import Nats, NoBinary

DEPLOY = Path(__file__).resolve().parent.parent / "deploy"
# s that a machine under load may take for what takes a moment, and in which nothing comes.
WAIT_S, NOTHING_S = 30.0, 0.5
CONSUMERS = JetStreamLog(None, None, None, 2).consumers  # type: ignore[arg-type]


class NatsWithRoles(Nats):
    """A private server by deploy/nats.conf and deploy/nats-roles.conf, with paths and a port of its own."""

    def start(self) -> None:
        if not (self.folder / "server.pem").exists():
            made = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost"
            names = ("-addext", "subjectAltName=DNS:localhost", "-keyout", "server.key", "-out", "server.pem")
            subprocess.run([*made.split(), *names], cwd=self.folder, check=True, capture_output=True)
        text = (
            (DEPLOY / "nats.conf")
            .read_text()
            .replace("include ../../run/secrets/nats_token", "include nats-roles.conf")
        )
        for ours, own in (
            ("0.0.0.0:4222", f"127.0.0.1:{self.port}"), ("http: 127.0.0.1:8222\n", ""),
            ("/data", f"{self.folder}/store"), ("  sync_interval: always\n", ""),  # known from 2.10 on
        ):  # fmt: skip
            assert ours in text
            text = text.replace(ours, own)
        (self.folder / "nats.conf").write_text(text)
        roles = (DEPLOY / "nats-roles.conf").read_text()
        assert "/etc/nats/" in roles
        (self.folder / "nats-roles.conf").write_text(roles.replace("/etc/nats/", f"{self.folder}/"))
        (self.folder / "nats_passwords").write_text("".join(f'{each}: "1e5{each}"\n' for each in ROLES))
        checked = subprocess.run(
            [self._server, "-c", "nats.conf", "-t"], cwd=self.folder, capture_output=True, text=True
        )
        assert checked.returncode == 0, checked.stderr
        self._spawn(self._server, "-c", "nats.conf")

    def line(self, role: str, name: str | None = None) -> NatsLine:
        return NatsLine(f"tls://{role}:1e5{role.upper()}@localhost:{self.port}", f"{name or role}-here-1")


ROLES = ("WEB", "WORKER", "CLOCK", "ADMIN")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[NatsWithRoles]:
    if shutil.which("openssl") is None:
        skip_or_fail("There is no openssl on this machine: apt-get install openssl.")
    try:
        server = NatsWithRoles()
    except NoBinary as error:
        skip_or_fail(str(error))
    monkeypatch.setenv("SSL_CERT_FILE", str(server.folder / "server.pem"))
    yield server
    server.close()


def test_each_role_does_its_work_over_tls_and_cannot_do_that_of_another(server: NatsWithRoles) -> None:
    heard: queue.Queue[bytes] = queue.Queue()
    with server.line("web") as web, server.line("worker") as worker, server.line("clock") as clock:
        for line in (clock, web, worker):  # whoever starts first makes the stream
            assert line.wait_connected(WAIT_S)
            make_stream(line, MOTION, CONSUMERS)
        for line in (web, clock):
            for subject in ("motion.>", "$JS.ACK.>", "_INBOX.worker.>", "_INBOX.>"):
                line.subscribe(subject, lambda _, data: heard.put(data))
        worker.subscribe("live.>", lambda _, data: heard.put(data))
        chunk = Message("motion.0.ada", "1", b"signal")
        for line in (worker, clock):
            with pytest.raises(StoreUnavailable):
                line.ask(chunk.subject, chunk.data, NOTHING_S)
        assert store(web, [chunk]) == ["stored"]
        takers = {line: Taker(line, MOTION, CONSUMERS) for line in (web, clock, worker)}
        assert [takers[line].take(1, NOTHING_S) for line in (web, clock)] == [[], []]
        [taken] = takers[worker].take(1, WAIT_S)
        assert taken.data == chunk.data
        web.publish(taken.reply, b"+ACK")  # for a chunk that is not stored
        web.publish("live.ada.1", b"live")
        forget(web, MOTION, "motion.1.*")
        assert backlog(web, MOTION).messages == 1
        taken.done()
        end_s = time.monotonic() + WAIT_S
        while backlog(clock, MOTION).messages and time.monotonic() < end_s:
            time.sleep(0.02)
        assert backlog(clock, MOTION).messages == 0
        for line in (web, worker, clock):
            with pytest.raises(StoreUnavailable):
                line.ask("$JS.API.STREAM.DELETE.MOTION", b"", NOTHING_S)
        assert list(heard.queue) == []


def test_whoever_has_no_password_of_a_role_or_does_not_know_the_server_is_not_let_in(
    server: NatsWithRoles, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as plain:
        assert b'"tls_required":true' in plain.recv(4096)
    host = f"localhost:{server.port}"
    for url in (f"tls://web:other@{host}", f"tls://{host}", f"tls://1e5WEB@{host}"):
        assert refused(server, url, "authentication error")
    monkeypatch.delenv("SSL_CERT_FILE")
    assert refused(server, f"tls://web:1e5WEB@{host}", "TLS handshake error")


def refused(server: NatsWithRoles, url: str, how: str) -> bool:
    """Tell whether the server refuses somebody, by its own log."""
    before = server.told().count(how)
    with NatsLine(url, "web-here-1") as line:
        end_s = time.monotonic() + WAIT_S
        while server.told().count(how) == before and not line.connected and time.monotonic() < end_s:
            time.sleep(0.02)
        return server.told().count(how) > before and not line.connected
