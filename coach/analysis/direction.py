"""The body's front from the data alone, for a trunk sensor without a bow: the side to which the trunk moves most.

Source: own heuristic. People bend forward far more than backward or sideways; only angles that change count, so that
leaning on a backrest does not. Whoever mostly bends sideways gets a wrong front, and therefore the source is told.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from coach.analysis.frames import BodyAxes, Vector
from devices.types import FloatArray

# Own heuristics: bends between these angles, moving faster than this.
BENT_DEG = (15.0, 80.0)
MOVING_DEGPS = 8.0
# Own heuristic: so much of it, and in directions whose circular standard deviation is below this.
ENOUGH_S = 10.0
MAX_SPREAD_DEG = 30.0
# Angles are summed as whole tenths of a degree: sums of whole numbers do not depend on where they began.
PER_DEG = 10.0


@dataclass(frozen=True, slots=True)
class DirectionState:
    """last_deg: inclination at the newest glance, NaN before. count: glances used.

    sums: of flexion, lean and their length, in tenths of a degree, against the axes taken for the time being.
    """

    last_deg: float = math.nan
    count: int = 0
    sums: tuple[int, int, int] = (0, 0, 0)


def find_forward(
    state: DirectionState, glance_s: float, axes: BodyAxes, tilt_deg: FloatArray
) -> tuple[DirectionState, int, Vector | None]:
    """Take the next glances of the tilt against provisional axes.

    tilt_deg: (3, n) inclination, flexion, lean, NaN where missing. Returns the glance at which the front became known
    and its direction in sensor axes, or -1 and None.
    """
    angle = tilt_deg[0]
    before = np.concatenate(((state.last_deg,), angle[:-1]))
    moving = np.abs(angle - before) >= MOVING_DEGPS * glance_s
    used = np.flatnonzero(moving & (angle >= BENT_DEG[0]) & (angle <= BENT_DEG[1]))
    last_deg = float(angle[-1]) if angle.size else state.last_deg
    if not used.size:
        return DirectionState(last_deg, state.count, state.sums), -1, None
    parts = np.rint(np.stack((tilt_deg[1, used], tilt_deg[2, used], angle[used])) * PER_DEG).astype(np.int64)
    sums = np.cumsum(parts, axis=1) + np.array(state.sums)[:, None]
    counts = state.count + np.arange(1, used.size + 1)
    # Circular standard deviation s of directions weighted by angle: resultant length exp(-s^2 / 2).
    least = math.exp(-(math.radians(MAX_SPREAD_DEG) ** 2) / 2.0)
    found = (counts * glance_s >= ENOUGH_S) & (np.hypot(sums[0], sums[1]) >= least * sums[2])
    if not found.any():
        kept = tuple(int(value) for value in sums[:, -1])
        return DirectionState(last_deg, int(counts[-1]), (kept[0], kept[1], kept[2])), -1, None
    place = int(np.argmax(found))
    flexion, lean = float(sums[0, place]), float(sums[1, place])
    length = math.hypot(flexion, lean)
    ahead, right = flexion / length, lean / length
    # A lean to the right is one away from `ml`, which points to the left.
    front = tuple(ahead * p - right * m for p, m in zip(axes.pa, axes.ml, strict=True))
    return DirectionState(), int(used[place]), (front[0], front[1], front[2])
