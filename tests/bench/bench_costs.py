"""What an athlete's day costs: bytes in SQLite, PostgreSQL, its log and JetStream; processor seconds of each part.

Two hours of a made day of work are stored in chunks as a gateway sends them, analysed and judged, and looked at. A day
is six of them; what does not grow with time (accounts, the state of a recording) is told beside.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import nats
import psycopg
from nats.js.api import StreamConfig

from coach.config import Config
from coach.live import LiveFeed
from coach.service import Services, build_services
from coach.service.types import Role
from coach.store.engine import Store, migrate, open_store
from coach.web import create_app
from devices.codec import encode_chunk
from devices.types import Chunk
from tests.bench.workday import workday
from tests.scenarios.house import StepClock
from tests.servers import Nats, NoBinary, Postgres

ADDRESS, CHUNK_S, WORN_H = "C0:FF:EE:00:00:51", 5.0, 12
# Minutes of signal that are measured. Own choice: enough that the first page of every table and index counts little.
MINUTES = 120
# Pages that an athlete, and a coach about them, open in a day. Own assumption, of which the cost is a multiple.
VIEWS = 30
# What is one row for a recording, rewritten for each chunk.
OF_A_RECORDING = ("stream", "stream_state")
MB = 1e6


@dataclass
class Cost:
    """What the measured minutes took. bytes: by table with its indexes; seconds: by part, of processors."""

    bytes: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=dict)
    log_bytes: int = 0
    view_ms: float = 0.0


def chunks_of(rate_hz: float, start_utc_s: float) -> list[bytes]:
    """Return the chunks of the beginning of a working day, of a rate that 100 is a multiple of."""
    acc, gyr = (each[:: round(100 / rate_hz)] for each in workday(MINUTES // 60))
    n = round(CHUNK_S * rate_hz)
    return [
        encode_chunk(
            Chunk(ADDRESS, "rec", seq, start_utc_s + at / rate_hz, at, rate_hz, acc[at : at + n], gyr[at : at + n])
        )
        for seq, at in enumerate(range(0, len(acc), n))
    ]


def cost_of(store: Store, blobs: list[bytes], clock: StepClock, sizes: Callable[[], Mapping[str, int]],
            spent_s: Callable[[], float], written: Callable[[], int]) -> Cost:  # fmt: skip
    """Store, analyse, judge and look at the chunks. sizes: bytes by table; spent_s: of the database's own processes."""
    services = build_services(store, Config(), clock)
    coach_id = services.accounts.create_user("Sam", Role.COACH)
    athlete_id = services.athletes.create("Mara", "Europe/Berlin", coach_id, sport="golf")
    user_id = services.accounts.create_user("Mara", Role.ATHLETE, athlete_id=athlete_id)
    athlete = services.accounts.identity(user_id)
    assert athlete
    services.wearables.add(athlete, athlete_id, ADDRESS, "movella-dot", "Bench", "chest")
    cost, before, log_before = Cost(), sizes(), written()
    for name, work in (
        ("ingest", lambda: [services.log.append_encoded([blob]) for blob in blobs]),
        ("analysis", lambda: _analyse(services)),
        ("judging", lambda: services.days.judge_due()),
    ):
        began_s, server_s = time.process_time(), spent_s()
        work()
        cost.seconds[name] = time.process_time() - began_s
        if name != "judging":
            cost.seconds["database"] = cost.seconds.get("database", 0.0) + spent_s() - server_s
    cost.log_bytes = written() - log_before
    after = sizes()
    cost.bytes.update({name: size - before.get(name, 0) for name, size in after.items()})
    cost.view_ms = _view_ms(services, store, clock, (coach_id, user_id), athlete_id)
    return cost


def _analyse(services: Services) -> None:
    while streams := services.motion.pending_streams():
        for stream in streams:
            services.motion.handle_pending(stream)


def _view_ms(services: Services, store: Store, clock: StepClock, people: tuple[str, str], athlete_id: str) -> float:
    """Return the processor time of a page on average: the desk, the athlete's own page, their findings."""
    app = create_app(services, LiveFeed(), Config(), "k" * 64, clock=clock)
    clients = []
    for person in people:
        client = app.test_client()
        client.get(f"/enter/{services.accounts.issue_sign_in_link(person)}")
        clients.append(client)
    views = [(clients[0], "/"), (clients[0], f"/athletes/{athlete_id}"), (clients[1], "/"), (clients[1], "/findings")]
    for client, path in views:  # templates are compiled
        client.get(path, follow_redirects=True)
    began_s = time.process_time()
    for _ in range(5):
        for client, path in views:
            assert client.get(path, follow_redirects=True).status_code == 200, path
    return (time.process_time() - began_s) * 1000 / (5 * len(views))


def in_sqlite(blobs: list[bytes], clock: StepClock) -> Cost:
    """Return the cost in a file."""
    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder) / "costs.sqlite3") as store:
        migrate(store)

        def sizes() -> Mapping[str, int]:
            with closing(sqlite3.connect(Path(folder) / "costs.sqlite3")) as connection:
                of = dict(connection.execute("SELECT name, tbl_name FROM sqlite_schema"))
                found: Counter[str] = Counter()
                for name, size in connection.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name"):
                    found[of.get(name, name)] += size
                return found

        return cost_of(store, blobs, clock, sizes, lambda: 0.0, lambda: 0)


