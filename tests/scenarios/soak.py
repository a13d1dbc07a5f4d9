"""A soak: what processes hold while simulated days go by, and whether every sample of these days can be told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tests.scenarios.processes import rows
from tests.scenarios.soak_wearers import Plan

_HERE = Path(__file__).parent
# Of each stream: its chunks, the places of the grid from its first to its last sample, and those that were received.
BY_RECORDING = """select s.device_id, s.recording_id, count(*), min(c.seq), max(c.seq),
    max(c.start_index + c.samples) - min(c.start_index), sum(c.samples - c.missing)
    from chunk c join stream s on s.id = c.stream_id group by s.id order by min(c.start_utc_s)"""


@dataclass(frozen=True, slots=True)
class Held:
    """What the processes of one kind hold together at one moment. at_s: monotonic; day_s: of the wearables' time."""

    at_s: float
    day_s: float
    rss_mb: float
    threads: int
    handles: int


@dataclass(slots=True)
class Watch:
    """Readings of a process and its children, in stretches between restarts, and of the log beside the database."""

    stretches: list[list[Held]] = field(default_factory=lambda: [[]])
    wal_mb_max: float = 0.0

    def look(self, pid: int, day_s: float, wal: Path | None = None) -> None:
        """Take a reading, unless the process is just ending."""
        try:
            held = held_by(pid, day_s)
        except (FileNotFoundError, ProcessLookupError):
            return
        self.stretches[-1].append(held)
        if wal is not None and wal.exists():
            self.wal_mb_max = max(self.wal_mb_max, wal.stat().st_size / 1e6)

    def restarted(self) -> None:
        """Begin another stretch."""
        self.stretches.append([])

    def growth(self, of: str, warm_s: float) -> tuple[float, float]:
        """Return how much grew per hour of the wearables' time, over the longest stretch, and that stretch in hours.

        warm_s: of the wearables' time, left out at the beginning of each stretch. The slope is that between the medians
        of the first and the last third: single readings between two collections of garbage say nothing.
        """
        grown = [[each for each in one if each.day_s - one[0].day_s >= warm_s] for one in self.stretches if one]
        longest = max(grown, key=lambda one: one[-1].day_s - one[0].day_s if one else 0.0)
        if len(longest) < 6:
            return 0.0, 0.0
        third = len(longest) // 3
        early, late = longest[:third], longest[-third:]
        value = [float(np.median([getattr(each, of) for each in part])) for part in (early, late)]
        at_h = [float(np.median([each.day_s for each in part])) / 3600 for part in (early, late)]
        return (value[1] - value[0]) / max(at_h[1] - at_h[0], 1e-9), (longest[-1].day_s - longest[0].day_s) / 3600

    def most(self, of: str) -> float:
        """Return the largest reading."""
        return max((float(getattr(each, of)) for one in self.stretches for each in one), default=0.0)


def held_by(pid: int, day_s: float) -> Held:
    """Read what a process and its children hold, from the kernel."""
    rss_kb = threads = handles = 0
    for each in family(pid):
        status = dict(
            line.split(":", 1) for line in Path(f"/proc/{each}/status").read_text().splitlines() if ":" in line
        )
        rss_kb += int(status.get("VmRSS", "0").split()[0])
        threads += int(status["Threads"])
        handles += len(os.listdir(f"/proc/{each}/fd"))
    return Held(time.monotonic(), day_s, rss_kb / 1000, threads, handles)


def family(pid: int) -> list[int]:
    """Return a process, its children, and theirs."""
    children = list(Path(f"/proc/{pid}/task").glob("*/children"))
    return [pid, *(one for path in children for each in path.read_text().split() for one in family(int(each)))]


class Wearers:
    """One athlete's process, started again and again; each run has a plan and books of its own."""

    def __init__(self, folder: Path, token: str, plan: Plan) -> None:
        self.folder, self._token, self.plan = folder, token, plan
        self.process: subprocess.Popen[bytes] | None = None
        self.runs = 0
        self.watch = Watch()
        folder.mkdir(parents=True, exist_ok=True)

    def start(self, start_utc_s: float, end_utc_s: float) -> None:
        """Begin a run of the wearables' time."""
        plan = Plan(
            self.plan.url, str(self.folder), str(self._told(self.runs)), start_utc_s, end_utc_s, self.plan.speed,
            self.plan.worn,
        )  # fmt: skip
        plan.write(self.folder / "plan.json")
        self.runs += 1
        with (self.folder / "wearers.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(_HERE / "soak_wearers.py"), str(self.folder / "plan.json")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=os.environ | {"BACKSTOP_GATEWAY__TOKEN": self._token, "PYTHONPATH": str(_HERE.parent.parent)},
            )

    @property
    def now_s(self) -> float:
        """Return the wearables' time, of the newest run."""
        try:
            return float(Path(f"{self._told(self.runs - 1)}.now").read_text().split()[0])
        except (FileNotFoundError, IndexError):
            return self.plan.start_utc_s

    @property
    def over(self) -> bool:
        """Tell whether the process ended; raises when it ended badly."""
        assert self.process is not None
        code = self.process.poll()
        assert code in (None, 0), (self.folder / "wearers.log").read_text(encoding="utf-8")[-2000:]
        return code == 0

    def stop(self, kill: bool = False) -> None:
        """End it in order, or at once."""
        if self.process is not None and self.process.poll() is None:
            if kill:
                self.process.kill()
            else:
                self.process.terminate()
            self.process.wait(120)

    def books(self) -> list[dict[str, Any]]:
        """Return what really happened, run by run."""
        return [json.loads(self._told(number).read_text(encoding="utf-8")) for number in range(self.runs)]

    def _told(self, number: int) -> Path:
        return self.folder / f"books-{number}.json"


@dataclass(frozen=True, slots=True)
class Account:
    """What was sent by one wearable in one run, and what is stored of it, in samples."""

    address: str
    sent: int
    places: int
    damaged: int
    restarts: int
    stored: int
    gaps: int


def accounts(folder: Path, wearers: list[Wearers]) -> list[Account]:
    """Set the wearables' books against the database: one recording for each wearable and run, no chunk missing."""
    by_device: dict[str, list[tuple[Any, ...]]] = {}
    for row in rows(folder, BY_RECORDING):
        by_device.setdefault(row[0], []).append(row)
        chunks, first, last = row[2:5]
        assert (first, last) == (0, chunks - 1), f"a chunk is missing: {row}"
    found: list[Account] = []
    for each in wearers:
        for run, books in enumerate(each.books()):
            for worn in each.plan.worn:
                true, row = books[worn.address], by_device[worn.address][run]
                found.append(
                    Account(
                        worn.address, true["sent"], true["last"] - true["first"] + 1, true["damaged"],
                        true["restarts"], row[6], row[5] - row[6],
                    )
                )  # fmt: skip
                assert true["distinct"] == true["sent"]
    assert all(len(recordings) == each.runs for each in wearers for recordings in
               [by_device[worn.address] for worn in each.plan.worn])  # fmt: skip
    return found
