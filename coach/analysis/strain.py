"""Strain: repeated bending of the trunk.

Source: RULA and REBA call an action repeated more than 4 times a minute repetitive; that it must last 10 minutes, that
a bend is a cycle of 20 degrees and how findings are merged is own heuristic (docs/algorithms.md).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np

from coach.analysis.bends import Counted
from coach.analysis.poses import median
from coach.analysis.quality import BoolArray, runs
from coach.analysis.types import BendingParams, ChangeKind
from devices.types import FloatArray, IntArray

# Own heuristic: cycles are counted per second of the recording; windows begin and end on whole seconds.
BIN_S = 1.0
# Own heuristic: an open finding that goes on is told anew once a minute, on whole minutes of its own time.
CHANGED_EVERY_BINS = 60
# Own heuristic: of fewer intervals nobody can say how evenly bends come; they are taken to come by chance (Poisson).
MIN_INTERVALS = 4
# Own choice: windows are judged for so many seconds together, on whole multiples of the recording's own time.
JUDGED_TOGETHER_BINS = 30


@dataclass(frozen=True, slots=True)
class BendingRun:
    """A stretch of qualifying windows. Seconds `first` .. `end` - 1 of the recording.

    cycles, covered, expected: over the stretch; the last two in samples. rate_max_per_min: of its best window.
    ranges: cycles per whole degree of range, empty once closed. range_median_deg: of all its cycles, set when closed.
    """

    first: int
    end: int
    cycles: int = 0
    covered: int = 0
    expected: int = 0
    rate_max_per_min: float = 0.0
    range_median_deg: float = 0.0
    ranges: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class BendingState:
    """bins: seconds completed, judged: of these the ones whose windows are judged.

    next_index: the sample expected next. partial: covered samples of the second under way. covered: of the newest
    seconds, a window more than those not yet judged. counted_bin, counted_deg: the cycles of those seconds and of the
    one under way. windows: complete windows judged so far; best_coverage_share: the best of them.
    """

    bins: int = 0
    judged: int = 0
    next_index: int = 0
    partial: int = 0
    covered: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    counted_bin: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    counted_deg: FloatArray = field(default_factory=lambda: np.empty(0, dtype=np.float64))
    windows: int = 0
    best_coverage_share: float = 0.0
    open: BendingRun | None = None
    closed: tuple[BendingRun, ...] = ()


@dataclass(frozen=True, slots=True)
class _Seconds:
    """The newest seconds, old ones and those just completed. `first` is the number of the first.

    covered_sum, cycles_sum, edges: one entry more than seconds; sums up to each second, and its first sample.
    at, degrees: second and range of the cycles in these seconds, in order.
    """

    first: int
    covered_sum: IntArray
    cycles_sum: IntArray
    edges: IntArray
    at: IntArray
    degrees: FloatArray


def window_bins(params: BendingParams) -> int:
    """Return the length of the rolling window in seconds."""
    return max(round(params.min_duration_s / BIN_S), 1)


def detect_bending(
    params: BendingParams, state: BendingState, rate_hz: float, valid: BoolArray, counted: list[Counted]
) -> tuple[BendingState, list[tuple[ChangeKind, BendingRun]]]:
    """Take the next samples of the grid and the cycles that counted in them.

    valid: (n,) True where a sample was there. A window qualifies when its cycles per covered minute exceed
    `rate_per_min`, by more than chance would, and its coverage is at least `coverage_share`. Returns what opened,
    changed or closed, in order.
    """
    start, end = state.next_index, state.next_index + valid.size
    edges = _edges(state.bins, int(end / rate_hz) + 2, rate_hz)
    done = int(edges.searchsorted(end, side="right")) - 1
    place = np.minimum(np.maximum(edges - start, 0), valid.size)
    if np.count_nonzero(valid) < valid.size:
        place = np.concatenate(([0], np.cumsum(valid)))[place]
    covered = place[1:] - place[:-1]
    covered[0] += state.partial
    counted_bin, counted_deg = state.counted_bin, state.counted_deg
    if counted:
        numbers = state.bins + edges.searchsorted([item.index for item in counted], side="right") - 1
        counted_bin = np.concatenate((counted_bin, numbers))
        counted_deg = np.concatenate((counted_deg, [item.range_deg for item in counted]))
    grown = BendingState(
        state.bins + done,
        state.judged,
        end,
        int(covered[done]),
        np.concatenate((state.covered, covered[:done])) if done else state.covered,
        counted_bin,
        counted_deg,
        state.windows,
        state.best_coverage_share,
        state.open,
        state.closed,
    )
    return _judge(params, grown, rate_hz, grown.bins - grown.bins % JUDGED_TOGETHER_BINS)


def finish_bending(
    params: BendingParams, state: BendingState, rate_hz: float
) -> tuple[BendingState, list[tuple[ChangeKind, BendingRun]]]:
    """Judge what is left and close the run that is open. The second under way is not complete and is left out."""
    state, changes = _judge(params, state, rate_hz, state.bins)
    if state.open is None:
        return state, changes
    run = _closed(state.open)
    return replace(state, open=None, closed=(*state.closed, run)), [*changes, (ChangeKind.CLOSED, run)]


def median_deg(run: BendingRun) -> float:
    """Return the median range of the run's cycles, to a whole degree."""
    if not run.ranges:
        return run.range_median_deg
    return float(np.searchsorted(np.cumsum(run.ranges), (run.cycles + 1) // 2))


def _edges(first: int, last: int, rate_hz: float) -> IntArray:
    """Return the first sample of each second from `first` to `last`."""
    # A hair below, so that a product that should be whole is not carried over to the next sample by rounding.
    edges: IntArray = np.ceil(np.arange(first, last + 1) * (BIN_S * rate_hz) - 1e-6).astype(np.int64)
    return edges


def _judge(
    params: BendingParams, state: BendingState, rate_hz: float, until: int
) -> tuple[BendingState, list[tuple[ChangeKind, BendingRun]]]:
    """Judge the windows that end after the judged seconds and up to `until`."""
    if until <= state.judged:
        return state, []
    window = window_bins(params)
    numbers = range(max(state.judged + 1, window), until + 1)
    changes: list[tuple[ChangeKind, BendingRun]] = []
    best, run, closed = state.best_coverage_share, state.open, list(state.closed)
    if numbers and not _cannot_fire(params, state):
        seconds = _seconds(state, rate_hz, until)
        ends = np.arange(numbers.start, numbers.stop) - seconds.first
        recorded = seconds.covered_sum[ends] - seconds.covered_sum[ends - window]
        share = recorded / (seconds.edges[ends] - seconds.edges[ends - window])
        cycles = seconds.cycles_sum[ends] - seconds.cycles_sum[ends - window]
        rate = cycles / np.maximum(recorded / rate_hz / 60.0, 1e-9)
        fires = (share >= params.coverage_share) & (rate > params.rate_per_min)
        if fires.any():
            fires = _beyond_chance(params, seconds, ends, fires, rate)
        best = max(best, float(share.max()))
        if run is not None or fires.any():
            run = _follow(window, seconds, ends, fires, rate, run, closed, changes)
    keep = max(until - window, 0)
    recent = state.counted_bin >= keep
    return BendingState(
        state.bins,
        until,
        state.next_index,
        state.partial,
        state.covered[-(state.bins - keep) :] if state.bins > keep else state.covered[:0],
        state.counted_bin[recent],
        state.counted_deg[recent],
        state.windows + len(numbers),
        best,
        run,
        tuple(closed),
    ), changes


def _beyond_chance(
    params: BendingParams, seconds: _Seconds, ends: IntArray, fires: BoolArray, rate: FloatArray
) -> BoolArray:
    """Return the windows of `fires` whose rate passes the limit by `sureness` standard errors of it.

    A few bends of this and that kind, now and then, pass a rate in a short window by chance; work that repeats comes
    evenly. The standard error of a rate of n events is that of their intervals: variation / sqrt(n).
    Source: own heuristic, after the renewal theorem (Cox 1962).
    """
    window, sums = window_bins(params), seconds.cycles_sum
    sure, known = fires.copy(), (-1, -1)
    least_share = 0.0
    for place in np.flatnonzero(fires).tolist():
        inside = (int(sums[ends[place] - window]), int(sums[ends[place]]))
        if inside != known:
            known, count = inside, inside[1] - inside[0]
            variation = _variation(np.diff(seconds.at[inside[0] : inside[1]]))
            least_share = 1.0 - params.sureness * variation / math.sqrt(count)
        sure[place] = rate[place] * least_share > params.rate_per_min
    return sure


def _variation(intervals: IntArray) -> float:
    """Return how unevenly bends come, from the intervals between them: 0 evenly, 1 by chance (Poisson).

    Of two intervals next to each other, the share of the longer one is uniform where bends come by chance, so that the
    median of |a - b| / (a + b) is a half. Neighbours only: two sets of different pace are even, each for itself.
    Source: after the local variation of Shinomoto, Shima and Tanji (2003), with the median for the mean of squares.
    """
    if intervals.size < MIN_INTERVALS:
        return 1.0
    before, after = intervals[:-1], intervals[1:]
    return 2.0 * median((np.abs(after - before) / np.maximum(after + before, 1)).tolist())


def _cannot_fire(params: BendingParams, state: BendingState) -> bool:
    """Tell whether no window can qualify: too few cycles are known for any window that is covered."""
    least = params.rate_per_min * params.coverage_share * params.min_duration_s / 60.0
    return state.open is None and state.best_coverage_share >= 1.0 and state.counted_bin.size <= least


def _seconds(state: BendingState, rate_hz: float, until: int) -> _Seconds:
    first = state.bins - state.covered.size
    complete = (state.counted_bin >= first) & (state.counted_bin < until)
    covered = state.covered[: until - first]
    cycles = np.bincount(state.counted_bin[complete] - first, minlength=covered.size)
    sums = [np.concatenate(([0], np.cumsum(part))) for part in (covered, cycles)]
    return _Seconds(
        first, sums[0], sums[1], _edges(first, until, rate_hz), state.counted_bin[complete], state.counted_deg[complete]
    )


def _follow(
    window: int,
    seconds: _Seconds,
    ends: IntArray,
    fires: BoolArray,
    rate: FloatArray,
    run: BendingRun | None,
    closed: list[BendingRun],
    changes: list[tuple[ChangeKind, BendingRun]],
) -> BendingRun | None:
    """Walk over the runs of windows that qualify, in order."""
    numbers, rates = (ends + seconds.first).tolist(), rate.tolist()
    for first, after in runs(fires):
        run = _closed_before(window, numbers[first], run, closed, changes)
        place = first
        if run is None:
            start = numbers[first] - window
            run = _extend(BendingRun(start, start), seconds, numbers[first], rates[first])
            changes.append((ChangeKind.OPENED, run))
            place += 1
        while place < after:
            # Up to the next whole minute of the run's own time, or to the last window of these.
            since = numbers[place] - run.first - window
            last = min(place + -since % CHANGED_EVERY_BINS, after - 1)
            run = _extend(run, seconds, numbers[last], max(rates[place : last + 1]))
            if (numbers[last] - run.first - window) % CHANGED_EVERY_BINS == 0:
                changes.append((ChangeKind.CHANGED, run))
            place = last + 1
    return _closed_before(window, numbers[-1], run, closed, changes)


def _closed_before(
    window: int,
    end: int,
    run: BendingRun | None,
    closed: list[BendingRun],
    changes: list[tuple[ChangeKind, BendingRun]],
) -> BendingRun | None:
    """Close the run if no window from the one that ends at `end` on shares a second with it."""
    if run is None or end - run.end < window:
        return run
    closed.append(_closed(run))
    changes.append((ChangeKind.CLOSED, closed[-1]))
    return None


def _extend(run: BendingRun, seconds: _Seconds, end: int, rate_per_min: float) -> BendingRun:
    a, b = run.end - seconds.first, end - seconds.first
    before, after = int(seconds.cycles_sum[a]), int(seconds.cycles_sum[b])
    ranges = run.ranges
    if after > before:
        degrees = np.clip(np.rint(seconds.degrees[before:after]).astype(np.int64), 0, 180)
        added = np.bincount(degrees, minlength=181)
        ranges = tuple((added + np.asarray(ranges) if ranges else added).tolist())
    return BendingRun(
        run.first,
        end,
        run.cycles + after - before,
        run.covered + int(seconds.covered_sum[b] - seconds.covered_sum[a]),
        run.expected + int(seconds.edges[b] - seconds.edges[a]),
        max(run.rate_max_per_min, rate_per_min),
        ranges=ranges,
    )


def _closed(run: BendingRun) -> BendingRun:
    return replace(run, range_median_deg=median_deg(run), ranges=())
