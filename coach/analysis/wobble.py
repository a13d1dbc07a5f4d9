"""How a sensor swings about its mean, from a few looks a second, in whole numbers that do not depend on any cut."""

from __future__ import annotations

import numpy as np

from devices.types import FloatArray, IntArray

# Own choice: so many looks a second are enough for what trunks do; below 6 Hz a swing at the pace of steps is not seen.
LOOKS_HZ = 12.5
MIN_LOOKS_HZ = 6.0
# Directions are summed as whole numbers of 1e-5, rates of 1e-3 deg/s: such sums do not depend on where they began.
PER_UNIT = 1e5
PER_DEGPS = 1e3
# Columns of the sums of a second: looks with a wobble, its squares, those of its changes, turn about the vertical,
# looks, their directions, steps.
WOBBLES, SQUARES, CHANGES, TURN, LOOKS, X, Y, Z, STEPS = range(9)


def look_every(rate_hz: float) -> int:
    """Return how many samples lie between two looks."""
    return max(round(rate_hz / LOOKS_HZ), 1)


def looked(kept: IntArray, up: FloatArray, width: int) -> IntArray:
    """Return the newest `width` looks from before and those of `up`, (3, m), as whole numbers."""
    there = ~np.isnan(up[0])
    new = np.zeros((there.size, 4), dtype=np.int64)
    new[there, :3] = np.rint(up[:, there].T * PER_UNIT)
    new[:, 3] = there
    before = np.zeros((width, 4), dtype=np.int64)
    if len(kept):
        before[-len(kept) :] = kept
    return np.concatenate((before, new))


def told(looks: IntArray, width: int, up: FloatArray, gyr: FloatArray) -> IntArray:
    """Return what each new look adds to its second, (m, 9). looks: with `width` older ones before them."""
    m = len(looks) - width
    found = np.zeros((m, 9), dtype=np.int64)
    sums = np.cumsum(np.concatenate((np.zeros((1, 4), dtype=np.int64), looks)), axis=0)
    around = sums[width:] - sums[:-width]  # of the windows that end at the looks from number width - 1 on
    middle = looks[width - 1 - width // 2 : len(looks) - width // 2]
    wobble = np.where(around[:, 3:] == width, middle[:, :3] - np.rint(around[:, :3] / width).astype(np.int64), 0)
    turn = np.degrees(np.einsum("ij,ji->i", gyr, up)) * PER_DEGPS
    # Without a gyroscope every jolt looks like a swing.
    known = (around[1:, 3] == width) & (around[:-1, 3] == width) & np.isfinite(turn)
    found[:, WOBBLES] = known
    found[:, SQUARES] = np.where(known, (wobble[1:] ** 2).sum(axis=1), 0)
    found[:, CHANGES] = np.where(known, (np.diff(wobble, axis=0) ** 2).sum(axis=1), 0)
    found[:, LOOKS : Z + 1] = looks[width:, [3, 0, 1, 2]]
    found[:, TURN] = np.rint(np.where(np.isfinite(turn), turn, 0.0))
    return found
