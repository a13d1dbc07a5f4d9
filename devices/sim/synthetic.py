"""A synthetic trunk that follows a course of angles, the sensor worn on it, and what is true of both.

Every motion is a pure function of (seed, sample number): any stretch can be asked for without the stretches before.
All figures of movement here are own heuristics, chosen to look like a day's work; none is tuned to a recording.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from devices.sim.body import TrunkAngles, inclination_deg, measured, rotation_from_quaternion
from devices.sim.randomness import bell, uniform
from devices.types import FloatArray, IntArray

# A sensor between the shoulder blades, above the hip's axis of bending.
LEVER_M = 0.4
# Noise of a consumer MEMS sensor at 60 Hz: a few hundredths of m/s^2, a tenth of a degree per second.
ACC_NOISE_MPS2 = 0.02
GYR_NOISE_RADPS = float(np.radians(0.1))
GYR_BIAS_RADPS = float(np.radians(0.25))
# Lanes of the random stream, so that no two quantities share numbers.
_LANE_MOUNT, _LANE_BIAS, _LANE_SWAY, LANE_EVENT, _LANE_NOISE = 0, 10, 20, 40, 80


class MotionSource(Protocol):
    """Where a wearable's samples come from. `duration_s` is None for a motion without end."""

    @property
    def duration_s(self) -> float | None: ...

    def samples(self, start_index: int, count: int, rate_hz: float) -> tuple[FloatArray, FloatArray]:
        """Return acc in m/s^2 and gyr in rad/s, (count, 3) each, of samples start_index, start_index + 1, …"""
        ...


@dataclass(frozen=True, slots=True)
class Bend:
    """One repetition as it was made: from leaving the start to being back, farthest (or fastest) at `peak_s`.

    rom_deg: how far the trunk went, in its own plane of the movement.
    """

    start_s: float
    peak_s: float
    end_s: float
    rom_deg: float


@dataclass(frozen=True, slots=True)
class Hold:
    """A position that was held, without the ways there and back."""

    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Posture:
    """What a motion states about itself at some times: angles in rad and their rates, sway, and shaking upwards."""

    flexion: FloatArray
    flexion_rate: FloatArray
    sway_share: float = 1.0
    lift_mps2: FloatArray | None = None
    lean: FloatArray | None = None
    lean_rate: FloatArray | None = None
    turn_rate: FloatArray | None = None
    twist: FloatArray | None = None
    twist_rate: FloatArray | None = None


class SyntheticMotion:
    """A trunk that follows a `course`, with sway, mounting rotation, noise and a gyroscope bias from the seed.

    course: t_s (n,) and seed -> Posture. bends, holds: duration_s and seed -> the repetitions and holds within it.
    `noisy` False leaves sway, noise and bias out, for a motion that must equal its formula.
    """

    duration_s: float | None = None

    def __init__(
        self,
        seed: int,
        course: Callable[[FloatArray, int], Posture],
        bends: Callable[[float, int], tuple[Bend, ...]],
        noisy: bool = True,
        holds: Callable[[float, int], tuple[Hold, ...]] = lambda duration_s, seed: (),
    ) -> None:
        self._seed = seed
        self._holds = holds
        self._course = course
        self._bends = bends
        self._noisy = noisy
        mount = bell(seed, _LANE_MOUNT, np.arange(4)) + np.array([1e-3, 0, 0, 0])
        # Trunk axes -> sensor axes is v @ mount: nothing may assume how the sensor is worn.
        self.mount: FloatArray = rotation_from_quaternion(*mount)
        self._bias = GYR_BIAS_RADPS * bell(seed, _LANE_BIAS, np.arange(3)) if noisy else np.zeros(3)

    def samples(self, start_index: int, count: int, rate_hz: float) -> tuple[FloatArray, FloatArray]:
        """Return acc in m/s^2 and gyr in rad/s, (count, 3) each, in sensor axes."""
        # One sample more on both sides for the derivative of the angular rate.
        numbers = np.arange(start_index - 1, start_index + count + 1)
        acc, gyr = measured(self._angles(numbers / rate_hz), rate_hz, LEVER_M)
        acc, gyr = _mounted(acc, self.mount), _mounted(gyr, self.mount)
        if self._noisy:
            inner = numbers[1:-1]
            for axis in range(3):
                acc[:, axis] += ACC_NOISE_MPS2 * bell(self._seed, _LANE_NOISE + axis, inner)
                gyr[:, axis] += GYR_NOISE_RADPS * bell(self._seed, _LANE_NOISE + 3 + axis, inner) + self._bias[axis]
        return acc, gyr

    def truth(self, duration_s: float) -> tuple[Bend, ...]:
        """Return the repetitions that are complete within the first `duration_s`."""
        return tuple(bend for bend in self._bends(duration_s, self._seed) if bend.end_s <= duration_s)

    def holds(self, duration_s: float) -> tuple[Hold, ...]:
        """Return the holds that are complete within the first `duration_s`."""
        return tuple(hold for hold in self._holds(duration_s, self._seed) if hold.end_s <= duration_s)

    def inclination_deg(self, t_s: FloatArray) -> FloatArray:
        """Return the true inclination (n,) of the trunk's long axis from the vertical at times t_s (n,)."""
        return inclination_deg(self._angles(np.asarray(t_s, dtype=np.float64)))

    def upright_in_sensor(self) -> FloatArray:
        """Return the unit vector (3,) of sensor axes that points up when the trunk is upright."""
        return np.array([0.0, 0.0, 1.0]) @ self.mount

    def _angles(self, t_s: FloatArray) -> TrunkAngles:
        posture = self._course(t_s, self._seed)
        none = np.zeros_like(t_s)
        lift = none if posture.lift_mps2 is None else posture.lift_mps2
        own_lean = none if posture.lean is None else posture.lean
        own_lean_rate = none if posture.lean_rate is None else posture.lean_rate
        own_turn_rate = none if posture.turn_rate is None else posture.turn_rate
        if not self._noisy:
            return TrunkAngles(
                posture.flexion,
                posture.flexion_rate,
                own_lean,
                own_lean_rate,
                own_turn_rate,
                lift,
                posture.twist,
                posture.twist_rate,
            )
        share = posture.sway_share
        nod, nod_rate = self._sway(t_s, 0, share * 0.8, (0.13, 0.29, 0.41))
        lean, lean_rate = self._sway(t_s, 1, share * 1.0, (0.11, 0.23, 0.37))
        _, turn_rate = self._sway(t_s, 2, share * 6.0, (0.024, 0.053, 0.083))
        return TrunkAngles(
            posture.flexion + nod,
            posture.flexion_rate + nod_rate,
            own_lean + lean,
            own_lean_rate + lean_rate,
            own_turn_rate + turn_rate,
            lift,
            posture.twist,
            posture.twist_rate,
        )

    def _sway(
        self, t_s: FloatArray, axis: int, size_deg: float, frequencies_hz: tuple[float, ...]
    ) -> tuple[FloatArray, FloatArray]:
        """Return a slow wandering angle in rad and its rate: three sines of falling size with phases of the seed."""
        phases = uniform(self._seed, _LANE_SWAY + axis, np.arange(len(frequencies_hz)), 0, 2 * np.pi)
        angle, rate = np.zeros_like(t_s), np.zeros_like(t_s)
        for number, (frequency_hz, phase) in enumerate(zip(frequencies_hz, phases, strict=True)):
            size = np.radians(size_deg) / (number + 1)
            turning = 2 * np.pi * frequency_hz
            angle += size * np.sin(turning * t_s + phase)
            rate += size * turning * np.cos(turning * t_s + phase)
        return angle, rate


