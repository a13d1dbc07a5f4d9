"""Whether the samples can be what they say: m/s^2 with gravity, rad/s, six live axes that agree with each other.

Looked at about once a second. Source: own heuristics, with the margins measured on the real recordings beside each.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from coach.analysis.types import Quality, QualityFlag
from devices.types import FloatArray, IntArray

# Standard gravity.
G_MPS2 = 9.80665
# The mean length of the specific force of any body over some seconds is near 1 g: clear of both ranges is neither unit.
G_RANGE = (0.4, 2.5)
GRAVITY_RANGE_MPS2 = (4.0, 25.0)
# Gyroscopes of wearables end at +-2000 deg/s, which is 34.9 rad/s.
MAX_GYR_RADPS = 35.0
# Where |acc| is within 5 % of gravity it shows "up". There 240 real recordings differ from VQF by 26 degrees at most
# (root mean square; half of them by less than 2), nine tenths of the same ones in deg/s by more than 50.
NEAR_SHARE = 0.05
DISAGREE_DEG = 35.0
DISAGREE_NEAR_SHARE = 0.25
# Less than this tells nothing.
MIN_LOOKED_S = 10.0
MIN_COVERED_S = 1.0
# A live axis changes whenever its sensor does; equal values happen by chance in at most 2 % of such looks.
MOVES = np.array([[1.0], [1.0], [1.0], [0.3], [0.3], [0.3]])
MIN_MOVING = 8
DEAD_SHARE = 0.25
# An axis that never changes while another one of its sensor changes in half of the looks is dead as well.
LIVE_SHARE = 0.5
# A movement in one plane leaves an axis at nought too, but agrees with gravity this well.
PLANAR_DEG = 5.0
PLANAR_NEAR_SHARE = 0.5
CONSTANT_SHARE = 0.98
# Own heuristics: told, but nothing is withheld.
FROZEN_S = 60.0
CLIPPED_SHARE = 0.001
COVERED_SHARE = 0.8
JITTER_SHARE = 0.2
# Own choice: so many of a file's times tell how even they are.
JITTER_ROWS = 200_000
# Own choice: so many looks are counted together, for one call costs as much as fifty looks.
TOGETHER = 64
AXES = ("acc x", "acc y", "acc z", "gyr x", "gyr y", "gyr z")
_LOOKED, _LENGTH, _NEAR, _OFF, _FAST, _SAME, _ACC_MOVES, _GYR_MOVES, _DEAD = range(9)
_EQUAL = _DEAD + len(AXES)


def _no_counts() -> IntArray:
    return np.zeros(_EQUAL + len(AXES), dtype=np.int64)


def _no_looks() -> FloatArray:
    return np.empty((0, 9))


@dataclass(frozen=True, slots=True)
class SoundnessState:
    """waiting: (m, 9) looks that are not counted yet: acc, gyr, "up". last: the values at the newest one that is.

    counts: looks; mm/s^2 of |acc|; looks near gravity, and squared chords (1e-6) between "up" and acc there; looks
    beyond any gyroscope's range; looks equal to the one before; looks in which the accelerometer and the gyroscope
    moved; and, per axis, of these the ones in which it did not, and all looks in which it did not change.
    """

    waiting: FloatArray = field(default_factory=_no_looks)
    last: tuple[float, ...] = ()
    counts: IntArray = field(default_factory=_no_counts)


def add_soundness(state: SoundnessState, looks: FloatArray) -> SoundnessState:
    """Take the next looks, (m, 9): acc, gyr and "up" at samples that are there; gyr NaN without a gyroscope."""
    if not len(looks):
        return state
    waiting = np.concatenate((state.waiting, looks))
    done = len(waiting) - len(waiting) % TOGETHER
    if not done:
        return SoundnessState(waiting, state.last, state.counts)
    last, counts = _counted(state, waiting[:done])
    return SoundnessState(waiting[done:], last, counts)


def long_enough(state: SoundnessState) -> bool:
    """Tell whether a minute of looks has been counted: a judgement of fewer may yet turn."""
    return bool(state.counts[_LOOKED])


def _counted(state: SoundnessState, looks: FloatArray) -> tuple[tuple[float, ...], IntArray]:
    """Return the newest values and the counts after some more looks."""
    if not len(looks):
        return state.last, state.counts
    columns = np.ascontiguousarray(looks.T)
    values, up, before = columns[:6], columns[6:], np.empty((6, len(looks)))
    before[:, 1:] = values[:, :-1]
    before[:, 0] = state.last if state.last else values[:, 0]
    changes = values - before
    equal, moves = changes == 0.0, np.abs(changes) > MOVES
    acc_moves, gyr_moves = moves[:3].any(axis=0), moves[3:].any(axis=0)
    length = np.sqrt(values[0] * values[0] + values[1] * values[1] + values[2] * values[2])
    near = np.abs(length - G_MPS2) < NEAR_SHARE * G_MPS2
    along = (values[0] * up[0] + values[1] * up[1] + values[2] * up[2])[near] / length[near]
    counts = state.counts.copy()
    counts[:_DEAD] += (
        len(looks),
        int(np.rint(np.minimum(length, 1e6) * 1000.0).sum()),
        along.size,
        int(np.rint(2e6 * (1.0 - along)).sum()),
        int(np.count_nonzero((np.abs(values[3:]) > MAX_GYR_RADPS).any(axis=0))),
        int(np.count_nonzero((equal | np.isnan(changes)).all(axis=0))) - (not state.last),
        int(np.count_nonzero(acc_moves)),
        int(np.count_nonzero(gyr_moves)),
    )
    counts[_DEAD : _DEAD + 3] += np.count_nonzero(equal[:3] & acc_moves, axis=1)
    counts[_DEAD + 3 : _EQUAL] += np.count_nonzero(equal[3:] & gyr_moves, axis=1)
    counts[_EQUAL:] += np.count_nonzero(equal, axis=1) - (not state.last)
    return tuple(values[:, -1].tolist()), counts


def assess_soundness(
    state: SoundnessState, look_s: float, covered_s: float, coverage_share: float, clipped_share: float
) -> tuple[Quality, ...]:
    """Say what is wrong with the samples so far. clipped_share: of rows at the end of the sensors' range."""
    found: list[Quality] = []
    counts = _counted(state, state.waiting)[1].tolist()
    looked = counts[_LOOKED]
    if covered_s < MIN_COVERED_S:
        found.append(
            _fatal(QualityFlag.TOO_SHORT, f"{covered_s:.2f} s of samples; at least {MIN_COVERED_S:g} s needed")
        )
    elif looked:
        found.extend(_units(counts))
        found.extend(_frozen(counts, look_s))
        found.extend(_agreement(counts, look_s))
    if clipped_share >= CLIPPED_SHARE:
        what = f"{clipped_share:.1%} of the samples are at the end of the sensor's range; peaks there are cut off"
        found.append(Quality(QualityFlag.CLIPPED, what, fatal=False))
    if covered_s and coverage_share < COVERED_SHARE:
        what = f"{coverage_share:.0%} of the samples are there; the rest was never received"
        found.append(Quality(QualityFlag.GAPS, what, fatal=False))
    return tuple(found)


