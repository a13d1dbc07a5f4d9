"""How a timed hold went on and ended, from the directions of "up" that were looked at, all of them at once.

The rules are those of HoldParams; where exactly a pose was left is told as where it was reached (hold_start.py).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from coach.analysis.assessment_types import HoldParams
from coach.analysis.frames import Vector, unit
from coach.analysis.hold_looks import EPS_S, SPEED_HALF_S, Looks, angle_deg, calm_second, settled_up, tilt_speed
from coach.analysis.hold_start import find_arrival, tail_s
from coach.analysis.quality import runs
from devices.types import FloatArray

# Own heuristic: slower than this, or than so many times the usual sway, nobody is leaving a pose.
MIN_END_DEGPS, END_SWAY_FACTOR = 2.0, 3.0


class Ended(StrEnum):
    """What ended the hold. DROP: clearly left. DRIFT: left without a drop. RATE: turned fast. The others speak."""

    DROP = "drop"
    DRIFT = "drift"
    RATE = "fast movement"
    CAP = "safety cap"
    GAP = "gap in the samples"
    SAMPLES = "end of the samples"


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


def follow_hold(params: HoldParams, looks: Looks, complete: int, newest_s: float) -> Course:
    """Return the hold whose first calm second is complete at row `complete`. newest_s: of the last sample, or gap."""
    looks = replace(looks, up=settled_up(looks))
    time_s, speed = looks.time_s, tilt_speed(looks)
    start_s = find_arrival(params, looks, speed, complete)
    first = int(np.searchsorted(time_s, start_s - EPS_S))
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
    end = max(int(np.searchsorted(time_s, end_s + EPS_S)), first + 1)
    returned, watched = _watch_return(params, looks, deviation, ended, decided_s, newest_s)
    return Course(start_s, end_s, decided_s, ended, first, end, mean_up, deviation, returned, watched)


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


def _first_end(
    params: HoldParams, looks: Looks, complete: int, start_s: float, newest_s: float, deviation: FloatArray
) -> tuple[Ended, int, float | None]:
    """Return what ended the hold, the row where that began, and the time when it was certain; DRIFT comes later."""
    time_s = looks.time_s
    ends: list[tuple[float, Ended, int]] = []
    for begin, end in runs(deviation > params.end_deg):
        # A run goes on until a look says otherwise; what is missing says nothing.
        until = time_s[end - 1]
        if until - time_s[begin] >= params.end_s - EPS_S:
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
    soon = int(np.searchsorted(time_s, time_s[crossed] + params.end_s + EPS_S))
    gained = float(deviation[crossed:soon].max()) - deviation[onset]
    if ended is Ended.DROP and gained < params.end_deg / 2.0:
        return Ended.DRIFT, float(time_s[crossed])
    fast = np.flatnonzero(speed[onset : crossed + 1] > 4.0 * limit)
    since_s = float(time_s[onset + fast[0]] - time_s[onset]) if fast.size else None
    # The speed over a moment rises half that moment before the pose is left.
    left_s = time_s[onset] + SPEED_HALF_S - tail_s(since_s, speed[onset : crossed + 1], limit)
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
    back = calm_second(params, looks, deviation <= params.end_deg)
    begins = looks.time_s - params.start_s
    soon = back & (begins >= decided_s - EPS_S) & (begins <= decided_s + params.return_s + EPS_S)
    done = newest_s >= decided_s + params.return_s + params.start_s
    return bool(soon.any()), done or bool(soon.any())
