"""How far two poses are apart, with a slow turn about the vertical between them allowed for.

Without a magnetometer the heading drifts by the gyroscope's bias, and a person may turn. Source: own heuristic.
"""

from __future__ import annotations

import math

import numpy as np

from coach.analysis.turning import CHORD_DEG
from devices.types import FloatArray

# Own heuristic: what is left of a consumer gyroscope's bias before it is estimated, or a person who slowly turns.
MAX_DRIFT_RADPS = math.radians(1.5)


def turn_between(before: FloatArray, after: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the scalar part and the vertical part of the turn from each pose to another. before, after: (m, 4)."""
    scalar = np.vecdot(before, after)
    vertical = (
        after[:, 3] * before[:, 0]
        + after[:, 2] * before[:, 1]
        - after[:, 1] * before[:, 2]
        - after[:, 0] * before[:, 3]
    )
    return scalar, vertical


def drift_radps(scalar: FloatArray, vertical: FloatArray, apart_s: FloatArray) -> float:
    """Return the usual rate of turning about the vertical between poses that are alike otherwise."""
    rate = median((2.0 * np.arctan2(vertical, scalar) / apart_s).tolist())
    return min(max(rate, -MAX_DRIFT_RADPS), MAX_DRIFT_RADPS)


def apart_deg(scalar: FloatArray, vertical: FloatArray, apart_s: FloatArray, drift: float) -> FloatArray:
    """Return the chord in degrees that is left between the poses when the drift is taken off."""
    half = 0.5 * drift * apart_s
    alike = scalar * np.cos(half) + vertical * np.sin(half)
    return CHORD_DEG * np.sqrt(np.maximum(2.0 - 2.0 * alike, 0.0))


def one_apart_deg(before: FloatArray, after: FloatArray, apart_s: float, drift: float) -> float:
    """Return the same for two single poses, (4,) each."""
    a, b, c, d = before.tolist()
    w, x, y, z = after.tolist()
    scalar = a * w + b * x + c * y + d * z
    vertical = z * a + y * b - x * c - w * d
    half = 0.5 * drift * apart_s
    alike = scalar * math.cos(half) + vertical * math.sin(half)
    return CHORD_DEG * math.sqrt(max(2.0 - 2.0 * alike, 0.0))


def median(values: list[float]) -> float:
    """Return the median of a few values; for so few ten times as fast as numpy's."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else 0.5 * (ordered[half - 1] + ordered[half])
