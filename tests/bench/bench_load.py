"""The load mark: `backstop run` with 500 wearables that post chunks of a second and 50 open dashboards."""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from coach.instance import database_path
from tests.bench.load.club import PRODUCT, RATE_HZ, Club, make_club
from tests.bench.load.generate import PAGE_EVERY_S

ROOT = Path(__file__).resolve().parents[2]
# The mark.
WEARABLES, DASHBOARDS, SECONDS, RUNS = 500, 50, 180, 3
INGEST_P99_MS, PAGE_P99_MS, BEHIND_S = 100.0, 300.0, 5.0
_SETTLE_S = 30.0
# A server whose wearables are all served by gateways elsewhere.
ENVIRONMENT = {"BACKSTOP_CHUNK__DURATION_S": "1", "BACKSTOP_LINK__HERE": "false"}


@dataclass
class Watched:
    """What is seen from beside: how far the analysis is behind, and the processor time of the server."""

    behind_s: list[float] = field(default_factory=list)
    server_cpu_s: float = 0.0
    load: list[float] = field(default_factory=list)


def _cpu_s(root: int) -> float:
    """Return the processor time in s of a process and of all that it has started and that still run."""
    parents: dict[int, int] = {}
    ticks: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        pid = int(stat.parent.name)
        parents[pid], ticks[pid] = int(fields[1]), int(fields[11]) + int(fields[12])
    family = {root}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(ticks.get(pid, 0) for pid in family) / os.sysconf("SC_CLK_TCK")


# For each recording the chunk that waits longest, if any.
_BEHIND = """
select min(chunk.received_at) from stream
join stream_state on stream_state.stream_id = stream.id
join chunk on chunk.stream_id = stream.id and chunk.seq = stream_state.last_seq + 1
where stream.max_seq > stream_state.last_seq
"""


def _behind_s(connection: sqlite3.Connection) -> float:
    (oldest,) = connection.execute(_BEHIND).fetchone()
    if oldest is None:
        return 0.0
    return max(0.0, time.time() - datetime.fromisoformat(oldest).replace(tzinfo=UTC).timestamp())


def _watch(directory: Path, root: int, seen: Watched, stop: threading.Event) -> None:
    began_s = _cpu_s(root)
    with closing(sqlite3.connect(f"file:{database_path(directory)}?mode=ro", uri=True, timeout=10)) as connection:
        while not stop.wait(1.0):
            seen.behind_s.append(_behind_s(connection))
            seen.load.append(os.getloadavg()[0])
    seen.server_cpu_s = _cpu_s(root) - began_s


