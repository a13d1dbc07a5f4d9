"""Walking, swings, throws, lying, and a left and a right arm that differ: simple bodies with known truth.

Every motion begins with 20 s of standing upright, as for a calibration. All figures are own heuristics; none is tuned
to a recording. They show what a stream of such a movement looks like, and are no biomechanics of a throw.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from devices.sim.exercises import STANDS_S, Sets, exercise
from devices.sim.synthetic import Bend, Posture, SyntheticMotion, smooth_step
from devices.types import FloatArray

# Steps a second, their shaking up and down, and how far the trunk sways and turns with each stride.
STEP_HZ = 1.8
_STEP_MPS2, _WALK_LEAN_DEG, _WALK_TURN_DEG = 2.0, 2.0, 5.0
_STARTS_S = 2.0
# A swing turns the trunk this far this fast and comes back slowly; a throw bends and turns it.
_SWING_DEG, _SWING_S, _SWING_BACK_S, _SWING_EACH_S = 90.0, 0.35, 2.0, 6.0
_THROW_BEND_DEG, _THROW_TURN_DEG, _THROW_S, _THROW_EACH_S = 40.0, 60.0, 0.25, 8.0
# An arm raised to the side ten times; the weaker one goes less far and takes longer.
_STRONG = Sets(repetitions=10, each_s=5.0, move_s=1.2, hold_s=0.3, rest_s=40.0)
_WEAK = Sets(repetitions=10, each_s=5.0, move_s=1.5, hold_s=0.3, rest_s=40.0)
STRONG_DEG, WEAK_DEG = 90.0, 72.0
# Lying: this long in each position, and this long for getting there or up again.
_LIES_S, _RISES_S = 30.0, 4.0


@dataclass(frozen=True, slots=True)
class Lying:
    """One position that was lain in, without the ways there and back: supine, left, prone or right."""

    position: str
    start_s: float
    end_s: float


# Angles of flexion and of lean to the right, in degrees.
_POSITIONS: tuple[tuple[str, float, float], ...] = (
    ("supine", -88.0, 0.0),
    ("left", 0.0, -88.0),
    ("prone", 88.0, 0.0),
    ("right", 0.0, 88.0),
)


class LyingMotion(SyntheticMotion):
    """A trunk that lies down in one position after the other, getting up in between."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed, _lying, lambda duration_s, seed: ())

    def positions(self, duration_s: float) -> tuple[Lying, ...]:
        """Return the positions that are complete within the first `duration_s`."""
        each_s = _LIES_S + 2 * _RISES_S
        count = max(0, int((duration_s - STANDS_S) / each_s) + 1)
        starts = (STANDS_S + number * each_s + _RISES_S for number in range(count))
        lain = (Lying(_POSITIONS[number % len(_POSITIONS)][0], at, at + _LIES_S) for number, at in enumerate(starts))
        return tuple(one for one in lain if one.end_s <= duration_s)


def _lying(t_s: FloatArray, seed: int) -> Posture:
    each_s = _LIES_S + 2 * _RISES_S
    number = np.floor((t_s - STANDS_S) / each_s).astype(np.int64)
    since = t_s - STANDS_S - number * each_s
    down, down_rate = smooth_step(since / _RISES_S)
    up, up_rate = smooth_step((since - _RISES_S - _LIES_S) / _RISES_S)
    share = np.where(number >= 0, down - up, 0.0)
    rate = np.where(number >= 0, down_rate - up_rate, 0.0) / _RISES_S
    angles = np.radians([row[1:] for row in _POSITIONS])[number % len(_POSITIONS)]
    return Posture(
        angles[:, 0] * share,
        angles[:, 0] * rate,
        sway_share=0.1,
        lean=angles[:, 1] * share,
        lean_rate=angles[:, 1] * rate,
    )


def _walking(t_s: FloatArray, seed: int) -> Posture:
    begun, begun_rate = smooth_step((t_s - STANDS_S) / _STARTS_S)
    step, stride = 2 * np.pi * STEP_HZ, np.pi * STEP_HZ
    lean, turn = np.radians(_WALK_LEAN_DEG), np.radians(_WALK_TURN_DEG)
    return Posture(
        np.zeros_like(t_s),
        np.zeros_like(t_s),
        lift_mps2=begun * _STEP_MPS2 * np.sin(step * t_s),
        lean=lean * begun * np.sin(stride * t_s),
        lean_rate=lean * (begun * stride * np.cos(stride * t_s) + begun_rate / _STARTS_S * np.sin(stride * t_s)),
        turn_rate=turn * begun * stride * np.cos(stride * t_s),
    )


