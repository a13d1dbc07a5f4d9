"""Orientation without a gyroscope: the direction of the low-passed specific force, which is "up" while nobody hurries.

Source: own form of the usual accelerometer tilt (docs/algorithms.md states its measured error). What moves fast is seen
wrong: the acceleration of a swing is taken for a lean.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.signal import butter, lfilter, lfilter_zi

from devices.types import FloatArray

# Own heuristic: the corner with the least error against optical truth and VQF over the development recordings.
CUTOFF_HZ = 1.0


@dataclass(frozen=True, slots=True)
class TiltState:
    """memory: the low-pass's two delayed values of x, y and z; empty at the start and after a gap."""

    memory: tuple[float, ...] = ()


@lru_cache(maxsize=64)
def _design(rate_hz: float) -> tuple[FloatArray, FloatArray, FloatArray, float]:
    b, a = butter(2, min(CUTOFF_HZ, 0.4 * rate_hz), fs=rate_hz)
    order = np.arange(3)
    delay = float((order * b).sum() / b.sum() - (order * a).sum() / a.sum())
    return b, a, lfilter_zi(b, a), delay / rate_hz


def tilt_delay_s(rate_hz: float) -> float:
    """Return how late the tilt is for slow motion, in s."""
    return _design(rate_hz)[3]


def estimate_tilt(state: TiltState, rate_hz: float, acc_mps2: FloatArray) -> tuple[TiltState, FloatArray]:
    """Return the orientation (n, 4) w, x, y, z of consecutive samples, the heading being arbitrary.

    acc_mps2: (n, 3), n >= 1, finite. A state without memory starts at rest on the first sample.
    """
    b, a, rest, _ = _design(rate_hz)
    start = np.asarray(state.memory).reshape(3, 2) if state.memory else acc_mps2[0][:, None] * rest
    smooth, after = lfilter(b, a, acc_mps2.T, zi=start)
    return TiltState(tuple(after.ravel().tolist())), quat_of_up(smooth)


def quat_of_up(up: FloatArray) -> FloatArray:
    """Return the shortest rotations (n, 4) that turn the sensor directions `up` (3, n), of any length, to z."""
    x, y, z = up
    length = np.sqrt(x * x + y * y + z * z)
    # Free fall has no "up": any will do, for it is not told from a lean without a gyroscope anyway.
    length = np.where(length > 0.0, length, 1.0)
    x, y, z = x / length, y / length, z / length
    w = np.sqrt(np.maximum((1.0 + z) / 2.0, 0.0))
    upside_down = w < 1e-6
    twice = 2.0 * np.where(upside_down, 1.0, w)
    quat = np.stack([w, np.where(upside_down, 1.0, y / twice), np.where(upside_down, 0.0, -x / twice), 0.0 * w], axis=1)
    result: FloatArray = quat
    return result
