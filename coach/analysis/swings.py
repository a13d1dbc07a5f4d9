"""Swings and throws from the angular rate: count, peak rate, direction of turn, time since the last.

A swing is one isolated burst of rotation: far faster than the movement around it, over within a fraction of a second,
and through a real angle. What comes in rows without a pause (a pendulum, steps, repetitions) is none. `LOOK_AHEAD_S`
after its peak it counts, provisionally; it is settled when `LOOK_BACK_S` have passed without the faster one that would
show it to be a backswing. Source: own heuristic; the proof is synthetic (docs/algorithms.md).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from coach.analysis.findings import TRUNK_PLACES
from coach.analysis.swing_types import Swing, SwingParams, Turn
from coach.analysis.types import NotComputable
from devices.types import FloatArray

# Own heuristic: a burst's own peak is the highest for this long on both sides.
LOOK_AHEAD_S = 0.5
# Own heuristic: the backswing and the pause at its end fit into this; who swings again sooner does something else.
LOOK_BACK_S = 1.6
# Own heuristic: below this rate the shape of a burst of a tenth of a second is lost.
RATE_MIN_HZ = 50.0


def _none() -> FloatArray:
    return np.empty(0)


@dataclass(frozen=True, slots=True)
class SwingState:
    """speed, turning: (k,) of the newest samples, rad/s; turning is the part about the vertical, where it is fast.

    Both are 0 where samples are missing.
    next_index: the sample expected next. decided: samples below it are decided. pending: counted, not yet settled.
    last_s, count: time of the newest settled swing, None before; how many are settled.
    """

    speed: FloatArray = field(default_factory=_none)
    turning: FloatArray = field(default_factory=_none)
    next_index: int = 0
    decided: int = 0
    pending: Swing | None = None
    last_s: float | None = None
    count: int = 0

    @property
    def live_count(self) -> int:
        """Return the count for now, half a second after a peak: the settled ones and the one that waits."""
        return self.count + (self.pending is not None)


def detect_swings(
    params: SwingParams,
    place: str,
    state: SwingState,
    rate_hz: float,
    gyr_radps: FloatArray,
    up: FloatArray,
    limit_radps: float | None = None,
) -> tuple[SwingState, tuple[Swing, ...]]:
    """Take consecutive samples of the grid; return the swings that were settled, in order.

    gyr_radps: (n, 3), NaN where missing. up: (3, n) unit vectors of sensor axes that point up. limit_radps: full scale.
    """
    if not gyr_radps.shape[0]:
        return state, ()
    x, y, z = gyr_radps.T
    squared = x * x
    squared += y * y
    squared += z * z
    largest = squared.max()
    if not np.isfinite(largest):
        squared[~np.isfinite(squared)] = 0.0
        largest = squared.max()
    fastest = math.sqrt(largest)
    end, ahead, least = state.next_index + squared.size, round(LOOK_AHEAD_S * rate_hz), _least_peak_radps(params, place)
    # Where nothing was fast enough, before or now, only what is kept for later is needed.
    quiet = fastest < least and state.speed.max(initial=0.0) < least
    first = max(squared.size - _kept(rate_hz, ahead), 0) if quiet else 0
    # Whatever the cut, a sample has the same value: it is rounded once, here.
    speed = np.sqrt(squared[first:])
    turning = np.zeros(speed.size)
    # No burst that counts reaches below half of the least peak, and which way it turned is asked within it only.
    if fastest >= least / 2:
        fast = np.flatnonzero(speed >= least / 2)
        at = fast + first
        about = x[at] * up[0, at] + y[at] * up[1, at] + z[at] * up[2, at]
        turning[fast] = np.where(np.isfinite(about), about, 0.0)
    if not first:
        speed, turning = np.concatenate((state.speed, speed)), np.concatenate((state.turning, turning))
    return _decide(params, place, state, rate_hz, (speed, turning), end, ahead, limit_radps)


def _kept(rate_hz: float, ahead: int) -> int:
    """Return how many of the newest samples are kept."""
    return round((LOOK_BACK_S + LOOK_AHEAD_S) * rate_hz) + ahead + 1


def finish_swings(
    params: SwingParams, place: str, state: SwingState, rate_hz: float, limit_radps: float | None = None
) -> tuple[SwingState, tuple[Swing, ...]]:
    """Decide and settle what still waits."""
    signals = (state.speed, state.turning)
    state, settled = _decide(params, place, state, rate_hz, signals, state.next_index, 0, limit_radps)
    if state.pending is None:
        return state, settled
    state, last = _settled(state)
    return state, (*settled, last)


def _decide(
    params: SwingParams,
    place: str,
    state: SwingState,
    rate_hz: float,
    signals: tuple[FloatArray, FloatArray],
    end: int,
    ahead: int,
    limit_radps: float | None,
) -> tuple[SwingState, tuple[Swing, ...]]:
    speed, turning = signals
    first, until = end - speed.size, max(end - ahead, state.decided)
    least = _least_peak_radps(params, place)
    settled: list[Swing] = []
    fresh = speed[max(state.decided - first, 0) : until - first]
    if fresh.size and fresh.max() >= least:
        for at in _peaks(speed, state.decided - first, until - first, least, rate_hz):
            swing = _swing(params, place in TRUNK_PLACES, rate_hz, speed, turning, at, first, limit_radps)
            if swing is None:
                continue
            if state.pending is not None and swing.time_s - state.pending.time_s > LOOK_BACK_S:
                state, done = _settled(state)
                settled.append(done)
            # One that still waits was the backswing of this one.
            state = replace(state, pending=swing)
    if state.pending is not None and until / rate_hz - state.pending.time_s > LOOK_BACK_S + LOOK_AHEAD_S:
        state, done = _settled(state)
        settled.append(done)
    keep = _kept(rate_hz, ahead)
    kept = speed[-keep:].copy(), turning[-keep:].copy()
    return SwingState(*kept, end, until, state.pending, state.last_s, state.count), tuple(settled)


def _least_peak_radps(params: SwingParams, place: str) -> float:
    return math.radians(params.trunk_min_peak_degps if place in TRUNK_PLACES else params.min_peak_degps)


def _settled(state: SwingState) -> tuple[SwingState, Swing]:
    """Return the state with the pending swing settled, and that swing with the time since the one before."""
    assert state.pending is not None  # noqa: S101 - asked by the callers
    swing = state.pending
    if state.last_s is not None:
        swing = replace(swing, since_last_s=swing.time_s - state.last_s)
    return replace(state, pending=None, last_s=swing.time_s, count=state.count + 1), swing


def _peaks(speed: FloatArray, begin: int, end: int, least: float, rate_hz: float) -> list[int]:
    """Return where in begin..end-1 the speed is the highest for LOOK_AHEAD_S on both sides, and high enough."""
    reach = round(LOOK_AHEAD_S * rate_hz)
    firsts = np.arange(begin, end, max(reach, 1))
    peaks = []
    # All of a span of that length is around each of its samples: only its highest can be a peak, the first of equals.
    for first in firsts[np.maximum.reduceat(speed[begin:end], firsts - begin) >= least].tolist():
        at = first + int(speed[first : min(first + max(reach, 1), end)].argmax())
        if not (speed[max(at - reach, 0) : at] >= speed[at]).any() and speed[at : at + reach + 1].max() <= speed[at]:
            peaks.append(at)
    return peaks


def _swing(
    params: SwingParams,
    trunk: bool,
    rate_hz: float,
    speed: FloatArray,
    turning: FloatArray,
    at: int,
    first: int,
    limit_radps: float | None,
) -> Swing | None:
    peak = float(speed[at])
    reach, back = round(LOOK_AHEAD_S * rate_hz), round(LOOK_BACK_S * rate_hz)
    before = speed[max(at - back, 0) : max(at - reach, 0)]
    if before.size and before.max() > params.before_share * peak:
        return None
    # Only as far as every cut of the stream can see.
    low, high = max(at - reach, 0), min(at + reach + 1, speed.size)
    outside = np.flatnonzero(speed[low:high] < peak / 2) + low
    left = int(outside[outside < at].max(initial=low - 1))
    right = int(outside[outside > at].min(initial=high))
    burst = slice(left + 1, right)
    total = float(speed[burst].sum())
    shortest, longest = params.width_s
    angle_deg = np.degrees(total / rate_hz)
    if not shortest <= (right - left - 1) / rate_hz <= longest:
        return None
    if angle_deg < (params.trunk_min_angle_deg if trunk else params.min_angle_deg):
        return None
    about = float(turning[burst].sum()) / total
    turn = None if abs(about) < params.turn_share else Turn.LEFT if about > 0 else Turn.RIGHT
    # Two hundredths below full scale: the scale of one axis, noise and calibration make the edge soft.
    clipped = limit_radps is not None and peak >= 0.98 * limit_radps
    return Swing((first + at) / rate_hz, float(np.degrees(peak)), clipped, turn, None)


@dataclass(frozen=True, slots=True)
class Tally:
    """Swings of one span of time: all, to the left, to the right (the rest could not be told), and the fastest peak."""

    count: int
    left: int
    right: int
    peak_degps: float | None


def tally(swings: Sequence[Swing], origin_utc_s: float, edges_utc_s: Sequence[float]) -> list[Tally]:
    """Return the sums between each two neighbouring edges, such as local midnights or the starts of weeks.

    origin_utc_s: Unix time of the stream's first sample. A swing on an edge belongs to the span that begins there.
    """
    times = origin_utc_s + np.array([swing.time_s for swing in swings], dtype=np.float64)
    places = np.searchsorted(np.asarray(edges_utc_s, dtype=np.float64), times, side="right") - 1
    spans: list[list[Swing]] = [[] for _ in edges_utc_s[1:]]
    for swing, place in zip(swings, places.tolist(), strict=True):
        if 0 <= place < len(spans):
            spans[place].append(swing)
    return [
        Tally(
            len(span),
            sum(swing.turn is Turn.LEFT for swing in span),
            sum(swing.turn is Turn.RIGHT for swing in span),
            max((swing.peak_degps for swing in span), default=None),
        )
        for span in spans
    ]


def swings_not_computable(rate_hz: float, has_gyroscope: bool) -> NotComputable | None:
    """Return what is missing for counting swings, or None."""
    if not has_gyroscope:
        return NotComputable("swings", "a wearable with a gyroscope")
    if rate_hz < RATE_MIN_HZ:
        return NotComputable("swings", f"samples at {RATE_MIN_HZ:g} Hz or more; these come at {rate_hz:g} Hz")
    return None
