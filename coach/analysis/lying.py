"""Lying as a state of its own, from one sensor on the trunk; what is lying is no posture and no bend.

A trunk sensor alone cannot tell a stoop from lying prone by its angle. Hardly anybody holds a free trunk bent by 60
degrees for half a minute without moving it by 10 degrees, so that a trunk level and that still for that long counts as
lying; on the back or on a side nobody stoops, and ten seconds will do. Source: own heuristic.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise

import numpy as np

from coach.analysis.quality import BoolArray, runs_of
from coach.analysis.types import LyingSide, LyingStretch
from devices.types import FloatArray, IntArray

# What the trunk does: free (upright or bent), level and not yet decided, lying.
FREE, PENDING, LYING = 0, 1, 2
# Own heuristics: level from 60 degrees on, no longer below 50; decided after half a minute in a band of 10 degrees, or
# ten seconds on the back or a side.
LEVEL_COS = math.cos(math.radians(60.0))
UP_COS = math.cos(math.radians(50.0))
STILL_BAND_DEG = 10.0
STILL_S = 30.0
SIDE_S = 10.0
# Own heuristics: what is decided by a stretch of time begins anew after a longer gap; so does lying after a minute.
MAX_PAUSE_S = 1.0
MAX_LYING_PAUSE_S = 60.0
# Own heuristics: who has lain on the back or a side, or anyhow for that long, and is level again that soon after
# rising, lies on: a sit-up, or a turn in bed. Of a front not known, and prone, somebody may stoop.
SURE_S = 120.0
AGAIN_S = 10.0
# Own heuristic: who has been level for that long and never still enough works bent; what comes next is asked anew.
MAX_PENDING_S = 1800.0


class _Down(IntEnum):
    """Which side is down, as counted."""

    PRONE = 0
    SUPINE = 1
    LEFT = 2
    RIGHT = 3
    UNKNOWN = 4


_SIDES = (LyingSide.PRONE, LyingSide.SUPINE, LyingSide.LEFT, LyingSide.RIGHT, LyingSide.UNKNOWN)


@dataclass(frozen=True, slots=True)
class LyingState:
    """mode: FREE, PENDING or LYING at the newest glance.

    began, newest: samples at which the trunk became level and was last seen so. still_from, low_deg, high_deg: of the
    band it has kept to since then; aside_from: first sample of the newest run on the back or a side, -1 for none.
    sides: glances per side while level; totals: in all lying so far. known_from: sample from which on lying could be
    told, -1 never. again: it goes on after a rise. rose: glance at which the newest lying had ended, -1 before; sure:
    whether that was lying for certain.
    """

    mode: int = FREE
    began: int = -1
    newest: int = -1
    still_from: int = -1
    low_deg: float = 0.0
    high_deg: float = 0.0
    aside_from: int = -1
    sides: tuple[int, ...] = (0, 0, 0, 0, 0)
    totals: tuple[int, ...] = (0, 0, 0, 0, 0)
    known_from: int = -1
    again: bool = False
    rose: int = -1
    sure: bool = False


@dataclass(frozen=True, slots=True)
class Glances:
    """A few looks a second at the trunk.

    at: (n,) sample numbers, evenly apart. upright: (n,) cosine of the angle from upright, NaN where it is missing or
    not known. tilt_deg: (3, n) inclination, flexion, lean from the upright direction, or (1, n), the inclination alone,
    while the body's front is not known.
    """

    at: IntArray
    upright: FloatArray
    tilt_deg: FloatArray


def detect_lying(
    state: LyingState, rate_hz: float, glances: Glances
) -> tuple[LyingState, IntArray | None, list[LyingStretch]]:
    """Take the next glances. Returns the mode at each, None where it is FREE at all, and the stretches that ended.

    What turned out among these glances to be no lying is FREE from its beginning.
    """
    upright = glances.upright
    known_from = state.known_from
    if known_from < 0:
        known = ~np.isnan(upright)
        if not known.any():
            return state, None, []
        known_from = int(glances.at[int(np.argmax(known))])
    level = upright < LEVEL_COS
    if state.mode == FREE and not level.any():
        if known_from == state.known_from:
            return state, None, []
        return LyingState(totals=state.totals, known_from=known_from), None, []
    walk = _Walk(state, rate_hz, known_from)
    modes = _modes(walk, glances, level)
    for (first, end), (after, _) in pairwise(runs_of(modes)):
        if modes[first] == PENDING and modes[after] == FREE:
            modes[first:end] = FREE  # decided: it was none
    return walk.state(), modes if modes.any() or state.mode != FREE else None, walk.ended


def _modes(walk: _Walk, glances: Glances, level: BoolArray) -> IntArray:
    """Return the mode at each glance (n,), walked through from the first that is level."""
    upright, down = glances.upright, _sides(glances)
    modes = np.zeros(upright.size, dtype=np.int64)
    cosines, angles, sides = upright.tolist(), glances.tilt_deg[0].tolist(), down.tolist()
    row, count = 0, upright.size
    while row < count:
        # A few glances a second, and only from where the trunk is level to where it is no longer.
        if walk.mode == FREE:
            ahead = level[row:]
            row += int(np.argmax(ahead)) if ahead.any() else count
            if row >= count:
                break
        modes[row] = walk.step(int(glances.at[row]), cosines[row], angles[row], sides[row])
        row += 1
        if walk.mode == LYING and row < count:
            # Whoever lies is passed over to where that may end.
            stays = upright[row:] <= UP_COS
            stop = count if stays.all() else row + int(np.argmin(stays))
            if stop > row:
                walk.lie(int(glances.at[stop - 1]), down[row:stop])
                modes[row:stop] = LYING
                row = stop
    return modes


def finish_lying(state: LyingState, rate_hz: float) -> tuple[LyingState, list[LyingStretch]]:
    """End a stretch that is under way."""
    walk = _Walk(state, rate_hz, state.known_from)
    if state.mode == LYING:
        walk.end(state.newest)
    walk.mode = FREE
    return walk.state(), walk.ended


def side_durations_s(state: LyingState, glance_s: float) -> dict[LyingSide, float]:
    """Return the time lain on each side; glance_s: s of a glance. Sides without any are left out."""
    return {side: count * glance_s for side, count in zip(_SIDES, state.totals, strict=True) if count}


def _sides(glances: Glances) -> IntArray:
    """Return which side would be down at each glance."""
    if len(glances.tilt_deg) < 3:
        return np.full(glances.at.size, int(_Down.UNKNOWN))
    _, flexion, lean = glances.tilt_deg
    sagittal = np.where(flexion >= 0.0, int(_Down.PRONE), int(_Down.SUPINE))
    frontal = np.where(lean >= 0.0, int(_Down.RIGHT), int(_Down.LEFT))
    return np.where(np.abs(flexion) >= np.abs(lean), sagittal, frontal)


class _Walk:
    """A state on its way over glances."""

    def __init__(self, state: LyingState, rate_hz: float, known_from: int) -> None:
        self.mode, self.began, self.newest, self.still_from = state.mode, state.began, state.newest, state.still_from
        self.low, self.high, self.aside_from = state.low_deg, state.high_deg, state.aside_from
        self.sides, self.totals = list(state.sides), list(state.totals)
        self.known_from, self.rate_hz = known_from, rate_hz
        self.again, self.rose, self.sure = state.again, state.rose, state.sure
        self.ended: list[LyingStretch] = []

    def state(self) -> LyingState:
        if self.mode == FREE:
            return LyingState(totals=tuple(self.totals), known_from=self.known_from, rose=self.rose, sure=self.sure)
        return LyingState(
            self.mode,
            self.began,
            self.newest,
            self.still_from,
            self.low,
            self.high,
            self.aside_from,
            tuple(self.sides),
            tuple(self.totals),
            self.known_from,
            self.again,
            self.rose,
            self.sure,
        )

    def step(self, at: int, cosine: float, angle: float, side: int) -> int:
        if cosine != cosine:  # missing: nothing is decided by what was not seen
            return self.mode
        self._pause(at, angle)
        if self.mode == FREE:
            if cosine >= LEVEL_COS:
                return FREE
            self.mode, self.began = PENDING, at
            self.still_from, self.low, self.high = at, angle, angle
            self.aside_from, self.sides = -1, [0, 0, 0, 0, 0]
            self.again = self.sure and at - self.rose <= AGAIN_S * self.rate_hz
            if self.again:
                self.mode = LYING
        elif cosine > UP_COS:
            if self.mode == LYING:
                self.rose, self.sure = at, self._sure(at)
                self.end(at)
            self.mode = FREE
            return FREE
        self.newest = at
        self.sides[side] += 1
        if self.mode == PENDING:
            if self._decided(at, angle, side):
                self.mode = LYING
            elif at - self.began >= MAX_PENDING_S * self.rate_hz:
                self.mode = FREE
        return self.mode

    def lie(self, newest: int, sides: IntArray) -> None:
        """Go on lying, up to the glance at sample `newest`."""
        self.newest = newest
        counts = np.bincount(sides, minlength=len(self.sides)).tolist()
        self.sides = [before + more for before, more in zip(self.sides, counts, strict=True)]

    def _pause(self, at: int, angle: float) -> None:
        """Decide nothing by what was not seen."""
        pause_s = (at - self.newest) / self.rate_hz
        if self.mode == PENDING and pause_s > MAX_PAUSE_S:
            self.still_from, self.low, self.high, self.aside_from = at, angle, angle, -1
        elif self.mode == LYING and pause_s > MAX_LYING_PAUSE_S:
            self.end(self.newest)
            self.mode, self.rose, self.sure = FREE, at, False

    def _decided(self, at: int, angle: float, side: int) -> bool:
        self.low, self.high = min(self.low, angle), max(self.high, angle)
        if self.high - self.low > STILL_BAND_DEG:
            self.still_from, self.low, self.high = at, angle, angle
        if side in (_Down.SUPINE, _Down.LEFT, _Down.RIGHT):
            self.aside_from = at if self.aside_from < 0 else self.aside_from
        else:
            self.aside_from = -1
        aside = self.aside_from >= 0 and at - self.aside_from >= SIDE_S * self.rate_hz
        return aside or at - self.still_from >= STILL_S * self.rate_hz

    def _sure(self, at: int) -> bool:
        """Tell whether it was lying for certain, and no stoop."""
        aside = self._side() in (_Down.SUPINE, _Down.LEFT, _Down.RIGHT)
        return self.again or aside or at - self.began >= SURE_S * self.rate_hz

    def _side(self) -> int:
        return max(range(len(self.sides)), key=lambda place: self.sides[place])

    def end(self, at: int) -> None:
        side = self._side()
        self.ended.append(LyingStretch(self.began / self.rate_hz, at / self.rate_hz, _SIDES[side]))
        self.totals = [total + count for total, count in zip(self.totals, self.sides, strict=True)]
