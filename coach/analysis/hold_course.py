"""When a timed hold began and ended, and how: from the directions of "up" that were looked at, all of them at once.

The rules are those of HoldParams. Where exactly a pose was reached and left is found from the speed of tilting, which
near rest falls as the square of the time that is left (minimum jerk, Flash and Hogan 1985); the rest is own heuristic.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from scipy.signal import lfilter

from coach.analysis.assessment_types import HoldParams
from coach.analysis.frames import Vector, unit
from coach.analysis.quality import BoolArray, runs
from devices.types import FloatArray, IntArray

# Own heuristic: half the time over which the speed of tilting is taken; tremor evens out, a drop does not.
SPEED_HALF_S = 0.1
# Own heuristics: slower than this, or than so many times the usual sway, nobody is on the way into or out of a pose.
MIN_START_DEGPS, START_SWAY_FACTOR = 2.0, 2.0
MIN_END_DEGPS, END_SWAY_FACTOR = 2.0, 3.0
# Own heuristic: the way from four times that speed to it takes as long as the way from it to rest, at most so long.
MAX_TAIL_S = 0.35
# Own heuristic: whoever changes the pose by more than this within the calm second is still on the way.
MAX_NET_DEG = 2.5
# Own heuristic: the sway to compare with is that of a moment around the end of the calm second.
AROUND_S = 0.5
# Own heuristic: of the samples of a window that should start the clock, at least this share must be there.
WINDOW_SHARE = 0.5
# Looked back at for a movement into the pose, beyond the calm second itself.
MOVED_LAGS_S = (1.25, 1.5, 1.75, 2.0, 2.25, 2.5, 2.75, 3.0)
# Own heuristic: a smaller change before the hold is sway, or the orientation filter settling, and no way into the pose.
MIN_WAY_DEG = 2.0
# Own heuristic: over so long, sway and a drop's own acceleration even out.
SETTLE_S = 1.0
# Tolerance of comparing times that are multiples of a sample.
_EPS_S = 1e-6


class Ended(StrEnum):
    """What ended the hold. DROP: clearly left. DRIFT: left without a drop. RATE: turned fast. The others speak."""

    DROP = "drop"
    DRIFT = "drift"
    RATE = "fast movement"
    CAP = "safety cap"
    GAP = "gap in the samples"
    SAMPLES = "end of the samples"


@dataclass(frozen=True, slots=True)
class Looks:
    """What was looked at, in order: time_s (m,) from the first sample, up (m, 3) in body axes pa, ml, si, rate (m,).

    step_s: between two looks when none is missing. acc_mps2: (m, 3) below 6 Hz, in body axes.
    """

    time_s: FloatArray
    up: FloatArray
    rate_degps: FloatArray
    acc_mps2: FloatArray
    step_s: float


@dataclass(frozen=True, slots=True)
class Course:
    """A hold as far as it is known. decided_s: from when on it was certain that it ended; None while it goes on.

    first, end: rows of the looks between start and end. mean_up: of the first seconds. returned: back in the pose and
    calm soon after leaving it. watched: nothing that comes can change any of this.
    """

    start_s: float
    end_s: float
    decided_s: float | None
    ended: Ended
    first: int
    end: int
    mean_up: Vector
    deviation_deg: FloatArray
    returned: bool
    watched: bool


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
    calm = _calm_second(params, looks, np.ones(inside.size, dtype=bool))
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


def follow_hold(params: HoldParams, looks: Looks, complete: int, newest_s: float) -> Course:
    """Return the hold whose first calm second is complete at row `complete`. newest_s: of the last sample, or gap."""
    looks = replace(looks, up=_settled_up(looks))
    time_s, speed = looks.time_s, _tilt_speed(looks)
    start_s = _arrival(params, looks, speed, complete)
    first = int(np.searchsorted(time_s, start_s - _EPS_S))
    mean_up, deviation = _deviation(params, looks, first, start_s)
    ended, at, decided_s = _first_end(params, looks, complete, start_s, newest_s, deviation)
    if decided_s is not None and time_s[at] < start_s + params.mean_s:
        # What came after leaving is no part of the pose.
        mean_up = _mean(looks.up[first : at + 1])
        deviation[at + 1 :] = angle_deg(looks.up[at + 1 :], np.asarray(mean_up))
    end_s = newest_s if ended is Ended.SAMPLES else float(time_s[at])
    if ended is Ended.CAP:
        end_s = start_s + params.cap_s
    elif ended in (Ended.DROP, Ended.RATE):
        ended, end_s = _departure(params, looks, speed, deviation, first, at, ended)
    end = max(int(np.searchsorted(time_s, end_s + _EPS_S)), first + 1)
    returned, watched = _watch_return(params, looks, deviation, ended, decided_s, newest_s)
    return Course(start_s, end_s, decided_s, ended, first, end, mean_up, deviation, returned, watched)


def _calm_second(params: HoldParams, looks: Looks, inside: BoolArray) -> BoolArray:
    """Tell for each row (m,) whether a second ends there throughout which `inside` held and the rate was low."""
    time_s = looks.time_s
    begin = np.searchsorted(time_s, time_s - params.start_s - _EPS_S)
    count = np.arange(1, time_s.size + 1) - begin
    outside = np.concatenate(([0], np.cumsum(~inside)))
    squares = np.concatenate(([0.0], np.cumsum(looks.rate_degps**2)))
    ends = np.arange(1, time_s.size + 1)
    whole = time_s - time_s[begin] >= params.start_s - 2.5 * looks.step_s
    calm: BoolArray = (
        whole
        & (count >= WINDOW_SHARE * params.start_s / looks.step_s)
        & (outside[ends] == outside[begin])
        & (squares[ends] - squares[begin] < count * params.start_rate_degps**2)
        & (angle_deg(looks.up, looks.up[begin]) <= MAX_NET_DEG)
    )
    return calm


def _settled_up(looks: Looks) -> FloatArray:
    """Return "up" (m, 3) with what separates it from the acceleration, on average over a second, taken off.

    A body that sinks steadily looks to the orientation filter like a gyroscope with a bias, and "up" lags by seconds.
    """
    length = np.maximum(np.sqrt(np.sum(looks.acc_mps2**2, axis=1)), 1e-9)
    apart = looks.acc_mps2 / length[:, None] - looks.up
    share = looks.step_s / SETTLE_S
    begin = apart[looks.time_s <= looks.time_s[0] + SETTLE_S].mean(axis=0)
    slow, _ = lfilter([share], [1.0, share - 1.0], apart, axis=0, zi=((1.0 - share) * begin)[None, :])
    up = looks.up + slow
    settled: FloatArray = up / np.sqrt(np.sum(up * up, axis=1))[:, None]
    return settled


def _tilt_speed(looks: Looks) -> FloatArray:
    """Return how fast "up" turns, (m,) in deg/s, over a moment around each row."""
    time_s = looks.time_s
    before = np.searchsorted(time_s, time_s - SPEED_HALF_S - _EPS_S)
    after = np.searchsorted(time_s, time_s + SPEED_HALF_S + _EPS_S) - 1
    way = looks.up[after] - looks.up[before]
    speed: FloatArray = np.degrees(np.sqrt(np.sum(way * way, axis=1)))
    speed /= np.maximum(time_s[after] - time_s[before], looks.step_s)
    return speed


def _arrival(params: HoldParams, looks: Looks, speed: FloatArray, complete: int) -> float:
    """Return when the pose was reached: the way into it had come to rest. Who was there already: the calm second's."""
    time_s = looks.time_s
    begin = int(np.searchsorted(time_s, time_s[complete] - params.start_s - _EPS_S))
    pauses = np.flatnonzero(np.diff(time_s[complete:]) > params.gap_s)
    until = complete + int(pauses[0]) if pauses.size else time_s.size - 1
    around = (np.abs(time_s - time_s[complete]) <= AROUND_S + _EPS_S)[: until + 1]
    limit = max(MIN_START_DEGPS, START_SWAY_FACTOR * float(np.median(speed[: until + 1][around])))
    moving = np.flatnonzero(speed[begin : complete + 1] > limit)
    way_deg = float(angle_deg(looks.up[: complete + 1], looks.up[complete]).max())
    if not moving.size or way_deg < MIN_WAY_DEG:
        return float(time_s[begin])
    row = min(begin + int(moving[-1]) + 1, complete)
    fast = np.flatnonzero(speed[: row + 1] > 4.0 * limit)
    tail_s = _tail_s(float(time_s[row] - time_s[fast[-1]]) if fast.size else None, speed[begin : row + 1], limit)
    return float(min(time_s[row] + tail_s, time_s[complete]))


