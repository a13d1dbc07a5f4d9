"""Fast turns of the trunk against the pelvis, from the two sensors' lines of yaw, on minutes of UTC."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coach.analysis.rotation import GAP, LINE_HZ, PER_DEG, LineArray, TurnState, follow_turns, kept
from coach.analysis.types import TurnParams
from devices.types import FloatArray, IntArray

MINUTE_S = 60.0
# Own heuristic: two values of a line further apart than this have a gap between them.
MOST_APART_S = 0.25
# Values of an hour: a day is worked through in so many at a time.
_HOUR = round(3600 * LINE_HZ)


@dataclass(frozen=True, slots=True)
class LinePart:
    """A part of a line as it was stored: when its first value was, in UTC, and the values as in rotation.YawLine."""

    start_utc_s: float
    rate_hz: float
    tenths: LineArray


@dataclass(frozen=True, slots=True, eq=False)
class RelativeTurns:
    """Fast turns, (n,) each, in minutes of UTC, ascending; those in which the two were not seen at once are left out.

    seen_s: both were. left: the trunk turned anticlockwise, from above, against the pelvis.
    """

    start_utc_s: FloatArray
    seen_s: FloatArray
    left: IntArray
    right: IntArray


def relative_turns(params: TurnParams, trunk: Sequence[LinePart], pelvis: Sequence[LinePart]) -> RelativeTurns:
    """Count the turns of the difference of two lines, whose parts may come in any order.

    A turn counts in the minute in which it became certain. Both lines are read LINE_HZ times a second, on UTC's own
    seconds and in a straight line between two values.
    """
    lines = [_joined(parts) for parts in (trunk, pelvis)]
    if min(times.size for times, _ in lines) < 2:
        return RelativeTurns(np.zeros(0), np.zeros(0), np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
    begin = math.ceil(max(times[0] for times, _ in lines) * LINE_HZ)
    end = math.floor(min(times[-1] for times, _ in lines) * LINE_HZ) + 1
    state, before, per_minute = TurnState(), math.nan, round(MINUTE_S * LINE_HZ)
    # Of each minute, from the one in which both begin: values in which both were seen, turns to the left and right.
    origin = begin // per_minute
    counts = np.zeros((3, max((end - 1) // per_minute - origin + 1, 0)), dtype=np.int64)
    for first in range(begin, end, _HOUR):
        at = np.arange(first, min(first + _HOUR, end))
        one, other = (_read(at / LINE_HZ, *line) for line in lines)
        apart = (one - other) / PER_DEG
        turned_deg = apart - kept(LINE_HZ) * np.concatenate(([before], apart[:-1]))
        before = float(apart[-1])
        counts[0] += np.bincount(at[~np.isnan(apart)] // per_minute - origin, minlength=counts.shape[1])
        state, turns = follow_turns(params, state, LINE_HZ, turned_deg, apart, first)
        for turn in turns:
            counts[1 if turn.left else 2, turn.index // per_minute - origin] += 1
    minutes = np.flatnonzero(counts[0])
    seen, left, right = counts[:, minutes]
    return RelativeTurns((minutes + origin) * MINUTE_S, seen / LINE_HZ, left, right)


def _joined(parts: Sequence[LinePart]) -> tuple[FloatArray, FloatArray]:
    """Return the times and the values of a line where it has any, ascending."""
    times, values = [np.zeros(0)], [np.zeros(0)]
    for part in parts:
        there = np.flatnonzero(part.tenths != GAP)
        times.append(part.start_utc_s + there / part.rate_hz)
        values.append(part.tenths[there].astype(np.float64))
    joined = np.concatenate(times)
    order = np.argsort(joined, kind="stable")
    return joined[order], np.concatenate(values)[order]


def _read(at_utc_s: FloatArray, times: FloatArray, values: FloatArray) -> FloatArray:
    """Return a line's values at these times, NaN in its gaps. times: ascending, at least two."""
    after = np.clip(np.searchsorted(times, at_utc_s), 1, times.size - 1)
    apart = times[after] - times[after - 1] > MOST_APART_S
    read: FloatArray = np.interp(at_utc_s, times, values)
    read[apart & (times[after] != at_utc_s)] = np.nan
    return read
