"""How fast history is analysed anew: athlete-days a second, linear in days, by one process and by several workers.

By hand, at full size: `python -m tests.bench.bench_reanalysis 250 500 1000`, on a machine that does nothing else: eight
minutes with two cores. On a busy one only the time of the processor a day says something.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Table, func, select

from coach.config import Config
from coach.live import LiveFeed
from coach.service import Services, build_services
from coach.service.reanalysis_types import RunState
from coach.service.types import Role
from coach.store.engine import Store, Tx, migrate, open_store
from coach.store.finding_tables import exposure, stretch
from coach.store.reanalysis_tables import reanalysis_day
from coach.store.rows import fresh_id_at, many
from coach.store.tables import chunk, feature, stream, stream_state
from coach.worker import Worker
from devices.hostclock import SystemClock
from devices.types import Chunk
from tests.bench.workday import RATE_HZ, workday
from tests.servers import Nats, NoBinary, Postgres

# An athlete-day: ten minutes of a made day of work, from standing into lifting, by one sensor on the trunk.
MINUTES, CHUNK_S = 10, 5.0
FROM_MINUTE = 6
ATHLETES = 10
# Athlete-days that workers over servers do, at most: a minute of one. That it is linear, one process shows.
OF_WORKERS = 250
# s for all workers to end a run.
LONGEST_S = 3600.0
_TABLES: tuple[Table, ...] = (stream, stream_state, chunk, feature, exposure, stretch)
_TIMES = frozenset({"start_utc_s", "end_utc_s", "line_start_utc_s", "yaw_start_utc_s"})


@dataclass(frozen=True)
class Run:
    """What one run took. span_s: from the begin of the first athlete-day to the end of the last. core_s: time of the
    processor, of workers with their start; not that of servers."""

    days: int
    chunks: int
    span_s: float
    core_s: float


def chunks_of_a_day(start_utc_s: float) -> list[Chunk]:
    """Return the chunks of the athlete-day that all others are copies of."""
    first, n = round(FROM_MINUTE * 60 * RATE_HZ), round(MINUTES * 60 * RATE_HZ)
    acc, gyr = (each[first : first + n] for each in workday(1))
    per = round(CHUNK_S * RATE_HZ)
    return [
        Chunk("bench", "rec", seq, start_utc_s + at / RATE_HZ, at, RATE_HZ, acc[at : at + per], gyr[at : at + per])
        for seq, at in enumerate(range(0, n, per))
    ]


def seed(store: Store, days: int) -> Services:
    """Store an analysed athlete-day and copy it, so that each of ATHLETES has their share of all days."""
    services = build_services(store, Config(), SystemClock())
    coach_id = services.accounts.create_user("Sam", Role.COACH)
    today = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0)
    template: dict[str, list[Mapping[str, Any]]] = {}
    for number in range(ATHLETES):
        athlete_id = services.athletes.create(f"A{number}", "UTC", coach_id)
        user_id = services.accounts.create_user(f"A{number}", Role.ATHLETE, athlete_id=athlete_id)
        athlete = services.accounts.identity(user_id)
        assert athlete is not None
        wearable_id = services.wearables.add(
            athlete, athlete_id, f"bench{number or ''}", "movella-dot", "Bench", "chest"
        )
        if not template:
            services.log.append(chunks_of_a_day((today - timedelta(days=1)).timestamp()))
            Worker(services, LiveFeed()).drain()
            with store.read() as tx:
                template = {table.name: many(tx, select(table)) for table in _TABLES}
        # The template itself is a day of the first one.
        already = 1 if number == 0 else 0
        for back in range(already, days // ATHLETES):
            with store.begin_derived() as tx:
                _copy(tx, template, athlete_id, wearable_id, today, back)
    return services


def _copy(
    tx: Tx,
    template: Mapping[str, list[Mapping[str, Any]]],
    athlete_id: str,
    wearable_id: str,
    today: datetime,
    back: int,
) -> None:
    begun = today - timedelta(days=1 + back)
    stream_id = fresh_id_at(begun)
    first = int(tx.execute(select(func.max(chunk.c.id))).scalar_one()) + 1
    known = min(row["id"] for row in template["chunk"])
    for table in _TABLES:
        rows = []
        for row in template[table.name]:
            new = {name: value for name, value in row.items() if not (name == "id" and table is feature)}
            new |= {name: new[name] - back * 86_400.0 for name in _TIMES & new.keys() if new[name] is not None}
            new |= {name: athlete_id for name in ("athlete_id",) if name in new}
            new |= {"stream_id": stream_id} if "stream_id" in new else {}
            if table is stream:
                about = {"recording_id": stream_id, "wearable_id": wearable_id, "live": False, "created_at": begun}
                new |= {"id": stream_id, "last_received_at": begun, **about}
            if table is chunk:
                new["id"] = first + row["id"] - known
            if table is feature and row["chunk_id"] is not None:
                new["chunk_id"] = first + row["chunk_id"] - known
            rows.append(new)
        if rows:
            tx.execute(table.insert(), rows)


def taken(store: Store, run_id: str, core_s: float) -> Run:
    """Return what a run took, from its rows."""
    with store.read() as tx:
        mine = reanalysis_day.c.run_id == run_id
        rows = list(tx.execute(select(reanalysis_day).where(mine)).mappings())
    assert all(row["state"] == "done" for row in rows), [row["reason"] for row in rows if row["state"] != "done"]
    begun = min(row["ended_at"] - timedelta(seconds=row["took_s"]) for row in rows)
    span_s = (max(row["ended_at"] for row in rows) - begun).total_seconds()
    return Run(sum(row["part"] == "signal" for row in rows), sum(row["chunks"] for row in rows), span_s, core_s)


def in_one_process(days: int) -> Run:
    """Run over a file of SQLite, in this process."""
    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder) / "backstop.db") as store:
        migrate(store)
        services = seed(store, days)
        run_id = services.reanalysis.ask(None)
        before_s = time.process_time()
        services.rerun.work_here(run_id)
        return taken(store, run_id, time.process_time() - before_s)


@contextmanager
def workers(number: int, url: str, nats: str) -> Iterator[None]:
    """Run so many `backstop worker` over a database and a NATS server, from when all of them are at work."""
    with tempfile.TemporaryDirectory() as folder:
        about = {"DATABASE_URL": url, "LOG_URL": nats, "DIRECTORY": folder}
        env = {**os.environ, **{f"BACKSTOP_STORAGE__{name}": value for name, value in about.items()}}
        command = [sys.executable, "-m", "coach", "worker"]
        running = [subprocess.Popen(command, env=env, stdout=subprocess.PIPE) for _ in range(number)]
        try:
            for each in running:
                assert each.stdout is not None
                assert b"at work" in each.stdout.readline(), "a worker did not start"
            yield
            assert all(each.poll() is None for each in running), "a worker ended"
        finally:
            for each in running:
                each.terminate()
            for each in running:
                each.communicate(timeout=60.0)


def on_servers(postgres: Postgres, template: str, days: int, number: int) -> Run:
    """Run over PostgreSQL and JetStream, by so many workers."""
    name, nats = postgres.create(template), Nats()
    try:
        with open_store(postgres.url(name)) as store:
            services = seed(store, days)
            before_s = _children_s()
            with workers(number, postgres.url(name), nats.url):
                run_id = services.reanalysis.ask(None)
                end_s = time.monotonic() + LONGEST_S
                while services.reanalysis.view(run_id).state is RunState.RUNNING:
                    assert time.monotonic() < end_s, "the workers did not come to an end"
                    time.sleep(0.2)
            return taken(store, run_id, _children_s() - before_s)
    finally:
        nats.close()
        postgres.drop(name)


def _children_s() -> float:
    """Return the time of the processor of the children of this process that have ended, in s."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(days: Sequence[int] = (20, 40)) -> list[str]:
    """Return the lines of the report. days: athlete-days of one process, rising."""
    of_workers = min(days[-1], OF_WORKERS)
    per_day = round(MINUTES * 60 / CHUNK_S)
    lines = [
        f"An athlete-day is one recording of {MINUTES} min at {RATE_HZ:.0f} Hz by one sensor on the trunk: {per_day} "
        f"chunks, {round(MINUTES * 60 * RATE_HZ):,} samples; {ATHLETES} athletes share all days. What was seen before "
        f"is replaced, and all days are judged. {os.cpu_count()} cores; ms of a core: the processor's time, "
        "without that of servers.",
        "",
        "| | athlete-days | athlete-days/s | ms a day | ms of a core a day | chunks/s | hours of signal a second |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [_line("one process, SQLite", in_one_process(each)) for each in days]
    try:
        postgres = Postgres(fsync=True)
    except NoBinary as error:
        return [*lines, "", str(error)]
    try:
        template = postgres.create()
        with open_store(postgres.url(template)) as store:
            migrate(store)
        lines += [
            _line(
                f"{number} worker{'s' * (number > 1)}, PostgreSQL and JetStream",
                on_servers(postgres, template, of_workers, number),
            )
            for number in (1, 2, 3)
        ]
    finally:
        postgres.close()
    return lines


def _line(name: str, run: Run) -> str:
    per_s = run.days / run.span_s
    hours = run.chunks * CHUNK_S / 3600 / run.span_s
    print(f"{name}, {run.days} athlete-days: {per_s:.1f}/s", file=sys.stderr, flush=True)
    return (
        f"| {name} | {run.days} | {per_s:.1f} | {1000 * run.span_s / run.days:.0f} | "
        f"{1000 * run.core_s / run.days:.0f} | "
        f"{run.chunks / run.span_s:.0f} | {hours:.2f} |"
    )


if __name__ == "__main__":
    np.seterr(all="raise", under="ignore")
    print("\n".join(measure([int(each) for each in sys.argv[1:]] or (20, 40))))
