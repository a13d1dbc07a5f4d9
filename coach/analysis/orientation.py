"""Orientation from accelerometer and gyroscope: VQF without magnetometer, in its on-line form.

Source: Laidig and Seel 2023, Information Fusion 91:187 (6D), by the authors' package `vqf` with its default parameters.
A wearable without a gyroscope gets the tilt of its accelerometer instead (tilt.py).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from vqf import VQF

from coach.analysis.frames import up_direction
from coach.analysis.quality import BoolArray, finite_rows, runs, valid_rows
from coach.analysis.tilt import TiltState, estimate_tilt
from devices.types import FloatArray, IntArray

# Own choice: what the filter returns of so many rows stays near the processor; long blocks take a tenth longer.
TOGETHER = 4096


@dataclass(frozen=True, slots=True)
class OrientationParams:
    # Own heuristic: a few lost notifications. Up to here the motion in between is taken as a straight line from the
    # sample before to the sample after; over a longer gap the filter starts anew.
    bridge_s: float = 0.2


@dataclass(frozen=True, slots=True)
class OrientationState:
    """vqf: the filter's own state by name, None before the first sample with an angular rate.

    last: the last sample, acc then gyr. missing: samples missing since; age: samples since the filter started.
    tilt: of the accelerometer, in use until the first angular rate comes; tilted: samples oriented by it.
    """

    vqf: dict[str, Any] | None = None
    last: tuple[float, ...] = ()
    missing: int = 0
    age: int = 0
    tilt: TiltState = field(default_factory=TiltState)
    tilted: int = 0


@dataclass(frozen=True, slots=True)
class Oriented:
    """quat: (n, 4), NaN where no sample was. valid: (n,) one was there; whole: all of it is True.

    up: (3, n) the direction "up" in sensor axes. gyr: (n, 3) angular rate in rad/s as measured, or, without a
    gyroscope, that of the tilt. age: (n,) samples since the filter started, empty if it was not asked for.
    """

    quat: FloatArray
    valid: BoolArray
    whole: bool
    up: FloatArray
    gyr: FloatArray
    age: IntArray


def estimate_orientation(
    params: OrientationParams,
    state: OrientationState,
    rate_hz: float,
    acc_mps2: FloatArray,
    gyr_radps: FloatArray,
    aged: bool = True,
) -> tuple[OrientationState, Oriented]:
    """Run the filter over consecutive samples of the grid. acc_mps2, gyr_radps: (n, 3), NaN where missing.

    A row counts when all six values are there; before the first row with an angular rate, when its acceleration is.
    """
    valid = valid_rows(acc_mps2, gyr_radps)
    whole = np.count_nonzero(valid) == valid.size
    if state.vqf is None and not whole and _begins_without_rate(acc_mps2, valid):
        return _without_gyroscope(params, state, rate_hz, acc_mps2, gyr_radps, valid)
    n, kind = valid.size, np.empty if whole else _missing
    oriented = Oriented(kind((n, 4)), valid, whole, kind((3, n)), gyr_radps, np.zeros(n if aged else 0, np.int64))
    pieces = [(0, n)] if whole and n else runs(valid)
    if not pieces:
        after = OrientationState(state.vqf, state.last, state.missing + n, state.age, state.tilt, state.tilted)
        return after, oriented
    return _filtered(round(params.bridge_s * rate_hz), state, rate_hz, acc_mps2, pieces, oriented), oriented


def _missing(shape: tuple[int, ...]) -> FloatArray:
    return np.full(shape, np.nan)


def _filtered(
    bridge: int,
    state: OrientationState,
    rate_hz: float,
    acc_mps2: FloatArray,
    pieces: list[tuple[int, int]],
    oriented: Oriented,
) -> OrientationState:
    """Run the filter over the pieces that are there, (first, end), and fill in `oriented`; return the state after it.

    bridge: so many missing samples are bridged.
    """
    vqf = VQF(1.0 / rate_hz)
    if state.vqf is not None:
        vqf.state = state.vqf
    last, began, end_before = state.last, state.age, -state.missing
    for first, end in pieces:
        gap = first - end_before
        acc, gyr = acc_mps2[first:end], oriented.gyr[first:end]
        if not last or gap > bridge:
            vqf, began, gap = _restarted(vqf, rate_hz), 0, 0
        elif gap:
            vqf.updateBatch(*_bridge(last, gap, acc[0], gyr[0]))
        if oriented.age.size:
            oriented.age[first:end] = np.arange(began + gap, began + gap + end - first)
        _run(vqf, acc, gyr, oriented.quat[first:end], oriented.up[:, first:end])
        began += gap + end - first
        last, end_before = (*acc[-1].tolist(), *gyr[-1].tolist()), end
    return OrientationState(vqf.state, last, oriented.valid.size - end_before, began, tilted=state.tilted)


def gyroscope_bias_degps(state: OrientationState) -> tuple[float, float, float] | None:
    """Return the gyroscope's bias as the filter has found it at rest and in motion, None without a gyroscope."""
    if state.vqf is None:
        return None
    x, y, z = (math.degrees(float(value)) for value in state.vqf["bias"])
    return x, y, z


