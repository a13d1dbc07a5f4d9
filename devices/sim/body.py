"""What a sensor on a rigid trunk measures: angles and their rates in, specific force and angular rate out.

Frames: world z up. Trunk axes: x mediolateral (right), y anterior, z up along the spine. The trunk stands at
R = Rz(turn) Rx(-flexion) Ry(lean) Rz(twist), so that flexion bends it forward and twist turns it about its own spine,
to the left when positive. See docs/frames.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from devices.types import FloatArray

# Standard gravity, CGPM 1901.
GRAVITY_MPS2 = 9.80665


@dataclass(frozen=True, slots=True)
class TrunkAngles:
    """Angles of the trunk and their first derivatives, each (n,), in rad and rad/s; `lift_mps2` is world-up shaking.

    twist: None for a trunk that does not turn about its own spine.
    """

    flexion: FloatArray
    flexion_rate: FloatArray
    lean: FloatArray
    lean_rate: FloatArray
    turn_rate: FloatArray
    lift_mps2: FloatArray
    twist: FloatArray | None = None
    twist_rate: FloatArray | None = None


def inclination_deg(angles: TrunkAngles) -> FloatArray:
    """Return the angle (n,) in degrees between the vertical and the trunk's long axis."""
    return np.asarray(np.degrees(np.arccos(np.clip(np.cos(angles.flexion) * np.cos(angles.lean), -1, 1))))


def angular_rate_radps(angles: TrunkAngles) -> FloatArray:
    """Return the angular rate (n, 3) in trunk axes that belongs to the angles."""
    b = -angles.flexion
    cos_b, sin_b = np.cos(b), np.sin(b)
    cos_c, sin_c = np.cos(angles.lean), np.sin(angles.lean)
    rate = np.empty((len(b), 3))
    rate[:, 0] = -angles.flexion_rate * cos_c - angles.turn_rate * sin_c * cos_b
    rate[:, 1] = angles.lean_rate + angles.turn_rate * sin_b
    rate[:, 2] = -angles.flexion_rate * sin_c + angles.turn_rate * cos_c * cos_b
    if angles.twist is None or angles.twist_rate is None:
        return rate
    rate = _twisted(rate, angles.twist)
    rate[:, 2] += angles.twist_rate
    return rate


def up_in_trunk(angles: TrunkAngles) -> FloatArray:
    """Return the world's up direction (n, 3) in trunk axes."""
    b = -angles.flexion
    up = np.empty((len(b), 3))
    up[:, 0] = -np.sin(angles.lean) * np.cos(b)
    up[:, 1] = np.sin(b)
    up[:, 2] = np.cos(angles.lean) * np.cos(b)
    return up if angles.twist is None else _twisted(up, angles.twist)


def _twisted(vectors: FloatArray, twist: FloatArray) -> FloatArray:
    """Return vectors (n, 3) of the untwisted trunk in the axes of the twisted one."""
    cos_d, sin_d = np.cos(twist), np.sin(twist)
    x, y = vectors[:, 0], vectors[:, 1]
    return np.stack((cos_d * x + sin_d * y, cos_d * y - sin_d * x, vectors[:, 2]), axis=1)


def measured(angles: TrunkAngles, rate_hz: float, lever_m: float) -> tuple[FloatArray, FloatArray]:
    """Return specific force (n-2, 3) in m/s^2 and angular rate (n-2, 3) in rad/s at the inner samples.

    The sensor sits `lever_m` above the axis of bending; its linear acceleration is w' x r + w x (w x r), with w' as
    the central difference of w, for which the first and the last sample are spent.
    """
    rate = angular_rate_radps(angles)
    inner = rate[1:-1]
    change = (rate[2:] - rate[:-2]) * (rate_hz / 2)
    wx, wy, wz = inner[:, 0], inner[:, 1], inner[:, 2]
    acc = up_in_trunk(angles)[1:-1] * (GRAVITY_MPS2 + angles.lift_mps2[1:-1])[:, None]
    acc[:, 0] += lever_m * (change[:, 1] + wx * wz)
    acc[:, 1] += lever_m * (-change[:, 0] + wy * wz)
    acc[:, 2] -= lever_m * (wx**2 + wy**2)
    return acc, inner


def rotation_from_quaternion(w: float, x: float, y: float, z: float) -> FloatArray:
    """Return the (3, 3) rotation matrix of a quaternion of any length but zero."""
    w, x, y, z = np.array([w, x, y, z]) / np.sqrt(w * w + x * x + y * y + z * z)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )
