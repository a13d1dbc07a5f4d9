"""A heart that beats plausibly: Heart Rate Measurement notifications, once a second, with RR intervals."""

from __future__ import annotations

import numpy as np

from devices.sim import sig_frames
from devices.sim.randomness import bell
from devices.types import FloatArray

# Own heuristic: light work, slowly rising and falling, with a breath's worth of variation from beat to beat.
_MEAN_BPM, _SWING_BPM, _SWING_S = 88.0, 14.0, 300.0
_RR_JITTER_S = 0.012
_LANE_BEAT = 200
# RR intervals are in 1/1024 s. Source: Bluetooth Heart Rate Service 1.0, section 3.1.1.2.3.
_RR_UNITS_PER_S = 1024


def _beats_until(t_s: FloatArray) -> FloatArray:
    turning = 2 * np.pi / _SWING_S
    return np.asarray((_MEAN_BPM * t_s - _SWING_BPM / turning * (np.cos(turning * t_s) - 1)) / 60)


def heart_rate_bpm(t_s: float) -> float:
    """Return the true heart rate at t_s."""
    return _MEAN_BPM + _SWING_BPM * float(np.sin(2 * np.pi / _SWING_S * t_s))


def intervals_s(seed: int, second: int) -> FloatArray:
    """Return the intervals (n,) that end with the beats that fell in `second`."""
    around = np.linspace(second - 3.0, second + 1.0, 81)
    beats = _beats_until(around)
    numbers = np.arange(np.ceil(beats[0]), np.floor(beats[-1]) + 1).astype(np.int64)
    times = np.interp(numbers, beats, around)
    fell = times + _RR_JITTER_S * bell(seed, _LANE_BEAT, numbers)
    # Which beats a second holds goes by the undisturbed times, so that none is told twice or left out.
    inside = np.flatnonzero((times[1:] >= second) & (times[1:] < second + 1))
    return np.asarray(np.diff(fell)[inside])


def measurement(seed: int, second: int) -> bytes:
    """Return the notification at the end of `second`: the rate, and the RR intervals of the beats that fell in it."""
    rr_units = np.round(intervals_s(seed, second) * _RR_UNITS_PER_S).astype(int).tolist()
    return sig_frames.heart_rate(round(heart_rate_bpm(second + 1.0)), rr_units)