def _bursts(t_s: FloatArray, each_s: float, fast_s: float, back_s: float) -> tuple[FloatArray, FloatArray]:
    """Return how far along (n,) of 1, and its rate: fast there, slowly back, once every `each_s` after standing."""
    number = np.floor((t_s - STANDS_S) / each_s)
    since = t_s - STANDS_S - number * each_s
    there, there_rate = smooth_step(since / fast_s)
    back, back_rate = smooth_step((since - fast_s) / back_s)
    moves = number >= 0
    return np.where(moves, there - back, 0.0), np.where(moves, there_rate / fast_s - back_rate / back_s, 0.0)


def _burst_truth(each_s: float, fast_s: float, rom_deg: float) -> Callable[[float, int], tuple[Bend, ...]]:
    """Return the truth of bursts: `peak_s` is when the trunk is fastest."""

    def truth(duration_s: float, seed: int) -> tuple[Bend, ...]:
        count = max(0, int((duration_s - STANDS_S) / each_s) + 1)
        starts = (STANDS_S + number * each_s for number in range(count))
        return tuple(Bend(at, at + fast_s / 2, at + fast_s, rom_deg) for at in starts)

    return truth


def _swinging(t_s: FloatArray, seed: int) -> Posture:
    _, rate = _bursts(t_s, _SWING_EACH_S, _SWING_S, _SWING_BACK_S)
    none = np.zeros_like(t_s)
    return Posture(none, none, turn_rate=np.radians(_SWING_DEG) * rate)


def _throwing(t_s: FloatArray, seed: int) -> Posture:
    share, rate = _bursts(t_s, _THROW_EACH_S, _THROW_S, _SWING_BACK_S)
    bend = np.radians(_THROW_BEND_DEG)
    return Posture(bend * share, bend * rate, turn_rate=np.radians(_THROW_TURN_DEG) * rate)


def _raising(depth_deg: float) -> Callable[[FloatArray, FloatArray, FloatArray, FloatArray, int], Posture]:
    depth, none = np.radians(depth_deg), np.zeros_like

    def course(t_s: FloatArray, share: FloatArray, rate: FloatArray, bend: FloatArray, seed: int) -> Posture:
        return Posture(none(t_s), none(t_s), sway_share=0.5, lean=depth * share, lean_rate=depth * rate)

    return course


def walking(seed: int) -> SyntheticMotion:
    """Return somebody who walks at 108 steps a minute, without end."""
    return SyntheticMotion(seed, _walking, lambda duration_s, seed: ())


def swings(seed: int) -> SyntheticMotion:
    """Return a trunk that turns by 90 degrees within 0.35 s, as with a bat, every 6 s."""
    return SyntheticMotion(seed, _swinging, _burst_truth(_SWING_EACH_S, _SWING_S, _SWING_DEG))


def throws(seed: int) -> SyntheticMotion:
    """Return a trunk that bends by 40 and turns by 60 degrees within 0.25 s, as in a throw, every 8 s."""
    return SyntheticMotion(seed, _throwing, _burst_truth(_THROW_EACH_S, _THROW_S, _THROW_BEND_DEG))


def lying(seed: int) -> LyingMotion:
    """Return somebody who lies for 30 s on the back, the left side, the front and the right side in turn."""
    return LyingMotion(seed)


def strong_arm(seed: int) -> SyntheticMotion:
    """Return an upper arm raised to the side by 90 degrees, ten times a set; the other of the pair is weak-arm."""
    return exercise(seed, _STRONG, STRONG_DEG, _raising(STRONG_DEG))


def weak_arm(seed: int) -> SyntheticMotion:
    """Return the same with 72 degrees and a quarter slower."""
    return exercise(seed, _WEAK, WEAK_DEG, _raising(WEAK_DEG))


SPORTS: dict[str, Callable[[int], SyntheticMotion]] = {
    "walking": walking,
    "swings": swings,
    "throws": throws,
    "lying": lying,
    "strong-arm": strong_arm,
    "weak-arm": weak_arm,
}
