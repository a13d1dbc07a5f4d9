"""Clients that dawdle: they lose their place, whoever is only slow keeps theirs, and nobody else waits."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from coach.web import pacing
from coach.web.pacing import PacedSocket
from tests.coach.web.test_server import SERVE

# The grace as short as a test wants it; all else as it is served.
IMPATIENT = SERVE.replace("web = Web(", "from coach.web import pacing\npacing.GRACE_S = 1.0\nweb = Web(", 1)


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[PacedSocket, socket.socket]]:
    monkeypatch.setattr(pacing, "GRACE_S", 0.3)
    ours, theirs = socket.socketpair()
    paced = PacedSocket.of(ours)
    paced.begin_request()
    with paced, theirs:
        yield paced, theirs


def test_who_sends_nothing_is_left_after_the_grace(ends: tuple[PacedSocket, socket.socket]) -> None:
    paced, _ = ends
    began = time.monotonic()
    assert paced.recv(10) == b""
    assert 0.25 < time.monotonic() - began < 5
    assert paced.recv(10) == b""


def test_a_byte_now_and_then_buys_no_time(ends: tuple[PacedSocket, socket.socket]) -> None:
    paced, theirs = ends
    stop = threading.Event()

    def trickle() -> None:
        while not stop.wait(0.05):
            theirs.send(b"x")

    thread = threading.Thread(target=trickle)
    thread.start()
    heard = 0
    while paced.recv(10):
        heard += 1
    stop.set()
    thread.join()
    assert 1 <= heard < 30


def test_who_is_slow_but_moves_is_heard_to_the_end(ends: tuple[PacedSocket, socket.socket]) -> None:
    """Pieces of 4 kB with pauses of half the grace: in all, several times the grace passes."""
    paced, theirs = ends

    def send() -> None:
        for _ in range(8):
            time.sleep(0.15)
            theirs.sendall(b"y" * 4000)
        theirs.close()

    thread = threading.Thread(target=send)
    thread.start()
    size = 0
    while piece := paced.recv(65536):
        size += len(piece)
    thread.join()
    assert size == 32_000


def test_who_reads_nothing_is_left_after_the_grace(ends: tuple[PacedSocket, socket.socket]) -> None:
    paced, _ = ends
    with pytest.raises(BrokenPipeError):
        paced.sendall(b"z" * 50_000_000)


def test_what_somebody_else_waits_for_and_what_never_waits_stays_as_it_is(
    ends: tuple[PacedSocket, socket.socket], tmp_path: Path
) -> None:
    paced, theirs = ends
    paced.settimeout(0.05)
    with pytest.raises(TimeoutError):
        paced.recv(1)
    paced.setblocking(False)
    with pytest.raises(BlockingIOError):
        paced.recv(1)
    paced.setblocking(True)
    (tmp_path / "file").write_bytes(b"0123456789")
    with (tmp_path / "file").open("rb") as file:
        assert paced.sendfile(file, offset=2, count=5) == 5
    assert theirs.recv(100) == b"23456"


def test_dawdlers_in_every_place_do_not_keep_a_page_from_anybody(tmp_path: Path) -> None:
    """More of them than there are threads: with half a head, half a body, and an answer that nobody reads."""
    command = [sys.executable, "-c", IMPATIENT, str(tmp_path), "4", "4"]
    half = (
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX-",
        b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        b"Content-Length: 5000\r\n\r\nname=",
    )
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process, ExitStack() as opened:
        opened.callback(process.terminate)
        assert process.stdout is not None
        port = int(process.stdout.readline().split()[0])
        dawdlers = [opened.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30)) for _ in range(16)]
        for number, each in enumerate(dawdlers):
            each.sendall(half[number % 2])
        time.sleep(0.3)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        opened.callback(connection.close)
        began = time.monotonic()
        connection.request("GET", "/healthz")
        assert connection.getresponse().status == 200
        # Sixteen in eight places are two graces.
        assert time.monotonic() - began < 10
        for each in dawdlers:
            with suppress(ConnectionError):
                while each.recv(65536):
                    pass  # each connection comes to its end
