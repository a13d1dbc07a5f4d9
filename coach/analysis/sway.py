"""Sway of a pose that is held: how far it wanders from its drift, over which area, and how jerkily.

Source: the usual measures of posturography (RMS, 95 % ellipse), here of the direction of "up" instead of the centre of
pressure; that the last third is compared with the first is an own heuristic.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from coach.analysis.frames import Vector, dot, unit
from devices.types import FloatArray

# The ellipse that holds 95 % of a two-dimensional normal distribution.
ELLIPSE_FACTOR = math.pi * float(chi2.ppf(0.95, 2))
# Own heuristic: fewer looks have no spread worth telling.
MIN_ROWS = 10


@dataclass(frozen=True, slots=True)
class Sway:
    """rms_deg: of the tilt about a steady drift. first_third_deg, last_third_deg: the same of the ends of the hold.

    ellipse_95_deg2: area that holds 95 % of the tilt. jerk_rms_mps3: of the specific force below 6 Hz; NaN if there
    are no two samples in a row. drift_deg: how far the steady drift went.
    """

    rms_deg: float
    first_third_deg: float
    last_third_deg: float
    ellipse_95_deg2: float
    jerk_rms_mps3: float
    drift_deg: float


def tilt_components_deg(up: FloatArray, reference: Vector) -> FloatArray:
    """Return the tilt away from `reference` as two angles at right angles, (m, 2).

    up: (m, 3) unit vectors, in the axes of `reference`.
    """
    one, other = _beside(reference)
    along = up @ np.asarray(reference)
    level = np.stack((up @ np.asarray(one), up @ np.asarray(other)), axis=1)
    length = np.sqrt(level[:, 0] ** 2 + level[:, 1] ** 2)
    angle = np.degrees(np.arctan2(length, along))
    out: FloatArray = level * (angle / np.maximum(length, 1e-12))[:, None]
    return out


def estimate_sway(time_s: FloatArray, tilt_deg: FloatArray, acc_mps2: FloatArray, step_s: float) -> Sway | None:
    """Return the sway of a hold, None for fewer than 30 looks. time_s: (m,). tilt_deg: (m, 2). acc_mps2: (m, 3).

    step_s: between two looks; jerk is taken where none is missing.
    """
    if time_s.size < 3 * MIN_ROWS:
        return None
    rest, drift = _detrended(time_s, tilt_deg)
    third = (time_s[-1] - time_s[0]) / 3.0
    first = time_s <= time_s[0] + third
    last = time_s >= time_s[-1] - third
    if min(np.count_nonzero(first), np.count_nonzero(last)) < MIN_ROWS:
        return None
    spread = np.cov(rest.T)
    step = np.diff(time_s)
    change = np.diff(acc_mps2, axis=0)[step < 1.5 * step_s] / step_s
    return Sway(
        _rms(rest),
        _rms(_detrended(time_s[first], tilt_deg[first])[0]),
        _rms(_detrended(time_s[last], tilt_deg[last])[0]),
        ELLIPSE_FACTOR * math.sqrt(max(float(np.linalg.det(spread)), 0.0)),
        _rms(change) if len(change) else math.nan,
        drift,
    )


def _detrended(time_s: FloatArray, tilt_deg: FloatArray) -> tuple[FloatArray, float]:
    """Return the tilt without its straight line, and how far that line goes, in deg."""
    centred = time_s - time_s.mean()
    slope = (centred @ tilt_deg) / float(centred @ centred)
    rest: FloatArray = tilt_deg - tilt_deg.mean(axis=0) - centred[:, None] * slope
    return rest, float(np.linalg.norm(slope)) * float(time_s[-1] - time_s[0])


def _rms(rows: FloatArray) -> float:
    """Return the root mean square length of rows (m, k)."""
    return float(np.sqrt(np.mean(np.sum(rows * rows, axis=1))))


def _beside(reference: Vector) -> tuple[Vector, Vector]:
    """Return two unit vectors at right angles to `reference` and to each other."""
    smallest = min(range(3), key=lambda axis: abs(reference[axis]))
    start = (float(smallest == 0), float(smallest == 1), float(smallest == 2))
    along = dot(start, reference)
    x, y, z = reference
    one = unit((start[0] - along * x, start[1] - along * y, start[2] - along * z))
    return one, (y * one[2] - z * one[1], z * one[0] - x * one[2], x * one[1] - y * one[0])
