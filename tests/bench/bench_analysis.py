"""How fast the analysis is, beside bare vqf on the same data. Run: python -m tests.bench.bench_analysis [hours]

Times are processor time of the one thread that works, so that a busy machine disturbs them little.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import fields
from importlib.metadata import version
from pathlib import Path

import numpy as np
from vqf import VQF

from coach.analysis.frames import Vector
from coach.analysis.recording import analyse_recording
from coach.analysis.state import AnalysisState, new_state
from coach.analysis.stream import BLOCK, analyse
from coach.analysis.swing_types import SwingKind
from coach.analysis.types import AnalysisParams
from devices.types import Chunk, FloatArray
from tests.bench.workday import ACC_STEP, GYR_STEP, RATE_HZ, chunked, workday

PARAMS = AnalysisParams(swing=SwingKind.GOLF)
UPRIGHT: Vector = (1.0, 0.0, 0.0)
FRONT: Vector = (0.0, 0.0, 1.0)
CHUNK = round(5 * RATE_HZ)


def cpu_s(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def together(works: dict[str, Callable[[], object]], runs: int) -> dict[str, float]:
    """Return the median time of each, all of them in turn, so that a slow minute of the machine meets all alike."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(runs):
        for name, work in works.items():
            times[name].append(cpu_s(work))
    return {name: statistics.median(values) for name, values in times.items()}


def bare(parts: Iterable[Chunk]) -> None:
    vqf = VQF(1 / RATE_HZ)
    for part in parts:
        vqf.updateBatch(part.gyr_radps, part.acc_mps2)


def stream(parts: Iterable[Chunk], as_bytes: bool, upright: Vector | None = None, front: Vector | None = None) -> int:
    """Analyse chunk by chunk; return the size of the largest stored state."""
    state, size = new_state("chest", PARAMS, upright, front), 0
    for part in parts:
        state = analyse(state, part).state
        if as_bytes:
            data = state.to_bytes()
            state, size = AnalysisState.from_bytes(data), max(size, len(data))
    return size


