"""Synthetic bodies with known truth: a trunk that lifts, sits, stands or bows, and the sensor worn on it.

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
_LANE_MOUNT, _LANE_BIAS, _LANE_SWAY, _LANE_EVENT, _LANE_NOISE = 0, 10, 20, 40, 80


class MotionSource(Protocol):
    """Where a wearable's samples come from. `duration_s` is None for a motion without end."""

    @property
    def duration_s(self) -> float | None: ...

    def samples(self, start_index: int, count: int, rate_hz: float) -> tuple[FloatArray, FloatArray]:
        """Return acc in m/s^2 and gyr in rad/s, (count, 3) each, of samples start_index, start_index + 1, …"""
        ...


@dataclass(frozen=True, slots=True)
class Bend:
    """One forward bend as it was made: from leaving the upright to being back, deepest at `peak_s`."""

    start_s: float
    peak_s: float
    end_s: float
    rom_deg: float


@dataclass(frozen=True, slots=True)
class Posture:
    """What a motion states about itself at some times: flexion and its rate, how much it sways, how hard it walks."""

    flexion: FloatArray
    flexion_rate: FloatArray
    sway_share: float = 1.0
    lift_mps2: FloatArray | None = None


class SyntheticMotion:
    """A trunk that follows a `course`, with sway, mounting rotation, noise and a gyroscope bias from the seed.

    course: t_s (n,) and seed -> Posture. bends: duration_s and seed -> the bends within it. `noisy` False leaves sway,
    noise and bias out, for a motion that must equal its formula.
    """

    duration_s: float | None = None

    def __init__(
        self,
        seed: int,
        course: Callable[[FloatArray, int], Posture],
        bends: Callable[[float, int], tuple[Bend, ...]],
        noisy: bool = True,
    ) -> None:
        self._seed = seed
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
        """Return the bends that are complete within the first `duration_s`."""
        return tuple(bend for bend in self._bends(duration_s, self._seed) if bend.end_s <= duration_s)

    def inclination_deg(self, t_s: FloatArray) -> FloatArray:
        """Return the true inclination (n,) of the trunk's long axis from the vertical at times t_s (n,)."""
        return inclination_deg(self._angles(np.asarray(t_s, dtype=np.float64)))

    def upright_in_sensor(self) -> FloatArray:
        """Return the unit vector (3,) of sensor axes that points up when the trunk is upright."""
        return np.array([0.0, 0.0, 1.0]) @ self.mount

    def _angles(self, t_s: FloatArray) -> TrunkAngles:
        posture = self._course(t_s, self._seed)
        lift = np.zeros_like(t_s) if posture.lift_mps2 is None else posture.lift_mps2
        if not self._noisy:
            none = np.zeros_like(t_s)
            return TrunkAngles(posture.flexion, posture.flexion_rate, none, none, none, lift)
        share = posture.sway_share
        nod, nod_rate = self._sway(t_s, 0, share * 0.8, (0.13, 0.29, 0.41))
        lean, lean_rate = self._sway(t_s, 1, share * 1.0, (0.11, 0.23, 0.37))
        _, turn_rate = self._sway(t_s, 2, share * 6.0, (0.024, 0.053, 0.083))
        return TrunkAngles(posture.flexion + nod, posture.flexion_rate + nod_rate, lean, lean_rate, turn_rate, lift)

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
        down = uniform(seed, _LANE_EVENT, slots, *self.move_s)
        hold = uniform(seed, _LANE_EVENT + 1, slots, *self.hold_s)
        up = uniform(seed, _LANE_EVENT + 2, slots, *self.move_s)
        start = self.first_s + slots * self.slot_s + uniform(seed, _LANE_EVENT + 3, slots, 0, self.jitter_s)
        depth = np.radians(uniform(seed, _LANE_EVENT + 4, slots, *self.depth_deg))
        return start, down, hold, up, np.where(self.filled(seed, slots), depth, 0.0)

    def filled(self, seed: int, slots: IntArray) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Tell for each slot whether it holds a bend. The two first always do, so that a page shows one soon."""
        drawn = uniform(seed, _LANE_EVENT + 5, slots) < self.share
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
        going, going_rate = _smooth_step(since / down)
        coming, coming_rate = _smooth_step((since - down - hold) / up)
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


def _smooth_step(share: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the minimum-jerk course from 0 to 1 and its derivative. Source: Flash and Hogan 1985, equation 5."""
    u = np.clip(share, 0, 1)
    return u**3 * (10 - 15 * u + 6 * u**2), 30 * u**2 * (1 - u) ** 2


