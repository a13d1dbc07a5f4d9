"""How a sensor swings about its mean, from a few looks a second, in whole numbers that do not depend on any cut."""

from __future__ import annotations

import numpy as np

from devices.types import FloatArray, IntArray

# Own choice: so many looks a second are enough for what trunks do; below 6 Hz a swing at the pace of steps is not seen.
LOOKS_HZ = 12.5
MIN_LOOKS_HZ = 6.0
# Directions, and angles in rad, are summed as whole numbers of 1e-5: such sums do not depend on where they began.
PER_UNIT = 1e5
# Columns of the sums of a second: looks with a wobble, its squares and those of its changes, the same of the heading,
# turn about the vertical, looks, their directions, steps.
WOBBLES, SQUARES, CHANGES, TWISTS, TWIST_CHANGES, TURN, LOOKS, X, Y, Z, STEPS = range(11)
COLUMNS = 11


def look_every(rate_hz: float) -> int:
    """Return how many samples lie between two looks."""
    return max(round(rate_hz / LOOKS_HZ), 1)


def looked(kept: IntArray, up: FloatArray, gyr: FloatArray, looks_hz: float, width: int) -> IntArray:
    """Return the newest `width` looks from before and the new ones, (m, 5): "up", whether it was there, and heading.

    up: (3, m), gyr: (m, 3), at the looks. The heading is the sum of the turns about the vertical since the first look.
    """
    there = ~np.isnan(up[0])
    new = np.zeros((there.size, 5), dtype=np.int64)
    new[there, :3] = np.rint(up[:, there].T * PER_UNIT)
    new[:, 3] = there & np.isfinite(gyr).all(axis=1)  # without a gyroscope every jolt looks like a swing
    before = np.zeros((width, 5), dtype=np.int64)
    if len(kept):
        before[-len(kept) :] = kept
    new[:, 4] = before[-1, 4] + np.cumsum(_turned(up, gyr, looks_hz))
    return np.concatenate((before, new))


def told(looks: IntArray, width: int, up: FloatArray) -> IntArray:
    """Return what each new look adds to its second, (m, COLUMNS). looks: with `width` older ones before them."""
    found = np.zeros((len(looks) - width, COLUMNS), dtype=np.int64)
    sums = np.cumsum(np.concatenate((np.zeros((1, 5), dtype=np.int64), looks)), axis=0)
    around = sums[width:] - sums[:-width]  # of the windows that end at the looks from number width - 1 on
    whole = around[:, 3:4] == width
    middle = looks[width - 1 - width // 2 : len(looks) - width // 2]
    wobble = np.where(whole, middle - np.rint(around / width).astype(np.int64), 0)
    known = (whole[1:] & whole[:-1])[:, 0]
    found[:, WOBBLES] = known
    for parts, squares, changes in (([0, 1, 2], SQUARES, CHANGES), ([4], TWISTS, TWIST_CHANGES)):
        part = wobble[:, parts]
        found[:, squares] = np.where(known, (part[1:] ** 2).sum(axis=1), 0)
        found[:, changes] = np.where(known, (np.diff(part, axis=0) ** 2).sum(axis=1), 0)
    there = ~np.isnan(up[0])
    found[:, LOOKS] = there
    found[:, X : Z + 1] = np.where(there[:, None], looks[width:, :3], 0)
    found[:, TURN] = np.diff(looks[width - 1 :, 4])
    return found


def _turned(up: FloatArray, gyr: FloatArray, looks_hz: float) -> IntArray:
    """Return the turn about the vertical from look to look, nothing where it is not known."""
    turn = np.einsum("ij,ji->i", gyr, up) / looks_hz * PER_UNIT
    return np.rint(np.where(np.isfinite(turn), turn, 0.0)).astype(np.int64)
