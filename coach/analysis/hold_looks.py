"""The looks at a timed hold, and what is read off all of them: calm seconds, the speed of tilting, a settled "up".

All limits are own heuristics (docs/assessments.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from coach.analysis.assessment_types import HoldParams
from coach.analysis.quality import BoolArray
from devices.types import FloatArray

# Own heuristic: half the time over which the speed of tilting is taken; tremor evens out, a drop does not.
SPEED_HALF_S = 0.1
# Own heuristic: whoever changes the pose by more than this within the calm second is still on the way.
MAX_NET_DEG = 2.5
# Own heuristic: of the samples of a window that should start the clock, at least this share must be there.
WINDOW_SHARE = 0.5
# Own heuristic: over so long, sway and a drop's own acceleration even out.
SETTLE_S = 1.0
# Tolerance of comparing times that are multiples of a sample.
EPS_S = 1e-6


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


def angle_deg(one: FloatArray, other: FloatArray) -> FloatArray:
    """Return the angle between rows of vectors of any length, (m,) in deg. one, other: (m, 3) or (3,)."""
    cross = np.cross(one, other)
    angle: FloatArray = np.degrees(np.arctan2(np.sqrt(np.sum(cross * cross, axis=-1)), np.sum(one * other, axis=-1)))
    return angle


def calm_second(params: HoldParams, looks: Looks, inside: BoolArray) -> BoolArray:
    """Tell for each row (m,) whether a second ends there throughout which `inside` held and the rate was low."""
    time_s = looks.time_s
    begin = np.searchsorted(time_s, time_s - params.start_s - EPS_S)
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


def settled_up(looks: Looks) -> FloatArray:
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


def tilt_speed(looks: Looks) -> FloatArray:
    """Return how fast "up" turns, (m,) in deg/s, over a moment around each row."""
    time_s = looks.time_s
    before = np.searchsorted(time_s, time_s - SPEED_HALF_S - EPS_S)
    after = np.searchsorted(time_s, time_s + SPEED_HALF_S + EPS_S) - 1
    way = looks.up[after] - looks.up[before]
    speed: FloatArray = np.degrees(np.sqrt(np.sum(way * way, axis=1)))
    speed /= np.maximum(time_s[after] - time_s[before], looks.step_s)
    return speed
