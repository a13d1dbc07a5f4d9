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

# Own heuristic: of 0.25 to 6 Hz the corner with the least error against VQF over the development recordings, trunk and
# limbs alike (docs/algorithms.md).
CUTOFF_HZ = 1.0


@dataclass(frozen=True, slots=True)
class TiltState:
    """memory: the low-pass's two delayed values of x, y and z; up: the newest direction; both empty after a gap."""

    memory: tuple[float, ...] = ()
    up: tuple[float, ...] = ()


@lru_cache(maxsize=64)
def _design(rate_hz: float) -> tuple[FloatArray, FloatArray, FloatArray, float]:
    b, a = butter(2, min(CUTOFF_HZ, 0.4 * rate_hz), fs=rate_hz)
    order = np.arange(3)
    delay = float((order * b).sum() / b.sum() - (order * a).sum() / a.sum())
    return b, a, lfilter_zi(b, a), delay / rate_hz


def tilt_delay_s(rate_hz: float) -> float:
    """Return how late the tilt is for slow motion, in s."""
    return _design(rate_hz)[3]


def estimate_tilt(state: TiltState, rate_hz: float, acc_mps2: FloatArray) -> tuple[TiltState, FloatArray, FloatArray]:
    """Return the orientation (n, 4) w, x, y, z of consecutive samples, any heading, and the angular rate (n, 3) of it.

    acc_mps2: (n, 3), n >= 1, finite. A state without memory starts at rest on the first sample. The rate, in rad/s in
    sensor axes, is that of the shortest way from each direction to the next; a turn about the vertical is not in it.
    """
    b, a, rest, _ = _design(rate_hz)
    start = np.asarray(state.memory).reshape(3, 2) if state.memory else acc_mps2[0][:, None] * rest
    smooth, after = lfilter(b, a, acc_mps2.T, zi=start)
    length = np.sqrt(smooth[0] * smooth[0] + smooth[1] * smooth[1] + smooth[2] * smooth[2])
    # Free fall has no "up": any will do, for it is not told from a lean without a gyroscope anyway.
    up = np.where(length > 0.0, smooth / np.where(length > 0.0, length, 1.0), np.array([[0.0], [0.0], [1.0]]))
    before = np.concatenate((np.array(state.up)[:, None] if state.up else up[:, :1], up[:, :-1]), axis=1)
    # "Up" stays in the earth, so that it turns backwards in sensor axes: du/dt = -w x u, and w = -u x du/dt.
    x = up[1] * before[2] - up[2] * before[1]
    y = up[2] * before[0] - up[0] * before[2]
    z = up[0] * before[1] - up[1] * before[0]
    rates = np.stack((x, y, z), axis=1) * rate_hz
    kept = TiltState(tuple(after.ravel().tolist()), tuple(up[:, -1].tolist()))
    return kept, quat_of_up(up), rates


def quat_of_up(up: FloatArray) -> FloatArray:
    """Return the shortest rotations (n, 4) that turn unit vectors `up` (3, n) of sensor axes to z."""
    x, y, z = up
    w = np.sqrt(np.maximum((1.0 + z) / 2.0, 0.0))
    upside_down = w < 1e-6
    twice = 2.0 * np.where(upside_down, 1.0, w)
    quat: FloatArray = np.stack(
        (w, np.where(upside_down, 1.0, y / twice), np.where(upside_down, 0.0, -x / twice), 0.0 * w), axis=1
    )
    return quat
