"""What the sensor measures, sample by sample: the motion, made ahead in blocks, and what befalls sensor and strap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from devices.sim.loose import LooseSensor
from devices.sim.motions import MotionSource
from devices.sim.randomness import bell
from devices.types import FloatArray, IntArray

# The motion is made ahead in blocks: numpy costs the same for 4 samples as for 256.
_BLOCK = 256
# A knock against the sensor: as long as hitting a bar with it, and half as much again as the sensor can show.
_KNOCK_S = 0.05
_KNOCK_SHARE = 1.5
_LANE_KNOCK = 310


@dataclass(frozen=True, slots=True)
class Scale:
    """The sample grid and the sensor's full scale. zero: the grid number of the motion's first sample."""

    rate_hz: float
    zero: int
    acc_mps2: float
    gyr_radps: float


@dataclass(frozen=True, slots=True)
class Measured:
    """Samples (n, 3) of consecutive grid numbers, cut to the full scale, and which of them (n,) were cut."""

    acc_mps2: FloatArray
    gyr_radps: FloatArray
    acc_clipped: NDArray[np.bool_]
    gyr_clipped: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.acc_mps2)


class Sampler:
    """Measures a motion; pure but for the strap and the knocks, which somebody switches."""

    def __init__(self, motion: MotionSource, seed: int) -> None:
        self.motion = motion
        self._seed = seed
        self._knock_every_s = 0.0
        self._loose: LooseSensor | None = None
        self._loose_from_s = 0.0  # on the motion's own time
        self._block: tuple[Scale, int, Measured] | None = None

    def end(self, scale: Scale) -> int | None:
        """Return the grid number after the motion's last sample, None for a motion without end."""
        if self.motion.duration_s is None:
            return None
        # A hair above, so that a whole number of samples is not cut by rounding.
        return scale.zero + int(self.motion.duration_s * scale.rate_hz + 1e-6)

    def knock_every(self, every_s: float) -> None:
        """Hit the sensor every so many seconds, harder than it can show; 0 stops it."""
        self._knock_every_s = every_s
        self._block = None

    def loosen(self, at: int, scale: Scale) -> None:
        """Let the sensor hang from its strap and fall, from grid number `at` on."""
        before = self.samples(scale, at, 1).acc_mps2[0]
        self._loose, self._block = LooseSensor(self._seed, before), None
        self._loose_from_s = (at - scale.zero) / scale.rate_hz

    def fasten(self) -> None:
        """Put it back on."""
        self._loose = self._block = None

    def samples(self, scale: Scale, first: int, count: int) -> Measured:
        """Return `count` samples from grid number `first` on; there must be so many."""
        block = self._block
        if block is None or block[0] != scale or not block[1] <= first <= first + count <= block[1] + len(block[2]):
            size = max(_BLOCK, count)
            if (end := self.end(scale)) is not None:
                size = max(0, min(size, end - first))
            block = self._block = (scale, first, self._measure(scale, first, size))
        rows = slice(first - block[1], first - block[1] + count)
        all_rows = block[2]
        return Measured(
            all_rows.acc_mps2[rows], all_rows.gyr_radps[rows], all_rows.acc_clipped[rows], all_rows.gyr_clipped[rows]
        )

    def _measure(self, scale: Scale, first: int, count: int) -> Measured:
        if self._loose is None:
            acc, gyr = self.motion.samples(first - scale.zero, count, scale.rate_hz)
        else:
            start = first - scale.zero - round(self._loose_from_s * scale.rate_hz)
            acc, gyr = self._loose.samples(start, count, scale.rate_hz)
        if self._knock_every_s:
            acc, gyr = self._knocked(scale, np.arange(first, first + count), acc, gyr)
        return Measured(
            np.clip(acc, -scale.acc_mps2, scale.acc_mps2),
            np.clip(gyr, -scale.gyr_radps, scale.gyr_radps),
            np.asarray((np.abs(acc) > scale.acc_mps2).any(axis=1)),
            np.asarray((np.abs(gyr) > scale.gyr_radps).any(axis=1)),
        )

    def _knocked(
        self, scale: Scale, indices: IntArray, acc: FloatArray, gyr: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return the samples with a knock in the first moment of each period, along an axis of the seed."""
        since_s = (indices / scale.rate_hz) % self._knock_every_s
        # One sample at least, however low the rate.
        hit = since_s < max(_KNOCK_S, 1 / scale.rate_hz)
        number = np.floor(indices[hit] / scale.rate_hz / self._knock_every_s).astype(np.int64)
        acc, gyr = acc.copy(), gyr.copy()
        for axis in range(3):
            sign = np.sign(bell(self._seed, _LANE_KNOCK + axis, number))
            acc[hit, axis] += sign * _KNOCK_SHARE * scale.acc_mps2 * (axis == 0)
            gyr[hit, axis] += sign * _KNOCK_SHARE * scale.gyr_radps * (axis == 1)
        return acc, gyr
