"""The orientation that a sensor with fusion on board tells: the gyroscope integrated, the tilt held by gravity.

The heading starts at zero and is the gyroscope's alone, as in a product that does without its magnetometer. Motions and
recordings alike have no orientation of their own here, so what is told is an estimate, as it is in the product.
"""

from __future__ import annotations

import numpy as np

from devices.sim.body import GRAVITY_MPS2
from devices.types import FloatArray

# Own heuristics: the tilt follows gravity with this time constant while the acceleration is about that of rest.
_TILT_S = 3.0
_REST_SHARE = 0.05


class Fusion:
    """Turns specific force and angular rate into orientations (sensor to earth, z up), as quaternions w x y z."""

    def __init__(self) -> None:
        self._now: FloatArray | None = None
        self._zeroed_rad = 0.0

    def forget(self) -> None:
        """Begin anew with the next sample."""
        self._now, self._zeroed_rad = None, 0.0

    def zero_heading(self) -> None:
        """Make the present heading the zero."""
        if self._now is not None:
            self._turn_heading(-float(np.radians(euler_deg(self._now[None])[0, 2])))

    def restore_heading(self) -> None:
        """Undo `zero_heading`."""
        self._turn_heading(-self._zeroed_rad)

    def _turn_heading(self, angle_rad: float) -> None:
        if self._now is not None:
            turn = np.array([np.cos(angle_rad / 2), 0.0, 0.0, np.sin(angle_rad / 2)])
            self._now = product(turn, self._now)
            self._zeroed_rad += angle_rad

    def follow(self, acc_mps2: FloatArray, gyr_radps: FloatArray, rate_hz: float) -> tuple[FloatArray, FloatArray]:
        """Return the orientation (n, 4) after each of the next samples, and the turn (n, 4) that led to it."""
        turns = _turns(gyr_radps / rate_hz)
        start = _upright(acc_mps2[0]) if self._now is None else self._now
        poses = product(start, _running_product(turns))
        poses /= np.linalg.norm(poses, axis=1, keepdims=True)
        self._now = self._levelled(poses[-1], acc_mps2[-1], len(poses) / rate_hz)
        return poses, turns

    @staticmethod
    def _levelled(pose: FloatArray, acc_mps2: FloatArray, passed_s: float) -> FloatArray:
        """Return the pose turned a little towards where the acceleration says that up is."""
        length = float(np.linalg.norm(acc_mps2))
        if abs(length - GRAVITY_MPS2) > _REST_SHARE * GRAVITY_MPS2:
            return pose
        up = rotated(pose[None], acc_mps2[None])[0] / length
        lean = np.array([up[1], -up[0], 0.0]) * min(1.0, passed_s / _TILT_S)
        return np.asarray(product(_turns(lean[None])[0], pose))


def product(left: FloatArray, right: FloatArray) -> FloatArray:
    """Return the quaternion product of (..., 4) by (..., 4)."""
    a, b, c, d = np.moveaxis(left, -1, 0)
    e, f, g, h = np.moveaxis(right, -1, 0)
    parts = (
        a * e - b * f - c * g - d * h,
        a * f + b * e + c * h - d * g,
        a * g - b * h + c * e + d * f,
        a * h + b * g - c * f + d * e,
    )
    return np.stack(parts, axis=-1)


def rotated(poses: FloatArray, vectors: FloatArray) -> FloatArray:
    """Return vectors (n, 3) of sensor axes in earth axes."""
    zeros = np.zeros((len(vectors), 1))
    back = poses * np.array([1.0, -1.0, -1.0, -1.0])
    return np.asarray(product(product(poses, np.concatenate([zeros, vectors], axis=1)), back)[:, 1:])


def euler_deg(poses: FloatArray) -> FloatArray:
    """Return roll, pitch and yaw (n, 3): turns about x, y, z that are made in the order z, y, x."""
    w, x, y, z = poses.T
    roll = np.arctan2(2 * (w * x + y * z), 1 - 2 * (x * x + y * y))
    pitch = np.arcsin(np.clip(2 * (w * y - z * x), -1, 1))
    yaw = np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))
    return np.asarray(np.degrees(np.stack([roll, pitch, yaw], axis=1)))


def _upright(acc_mps2: FloatArray) -> FloatArray:
    """Return the shortest turn that makes this specific force point up."""
    x, y, z = acc_mps2 / max(float(np.linalg.norm(acc_mps2)), 1e-9)
    pose = np.array([1 + z, y, -x, 0.0]) if z > -0.999 else np.array([0.0, 1.0, 0.0, 0.0])
    return np.asarray(pose / np.linalg.norm(pose))


def _turns(vectors_rad: FloatArray) -> FloatArray:
    """Return rotation vectors (n, 3) as quaternions (n, 4)."""
    angle = np.linalg.norm(vectors_rad, axis=1, keepdims=True)
    return np.concatenate([np.cos(angle / 2), 0.5 * np.sinc(angle / (2 * np.pi)) * vectors_rad], axis=1)


def _running_product(turns: FloatArray) -> FloatArray:
    """Return the product (n, 4) of the first, the first two, … turns, in as many steps as the logarithm of n."""
    total, step = turns, 1
    while step < len(turns):
        total = np.concatenate([total[:step], product(total[:-step], total[step:])])
        step *= 2
    return total
