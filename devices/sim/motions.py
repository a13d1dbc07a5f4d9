"""The motions to choose from: a day's work here, exercises in exercises.py and sports.py, tests in
battery.py and mobility.py.

All figures of movement are own heuristics, chosen to look like a day's work; none is tuned to a recording.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from devices.sim.battery import BATTERY
from devices.sim.exercises import EXERCISES
from devices.sim.mobility import MOBILITY
from devices.sim.randomness import uniform
from devices.sim.sports import SPORTS
from devices.sim.synthetic import LANE_EVENT, Bend, BendSlots, Posture, SyntheticMotion, smooth_step
from devices.sim.synthetic import MotionSource as MotionSource
from devices.types import FloatArray

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
_LANE_SLOUCH = LANE_EVENT + 10


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
    step, step_rate = smooth_step((t_s - number * _POSTURE_S - _POSTURE_S / 2) / settle_s)
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


MOTIONS: dict[str, Callable[[int], SyntheticMotion]] = {
    "lifting": lifting,
    "desk": desk,
    "idle": idle,
    "bows": bows,
    **EXERCISES,
    **SPORTS,
    **BATTERY,
    **MOBILITY,
}
