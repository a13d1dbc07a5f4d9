"""What is worked on for half a minute at once, behind the newest sample: wearing, yaw and repeated bending.

They have few values a second and are told by the minute, so that a call for every chunk would cost more than the work.
Half minutes begin on whole multiples of the stream's own time; the results are those of any other cut.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from coach.analysis.bends import Counted
from coach.analysis.quality import BoolArray
from coach.analysis.strain import JUDGED_TOGETHER_BINS
from coach.analysis.walking import steps_begun
from coach.analysis.wearing_types import Glimpses
from coach.analysis.wobble import look_every
from devices.types import FloatArray, IntArray

# As for the windows of repeated bending, which wait that long anyhow.
TOGETHER_S = float(JUDGED_TOGETHER_BINS)


@dataclass(frozen=True, slots=True)
class BehindState:
    """done: samples worked on. turn_radps: (n,) angular rate about the vertical of those since, NaN where missing.

    up: (3, m) direction "up" in sensor axes at the looks since (wobble.look_every). steps: (k,) samples since at which
    a step began; high: as of walking.steps_begun. valid: (r,) of the released samples that bending has not seen, and
    counted: the cycles in them.
    """

    done: int = 0
    turn_radps: FloatArray = field(default_factory=lambda: np.empty(0))
    up: FloatArray = field(default_factory=lambda: np.empty((3, 0)))
    steps: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    high: bool = False
    valid: BoolArray = field(default_factory=lambda: np.empty(0, dtype=np.bool_))
    counted: tuple[Counted, ...] = ()


def wait(
    state: BehindState, rate_hz: float, start: int, acc_mps2: FloatArray, gyr_radps: FloatArray, up: FloatArray
) -> BehindState:
    """Keep what is needed of the next samples.

    start: number of the first. acc_mps2, gyr_radps: (n, 3), NaN where missing. up: (3, n) in sensor axes, NaN likewise.
    """
    every = look_every(rate_hz)
    begun, high = steps_begun(state.high, acc_mps2)
    return BehindState(
        state.done,
        np.concatenate((state.turn_radps, turn_rate_radps(gyr_radps, up))),
        np.concatenate((state.up, up[:, -start % every :: every]), axis=1),
        np.concatenate((state.steps, begun + start)) if begun.size else state.steps,
        high,
        state.valid,
        state.counted,
    )


def turn_rate_radps(gyr_radps: FloatArray, up: FloatArray) -> FloatArray:
    """Return the angular rate about the vertical, (n,). gyr_radps: (n, 3); up: (3, n) in sensor axes."""
    x, y, z = gyr_radps.T
    rate: FloatArray = x * up[0]
    rate += y * up[1]
    rate += z * up[2]
    return rate


def wait_for_bending(state: BehindState, valid: BoolArray, counted: list[Counted]) -> BehindState:
    """Keep released samples, (n,) True where there is one, and the cycles in them, until wearing is known."""
    return BehindState(
        state.done,
        state.turn_radps,
        state.up,
        state.steps,
        state.high,
        np.concatenate((state.valid, valid)),
        (*state.counted, *counted) if counted else state.counted,
    )


def due(state: BehindState, rate_hz: float, end: int) -> int:
    """Return the sample up to which whole half minutes are complete. end: the sample expected next."""
    # A hair below, so that a product that should be whole is not carried over to the next sample by rounding.
    until = math.ceil(math.floor(end / (TOGETHER_S * rate_hz)) * TOGETHER_S * rate_hz - 1e-6)
    return max(until, state.done)


def take(state: BehindState, rate_hz: float, until: int) -> tuple[BehindState, Glimpses, FloatArray]:
    """Return what is left after the samples up to `until`, and of these what wearing looks at, and the turning."""
    every, count = look_every(rate_hz), until - state.done
    first = -state.done % every
    looks, steps = len(range(first, count, every)), int(state.steps.searchsorted(until))
    turn = state.turn_radps[:count]
    left = BehindState(
        until,
        state.turn_radps[count:].copy(),
        state.up[:, looks:].copy(),
        state.steps[steps:].copy(),
        state.high,
        state.valid,
        state.counted,
    )
    seen = Glimpses(state.done, until, state.up[:, :looks], turn[first::every], state.steps[:steps])
    return left, seen, turn


def take_for_bending(state: BehindState, until: int, start: int) -> tuple[BehindState, BoolArray, list[Counted]]:
    """Return what is left after the released samples `start` .. `until` - 1, and these. start: the first that waits."""
    count = until - start
    left = BehindState(
        state.done,
        state.turn_radps,
        state.up,
        state.steps,
        state.high,
        state.valid[count:].copy(),
        tuple(cycle for cycle in state.counted if cycle.index >= until),
    )
    return left, state.valid[:count], [cycle for cycle in state.counted if cycle.index < until]