def offline(acc: FloatArray, gyr: FloatArray, hours: int) -> list[str]:
    lines = ["| hours | bare vqf (s) | whole analysis (s) | ns a sample | times vqf |", "|---|---|---|---|---|"]
    for length in (1, 6, 24, 72):
        n, times = round(min(length, hours) * 3600 * RATE_HZ), max(length // hours, 1)
        rows = acc[:n], gyr[:n]
        took = together(
            {
                "vqf": lambda r=rows, k=times: bare(chunked(*r, BLOCK, k)),
                "all": lambda r=rows, k=times: analyse_recording(
                    "chest", chunked(*r, BLOCK, k), PARAMS, UPRIGHT, FRONT
                ),
            },
            3 if length < 24 else 1,
        )
        each = took["all"] / (n * times) * 1e9
        lines.append(
            f"| {n * times / RATE_HZ / 3600:g} | {took['vqf']:.2f} | {took['all']:.2f} | {each:.0f} "
            f"| {took['all'] / took['vqf']:.2f} |"
        )
    return lines


def kinds(acc: FloatArray, gyr: FloatArray) -> list[str]:
    """Return the table of different wearables over the first hour, which is one of work."""
    n = round(3600 * RATE_HZ)
    rows, still = (acc[:n], gyr[:n]), (acc[:n], np.full((n, 3), np.nan))
    works: dict[str, Callable[[], object]] = {
        "bare vqf": lambda: bare(chunked(*rows, BLOCK)),
        "chest, pose and bow known": lambda: stream(chunked(*rows, BLOCK), False, UPRIGHT, FRONT),
        "chest, nothing known": lambda: stream(chunked(*rows, BLOCK), False),
        "wrist": lambda: analyse_recording("wrist_left", chunked(*rows, BLOCK), PARAMS),
        "chest without a gyroscope": lambda: stream(chunked(*still, BLOCK), False, UPRIGHT, FRONT),
    }
    lines = ["| an hour of work, in long blocks | ns a sample |", "|---|---|"]
    return [*lines, *(f"| {name} | {seconds / n * 1e9:.0f} |" for name, seconds in together(works, 3).items())]


def in_chunks(acc: FloatArray, gyr: FloatArray) -> list[str]:
    """Return the table of the path in chunks of five seconds: the whole day, and its first hour of work."""
    hour = round(3600 * RATE_HZ)
    lines = ["| in 5 s chunks, pose and bow known | µs a wearable-second | µs a chunk |", "|---|---|---|"]
    for name, n, runs in (("the whole day", len(acc), 1), ("an hour of work", hour, 3)):
        rows = acc[:n], gyr[:n]
        works: dict[str, Callable[[], object]] = {
            f"bare vqf, {name}": lambda r=rows: bare(chunked(*r, CHUNK)),
            f"whole analysis, {name}": lambda r=rows: stream(chunked(*r, CHUNK), False, UPRIGHT, FRONT),
        }
        if runs > 1:
            works["the same, and its state to and from bytes each chunk"] = lambda r=rows: stream(
                chunked(*r, CHUNK), True, UPRIGHT, FRONT
            )
        for label, seconds in together(works, runs).items():
            each = seconds / (n / RATE_HZ) * 1e6
            lines.append(f"| {label} | {each:.1f} | {5 * each:.0f} |")
    size = stream(chunked(acc[:hour], gyr[:hour], CHUNK), True, UPRIGHT, FRONT)
    return [*lines, "", f"Largest stored state: {size:,} bytes."]


_MEMORY = """
import sys
import numpy as np
from coach.analysis.recording import analyse_recording
from coach.analysis.swing_types import SwingKind
from devices.types import Chunk
from tests.bench.bench_analysis import FRONT, PARAMS, UPRIGHT
raw, block = np.load(sys.argv[1]), 8192
def parts():
    for seq, first in enumerate(range(0, len(raw), block)):
        rows = raw[first : first + block]
        acc, gyr = rows[:, :3] * float(sys.argv[2]), rows[:, 3:] * float(sys.argv[3])
        yield Chunk("m", "r", seq, 0.0, first, 100.0, acc, gyr)
analyse_recording("chest", parts(), PARAMS, UPRIGHT, FRONT)
# Of this process alone: the peak that getrusage tells begins with that of whoever started it.
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def memory(acc: FloatArray, gyr: FloatArray) -> str:
    """Return the peak of a process that reads the samples as int16 and analyses them, nothing else (Linux)."""
    raw = np.concatenate((np.rint(acc / ACC_STEP), np.rint(gyr / GYR_STEP)), axis=1).astype(np.int16)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "raw.npy"
        np.save(path, raw)
        command = [sys.executable, "-c", _MEMORY, str(path), str(ACC_STEP), str(GYR_STEP)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    peak, size = int(done.stdout) * 1024 / 1e6, raw.nbytes / 1e6
    return (
        f"Peak memory of the whole process over {len(raw) / RATE_HZ / 3600:g} h: {peak:.0f} MB, "
        f"the int16 input itself {size:.0f} MB; mark: {2 * size + 100:.0f} MB."
    )


def switched_on(acc: FloatArray, gyr: FloatArray) -> list[str]:
    """Return what an hour of the day changes in the state: whatever is switched on, seen and not said."""
    before = after = new_state("chest", PARAMS, UPRIGHT, FRONT)
    for part in chunked(acc[: round(3600 * RATE_HZ)], gyr[: round(3600 * RATE_HZ)], BLOCK):
        after = analyse(after, part).state
    names = [part.name for part in fields(AnalysisState) if "State" in str(part.type)]
    return sorted(name for name in names if getattr(after, name) is not getattr(before, name))


def measure(hours: int = 24) -> list[str]:
    """Return the lines of the report."""
    acc, gyr = workday(hours)
    return [
        f"Made day at {RATE_HZ:g} Hz; vqf {version('vqf')}, numpy {version('numpy')}, scipy {version('scipy')};",
        f"processor time of one thread. Switched on with pose and bow known: {', '.join(switched_on(acc, gyr))}.",
        "",
        *offline(acc, gyr, hours),
        "",
        *in_chunks(acc, gyr),
        "",
        *kinds(acc, gyr),
        "",
        memory(acc, gyr),
    ]


if __name__ == "__main__":
    print("\n".join(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 24)))
