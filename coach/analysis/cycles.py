"""Rainflow cycles of the inclination: how often it went how far and back.

Source: ASTM E1049-85 (2017), section 5.4.4, in the equivalent form of four points (Amzallag et al. 1994): a range that
is not larger than both its neighbours is a closed cycle and is taken out; what stays is counted as half cycles. The
order in which cycles are taken out does not change their sizes, so many are taken out at once. A histogram of degrees
describes movement; no damage is derived from it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from devices.types import FloatArray, IntArray

# Own heuristic: ranges smaller than this are sensor noise and sway, and are not told.
DEAD_BAND_DEG = 1.0
# An inclination stays within 0..180 degrees; the low-pass may overshoot by a little.
RANGE_CLASSES = 182
# Own choice: fewer points are faster one by one than as arrays. A pass over arrays that takes out less than a tenth
# of the points hands over to the loop as well, so that the work stays linear whatever the signal.
FEW_POINTS = 48
SLOW_SHARE = 0.1


def _no_points() -> FloatArray:
    return np.empty(0)


def _no_counts() -> IntArray:
    return np.zeros(RANGE_CLASSES + 1, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class CycleState:
    """last: newest value, None before the first. slope: sign of the newest step that was not level, 0 before one.

    residue: (m,) turning points not yet in a closed cycle, the first value of the signal before them. full: closed
    cycles per class of whole degrees.
    """

    last: float | None = None
    slope: int = 0
    residue: FloatArray = field(default_factory=_no_points)
    full: IntArray = field(default_factory=_no_counts)


@dataclass(frozen=True, slots=True)
class Cycles:
    """All cycles of a signal: size and middle of each, (m,); count 1 for a closed one, 0.5 for a half one."""

    ranges: FloatArray
    means: FloatArray
    counts: FloatArray


def turning_points(last: float | None, slope: int, values: FloatArray) -> tuple[FloatArray, int]:
    """Return the local extremes among `last` and `values` that a later value has passed, and the slope at the end.

    values: (n,), n >= 1, no NaN. Level stretches change nothing. The very first value of a signal is an extreme, once
    there is another.
    """
    joined = values if last is None else np.concatenate(((last,), values))
    steps = joined[1:] - joined[:-1]
    up = steps > 0.0
    if steps.all():
        turns = (up[1:] != up[:-1]).nonzero()[0] + 1
    else:
        moving = steps.nonzero()[0]
        if not moving.size:
            return _no_points(), slope
        up = up[moving]
        turns = moving[(up[1:] != up[:-1]).nonzero()[0] + 1]
    if not up.size:
        return _no_points(), slope
    begins, ends = (1 if up[0] else -1), (1 if up[-1] else -1)
    # A level stretch before the first step has the value of its end.
    if slope != begins:
        turns = np.concatenate(((0,), turns))
    return joined[turns], ends


def close_cycles(residue: FloatArray, found: FloatArray) -> tuple[FloatArray, list[FloatArray]]:
    """Take every closed cycle out of turning points.

    residue, found: (m,), (n,) old and new ones, each step the other way than the one before; the residue has no closed
    cycle in it. Returns what stays, and the cycles as arrays of shape (2, k): their first and second point.
    """
    closed: list[FloatArray] = []
    if found.size <= FEW_POINTS:
        return _close_one_by_one(residue.tolist(), found, closed), closed
    points = np.concatenate((residue, found))
    while points.size > FEW_POINTS:
        sizes = np.abs(points[1:] - points[:-1])
        inner = sizes[1:-1]
        first = ((inner <= sizes[:-2]) & (inner <= sizes[2:])).nonzero()[0] + 1
        if first.size < SLOW_SHARE * points.size:
            break
        first = _apart(first)
        keep = np.ones(points.size, dtype=bool)
        keep[first] = keep[first + 1] = False
        closed.append(np.stack((points[first], points[first + 1])))
        points = points[keep]
    return _close_one_by_one([], points, closed), closed


def _apart(first: IntArray) -> IntArray:
    """Return every second one of each run of neighbours: neighbouring cycles of equal size share a point."""
    lonely = first[1:] - first[:-1] > 1
    if lonely.all():
        return first
    place = np.arange(first.size)
    begin = np.maximum.accumulate(np.where(np.concatenate(((True,), lonely)), place, 0))
    chosen: IntArray = first[(place - begin) % 2 == 0]
    return chosen


def _close_one_by_one(stack: list[float], points: FloatArray, closed: list[FloatArray]) -> FloatArray:
    firsts: list[float] = []
    seconds: list[float] = []
    for point in points.tolist():
        stack.append(point)
        while len(stack) >= 4:
            a, b, c, d = stack[-4:]
            size = abs(c - b)
            if size > abs(b - a) or size > abs(d - c):
                break
            firsts.append(b)
            seconds.append(c)
            del stack[-3:-1]
    if firsts:
        closed.append(np.array((firsts, seconds)))
    return np.array(stack)


def count_cycles(values: FloatArray) -> Cycles:
    """Count the cycles of a whole signal. values: (n,), no NaN."""
    values = np.asarray(values, dtype=np.float64)
    points = _no_points()
    if values.size:
        found, _ = turning_points(None, 0, values)
        points = np.concatenate((found, values[-1:])) if found.size else values[-1:]
    residue, closed = close_cycles(_no_points(), points)
    full = np.concatenate(closed, axis=1) if closed else np.empty((2, 0))
    first, second = np.concatenate((full, np.stack((residue[:-1], residue[1:]))), axis=1)
    counts = np.repeat((1.0, 0.5), (full.shape[1], max(residue.size - 1, 0)))
    return Cycles(np.abs(second - first), (first + second) / 2.0, counts)


def add_cycles(state: CycleState, smooth_deg: FloatArray) -> tuple[CycleState, FloatArray]:
    """Count another run of low-passed inclination; also return the turning points that became certain.

    smooth_deg: (n,), no NaN; what lay in a gap is left out, and its two sides are joined.
    """
    if not smooth_deg.size:
        return state, _no_points()
    found, slope = turning_points(state.last, state.slope, smooth_deg)
    last = float(smooth_deg[-1])
    if not found.size:
        return CycleState(last, slope, state.residue, state.full), found
    residue, closed = close_cycles(state.residue, found)
    full = state.full
    if closed:
        sizes = _told(closed[0] if len(closed) == 1 else np.concatenate(closed, axis=1))
        if sizes.size:
            full = full + _classes(sizes)
    return CycleState(last, slope, residue, full), found


def histogram(state: CycleState) -> tuple[tuple[float, float], ...]:
    """Return (range_deg, count), ascending, the open rest as half cycles. Ranges are rounded to whole degrees."""
    if state.last is None:
        return ()
    residue, closed = close_cycles(state.residue, np.array((state.last,)))
    halves = 2 * state.full + _classes(_told(np.stack((residue[:-1], residue[1:]))))
    for pair in closed:
        halves = halves + 2 * _classes(_told(pair))
    # The smallest class begins where the dead-band ends.
    return tuple((float(k), float(halves[k]) / 2.0) for k in np.flatnonzero(halves).tolist() if k >= DEAD_BAND_DEG)


def _told(pairs: FloatArray) -> FloatArray:
    """Return the ranges of cycles, (2, m), that reach beyond the dead-band."""
    sizes = np.abs(pairs[1] - pairs[0])
    told: FloatArray = sizes[sizes >= DEAD_BAND_DEG]
    return told


def _classes(sizes: FloatArray) -> IntArray:
    """Count ranges, (m,), per whole degree."""
    places = np.minimum(np.rint(sizes), RANGE_CLASSES).astype(np.int64)
    counts: IntArray = np.bincount(places, minlength=RANGE_CLASSES + 1)
    return counts
