"""Vectors and quaternions: w, x, y, z, turning sensor axes into an earth frame with z up (docs/frames.md).

Everything here is element-wise on purpose: a matrix product may round a row differently with the number of rows, and
then a stream cut elsewhere would not give the same numbers.
"""

from __future__ import annotations

import numpy as np

from coach.analysis.errors import AnalysisError
from devices.types import FloatArray

Vector = tuple[float, float, float]


def up_direction(quat: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the direction of "up" in sensor axes, as three arrays of shape (n,).

    quat: (n, 4), sensor to a frame with z up. The result is the third row of its rotation matrix; heading drops out.
    """
    w, x, y, z = quat[:, 0], quat[:, 1], quat[:, 2], quat[:, 3]
    return 2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y)


def inclination_deg(quat: FloatArray, upright: Vector) -> FloatArray:
    """Return the angle between the vertical and the sensor direction `upright`, (n,) in 0..180 deg; NaN stays NaN.

    quat: (n, 4) w, x, y, z. upright: unit vector in sensor axes that points up in the reference pose.
    The arc tangent of |cross| and dot keeps its precision at 0 and at 180 degrees, where the arc cosine loses it.
    """
    ux, uy, uz = up_direction(quat)
    rx, ry, rz = upright
    cx, cy, cz = uy * rz - uz * ry, uz * rx - ux * rz, ux * ry - uy * rx
    dot = ux * rx + uy * ry + uz * rz
    angle: FloatArray = np.degrees(np.arctan2(np.sqrt(cx * cx + cy * cy + cz * cz), dot))
    return angle


def mean_up(quat: FloatArray) -> Vector:
    """Return the mean "up" direction in sensor axes, as a unit vector. quat: (n, 4), n >= 1, no NaN."""
    x, y, z = (float(np.mean(part)) for part in up_direction(quat))
    return unit((x, y, z))


def unit(vector: Vector) -> Vector:
    """Return the vector at length 1. Raises AnalysisError when it has no direction."""
    x, y, z = (float(part) for part in vector)
    length = (x * x + y * y + z * z) ** 0.5
    if not (np.isfinite(length) and length > 0.0):
        raise AnalysisError(f"The direction {vector} has no length: give three finite numbers that are not all zero.")
    return x / length, y / length, z / length
