"""Several wearables on one time line: every recording's chunks interpolated onto one grid of UTC.

Each wearable's clock is tied to UTC by its own arrivals (devices/clock.py), so two of them need no synchronisation of
their own. What is left between them: the uncertainty of either clock, which is stated, and the difference of the
shortest delays of their radio paths, which nobody can see; it is at most a connection interval.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from devices.types import Chunk, FloatArray

# Two samples further apart than this many periods are not interpolated between (own heuristic).
_REACH_SAMPLES = 1.5
# A chunk whose clock was this much less sure than usual does not tie time to UTC (own heuristic).
_UNSURE_S, _UNSURE_TIMES = 0.003, 4.0
# A clock that has told no uncertainty, in the first seconds of a link: an early burst may be late by as much.
_UNTOLD_S = 0.1


@dataclass(frozen=True, slots=True)
class Track:
    """One recording on the common grid: acc_mps2, gyr_radps (n, 3), NaN where it has no sample near.

    uncertainty_s: how far its samples may be off UTC, without the constant delay of its radio path.
    """

    acc_mps2: FloatArray
    gyr_radps: FloatArray
    uncertainty_s: float


@dataclass(frozen=True, slots=True)
class Aligned:
    """Recordings on one grid. start_utc_s: Unix time of its first point; tracks: by the names given."""

    start_utc_s: float
    rate_hz: float
    tracks: Mapping[str, Track]

    def __len__(self) -> int:
        return max((len(track.acc_mps2) for track in self.tracks.values()), default=0)

    def uncertainty_s(self, one: str, other: str) -> float:
        """Return how far two tracks may be off each other, without the difference of their radio paths' delays."""
        return self.tracks[one].uncertainty_s + self.tracks[other].uncertainty_s


def align(recordings: Mapping[str, Sequence[Chunk]], rate_hz: float | None = None) -> Aligned:
    """Put recordings, chunks of each in order, onto one grid over the time that all of them cover.

    rate_hz: of the grid; the lowest rate of the recordings if None. Nothing is low-passed: choose no lower rate than
    the movement needs. Recordings without a common time give an empty grid, as does one without samples.
    """
    timed = {name: _Timed.of(chunks) for name, chunks in recordings.items() if sum(map(len, chunks)) > 1}
    if not timed or min(len(each.utc_s) for each in timed.values()) < 2:
        return Aligned(0.0, rate_hz or 1.0, {})
    rate = rate_hz or min(recordings[name][0].rate_hz for name in timed)
    start = math.ceil(max(float(each.utc_s[0]) for each in timed.values()) * rate) / rate
    end = min(float(each.utc_s[-1]) for each in timed.values())
    grid = start + np.arange(max(math.floor((end - start) * rate) + 1, 0)) / rate
    return Aligned(start, rate, {name: each.on(grid) for name, each in timed.items()})


@dataclass(frozen=True, slots=True)
class _Timed:
    """A recording's samples with their times: utc_s (n,), acc and gyr (n, 3); period_s between two of them."""

    utc_s: FloatArray
    acc_mps2: FloatArray
    gyr_radps: FloatArray
    period_s: float
    uncertainty_s: float

    @classmethod
    def of(cls, chunks: Sequence[Chunk]) -> _Timed:
        index = np.concatenate([chunk.start_index + np.arange(len(chunk)) for chunk in chunks])
        acc = np.concatenate([chunk.acc_mps2 for chunk in chunks])
        gyr = np.concatenate([chunk.gyr_radps for chunk in chunks])
        knots, uncertainty_s = _knots(chunks)
        rate_hz = chunks[-1].reception.sampling_rate_hz or chunks[-1].rate_hz
        utc_s = _times(index.astype(np.float64), knots, 1.0 / rate_hz)
        there = np.isfinite(acc[:, 0])
        return cls(utc_s[there], acc[there], gyr[there], 1.0 / rate_hz, uncertainty_s)

    def on(self, grid_s: FloatArray) -> Track:
        """Return the samples interpolated onto a grid (n,) of UTC."""
        right = np.clip(np.searchsorted(self.utc_s, grid_s), 1, len(self.utc_s) - 1)
        left = right - 1
        apart_s = self.utc_s[right] - self.utc_s[left]
        share = ((grid_s - self.utc_s[left]) / apart_s)[:, None]
        near = (apart_s <= _REACH_SAMPLES * self.period_s)[:, None] & (share >= 0) & (share <= 1)
        acc, gyr = (
            np.where(near, values[left] * (1 - share) + values[right] * share, np.nan)
            for values in (self.acc_mps2, self.gyr_radps)
        )
        return Track(acc, gyr, self.uncertainty_s)


def _knots(chunks: Sequence[Chunk]) -> tuple[FloatArray, float]:
    """Return (index, Unix time) of the chunks' starts (n, 2) that are sure enough, and how sure these are."""
    told = [chunk.reception.clock_uncertainty_s for chunk in chunks]
    unsure = np.array([_UNTOLD_S if each is None else each for each in told])
    usable = unsure <= max(_UNSURE_S, _UNSURE_TIMES * float(np.median(unsure)))
    knots = np.array([(chunk.start_index, chunk.start_utc_s) for chunk in chunks], dtype=np.float64)
    return knots[usable], float(unsure[usable].max())


def _times(index: FloatArray, knots: FloatArray, period_s: float) -> FloatArray:
    """Return the Unix time (n,) of samples: along the chunks' starts, beyond them by the measured period."""
    at, utc = knots.T
    # Differences to the first knot keep the microseconds that a Unix time alone would round away.
    times: FloatArray = utc[0] + np.interp(index, at, utc - utc[0])
    before, after = index < at[0], index > at[-1]
    times[before] = utc[0] + (index[before] - at[0]) * period_s
    times[after] = utc[-1] + (index[after] - at[-1]) * period_s
    return times
