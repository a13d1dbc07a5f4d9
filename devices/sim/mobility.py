"""Turns of the hip and of the upper back, five to a set, a left and a right side that differ, with known truth.

Every motion begins with 20 s upright. All figures are own heuristics; none is tuned to a recording.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from devices.sim.exercises import Course, Sets, exercise, settled
from devices.sim.synthetic import Posture, SyntheticMotion
from devices.types import FloatArray

_TURNS = Sets(repetitions=5, each_s=7.0, move_s=1.5, hold_s=0.8, rest_s=30.0)
# Full range in deg. The shank hangs from the knee, sitting: turning the left hip inwards swings the foot to the left.
HIP_LEFT_DEG, HIP_RIGHT_DEG = 38.0, 31.0
THORACIC_LEFT_DEG, THORACIC_RIGHT_DEG = 52.0, 44.0
# On hands and knees, sitting back on the heels: how far the trunk is from upright.
KNEELING_DEG = 75.0


def _shank(rom_deg: float) -> Course:
    """Return a shank that swings about the thigh."""
    reach, none = np.radians(rom_deg), np.zeros_like

    def course(t_s: FloatArray, share: FloatArray, rate: FloatArray, bend: FloatArray, seed: int) -> Posture:
        return Posture(none(t_s), none(t_s), sway_share=0.5, lean=reach * share, lean_rate=reach * rate)

    return course


def _twist(rom_deg: float) -> Course:
    """Return a trunk that kneels down and turns about its own spine; positive is to the left."""
    reach = np.radians(rom_deg)

    def course(t_s: FloatArray, share: FloatArray, rate: FloatArray, bend: FloatArray, seed: int) -> Posture:
        base, base_rate = settled(t_s, KNEELING_DEG)
        return Posture(base, base_rate, sway_share=0.5, twist=reach * share, twist_rate=reach * rate)

    return course


def hip_internal_left(seed: int) -> SyntheticMotion:
    """Return the shank of the left leg, sitting: the hip turns inwards by 38 degrees, five times a set."""
    return exercise(seed, _TURNS, HIP_LEFT_DEG, _shank(HIP_LEFT_DEG))


def hip_internal_right(seed: int) -> SyntheticMotion:
    """Return the shank of the right leg, sitting: the hip turns inwards by 31 degrees, five times a set."""
    return exercise(seed, _TURNS, HIP_RIGHT_DEG, _shank(-HIP_RIGHT_DEG))


def thoracic_left(seed: int) -> SyntheticMotion:
    """Return a chest on hands and knees that turns to the left by 52 degrees, five times a set."""
    return exercise(seed, _TURNS, THORACIC_LEFT_DEG, _twist(THORACIC_LEFT_DEG))


def thoracic_right(seed: int) -> SyntheticMotion:
    """Return a chest on hands and knees that turns to the right by 44 degrees, five times a set."""
    return exercise(seed, _TURNS, THORACIC_RIGHT_DEG, _twist(-THORACIC_RIGHT_DEG))


MOBILITY: dict[str, Callable[[int], SyntheticMotion]] = {
    "hip-rotation-left": hip_internal_left,
    "hip-rotation-right": hip_internal_right,
    "thoracic-rotation-left": thoracic_left,
    "thoracic-rotation-right": thoracic_right,
}
