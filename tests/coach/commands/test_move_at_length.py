"""Ten million samples out of the file into PostgreSQL, killed twice on the way: nothing lost, memory as for little."""

from __future__ import annotations

import random
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import numpy as np
import psycopg
import pytest

from coach.config import Config
from coach.instance import DATABASE
from coach.service import build_services
from coach.store.engine import migrate, open_store
from devices.types import Chunk
from tests.coach.commands.test_move import KILLED
from tests.coach.web.conftest import ADDRESS, START, StandingClock, _pair, analyse_all
from tests.servers import Postgres

ROOT = Path(__file__).parents[3]
RATE_HZ, PER_CHUNK, PER_RECORDING = 100.0, 1000, 500
# Bytes that a move may need more than its program, whatever it moves: a piece on its way in the driver and SQLite's
# pages. Own choice.
MEMORY_MAX = 150e6
# Says at its end how many kB it had at most, and how many seconds of processors it took.
WITH_MEMORY = """
import resource, sys
from coach.__main__ import main
status = main(sys.argv[1:])
used = resource.getrusage(resource.RUSAGE_SELF)
print("memory", used.ru_maxrss)
print("processors", round(used.ru_utime + used.ru_stime, 1))
sys.exit(status)
"""


def motion(count: int) -> Iterator[Chunk]:
    """Chunks of 10 s of a trunk that bends each 8 s, with noise of its own each; recordings of up to 83 min."""
    start_s = START.timestamp() - count * PER_CHUNK / RATE_HZ
    noise = np.random.default_rng(14)
    for number in range(count):
        recording, seq = divmod(number, PER_RECORDING)
        t_s = (number * PER_CHUNK + np.arange(PER_CHUNK)) / RATE_HZ
        angle = np.radians(30.0) * (1 - np.cos(2 * np.pi * t_s / 8.0))
        turn = np.radians(30.0) * 2 * np.pi / 8.0 * np.sin(2 * np.pi * t_s / 8.0)
        acc = 9.81 * np.column_stack([np.cos(angle), np.zeros(PER_CHUNK), np.sin(angle)])
        gyr = np.column_stack([np.zeros(PER_CHUNK), turn, np.zeros(PER_CHUNK)])
        yield Chunk(
            ADDRESS, f"rec{recording}", seq, start_s + number * PER_CHUNK / RATE_HZ, seq * PER_CHUNK, RATE_HZ,
            acc + noise.normal(scale=0.05, size=acc.shape), gyr + noise.normal(scale=0.01, size=gyr.shape),
        )  # fmt: skip


def signals_of_file(path: Path) -> tuple[int, str]:
    """Samples, and a digest of all coded chunks, read by SQLite itself."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT stream_id, seq, samples, blob FROM chunk ORDER BY stream_id, seq")
        return digest(rows)


def signals_of_server(url: str) -> tuple[int, str]:
    """The same of a server, read by its driver."""
    with psycopg.connect(url.replace("+psycopg", "")) as connection, connection.cursor("all") as cursor:
        cursor.execute('SELECT stream_id, seq, samples, blob FROM chunk ORDER BY stream_id COLLATE "C", seq')
        return digest(cursor)


def digest(rows: Iterator[tuple[str, int, int, bytes]]) -> tuple[int, str]:
    told, samples = sha256(), 0
    for stream_id, seq, count, blob in rows:
        told.update(f"{stream_id} {seq} {count} ".encode() + blob)
        samples += count
    return samples, told.hexdigest()


def run(*command: str | Path) -> tuple[int, str, float]:
    began_s = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1800)
    return done.returncode, done.stdout + done.stderr, time.perf_counter() - began_s


@pytest.mark.proof
def test_ten_million_samples_killed_twice_are_all_there_and_equal(
    tmp_path: Path, postgres: Postgres, postgres_template: str, full_or_quick: Callable[[int, int], int],
    figure: Callable[[str, object, str], None],
) -> None:  # fmt: skip
    samples = full_or_quick(10_000_000, 60_000)
    with open_store(tmp_path / DATABASE) as store:
        migrate(store)
        services = build_services(store, Config(), StandingClock())
        _, ada = _pair(services, "Kim", "Ada")
        services.wearables.add(ada.identity, ada.athlete_id, ADDRESS, "movella-dot", "Chest strap", "chest")
        for chunk in motion(samples // PER_CHUNK):
            services.log.append([chunk])
        analyse_all(services)
    ours = signals_of_file(tmp_path / DATABASE)
    assert ours[0] == samples
    url = postgres.url(postgres.create(postgres_template))
    for _ in range(full_or_quick(2, 1)):
        after = random.randint(samples // PER_CHUNK // 8, samples // PER_CHUNK // 2)
        status, said, _ = run(sys.executable, "-c", KILLED, "rows", str(after), url, tmp_path)
        assert status == -signal.SIGKILL, (after, said)
    status, said, rest_s = run(sys.executable, "-m", "coach", "move", "--to", url, "--storage", tmp_path)
    assert status == 0, said
    assert "is there already: going on" in said
    assert "tables are equal" in said
    assert signals_of_server(url) == ours
    figure("moved and compared, after it was killed", round(rest_s, 1), "s")
    if full_or_quick(1, 0):
        whole_at_once(tmp_path, postgres.url(postgres.create(postgres_template)), ours, figure)


def whole_at_once(folder: Path, url: str, ours: tuple[int, str], figure: Callable[[str, object, str], None]) -> None:
    """Move it without an interruption, and look at time and memory."""
    status, said, whole_s = run(sys.executable, "-c", WITH_MEMORY, "move", "--to", url, "--storage", folder)
    assert status == 0, said
    assert signals_of_server(url) == ours
    used = memory_in(said)
    figure("moved and compared at once", round(whole_s, 1), "s")
    figure("samples a second, compared and all", round(ours[0] / whole_s), "")
    figure("of its own processor time", re.findall(r"^processors (.+)$", said, re.MULTILINE)[0], "s")
    figure("memory at most", round(used / 1e6), "MB")
    _, said, _ = run(sys.executable, "-c", WITH_MEMORY, "move", "--to", "nowhere")
    assert used < memory_in(said) + MEMORY_MAX


def memory_in(said: str) -> float:
    """The most bytes that a process had, as it said at its end."""
    (kilobytes,) = re.findall(r"^memory (\d+)$", said, re.MULTILINE)
    return float(kilobytes) * 1024
