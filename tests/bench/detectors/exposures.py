"""What a wearable would tell of a course, minute by minute, with the errors that were measured of it.

This is the fast level of the benchmark: no signal, but features with error. The figures of the errors are those of
docs/benchmarks.md and docs/algorithms.md, each named at its constant.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from devices.types import FloatArray, IntArray
from tests.bench.detectors.course import Course, step_inverse
from tests.bench.detectors.losses import PACKETS_SHARE, bursts

THRESHOLDS_DEG = (20, 30, 45, 60, 90)
# docs/benchmarks.md, inclination against an optical reference: 0.56 degrees on average (0.30 to 0.80).
INCLINATION_DEG = 0.56
# docs/benchmarks.md, trunk and limb exercises of pted: 0.8 % of the repetitions missed, 0.3 % found and not there.
BEND_MISSED, BEND_FALSE = 0.008, 0.003
# docs/models.md, the synthetic crowd: none of 3,200 strokes at the wrist missed, mark 2 %; in between. Turns: the same.
STROKE_MISSED, TURN_MISSED = 0.01, 0.01
# The same crowd: the side was told of all of 3,200 strokes; own assumption of one in two hundred that lie too flat.
STROKE_SIDE_UNKNOWN = 0.005
# docs/algorithms.md, begin and end of marked repetitions: a tenth of a second.
TIME_S = 0.1
# Intervals in steps of 1/1024 s (Bluetooth's Heart Rate Service) put RMSSD of five minutes off by 0.06 %; thrice.
RMSSD_SHARE = 0.002
# A morning is five minutes in a row with every interval, of so long a time of keeping still.
MORNING_S, KEPT_STILL_S = 300.0, 900.0


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """Minutes of one place, (n,) each, and the times of what was counted. Times in s from the first worn second.

    above_s: (thresholds, n). bends: (k,) ends. turns, strokes: (k, 2) time and side (+1 left, -1 right, 0 unknown).
    lost: (seconds,) those without data.
    """

    expected_s: FloatArray
    covered_s: FloatArray
    above_s: FloatArray
    dose: FloatArray
    bends: FloatArray
    turns: FloatArray
    strokes: FloatArray
    lost: NDArray[np.bool_]

    @property
    def minutes(self) -> int:
        return len(self.covered_s)

    def per_minute(self, times_s: FloatArray) -> IntArray:
        """Return (n,) how many of the times lie in each minute."""
        places = np.clip((times_s // 60).astype(np.int64), 0, self.minutes - 1)
        return np.bincount(places, minlength=self.minutes)


def see(course: Course, lost_share: float, draw: np.random.Generator) -> Seen:
    """Measure a course: each event with its error, and none of what fell into a time without a link."""
    n = int(np.ceil(course.worn_s / 60))
    gaps = bursts(course.worn_s, lost_share, draw)
    expected = np.minimum(60.0, course.worn_s - 60.0 * np.arange(n))
    packets = lost_share * PACKETS_SHARE
    covered = np.clip((expected - _per_minute(gaps, n)) * (1 - packets), 0.0, 60.0)
    begin, move, hold, depth = course.stoops.T
    depth = depth + draw.normal(scale=INCLINATION_DEG) + draw.normal(scale=INCLINATION_DEG, size=depth.size)
    ends = begin + 2 * move + hold
    above = np.stack([
        _per_minute(_outside(_above(begin, move, hold, depth, deg), gaps), n) * (1 - packets) for deg in THRESHOLDS_DEG
    ])  # fmt: skip
    held = (hold > 4.0) & (depth >= 20.0)
    # A gap parts a hold; each part that is static counts where it ends.
    dose = np.zeros(n)
    for row in np.flatnonzero(held).tolist():
        parts = _outside(np.array([[begin[row] + move[row], begin[row] + move[row] + hold[row]]]), gaps)
        lasts = np.diff(parts, axis=1)[:, 0] + draw.normal(scale=TIME_S, size=len(parts))
        longest = float(np.interp(depth[row], (20.0, 60.0), (240.0, 60.0)))
        at = np.minimum(parts[:, 1] // 60, n - 1).astype(np.int64)
        np.add.at(dose, at, np.where(lasts > 4.0, lasts / longest, 0.0))
    counted = ends[(depth - course.sits_deg >= 20.0) & (draw.uniform(size=ends.size) >= BEND_MISSED)]
    extra = draw.uniform(0, course.worn_s, draw.poisson(BEND_FALSE * ends.size))
    bends = np.sort(np.concatenate((_kept(counted, gaps), extra)))
    turns = _counted(*course.fast_turns.T, TURN_MISSED, 0.0, gaps, packets, draw)
    strokes = _counted(
        course.strokes[:, 0], course.strokes[:, 2], STROKE_MISSED, STROKE_SIDE_UNKNOWN, gaps, packets, draw
    )
    return Seen(
        expected, covered, above, dose, bends, turns, strokes, _lost_seconds(course.worn_s, gaps, packets, draw)
    )


def _lost_seconds(worn_s: float, gaps: FloatArray, packets: float, draw: np.random.Generator) -> NDArray[np.bool_]:
    lost = draw.uniform(size=int(worn_s)) < packets
    for begin, end in gaps.tolist():
        lost[int(begin) : int(end)] = True
    return lost


def _above(begin: FloatArray, move: FloatArray, hold: FloatArray, depth: FloatArray, deg: float) -> FloatArray:
    """Return (k, 2) when each stoop that goes so deep is at or above an inclination."""
    deep = depth >= deg
    late = move[deep] * step_inverse(deg / depth[deep])
    return np.stack((begin[deep] + late, begin[deep] + 2 * move[deep] + hold[deep] - late), axis=1)


def _per_minute(spans: FloatArray, n: int) -> FloatArray:
    """Return (n,) the seconds of each minute that lie in spans which do not overlap."""
    if not len(spans):
        return np.zeros(n)
    spans = spans[np.argsort(spans[:, 0])]
    edges = 60.0 * np.arange(n + 1)
    times = spans.ravel()
    sums = np.concatenate(([0.0], np.cumsum(np.diff(times) * (np.arange(times.size - 1) % 2 == 0))))
    return np.asarray(np.diff(np.interp(edges, times, sums, left=0.0, right=sums[-1])))


def _outside(spans: FloatArray, gaps: FloatArray) -> FloatArray:
    """Return the parts of the spans that lie outside the gaps, (k, 2)."""
    if not len(gaps) or not len(spans):
        return spans
    first, after = np.searchsorted(gaps[:, 1], spans[:, 0], "right"), np.searchsorted(gaps[:, 0], spans[:, 1])
    parts = [spans[first >= after]]
    for row in np.flatnonzero(first < after).tolist():
        begin, end = spans[row]
        edges = np.concatenate(([begin], gaps[first[row] : after[row]].ravel(), [end])).reshape(-1, 2)
        parts.append(edges[edges[:, 1] > edges[:, 0]])
    return np.concatenate(parts)


def _kept(times: FloatArray, gaps: FloatArray) -> FloatArray:
    """Return the times that lie in no gap."""
    if not len(gaps):
        return times
    place = np.searchsorted(gaps[:, 0], times, side="right") - 1
    return times[(place < 0) | (times > gaps[np.maximum(place, 0), 1])]


def _counted(
    times: FloatArray,
    sides: FloatArray,
    missed: float,
    unknown: float,
    gaps: FloatArray,
    packets: float,
    draw: np.random.Generator,
) -> FloatArray:
    """Return (k, 2) time and side of the events that were seen.

    packets: share of lost packets, each of which may hide an event that is hardly longer.
    """
    rows = np.stack((times, sides), axis=1)
    rows = rows[draw.uniform(size=len(rows)) >= missed + packets]
    rows[draw.uniform(size=len(rows)) < unknown, 1] = 0.0
    return rows[np.isin(rows[:, 0], _kept(rows[:, 0], gaps))]


def morning(rmssd_s: float | None, lost_share: float, draw: np.random.Generator) -> float | None:
    """Return RMSSD as measured, None where the link left no five minutes whole."""
    if rmssd_s is None:
        return None
    edges = np.concatenate(([0.0], bursts(KEPT_STILL_S, lost_share, draw).ravel(), [KEPT_STILL_S])).reshape(-1, 2)
    whole = float(np.diff(edges, axis=1).max()) >= MORNING_S
    return rmssd_s * float(np.exp(draw.normal(scale=RMSSD_SHARE))) if whole else None
