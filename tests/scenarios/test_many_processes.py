"""Webs, workers and clocks over one PostgreSQL and one NATS, each killed with -9 in turn: what was acknowledged is
stored once, in order, and comes byte for byte to what one process over SQLite comes to; each session is released once.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from coach.config import Config
from coach.errors import CoachError
from coach.live import LiveFeed
from coach.log import TableChunkLog
from coach.remote_log import RemoteLog
from coach.service import Services, build_services
from coach.service.types import Identity, Role
from coach.store import plans, sessions
from coach.store.engine import Store, migrate, open_store
from coach.uplink import Uplink
from coach.worker import Worker
from devices.codec import decode_chunk
from devices.hostclock import SystemClock
from devices.types import Chunk
from tests.coach.club import bending_chunks
from tests.scenarios.house import wait_for
from tests.scenarios.test_killed import findings_of
from tests.servers import Nats, free_port

PARTITIONS = 8
# s of signal in a chunk: so that forty of them are long enough for a finding.
CHUNK_S = 25.0
# s that a machine under load may take for a start.
START_S = 120.0
# What differs between two runs of the same: names that a database gives, and times of work.
# JSON is compared as it was written.
_FEATURES = """SELECT s.device_id, f.placement, f.start_index, f.start_utc_s, f.rate_hz, f.expected, f.covered, f.bends,
    CAST(f.repetitions AS TEXT), CAST(f.strokes AS TEXT), CAST(f.above AS TEXT), f.line_start_utc_s, f.line_rate_hz,
    f.line, f.yaw_start_utc_s, f.yaw_rate_hz, f.yaw FROM feature f
    JOIN stream s ON s.id = f.stream_id ORDER BY s.device_id, f.start_index, f.chunk_id IS NULL"""
_MINUTES = """SELECT s.device_id, e.number, e.placement, e.start_utc_s, e.expected_s, e.covered_s, e.lying_s, e.loose_s,
    e.displaced_s, CAST(e.above_s AS TEXT), e.bends, e.turns_left, e.turns_right, e.dose, e.strokes_left,
    e.strokes_right, e.strokes_unknown, e.repetitions, CASE WHEN e.tail THEN 1 ELSE 0 END FROM exposure e
    JOIN stream s ON s.id = e.stream_id ORDER BY s.device_id, e.number"""
_STRETCHES = """SELECT s.device_id, t.key, t.kind, t.start_utc_s, t.end_utc_s,
    REPLACE(CAST(t."values" AS TEXT), t.stream_id, 'this recording'), CASE WHEN t.tail THEN 1 ELSE 0 END FROM stretch t
    JOIN stream s ON s.id = t.stream_id ORDER BY s.device_id, t.start_utc_s, t.key"""
_STATES = """SELECT s.device_id, t.last_seq, t.first_index, t.state FROM stream_state t
    JOIN stream s ON s.id = t.stream_id ORDER BY s.device_id"""
_CHUNKS = """SELECT c.blob FROM chunk c JOIN stream s ON s.id = c.stream_id ORDER BY s.device_id, c.seq"""


class RoleProcess:
    """`backstop web|worker|clock` in a process group of its own, to be killed and started again."""

    def __init__(self, folder: Path, role: str, environment: dict[str, str]) -> None:
        self.role, self._log = role, folder / f"{role}-{len(list(folder.glob('*.log')))}.log"
        self._log.touch()
        self.port = free_port() if role == "web" else 0
        self._command = [sys.executable, "-m", "coach", role]
        self._command += ["--host", "127.0.0.1", "--port", str(self.port)] if role == "web" else []
        self._environment = os.environ | environment | {"BACKSTOP_STORAGE__DIRECTORY": str(folder / self._log.stem)}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=self._environment,
            )

    def kill(self) -> None:
        assert self.process is not None
        assert self.process.poll() is None, self.said()
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(40)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                raise

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def said(self) -> str:
        return self._log.read_text(encoding="utf-8")


@dataclass
class Wearer:
    """An athlete, and what their gateway sends: in this order, some twice."""

    athlete_id: str
    token: str
    sent: list[Chunk]
    late: list[Chunk]
    acknowledged: set[str] = field(default_factory=set)


def people(services: Services, athletes: int) -> list[tuple[str, Identity]]:
    """Make the athletes, each with a wearable."""
    coach = services.accounts.identity(services.accounts.create_user("Kim", Role.COACH))
    assert coach is not None
    made = []
    for number in range(athletes):
        athlete_id = services.athletes.create(f"Athlete {number:03d}", "Europe/Berlin", coach.user_id)
        services.wearables.add(coach, athlete_id, address_of(number), "movella-dot", "Strap", "chest")
        made.append((athlete_id, coach))
    return made


def address_of(number: int) -> str:
    return f"C0:FF:EE:00:{number // 256:02X}:{number % 256:02X}"


def chunks_of(number: int, count: int, start_utc_s: float) -> list[Chunk]:
    """Return the chunks of an athlete's strap: of each a way of its own to bend."""
    bends_per_min = 8.0 + number % 7
    minutes = count * CHUNK_S / 60
    return bending_chunks(minutes, bends_per_min, start_utc_s, f"rec-{number}", address_of(number), CHUNK_S)


