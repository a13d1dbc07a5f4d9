"""Upright from the data alone: who shakes the trunk at the pace of steps for ten seconds walks, and walks upright.

Source: own heuristic. Lying and sitting do not shake a trunk that hard; push-ups and sit-ups are slower than steps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from coach.analysis.frames import Vector, unit
from devices.types import FloatArray, IntArray

# Own heuristics: a step lifts |acc| above and lets it fall below gravity by this share of it.
SWING_SHARE = 0.08
STEPS_PER_S = (1, 4)
STEPS_IN_ALL = (12, 35)
WALK_S = 10
# Standard gravity.
G_MPS2 = 9.80665
# Directions are summed as whole numbers of 1e-6: sums of whole numbers do not depend on where they began.
_PER_UNIT = 1e6


@dataclass(frozen=True, slots=True)
class WalkingState:
    """high: the newest swing was up. second: number of the second under way, steps in it and up, the sum of the "up"
    directions at its glances. run: steps in each second of the present run of steps; run_up: their sum of directions.
    upright, known_from: the result, and the sample from which on it is known.
    """

    high: bool = False
    second: int = 0
    steps: int = 0
    up: tuple[int, ...] = (0, 0, 0)
    run: tuple[int, ...] = ()
    run_up: tuple[int, ...] = (0, 0, 0)
    upright: Vector | None = None
    known_from: int = -1


def find_upright(
    state: WalkingState, rate_hz: float, start: int, acc_mps2: FloatArray, at: IntArray, up: FloatArray
) -> WalkingState:
    """Take the next samples, until upright is known.

    start: number of the first sample. acc_mps2: (n, 3), NaN where missing. at: (m,) sample numbers of glances,
    up: (3, m) the direction "up" in sensor axes at them, NaN where missing.
    """
    if state.upright is not None:
        return state
    begins, high = steps_begun(state.high, acc_mps2)
    count = _second(start + len(acc_mps2), rate_hz) - state.second + 1
    steps = np.bincount(_seconds(start + begins, rate_hz) - state.second, minlength=count)
    steps[0] += state.steps
    there = ~np.isnan(up[0])
    places = _seconds(at[there], rate_hz) - state.second
    sums = np.zeros((count, 3), dtype=np.int64)
    sums[0] = state.up
    np.add.at(sums, places, np.rint(up[:, there].T * _PER_UNIT).astype(np.int64))
    return _follow(state, rate_hz, high, steps, sums)


def steps_begun(high: bool, acc_mps2: FloatArray) -> tuple[IntArray, bool]:
    """Return the rows at which |acc| comes up after it was down, and whether its newest swing was up.

    high: whether the newest swing before was up. acc_mps2: (n, 3), NaN where missing.
    """
    x, y, z = acc_mps2.T
    squared = x * x
    squared += y * y
    squared += z * z
    raised = squared > ((1.0 + SWING_SHARE) * G_MPS2) ** 2
    if not high and not raised.any():  # as most of a day
        return np.empty(0, dtype=np.int64), False
    swings = np.flatnonzero(raised | (squared < ((1.0 - SWING_SHARE) * G_MPS2) ** 2))
    if not swings.size:
        return swings, high
    ups = raised[swings]
    return swings[ups & ~np.concatenate(((high,), ups[:-1]))], bool(ups[-1])


def _second(sample: int, rate_hz: float) -> int:
    return math.floor(sample / rate_hz + 1e-9)


def _seconds(samples: IntArray, rate_hz: float) -> IntArray:
    return np.floor(samples / rate_hz + 1e-9).astype(np.int64)


def _follow(state: WalkingState, rate_hz: float, high: bool, steps: IntArray, sums: IntArray) -> WalkingState:
    """Go over the seconds that are complete; the last row is the one under way."""
    run, run_up = list(state.run), np.array(state.run_up)
    fits = (steps >= STEPS_PER_S[0]) & (steps <= STEPS_PER_S[1])
    done = len(steps) - 1
    for place in range(done) if run or fits[:done].any() else ():
        if not fits[place]:
            run, run_up = [], np.zeros(3, dtype=np.int64)
            continue
        run.append(int(steps[place]))
        run_up = run_up + sums[place]
        if len(run) == WALK_S and STEPS_IN_ALL[0] <= sum(run) <= STEPS_IN_ALL[1] and run_up.any():
            x, y, z = (float(value) for value in run_up)
            known_from = math.ceil((state.second + place + 1) * rate_hz - 1e-6)
            return WalkingState(upright=unit((x, y, z)), known_from=known_from)
        if len(run) == WALK_S:
            run, run_up = [], np.zeros(3, dtype=np.int64)
    if not run:
        run_up = np.zeros(3, dtype=np.int64)
    return WalkingState(
        high, state.second + done, int(steps[done]), tuple(sums[done].tolist()), tuple(run), tuple(run_up.tolist())
    )
