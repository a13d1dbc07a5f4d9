"""The analysis beside other libraries that do part of it, in one run. Run: python -m tests.bench.bench_peers [hours]

Peers are no dependency: `pip install -e .[bench]` brings them; a row without its peer says so.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from coach.analysis.cycles import CycleState, add_cycles
from coach.analysis.filters import LowPassState, low_pass
from coach.analysis.frames import body_axes, in_body, inclination_deg
from coach.analysis.orientation import OrientationParams, OrientationState, estimate_orientation
from coach.analysis.recording import analyse_recording
from coach.analysis.stream import BLOCK
from devices.types import FloatArray
from tests.bench.bench_analysis import FRONT, PARAMS, UPRIGHT, cpu_s, together
from tests.bench.workday import RATE_HZ, G, chunked, workday

# Values that a peer in plain Python is given; its time is scaled up. Own choice, so that the run takes a minute.
SLOW_VALUES = 1_080_000
PIECE = 65536


def installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def trunk_angle(acc: FloatArray, gyr: FloatArray) -> FloatArray:
    """Return the low-passed inclination of the whole day, as the stream has it."""
    orientation, memory, parts = OrientationState(), LowPassState(), []
    axes = body_axes(UPRIGHT, FRONT)
    for part in chunked(acc, gyr, BLOCK):
        orientation, oriented = estimate_orientation(
            OrientationParams(), orientation, RATE_HZ, part.acc_mps2, part.gyr_radps, aged=False
        )
        angle = inclination_deg(in_body(oriented.up, axes))
        memory, smooth = low_pass(memory, RATE_HZ, angle, oriented.valid, oriented.whole)
        parts.append(smooth)
    return np.concatenate(parts)


def ours(values: FloatArray) -> int:
    state = CycleState()
    for first in range(0, len(values), PIECE):
        state, _ = add_cycles(state, values[first : first + PIECE])
    return int(state.full.sum())


def pylife(values: FloatArray) -> None:
    rainflow = import_module("pylife.stress.rainflow")
    rainflow.FourPointDetector(recorder=rainflow.FullRecorder()).process(values)


def pypi_rainflow(values: FloatArray) -> None:
    for _ in import_module("rainflow").extract_cycles(values):
        pass


def rainflow(acc: FloatArray, gyr: FloatArray) -> list[str]:
    trunk = trunk_angle(acc, gyr)
    noisy = trunk + np.random.default_rng(3).normal(scale=2.0, size=trunk.size)
    lines = ["| signal | counter | s | times ours |", "|---|---|---|---|"]
    peers: tuple[tuple[str, str, Callable[[FloatArray], None], int], ...] = (
        ("pylife", "FourPointDetector", pylife, trunk.size),
        ("rainflow", "extract_cycles", pypi_rainflow, SLOW_VALUES),
    )
    for name, values in (("trunk, low-passed", trunk), ("trunk and noise", noisy)):
        works: dict[str, Callable[[], object]] = {"ours": lambda v=values: ours(v)}
        scale = {}
        for package, what, run, most in peers:
            if found := installed(package):
                label = f"{package} {found}, {what}"
                scale[label] = max(values.size / most, 1.0)
                works[label] = lambda v=values[:most], r=run: r(v)
        took = together(works, 3)
        for label, seconds in took.items():
            whole = seconds * scale.get(label, 1.0)
            lines.append(f"| {name} | {label} | {whole:.3f} | {whole / took['ours']:.1f} |")
    missing = [package for package, *_ in peers if not installed(package)]
    return [*lines, *(f"\n{package} is not installed." for package in missing)]


def skdh_report(acc: FloatArray, gyr: FloatArray) -> None:
    """Calibrate, find wear, activity levels and gait: the report that comes nearest to ours."""
    preprocessing, activity, gait = (import_module(f"skdh.{name}") for name in ("preprocessing", "activity", "gait"))
    times = 1_700_000_000.0 + np.arange(len(acc)) / RATE_HZ
    data: dict[str, Any] = {"time": times, "accel": acc / G, "fs": RATE_HZ}
    data.update(preprocessing.CalibrateAccelerometer(min_hours=1).predict(**data))
    data.update(preprocessing.AccelThresholdWearDetection().predict(**data))
    activity.ActivityLevelClassification(min_wear_time=0).predict(**data)
    # The day walks from minute 4 to 8 of each 20 but at night; bouts are given, for finding them would only add.
    minutes = np.arange(4, len(acc) / RATE_HZ / 60, 20)
    awake = minutes[((minutes // 60 + 8) % 24) >= 7]
    bouts = np.stack((awake * 60 * RATE_HZ, (awake + 4) * 60 * RATE_HZ), axis=1).astype(int)
    gait.GaitLumbar().predict(time=times, accel=data["accel"], fs=RATE_HZ, gait_bouts=bouts, height=1.75)


def whole_reports(acc: FloatArray, gyr: FloatArray) -> list[str]:
    found = installed("scikit-digital-health")
    if not found:
        return ["scikit-digital-health is not installed."]
    mine = cpu_s(lambda: analyse_recording("lower_back", chunked(acc, gyr, BLOCK), PARAMS, UPRIGHT, FRONT))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = cpu_s(lambda: skdh_report(acc, gyr))
    return [
        f"{len(acc) / RATE_HZ / 3600:g} h: the whole analysis {mine:.1f} s, scikit-digital-health {found} calibrate, "
        f"wear, activity and gait {theirs:.1f} s: {theirs / mine:.1f} times ours. They do not compute the same things."
    ]


def measure(hours: int = 24) -> list[str]:
    """Return the lines of the report."""
    acc, gyr = workday(hours)
    return [*rainflow(acc, gyr), "", *whole_reports(acc, gyr)]


if __name__ == "__main__":
    print("\n".join(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 24)))
