"""Whether something periodic is walking or running: the whole body goes up and down twice in each cycle of a limb.

What a limb's own turning does to its vertical acceleration is taken off first, as of a rigid body about a fixed point;
of an exercise little is left, or it repeats once a cycle. Source: own heuristic (docs/algorithms.md).
"""

from __future__ import annotations

import numpy as np

from coach.analysis.chains import Chain
from devices.types import FloatArray

# Own heuristics: strides per cycle; how high the body is thrown, in m/s^2, and how much more at twice the cycle's
# frequency than at the frequency itself.
CYCLE_S = (0.7, 1.6)
BOUNCE_MPS2 = 1.05
TWICE = 1.25


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