def plan_sessions(store: Store, athlete_ids: Sequence[str], seconds: float) -> None:
    """Insert one session of each athlete, due at some moment of the run."""
    now = datetime.now(UTC)
    with store.begin() as tx:
        for number, athlete_id in enumerate(athlete_ids):
            values = {"state": "accepted", "prescription": {}, "need_kinds": [], "finding_ids": []}
            weeks = {"starts_on": now.date(), "ends_on": now.date() + timedelta(days=28)}
            plan_id = plans.add(tx, {"athlete_id": athlete_id, "created_at": now, **values, **weeks})
            due_at = now + timedelta(seconds=seconds * number / len(athlete_ids))
            row = {
                "athlete_id": athlete_id,
                "plan_id": plan_id,
                "slot": "slot",
                "state": "planned",
                "local_date": due_at.date(),
                "local_time": due_at.time(),
                "time_zone": "UTC",
                "due_at": due_at,
                "duration_min": 12,
                "exercises": [],
                "because": "because",
                "created_at": now,
                "updated_at": now,
            }
            sessions.add(tx, row)


def rows(store: Store, question: str) -> list[tuple[Any, ...]]:
    with store.read() as tx:
        found = tx.exec_driver_sql(question).all()
    return [tuple(bytes(each) if isinstance(each, memoryview) else each for each in row) for row in found]


def deliver(
    wearers: Sequence[Wearer],
    webs: Sequence[RoleProcess],
    chance: random.Random,
    stop: threading.Event,
    pause_s: float,
) -> None:
    """Send what a few gateways have, by turns, each in its order; to another web where one does not answer. A round
    takes `pause_s` at least. What may be late goes last."""
    uplinks: dict[tuple[int, str], Uplink] = {}
    at = chance.randrange(len(webs))

    def send(wearer: Wearer, chunks: Sequence[Chunk]) -> None:
        nonlocal at
        wanted = {chunk.key for chunk in chunks}
        while not wanted <= wearer.acknowledged and not stop.is_set():
            key = (webs[at].port, wearer.token)
            if key not in uplinks:
                uplinks[key] = Uplink(f"http://127.0.0.1:{key[0]}", wearer.token)
            try:
                wearer.acknowledged |= set(RemoteLog(uplinks[key]).append(chunks))
            except CoachError:
                at = (at + 1) % len(webs)
                time.sleep(0.1)

    try:
        for number in range(max(len(each.sent) for each in wearers)):
            began_s = time.monotonic()
            for wearer in wearers:
                some = wearer.sent[number : number + 1]
                if some and chance.random() < 0.1:  # its answer was lost on the way
                    send(wearer, some)
                    wearer.acknowledged -= {chunk.key for chunk in some}
                send(wearer, some)
            stop.wait(max(began_s + pause_s - time.monotonic(), 0))
        for wearer in wearers:
            send(wearer, wearer.late)
    finally:
        for uplink in uplinks.values():
            uplink.close()


def settled(services: Services) -> None:
    """Analyse to the end, and settle as if nothing more came: what was late is analysed with the rest then."""
    worker, later = Worker(services, LiveFeed()), datetime.now(UTC) + timedelta(hours=1)
    for _ in range(3):
        worker.drain()
        while services.motion.close_stale(later):
            pass
    worker.drain()


@dataclass
class Crew:
    """The processes, by role, and the server that is killed beside them."""

    roles: list[RoleProcess]
    nats: Nats

    def of(self, role: str) -> list[RoleProcess]:
        return [each for each in self.roles if each.role == role]

    def kill_each_in_turn(self, chance: random.Random, rounds: int, pause_s: float, busy: Callable[[], bool]) -> int:
        """Kill a worker, a clock, a web and NATS, one after the other, and start each again; return how many."""
        killed = 0
        for _ in range(rounds):
            for role in ("worker", "clock", "web", "nats"):
                time.sleep(chance.uniform(0.2, 1.0) * pause_s)
                if role == "nats":
                    self.nats.kill()
                    time.sleep(chance.uniform(0.0, 0.5))
                    self.nats.start()
                else:
                    one = chance.choice(self.of(role))
                    one.kill()
                    one.start()
                killed += 1
                assert busy(), "everything was handled before the kills were over: there is nothing to see"
        return killed


