"""Exercises and sports with known truth: when each repetition began, was farthest and ended, and what was held.

Every motion begins with 20 s of standing upright, as for a calibration. All figures are own heuristics, chosen to look
like a careful athlete; none is tuned to a recording.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from devices.sim.randomness import uniform
from devices.sim.synthetic import LANE_EVENT, Bend, Hold, Posture, SyntheticMotion, smooth_step
from devices.types import FloatArray, IntArray

STANDS_S = 20.0
# How long it takes to lie down or to get on all fours.
_SETTLES_S = 4.0
_LANE_DEPTH = LANE_EVENT + 30
# Repetitions of one person differ by a tenth.
_DEPTH_SHARES = (0.9, 1.0)


@dataclass(frozen=True, slots=True)
class Sets:
    """Repetitions in sets at fixed times: `move_s` there, `hold_s` held, `move_s` back, then waiting until `each_s`."""

    repetitions: int
    each_s: float
    move_s: float
    hold_s: float
    rest_s: float
    first_s: float = STANDS_S + _SETTLES_S + 2.0

    @property
    def set_s(self) -> float:
        """Return the time from the start of a set to the start of the next."""
        return self.repetitions * self.each_s + self.rest_s

    def course(self, t_s: FloatArray, seed: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return how far along (n,) the movement is, of 1, with its first and second derivative."""
        since_first = t_s - self.first_s
        number, since = self.number(since_first)
        share = np.where(number >= 0, self.share(seed, number), 0.0)
        going, going_rate = smooth_step(since / self.move_s)
        coming, coming_rate = smooth_step((since - self.move_s - self.hold_s) / self.move_s)
        bend = _bend_of(since / self.move_s) - _bend_of((since - self.move_s - self.hold_s) / self.move_s)
        rate = (going_rate - coming_rate) / self.move_s
        return share * (going - coming), share * rate, share * bend / self.move_s**2

    def share(self, seed: int, number: IntArray) -> FloatArray:
        """Return how far each repetition (n,) goes, of 1."""
        return uniform(seed, _LANE_DEPTH, number, *_DEPTH_SHARES)

    def bends(self, rom_deg: float) -> Callable[[float, int], tuple[Bend, ...]]:
        """Return the truth of repetitions whose full range is `rom_deg`."""

        def truth(duration_s: float, seed: int) -> tuple[Bend, ...]:
            numbers = np.arange(self._count(duration_s))
            shares = self.share(seed, numbers)
            starts = self._starts(numbers)
            whole_s = 2 * self.move_s + self.hold_s
            return tuple(
                Bend(float(at), float(at + whole_s / 2), float(at + whole_s), float(share * rom_deg))
                for at, share in zip(starts, shares, strict=True)
            )

        return truth

    def holds(self, duration_s: float, seed: int) -> tuple[Hold, ...]:
        """Return when the far position was held."""
        starts = self._starts(np.arange(self._count(duration_s))) + self.move_s
        return tuple(Hold(float(at), float(at + self.hold_s)) for at in starts)

    def number(self, since_first_s: FloatArray) -> tuple[IntArray, FloatArray]:
        """Return the repetition (n,) at each time, counted over all sets, and the time since it began; -1 before."""
        number_of_set = np.floor(since_first_s / self.set_s)
        in_set_s = since_first_s - number_of_set * self.set_s
        within = np.minimum(np.floor(in_set_s / self.each_s), self.repetitions - 1)
        number = np.where(since_first_s < 0, -1, number_of_set * self.repetitions + within).astype(np.int64)
        return number, np.where(since_first_s < 0, -1.0, in_set_s - within * self.each_s)

    def _count(self, duration_s: float) -> int:
        return max(0, int(self.number(np.array([duration_s - self.first_s]))[0][0]) + 1)

    def _starts(self, numbers: IntArray) -> FloatArray:
        return np.asarray(
            self.first_s + numbers // self.repetitions * self.set_s + numbers % self.repetitions * self.each_s
        )


def _bend_of(share: FloatArray) -> FloatArray:
    """Return the second derivative of `smooth_step`."""
    u = np.clip(share, 0, 1)
    return 60 * u - 180 * u**2 + 120 * u**3


def settled(t_s: FloatArray, to_deg: float) -> tuple[FloatArray, FloatArray]:
    """Return an angle in rad and its rate that goes from upright to `to_deg` after standing, and stays."""
    step, rate = smooth_step((t_s - STANDS_S) / _SETTLES_S)
    return np.radians(to_deg) * step, np.radians(to_deg) * rate / _SETTLES_S


Course = Callable[[FloatArray, FloatArray, FloatArray, FloatArray, int], Posture]


