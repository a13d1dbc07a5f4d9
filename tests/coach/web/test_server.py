"""The real server in a process of its own: one listener, prompt stop with open streams, death with its parent."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from coach.errors import AlreadyRunning, ConfigError
from coach.web.server import listen

SERVE = """
import os, sys
from pathlib import Path
from coach.config import Config, Web
from coach.live import LiveFeed
from coach.service import build_services
from coach.service.types import Role
from coach.store.engine import migrate, open_store
from coach.web import create_app
from coach.web.server import serve
from devices.hostclock import SystemClock

folder, readers, pages = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])

def make():
    store = open_store(folder / "backstop.db")
    migrate(store)
    make.services = build_services(store, Config(), SystemClock())
    return create_app(make.services, LiveFeed(readers), Config(), "k" * 32)

def ready(app, port):
    accounts = make.services.accounts
    coach = accounts.create_user("Kim", Role.COACH)
    athlete = make.services.athletes.create("Ada", "Europe/Berlin", coach)
    coaches = [coach, *(accounts.create_user(f"Kim {number}", Role.COACH) for number in range(5))]
    for each in coaches[1:]:
        make.services.athletes.link_coach(each, athlete)
    print(port, os.getpid(), athlete, *map(accounts.issue_sign_in_link, coaches), flush=True)

web = Web(host="127.0.0.1", port=0, page_threads=pages, event_readers_max=readers)
sys.exit(serve(make, web, on_ready=ready, on_stop=lambda: print("stopped", flush=True)))
"""


class Server:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdout is not None
        port, worker, self.athlete_id, *self.links = process.stdout.readline().split()
        self.port, self.worker = int(port), int(worker)
        self.cookie = ""
        self._open = contextlib.ExitStack()

    def get(self, path: str, cookie: str | None = None) -> http.client.HTTPResponse:
        """Ask on a connection of its own, which stays open until the test ends."""
        answer, leave = self.visit(path, cookie)
        self._open.callback(leave)
        return answer

    def visit(self, path: str, cookie: str | None = None) -> tuple[http.client.HTTPResponse, Callable[[], None]]:
        """Ask on a connection of its own; return the answer and what closes it, as a browser does that goes on."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("GET", path, headers={"Cookie": self.cookie if cookie is None else cookie})
        answer = connection.getresponse()

        def leave() -> None:
            answer.close()
            connection.close()

        return answer, leave

    def sign_in(self, number: int = 0) -> str:
        """Sign one of six coaches in, whose cookie is used from now on, and return it."""
        cookies = self.get(f"/enter/{self.links[number]}", "").headers.get_all("Set-Cookie") or []
        self.cookie = "; ".join(each.split(";")[0] for each in cookies)
        return self.cookie

    def post(self, path: str) -> int:
        """Post a kilobyte and return the status."""
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request("POST", path, b"x" * 1000)
            return connection.getresponse().status

    def close(self) -> None:
        self._open.close()
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(20)
        assert self.process.stdout is not None
        self.process.stdout.close()


@contextlib.contextmanager
def serving(folder: Path, readers: int, pages: int) -> Iterator[Server]:
    command = [sys.executable, "-c", SERVE, str(folder), str(readers), str(pages)]
    started = Server(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
    try:
        yield started
    finally:
        started.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path, readers=8, pages=4) as started:
        yield started


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.05)
    return holds()


def gone(pid: int) -> bool:
    with contextlib.suppress(OSError):
        os.kill(pid, 0)
        # A process that ended and is not waited for yet is gone all the same.
        return "Z" in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return True


def test_open_streams_leave_room_for_pages_and_end_with_the_server(server: Server) -> None:
    server.sign_in()
    streams = [server.get(f"/live/{server.athlete_id}") for _ in range(10)]
    assert sorted(answer.status for answer in streams) == [200] * 8 + [503] * 2
    assert server.get(f"/athletes/{server.athlete_id}").status == 200
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(20) == 0
    assert server.process.stdout is not None
    assert "stopped" in server.process.stdout.read()


def test_with_every_stream_open_pages_and_gateways_are_still_answered(tmp_path: Path) -> None:
    with serving(tmp_path, readers=64, pages=32) as server:
        # One person has twelve places at most: six share the 64.
        people = [server.sign_in(number) for number in range(6)]
        page, stream = f"/athletes/{server.athlete_id}", f"/live/{server.athlete_id}"
        streams = [server.get(stream, people[number % 6]) for number in range(64)]
        assert [answer.status for answer in streams] == [200] * 64
        refused = server.get(stream, people[5])
        assert refused.status == 503
        assert int(refused.getheader("Retry-After") or 0) >= 1
        with ThreadPoolExecutor(48) as at_once:
            pages = [at_once.submit(server.get, page, people[number % 6]) for number in range(32)]
            posts = [at_once.submit(server.post, "/api/v1/chunks") for _ in range(16)]
            assert [each.result(30).status for each in pages] == [200] * 32
            assert [each.result(30) for each in posts] == [401] * 16  # answered: it has no token


def test_who_goes_from_page_to_page_never_runs_out_of_places(server: Server) -> None:
    """Each page is left as soon as its stream is there, more of them than there are places for anybody."""
    server.sign_in()
    for _ in range(30):
        answer, leave = server.visit(f"/live/{server.athlete_id}")
        assert answer.status == 200
        assert answer.readline().startswith(b"retry:")
        leave()


def test_a_persons_thirteenth_open_page_takes_the_place_of_the_first(tmp_path: Path) -> None:
    with serving(tmp_path, readers=16, pages=4) as server:
        server.sign_in()
        tabs = [server.get(f"/live/{server.athlete_id}") for _ in range(13)]
        assert [answer.status for answer in tabs] == [200] * 13
        # The first is told and ends, and nobody else.
        assert b'"elsewhere":true' in tabs[0].read()
        for answer in tabs[1:]:
            with pytest.raises(TimeoutError):
                read_for(answer, 0.3)


def read_for(answer: http.client.HTTPResponse, seconds: float) -> None:
    """Read to the end of a stream. Raises TimeoutError when nothing more comes for a while, so that it goes on."""
    answer.fp.raw._sock.settimeout(seconds)  # type: ignore[union-attr]
    answer.read()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
def test_the_worker_dies_with_its_parent(server: Server) -> None:
    server.process.kill()
    assert within(5, lambda: gone(server.worker))


def test_an_address_in_use_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(AlreadyRunning, match=f"Port {port} is in use"):
            listen("127.0.0.1", port, patience_s=0.0)


def test_an_address_that_gets_free_is_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    bound = listen("127.0.0.1", port)
    assert bound.getsockname()[1] == port
    bound.close()


def test_an_address_of_nobody_is_one_sentence() -> None:
    with pytest.raises(ConfigError, match=r"web\.host"):
        listen("no.such.host.invalid", 8000)
    with pytest.raises(ConfigError, match=r"192\.0\.2\.1"):
        listen("192.0.2.1", 8000)
