"""An athlete's archive: speed and memory of making it, and of taking it in, each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from coach.config import Config
from coach.service import build_services
from coach.store.engine import migrate, open_store
from devices.hostclock import SystemClock
from tests.bench.bench_store import a_chunk
from tests.coach.club import ADDRESS, FakeClock, found_club

# 46 hours of one wearable at 60 Hz.
SAMPLES = 10_000_000
_CHILD = """
import json, resource, sys, time
from pathlib import Path
from tests.bench.bench_export import {what}
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
began, worked = time.perf_counter(), time.process_time()
told = {what}(*map(Path, sys.argv[1:]))
took, worked = time.perf_counter() - began, time.process_time() - worked
print(json.dumps([took, worked, before / 1024, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, told]))
"""


def made(database: Path, archive: Path) -> int:
    """Make the archive of the one athlete; return its samples."""
    with open_store(database) as store:
        services = build_services(store, Config(), SystemClock())
        with open(archive, "wb") as file:
            return services.exports.write(None, services.exports.athlete_named("Ada"), file).samples


def taken(archive: Path, database: Path) -> int:
    """Take the archive in; return its rows."""
    with open_store(database) as store:
        migrate(store)
        return build_services(store, Config(), SystemClock()).restoring.take_in(archive).rows


def alone(what: str, *paths: Path) -> tuple[float, float, float, float, int]:
    """Run one of these in a process of its own; return s, s of processor, MB at first and at most, its answer."""
    command = [sys.executable, "-c", _CHILD.format(what=what), *map(str, paths)]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    took, worked, before, most, told = json.loads(out.splitlines()[-1])
    return took, worked, before, most, told


def an_athlete(database: Path, samples: int) -> None:
    """Make Ada with one recording of so many samples."""
    with open_store(database) as store:
        migrate(store)
        club = found_club(store, FakeClock())
        kinds = [a_chunk("long", seq) for seq in range(64)]
        chunks = samples // 300
        for first in range(0, chunks, 500):
            some = [(seq, kinds[seq % len(kinds)]) for seq in range(first, min(first + 500, chunks))]
            stored = club.services.log.append(
                [
                    replace(each, device_id=ADDRESS, seq=seq, start_utc_s=1.79e9 + 5 * seq, start_index=300 * seq)
                    for seq, each in some
                ]
            )
            if len(stored) < len(some):
                raise RuntimeError("the athlete of this measurement lost chunks")


def measure(samples: int = SAMPLES) -> list[str]:
    """Return the lines of the report."""
    with tempfile.TemporaryDirectory() as folder:
        database, archive = Path(folder) / "a.sqlite3", Path(folder) / "a.zip"
        an_athlete(database, samples)
        # acc and gyr as 32-bit floats: what the samples are, however they are packed.
        raw_mb = samples * 6 * 4 / 1e6
        took, worked, before, most, told = alone("made", database, archive)
        size_mb, stored_mb = archive.stat().st_size / 1e6, database.stat().st_size / 1e6
        lines = [
            f"- export of {told / 1e6:.1f} million samples ({stored_mb:.0f} MB of database) to {size_mb:.0f} MB: "
            f"{took:.1f} s, {worked:.1f} s of one processor; {raw_mb / worked:.1f} MB of samples (32-bit floats) and "
            f"{size_mb / worked:.1f} MB of archive a processor's second; {most:.0f} MB of memory at most, "
            f"{before:.0f} MB of it before it began"
        ]
        took, worked, before, most, rows = alone("taken", archive, Path(folder) / "b.sqlite3")
        lines.append(
            f"- the same taken in: {took:.1f} s, {worked:.1f} s of one processor, {rows} rows; {most:.0f} MB of memory "
            f"at most, {before:.0f} MB of it before it began"
        )
        return lines
