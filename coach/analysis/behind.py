"""What is worked on for a minute at once, behind the newest sample: wearing, yaw, minutes, cycles, much bending.

Nobody waits for them, and a call for every chunk would cost more than the work. Minutes begin on whole multiples
of the stream's own time; the results are those of any other cut.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from coach.analysis.bends import Counted
from coach.analysis.lying import FREE
from coach.analysis.posture import look_every as posture_look_every
from coach.analysis.quality import BoolArray
from coach.analysis.walking import steps_begun
from coach.analysis.wearing_types import Glimpses
from coach.analysis.wobble import look_every
from devices.types import FloatArray, IntArray

Kind = TypeVar("Kind", bound=np.generic)
# Own choice: a day that runs is judged once a minute at most.
TOGETHER_S = 60.0


@dataclass(frozen=True, slots=True)
class Sensed:
    """turn_radps: (n,) angular rate about the vertical, NaN where missing. up: (3, m) direction "up" in sensor axes at
    the looks (wobble.look_every). steps: (k,) samples at which a step began.
    """

    turn_radps: FloatArray
    up: FloatArray
    steps: IntArray


@dataclass(frozen=True, slots=True)
class Followed:
    """smooth_deg: (n,) low-passed inclination of released samples, NaN where missing.

    The rest is at their looks (posture.look_every). modes: (m,) what the trunk did (lying.FREE, PENDING, LYING), None
    where it was free. bent_deg: (m,) what bends are of, NaN where missing; lies: (m,) it lies or has lain a moment
    ago, None for nowhere. counted: bends that came down.
    """

    smooth_deg: FloatArray
    modes: IntArray | None = None
    bent_deg: FloatArray | None = None
    lies: BoolArray | None = None
    counted: tuple[Counted, ...] = ()


@dataclass(frozen=True, slots=True)
class BehindState:
    """done, spent: samples, and of the released ones those, that are worked on. sensed, followed: what came since.

    high: as of walking.steps_begun.
    """

    done: int = 0
    spent: int = 0
    high: bool = False
    sensed: tuple[Sensed, ...] = ()
    followed: tuple[Followed, ...] = ()


def wait(
    state: BehindState, rate_hz: float, start: int, acc_mps2: FloatArray, gyr_radps: FloatArray, up: FloatArray
) -> BehindState:
    """Keep what is needed of the next samples.

    start: number of the first. acc_mps2, gyr_radps: (n, 3), NaN where missing. up: (3, n) in sensor axes, NaN likewise.
    """
    every = look_every(rate_hz)
    steps, high = steps_begun(state.high, acc_mps2)
    piece = Sensed(turn_rate_radps(gyr_radps, up), up[:, -start % every :: every].copy(), steps + start)
    return BehindState(state.done, state.spent, high, (*state.sensed, piece), state.followed)


def turn_rate_radps(gyr_radps: FloatArray, up: FloatArray) -> FloatArray:
    """Return the angular rate about the vertical, (n,). gyr_radps: (n, 3); up: (3, n) in sensor axes."""
    x, y, z = gyr_radps.T
    rate: FloatArray = x * up[0]
    rate += y * up[1]
    rate += z * up[2]
    return rate


def wait_released(state: BehindState, smooth_deg: FloatArray, piece: Followed) -> BehindState:
    """Keep what is needed of the next samples that were released; `piece` is what is known beside smooth_deg."""
    known = Followed(smooth_deg, piece.modes, piece.bent_deg, piece.lies, piece.counted)
    return BehindState(state.done, state.spent, state.high, state.sensed, (*state.followed, known))


def due(state: BehindState, rate_hz: float, end: int) -> int:
    """Return the sample up to which whole minutes are complete. end: the sample expected next."""
    # A hair below, so that a product that should be whole is not carried over to the next sample by rounding.
    until = math.ceil(math.floor(end / (TOGETHER_S * rate_hz)) * TOGETHER_S * rate_hz - 1e-6)
    return max(until, state.done)


def take(state: BehindState, rate_hz: float, until: int) -> tuple[BehindState, Glimpses, FloatArray]:
    """Return what is left after the samples up to `until`, and of these what wearing looks at, and the turning."""
    every, count = look_every(rate_hz), until - state.done
    first = -state.done % every
    turn = np.concatenate([piece.turn_radps for piece in state.sensed])
    up = np.concatenate([piece.up for piece in state.sensed], axis=1)
    steps = np.concatenate([piece.steps for piece in state.sensed])
    looks, begun = len(range(first, count, every)), int(steps.searchsorted(until))
    rest = Sensed(turn[count:].copy(), up[:, looks:].copy(), steps[begun:].copy())
    left = BehindState(until, state.spent, state.high, (rest,), state.followed)
    seen = Glimpses(state.done, until, up[:, :looks], turn[first:count:every], steps[:begun])
    return left, seen, turn[:count]


def pass_to(state: BehindState, until: int) -> BehindState:
    """Return the state where nothing is sensed, worked on up to `until`."""
    return BehindState(until, state.spent, state.high, state.sensed, state.followed)


def take_released(state: BehindState, rate_hz: float, until: int) -> tuple[BehindState, Followed]:
    """Return what is left after the released samples up to `until`, and these."""
    count, every = until - state.spent, posture_look_every(rate_hz)
    looks = len(range(-state.spent % every, count, every))
    sizes, start = [], state.spent
    for piece in state.followed:
        sizes.append(len(range(-start % every, piece.smooth_deg.size, every)))
        start += piece.smooth_deg.size
    whole = Followed(
        np.concatenate([piece.smooth_deg for piece in state.followed]),
        _joined([piece.modes for piece in state.followed], sizes, np.int64(FREE)),
        _joined([piece.bent_deg for piece in state.followed], sizes, np.float64(np.nan)),
        _joined([piece.lies for piece in state.followed], sizes, np.bool_(False)),
        tuple(cycle for piece in state.followed for cycle in piece.counted),
    )
    taken = _part(whole, slice(0, count), slice(0, looks), -1, until)
    rest = _part(whole, slice(count, None), slice(looks, None), until, start)
    return BehindState(state.done, until, state.high, state.sensed, (rest,)), taken


def _joined(parts: Sequence[NDArray[Kind] | None], sizes: Sequence[int], otherwise: Kind) -> NDArray[Kind] | None:
    """Return parts as one, with `otherwise` for those that are None; None where all are."""
    if all(part is None for part in parts):
        return None
    filled = (np.full(size, otherwise) if part is None else part for part, size in zip(parts, sizes, strict=True))
    return np.concatenate(list(filled))


def _part(whole: Followed, rows: slice, looks: slice, first: int, end: int) -> Followed:
    """Return some rows and their looks. first, end: samples between which cycles belong to them."""
    return Followed(
        whole.smooth_deg[rows],
        _some(whole.modes, looks),
        None if whole.bent_deg is None else whole.bent_deg[looks],
        _some(whole.lies, looks),
        tuple(cycle for cycle in whole.counted if first <= cycle.index < end),
    )


def _some(values: NDArray[Kind] | None, looks: slice) -> NDArray[Kind] | None:
    """Return some values, None for none of them: what is left of nothing is alike however the stream was cut."""
    return None if values is None or not values[looks].size else values[looks]
