"""Orientation from accelerometer and gyroscope: VQF without magnetometer, in its on-line form.

Source: Laidig and Seel 2023, Information Fusion 91:187 (6D), by the authors' package `vqf` with its default parameters.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from vqf import VQF

from coach.analysis.quality import BoolArray, runs, valid_rows
from devices.types import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class OrientationParams:
    # Own heuristic: a few lost notifications. Up to here the motion in between is taken as a straight line from the
    # sample before to the sample after; over a longer gap the filter starts anew.
    bridge_s: float = 0.2


@dataclass(frozen=True, slots=True)
class OrientationState:
    """vqf: the filter's own state by name, None before the first sample. missing: samples missing since the last one.

    last: the last sample, acc then gyr. age: samples since the filter started.
    """

    vqf: dict[str, Any] | None = None
    last: tuple[float, ...] = ()
    missing: int = 0
    age: int = 0


@dataclass(frozen=True, slots=True)
class Oriented:
    """quat: (n, 4), NaN where no sample was. valid: (n,) one was there. age: (n,) samples since the filter started."""

    quat: FloatArray
    valid: BoolArray
    age: IntArray


def estimate_orientation(
    params: OrientationParams, state: OrientationState, rate_hz: float, acc_mps2: FloatArray, gyr_radps: FloatArray
) -> tuple[OrientationState, Oriented]:
    """Run the filter over consecutive samples of the grid. acc_mps2, gyr_radps: (n, 3), NaN where missing."""
    n = acc_mps2.shape[0]
    valid = valid_rows(acc_mps2, gyr_radps)
    quat = np.empty((n, 4)) if valid.all() else np.full((n, 4), np.nan)
    age = np.zeros(n, dtype=np.int64)
    pieces = runs(valid)
    if not pieces:
        return replace(state, missing=state.missing + n), Oriented(quat, valid, age)
    vqf = VQF(1.0 / rate_hz)
    if state.vqf is not None:
        vqf.state = state.vqf
    bridge = round(params.bridge_s * rate_hz)
    last, began, end_before = state.last, state.age, -state.missing
    for first, end in pieces:
        gap = first - end_before
        acc, gyr = acc_mps2[first:end], gyr_radps[first:end]
        if not last or gap > bridge:
            vqf, began, gap = _restarted(vqf, rate_hz), 0, 0
        elif gap:
            acc, gyr = _bridged(last, gap, acc, gyr)
        age[first:end] = np.arange(began + gap, began + gap + end - first)
        quat[first:end] = _run(vqf, acc, gyr)[gap:]
        began += gap + end - first
        last, end_before = (*acc[-1].tolist(), *gyr[-1].tolist()), end
    return OrientationState(dict(vqf.state), last, n - end_before, began), Oriented(quat, valid, age)


def _run(vqf: VQF, acc: FloatArray, gyr: FloatArray) -> FloatArray:
    out = vqf.updateBatch(np.ascontiguousarray(gyr, dtype=np.float64), np.ascontiguousarray(acc, dtype=np.float64))
    quat: FloatArray = out["quat6D"]
    return quat


def _restarted(before: VQF, rate_hz: float) -> VQF:
    # The gyroscope's bias belongs to the sensor and outlives a gap; where it points does not.
    fresh, known = VQF(1.0 / rate_hz), before.state
    initial = fresh.state
    initial["bias"], initial["biasP"] = known["bias"], known["biasP"]
    fresh.state = initial
    return fresh


def _bridged(last: tuple[float, ...], gap: int, acc: FloatArray, gyr: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return acc and gyr with `gap` rows before them, on a straight line from the last sample to the first row."""
    before, after = np.asarray(last), np.concatenate((acc[0], gyr[0]))
    share = np.arange(1, gap + 1)[:, None] / (gap + 1)
    between = before + share * (after - before)
    return np.concatenate((between[:, :3], acc)), np.concatenate((between[:, 3:], gyr))