def assess_jitter(t_s: FloatArray, row_index: IntArray, rate_hz: float) -> Quality | None:
    """Say how irregular a file's times are. t_s: (n,) s from the first; row_index: (n,) the places they were given."""
    if not len(t_s):
        return None
    rows = slice(None, None, max(len(t_s) // JITTER_ROWS, 1))
    off_s = t_s[rows] - row_index[rows] / rate_hz
    jitter_s = float(np.sqrt(np.mean((off_s - off_s.mean()) ** 2)))
    if jitter_s * rate_hz < JITTER_SHARE:
        return None
    what = (
        f"the times are {jitter_s * 1000.0:.1f} ms (root mean square) off an even grid of {rate_hz:g} samples a second"
    )
    return Quality(QualityFlag.RATE_JITTER, what, fatal=False)


def _units(counts: list[int]) -> list[Quality]:
    found = []
    length = counts[_LENGTH] / counts[_LOOKED] / 1000.0
    if G_RANGE[0] <= length <= G_RANGE[1]:
        what = f"the acceleration has a mean length of {length:.2f}, as if it were in g; give m/s^2 (times 9.81)"
        found.append(_fatal(QualityFlag.ACCELERATION_IN_G, what))
    elif not GRAVITY_RANGE_MPS2[0] <= length <= GRAVITY_RANGE_MPS2[1]:
        what = f"the acceleration has a mean length of {length:.3g} m/s^2, not near 9.81; give it with gravity"
        found.append(_fatal(QualityFlag.ACCELERATION_NOT_GRAVITY, what))
    if counts[_FAST] > max(0.002 * counts[_LOOKED], 1.0):
        what = (
            f"the angular rate passes {MAX_GYR_RADPS:g} rad/s, as if it were in deg/s; give rad/s (divided by 57.296)"
        )
        found.append(_fatal(QualityFlag.ANGULAR_RATE_IN_DEGREES, what))
    return found


def _frozen(counts: list[int], look_s: float) -> list[Quality]:
    same_s = counts[_SAME] * look_s
    if counts[_LOOKED] > 2 and counts[_SAME] >= CONSTANT_SHARE * (counts[_LOOKED] - 1):
        return [_fatal(QualityFlag.CONSTANT_SIGNAL, f"every axis reads the same value throughout ({same_s:.0f} s)")]
    if same_s >= FROZEN_S:
        what = f"every axis reads the same value as before for {same_s:.0f} s; a worn sensor never does"
        return [Quality(QualityFlag.CONSTANT_SIGNAL, what, fatal=False)]
    return []


def _agreement(counts: list[int], look_s: float) -> list[Quality]:
    found = []
    looked, near = counts[_LOOKED], counts[_NEAR]
    off_deg = (
        math.degrees(2.0 * math.asin(min(math.sqrt(max(counts[_OFF], 0) / near / 1e6) / 2.0, 1.0))) if near else 0.0
    )
    moving = (counts[_ACC_MOVES],) * 3 + (counts[_GYR_MOVES],) * 3
    changes = looked - 1
    alive = [any(same <= (1.0 - LIVE_SHARE) * changes for same in counts[first:][:3]) for first in (_EQUAL, _EQUAL + 3)]
    dead = [
        name
        for name, moves, still, same, live in zip(
            AXES, moving, counts[_DEAD:_EQUAL], counts[_EQUAL:], (*alive[:1] * 3, *alive[1:] * 3), strict=True
        )
        if (moves >= MIN_MOVING and still >= DEAD_SHARE * moves)
        or (changes >= MIN_MOVING and live and same >= CONSTANT_SHARE * changes)
    ]
    if dead:
        planar = off_deg < PLANAR_DEG and near >= PLANAR_NEAR_SHARE * looked
        what = f"{', '.join(dead)} stayed at one value while the others moved: " + (
            "a movement in exactly one plane, or a dead axis" if planar else "a dead axis"
        )
        found.append(Quality(QualityFlag.DEAD_AXIS, what, fatal=not planar))
    enough = near * look_s >= MIN_LOOKED_S and near >= DISAGREE_NEAR_SHARE * looked
    if enough and off_deg > DISAGREE_DEG:
        what = (
            f"the gyroscope and the accelerometer contradict each other by {off_deg:.0f} degrees: angular rate in "
            "deg/s instead of rad/s, axes of two different frames, or a broken sensor"
        )
        found.append(_fatal(QualityFlag.SENSORS_DISAGREE, what))
    return found


def _fatal(flag: QualityFlag, what: str) -> Quality:
    return Quality(flag, what, fatal=True)
