"""Chains of strokes that repeat: each turning pose is met again one cycle later.

A repetition leaves a pose and returns to it. So a cycle is told by its poses in space, not by the height of a peak;
what is handled or carried does not come back to where it was. Whether a cycle is two strokes or four is decided by
which of the two readings is more alike from cycle to cycle: that guards against doubling the count. Source: own
heuristic.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from coach.analysis.motion_types import MotionParams
from coach.analysis.poses import apart_deg, drift_radps, median, turn_between
from coach.analysis.quality import BoolArray, runs
from coach.analysis.turning import Course
from devices.types import FloatArray

# All of these are own heuristics; docs/algorithms.md tells what a fifth more or less of each changes.
# Largest distance of a pose from the one a cycle before, and of an end from the three nearest of its kind, as a share
# of the stroke; the latter is stricter, down to END_LEAST, in an even set: END_TIMES the usual distance.
MATCH, END_MOST, END_LEAST, END_TIMES = 0.5, 0.5, 0.3, 3.0
# A stroke at an end may take so much longer or shorter than usual (a difference of logarithms).
END_LOG_TIME = 0.7
# Smallest stroke of a cycle, as a share of its largest.
EVEN = 0.35
# More than that is a whole turn: nothing has returned.
MAX_STROKE_DEG = 215.0
# Two pieces are one chain when no more than so many cycles lie between them and their cycles and strokes are alike.
JOIN_CYCLES, JOIN_TIME, JOIN_STROKE = 2.5, 1.7, 2.0
# Four strokes make a cycle when cycles of four are that much more alike than cycles of two; seen in so many strokes.
DOUBLE_SHARE, DOUBLE_STROKES, TIME_WEIGHT = 0.6, 11, 0.25
# So few turning points with so unlike poses are not worth a closer look.
HOPELESS_TURNS, HOPELESS = 8, 0.3
# The proof that a chain needs: (with two cycles, with eight and more) of poses, of moving times, of straightness; and
# with fewer than three cycles the cycles last alike.
UNLIKE, UNEVEN, STRAIGHT = (0.17, 0.42), (0.35, 0.45), (0.85, 0.5)
FEW, MANY, FEW_UNEVEN = 2.0, 8.0, 0.35
# Of an exercise that is known only the poses are looked at.
UNLIKE_KNOWN = 0.35


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
    single = _chains(params, course, 1)
    found = [chain for chain in single if _proven(params, chain)]
    if course.turns.size <= DOUBLE_STROKES or (found and all(chain.doubled >= DOUBLE_SHARE for chain in single)):
        return found
    return found + [chain for chain in _chains(params, course, 2) if _proven(params, chain)]


def _chains(params: MotionParams, course: Course, order: int) -> list[Chain]:
    lag = 2 * order
    if course.turns.size < lag + 1:
        return []
    cycle_s = course.times_s[lag:] - course.times_s[:-lag]
    pieces = [(i, j + lag) for i, j in runs(_links(params, course, lag, cycle_s))]
    if len(pieces) > 1:
        pieces = _joined(pieces, course.stroke_deg.tolist(), course.times_s.tolist(), lag, cycle_s.tolist())
    few = lag if params.min_cycles < 2.0 else 2 * lag
    least = few if order == 1 else DOUBLE_STROKES
    chains = (_Piece(course, lag, first, end).chain(few) for first, end in pieces if end - first > least)
    return [chain for chain in chains if chain is not None]


def _links(params: MotionParams, course: Course, lag: int, cycle_s: FloatArray) -> BoolArray:
    """Return whether the pose at each turning point is met again a cycle later."""
    strokes, stroke_s = course.stroke_deg, course.times_s[1:] - course.times_s[:-1]
    largest, smallest = np.maximum(strokes[1:], strokes[:-1]), np.minimum(strokes[1:], strokes[:-1])
    longest_s = np.maximum(stroke_s[1:], stroke_s[:-1])
    if lag == 2:
        sane: BoolArray = smallest > np.maximum(EVEN * largest, params.min_rom_deg)
    else:
        largest = np.maximum(largest[2:], largest[:-2])
        longest_s = np.maximum(longest_s[2:], longest_s[:-2])
        sane = np.minimum(smallest[2:], smallest[:-2]) > params.min_rom_deg
    sane &= largest < MAX_STROKE_DEG
    sane &= longest_s < params.max_stroke_s
    sane &= cycle_s > params.min_cycle_s
    if not sane.any():
        return sane
    scalar, vertical = turn_between(course.poses[:-lag], course.poses[lag:])
    drift = drift_radps(scalar[sane], vertical[sane], cycle_s[sane])
    sane &= apart_deg(scalar, vertical, cycle_s, drift) < MATCH * largest
    return sane


def _joined(
    pieces: list[tuple[int, int]], strokes: list[float], times_s: list[float], lag: int, cycle_s: list[float]
) -> list[tuple[int, int]]:
    """Join pieces that a changed posture or one odd repetition parts. pieces: (first, end) turning points."""
    joined: list[tuple[int, int]] = []
    for first, end in pieces:
        if joined:
            start, last = joined[-1]
            before = median(cycle_s[max(start, last - lag - 5) : last - lag])
            after = median(cycle_s[first : min(end - lag, first + 5)])
            one = median(strokes[max(start, last - 7) : last - 1])
            other = median(strokes[first : min(end - 1, first + 6)])
            alike = 1 / JOIN_TIME < before / after < JOIN_TIME and 1 / JOIN_STROKE < one / other < JOIN_STROKE
            if alike and times_s[first] - times_s[last - 1] < JOIN_CYCLES * before:
                joined[-1] = (start, max(end, last))
                continue
        joined.append((first, end))
    return joined


class _Piece:
    """Linked turning points, from which what is unlike the rest is taken off at the ends."""

    def __init__(self, course: Course, lag: int, first: int, end: int) -> None:
        self._course, self._lag, self._first, self._count = course, lag, first, end - first
        self._times_s, self._poses = course.times_s[first:end], course.poses[first:end]
        self._cycle_s = self._times_s[lag:] - self._times_s[:-lag]
        scalar, vertical = turn_between(self._poses[:-lag], self._poses[lag:])
        self._drift = drift_radps(scalar, vertical, self._cycle_s)
        self._near = apart_deg(scalar, vertical, self._cycle_s, self._drift)
        self._known = {lag: self._near}

    def _apart(self, lag: int) -> FloatArray:
        """Return how far each pose is from the one `lag` turns later."""
        if self._count <= lag:
            return self._near[:0]
        if lag not in self._known:
            scalar, vertical = turn_between(self._poses[:-lag], self._poses[lag:])
            apart_s = self._times_s[lag:] - self._times_s[:-lag]
            self._known[lag] = apart_deg(scalar, vertical, apart_s, self._drift)
        return self._known[lag]

    def chain(self, few: int) -> Chain | None:
        """Return the chain of the piece without its odd ends; None if no more than `few` turns are left."""
        lag, first, end = self._lag, 0, self._count
        strokes: list[float] = self._course.stroke_deg[self._first : self._first + end - 1].tolist()
        moving: list[float] = self._course.log_moving[0, self._first : self._first + end - 1].tolist()
        usual = [median(moving[kind::lag]) for kind in range(lag)]
        late = [abs(log - usual[at % lag]) / END_LOG_TIME for at, log in enumerate(moving)]
        rom, near = self._rom(strokes), median(self._near.tolist())
        if end <= HOPELESS_TURNS and near > HOPELESS * rom:
            return None
        limit = min(max(END_TIMES * near, END_LEAST * rom), END_MOST * rom)
        begins, ends = self._odd(limit)
        while end - first > few:
            begin, finish = max(begins[first], late[first]), max(ends[end - 1], late[end - 2])
            if begin > 1.0 and begin >= finish:
                first += 1
            elif finish > 1.0:
                end -= 1
            else:
                return self._measured(first, end, self._rom(strokes[first : end - 1]))
        return None

    def _odd(self, limit: float) -> tuple[list[float], list[float]]:
        """Return how odd each turn would be as a beginning, and as an end: 1 at the limit.

        It is compared with the three next ones of its kind inside, or the one that there is.
        """
        lag, count, near = self._lag, self._count, self._near / limit
        forth, back = np.empty((3, count)), np.empty((3, count))
        for row in range(3):
            far = (row + 1) * lag
            forth[row, : count - lag], back[row, lag:] = near, near
            if row and count > far:
                apart = self._apart(far) / limit
                forth[row, : count - far], back[row, far:] = apart, apart
        forth[:, count - lag :], back[:, :lag] = 0.0, 0.0
        return _middle(*forth).tolist(), _middle(*back).tolist()

    def _rom(self, strokes: list[float]) -> float:
        # Of four strokes two may be short.
        return median(strokes) if self._lag == 2 else sorted(strokes)[(3 * len(strokes)) // 4]

    def _measured(self, first: int, end: int, rom: float) -> Chain | None:
        course, lag = self._course, self._lag
        cycles = self._cycle_s[first : end - lag]
        unlike = _rms(self._near[first : end - lag]) / rom
        if unlike >= UNLIKE[1]:
            return None  # not even a long chain may be so unlike
        strokes = slice(self._first + first, self._first + end - 1)
        moving = course.log_moving[:, strokes]
        uneven = moving[:, lag:] - moving[:, :-lag]
        longer = np.log(cycles[lag:] / cycles[:-lag])
        straight = course.straight_deg[strokes]
        return Chain(
            course,
            self._first + first,
            self._first + end,
            lag // 2,
            self._drift,
            median(cycles.tolist()),
            rom,
            median(straight.tolist()),
            unlike,
            min(_rms(uneven[0]), _rms(uneven[1])),
            _rms(longer),
            float(straight.sum() / course.stroke_deg[strokes].sum()),
            self._doubled(first, end, rom),
        )

    def _doubled(self, first: int, end: int, rom: float) -> float:
        """Return how alike cycles of four strokes are, relative to cycles of two."""
        if end - 1 - first < DOUBLE_STROKES:
            return 1.0
        moving = self._course.log_moving[0, self._first + first : self._first + end - 1]
        single, double = (
            (_rms(self._apart(lag)[first : end - lag]) / rom) ** 2
            + TIME_WEIGHT * _rms(moving[lag:] - moving[:-lag]) ** 2
            for lag in (2, 4)
        )
        return math.sqrt(double / single) if single > 0 else 1.0


def _proven(params: MotionParams, chain: Chain) -> bool:
    if (chain.doubled < DOUBLE_SHARE) != (chain.order == 2) or chain.cycles < params.min_cycles:
        return False
    if params.certain:
        return chain.unlike < UNLIKE_KNOWN and chain.straight > STRAIGHT[1]
    if chain.cycles < FEW + 0.9 and (chain.order == 2 or chain.uneven_cycles > FEW_UNEVEN):
        return False
    share = min(max((chain.cycles - FEW) / (MANY - FEW), 0.0), 1.0)
    unlike, uneven, straight = (few + (many - few) * share for few, many in (UNLIKE, UNEVEN, STRAIGHT))
    return chain.unlike < unlike and chain.uneven < uneven and chain.straight > straight


def _middle(a: FloatArray, b: FloatArray, c: FloatArray) -> FloatArray:
    """Return the middle one of three values, for each column; many times as fast as sorting them."""
    middle: FloatArray = np.maximum(np.minimum(a, b), np.minimum(np.maximum(a, b), c))
    return middle


def _rms(values: FloatArray) -> float:
    return math.sqrt(float(values @ values) / values.size) if values.size else 0.0
