"""When a signal last rose through, and first fell through, each of a row of levels: a memory of fixed size.

A repetition begins where its rise begins, which is known only once its peak is. The samples in between may span
minutes; these few dozen times hold all that is asked of them.
"""

from __future__ import annotations

import numpy as np

from devices.types import FloatArray, IntArray

# Own heuristic: 2 degrees apart; times between two levels are interpolated.
LEVELS_DEG: FloatArray = np.arange(0.0, 182.1, 2.0)
NEVER = -1


_NO_TIMES: IntArray = np.full(LEVELS_DEG.size, NEVER, dtype=np.int64)
_NO_TIMES.flags.writeable = False


def no_times() -> IntArray:
    """Return a row of times in which no level has been met; it cannot be written to."""
    return _NO_TIMES


def last_at_or_below(times: IntArray, values: FloatArray, start: int) -> IntArray:
    """Return, per level, the sample number of the last value at or below it.

    times: the answer so far. values: (n,) the next values, the first with sample number `start`.
    """
    if values.size == 0:
        return times
    # The lowest value from here on only rises with time, so each level is one search.
    lowest_after = np.minimum.accumulate(values[::-1])[::-1]
    place = lowest_after.searchsorted(LEVELS_DEG, side="right") - 1
    return np.where(place >= 0, start + place, times)


def first_at_or_below(times: IntArray, values: FloatArray, start: int) -> IntArray:
    """Return, per level, the sample number of the first value at or below it; times already met stay."""
    if values.size == 0:
        return times
    lowest_before = np.minimum.accumulate(values)
    place = (-lowest_before).searchsorted(-LEVELS_DEG, side="left")
    return np.where((times == NEVER) & (place < values.size), start + place, times)


def time_at(times: IntArray, level_deg: float, otherwise: float) -> float:
    """Return the time, in samples, at `level_deg` between the two levels around it.

    otherwise: the answer when the level below it was never met, for the signal turned between the two.
    """
    place = min(max(level_deg / (LEVELS_DEG[1] - LEVELS_DEG[0]), 0.0), LEVELS_DEG.size - 1.001)
    below = int(place)
    early, late = int(times[below]), int(times[below + 1])
    if early == NEVER or late == NEVER:
        return otherwise
    return float(early + (place - below) * (late - early))
