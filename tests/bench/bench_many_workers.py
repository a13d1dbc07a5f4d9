"""How much signal several workers handle over PostgreSQL and JetStream, and where the time goes.

Everything runs on this machine: both servers, the one that appends (decoding what gateways post, as a web process does)
and the workers, `backstop worker` each. PostgreSQL syncs every commit.
Usage: python -m tests.bench.bench_many_workers [--seconds S] [--sustain CHUNKS_PER_S] [--wearables N] [--profile]
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from coach.config import Config
from coach.instance import database_path
from coach.service import Services, build_services
from coach.service.types import Role
from coach.store.engine import Store, migrate, open_store
from devices.hostclock import SystemClock
from tests.bench.load.club import RATE_HZ
from tests.servers import Nats, Postgres

ROOT = Path(__file__).resolve().parents[2]
# s of signal in a chunk, and wearables of an athlete.
CHUNK_S, WEARABLES_OF_ONE = 10, 3
# The mark of the issue: wearables that send a chunk of ten seconds each, for so long.
MARK_PER_S, MARK_S = 300, 180
_PLACES = ("chest", "thigh_right", "wrist_right")
# What a sample of a profile is counted for: the first of these that is in its stack, innermost first.
_PARTS = (
    ("analysis", "coach/analysis/"),
    ("codec", "devices/codec.py"),
    ("rows of what was seen", "coach/service/analysed.py"),
    ("PostgreSQL's driver", "psycopg"),
    ("SQLAlchemy", "sqlalchemy"),
    ("SQLite's driver", "coach/store/"),
    ("NATS", "nats"),
    ("NATS", "coach/jetstream/"),
    ("marks of days", "coach/service/due.py"),
    ("days and plans", "coach/service/days.py"),
)


@dataclass(frozen=True, slots=True)
class Wearer:
    athlete_id: str
    address: str


@dataclass
class Measured:
    """One run. cpu_s: processor time by who used it; profile: samples by part, of the workers."""

    what: str
    chunks: int
    seconds: float
    cpu_s: dict[str, float]
    waiting: list[int] = field(default_factory=list)
    profile: Counter[str] = field(default_factory=Counter)

    @property
    def per_s(self) -> float:
        return self.chunks / self.seconds

    def row(self) -> str:
        per_chunk = {who: 1000 * used / max(self.chunks, 1) for who, used in self.cpu_s.items()}
        told = ", ".join(f"{who} {ms:.2f}" for who, ms in per_chunk.items())
        total, busy = sum(per_chunk.values()), sum(self.cpu_s.values()) / self.seconds
        return (
            f"| {self.what} | {self.per_s:.0f} | {self.per_s * CHUNK_S:.0f} | {total:.2f} ({told}) | {busy:.2f} "
            f"| {max(self.waiting, default=0)} |"
        )

    def top(self) -> str:
        samples = sum(self.profile.values())
        found = ", ".join(f"{part} {100 * count / samples:.0f} %" for part, count in self.profile.most_common(5))
        return f"- {self.what}: {found}"


def measure(seconds: float = 8.0, sustain: int = 0, wearables: int = 300, profile: bool = True) -> list[str]:
    """Return the lines of the report. sustain: chunks per second to send to three workers; 0: none of that."""
    with tempfile.TemporaryDirectory(prefix="backstop-bench-") as folder, ExitStack() as servers:
        runs = [_on_sqlite(Path(folder), seconds, wearables, profile)]
        postgres = Postgres(fsync=True)
        servers.callback(postgres.close)
        nats = Nats()
        servers.callback(nats.close)
        asked = [(workers, seconds, 0, wearables) for workers in (1, 2, 3)]
        if sustain:
            asked.append((3, MARK_S, sustain, sustain * CHUNK_S))
        runs += [_on_servers(Path(folder), postgres, nats, *each, profile) for each in asked]
    return _report(runs)


def _report(runs: Sequence[Measured]) -> list[str]:
    lines = [
        f"Chunks of {CHUNK_S} s at {RATE_HZ:.0f} Hz of people who lift, bow, sit and do nothing; {platform.machine()}, "
        f"{os.cpu_count()} processors for everything. ms of processor time of each chunk, and by whom.",
        "",
        "| what | chunks/s | wearables at 100 Hz | ms a chunk | processors | most waiting |",
        "|---|---|---|---|---|---|",
        *(each.row() for each in runs),
    ]
    profiled = [each.top() for each in runs if each.profile]
    if profiled:
        lines += [
            "",
            "Where the workers' time goes (samples of a profile, of threads that hold Python's lock):",
            "",
            *profiled,
        ]
    return lines


def _on_sqlite(folder: Path, seconds: float, wearables: int, profile: bool) -> Measured:
    place = folder / "sqlite"
    place.mkdir()
    with open_store(database_path(place)) as store:
        migrate(store)
        wearers = _wearers(build_services(store, Config(), SystemClock()), wearables)
    environment = {"BACKSTOP_STORAGE__DIRECTORY": str(place)}
    with open_store(database_path(place)) as store:
        return _run("one process on SQLite", store, environment, wearers, 1, seconds, 0, {}, profile)


def _on_servers(
    folder: Path,
    postgres: Postgres,
    nats: Nats,
    workers: int,
    seconds: float,
    per_s: int,
    wearables: int,
    profile: bool,
) -> Measured:
    name = postgres.create()
    try:
        url = postgres.url(name)
        with open_store(url) as store:
            migrate(store)
            wearers = _wearers(build_services(store, Config(), SystemClock()), wearables)
            store.close()
        environment = {
            "BACKSTOP_STORAGE__DIRECTORY": str(folder / name),
            "BACKSTOP_STORAGE__DATABASE_URL": url,
            "BACKSTOP_STORAGE__LOG_URL": nats.url,
        }
        assert postgres.process is not None
        assert nats.process is not None
        servers = {"PostgreSQL": postgres.process.pid, "NATS": nats.process.pid}
        what = f"{workers} workers" if workers > 1 else "1 worker"
        if per_s:
            what += f", {per_s} chunks/s sent for {seconds:.0f} s"
        with open_store(url) as store:
            return _run(what, store, environment, wearers, workers, seconds, per_s, servers, profile)
    finally:
        postgres.drop(name)


def _run(
    what: str,
    store: Store,
    environment: dict[str, str],
    wearers: Sequence[Wearer],
    workers: int,
    seconds: float,
    per_s: int,
    servers: dict[str, int],
    profile: bool,
) -> Measured:
    """Have the workers handle what one appends: so much that they never wait, or per_s."""
    with tempfile.TemporaryDirectory(prefix="backstop-wearers-") as folder, ExitStack() as running:
        listed = Path(folder) / "wearers"
        listed.write_text("\n".join(f"{each.athlete_id} {each.address}" for each in wearers))
        pids = [running.enter_context(_process(environment, "coach", "worker")) for _ in range(workers)]
        sender = running.enter_context(
            _process(environment, "tests.bench.many_workers_sender", str(listed), str(per_s), str(seconds + 600))
        )
        _until(lambda: _count(store) > len(wearers) // 2, "the workers to be at work")
        who = {"workers": pids, "appending": [sender], **{name: [pid] for name, pid in servers.items()}}
        before, begun, begun_s = {name: _cpu_s(each) for name, each in who.items()}, _count(store), time.monotonic()
        waiting, spied = [], []
        if profile:
            spied = [_spy(pid, min(seconds * 0.6, 20.0), Path(folder) / str(pid)) for pid in pids]
        while time.monotonic() - begun_s < seconds:
            time.sleep(min(1.0, seconds / 8))
            waiting.append(_told(Path(f"{listed}.waiting")))
        done, took_s = _count(store) - begun, time.monotonic() - begun_s
        used = {name: _cpu_s(each) - before[name] for name, each in who.items()}
        found: Counter[str] = Counter()
        for each, path in spied:
            each.wait(60)
            found += _parts(path)
    return Measured(what, done, took_s, used, waiting, found)


@contextmanager
def _process(environment: dict[str, str], *module: str) -> Iterator[int]:
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [sys.executable, "-m", *module],
            cwd=ROOT,
            env=os.environ | environment,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
        )
        try:
            yield process.pid
            if process.poll() is not None:
                said.seek(0)
                raise RuntimeError(f"{module} ended: {said.read().decode()[-2000:]}")
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()


def _wearers(services: Services, wearables: int) -> list[Wearer]:
    coach = services.accounts.identity(services.accounts.create_user("Kim", Role.COACH))
    assert coach is not None
    found = []
    for number in range(wearables):
        if number % WEARABLES_OF_ONE == 0:
            athlete_id = services.athletes.create(f"Athlete {number}", "Europe/Berlin", coach.user_id)
        address = f"C0:FF:{number >> 16 & 255:02X}:{number >> 8 & 255:02X}:{number & 255:02X}:01"
        place = _PLACES[number % WEARABLES_OF_ONE]
        services.wearables.add(coach, athlete_id, address, "metamotion", f"Sensor {number}", place)
        found.append(Wearer(athlete_id, address))
    return found


def _count(store: Store) -> int:
    with store.read() as tx:
        return int(tx.exec_driver_sql("SELECT coalesce(sum(last_seq + 1), 0) FROM stream_state").scalar_one())


def _until(holds: object, what: str, most_s: float = 120.0) -> None:
    end_s = time.monotonic() + most_s
    while not holds():  # type: ignore[operator]
        if time.monotonic() > end_s:
            raise RuntimeError(f"waited {most_s} s for {what}")
        time.sleep(0.1)


def _told(path: Path) -> int:
    try:
        return int(path.read_text() or 0)
    except OSError:
        return 0


def _cpu_s(roots: Sequence[int]) -> float:
    """Return the processor time of processes and of all that they started, those that have ended included."""
    parents: dict[int, int] = {}
    ticks: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(stat.parent.name)], ticks[int(stat.parent.name)] = int(fields[1]), sum(map(int, fields[11:15]))
    family = set(roots)
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(ticks.get(pid, 0) for pid in family) / os.sysconf("SC_CLK_TCK")


def _spy(pid: int, seconds: float, path: Path) -> tuple[subprocess.Popen[bytes], Path]:
    command = [
        str(Path(sys.executable).parent / "py-spy"),
        "record",
        "--nonblocking",
        "--gil",
        "--rate",
        "50",
        "--format",
        "raw",
    ]
    command += ["--duration", str(max(round(seconds), 1)), "--full-filenames", "--output", str(path), "--pid", str(pid)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL), path


def _parts(path: Path) -> Counter[str]:
    """Count the samples of a profile by part."""
    found: Counter[str] = Counter()
    for line in path.read_text().splitlines() if path.is_file() else ():
        stack, _, count = line.rpartition(" ")
        frames = stack.split(";")[::-1]
        part = next((name for frame in frames for name, sign in _PARTS if sign in frame), "the rest")
        found[part] += int(count)
    return found


def main() -> None:
    """Measure as asked and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--sustain", type=int, default=0)
    parser.add_argument("--wearables", type=int, default=600)
    parser.add_argument("--no-profile", action="store_true")
    asked = parser.parse_args()
    print("\n".join(measure(asked.seconds, asked.sustain, asked.wearables, not asked.no_profile)))


if __name__ == "__main__":
    main()
