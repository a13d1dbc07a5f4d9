"""Vectors and quaternions: w, x, y, z, turning sensor axes into an earth frame with z up (docs/frames.md).

Everything here is element-wise on purpose: a matrix product may round a row differently with the number of rows, and
then a stream cut elsewhere would not give the same numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from coach.analysis.errors import AnalysisError
from devices.types import FloatArray

Vector = tuple[float, float, float]
# Own heuristic: a front nearer than this to the upright direction says nothing about where the front is.
MIN_APART_DEG = 45.0


@dataclass(frozen=True, slots=True)
class BodyAxes:
    """Unit vectors of the body in sensor axes: `pa` to the front, `ml` to the left, `si` up; right-handed."""

    pa: Vector
    ml: Vector
    si: Vector


@lru_cache(maxsize=256)
def body_axes(upright: Vector, forward: Vector | None) -> BodyAxes:
    """Return the body's axes from two directions in sensor axes; without `forward`, some front at a right angle.

    Raises AnalysisError when a direction has no length or the two are less than 45 degrees apart.
    """
    si = unit(upright)
    if forward is None:
        # The sensor axis that is farthest from upright: stable against small changes of the reference.
        smallest = min(range(3), key=lambda axis: abs(si[axis]))
        forward = (float(smallest == 0), float(smallest == 1), float(smallest == 2))
    towards = unit(forward)
    along = dot(towards, si)
    if abs(along) > math.cos(math.radians(MIN_APART_DEG)):
        raise AnalysisError(
            f"The front {forward} and the upright direction {upright} are less than {MIN_APART_DEG:g} degrees apart: "
            "take the upright pose and the bow once more."
        )
    pa = unit((towards[0] - along * si[0], towards[1] - along * si[1], towards[2] - along * si[2]))
    ml = (si[1] * pa[2] - si[2] * pa[1], si[2] * pa[0] - si[0] * pa[2], si[0] * pa[1] - si[1] * pa[0])
    return BodyAxes(pa, ml, si)


def dot(a: Vector, b: Vector) -> float:
    """Return the inner product of two vectors."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def in_body(up: FloatArray, axes: BodyAxes) -> FloatArray:
    """Return the direction of "up" in the body's axes, (3, n): along pa, ml and si. up: (3, n) in sensor axes."""
    ux, uy, uz = up
    out, part = np.empty_like(up), np.empty_like(ux)
    for row, (x, y, z) in zip(out, (axes.pa, axes.ml, axes.si), strict=True):
        np.multiply(ux, x, out=row)
        row += np.multiply(uy, y, out=part)
        row += np.multiply(uz, z, out=part)
    return out


def inclination_deg(up: FloatArray) -> FloatArray:
    """Return the angle between the vertical and the body's upright axis, (n,) in 0..180 deg; NaN stays NaN.

    up: (3, n) direction "up" in the body's axes. The arc tangent of what is level and what is not keeps its precision
    at 0 and at 180 degrees, where the arc cosine loses it.
    """
    front, left, along = up
    angle: FloatArray = np.arctan2(np.sqrt(front * front + left * left), along)
    angle *= 180.0 / math.pi
    return angle


def tilt_deg(up: FloatArray, inclination: FloatArray) -> FloatArray:
    """Return inclination, sagittal flexion and lateral lean, (3, n) in deg; NaN stays NaN.

    up: (3, n) direction "up" in the body's axes. inclination: (n,) deg, to be split. The tilt of the body is one
    rotation by `inclination` about a level axis; flexion (forward positive) and lean (to the right positive) are its
    components. So flexion^2 + lean^2 is inclination^2, a pure bow is flexion alone, and nothing jumps but upside down,
    at 180 degrees.
    Source: attitude vector, Woltring 1994, J Biomech 27:1399, for the direction of the trunk's axis.
    """
    front, left, _ = up
    out = np.empty(up.shape)
    out[0] = inclination
    # Bowing, "up" moves to the back of the body; leaning to the right, to its left.
    per_level = inclination / np.maximum(np.sqrt(front * front + left * left), 1e-12)
    np.multiply(front, -per_level, out=out[1])
    np.multiply(left, per_level, out=out[2])
    return out


def up_direction(quat: FloatArray, out: FloatArray | None = None) -> FloatArray:
    """Return the direction of "up" in sensor axes, (3, n); `out` is filled if it is given.

    quat: (n, 4), sensor to a frame with z up. The result is the third row of its rotation matrix; heading drops out.
    """
    up = np.empty((3, len(quat))) if out is None else out
    w, x, y, z = np.ascontiguousarray(quat.T)
    x2, y2 = x + x, y + y
    np.subtract(x2 * z, w * y2, out=up[0])
    np.add(y2 * z, w * x2, out=up[1])
    np.add(x2 * x, y2 * y, out=up[2])
    np.subtract(1.0, up[2], out=up[2])
    return up


def mean_up(quat: FloatArray) -> Vector:
    """Return the mean "up" direction in sensor axes, as a unit vector. quat: (n, 4), n >= 1, no NaN."""
    x, y, z = (float(value) for value in up_direction(quat).mean(axis=1))
    return unit((x, y, z))


def unit(vector: Vector) -> Vector:
    """Return the vector at length 1. Raises AnalysisError when it has no direction."""
    x, y, z = (float(part) for part in vector)
    length = (x * x + y * y + z * z) ** 0.5
    if not (np.isfinite(length) and length > 0.0):
        raise AnalysisError(f"The direction {vector} has no length: give three finite numbers that are not all zero.")
    return x / length, y / length, z / length
