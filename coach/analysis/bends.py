"""Bends: a rise of the inclination and a fall after it, each of at least `min_range_deg`.

Source: own heuristic; the turning points are those of rainflow counting with a dead-band of `min_range_deg`
(ASTM E1049-85), so the number agrees with the rainflow cycles of that range or more, to one at each end.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
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


def detect_bends(
    params: BendParams, state: BendState, rate_hz: float, late_s: float, smooth_deg: FloatArray, start: int
) -> tuple[BendState, list[Bend], list[Counted]]:
    """Follow consecutive values. smooth_deg: (n,) low-passed inclination, no NaN, the first with sample number `start`.

    late_s: the delay of the low-pass, taken off the times. Returns the bends that ended and the cycles that
    counted, in order. A bend ends when it is back, when it rests elsewhere, or when the next rise is certain.
    """
    walk = _Walk(params.min_range_deg, state, rate_hz, late_s)
    if state.next_index >= 0 and start - state.next_index > MAX_GAP_S * rate_hz:
        if state.pending:
            walk.add(state.pending, walk.end_of(state.pending))
        walk.begin(BendState())
    for offset in range(0, smooth_deg.size, SPAN):
        span, place = smooth_deg[offset : offset + SPAN], 0
        while place < span.size:
            follow = walk.down if walk.phase is Phase.DOWN else walk.up
            place += follow(span[place:], start + offset + place)
    return walk.state(start + smooth_deg.size), walk.bends, walk.counted


def finish_bends(state: BendState, rate_hz: float, late_s: float) -> tuple[BendState, list[Bend]]:
    """Return the bend that counted but was not yet back, if there is one."""
    walk = _Walk(0.0, state, rate_hz, late_s)
    if state.pending:
        walk.add(state.pending, walk.end_of(state.pending))
    walk.pending = None
    return walk.state(state.next_index), walk.bends


class _Walk:
    """A state on its way over values."""

    def __init__(self, min_range_deg: float, state: BendState, rate_hz: float, late_s: float) -> None:
        self.min_range, self.rate_hz, self.late_s = min_range_deg, rate_hz, late_s
        self.bends: list[Bend] = []
        self.counted: list[Counted] = []
        self.begin(state)

    def begin(self, state: BendState) -> None:
        """Take over a state."""
        self.phase, self.pending, self.lowered_at = state.phase, state.pending, state.lowered_at
        self.low, self.low_at, self.high, self.high_at = state.low_deg, state.low_at, state.high_deg, state.high_at
        self.below, self.below_at_high, self.fallen = state.below, state.below_at_high, state.fallen
        self.falling: list[tuple[FloatArray, int]] = []

    def state(self, next_index: int) -> BendState:
        self._note_fall()
        return BendState(
            self.phase,
            self.low,
            self.low_at,
            self.high,
            self.high_at,
            next_index,
            self.pending,
            self.lowered_at,
            self.below,
            self.below_at_high,
            self.fallen,
        )

    def _note_fall(self) -> None:
        """Note at which times the fall met which levels: only when it is asked for, for most bends just come back."""
        for values, index in self.falling:
            self.fallen = first_at_or_below(self.fallen, values, index)
        self.falling.clear()

    def _forget_fall(self) -> None:
        self.fallen = no_times()
        self.falling.clear()

    def add(self, pending: Pending, end: float) -> None:
        start_s, peak_s, end_s = (max(i / self.rate_hz - self.late_s, 0.0) for i in (pending.start, pending.peak, end))
        self.bends.append(Bend(start_s, peak_s, max(end_s, peak_s), pending.peak_deg - pending.valley_deg))

    def end_of(self, pending: Pending) -> float:
        """Return where the fall was nearly over, for a bend that did not come back to where it began."""
        return self._nearly_over(pending, self.low, self.low_at if self.low_at >= 0 else pending.peak)

    def _nearly_over(self, pending: Pending, low: float, low_at: int) -> float:
        self._note_fall()
        return time_at(self.fallen, low + EDGE_SHARE * (pending.peak_deg - low), low_at)

    def down(self, values: FloatArray, index: int) -> int:
        """Look for the rise. Returns how many values were used up; the value that decides is used again."""
        lowest = np.minimum(np.minimum.accumulate(values), self.low)
        risen = values - lowest >= self.min_range
        turn = int(risen.argmax())
        found = bool(risen[turn])
        part = values[:turn] if found else values
        if self.pending and part.size:
            self._look_for_end(self.pending, part, lowest[: part.size], index)
        if part.size and lowest[part.size - 1] < self.low:
            self.low = float(lowest[part.size - 1])
            self.low_at = index + int(part.argmin())
        self.below = last_at_or_below(self.below, part, index)
        if not found:
            return values.size
        if self.pending:
            self._end_at(self.pending, self.end_of(self.pending))
        self._forget_fall()
        self.phase, self.high, self.high_at = Phase.UP, float("-inf"), -1
        return turn

    def _look_for_end(self, pending: Pending, values: FloatArray, lowest: FloatArray, index: int) -> None:
        """End the pending bend where it is back, or where it has come to rest."""
        self.falling.append((values, index))
        back = values <= pending.back_deg
        back_at = int(back.argmax()) if back.any() else values.size
        lowered_at = index if math.isinf(self.low) else self.lowered_at
        if back_at < values.size and index + back_at <= lowered_at + REST_S * self.rate_hz:
            self._end_at(pending, float(index + back_at))  # before anybody could have rested
            return
        # What comes after it is back decides nothing.
        degrees = np.floor(lowest[: back_at + 1])
        rows = np.arange(index, index + degrees.size)
        lower = degrees < np.concatenate(([np.floor(self.low)], degrees[:-1]))
        lowered = np.maximum.accumulate(np.where(lower, rows, self.lowered_at))
        rested = rows - lowered >= REST_S * self.rate_hz
        rested_at = int(rested.argmax()) if rested.any() else values.size
        if back_at == rested_at == values.size:
            self.lowered_at = int(lowered[-1])
            return
        if back_at <= rested_at:
            self._end_at(pending, float(index + back_at))
        else:
            self._end_at(pending, self._nearly_over(pending, float(lowest[rested_at]), int(lowered[rested_at])))

    def _end_at(self, pending: Pending, end: float) -> None:
        self.add(pending, end)
        self.pending, self.lowered_at = None, -1
        self._forget_fall()

    def up(self, values: FloatArray, index: int) -> int:
        """Look for the fall. Returns how many values were used up; the value that decides is used again."""
        highest = np.maximum(np.maximum.accumulate(values), self.high)
        sunk = highest - values >= self.min_range
        turn = int(sunk.argmax())
        found = bool(sunk[turn])
        part = values[:turn] if found else values
        if part.size and highest[part.size - 1] > self.high:
            top = int(part.argmax())
            self.below_at_high = last_at_or_below(self.below, part[: top + 1], index)
            self._forget_fall()
            self.falling.append((part[top + 1 :], index + top + 1))
            self.high, self.high_at = float(part[top]), index + top
        else:
            self.falling.append((part, index))
        if not found:
            self.below = last_at_or_below(self.below, part, index)
            return values.size
        # The next rise leaves every level after its own valley: what was met before it is of no use.
        self.below = no_times()
        range_deg = self.high - self.low
        self.counted.append(Counted(index + turn, range_deg))
        rise = time_at(self.below_at_high, self.low + EDGE_SHARE * range_deg, self.low_at)
        # Levels below the valley were last met before it; the rise is never earlier than the valley.
        start = max(rise, float(self.low_at))
        self.pending = Pending(start, self.high_at, self.low, self.high)
        self.phase, self.low, self.low_at = Phase.DOWN, float("inf"), -1
        return turn