def _tail_s(since_fast_s: float | None, speed: FloatArray, limit: float) -> float:
    """Return how long the way between `limit` and rest takes, from how long that from four times `limit` took.

    since_fast_s: None if the way was never that fast: then it is a slow one, with the longest tail, or no way at all.
    """
    if since_fast_s is None:
        return MAX_TAIL_S if float(speed.max(initial=0.0)) > 2.0 * limit else 0.0
    return min(since_fast_s, MAX_TAIL_S)


def _deviation(params: HoldParams, looks: Looks, first: int, start_s: float) -> tuple[Vector, FloatArray]:
    """Return the mean pose of the first seconds, and every row's angle from it: until then, from the mean so far."""
    up = looks.up[first:]
    settled = max(int(np.searchsorted(looks.time_s[first:], start_s + params.mean_s)), 1)
    sums = np.cumsum(up[:settled], axis=0)
    mean = np.empty_like(up)
    mean[:settled], mean[settled:] = sums, sums[-1]
    deviation = np.zeros(looks.time_s.size)
    deviation[first:] = angle_deg(up, mean)
    return _mean(up[:settled]), deviation


def _mean(up: FloatArray) -> Vector:
    x, y, z = (float(value) for value in up.sum(axis=0))
    return unit((x, y, z))


def angle_deg(one: FloatArray, other: FloatArray) -> FloatArray:
    """Return the angle between rows of vectors of any length, (m,) in deg. one, other: (m, 3) or (3,)."""
    cross = np.cross(one, other)
    angle: FloatArray = np.degrees(np.arctan2(np.sqrt(np.sum(cross * cross, axis=-1)), np.sum(one * other, axis=-1)))
    return angle


