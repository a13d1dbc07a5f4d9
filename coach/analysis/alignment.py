"""How a sensor sits on the body, from one upright pose and one bow: body axes `si` and `pa` in sensor axes.

Source: functional calibration by a static pose and one movement about a known axis, the usual form for body-worn
sensors. The limits of pose and bow are own heuristics.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from vqf import VQF

from coach.analysis.errors import AnalysisError
from coach.analysis.frames import Vector, body_axes, in_body, inclination_deg, unit, up_direction
from coach.analysis.tilt import TiltState, estimate_tilt
from devices.types import FloatArray

# Standard gravity, ISO 80000-3.
G_MPS2 = 9.80665
# Own heuristic: quiet stance turns and shakes less than this.
STILL_GYR_RMS_DEGPS = 5.0
STILL_ACC_OFF_G = 0.05
# Own heuristic: shorter than this, a pose is a moment in a movement.
MIN_STILL_S = 2.0
MIN_BOW_S = 1.0
# Own heuristic: from a smaller bow the direction is wrong by more than a few degrees.
MIN_BOW_DEG = 20.0
# Own heuristic: what turns or wavers more than this on its way is not a bow straight forward.
MAX_SPREAD_DEG = 15.0


class AlignmentRefused(AnalysisError):
    """The pose or the bow cannot be used; the message says why and what to do, for the athlete to read."""


@dataclass(frozen=True, slots=True)
class Pose:
    """upright: unit vector of sensor axes that points up. gyr_rms_degps, acc_off_g: how still it was (0 is best).

    gyr_rms_degps is None for a wearable without a gyroscope.
    """

    upright: Vector
    gyr_rms_degps: float | None
    acc_off_g: float


@dataclass(frozen=True, slots=True)
class Alignment:
    """upright (`si`) and forward (`pa`): unit vectors in sensor axes, at right angles.

    bow_deg: how deep the bow was. spread_deg: circular standard deviation of its direction, 0 for one plane.
    """

    upright: Vector
    forward: Vector
    bow_deg: float
    spread_deg: float
    pose: Pose


def estimate_upright(rate_hz: float, acc_mps2: FloatArray, gyr_radps: FloatArray) -> Pose:
    """Return the upright direction of a still stretch.

    acc_mps2, gyr_radps: (n, 3), NaN where missing; gyr all NaN without a gyroscope.
    Raises AlignmentRefused when it is shorter than 2 s, turned (gyro RMS over 5 deg/s) or shook (|acc| off 1 g by
    more than 0.05 g, root mean square).
    """
    acc, gyr = _covered(acc_mps2, gyr_radps)
    if len(acc) < MIN_STILL_S * rate_hz:
        raise AlignmentRefused(
            f"The upright pose has {len(acc) / rate_hz:.1f} s of data, {MIN_STILL_S:g} s are needed: "
            "stand upright and still a little longer."
        )
    length = np.sqrt(np.sum(acc * acc, axis=1))
    off_g = float(np.sqrt(np.mean((length / G_MPS2 - 1.0) ** 2)))
    rms = None if gyr is None else math.degrees(float(np.sqrt(np.mean(np.sum(gyr * gyr, axis=1)))))
    if rms is not None and rms > STILL_GYR_RMS_DEGPS:
        raise AlignmentRefused(
            f"You were moving: the sensor turned at {rms:.1f} deg/s, at most {STILL_GYR_RMS_DEGPS:g} is still; "
            "stand upright and still, then try again."
        )
    if off_g > STILL_ACC_OFF_G:
        raise AlignmentRefused(
            f"The sensor read {off_g:.2f} g away from gravity, at most {STILL_ACC_OFF_G:g} g is still; "
            "stand upright and still, then try again."
        )
    x, y, z = (float(value) for value in acc.mean(axis=0))
    return Pose(unit((x, y, z)), rms, off_g)


def estimate_alignment(rate_hz: float, pose: Pose, acc_mps2: FloatArray, gyr_radps: FloatArray) -> Alignment:
    """Return how the sensor sits, from the upright pose and the samples of one bow forward (and back, if it came).

    acc_mps2, gyr_radps: (n, 3) from the upright pose on, NaN where missing; gyr all NaN without a gyroscope.
    Raises AlignmentRefused when the bow is shorter than 1 s, less deep than 20 degrees or not in one plane.
    """
    acc, gyr = _covered(acc_mps2, gyr_radps)
    if len(acc) < MIN_BOW_S * rate_hz:
        raise AlignmentRefused(
            f"The bow has {len(acc) / rate_hz:.1f} s of data, {MIN_BOW_S:g} s are needed: bow once more, slowly."
        )
    up = up_direction(_orientation(rate_hz, acc, gyr))
    angle = inclination_deg(in_body(up, body_axes(pose.upright, None)))
    bow_deg = float(angle.max())
    if bow_deg < MIN_BOW_DEG:
        raise AlignmentRefused(
            f"The bow was {bow_deg:.0f} degrees deep, at least {MIN_BOW_DEG:g} are needed: "
            "stand upright, bow forward from the hips as far as is comfortable, and come back."
        )
    up = up.T[angle > bow_deg / 2.0]
    si = np.asarray(pose.upright)
    level = up - (up @ si)[:, None] * si
    total = level.sum(axis=0)
    resultant = float(np.linalg.norm(total) / np.linalg.norm(level, axis=1).sum())
    spread_deg = math.degrees(math.sqrt(max(-2.0 * math.log(max(resultant, 1e-9)), 0.0)))
    if spread_deg > MAX_SPREAD_DEG:
        raise AlignmentRefused(
            f"The bow was not straight: its direction wandered by {spread_deg:.0f} degrees, at most "
            f"{MAX_SPREAD_DEG:g} can be used; stand upright, bow straight forward without turning, and come back."
        )
    # Bowing forward, "up" moves to the back of the body.
    x, y, z = (-float(value) for value in total)
    return Alignment(pose.upright, unit((x, y, z)), bow_deg, spread_deg, pose)


def _covered(acc: FloatArray, gyr: FloatArray) -> tuple[FloatArray, FloatArray | None]:
    """Return the rows that carry values; gyr is None where no row has any."""
    acc, gyr = np.asarray(acc, dtype=np.float64), np.asarray(gyr, dtype=np.float64)
    if acc.ndim != 2 or acc.shape[1] != 3 or gyr.shape != acc.shape:
        raise AnalysisError("acc and gyr must both have the shape (n, 3); send them so.")
    there = np.isfinite(acc).all(axis=1)
    turning = np.isfinite(gyr).all(axis=1)
    if not turning.any():
        return acc[there], None
    return acc[there & turning], gyr[there & turning]


def _orientation(rate_hz: float, acc: FloatArray, gyr: FloatArray | None) -> FloatArray:
    if gyr is None:
        return estimate_tilt(TiltState(), rate_hz, acc)[1]
    out = VQF(1.0 / rate_hz).updateBatch(np.ascontiguousarray(gyr), np.ascontiguousarray(acc))
    quat: FloatArray = out["quat6D"]
    return quat
