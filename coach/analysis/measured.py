"""A repetition measured: where it leaves a pose, how far it goes, how long it stays there, when it is back.

Source: own heuristic for the edges (a share of the way); up, hold and down as in docs/algorithms.md.
"""

from __future__ import annotations

import math

import numpy as np

from coach.analysis.chains import Chain
from coach.analysis.ends import EDGE_SHARE, Turns
from coach.analysis.motion_types import Repetition
from coach.analysis.turning import CHORD_DEG
from devices.types import FloatArray

# Own heuristic: a stroke with this share done, or left, is under way; a slow start before it is a wait, not a stroke.
UNDER_WAY = 0.3
# Own heuristic: a stroke begins and ends where it is slower than this share of its peak.
SLOW_SHARE = 0.07


def measure_repetitions(chain: Chain, turns: Turns, offset_s: float, number: int) -> list[Repetition]:
    """Return the repetitions of a set. offset_s: time of the stretch's first sample."""
    stretch = chain.course.stretch
    step = np.diff(stretch.quat, axis=0)
    rate_degps = CHORD_DEG * stretch.rate_hz * np.sqrt(np.einsum("ij,ij->i", step, step))
    inside = chain.course.turns
    found = []
    for start, far, end in turns.repetitions():
        first = start if start is not None else _neighbour(inside, far, -1, 0)
        last = end if end is not None else _neighbour(inside, far, 1, stretch.quat.shape[0] - 1)
        leaves, arrives, departs, returns = _edges(chain.course.along_deg, first, far, last)
        times = [offset_s + at / stretch.rate_hz for at in (leaves, arrives, far, departs, returns)]
        found.append(
            Repetition(
                number,
                times[0],
                times[2],
                times[4],
                _angle_deg(stretch.quat[leaves if start is not None else returns], stretch.quat[far]),
                times[1] - times[0],
                times[3] - times[1],
                times[4] - times[3],
                float(rate_degps[leaves : max(returns, leaves + 1)].max(initial=0.0)),
                start is not None and end is not None,
            )
        )
    return found


def _neighbour(turns: np.ndarray[tuple[int], np.dtype[np.int64]], far: int, side: int, edge: int) -> int:
    place = int(np.searchsorted(turns, far)) + side
    return int(turns[place]) if 0 <= place < turns.size else edge


def _edges(along: FloatArray, first: int, far: int, last: int) -> tuple[int, int, int, int]:
    """Return where the pose is left, the far pose reached and left, and the pose reached again."""
    top = along[far]
    there, back = top - along[first], top - along[last]
    if there == 0 or back == 0:
        return first, far, far, last
    rising = (along[first : far + 1] - along[first]) / there
    falling = (along[far : last + 1] - along[last]) / back
    under = int(np.flatnonzero(rising <= UNDER_WAY)[-1])
    arrives = under + int(np.flatnonzero(rising[under:] >= 1.0 - EDGE_SHARE)[0])
    over = int(np.flatnonzero(falling <= UNDER_WAY)[0])
    departs = int(np.flatnonzero(falling[: over + 1] >= 1.0 - EDGE_SHARE)[-1])
    return first + _begins(rising, under), first + arrives, far + departs, far + _ends(falling, over)


def _begins(share: FloatArray, under: int) -> int:
    """Go back from where the stroke is well under way to where it set out from rest."""
    speed = np.diff(share)
    slow = np.flatnonzero(speed[:under] < SLOW_SHARE * speed.max())
    return int(slow[-1]) + 1 if slow.size else 0


def _ends(share: FloatArray, over: int) -> int:
    speed = -np.diff(share)
    slow = np.flatnonzero(speed[over:] < SLOW_SHARE * speed.max())
    return over + int(slow[0]) if slow.size else share.size - 1


def _angle_deg(one: FloatArray, other: FloatArray) -> float:
    return math.degrees(2.0 * math.acos(min(abs(float(one @ other)), 1.0)))
