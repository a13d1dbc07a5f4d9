"""Orientation from accelerometer and gyroscope: VQF without magnetometer, in its on-line form.

Source: Laidig and Seel 2023, Information Fusion 91:187 (6D), by the authors' package `vqf` with its default parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from vqf import VQF

from coach.analysis.quality import BoolArray, runs, valid_rows
from devices.types import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class OrientationParams:
    # Own heuristic: one or two lost notifications are bridged with the last sample; in 0.2 s a bend at 100 deg/s
    # moves by 20 deg at most, and VQF pulls a wrong guess back. Longer, and the filter starts anew.
    hold_s: float = 0.2


@dataclass(frozen=True, slots=True)
class OrientationState:
    """vqf: the filter's own state by name, None when it is not running. missing: samples missing since the last one.

    last: the last sample, acc then gyr. bias, bias_p: gyroscope bias and its covariance of the filter that ran
    before; they belong to the sensor and outlive a gap. age: samples since the filter started.
    """

    vqf: dict[str, Any] | None = None
    last: tuple[float, ...] = ()
    missing: int = 0
    age: int = 0
    bias: tuple[float, ...] = ()
    bias_p: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Oriented:
    """quat: (n, 4), NaN where the filter did not run. fed: (n,) the filter ran, on a sample or on a held one.

    valid: (n,) a sample was there. starts: (n,) the filter (re)started here. age: (n,) samples since it started.
    """

    quat: FloatArray
    fed: BoolArray
    valid: BoolArray
    starts: BoolArray
    age: IntArray


def estimate_orientation(
    params: OrientationParams, state: OrientationState, rate_hz: float, acc_mps2: FloatArray, gyr_radps: FloatArray
) -> tuple[OrientationState, Oriented]:
    """Run the filter over consecutive samples of the grid. acc_mps2, gyr_radps: (n, 3), NaN where missing."""
    n = acc_mps2.shape[0]
    valid = valid_rows(acc_mps2, gyr_radps)
    running = state.vqf is not None
    missing = state.missing
    if valid.all():
        fed, missing = valid, 0 if n else missing
    else:
        hold = round(params.hold_s * rate_hz)
        acc_mps2, gyr_radps, since = _hold_last(state, acc_mps2, gyr_radps, valid)
        # Before the first sample of a filter there is nothing to hold.
        fed = valid | ((since <= hold) & (running | np.logical_or.accumulate(valid)))
        missing = int(since[-1])
    quat = np.full((n, 4), np.nan) if not fed.all() else np.empty((n, 4))
    starts, age = np.zeros(n, dtype=bool), np.zeros(n, dtype=np.int64)
    current = state
    for first, end in runs(fed):
        fresh = first > 0 or current.vqf is None
        before = 0 if fresh else current.age
        starts[first] = fresh
        age[first:end] = np.arange(before, before + end - first)
        vqf_state, quat[first:end] = _run(current, fresh, rate_hz, acc_mps2[first:end], gyr_radps[first:end])
        current = _after(current, vqf_state, before + end - first)
    if not n:
        return state, Oriented(quat, fed, valid, starts, age)
    stopped = not fed[-1]
    last = tuple(np.concatenate((acc_mps2[-1], gyr_radps[-1])).tolist()) if fed[-1] else ()
    kept = OrientationState(
        None if stopped else current.vqf, last, missing, 0 if stopped else current.age, current.bias, current.bias_p
    )
    return kept, Oriented(quat, fed, valid, starts, age)


def _hold_last(
    state: OrientationState, acc: FloatArray, gyr: FloatArray, valid: BoolArray
) -> tuple[FloatArray, FloatArray, IntArray]:
    """Return acc and gyr with missing rows replaced by the last sample, and (n,) the samples since the last one."""
    rows = np.arange(valid.size)
    source = np.maximum.accumulate(np.where(valid, rows, -1))
    since = np.where(source >= 0, rows - source, rows + 1 + state.missing)
    before = np.asarray(state.last if state.last else (np.nan,) * 6)
    filled = np.concatenate((before[None, :], np.concatenate((acc, gyr), axis=1)))[source + 1]
    return filled[:, :3], filled[:, 3:], since


def _run(
    state: OrientationState, fresh: bool, rate_hz: float, acc: FloatArray, gyr: FloatArray
) -> tuple[dict[str, Any], FloatArray]:
    vqf = VQF(1.0 / rate_hz)
    if not fresh:
        vqf.state = state.vqf
    elif state.bias:
        initial = vqf.state
        initial["bias"], initial["biasP"] = list(state.bias), list(state.bias_p)
        vqf.state = initial
    out = vqf.updateBatch(np.ascontiguousarray(gyr, dtype=np.float64), np.ascontiguousarray(acc, dtype=np.float64))
    quat: FloatArray = out["quat6D"]
    kept: dict[str, Any] = dict(vqf.state)
    return kept, quat


def _after(state: OrientationState, vqf_state: dict[str, Any], age: int) -> OrientationState:
    bias, bias_p = tuple(vqf_state["bias"]), tuple(vqf_state["biasP"])
    return OrientationState(vqf_state, state.last, state.missing, age, bias, bias_p)
