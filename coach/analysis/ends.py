"""Where a set begins and ends: which of its two poses is the one that repetitions start from, and how many there were.

The last return may go straight on to putting the weight down, and the first departure may come from anywhere. So a
stroke at an end counts when it leaves or reaches the opposite pose on its way, although it turns elsewhere.
Source: own heuristic.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from coach.analysis.chains import Chain
from coach.analysis.poses import median, one_apart_deg
from coach.analysis.turning import moving_log
from devices.types import FloatArray

# All own heuristics. A pose is left, or reached, when this share of the stroke is done, or left to do.
EDGE_SHARE, PASSED_SHARE = 0.15, 0.25
# Having passed, it arrives where this share of the stroke is left to do.
ARRIVED_SHARE = 0.03
# Largest distance to the pose a cycle away: where a stroke at an end turns into other movement; of the far pose and of
# the rest of a whole repetition that was trimmed off; and such a repetition's stroke, as shares of the usual one.
PASSING, FAR, REST, STROKE = 0.4, 0.6, 0.35, (0.6, 1.7)
# Difference of log moving times that such strokes may have, and how many cycles away the far pose may be.
LOG_TIME, NEAR_CYCLES = 0.6, 1.0
# Part of a stroke that tells that an odd stroke at an end belongs to a repetition.
PART = 0.55
# Of a recording that is cut at both ends: strokes within this many cycles of the edge were cut, and that part of a
# repetition begun is none.
CUT_CYCLES, BEGUN = 1.0, 0.1
# A recording is not cut where it begins or ends with rest: less than this share of a stroke in its last bit.
EDGE_S, STILL = 0.4, 0.05


@dataclass(frozen=True, slots=True)
class Turns:
    """at: indices of the turns of a set, alternating rest and far pose (of four strokes, two in between).

    open_begin, open_end: the first or last repetition lacks its way there or its way back.
    """

    at: tuple[int, ...]
    order: int
    open_begin: bool = False
    open_end: bool = False

    @property
    def count(self) -> int:
        return len(self.repetitions())

    @property
    def rest(self) -> int:
        """Return the index of a turn at the rest pose."""
        return self.at[1 if self.open_begin and self.order == 1 else 0]

    def repetitions(self) -> list[tuple[int | None, int, int | None]]:
        """Return (start, far, end) of each repetition, as indices; None where it is open."""
        if self.order == 2:
            return self._of_four()
        begin = 1 if self.open_begin else 0
        turns: list[int | None] = [*([None] * begin), *self.at, *([None] if self.open_end else [])]
        found = []
        for start, far, end in zip(turns[0::2], turns[1::2], turns[2::2], strict=False):
            if far is not None:
                found.append((start, far, end))
        return found

    def _of_four(self) -> list[tuple[int | None, int, int | None]]:
        whole = round((len(self.at) - 1) / 4 + 0.01)
        turns = [*self.at, *([None] * 4)]
        found: list[tuple[int | None, int, int | None]] = []
        for k in range(whole):
            far = turns[4 * k + 1]
            if far is not None:
                found.append((turns[4 * k], far, turns[4 * k + 4]))
        return found


class _Ends:
    def __init__(self, chain: Chain, rest: FloatArray | None) -> None:
        self.chain, self.course, self.rest = chain, chain.course, rest
        self.along = self.course.along_deg
        self.all_turns: list[int] = self.course.turns.tolist()
        self.rate_hz = self.course.stretch.rate_hz
        strokes = slice(chain.first, chain.end - 1)
        moving = self.course.log_moving[0, strokes]
        rising = self.along[self.course.turns[chain.first + 1 : chain.end]] > self.along[self.course.turns[strokes]]
        self.usual_log = {True: median(moving[rising].tolist()), False: median(moving[~rising].tolist())}

    def alike(self, i: int, j: int, share: float) -> bool:
        """Whether the poses at two indices are the same."""
        i, j = min(i, j), max(i, j)
        quat = self.course.stretch.quat
        return one_apart_deg(quat[i], quat[j], (j - i) / self.rate_hz, self.chain.drift) < share * self.chain.rom_deg

    def usual_time(self, i: int, j: int) -> bool:
        usual = self.usual_log[bool(self.along[j] > self.along[i])]
        return abs(moving_log(self.course, i, j) - usual) < LOG_TIME

    def passed(self, turns: list[int], at_end: bool, share: float) -> int | None:
        """Return where the stroke beyond an end arrives in, or leaves, the opposite pose, None if it never does."""
        edge, opposite = (turns[-1], turns[-2]) if at_end else (turns[0], turns[1])
        others = turns[::-1][1::2] if at_end else turns[1::2]
        pose = median(self.along[others].tolist())
        sign = 1.0 if self.along[edge] > pose else -1.0
        place = self._place(edge)
        if at_end:
            limit = self.all_turns[place + 1] if place + 1 < len(self.all_turns) else self.along.size - 1
            beyond = np.arange(edge + 1, limit + 1)
        else:
            limit = self.all_turns[place - 1] if place > 0 else 0
            beyond = np.arange(edge - 1, limit - 1, -1)
        left = sign * (self.along[beyond] - pose) / self.chain.along_deg
        near = np.flatnonzero(left < PASSED_SHARE)
        if not near.size:
            return None
        at = int(beyond[near[0]])
        if not self.alike(at, opposite, share) or not self.usual_time(min(at, edge), max(at, edge)):
            return None
        there = np.flatnonzero(left < ARRIVED_SHARE)
        return int(beyond[there[0] if there.size else left.argmin()])

    def trimmed(self, turns: list[int], at_end: bool) -> list[int]:
        """Return [rest, far] or [far, rest] of a whole repetition beyond an end that was taken off, or nothing."""
        edge, opposite = (turns[-1], turns[-2]) if at_end else (turns[0], turns[1])
        place = self._place(edge) + (1 if at_end else 0)
        if not at_end:
            place -= 1
        if place < 0 or place >= len(self.all_turns):
            return []
        far = self.all_turns[place]
        stroke = abs(self.along[far] - self.along[edge]) / self.chain.along_deg
        if abs(far - edge) > NEAR_CYCLES * self.chain.cycle_s * self.rate_hz or not STROKE[0] < stroke < STROKE[1]:
            return []
        if not self.alike(far, opposite, FAR) or not self.usual_time(min(far, edge), max(far, edge)):
            return []
        rest = self.passed([*turns, far] if at_end else [far, *turns], at_end, REST)
        if rest is None:
            return []
        return [far, rest] if at_end else [rest, far]

    def part(self, at_end: bool) -> float:
        """Return how much of a stroke there is beyond an end, at most 1."""
        turns = self.course.turns
        inside = turns[self.chain.end - 1] if at_end else turns[self.chain.first]
        if at_end:
            outside = turns[self.chain.end] if self.chain.end < turns.size else self.along.size - 1
        else:
            outside = turns[self.chain.first - 1] if self.chain.first > 0 else 0
        return min(abs(float(self.along[outside] - self.along[inside])) / self.chain.along_deg, 1.0)

    def cut(self, at_end: bool) -> bool:
        """Whether the stretch ends within the cycle beyond an end, while something moves."""
        margin = CUT_CYCLES * self.chain.cycle_s * self.rate_hz
        edge = max(round(EDGE_S * self.rate_hz), 1)
        if float(np.ptp(self.along[-1 - edge :] if at_end else self.along[: edge + 1])) < STILL * self.chain.along_deg:
            return False
        if at_end:
            near = self.course.turns[self.chain.end - 1] > self.along.size - margin
            return bool(near) and self.chain.end >= self.course.turns.size - 1
        return bool(self.course.turns[self.chain.first] < margin) and self.chain.first <= 1

    def _place(self, at: int) -> int:
        return int(np.searchsorted(self.course.turns, at))


def settle_ends(chain: Chain, rest: FloatArray | None = None) -> Turns:
    """Return the turns of a set. rest: (4,) the pose that its repetitions were known to start from."""
    ends = _Ends(chain, rest)
    turns = ends.all_turns[chain.first : chain.end]
    before, after = ends.passed(turns, False, PASSING), ends.passed(turns, True, PASSING)
    before, after = _needed(chain, turns, before, after)
    turns = [*([before] if before is not None else []), *turns, *([after] if after is not None else [])]
    if chain.order == 2:
        return Turns(tuple(turns), 2)
    cut = (before is None and ends.cut(False), after is None and ends.cut(True))
    part = (0.0 if before is not None else ends.part(False), 0.0 if after is not None else ends.part(True))
    if len(turns) % 2 and not cut[0]:
        turns = [*ends.trimmed(turns, False), *turns]
    if len(turns) % 2 and not cut[1]:
        turns = [*turns, *ends.trimmed(turns, True)]
    return _opened(ends, turns, cut, part)


def _needed(chain: Chain, turns: list[int], before: int | None, after: int | None) -> tuple[int | None, int | None]:
    """Keep the passed poses that make both ends the same pose: both or none of an even number of strokes, else one."""
    if chain.strokes % 2 == 0:
        return (before, after) if before is not None and after is not None else (None, None)
    if before is not None and after is not None:
        return (before, None) if turns[0] - before <= after - turns[-1] else (None, after)
    return before, after


def _opened(ends: _Ends, turns: list[int], cut: tuple[bool, bool], part: tuple[float, float]) -> Turns:
    """Decide which pose is the rest and whether the first or last repetition is open."""
    strokes = len(turns) - 1
    if ends.rest is not None:
        quat = ends.course.stretch.quat
        apart = [one_apart_deg(ends.rest, quat[at], 0.0, 0.0) for at in turns[:2]]
        starts_far = apart[1] < apart[0]
        return Turns(tuple(turns), 1, starts_far, starts_far == (strokes % 2 == 0))
    if cut[0] and cut[1]:
        count = math.ceil((strokes + part[0] + part[1]) / 2 - BEGUN)
        if strokes % 2 == 0:
            begun = count > strokes // 2
            return Turns(tuple(turns), 1, begun, begun)
        if count > (strokes + 1) // 2:
            # Begun at both edges: the rest is where more of the next repetition is seen.
            if part[1] >= part[0]:
                return Turns((*turns, ends.along.size - 1), 1, True, True)
            return Turns((0, *turns), 1, True, True)
        return _odd(turns, part)
    if strokes % 2 == 0:
        return Turns(tuple(turns), 1)
    if max(part) > PART or cut[0] or cut[1]:
        return _odd(turns, part)
    return Turns(tuple(turns[:-1]) if part[0] <= part[1] else tuple(turns[1:]), 1)


def _odd(turns: list[int], part: tuple[float, float]) -> Turns:
    """Begin at the end where less movement lies beyond: there the person rested."""
    begins_at_rest = part[0] <= part[1]
    return Turns(tuple(turns), 1, not begins_at_rest, begins_at_rest)
