"""Smoothness of a discrete movement from its speed: spectral arc length and dimensionless jerk.

Source: Balasubramanian, Melendez-Calderon and Burdet 2012, IEEE TBME 59:2126, and 2015, J NeuroEng Rehabil 12:112.
Speed is the magnitude of the angular rate: one integrated from acceleration drifts.
"""

from __future__ import annotations

import math

import numpy as np

from coach.analysis.types import NotComputable
from devices.types import FloatArray

# Balasubramanian 2015: frequencies up to 10 Hz, up to the last one that has 5 % of the largest amplitude.
_FREQUENCY_MAX_HZ, _AMPLITUDE_MIN = 10.0, 0.05
# Balasubramanian 2015: the spectrum is padded to 2^(ceil(log2 n) + 4) points.
_PADDING = 4
# Own heuristic: a shorter movement has no spectrum to speak of.
_SAMPLES_MIN = 5


def _unusable(speed: FloatArray) -> bool:
    return speed.size < _SAMPLES_MIN or not np.isfinite(speed).all() or not (speed > 0).any()


def estimate_sparc(speed: FloatArray, rate_hz: float) -> float | NotComputable:
    """Return the spectral arc length of a speed profile (n,), of any unit; nearer to 0 is smoother.

    Source: Balasubramanian 2015, equations 6 and 7.
    """
    if _unusable(speed):
        return NotComputable("SPARC", f"a movement of {_SAMPLES_MIN} samples without a gap")
    points = 2 ** (math.ceil(math.log2(speed.size)) + _PADDING)
    amplitude = np.abs(np.fft.rfft(speed, points)[: math.floor(_FREQUENCY_MAX_HZ * points / rate_hz) + 1])
    amplitude /= amplitude[0]
    loud = np.flatnonzero(amplitude >= _AMPLITUDE_MIN)
    used = amplitude[loud[0] : loud[-1] + 1]
    if used.size < 2:
        return NotComputable("SPARC", "a movement with more than one frequency")
    return -float(np.hypot(1 / (used.size - 1), used[1:] - used[:-1]).sum())


def estimate_dimensionless_jerk(speed: FloatArray, rate_hz: float) -> float | NotComputable:
    """Return the dimensionless jerk of a speed profile (n,): 0 is smoothest, normalised by duration and peak.

    Source: Balasubramanian 2015, equation 3; noise weighs heavily.
    """
    if _unusable(speed):
        return NotComputable("dimensionless jerk", f"a movement of {_SAMPLES_MIN} samples without a gap")
    duration_s = speed.size / rate_hz
    change = speed[1:] - speed[:-1]
    jerk = (change[1:] - change[:-1]) * rate_hz**2
    return -float(duration_s**3 / speed.max() ** 2 * (jerk * jerk).sum() / rate_hz)


def estimate_log_jerk(speed: FloatArray, rate_hz: float) -> float | NotComputable:
    """Return -ln |dimensionless jerk|. Source: Balasubramanian 2015, equation 4."""
    jerk = estimate_dimensionless_jerk(speed, rate_hz)
    if isinstance(jerk, NotComputable):
        return jerk
    return -math.log(-jerk) if jerk < 0 else NotComputable("log dimensionless jerk", "a movement whose speed changes")