def _mounted(vectors: FloatArray, mount: FloatArray) -> FloatArray:
    """Return vectors @ mount, written out: the library's product rounds differently for stretches of other lengths."""
    return np.asarray(vectors[:, :1] * mount[0] + vectors[:, 1:2] * mount[1] + vectors[:, 2:] * mount[2])


@dataclass(frozen=True, slots=True)
class BendSlots:
    """Bends at most one to a slot of time, drawn for each slot from the seed.

    A bend begins `lead_s` to `lead_s + jitter_s` after its slot does and lasts at most `slot_s - lead_s - jitter_s`,
    so that a sample belongs to one bend at most. `share` of the slots hold a bend.
    """

    first_s: float
    slot_s: float
    share: float
    depth_deg: tuple[float, float]
    move_s: tuple[float, float]
    hold_s: tuple[float, float]
    jitter_s: float

    def drawn(self, seed: int, slots: IntArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
        """Return start, down, hold and up in s and depth in rad for each slot; depth 0 where the slot is empty."""
        down = uniform(seed, LANE_EVENT, slots, *self.move_s)
        hold = uniform(seed, LANE_EVENT + 1, slots, *self.hold_s)
        up = uniform(seed, LANE_EVENT + 2, slots, *self.move_s)
        start = self.first_s + slots * self.slot_s + uniform(seed, LANE_EVENT + 3, slots, 0, self.jitter_s)
        depth = np.radians(uniform(seed, LANE_EVENT + 4, slots, *self.depth_deg))
        return start, down, hold, up, np.where(self.filled(seed, slots), depth, 0.0)

    def filled(self, seed: int, slots: IntArray) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Tell for each slot whether it holds a bend. The two first always do, so that a page shows one soon."""
        drawn = uniform(seed, LANE_EVENT + 5, slots) < self.share
        return (slots >= 0) & (drawn | (slots < 2))

    def slots_at(self, t_s: FloatArray) -> IntArray:
        """Return the slot (n,) of each time; negative before the first."""
        return np.floor((t_s - self.first_s) / self.slot_s).astype(np.int64)

    def flexion(self, t_s: FloatArray, seed: int) -> tuple[FloatArray, FloatArray]:
        """Return the flexion in rad and its rate in rad/s that the bends make at t_s (n,)."""
        slots = self.slots_at(t_s)
        # A stretch of samples touches few slots: draw each slot once.
        few, back = np.unique(slots, return_inverse=True)
        start, down, hold, up, depth = (values[back] for values in self.drawn(seed, few))
        since = t_s - start
        going, going_rate = smooth_step(since / down)
        coming, coming_rate = smooth_step((since - down - hold) / up)
        return depth * (going - coming), depth * (going_rate / down - coming_rate / up)

    def bends(self, duration_s: float, seed: int) -> tuple[Bend, ...]:
        """Return the bends that begin before `duration_s`."""
        slots = np.arange(max(0, int((duration_s - self.first_s) // self.slot_s) + 1))
        rows = zip(*self.drawn(seed, slots), strict=True)
        return tuple(
            Bend(
                float(start), float(start + down + hold / 2), float(start + down + hold + up), float(np.degrees(depth))
            )
            for start, down, hold, up, depth in rows
            if depth > 0
        )


def smooth_step(share: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the minimum-jerk course from 0 to 1 and its derivative. Source: Flash and Hogan 1985, equation 5."""
    u = np.clip(share, 0, 1)
    return u**3 * (10 - 15 * u + 6 * u**2), 30 * u**2 * (1 - u) ** 2
