"""One row of two: products that send accelerometer and gyroscope in frames of their own.

The accelerometer's samples keep their times; the angular rate at each of them is interpolated between its two
neighbours. A row waits until the gyroscope has come past it, with some slack for frames that overtake each other, but
never longer than a few seconds; a row whose partner never came has NaN, and is counted. How the stream is cut into
calls changes no row and not their order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from devices.rows import BoolArray, Rows
from devices.types import FloatArray, IntArray

# Before any tick, and far enough from the end of 64 bits to subtract from.
_NEVER = -(2**62)


@dataclass(frozen=True, slots=True)
class JoinerParams:
    """All in ticks. reach: two gyroscope samples further apart are not interpolated between.

    slack: a frame overtaken by others by less is still used. wait: a row waits at most so long for its partner,
    measured by the stream's own time.
    """

    reach: int
    slack: int
    wait: int

    @classmethod
    def of(cls, rate_hz: float, ticks_per_s: int) -> JoinerParams:
        """Return what suits a sensor's rate: 2.5 samples, a quarter of a second or more, 4 s (own heuristics)."""
        reach_s = 2.5 / rate_hz
        slack_s = max(0.25, 2 * reach_s)
        return cls(*(round(each_s * ticks_per_s) for each_s in (reach_s, slack_s, max(4.0, 2 * slack_s))))


class Joiner:
    """Joins one stream. unjoined: rows whose angular rate never came; overtaken: gyroscope samples that came late."""

    def __init__(self, params: JoinerParams) -> None:
        self._params = params
        self.unjoined = self.overtaken = 0
        self._acc_ticks, self._acc = np.empty(0, dtype=np.int64), np.empty((0, 3))
        # Sorted by tick.
        self._gyr_ticks, self._gyr = np.empty(0, dtype=np.int64), np.empty((0, 3))
        # Newest tick of any sensor and of the gyroscope; rows up to the mark are ready.
        self._newest = self._newest_gyr = self._mark = _NEVER

    def push(self, rows: Rows) -> Rows:
        """Take rows of one sensor each, NaN for the other; return joined rows in the order in which they are ready."""
        if not len(rows):
            return rows
        p, ticks, gyr_radps = self._params, rows.ticks, rows.gyr_radps
        has_gyr = np.isfinite(gyr_radps[:, 0])
        newest = np.maximum(np.maximum.accumulate(ticks), self._newest)
        newest_gyr = np.maximum(np.maximum.accumulate(np.where(has_gyr, ticks, _NEVER)), self._newest_gyr)
        marks = np.maximum(newest_gyr - p.slack, newest - p.wait)
        before = np.concatenate(([self._mark], marks[:-1]))
        self._newest, self._newest_gyr, self._mark = int(newest[-1]), int(newest_gyr[-1]), int(marks[-1])
        # Further back than this a sample might change a row that is out already.
        used = has_gyr & (ticks > before + p.reach)
        self.overtaken += int(np.count_nonzero(has_gyr & ~used))
        self._keep_gyr(ticks[used], gyr_radps[used])
        joined = self._ready(ticks, rows.acc_mps2, np.isfinite(rows.acc_mps2[:, 0]), marks, before)
        self._drop_old_gyr()
        return joined

    def flush(self) -> Rows:
        """Return all that waits: with its partner if it is there already."""
        order = np.argsort(self._acc_ticks, kind="stable")
        joined = self._join(self._acc_ticks[order], self._acc[order], np.ones(len(order), dtype=np.bool_))
        self._acc_ticks, self._acc = self._acc_ticks[:0], self._acc[:0]
        return joined

    def begin_again(self) -> Rows:
        """Return all that waits and forget the rest: the ticks that follow are of another clock."""
        joined = self.flush()
        self._gyr_ticks, self._gyr = self._gyr_ticks[:0], self._gyr[:0]
        self._newest = self._newest_gyr = self._mark = _NEVER
        return joined

    def _keep_gyr(self, ticks: IntArray, gyr_radps: FloatArray) -> None:
        both = np.concatenate([self._gyr_ticks, ticks])
        rows = np.concatenate([self._gyr, gyr_radps])
        if both.size > 1 and (np.diff(both) <= 0).any():
            # Of a sample that came twice the first one stays.
            both, first = np.unique(both, return_index=True)
            rows = rows[first]
        self._gyr_ticks, self._gyr = both, rows

    def _ready(
        self, ticks: IntArray, acc_mps2: FloatArray, has_acc: BoolArray, marks: IntArray, before: IntArray
    ) -> Rows:
        """Return the rows that the mark has passed, each at the moment when it did, or came if it came later."""
        came = np.flatnonzero(has_acc)
        waiting = len(self._acc_ticks)
        all_ticks = np.concatenate([self._acc_ticks, ticks[came]])
        all_acc = np.concatenate([self._acc, acc_mps2[came]])
        moment = np.searchsorted(marks, all_ticks)
        moment[waiting:] = np.maximum(moment[waiting:], came)
        # What comes so late that its neighbours may be forgotten goes without.
        hopeful = np.ones(len(all_ticks), dtype=np.bool_)
        hopeful[waiting:] = ticks[came] >= before[came] - self._params.wait + self._params.reach
        order = np.lexsort((np.arange(len(all_ticks)), all_ticks, moment))
        order = order[moment[order] < len(ticks)]
        left = moment >= len(ticks)
        self._acc_ticks, self._acc = all_ticks[left], all_acc[left]
        return self._join(all_ticks[order], all_acc[order], hopeful[order])

    def _join(self, ticks: IntArray, acc_mps2: FloatArray, hopeful: BoolArray) -> Rows:
        gyr = np.full((len(ticks), 3), np.nan)
        have = self._gyr_ticks
        if len(have) and len(ticks):
            right = np.searchsorted(have, ticks)
            inside = np.minimum(right, len(have) - 1)
            exact = (have[inside] == ticks) & hopeful
            gyr[exact] = self._gyr[inside[exact]]
            between = ~exact & hopeful & (right > 0) & (right < len(have))
            at = np.flatnonzero(between)
            one, other = right[at] - 1, right[at]
            distance = have[other] - have[one]
            near = distance <= self._params.reach
            at, one, other, distance = at[near], one[near], other[near], distance[near]
            share = ((ticks[at] - have[one]) / distance)[:, None]
            gyr[at] = self._gyr[one] * (1 - share) + self._gyr[other] * share
        self.unjoined += int(np.count_nonzero(np.isnan(gyr[:, 0])))
        return Rows(ticks, acc_mps2, gyr)

    def _drop_old_gyr(self) -> None:
        oldest = self._mark - self._params.wait
        if len(self._acc_ticks):
            oldest = min(oldest, int(self._acc_ticks.min()) - self._params.reach)
        first = int(np.searchsorted(self._gyr_ticks, oldest))
        self._gyr_ticks, self._gyr = self._gyr_ticks[first:], self._gyr[first:]
