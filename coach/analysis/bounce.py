"""Whether something periodic is walking or running: the whole body goes up and down twice in each cycle of a limb.

What a limb's own turning does to its vertical acceleration is taken off first, as of a rigid body about a fixed point;
of an exercise little is left, or it repeats once a cycle. Source: own heuristic (docs/algorithms.md).
"""

from __future__ import annotations

import numpy as np

from coach.analysis.chains import Chain
from coach.analysis.motion_types import Stretch
from coach.analysis.quality import runs
from coach.analysis.turning import CHORD_DEG
from devices.types import FloatArray

# Own heuristics: strides per cycle; how high the body is thrown, in m/s^2, and how much more at twice the cycle's
# frequency than at the frequency itself.
CYCLE_S = (0.7, 1.6)
BOUNCE_MPS2 = 1.05
TWICE = 1.25

# Own heuristics: a sensor that hardly turns (on the trunk) walks when it goes up and down this hard, and that often,
# for so many seconds; a limb that turns further is left to `is_walking`. Steps are counted over a mean of a fifth of a
# second, so that an impact is none of its own.
LIFT_RMS_MPS2, STEPS_PER_S, TURN_DEG, WALK_S, MEAN_S = 0.8, (1.3, 3.5), 14.0, 10, 0.2


def find_walks(stretch: Stretch) -> list[tuple[int, int, int]]:
    """Return (first, end, steps) of each walk of a sensor that hardly turns; first and end as samples."""
    second = max(round(stretch.rate_hz), 1)
    count = len(stretch.quat) // second
    if count < WALK_S:
        return []
    lift = stretch.lift_mps2[: count * second].reshape(count, second)
    shaken = np.vecdot(lift, lift) > second * LIFT_RMS_MPS2**2
    if np.count_nonzero(shaken) < WALK_S:
        return []
    quat, seconds = stretch.quat[: count * second], np.arange(0, count * second, second)
    reach = CHORD_DEG * (np.maximum.reduceat(quat, seconds) - np.minimum.reduceat(quat, seconds))
    shaken &= np.vecdot(reach, reach) < TURN_DEG**2
    walks = []
    for begin, end in runs(shaken):
        first, last = begin * second, end * second
        if end - begin >= WALK_S:
            sums = np.cumsum(stretch.lift_mps2[first:last])
            mean = round(MEAN_S * stretch.rate_hz)
            up = sums[mean:] > sums[:-mean]
            steps = int(np.count_nonzero(up[1:] & ~up[:-1]))
            if STEPS_PER_S[0] * (end - begin) <= steps <= STEPS_PER_S[1] * (end - begin):
                walks.append((first, last, steps))
    return walks


def is_walking(chain: Chain) -> bool:
    """Say whether a chain is strides. False when the vertical acceleration is not known."""
    stretch = chain.course.stretch
    if not stretch.lift_mps2.size or not CYCLE_S[0] < chain.cycle_s < CYCLE_S[1]:
        return False
    first, last = chain.span
    lift = stretch.lift_mps2[first : last + 1]
    own = _own_lift(stretch.quat[first : last + 1], stretch.rate_hz)
    own = np.column_stack((own, np.ones(lift.size)))
    rest = lift - own @ np.linalg.lstsq(own, lift, rcond=None)[0]
    turns = chain.course.turns[chain.first : chain.end]
    phase = np.interp(np.arange(first, last + 1), turns, np.arange(turns.size) * (np.pi / chain.order))
    once, twice = (2.0 * abs(complex((rest * np.exp(-1j * k * phase)).mean())) for k in (1, 2))
    return twice > BOUNCE_MPS2 and twice > TWICE * once


def _own_lift(quat: FloatArray, rate_hz: float) -> FloatArray:
    """Return (n, 3): the vertical acceleration of a point fixed to the sensor, per metre along each of its axes."""
    change = np.gradient(quat, axis=0) * rate_hz
    w, x, y, z = quat.T
    p, i, j, k = change.T
    rate = 2.0 * np.stack(
        (w * i - x * p - y * k + z * j, w * j + x * k - y * p - z * i, w * k - x * j + y * i - z * p), axis=1
    )
    growth = np.gradient(rate, axis=0) * rate_hz
    up = np.stack((2 * (x * z - w * y), 2 * (y * z + w * x), w * w - x * x - y * y + z * z), axis=1)
    along = np.vecdot(rate, up)[:, None]
    squared = np.vecdot(rate, rate)[:, None]
    lifted: FloatArray = np.cross(up, growth) + rate * along - squared * up
    return lifted
