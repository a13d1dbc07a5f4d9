"""Chains of strokes that repeat: each turning pose is met again one cycle later.

A repetition leaves a pose and returns to it. So a cycle is told by its poses in space, not by the height of a peak;
what is handled or carried does not come back to where it was. Whether a cycle is two strokes or four is decided by
which of the two readings is more alike from cycle to cycle: that guards against doubling the count. Source: own
heuristic.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from coach.analysis.motion_types import MotionParams
from coach.analysis.poses import apart_deg, drift_radps, turn_between
from coach.analysis.quality import BoolArray, runs
from coach.analysis.turning import Course
from devices.types import FloatArray

# All of these are own heuristics; docs/algorithms.md tells what a fifth more or less of each changes.
# Largest distance of a pose from the one a cycle before, and of an end from the three nearest of its kind, as a share
# of the stroke; the latter is stricter, down to END_LEAST, in an even set: END_TIMES the usual distance.
MATCH, END_MOST, END_LEAST, END_TIMES = 0.5, 0.5, 0.35, 3.0
# A stroke at an end may take so much longer or shorter than usual (a difference of logarithms).
END_LOG_TIME = 0.8
# Smallest stroke of a cycle, as a share of its largest.
EVEN = 0.35
# More than that is a whole turn: nothing has returned.
MAX_STROKE_DEG = 215.0
# Two pieces are one chain when no more than so many cycles lie between them and their cycles and strokes are alike.
JOIN_CYCLES, JOIN_TIME, JOIN_STROKE = 2.5, 1.7, 2.0
# Four strokes make a cycle when cycles of four are that much more alike than cycles of two; seen in so many strokes.
DOUBLE_SHARE, DOUBLE_STROKES, TIME_WEIGHT = 0.6, 11, 0.25
# The proof that a chain needs: (with two cycles, with eight and more) of poses, of moving times, of straightness; and
# with fewer than three cycles the cycles last alike.
UNLIKE, UNEVEN, STRAIGHT = (0.17, 0.42), (0.35, 0.45), (0.85, 0.5)
FEW, MANY, FEW_UNEVEN = 2.0, 8.0, 0.35


@dataclass(frozen=True, slots=True)
class Chain:
    """Turning points `first` to `end` - 1 of a course. order: cycles of two strokes (1) or of four (2).

    rom_deg: usual stroke; along_deg: usual stroke along the axis. unlike: distance of poses a cycle apart / rom.
    uneven: RMS difference of log moving times a cycle apart; uneven_cycles: of cycle times. straight: share of the
    strokes along the axis. doubled: how alike cycles of four strokes are, relative to cycles of two.
    """

    course: Course
    first: int
    end: int
    order: int
    drift: float
    cycle_s: float
    rom_deg: float
    along_deg: float
    unlike: float
    uneven: float
    uneven_cycles: float
    straight: float
    doubled: float

    @property
    def strokes(self) -> int:
        return self.end - self.first - 1

    @property
    def cycles(self) -> float:
        return self.strokes / (2 * self.order)

    @property
    def span(self) -> tuple[int, int]:
        turns = self.course.turns
        return int(turns[self.first]), int(turns[self.end - 1])

    @property
    def weight(self) -> float:
        return self.cycles * self.rom_deg * (1.0 - self.unlike)


def find_chains(params: MotionParams, course: Course) -> list[Chain]:
    """Return the chains of a course that are proof enough of a set."""
    found: list[Chain] = []
    for order in (1, 2):
        if order == 2 and course.turns.size <= DOUBLE_STROKES:
            break
        lag = 2 * order
        if course.turns.size < lag + 1:
            break
        cycle_s = course.times_s[lag:] - course.times_s[:-lag]
        pieces = [(i, j + lag) for i, j in runs(_links(params, course, order, cycle_s))]
        for first, end in _joined(pieces, course, lag, cycle_s):
            chain = _Trimmer(course, lag, first, end).chain()
            if chain is not None and _proven(params, chain):
                found.append(chain)
    return found


def _links(params: MotionParams, course: Course, order: int, cycle_s: FloatArray) -> BoolArray:
    """Return whether the pose at each turning point is met again a cycle later."""
    lag = 2 * order
    strokes = sliding_window_view(course.stroke_deg, lag)
    largest, smallest = strokes.max(axis=1), strokes.min(axis=1)
    longest_s = sliding_window_view(np.diff(course.times_s), lag).max(axis=1)
    sane: BoolArray = (smallest > params.min_rom_deg) & (largest < MAX_STROKE_DEG)
    sane &= (longest_s < params.max_stroke_s) & (cycle_s > params.min_cycle_s)
    if order == 1:
        sane &= smallest > EVEN * largest
    if not sane.any():
        return sane
    scalar, vertical = turn_between(course.poses[:-lag], course.poses[lag:])
    drift = drift_radps(scalar[sane], vertical[sane], cycle_s[sane])
    sane &= apart_deg(scalar, vertical, cycle_s, drift) < MATCH * largest
    return sane


def _joined(pieces: list[tuple[int, int]], course: Course, lag: int, cycle_s: FloatArray) -> list[tuple[int, int]]:
    """Join pieces that a changed posture or one odd repetition parts. pieces: (first, end) turning points."""
    joined: list[tuple[int, int]] = []
    for first, end in pieces:
        if joined:
            start, last = joined[-1]
            before = _median(cycle_s[max(start, last - lag - 5) : last - lag].tolist())
            after = _median(cycle_s[first : min(end - lag, first + 5)].tolist())
            smaller = _median(course.stroke_deg[max(start, last - 7) : last - 1].tolist())
            larger = _median(course.stroke_deg[first : min(end - 1, first + 6)].tolist())
            pause_s = course.times_s[first] - course.times_s[last - 1]
            alike = 1 / JOIN_TIME < before / after < JOIN_TIME and 1 / JOIN_STROKE < smaller / larger < JOIN_STROKE
            if alike and pause_s < JOIN_CYCLES * before:
                joined[-1] = (start, max(end, last))
                continue
        joined.append((first, end))
    return joined


class _Trimmer:
    """Takes off the ends of a piece what is unlike the rest, and measures what is left."""

    def __init__(self, course: Course, lag: int, first: int, end: int) -> None:
        self._course, self._lag, self._first, self._count = course, lag, first, end - first
        self._times_s, self._poses = course.times_s[first:end], course.poses[first:end]
        self._cycle_s = self._times_s[lag:] - self._times_s[:-lag]
        scalar, vertical = turn_between(self._poses[:-lag], self._poses[lag:])
        self._drift = drift_radps(scalar, vertical, self._cycle_s)
        near: list[float] = apart_deg(scalar, vertical, self._cycle_s, self._drift).tolist()
        self._apart = [near, self._distances(2 * lag), self._distances(3 * lag)]
        self._strokes: list[float] = course.stroke_deg[first : end - 1].tolist()
        self._moving: list[float] = course.log_moving[0, first : end - 1].tolist()

    def _distances(self, lag: int) -> list[float]:
        if self._count <= lag:
            return []
        scalar, vertical = turn_between(self._poses[:-lag], self._poses[lag:])
        apart_s = self._times_s[lag:] - self._times_s[:-lag]
        distances: list[float] = apart_deg(scalar, vertical, apart_s, self._drift).tolist()
        return distances

    def chain(self) -> Chain | None:
        """Return the chain of the piece without its odd ends; None if too little is left."""
        lag, first, end = self._lag, 0, self._count
        while end - first > 2 * lag:
            begin, finish = self._oddness(first, end)
            if begin > 1.0 and begin >= finish:
                first += 1
            elif finish > 1.0:
                end -= 1
            else:
                return self._measured(first, end)
        return None

    def _oddness(self, first: int, end: int) -> tuple[float, float]:
        lag = self._lag
        rom = self._rom(first, end)
        limit = rom * min(max(END_TIMES * _median(self._apart[0][first : end - lag]) / rom, END_LEAST), END_MOST)
        reach = [lag * k for k in (1, 2, 3) if end - first > lag * k]
        begin = _median([self._apart[k][first] for k in range(len(reach))]) / limit
        finish = _median([self._apart[k][end - 1 - far] for k, far in enumerate(reach)]) / limit
        moving = self._moving[first : end - 1]
        kind = (len(moving) - 1) % lag
        begin = max(begin, abs(moving[0] - _median(moving[::lag])) / END_LOG_TIME)
        finish = max(finish, abs(moving[-1] - _median(moving[kind::lag])) / END_LOG_TIME)
        return begin, finish

    def _rom(self, first: int, end: int) -> float:
        strokes = self._strokes[first : end - 1]
        if self._lag == 2:
            return _median(strokes)
        # Of four strokes two may be short.
        return sorted(strokes)[(3 * len(strokes)) // 4]

    def _measured(self, first: int, end: int) -> Chain:
        course, lag = self._course, self._lag
        rom = self._rom(first, end)
        cycles = self._cycle_s[first : end - lag]
        apart = np.array(self._apart[0][first : end - lag]) / rom
        strokes = slice(self._first + first, self._first + end - 1)
        moving = course.log_moving[:, strokes]
        longer = np.log(cycles)
        straight = course.straight_deg[strokes]
        return Chain(
            course,
            self._first + first,
            self._first + end,
            lag // 2,
            self._drift,
            _median(cycles.tolist()),
            rom,
            _median(straight.tolist()),
            float(np.sqrt(apart @ apart / apart.size)),
            float(np.sqrt(((moving[:, lag:] - moving[:, :-lag]) ** 2).mean(axis=1).min())),
            float(np.sqrt(((longer[lag:] - longer[:-lag]) ** 2).mean())) if longer.size > lag else 0.0,
            float(straight.sum() / course.stroke_deg[strokes].sum()),
            self._doubled(first, end, rom),
        )

    def _doubled(self, first: int, end: int, rom: float) -> float:
        if end - 1 - first < DOUBLE_STROKES:
            return 1.0
        single, double = (self._difference(first, end, lag, rom) for lag in (2, 4))
        return float(np.sqrt(double / single)) if single > 0 else 1.0

    def _difference(self, first: int, end: int, lag: int, rom: float) -> float:
        known = self._apart[lag // self._lag - 1] if lag >= self._lag else self._distances(lag)
        apart = np.array(known[first : end - lag]) / rom
        moving = self._course.log_moving[0, self._first + first : self._first + end - 1]
        return float((apart * apart).mean() + TIME_WEIGHT * ((moving[lag:] - moving[:-lag]) ** 2).mean())


def _proven(params: MotionParams, chain: Chain) -> bool:
    if (chain.doubled < DOUBLE_SHARE) != (chain.order == 2) or chain.cycles < params.min_cycles:
        return False
    if params.certain:
        return True
    if chain.cycles < FEW + 0.9 and (chain.order == 2 or chain.uneven_cycles > FEW_UNEVEN):
        return False
    share = min(max((chain.cycles - FEW) / (MANY - FEW), 0.0), 1.0)
    unlike, uneven, straight = (few + (many - few) * share for few, many in (UNLIKE, UNEVEN, STRAIGHT))
    return chain.unlike < unlike and chain.uneven < uneven and chain.straight > straight


def _median(values: list[float]) -> float:
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else 0.5 * (ordered[half - 1] + ordered[half])