# 7.5 slots a minute, nine of ten filled: 6 to 8 bends a minute, 45 to 75 degrees deep.
_LIFTS = BendSlots(
    first_s=24.0, slot_s=8.0, share=0.9, depth_deg=(45, 75), move_s=(1.1, 1.8), hold_s=(0.2, 0.8), jitter_s=3.0
)
# Somebody at a desk reaches for the floor once in four minutes.
_REACHES = BendSlots(
    first_s=40.0, slot_s=60.0, share=0.25, depth_deg=(30, 50), move_s=(1.5, 2.5), hold_s=(0.5, 2.0), jitter_s=40.0
)
_STEP_HZ = 1.8
_STEP_MPS2 = 1.5
_POSTURE_S = 60.0
_LANE_SLOUCH = _LANE_EVENT + 10


def _lifting(t_s: FloatArray, seed: int) -> Posture:
    flexion, rate = _LIFTS.flexion(t_s, seed)
    slots = _LIFTS.slots_at(t_s)
    since = t_s - _LIFTS.first_s - slots * _LIFTS.slot_s
    # Steps fill the slots without a bend.
    walks = (slots >= 0) & ~_LIFTS.filled(seed, slots)
    strength = np.where(walks, np.sin(np.pi * np.clip(since / _LIFTS.slot_s, 0, 1)) ** 2, 0.0)
    lift = _STEP_MPS2 * strength * np.sin(2 * np.pi * _STEP_HZ * since)
    return Posture(flexion, rate, lift_mps2=lift)


def _desk(t_s: FloatArray, seed: int) -> Posture:
    flexion, rate = _REACHES.flexion(t_s, seed)
    number = np.floor(t_s / _POSTURE_S).astype(np.int64)
    before = np.where(number > 0, uniform(seed, _LANE_SLOUCH, number - 1, 2, 12), 0.0)
    now = np.where(number >= 0, uniform(seed, _LANE_SLOUCH, number, 2, 12), 0.0)
    # A new posture is taken up half a minute into each minute, over four seconds; the first half minute is upright.
    settle_s = 4.0
    step, step_rate = _smooth_step((t_s - number * _POSTURE_S - _POSTURE_S / 2) / settle_s)
    slouch = np.radians(before + (now - before) * step)
    slouch_rate = np.radians((now - before) * step_rate / settle_s)
    return Posture(flexion + slouch, rate + slouch_rate, sway_share=0.5)


def _idle(t_s: FloatArray, seed: int) -> Posture:
    return Posture(np.zeros_like(t_s), np.zeros_like(t_s), sway_share=0.2)


# theta(t) = 35 (1 - cos(2 pi t / 5 s)) degrees: one bow of 70 degrees every 5 s, without end.
BOW_PERIOD_S = 5.0
BOW_HALF_DEG = 35.0


def _bows(t_s: FloatArray, seed: int) -> Posture:
    turning, half = 2 * np.pi / BOW_PERIOD_S, np.radians(BOW_HALF_DEG)
    return Posture(half * (1 - np.cos(turning * t_s)), half * turning * np.sin(turning * t_s))


def _bow_bends(duration_s: float, seed: int) -> tuple[Bend, ...]:
    starts = (number * BOW_PERIOD_S for number in range(int(duration_s / BOW_PERIOD_S)))
    return tuple(Bend(at, at + BOW_PERIOD_S / 2, at + BOW_PERIOD_S, 2 * BOW_HALF_DEG) for at in starts)


def lifting(seed: int) -> SyntheticMotion:
    """Return somebody who stands upright for 24 s and then bends forward 6 to 8 times a minute, without end."""
    return SyntheticMotion(seed, _lifting, _LIFTS.bends)


def desk(seed: int) -> SyntheticMotion:
    """Return somebody who sits upright or slightly slouched and reaches down about once in four minutes."""
    return SyntheticMotion(seed, _desk, _REACHES.bends)


def idle(seed: int) -> SyntheticMotion:
    """Return somebody who stands still."""
    return SyntheticMotion(seed, _idle, lambda duration_s, seed: ())


def bows(seed: int) -> SyntheticMotion:
    """Return bows of 70 degrees every 5 s that equal their formula: no sway, noise or bias."""
    return SyntheticMotion(seed, _bows, _bow_bends, noisy=False)


MOTIONS: dict[str, Callable[[int], SyntheticMotion]] = {"lifting": lifting, "desk": desk, "idle": idle, "bows": bows}
