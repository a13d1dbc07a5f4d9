"""A sensor that has come off the body: it swings from its strap, falls, and lies where it fell."""

from __future__ import annotations

import numpy as np

from devices.sim.body import GRAVITY_MPS2
from devices.sim.randomness import bell
from devices.types import FloatArray

# Own heuristics: a strap of a forearm's length lets the sensor swing once a second, for a quarter of a minute.
_SWING_HZ, _SWING_RAD, _SWING_S, _FADE_S = 1.0, 0.6, 15.0, 8.0
_NOISE_MPS2, _NOISE_RADPS = 0.02, 0.002
_LANE_AXES, _LANE_NOISE = 320, 330


class LooseSensor:
    """What the sensor measures from the moment it comes loose: plausible, and nothing of the body.

    before: (3,) the specific force just before, so that there is no jump of gravity's direction at the start.
    """

    def __init__(self, seed: int, before: FloatArray) -> None:
        self._seed = seed
        length = float(np.linalg.norm(before))
        self._up = before / length if length > 1 else np.array([0.0, 0.0, 1.0])
        # Some axis square to gravity to swing about, and some other side to come to rest on.
        side = np.cross(self._up, bell(seed, _LANE_AXES, np.arange(3)) + np.array([0.3, 0.7, 1.1]))
        self._axis = side / np.linalg.norm(side)
        self._rest = np.cross(self._axis, self._up)

    def samples(self, start_index: int, count: int, rate_hz: float) -> tuple[FloatArray, FloatArray]:
        """Return acc in m/s^2 and gyr in rad/s, (count, 3) each, sample 0 being the first one loose."""
        numbers = np.arange(start_index, start_index + count)
        t_s = numbers / rate_hz
        turning = 2 * np.pi * _SWING_HZ
        size = _SWING_RAD * np.exp(-t_s / _FADE_S)
        swings = t_s < _SWING_S
        angle = np.where(swings, size * np.sin(turning * t_s), 0.0)
        rate = np.where(swings, size * (turning * np.cos(turning * t_s) - np.sin(turning * t_s) / _FADE_S), 0.0)
        # A pendulum feels gravity and its own turning along the string only.
        pull = GRAVITY_MPS2 * np.cos(angle) + rate**2 * GRAVITY_MPS2 / turning**2
        acc = np.where(swings[:, None], pull[:, None] * self._up, GRAVITY_MPS2 * self._rest)
        gyr = rate[:, None] * self._axis
        for axis in range(3):
            acc[:, axis] += _NOISE_MPS2 * bell(self._seed, _LANE_NOISE + axis, numbers)
            gyr[:, axis] += _NOISE_RADPS * bell(self._seed, _LANE_NOISE + 3 + axis, numbers)
        return acc, gyr