@pytest.mark.proof
@pytest.mark.skipif(sys.platform != "linux", reason="process groups and signals of Linux")
def test_many_processes_that_are_killed_come_to_what_one_process_comes_to(
    postgres_url: str,
    nats_server: Nats,
    tmp_path: Path,
    full_or_quick: Callable[[int, int], int],
    figure: Callable[[str, object, str], None],
) -> None:
    athletes, count = full_or_quick(100, 8), 40
    webs, workers, clocks = full_or_quick(3, 1), full_or_quick(3, 1), full_or_quick(2, 1)
    chance, start_utc_s = random.Random(9), time.time() - 7200.0
    environment = {
        "BACKSTOP_STORAGE__DATABASE_URL": postgres_url,
        "BACKSTOP_STORAGE__LOG_URL": nats_server.url,
        "BACKSTOP_STORAGE__LOG_PARTITIONS": str(PARTITIONS),
        "BACKSTOP_CLOCK__RELEASE_TICK_S": "0.5",
        "BACKSTOP_REANALYSIS__NIGHTLY": "false",
    }
    with ExitStack() as opened:
        store = opened.enter_context(open_store(postgres_url))
        services = build_services(store, Config(), SystemClock())
        wearers = []
        for number, (athlete_id, coach) in enumerate(people(services, athletes)):
            chunks = chunks_of(number, count, start_utc_s)
            # One that a gateway has mislaid, of every fourth: it comes when the others are through.
            late = [chunks[count // 2]] if number % 4 == 0 else []
            token = services.tokens.issue(coach, athlete_id, "laptop")
            wearers.append(Wearer(athlete_id, token, [each for each in chunks if each not in late], late))
        crew = Crew([], nats_server)
        for role in ["worker"] * workers + ["clock"] * clocks + ["web"] * webs:
            crew.roles.append(RoleProcess(tmp_path, role, environment))
            crew.roles[-1].start()
            opened.callback(crew.roles[-1].stop)
        wait_for(lambda: all(each.answers() for each in crew.of("web")), START_S, "the webs", each_s=0.2)
        plan_sessions(store, [each.athlete_id for each in wearers], full_or_quick(60, 10))
        rounds, kill_pause_s, stop = full_or_quick(3, 1), full_or_quick(5, 1), threading.Event()
        opened.callback(stop.set)
        # However fast the machine is, it is not done before the last kill.
        pause_s = 4 * rounds * (kill_pause_s + 1.0) / count
        senders = [
            threading.Thread(target=deliver, args=(wearers[at::4], crew.of("web"), random.Random(at), stop, pause_s))
            for at in range(4)
        ]
        began_s = time.monotonic()
        for each in senders:
            each.start()
        killed = crew.kill_each_in_turn(chance, rounds, kill_pause_s, lambda: any(each.is_alive() for each in senders))
        for each in senders:
            each.join(600)
            assert not each.is_alive()
        total = athletes * count
        wait_for(lambda: rows(store, "SELECT count(*) FROM chunk") == [(total,)], 120, "the workers", each_s=0.5)
        wait_for(lambda: not rows(store, "SELECT 1 FROM planned_session WHERE state = 'planned'"), 90, "the clocks")
        took_s = time.monotonic() - began_s
    with open_store(postgres_url) as store:
        _compare(store, wearers, tmp_path / "one.db", athletes, count, start_utc_s)
    figure("chunks acknowledged, stored once and in order", total, "")
    figure("processes and servers killed", killed, "")
    figure("from the first chunk until everything was stored", round(took_s, 1), "s")


def _compare(
    store: Store, wearers: Sequence[Wearer], file: Path, athletes: int, count: int, start_utc_s: float
) -> None:
    """Compare what is in PostgreSQL with what one process makes of the same chunks in SQLite."""
    services = build_services(store, Config(), SystemClock())
    with open_store(file) as plain_store:
        migrate(plain_store)
        plain = build_services(plain_store, Config(), SystemClock())
        made = people(plain, athletes)
        log: TableChunkLog = plain.log
        for number in range(athletes):
            chunks = chunks_of(number, count, start_utc_s)
            assert len(log.append(chunks)) == count
            assert wearers[number].acknowledged == {chunk.key for chunk in chunks}
        Worker(plain, LiveFeed()).drain()
        Worker(services, LiveFeed()).drain()
        assert rows(store, _CHUNKS) == rows(plain_store, _CHUNKS)
        keys = [decode_chunk(blob).key for (blob,) in rows(store, _CHUNKS)]
        assert len(set(keys)) == athletes * count
        # A state follows from the samples in their order: one that is the same has seen each once and in its turn.
        in_time = {address_of(number) for number, each in enumerate(wearers) if not each.late}
        for question in (_STATES, _FEATURES, _MINUTES, _STRETCHES):
            here, there = ([row for row in rows(each, question) if row[0] in in_time] for each in (store, plain_store))
            assert here == there
            assert here
        settled(services)
        settled(plain)
        for question in (_STATES, _FEATURES, _MINUTES, _STRETCHES):
            assert rows(store, question) == rows(plain_store, question)
            assert rows(store, question)
        found = 0
        for wearer, (athlete_id, _) in zip(wearers, made, strict=True):
            findings = findings_of(services, wearer.athlete_id)
            assert findings == findings_of(plain, athlete_id)
            found += len(findings)
        assert found
        assert services.dead_letters.stuck() == ()
    released = rows(store, "SELECT count(*), count(DISTINCT subject_id) FROM event WHERE action = 'released'")
    assert released == [(athletes, athletes)]
    assert rows(store, "SELECT DISTINCT state, sequence FROM planned_session") == [("due", 1)]