def exercise(seed: int, sets: Sets, rom_deg: float, course: Course) -> SyntheticMotion:
    """Return a motion; `course` takes time, how far along of 1, its first and second derivative, and the seed."""

    def posture(t_s: FloatArray, seed: int) -> Posture:
        return course(t_s, *sets.course(t_s, seed), seed)

    return SyntheticMotion(seed, posture, sets.bends(rom_deg), holds=sets.holds)


# Drop of the trunk in a squat, m, and how far the trunk bends meanwhile.
_SQUAT_DROP_M, _SQUAT_DEG = 0.4, 35.0
_SEATED_DEG, _CURL_DEG, _BIRD_DEG, _BRIDGE_DEG = 45.0, 30.0, 6.0, 18.0
_SQUATS = Sets(repetitions=10, each_s=4.0, move_s=1.3, hold_s=0.4, rest_s=60.0)
_SEATED = Sets(repetitions=5, each_s=14.0, move_s=2.0, hold_s=5.0, rest_s=30.0)
_CURLS = Sets(repetitions=6, each_s=14.0, move_s=1.5, hold_s=8.0, rest_s=30.0)
_BIRDS = Sets(repetitions=6, each_s=15.0, move_s=1.5, hold_s=10.0, rest_s=30.0)
_BRIDGES = Sets(repetitions=3, each_s=16.0, move_s=1.5, hold_s=10.0, rest_s=30.0)


def _squat(t_s: FloatArray, share: FloatArray, rate: FloatArray, bend: FloatArray, seed: int) -> Posture:
    depth = np.radians(_SQUAT_DEG)
    return Posture(depth * share, depth * rate, lift_mps2=-_SQUAT_DROP_M * bend)


def _seated_bend(t_s: FloatArray, share: FloatArray, rate: FloatArray, bend: FloatArray, seed: int) -> Posture:
    depth = np.radians(_SEATED_DEG)
    return Posture(depth * share, depth * rate, sway_share=0.5)


def _curl(t_s: FloatArray, share: FloatArray, rate: FloatArray, bend: FloatArray, seed: int) -> Posture:
    base, base_rate = settled(t_s, -90.0)
    rise = np.radians(_CURL_DEG)
    return Posture(base + rise * share, base_rate + rise * rate, sway_share=0.2)


def _bird(t_s: FloatArray, share: FloatArray, rate: FloatArray, bend: FloatArray, seed: int) -> Posture:
    base, base_rate = settled(t_s, 82.0)
    # Left and right in turn: the pelvis gives way a little to the side of the raised leg.
    number = _BIRDS.number(t_s - _BIRDS.first_s)[0]
    side = np.radians(_BIRD_DEG) * np.where(number % 2, -1.0, 1.0)
    return Posture(base, base_rate, sway_share=0.3, lean=side * share, lean_rate=side * rate)


def _bridge(t_s: FloatArray, share: FloatArray, rate: FloatArray, bend: FloatArray, seed: int) -> Posture:
    base, base_rate = settled(t_s, 85.0)
    none, rise = np.zeros_like(t_s), np.radians(_BRIDGE_DEG)
    return Posture(none, none, sway_share=0.3, lean=base - rise * share, lean_rate=base_rate - rise * rate)


def squats(seed: int) -> SyntheticMotion:
    """Return sets of ten squats, the trunk bending 35 degrees, with a minute between the sets."""
    return exercise(seed, _SQUATS, _SQUAT_DEG, _squat)


def seated_bends(seed: int) -> SyntheticMotion:
    """Return five bends of 45 degrees on a chair, each held for 5 s, again and again."""
    return exercise(seed, _SEATED, _SEATED_DEG, _seated_bend)


def curl_ups(seed: int) -> SyntheticMotion:
    """Return six curl-ups of 30 degrees from lying on the back, each held for 8 s, again and again."""
    return exercise(seed, _CURLS, _CURL_DEG, _curl)


def bird_dogs(seed: int) -> SyntheticMotion:
    """Return six bird-dogs on all fours, left and right in turn, each held for 10 s, again and again."""
    return exercise(seed, _BIRDS, _BIRD_DEG, _bird)


def side_bridges(seed: int) -> SyntheticMotion:
    """Return three side bridges from lying on the side, each held for 10 s, again and again."""
    return exercise(seed, _BRIDGES, _BRIDGE_DEG, _bridge)


EXERCISES: dict[str, Callable[[int], SyntheticMotion]] = {
    "squats": squats,
    "seated-bends": seated_bends,
    "curl-ups": curl_ups,
    "bird-dogs": bird_dogs,
    "side-bridges": side_bridges,
}
