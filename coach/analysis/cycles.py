"""Rainflow cycles of the inclination: how often it went how far and back.

Source: ASTM E1049-85 (2017), section 5.4.4. A histogram of degrees describes movement; no damage is derived from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from devices.types import FloatArray

# Own heuristic: reversals smaller than this are sensor noise and sway, and are not read as reversals. It is also the
# width of the histogram's classes.
DEAD_BAND_DEG = 1.0
# An inclination stays within 0..180 degrees; the low-pass may overshoot by a little.
RANGE_CLASSES = 182

Cycle = tuple[float, float, float]
"""(range, count, mean) of one counted cycle; count is 1 or 0.5."""


@dataclass(frozen=True, slots=True)
class ReversalState:
    """Where the search for reversals stands.

    last: newest value, None before the first. slope: sign of the newest step that was not level, 0 before one.
    low, high: extremes since the newest reversal. heading: +1 rising to a peak, -1 falling to a valley, 0 unknown.
    """

    last: float | None = None
    slope: int = 0
    low: float = 0.0
    high: float = 0.0
    heading: int = 0


@dataclass(frozen=True, slots=True)
class CycleState:
    """reversals: the search. residue: reversals not yet paired. full, half: counts per class of whole degrees."""

    reversals: ReversalState = ReversalState()
    residue: tuple[float, ...] = ()
    full: tuple[int, ...] = ()
    half: tuple[int, ...] = ()


def extrema(last: float | None, slope: int, values: FloatArray) -> tuple[list[float], int]:
    """Return the local extremes among `last` and `values` that a later value has passed, and the slope at the end.

    values: (n,), n >= 1, no NaN. Level stretches change nothing. The very first value of a signal is an extreme.
    """
    joined = values if last is None else np.concatenate(([last], values))
    steps = np.diff(joined)
    moving = np.flatnonzero(steps)
    if moving.size == 0:
        return ([float(joined[0])] if last is None else []), slope
    signs = np.sign(steps[moving])
    turns = np.flatnonzero(np.diff(signs)) + 1
    found: list[float] = joined[moving[turns]].tolist()
    if last is None or (slope != 0 and slope != signs[0]):
        # A level stretch before the first step has the value of its end.
        found.insert(0, float(joined[0]))
    return found, int(signs[-1])


def detect_reversals(
    state: ReversalState, values: FloatArray, dead_band: float = DEAD_BAND_DEG
) -> tuple[ReversalState, list[float]]:
    """Return the reversals that became certain: turning points at least `dead_band` apart, in order.

    values: (n,), no NaN. A reversal is certain once the signal has come back from it by the dead-band.
    """
    if values.size == 0:
        return state, []
    turning, slope = extrema(state.last, state.slope, values)
    if state.last is None:
        state = replace(state, low=turning[0], high=turning[0])
    moved, found = _zigzag(state, turning, dead_band)
    return replace(moved, last=float(values[-1]), slope=slope), found


def last_reversals(state: ReversalState, dead_band: float = DEAD_BAND_DEG) -> list[float]:
    """Return the reversals that the end of the signal makes: the extreme under way, and the end if far enough."""
    if state.last is None:
        return []
    ended, found = _zigzag(state, [state.last], dead_band)
    if ended.heading == 0:
        return found
    return [*found, ended.high if ended.heading > 0 else ended.low]


def _zigzag(state: ReversalState, turning: Sequence[float], dead_band: float) -> tuple[ReversalState, list[float]]:
    low, high, heading = state.low, state.high, state.heading
    found: list[float] = []
    for value in turning:
        if heading > 0:
            if value > high:
                high = value
            elif value < high and high - value >= dead_band:
                found.append(high)
                low, heading = value, -1
        elif heading < 0:
            if value < low:
                low = value
            elif value > low and value - low >= dead_band:
                found.append(low)
                high, heading = value, 1
        elif value > high:
            high = value
            if high - low >= dead_band:
                found.append(low)
                heading = 1
        elif value < low:
            low = value
            if high - low >= dead_band:
                found.append(high)
                heading = -1
    return ReversalState(state.last, state.slope, low, high, heading), found


def pair(residue: list[float], reversals: Sequence[float]) -> list[Cycle]:
    """Pair reversals into cycles, three points at a time; `residue` is changed to what stays unpaired.

    Source: ASTM E1049-85 section 5.4.4, rules 1 to 5 (leftovers: see `leftover`).
    """
    cycles: list[Cycle] = []
    for reversal in reversals:
        residue.append(reversal)
        while len(residue) >= 3:
            start, middle, end = residue[-3:]
            previous, latest = abs(middle - start), abs(end - middle)
            if latest < previous:
                break
            mean = (start + middle) / 2.0
            if len(residue) == 3:
                cycles.append((previous, 0.5, mean))
                del residue[0]
            else:
                cycles.append((previous, 1.0, mean))
                del residue[-3:-1]
    return cycles


def leftover(residue: Sequence[float]) -> list[Cycle]:
    """Return the half cycles of what stayed unpaired. Source: ASTM E1049-85 section 5.4.4, rule 6."""
    return [(abs(b - a), 0.5, (a + b) / 2.0) for a, b in pairwise(residue)]


def count_cycles(values: FloatArray, dead_band: float = 0.0) -> list[Cycle]:
    """Count the rainflow cycles of a whole signal, in the order of the standard. values: (n,), no NaN."""
    state, found = detect_reversals(ReversalState(), np.asarray(values, dtype=np.float64), dead_band)
    residue: list[float] = []
    cycles = pair(residue, [*found, *last_reversals(state, dead_band)])
    return cycles + leftover(residue)


def add_cycles(state: CycleState, smooth_deg: FloatArray) -> CycleState:
    """Count another run of low-passed inclination. smooth_deg: (n,), no NaN; what lay in a gap is left out."""
    reversals, found = detect_reversals(state.reversals, smooth_deg)
    if not found:
        return CycleState(reversals, state.residue, state.full, state.half)
    residue = list(state.residue)
    full, half = list(state.full), list(state.half)
    _tally(pair(residue, found), full, half)
    return CycleState(reversals, tuple(residue), tuple(full), tuple(half))


def histogram(state: CycleState) -> tuple[tuple[float, float], ...]:
    """Return (range_deg, count), ascending, the unpaired rest as half cycles. Ranges are rounded to whole degrees."""
    residue = list(state.residue)
    full, half = list(state.full), list(state.half)
    _tally(pair(residue, last_reversals(state.reversals)) + leftover(residue), full, half)
    size = max(len(full), len(half))
    full += [0] * (size - len(full))
    half += [0] * (size - len(half))
    return tuple((float(k), full[k] + half[k] / 2.0) for k in range(size) if full[k] or half[k])


def _tally(cycles: Sequence[Cycle], full: list[int], half: list[int]) -> None:
    for range_deg, count, _ in cycles:
        counts = full if count == 1.0 else half
        place = min(round(range_deg), RANGE_CLASSES)
        if place >= len(counts):
            counts.extend([0] * (place + 1 - len(counts)))
        counts[place] += 1
