"""Posts of chunks over real connections to the real server: those that are alike, those that are not, and the ends."""

from __future__ import annotations

import contextlib
import http.client
import json
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from coach.config import Config
from coach.log import pack
from coach.service import build_services
from coach.service.types import Identity, Purpose, Role
from coach.store.engine import Store, migrate, open_store
from devices.codec import encode_chunk
from devices.hostclock import SystemClock
from tests.coach.club import bending_chunks
from tests.coach.web.conftest import START
from tests.coach.web.test_server import within

SERVE = """
import sys
from pathlib import Path
from coach.config import Config, Web
from coach.live import LiveFeed
from coach.service import build_services
from coach.store.engine import open_store
from coach.web import create_app
from coach.web.server import serve
from devices.hostclock import SystemClock

def make():
    services = build_services(open_store(Path(sys.argv[1]) / "backstop.db"), Config(), SystemClock())
    return create_app(services, LiveFeed(), Config(), "k" * 32)

web = Web(host="127.0.0.1", port=0)
sys.exit(serve(make, web, on_ready=lambda app, port: print(port, flush=True)))
"""
PATH = "/api/v1/chunks"
ADDRESS = "C0:FF:EE:00:00:{:02X}"


@dataclass
class Club:
    """A server in a process of its own, and athletes with a wearable and a gateway's token each."""

    process: subprocess.Popen[str]
    port: int
    folder: Path
    store: Store
    people: list[tuple[Identity, str, str]]
    open_: contextlib.ExitStack

    @property
    def services(self):
        return build_services(self.store, Config(), SystemClock())

    def gateway(self, number: int = 0) -> Gateway:
        gateway = Gateway(self.port, number, self.people[number][2])
        self.open_.callback(gateway.connection.close)
        return gateway

    def stored(self, *gateways: Gateway) -> list[list[int]]:
        """Return the numbers of each gateway's chunks in the database."""
        with contextlib.closing(sqlite3.connect(self.folder / "backstop.db")) as database:
            query = "select seq from chunk join stream on stream.id = stream_id where device_id = ? order by seq"
            return [[seq for (seq,) in database.execute(query, (each.address,))] for each in gateways]


class Gateway:
    """One connection that is kept open."""

    def __init__(self, port: int, number: int, token: str) -> None:
        self.port, self.address = port, ADDRESS.format(number)
        self.head = {"Authorization": f"Bearer {token}", "Content-Type": "application/octet-stream"}
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        self.blobs = [
            encode_chunk(each) for each in bending_chunks(2, 6, START.timestamp(), "lane", device_id=self.address)
        ]

    def body(self, *seqs: int) -> bytes:
        return pack([self.blobs[seq] for seq in seqs])

    def post(self, body: bytes, **head: str) -> tuple[int, list[int], str]:
        """Return status, the numbers that are stored, and who says that it answers."""
        self.connection.request("POST", PATH, body, self.head | head)
        answer = self.connection.getresponse()
        told = json.loads(answer.read())
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        return answer.status, [int(key.rpartition("-")[2]) for key in told.get("stored", [])], answer.headers["Server"]

    def raw(self, *seqs: int, body: bytes | None = None) -> bytes:
        """A post as the bytes that a connection carries."""
        sent = self.body(*seqs) if body is None else body
        lines = [f"POST {PATH} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", f"Content-Length: {len(sent)}"]
        lines += [f"{name}: {value}" for name, value in self.head.items()]
        return "\r\n".join([*lines, "", ""]).encode() + sent


