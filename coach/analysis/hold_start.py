"""When the pose of a timed hold was taken: the calm second in it, and where the way into it had come to rest.

Near rest the speed of a movement falls as the square of the time that is left (minimum jerk, Flash and Hogan 1985), so
that the last part, too slow to be told from sway, lasts as long as the part before it. The rest is own heuristic.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coach.analysis.assessment_types import HoldParams
from coach.analysis.hold_looks import EPS_S, Looks, angle_deg, calm_second
from coach.analysis.quality import BoolArray, runs
from devices.types import FloatArray, IntArray

# Own heuristic: slower than this, or than so many times the usual sway, nobody is on the way into a pose.
MIN_START_DEGPS, START_SWAY_FACTOR = 2.0, 2.0
# Own heuristic: the way from four times that speed to it takes as long as the way from it to rest, at most so long.
MAX_TAIL_S = 0.35
# Own heuristic: the sway to compare with is that of a moment around the end of the calm second.
AROUND_S = 0.5
# Looked back at for a movement into the pose, beyond the calm second itself.
MOVED_LAGS_S = (1.25, 1.5, 1.75, 2.0, 2.25, 2.5, 2.75, 3.0)
# Own heuristic: a smaller change before the hold is sway, or the orientation filter settling, and no way into the pose.
MIN_WAY_DEG = 2.0


@dataclass(frozen=True, slots=True)
class Rest:
    """What is remembered of the poses in which the body rested before the hold; all empty at first.

    before: "up" at the end of the rest before the present one. last: at the newest calm look. calm: whether the newest
    look was calm.
    """

    before: tuple[float, ...] = ()
    last: tuple[float, ...] = ()
    calm: bool = False


def find_start(
    params: HoldParams, looks: Looks, inside: BoolArray, moved_deg: float, rest: Rest, since: int
) -> tuple[int | None, Rest]:
    """Return the row at which the first calm second in the pose is complete, None if there is none yet.

    inside: (m,) near enough to the pose to take. since: the first row that was not looked at before; rows before it are
    only looked back at. moved_deg: how far the pose must be from the rest before it, 0 for a pose that nobody rests in.
    """
    calm = calm_second(params, looks, np.ones(inside.size, dtype=bool))
    calm[:since] = False
    for begin, end in runs(calm):
        if not (begin == since and rest.calm):
            rest = Rest(rest.last, rest.last, True)
        rows = np.arange(begin, end)
        starts = rows[inside[begin:end] & (_moved_deg(looks, rows, rest.before) >= moved_deg)]
        if starts.size:
            return int(starts[0]), rest
        x, y, z = looks.up[end - 1].tolist()
        rest = Rest(rest.before, (x, y, z), True)
    return None, Rest(rest.before, rest.last, bool(calm[-1]) if calm[since:].size else rest.calm)


def _moved_deg(looks: Looks, rows: IntArray, before: tuple[float, ...]) -> FloatArray:
    """Return how far "up" of the rows is from the rest before; without one, from the farthest of the last seconds."""
    if before:
        return angle_deg(looks.up[rows], np.asarray(before))
    moved = np.zeros(rows.size)
    for lag_s in MOVED_LAGS_S:
        earlier = np.searchsorted(looks.time_s, looks.time_s[rows] - lag_s)
        moved = np.maximum(moved, angle_deg(looks.up[rows], looks.up[earlier]))
    return moved


def find_arrival(params: HoldParams, looks: Looks, speed: FloatArray, complete: int) -> float:
    """Return when the pose was reached: the way into it had come to rest. Who was there already: the calm second's."""
    time_s = looks.time_s
    begin = int(np.searchsorted(time_s, time_s[complete] - params.start_s - EPS_S))
    pauses = np.flatnonzero(np.diff(time_s[complete:]) > params.gap_s)
    until = complete + int(pauses[0]) if pauses.size else time_s.size - 1
    around = (np.abs(time_s - time_s[complete]) <= AROUND_S + EPS_S)[: until + 1]
    limit = max(MIN_START_DEGPS, START_SWAY_FACTOR * float(np.median(speed[: until + 1][around])))
    moving = np.flatnonzero(speed[begin : complete + 1] > limit)
    way_deg = float(angle_deg(looks.up[: complete + 1], looks.up[complete]).max())
    if not moving.size or way_deg < MIN_WAY_DEG:
        return float(time_s[begin])
    row = min(begin + int(moving[-1]) + 1, complete)
    fast = np.flatnonzero(speed[: row + 1] > 4.0 * limit)
    since_s = float(time_s[row] - time_s[fast[-1]]) if fast.size else None
    return float(min(time_s[row] + tail_s(since_s, speed[begin : row + 1], limit), time_s[complete]))


def tail_s(since_fast_s: float | None, speed: FloatArray, limit: float) -> float:
    """Return how long the way between `limit` and rest takes, from how long that from four times `limit` took.

    since_fast_s: None if the way was never that fast: then it is a slow one, with the longest tail, or no way at all.
    """
    if since_fast_s is None:
        return MAX_TAIL_S if float(speed.max(initial=0.0)) > 2.0 * limit else 0.0
    return min(since_fast_s, MAX_TAIL_S)