def in_postgres(server: Postgres, blobs: list[bytes], clock: StepClock) -> Cost:
    """Return the cost on a server."""
    url = server.url(server.create())
    with open_store(url) as store, psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as own:
        migrate(store)

        def sizes() -> Mapping[str, int]:
            return dict(own.execute(
                "SELECT root.relname, sum(pg_total_relation_size(part.relid))::bigint FROM pg_class root, "
                "LATERAL pg_partition_tree(root.oid) part WHERE root.relkind IN ('r', 'p') AND NOT root.relispartition "
                "AND root.relnamespace = 'public'::regnamespace GROUP BY 1 "
                "UNION ALL SELECT relname, pg_total_relation_size(oid) FROM pg_class WHERE relkind = 'r' "
                "AND NOT relispartition AND relnamespace = 'public'::regnamespace "
                "AND NOT EXISTS (SELECT FROM pg_partition_tree(oid))"
            ).fetchall())  # fmt: skip

        def written() -> int:
            (place,) = own.execute("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')").fetchone() or (0,)
            return int(place)

        assert server.process is not None
        postmaster = server.process.pid
        return cost_of(store, blobs, clock, sizes, lambda: processor_s(postmaster), written)


def processor_s(postmaster: int) -> float:
    """Return the processor time of a database server: it, what has ended under it, and what runs."""
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            after_name = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if path.parent.name == str(postmaster):
            ticks += sum(map(int, after_name[11:15]))
        elif int(after_name[1]) == postmaster:
            ticks += sum(map(int, after_name[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


async def in_jetstream(url: str, blobs: list[bytes]) -> float:
    """Return the bytes on disk of a message of a chunk."""
    client = await nats.connect(url)
    stream = client.jetstream()
    await stream.add_stream(StreamConfig(name="COSTS", subjects=["motion.>"]))
    subject = f"motion.5.{'a' * 32}"
    for seq, blob in enumerate(blobs):
        await stream.publish(subject, blob, headers={"Nats-Msg-Id": f"{ADDRESS}-rec-{seq}"})
    info = await stream.stream_info("COSTS")
    await client.close()
    return info.state.bytes / len(blobs)


def measure() -> list[str]:
    """Return the lines of the report."""
    clock = StepClock()
    start_s = clock.utc_s() - MINUTES * 60
    costs: dict[tuple[str, int], Cost] = {}
    stored: dict[int, tuple[int, float, float]] = {}
    try:
        server, broker = Postgres(), Nats()
    except NoBinary as error:
        return [f"Not measured: {error}"]
    try:
        for rate in (50, 100):
            blobs = chunks_of(rate, start_s)
            costs["SQLite", rate] = in_sqlite(blobs, clock)
            costs["PostgreSQL", rate] = in_postgres(server, blobs, clock)
            message = asyncio.run(in_jetstream(broker.url, blobs[:200]))
            stored[rate] = (len(blobs), sum(map(len, blobs)) / len(blobs), message)
            _forget(broker)
    finally:
        server.close()
        broker.close()
    return report(costs, stored)


def _forget(broker: Nats) -> None:
    async def forget() -> None:
        client = await nats.connect(broker.url)
        await client.jetstream().delete_stream("COSTS")
        await client.close()

    asyncio.run(forget())


def report(costs: Mapping[tuple[str, int], Cost], stored: Mapping[int, tuple[int, float, float]]) -> list[str]:
    """Return the tables: bytes, then seconds, of an athlete's day."""
    days = WORN_H * 60 / MINUTES
    lines = [
        f"One wearable, six axes, worn {WORN_H} h: {MINUTES} min of a made day of work in chunks of {CHUNK_S:.0f} s, "
        f"times {days:.0f}. MB are 10^6 bytes; indexes and TOAST are in the tables. Seconds are of processors; on "
        "a busy machine, whose caches others use, 1.4 to 2 times as many.",
        "",
        "| MB an athlete and day | chunks | features | exposure, answers, findings | all | a recording's state, once |",
        "|---|---|---|---|---|---|",
    ]
    for (where, rate), cost in costs.items():
        grows = {name: size for name, size in cost.bytes.items() if name not in OF_A_RECORDING}
        rest = sum(grows.values()) - grows.get("chunk", 0) - grows.get("feature", 0)
        cells = [grows.get("chunk", 0), grows.get("feature", 0), rest, sum(grows.values())]
        state = sum(cost.bytes[name] for name in OF_A_RECORDING) / MB
        lines.append(
            f"| {where}, {rate} Hz | {' | '.join(f'{each * days / MB:.1f}' for each in cells)} | {state:.1f} |"
        )
    lines += ["", "| MB an athlete and day | 50 Hz | 100 Hz |", "|---|---|---|"]
    lines.append("| coded chunks alone | " + " | ".join(
        f"{count * size * days / MB:.1f}" for count, size, _ in stored.values()) + " |")  # fmt: skip
    lines.append("| PostgreSQL's write-ahead log | " + " | ".join(
        f"{costs['PostgreSQL', rate].log_bytes * days / MB:.0f}" for rate in stored) + " |")  # fmt: skip
    lines.append("| JetStream, until a worker has stored it | " + " | ".join(
        f"{count * message * days / MB:.1f}" for count, _, message in stored.values()) + " |")  # fmt: skip
    parts = ("ingest", "analysis", "judging", "database")
    lines += [
        "",
        f"| processor s an athlete and day | {' | '.join(parts)} | pages ({VIEWS} views) | all |",
        "|---|" + "---|" * (len(parts) + 2),
    ]
    for (where, rate), cost in costs.items():
        # A day is judged once however long it was.
        spent = [cost.seconds[part] * (1 if part == "judging" else days) for part in parts]
        spent.append(cost.view_ms * VIEWS / 1000)
        lines.append(f"| {where}, {rate} Hz | {' | '.join(f'{each:.1f}' for each in [*spent, sum(spent)])} |")
    return lines


if __name__ == "__main__":
    print("\n".join(measure()))
