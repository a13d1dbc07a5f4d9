"""A repetition measured: where it leaves a pose, how far it goes, how long it stays there, when it is back.

Source: own heuristic: a stroke lasts from where it is no longer slow to where it is slow again; between is the hold.
"""

from __future__ import annotations

import math

import numpy as np

from coach.analysis.chains import Chain
from coach.analysis.ends import Turns
from coach.analysis.motion_types import Repetition
from coach.analysis.smoothness import estimate_log_jerk, estimate_sparc
from coach.analysis.turning import CHORD_DEG
from coach.analysis.types import NotComputable
from devices.types import FloatArray, IntArray

# Own heuristic: a stroke with this share done, or left, is under way; a slow start before it is a wait, not a stroke.
UNDER_WAY = 0.3
# Own heuristic: a stroke begins and ends where it is slower than this share of its peak.
SLOW_SHARE = 0.07


def measure_repetitions(
    chain: Chain, turns: Turns, offset_s: float, number: int, since_s: float = -math.inf, until_s: float = math.inf
) -> list[Repetition]:
    """Return the repetitions of a set whose far pose is at since_s to until_s.

    offset_s: time of the stretch's first sample. number: the set's.
    """
    stretch, known = chain.course.stretch, chain.course.turns
    rate_hz, count = stretch.rate_hz, len(stretch.quat)
    wanted = [each for each in turns.repetitions() if since_s <= offset_s + each[1] / rate_hz <= until_s]
    if not wanted:
        return []
    bounds: list[int] = []
    for start, far, end in wanted:
        before = start if start is not None else _neighbour(known, far, -1, 0)
        bounds += (before, far, end if end is not None else _neighbour(known, far, 1, count - 1))
    leaves, arrives = _strokes(chain.course.along_deg, bounds[0::3], bounds[1::3], False)
    returns, departs = _strokes(chain.course.along_deg, bounds[1::3], bounds[2::3], True)
    step = stretch.quat[1:] - stretch.quat[:-1]
    rate_degps = CHORD_DEG * rate_hz * np.sqrt(np.vecdot(step, step))
    found = []
    for (start, far, end), first, there, back, last in zip(wanted, leaves, arrives, departs, returns, strict=True):
        times = [offset_s + at / rate_hz for at in (first, there, far, back, last)]
        rest = stretch.quat[first if start is not None else last]
        found.append(
            Repetition(
                number,
                times[0],
                times[2],
                times[4],
                _angle_deg(rest, stretch.quat[far]),
                times[1] - times[0],
                times[3] - times[1],
                times[4] - times[3],
                float(rate_degps[first : max(last, first + 1)].max(initial=0.0)),
                start is not None and end is not None,
                *_smoothness(rate_degps[first : there + 1], rate_hz),
            )
        )
    return found


def _smoothness(rate_degps: FloatArray, rate_hz: float) -> tuple[float | None, float | None]:
    """Return SPARC and log dimensionless jerk of a stroke, None where they have no value."""
    told = (estimate_sparc(rate_degps, rate_hz), estimate_log_jerk(rate_degps, rate_hz))
    sparc, jerk = (None if isinstance(value, NotComputable) else value for value in told)
    return sparc, jerk


def _neighbour(turns: IntArray, far: int, side: int, edge: int) -> int:
    place = int(np.searchsorted(turns, far)) + side
    return int(turns[place]) if 0 <= place < turns.size else edge


def _strokes(along: FloatArray, firsts: list[int], lasts: list[int], backward: bool) -> tuple[list[int], list[int]]:
    """Return where each stroke is at rest, and where it is at the far pose. backward: the far pose is its first."""
    rest, far = [], []
    for first, last in zip(firsts, lasts, strict=True):
        part = along[first : last + 1]
        way = part[-1] - part[0]
        if last - first < 2 or way == 0.0:
            rest.append(last if backward else first)
            far.append(first if backward else last)
            continue
        share = (part - part[0]) / way
        if backward:
            share = 1.0 - share[::-1]
        speed = share[1:] - share[:-1]
        slow = speed < SLOW_SHARE * speed.max()
        under = int((share <= UNDER_WAY).nonzero()[0][-1])
        over = under + int((share[under:] >= 1.0 - UNDER_WAY).argmax())
        before, after = slow[:under].nonzero()[0], slow[over:].nonzero()[0]
        begins = int(before[-1]) + 1 if before.size else 0
        reached = over + int(after[0]) if after.size else share.size - 1
        rest.append(last - begins if backward else first + begins)
        far.append(last - reached if backward else first + reached)
    return rest, far


def _angle_deg(one: FloatArray, other: FloatArray) -> float:
    return math.degrees(2.0 * math.acos(min(abs(float(one @ other)), 1.0)))