def _first_end(
    params: HoldParams, looks: Looks, complete: int, start_s: float, newest_s: float, deviation: FloatArray
) -> tuple[Ended, int, float | None]:
    """Return what ended the hold, the row where that began, and the time when it was certain; DRIFT comes later."""
    time_s = looks.time_s
    ends: list[tuple[float, Ended, int]] = []
    for begin, end in runs(deviation > params.end_deg):
        # A run goes on until a look says otherwise; what is missing says nothing.
        until = time_s[end - 1]
        if until - time_s[begin] >= params.end_s - _EPS_S:
            ends.append((float(time_s[begin]) + params.end_s, Ended.DROP, begin))
            break
    fast = np.flatnonzero(looks.rate_degps[complete:] > params.end_rate_degps)
    if fast.size:
        ends.append((float(time_s[complete + fast[0]]), Ended.RATE, complete + int(fast[0])))
    pauses = np.diff(np.append(time_s[complete:], newest_s)) > params.gap_s + looks.step_s
    if pauses.any():
        row = complete + int(np.argmax(pauses))
        ends.append((float(time_s[row]) + params.gap_s, Ended.GAP, row))
    if newest_s >= start_s + params.cap_s:
        ends.append((start_s + params.cap_s, Ended.CAP, time_s.size - 1))
    if not ends:
        return Ended.SAMPLES, time_s.size - 1, None
    decided_s, ended, row = min(ends)
    return ended, row, decided_s


def _departure(
    params: HoldParams,
    looks: Looks,
    speed: FloatArray,
    deviation: FloatArray,
    first: int,
    crossed: int,
    ended: Ended,
) -> tuple[Ended, float]:
    """Return when the pose began to be left, and whether that was a drop or the end of a drift."""
    time_s = looks.time_s
    limit = max(MIN_END_DEGPS, END_SWAY_FACTOR * float(np.median(speed[first : crossed + 1])))
    slow = np.flatnonzero(speed[first : crossed + 1] <= limit)
    onset = first + int(slow[-1]) if slow.size else first
    soon = int(np.searchsorted(time_s, time_s[crossed] + params.end_s + _EPS_S))
    gained = float(deviation[crossed:soon].max()) - deviation[onset]
    if ended is Ended.DROP and gained < params.end_deg / 2.0:
        return Ended.DRIFT, float(time_s[crossed])
    fast = np.flatnonzero(speed[onset : crossed + 1] > 4.0 * limit)
    since_s = float(time_s[onset + fast[0]] - time_s[onset]) if fast.size else None
    # The speed over a moment rises half that moment before the pose is left.
    left_s = time_s[onset] + SPEED_HALF_S - _tail_s(since_s, speed[onset : crossed + 1], limit)
    return ended, float(min(max(left_s, time_s[first]), time_s[crossed]))


def _watch_return(
    params: HoldParams,
    looks: Looks,
    deviation: FloatArray,
    ended: Ended,
    decided_s: float | None,
    newest_s: float,
) -> tuple[bool, bool]:
    """Return whether the pose was taken up again soon, calm for a second, and whether that is settled."""
    if decided_s is None:
        return False, False
    if ended in (Ended.CAP, Ended.GAP):
        return False, True
    back = _calm_second(params, looks, deviation <= params.end_deg)
    begins = looks.time_s - params.start_s
    soon = back & (begins >= decided_s - _EPS_S) & (begins <= decided_s + params.return_s + _EPS_S)
    done = newest_s >= decided_s + params.return_s + params.start_s
    return bool(soon.any()), done or bool(soon.any())
