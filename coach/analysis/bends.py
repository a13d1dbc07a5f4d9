"""Bends: a rise of the inclination and a fall after it, each of at least `min_range_deg`.

Source: own heuristic; the turning points are those of rainflow counting with a dead-band of `min_range_deg`
(ASTM E1049-85), so the number agrees with the rainflow cycles of that range or more, to one at each end.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np

from coach.analysis.levels import first_at_or_below, last_at_or_below, no_times, time_at
from coach.analysis.types import Bend, BendParams
from devices.types import FloatArray, IntArray

# Own heuristic: a bend begins when a tenth of its range has been risen, and is over when a tenth is left.
EDGE_SHARE = 0.1
# Own heuristic: longer than a slow bend. What moved in a longer gap is unknown, so a bend does not span it.
MAX_GAP_S = 10.0
# Own heuristic: who has come lower by no whole degree for so long rests in a new place, if not in the old one.
REST_S = 3.0
# Samples looked at in one go; bounds the work of one search for the next turn.
SPAN = 1024


class Phase(StrEnum):
    DOWN = "down"  # looking for a rise; the low so far is the candidate for the start
    UP = "up"  # risen far enough; looking for the fall


@dataclass(frozen=True, slots=True)
class Pending:
    """A bend that has fallen far enough to count but is not yet back. Sample numbers; deg."""

    start: float
    peak: int
    valley_deg: float
    peak_deg: float

    @property
    def back_deg(self) -> float:
        return self.valley_deg + EDGE_SHARE * (self.peak_deg - self.valley_deg)


@dataclass(frozen=True, slots=True)
class BendState:
    """low, high: extremes of the phase and their sample numbers. next_index: the sample expected next.

    lowered_at: when the low of a fall last reached another whole degree. below: per level, the last sample at or
    below it. below_at_high: the same up to the high. fallen: per level, the first sample at or below it since then.
    """

    phase: Phase = Phase.DOWN
    low_deg: float = float("inf")
    low_at: int = -1
    high_deg: float = float("-inf")
    high_at: int = -1
    next_index: int = -1
    pending: Pending | None = None
    lowered_at: int = -1
    below: IntArray = field(default_factory=no_times)
    below_at_high: IntArray = field(default_factory=no_times)
    fallen: IntArray = field(default_factory=no_times)


@dataclass(frozen=True, slots=True)
class Counted:
    """index: sample at which a cycle had fallen far enough to count. range_deg: from valley to peak."""

    index: int
    range_deg: float


@dataclass(slots=True)
class _Found:
    rate_hz: float
    late_s: float
    bends: list[Bend] = field(default_factory=list)
    counted: list[Counted] = field(default_factory=list)

    def add(self, pending: Pending, end: float) -> None:
        start_s, peak_s, end_s = (max(i / self.rate_hz - self.late_s, 0.0) for i in (pending.start, pending.peak, end))
        self.bends.append(Bend(start_s, peak_s, max(end_s, peak_s), pending.peak_deg - pending.valley_deg))


def detect_bends(
    params: BendParams, state: BendState, rate_hz: float, late_s: float, smooth_deg: FloatArray, start: int
) -> tuple[BendState, list[Bend], list[Counted]]:
    """Follow consecutive values. smooth_deg: (n,) low-passed inclination, no NaN, the first with sample number `start`.

    late_s: the delay of the low-pass, taken off the times. Returns the bends that ended and the cycles that
    counted, in order. A bend ends when it is back, when it rests elsewhere, or when the next rise is certain.
    """
    found = _Found(rate_hz, late_s)
    if state.next_index >= 0 and start - state.next_index > MAX_GAP_S * rate_hz:
        if state.pending:
            found.add(state.pending, _end(state, state.pending))
        state = BendState()
    for offset in range(0, smooth_deg.size, SPAN):
        span, place = smooth_deg[offset : offset + SPAN], 0
        while place < span.size:
            follow = _follow_down if state.phase is Phase.DOWN else _follow_up
            state, used = follow(params.min_range_deg, state, span[place:], start + offset + place, found)
            place += used
    return replace(state, next_index=start + smooth_deg.size), found.bends, found.counted


def finish_bends(state: BendState, rate_hz: float, late_s: float) -> tuple[BendState, list[Bend]]:
    """Return the bend that counted but was not yet back, if there is one."""
    found = _Found(rate_hz, late_s)
    if state.pending:
        found.add(state.pending, _end(state, state.pending))
    return replace(state, pending=None), found.bends


def _follow_down(
    min_range: float, state: BendState, values: FloatArray, index: int, found: _Found
) -> tuple[BendState, int]:
    """Look for the rise. Returns the state and how many values were used up; the value that decides is used again."""
    lowest = np.minimum(np.minimum.accumulate(values), state.low_deg)
    risen = values - lowest >= min_range
    turn = int(np.argmax(risen)) if risen.any() else -1
    part = values if turn < 0 else values[:turn]
    low_deg, low_at = state.low_deg, state.low_at
    if part.size and lowest[part.size - 1] < low_deg:
        low_deg = float(lowest[part.size - 1])
        low_at = index + int(np.argmin(part))
    pending, fallen, lowered_at = state.pending, state.fallen, state.lowered_at
    if pending:
        over, fallen, lowered_at = _over(state, pending, part, lowest[: part.size], index, found.rate_hz)
        if over is not None:
            found.add(pending, over)
            pending, fallen, lowered_at = None, no_times(), -1
    below = last_at_or_below(state.below, part, index)
    state = replace(
        state, low_deg=low_deg, low_at=low_at, pending=pending, fallen=fallen, below=below, lowered_at=lowered_at
    )
    if turn < 0:
        return state, values.size
    if pending:
        found.add(pending, _end(state, pending))
    state = replace(state, pending=None, fallen=no_times(), lowered_at=-1)
    return replace(state, phase=Phase.UP, high_deg=float("-inf"), high_at=-1), turn


def _over(
    state: BendState, pending: Pending, values: FloatArray, lowest: FloatArray, index: int, rate_hz: float
) -> tuple[float | None, IntArray, int]:
    """Return where the pending bend is over (None while it is not), `fallen` and `lowered_at`."""
    if not values.size:
        return None, state.fallen, state.lowered_at
    fallen = first_at_or_below(state.fallen, values, index)
    rows = np.arange(index, index + values.size)
    degrees = np.floor(lowest)
    lower = degrees < np.concatenate(([np.floor(state.low_deg)], degrees[:-1]))
    lowered = np.maximum.accumulate(np.where(lower, rows, state.lowered_at))
    back = values <= pending.back_deg
    rested = rows - lowered >= REST_S * rate_hz
    back_at = int(np.argmax(back)) if back.any() else values.size
    rested_at = int(np.argmax(rested)) if rested.any() else values.size
    if back_at == rested_at == values.size:
        return None, fallen, int(lowered[-1])
    if back_at <= rested_at:
        return float(index + back_at), fallen, int(lowered[-1])
    resting = replace(state, low_deg=float(lowest[rested_at]), low_at=int(lowered[rested_at]), fallen=fallen)
    return _end(resting, pending), fallen, int(lowered[-1])


def _follow_up(
    min_range: float, state: BendState, values: FloatArray, index: int, found: _Found
) -> tuple[BendState, int]:
    """Look for the fall. Returns the state and how many values were used up; the value that decides is used again."""
    highest = np.maximum(np.maximum.accumulate(values), state.high_deg)
    sunk = highest - values >= min_range
    turn = int(np.argmax(sunk)) if sunk.any() else -1
    part = values if turn < 0 else values[:turn]
    if part.size and highest[part.size - 1] > state.high_deg:
        top = int(np.argmax(part))
        below_at_high = last_at_or_below(state.below, part[: top + 1], index)
        fallen = first_at_or_below(no_times(), part[top + 1 :], index + top + 1)
        state = replace(
            state, high_deg=float(part[top]), high_at=index + top, below_at_high=below_at_high, fallen=fallen
        )
    else:
        state = replace(state, fallen=first_at_or_below(state.fallen, part, index))
    state = replace(state, below=last_at_or_below(state.below, part, index))
    if turn < 0:
        return state, values.size
    range_deg = state.high_deg - state.low_deg
    found.counted.append(Counted(index + turn, range_deg))
    rise = time_at(state.below_at_high, state.low_deg + EDGE_SHARE * range_deg, state.low_at)
    # Levels below the valley were last met before it; the rise is never earlier than the valley.
    start = max(rise, float(state.low_at))
    pending = Pending(start, state.high_at, state.low_deg, state.high_deg)
    return replace(state, phase=Phase.DOWN, low_deg=float("inf"), low_at=-1, pending=pending), turn


def _end(state: BendState, pending: Pending) -> float:
    """Return where the fall was nearly over, for a bend that did not come back to where it began."""
    level = state.low_deg + EDGE_SHARE * (pending.peak_deg - state.low_deg)
    at = state.low_at if state.low_at >= 0 else pending.peak
    return time_at(state.fallen, level, at)