def _start(directory: Path, environment: dict[str, str]) -> tuple[subprocess.Popen[str], int]:
    process = subprocess.Popen(
        [sys.executable, "-m", "coach", "run", "--host", "127.0.0.1", "--port", "0", "--no-simulate", "--storage",
         str(directory)],
        cwd=ROOT, env=os.environ | ENVIRONMENT | environment, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    port = 0
    for line in process.stdout:
        if "is ready on" in line:
            port = int(line.split("is ready on")[1].split()[0].rpartition(":")[2])
        if "Ctrl-C" in line:
            break
    assert port, "the server did not start"
    threading.Thread(target=_drain, args=(process.stdout,), daemon=True).start()
    return process, port


def _drain(stream: IO[str]) -> None:
    for _ in stream:
        pass


def one_run(wearables: int, dashboards: int, seconds: int, environment: dict[str, str]) -> dict[str, Any]:
    """Run the load once and return everything that was measured."""
    with tempfile.TemporaryDirectory(prefix="backstop-load-") as folder:
        directory = Path(folder)
        club, path = make_club(directory, wearables), directory / "club.json"
        club.save(path)
        server, port = _start(directory, environment)
        seen, stop = Watched(), threading.Event()
        try:
            load = subprocess.Popen(
                [sys.executable, "-m", "tests.bench.load.generate", "--port", str(port), "--dashboards",
                 str(dashboards), "--seconds", str(seconds), "--directory", folder, "--club", str(path)],
                cwd=ROOT, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
            assert load.stdout is not None
            begins_utc_s = json.loads(load.stdout.readline())["begins_utc_s"]
            time.sleep(max(0.0, begins_utc_s - time.time()))
            watching = threading.Thread(target=_watch, args=(directory, server.pid, seen, stop))
            watching.start()
            result: dict[str, Any] = json.loads(load.stdout.read())
            load.wait(30)
            stop.set()
            watching.join()
            return result | _account(directory, club, seconds) | {
                "behind_s": seen.behind_s, "server_cpu_s": seen.server_cpu_s, "load": max(seen.load),
                "seconds": seconds,
            }  # fmt: skip
        finally:
            stop.set()
            server.terminate()
            server.wait(60)


def _account(directory: Path, club: Club, seconds: int) -> dict[str, Any]:
    """Wait until the analysis is through and count what is in the database."""
    give_up_s = time.monotonic() + _SETTLE_S
    with closing(sqlite3.connect(f"file:{database_path(directory)}?mode=ro", uri=True, timeout=10)) as connection:
        while True:
            analysed = connection.execute(
                "select count(*) from stream_state where last_seq = ?", (seconds - 1,)
            ).fetchone()[0]
            if analysed == len(club.wearers) or time.monotonic() > give_up_s:
                break
            time.sleep(0.5)
        stored, samples = connection.execute("select count(*), sum(samples) from chunk").fetchone()
        aside = connection.execute("select count(*) from set_aside").fetchone()[0]
    return {"stored": stored, "samples": samples, "analysed": analysed, "set_aside": aside}


def share(values: list[float], part: float) -> float:
    """Return the value below which a part of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else float("nan")


def _figures(run: dict[str, Any]) -> dict[str, float]:
    pages = [each for some in run["page_s"].values() for each in some]
    return {
        "lost": run["sent"] - min(run["acknowledged"], run["stored"]),
        "ingest_p50_ms": 1000 * share(run["ingest_s"], 0.5),
        "ingest_p99_ms": 1000 * share(run["ingest_s"], 0.99),
        "ingest_max_ms": 1000 * max(run["ingest_s"], default=float("nan")),
        "page_p50_ms": 1000 * share(pages, 0.5),
        "page_p99_ms": 1000 * share(pages, 0.99),
        "behind_s": max(run["behind_s"], default=float("nan")),
        "server_cores": run["server_cpu_s"] / max(1, len(run["behind_s"])),
        "generator_p99_ms": 1000 * run["generator_behind_s"],
        "machine_load": run["load"],
    }


def _told(run: dict[str, Any]) -> str:
    figures = _figures(run)
    return (
        f"{run['stored']:,} of {run['sent']:,} chunks stored, {run['analysed']} recordings analysed to the end; "
        f"{figures['lost']:.0f} lost; ingest median {figures['ingest_p50_ms']:.0f} ms, p99 "
        f"{figures['ingest_p99_ms']:.0f} ms, longest {figures['ingest_max_ms']:.0f} ms; pages median "
        f"{figures['page_p50_ms']:.0f} ms, p99 {figures['page_p99_ms']:.0f} ms over "
        f"{sum(map(len, run['page_s'].values()))}; analysis at most {figures['behind_s']:.1f} s behind; server "
        f"{figures['server_cores']:.2f} cores; generator's own lateness p99 {figures['generator_p99_ms']:.0f} ms; "
        f"answers {dict(run['statuses'])}, pages {dict(run['page_statuses'])}; streams {run['streams']}, "
        f"{run['streams_refused']} refused, {run['streams_ended']} ended, {run['events']} events; "
        f"load of the machine {figures['machine_load']:.1f}"
    )


def measure(
    runs: int = RUNS,
    wearables: int = WEARABLES,
    dashboards: int = DASHBOARDS,
    seconds: int = SECONDS,
    environment: dict[str, str] | None = None,
) -> list[str]:
    """Return the lines of the report."""
    lines = [
        f"{wearables} wearables ({PRODUCT}, {RATE_HZ:.0f} Hz, six axes, made motion of 20 bodies, coded before) each "
        f"post a chunk of one second a second, evenly spread, from one address; {dashboards} dashboards are open, half "
        f"coaches at a desk (20 athletes each), half athletes: an event stream each, and a page or a part of one every "
        f"{PAGE_EVERY_S:.0f} s. {seconds} s, server, database and generator on the same cores, loopback; latency from "
        "the intended time.",
        "",
    ]
    all_figures = []
    for number in range(runs):
        run = one_run(wearables, dashboards, seconds, environment or {})
        all_figures.append(_figures(run))
        lines.append(f"- run {number + 1}: {_told(run)}")
        print(lines[-1], file=sys.stderr, flush=True)
        for kind, values in sorted(run["page_s"].items()):
            print(f"    {kind}: median {1000 * share(values, 0.5):.0f} ms, p99 {1000 * share(values, 0.99):.0f} ms",
                  file=sys.stderr, flush=True)  # fmt: skip
    middle = {name: statistics.median(each[name] for each in all_figures) for name in all_figures[0]}
    lines.append(
        f"- median of {runs}: {middle['lost']:.0f} lost (mark 0); ingest p99 {middle['ingest_p99_ms']:.0f} ms "
        f"(mark {INGEST_P99_MS:.0f}); pages p99 {middle['page_p99_ms']:.0f} ms (mark {PAGE_P99_MS:.0f}); analysis at "
        f"most {middle['behind_s']:.1f} s behind (mark {BEHIND_S:.0f})"
    )
    return lines


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--wearables", type=int, default=WEARABLES)
    parser.add_argument("--dashboards", type=int, default=DASHBOARDS)
    parser.add_argument("--seconds", type=int, default=30)
    print("\n".join(measure(**vars(parser.parse_args()))))