def _begins_without_rate(acc: FloatArray, valid: BoolArray) -> bool:
    """Tell whether the first row that carries an acceleration carries no angular rate."""
    there = finite_rows(acc)
    return bool(there.any()) and not valid[int(np.argmax(there))]


def _without_gyroscope(
    params: OrientationParams,
    state: OrientationState,
    rate_hz: float,
    acc: FloatArray,
    gyr: FloatArray,
    valid: BoolArray,
) -> tuple[OrientationState, Oriented]:
    """Use the accelerometer up to the first row with an angular rate, and the filter from there on."""
    turning = int(np.argmax(valid)) if valid.any() else valid.size
    there = finite_rows(acc)[:turning]
    quat, rates = np.full((turning, 4), np.nan), np.full((turning, 3), np.nan)
    age = np.zeros(turning, dtype=np.int64)
    tilt, began, end_before = state.tilt, state.age, -state.missing
    bridge = round(params.bridge_s * rate_hz)
    for first, end in runs(there):
        if first - end_before > bridge:
            tilt, began = TiltState(), 0
        tilt, quat[first:end], rates[first:end] = estimate_tilt(tilt, rate_hz, acc[first:end])
        age[first:end] = np.arange(began, began + end - first)
        began, end_before = began + end - first, end
    tilted = state.tilted + int(np.count_nonzero(there))
    oriented = Oriented(quat, there, bool(there.all()), up_direction(quat), rates, age)
    if turning == valid.size:
        return OrientationState(None, (), turning - end_before, began, tilt, tilted), oriented
    begun = OrientationState(tilted=tilted)
    after, rest = estimate_orientation(params, begun, rate_hz, acc[turning:], gyr[turning:])
    return after, joined((oriented, rest))


def joined(parts: tuple[Oriented, ...]) -> Oriented:
    """Return runs of samples that follow each other as one."""
    return Oriented(
        np.concatenate([part.quat for part in parts]),
        np.concatenate([part.valid for part in parts]),
        all(part.whole for part in parts),
        np.concatenate([part.up for part in parts], axis=1),
        np.concatenate([part.gyr for part in parts]),
        np.concatenate([part.age for part in parts]),
    )


def _run(vqf: VQF, acc: FloatArray, gyr: FloatArray, quat: FloatArray, up: FloatArray) -> None:
    """Run the filter over rows; write their orientation (n, 4) and "up" (3, n)."""
    for first in range(0, len(acc), TOGETHER):
        rows = slice(first, first + TOGETHER)
        out = vqf.updateBatch(
            np.ascontiguousarray(gyr[rows], dtype=np.float64), np.ascontiguousarray(acc[rows], dtype=np.float64)
        )
        quat[rows] = out["quat6D"]
        up_direction(out["quat6D"], up[:, rows])


def _restarted(before: VQF, rate_hz: float) -> VQF:
    # The gyroscope's bias belongs to the sensor and outlives a gap; where it points does not.
    fresh, known = VQF(1.0 / rate_hz), before.state
    initial = fresh.state
    initial["bias"], initial["biasP"] = known["bias"], known["biasP"]
    fresh.state = initial
    return fresh


def _bridge(last: tuple[float, ...], gap: int, acc: FloatArray, gyr: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return `gap` rows of gyr and of acc on a straight line from the last sample to the next, acc and gyr (3,)."""
    before, after = np.asarray(last), np.concatenate((acc, gyr))
    share = np.arange(1, gap + 1)[:, None] / (gap + 1)
    between = before + share * (after - before)
    return np.ascontiguousarray(between[:, 3:]), np.ascontiguousarray(between[:, :3])
