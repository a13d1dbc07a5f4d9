"""How fast the analysis is, beside bare vqf on the same data. Run: python -m tests.bench.bench_analysis [hours]"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from importlib.metadata import version

import numpy as np
from vqf import VQF

from coach.analysis.recording import analyse_recording
from coach.analysis.stream import BLOCK, AnalysisState, analyse, new_state
from coach.analysis.types import AnalysisParams
from devices.types import Chunk, FloatArray

RATE_HZ = 100.0
PARAMS = AnalysisParams()


def workday(hours: float, seed: int = 7) -> tuple[FloatArray, FloatArray]:
    """Return acc and gyr of a trunk that sways, walks and bends about 6 times a minute half of the time."""
    random = np.random.default_rng(seed)
    n = round(hours * 3600 * RATE_HZ)
    t = np.arange(n) / RATE_HZ
    working = (t // 1200).astype(int) % 2 == 1
    angle = 3 * np.sin(2 * np.pi * 0.13 * t) + np.where(working, 25 * (1 - np.cos(2 * np.pi * t / 10)), 0.0)
    theta = np.radians(angle)
    zero = np.zeros(n)
    step = np.where(working, 0.0, 1.5 * np.sin(2 * np.pi * 1.8 * t))
    acc = np.stack([zero, 9.81 * np.sin(theta), 9.81 * np.cos(theta) + step], axis=1)
    gyr = np.stack([np.gradient(theta) * RATE_HZ, zero, zero], axis=1)
    return acc + random.normal(scale=0.05, size=(n, 3)), gyr + random.normal(scale=0.003, size=(n, 3)) + 0.005


def chunked(acc: FloatArray, gyr: FloatArray, count: int) -> list[Chunk]:
    starts = range(0, len(acc), count)
    return [
        Chunk("bench", "r", seq, 0.0, i, RATE_HZ, acc[i : i + count], gyr[i : i + count])
        for seq, i in enumerate(starts)
    ]


def median_s(work: Callable[[], object], runs: int = 3) -> float:
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def bare(acc: FloatArray, gyr: FloatArray) -> None:
    vqf = VQF(1 / RATE_HZ)
    for i in range(0, len(acc), BLOCK):
        vqf.updateBatch(gyr[i : i + BLOCK], acc[i : i + BLOCK])


def stream(parts: list[Chunk], as_bytes: bool) -> int:
    state, size = new_state("chest", PARAMS), 0
    for part in parts:
        state = analyse(state, part).state
        if as_bytes:
            data = state.to_bytes()
            state, size = AnalysisState.from_bytes(data), max(size, len(data))
    return size


def measure(hours: float = 2.0) -> list[str]:
    """Return the lines of the report."""
    acc, gyr = workday(hours)
    n = len(acc)
    blocks, parts = chunked(acc, gyr, BLOCK), chunked(acc, gyr, round(5 * RATE_HZ))
    vqf_s = median_s(lambda: bare(acc, gyr))
    rows = (
        ("bare vqf, the peer", vqf_s),
        ("whole analysis, offline", median_s(lambda: analyse_recording("chest", blocks, PARAMS))),
        ("whole analysis, 5 s chunks", median_s(lambda: stream(parts, as_bytes=False))),
        ("the same, state to and from bytes each chunk", median_s(lambda: stream(parts, as_bytes=True))),
    )
    return [
        f"{hours:g} h at {RATE_HZ:g} Hz, {n:,} samples; vqf {version('vqf')}, numpy {version('numpy')}; medians of 3.",
        "",
        "| what | ns a sample | µs a 5 s chunk | times vqf |",
        "|---|---|---|---|",
        *(
            f"| {name} | {seconds / n * 1e9:.0f} | {seconds / len(parts) * 1e6:.0f} | {seconds / vqf_s:.2f} |"
            for name, seconds in rows
        ),
        "",
        f"Largest stored state: {stream(parts, as_bytes=True):,} bytes.",
    ]


if __name__ == "__main__":
    print("\n".join(measure(float(sys.argv[1]) if len(sys.argv) > 1 else 2.0)))
