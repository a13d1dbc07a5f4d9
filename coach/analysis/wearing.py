"""Is the sensor worn as it should be? Second by second, for the trunk and the pelvis; it never looks ahead.

LOOSE: it moves as no trunk does. A trunk bends by tens of degrees slowly and sways by a few degrees with each step; a
sensor on a slack strap, or worn on an arm or a leg, swings by far more at the pace of steps; what has fallen off lies
more still than anybody and turned away. DISPLACED: in walking, or upside down, "up" is far from where it was in the
calibrated pose or when the person first walked; or the person bends to the side of the calibrated front. Source: own
heuristics, docs/integrity.md; measured on the recordings.

How a second counts is settled by the seconds before it; it is asked for a minute at once (behind.py).
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from coach.analysis.direction import BENT_DEG, DirectionState, find_forward
from coach.analysis.exposure import WORN, ByteArray
from coach.analysis.frames import BodyAxes, Vector, body_axes, dot, in_body, inclination_deg, tilt_deg
from coach.analysis.quality import BoolArray
from coach.analysis.wearing_judge import Judge
from coach.analysis.wearing_types import Glimpses, WearingParams, WearingState
from coach.analysis.wobble import COLUMNS, MIN_LOOKS_HZ, STEPS, look_every, looked, told
from devices.types import FloatArray, IntArray

# Own choice: bends are slower; of every third look their direction is taken.
GLANCE_EVERY = 3
# Own choice: while nothing is bent by more than this, a degree below what counts, no front can be found.
_UPRIGHT_COS = math.cos(math.radians(BENT_DEG[0] - 1.0))
DEFAULT_PARAMS = WearingParams()


def begin_wearing(start_utc_s: float) -> WearingState:
    """Begin with the first sample of a stream."""
    return WearingState(phase_s=start_utc_s % 60.0)


def add_wearing(
    state: WearingState,
    rate_hz: float,
    seen: Glimpses,
    upright: Vector | None,
    forward: Vector | None = None,
    params: WearingParams = DEFAULT_PARAMS,
) -> WearingState:
    """Take the next samples.

    seen: of them, at every look (wobble.look_every). upright: where "up" was in the calibrated pose, None without one;
    forward: the body's front then, None without a bow.
    """
    every = look_every(rate_hz)
    width = round(rate_hz / every)
    if width < MIN_LOOKS_HZ or seen.end <= seen.start:
        return state
    at = np.arange(seen.start + -seen.start % every, seen.end, every)
    looks = looked(state.looks, seen.up, seen.turn_radps, rate_hz / every, width)
    sums = _sums(state, rate_hz, seen, at, looks, width)
    direction, fronts = state.direction, list[tuple[int, float]]()
    if upright is not None and forward is not None:
        direction, fronts = _fronts(state, rate_hz, at, seen.up, body_axes(upright, forward))
    judge = Judge(params, state, rate_hz / every, width, upright)
    judge.seconds(sums[:, :-1].T, fronts)
    newest = tuple(apart_deg for _, apart_deg in fronts)
    return judge.state(looks[:, -width:].T.copy(), tuple(sums[:, -1].tolist()), direction, newest)


def _sums(state: WearingState, rate_hz: float, seen: Glimpses, at: IntArray, looks: IntArray, width: int) -> IntArray:
    """Return the sums of each second, (COLUMNS, n), from the one under way on. at: (m,) sample numbers of the looks."""
    count = _second(state, rate_hz, seen.end) - state.second + 1
    sums = np.zeros((COLUMNS, count), dtype=np.int64)
    sums[:, 0] = state.sums
    if at.size:
        places = np.floor(state.phase_s + at / rate_hz).astype(np.int64) - state.second
        begin, end = int(places[0]), int(places[-1]) + 1  # in each of these seconds there are looks
        firsts = places.searchsorted(np.arange(begin, end))
        sums[:, begin:end] += np.add.reduceat(told(looks, width), firsts, axis=1)
    if seen.steps.size:
        steps_at = np.floor(state.phase_s + seen.steps / rate_hz).astype(np.int64) - state.second
        sums[STEPS] += np.bincount(steps_at, minlength=count)
    return sums


def codes_of(state: WearingState, first: int, count: int) -> ByteArray | None:
    """Return how each of `count` seconds from `first` on counts (WORN, LOOSE, DISPLACED), None for all WORN."""
    if not len(state.spans):
        return None
    codes = np.full(count, WORN, dtype=np.uint8)
    for begin, end, code in state.spans.tolist():
        codes[max(begin - first, 0) : max(end - first, 0)] = code
    return codes if codes.any() else None


def worn_at(state: WearingState, times_s: FloatArray) -> BoolArray | None:
    """Return at which times the sensor was worn well, None for all. times_s: (n,) from the first sample, ascending."""
    if not len(state.spans) or not times_s.size:
        return None
    seconds = np.floor(state.phase_s + times_s).astype(np.int64)
    codes = codes_of(state, int(seconds[0]), int(seconds[-1] - seconds[0]) + 1)
    return None if codes is None else codes[seconds - seconds[0]] == WORN


def forget_before(state: WearingState, first: int) -> WearingState:
    """Drop what is known of the seconds before `first`; the totals stay."""
    if not len(state.spans) or state.spans[0, 1] > first:
        return state
    return replace(state, spans=state.spans[state.spans[:, 1] > first])


def _second(state: WearingState, rate_hz: float, sample: int) -> int:
    return math.floor(state.phase_s + sample / rate_hz)


def _fronts(
    state: WearingState, rate_hz: float, at: IntArray, up: FloatArray, axes: BodyAxes
) -> tuple[DirectionState, list[tuple[int, float]]]:
    """Return the fronts that the bends show: in which second, and how far from the calibrated one, in deg."""
    glances = slice(-(int(at[0]) // look_every(rate_hz)) % GLANCE_EVERY if at.size else 0, None, GLANCE_EVERY)
    at, up = at[glances], up[:, glances]
    x, y, z = axes.si
    if at.size and not state.fronts_deg and (up[0] * x + up[1] * y + up[2] * z).min() > _UPRIGHT_COS:
        newest_deg = float(inclination_deg(in_body(up[:, -1:], axes))[0])
        return DirectionState(newest_deg, state.direction.count, state.direction.sums), []
    in_axes = in_body(up, axes)
    tilt = tilt_deg(in_axes, inclination_deg(in_axes))
    glance_s = GLANCE_EVERY * look_every(rate_hz) / rate_hz
    direction, first = state.direction, 0
    fronts = [(state.second, apart_deg) for apart_deg in state.fronts_deg]
    while first < at.size:
        direction, place, front = find_forward(direction, glance_s, axes, tilt[:, first:])
        if front is None:
            break
        first += place
        apart_deg = math.degrees(math.acos(max(min(dot(front, axes.pa), 1.0), -1.0)))
        fronts.append((_second(state, rate_hz, int(at[first])), apart_deg))
        first += 1
    return direction, fronts
