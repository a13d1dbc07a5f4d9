"""How a sensor swings about its mean, from a few looks a second, in whole numbers that do not depend on any cut."""

from __future__ import annotations

import numpy as np

from devices.types import FloatArray, IntArray

# Own choice: so many looks a second are enough for what trunks do; below 6 Hz a swing at the pace of steps is not seen.
LOOKS_HZ = 12.5
MIN_LOOKS_HZ = 6.0
# Directions, and angles in rad, are summed as whole numbers of 1e-5: such sums do not depend on where they began.
PER_UNIT = 1e5
# Rows of the sums of a second: looks with a wobble, its squares and those of its changes, the same of the heading,
# turn about the vertical, looks, their directions, steps.
WOBBLES, SQUARES, CHANGES, TWISTS, TWIST_CHANGES, TURN, LOOKS, X, Y, Z, STEPS = range(11)
COLUMNS = 11
# Rows of looks: three of "up", whether it and the rate were there, and heading.
_KNOWN, _HEADING = 3, 4


def look_every(rate_hz: float) -> int:
    """Return how many samples lie between two looks."""
    return max(round(rate_hz / LOOKS_HZ), 1)


def looked(kept: IntArray, up: FloatArray, turn_radps: FloatArray, looks_hz: float, width: int) -> IntArray:
    """Return the newest `width` looks from before and the new ones, (5, m): "up", whether it was there, and heading.

    kept: (k, 5), up: (3, m), turn_radps: (m,) about the vertical, NaN without an angular rate or "up". The heading is
    the sum of the turns about the vertical since the first look.
    """
    looks = np.zeros((5, width + up.shape[1]), dtype=np.int64)
    if len(kept):
        looks[:, width - len(kept) : width] = kept.T
    new = looks[:, width:]
    turn = turn_radps / looks_hz * PER_UNIT
    known = np.isfinite(turn)
    if known.all():
        new[:_KNOWN] = np.rint(up * PER_UNIT)
        new[_KNOWN] = 1
        new[_HEADING] = np.rint(turn)
    else:
        there = ~np.isnan(up[0])
        new[:_KNOWN] = np.rint(np.where(there, up, 0.0) * PER_UNIT)
        new[_KNOWN] = known  # without a gyroscope every jolt looks like a swing
        new[_HEADING] = np.rint(np.where(known, turn, 0.0))
    np.cumsum(looks[_HEADING, width - 1 :], out=looks[_HEADING, width - 1 :])
    return looks


def told(looks: IntArray, width: int) -> IntArray:
    """Return what each new look adds to its second, (COLUMNS, m). looks: (5, m) with `width` older ones before them."""
    around = _around(looks, width)  # of the windows that end at the looks from number width - 1 on
    found = np.zeros((COLUMNS, looks.shape[1] - width), dtype=np.int64)
    mean = around / width
    wobble = looks[:, width - 1 - width // 2 : looks.shape[1] - width // 2] - np.rint(mean, out=mean).astype(np.int64)
    for rows, squares, changes in ((slice(_KNOWN), SQUARES, CHANGES), (_HEADING, TWISTS, TWIST_CHANGES)):
        _add_squares(wobble[rows, 1:], found[squares])
        _add_squares(wobble[rows, 1:] - wobble[rows, :-1], found[changes])
    whole = around[_KNOWN] == width
    known = whole[1:] & whole[:-1]
    found[WOBBLES] = known
    if not known.all():
        found[SQUARES : TWIST_CHANGES + 1, ~known] = 0
    new = looks[:, width:]
    found[TURN] = new[_HEADING] - looks[_HEADING, width - 1 : -1]
    found[LOOKS] = (new[0] != 0) | (new[1] != 0) | (new[2] != 0)  # a direction, of length one, is not nought in all
    found[X : Z + 1] = new[:_KNOWN]
    return found


def _around(values: IntArray, width: int) -> IntArray:
    """Return the sums of all windows of `width` values, (k, n - width + 1), from those of 1, 2, 4, … of them."""
    count, done, size = values.shape[1] - width + 1, 0, 1
    sums = np.zeros((len(values), count), dtype=np.int64)
    while True:
        if width & size:
            sums += values[:, done : done + count]
            done += size
        if 2 * size > width:
            return sums
        values, size = values[:, size:] + values[:, :-size], 2 * size


def _add_squares(values: IntArray, sums: IntArray) -> None:
    """Add the squares of values, (n,) or (k, n), to their sums (n,)."""
    for row in np.atleast_2d(values):
        sums += row * row