@contextlib.contextmanager
def serving(folder: Path, athletes: int) -> Iterator[Club]:
    with open_store(folder / "backstop.db") as store:
        migrate(store)
        services = build_services(store, Config(), SystemClock())
        people = []
        for number in range(athletes):
            athlete_id = services.athletes.create(f"Athlete {number}", "Europe/Berlin", None)
            user = services.accounts.create_user(f"Athlete {number}", Role.ATHLETE, athlete_id=athlete_id)
            identity = services.accounts.identity(user)
            assert identity is not None
            services.wearables.add(identity, athlete_id, ADDRESS.format(number), "movella-dot", "strap", "chest")
            people.append((identity, athlete_id, services.tokens.issue(identity, athlete_id, "gym")))
        process = subprocess.Popen([sys.executable, "-c", SERVE, str(folder)], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        try:
            with contextlib.ExitStack() as open_:
                yield Club(process, int(process.stdout.readline()), folder, store, people, open_)
        finally:
            process.terminate()
            process.wait(20)
            process.stdout.close()


@pytest.fixture(scope="module")
def club(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Club]:
    """One for all; each test has athletes of its own."""
    with serving(tmp_path_factory.mktemp("lane"), 30) as started:
        yield started


def answered(connection: socket.socket) -> tuple[int, list[int]]:
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    told = json.loads(answer.read())
    return answer.status, [int(key.rpartition("-")[2]) for key in told.get("stored", [])]


def test_posts_that_are_alike_are_stored_and_others_are_answered_on_the_same_connection(club: Club) -> None:
    gateway = club.gateway(0)
    assert [gateway.post(gateway.body(seq)) for seq in range(3)] == [(200, [seq], None) for seq in range(3)]
    assert gateway.post(gateway.body(2, 3, 4))[:2] == (200, [2, 3, 4])
    # A page, then signal again, then what cannot be used, then a body as large as an outage leaves.
    gateway.connection.request("GET", "/healthz")
    page = gateway.connection.getresponse()
    assert (page.status, page.read() != b"") == (200, True)
    assert gateway.post(gateway.body(5))[:2] == (200, [5])
    assert gateway.post(b"\x00\x00\x00\x09garbage")[0] == 422
    assert gateway.post(pack([b"no chunk"]))[0] == 422
    assert gateway.post(gateway.body(*[6] * 200, 7))[:2] == (200, [6] * 200 + [7])
    assert gateway.post(gateway.body(8), Origin="http://elsewhere")[0] == 400
    assert gateway.post(gateway.body(8), **{"X-Forwarded-For": "1.2.3.4"})[:2] == (200, [8])
    assert club.stored(gateway) == [list(range(9))]


def test_what_ends_a_right_ends_it_on_an_open_connection(club: Club) -> None:
    gateway, (identity, athlete_id, _) = club.gateway(1), club.people[1]
    assert gateway.post(gateway.body(0))[0] == 200
    club.services.consents.withdraw(identity, athlete_id, Purpose.SENSING)
    assert gateway.post(gateway.body(1))[0] == 403
    club.services.consents.agree(identity, athlete_id, Purpose.SENSING)
    assert gateway.post(gateway.body(1))[0] == 200
    (view,) = club.services.tokens.of_athlete(identity, athlete_id)
    club.services.tokens.revoke(identity, view.token_id)
    assert gateway.post(gateway.body(2))[0] == 401
    assert club.stored(gateway) == [[0, 1]]


def test_anothers_wearable_is_not_stored(club: Club) -> None:
    mine, theirs = club.gateway(2), club.gateway(3)
    assert mine.post(mine.body(0))[:2] == (200, [0])
    assert mine.post(theirs.body(0))[:2] == (200, [])
    assert club.stored(mine, theirs) == [[0], []]


def test_a_post_in_pieces_and_two_at_once_are_answered_in_order(club: Club) -> None:
    gateway = club.gateway(4)
    with contextlib.closing(socket.create_connection(("127.0.0.1", club.port), timeout=20)) as connection:
        for seq in (0, 1):
            whole = gateway.raw(seq)
            for at in range(0, len(whole), 97):
                connection.sendall(whole[at : at + 97])
                time.sleep(0.002)
            assert answered(connection) == (200, [seq])
        connection.sendall(gateway.raw(2) + gateway.raw(3))
        # One after the other: a reader of its own for each would read ahead.
        with connection.makefile("rb") as lines:
            for seq in (2, 3):
                assert lines.readline().startswith(b"HTTP/1.1 200")
                length = 0
                while (line := lines.readline()) != b"\r\n":
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                assert lines.read(length).rstrip().endswith(f'-{seq}"]}}'.encode())


@pytest.mark.parametrize(("end", "number"), [("nothing more", 5), ("a cut", 7)])
def test_a_connection_that_ends_in_the_middle_stores_nothing_and_holds_nobody_up(
    club: Club, end: str, number: int
) -> None:
    gateway, other = club.gateway(number), club.gateway(number + 1)
    assert other.post(other.body(0))[0] == 200
    connection = socket.create_connection(("127.0.0.1", club.port), timeout=20)
    connection.sendall(gateway.raw(0))
    assert answered(connection) == (200, [0])
    connection.sendall(gateway.raw(1)[:-10])
    if end == "a cut":
        connection.close()
    assert other.post(other.body(1))[:2] == (200, [1])
    connection.close()
    assert club.stored(gateway, other) == [[0], [0, 1]]


def test_twenty_gateways_at_once_lose_nothing(club: Club) -> None:
    def carry(number: int) -> list[int]:
        gateway = club.gateway(number)
        return [seq for at in range(12) for seq in gateway.post(gateway.body(at))[1]]

    with ThreadPoolExecutor(20) as at_once:
        assert list(at_once.map(carry, range(10, 30))) == [list(range(12))] * 20
    assert club.stored(*map(club.gateway, range(10, 30))) == [list(range(12))] * 20


def test_the_server_ends_soon_with_connections_open(tmp_path: Path) -> None:
    with serving(tmp_path, 5) as club:
        for gateway in map(club.gateway, range(5)):
            assert gateway.post(gateway.body(0))[0] == 200
        club.process.send_signal(signal.SIGTERM)
        assert within(15, lambda: club.process.poll() is not None)
        assert club.process.returncode == 0
