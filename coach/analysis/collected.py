"""What one call of the analysis gathers on its way through the blocks."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from coach.analysis.activity import settled_until
from coach.analysis.exposure import (
    ByteArray,
    Column,
    MinuteRow,
    add_events,
    add_holds,
    add_repetitions,
    add_strokes,
    finish_minutes,
    held_from_s,
    minute_due,
    settle_minutes,
    unusable,
)
from coach.analysis.motion_types import Motion
from coach.analysis.posture import look_every
from coach.analysis.rotation import GAP, Turn, YawLine, value_at_s
from coach.analysis.soundness import long_enough
from coach.analysis.state import AnalysisState
from coach.analysis.strain import BendingRun
from coach.analysis.summary import unsound
from coach.analysis.swing_types import Swing
from coach.analysis.types import Bend, ChangeKind, LyingStretch, StaticHold
from coach.analysis.wearing import codes_of, forget_before, worn_at
from devices.types import FloatArray

# Own choice: bounds the state of a stream that began with some samples and a long pause.
MOST_HELD_S = 3600


class Collected:
    """Events, rows and counts, in order; turned into Features at the end of the call."""

    def __init__(self, state: AnalysisState) -> None:
        self.posture = state.posture
        self.start = -1
        self.quat: list[FloatArray] = []
        self.inclination: list[FloatArray] = []
        self.bends: list[Bend] = []
        self.lying: list[LyingStretch] = []
        self.static_holds: list[StaticHold] = []
        self.motion = Motion()
        self.swings: list[Swing] = []
        self.changes: list[tuple[ChangeKind, BendingRun]] = []
        self.minutes: list[MinuteRow] = []
        self.yaw: list[YawLine] = []
        self.expected = 0
        self.covered = 0
        self.paused = False

    def add_rows(self, start: int, quat: FloatArray, inclination: FloatArray, covered: int) -> None:
        if self.start < 0:
            self.start = start
        self.quat.append(quat)
        self.inclination.append(inclination)
        self.expected += inclination.size
        self.covered += covered

    def add_motion(self, state: AnalysisState, motion: Motion) -> None:
        self.motion = self.motion.followed_by(motion)
        state.repetitions_count += len(motion.repetitions)
        state.exposure = add_repetitions(state.exposure, motion.repetitions)

    def add_swings(self, state: AnalysisState, swings: Sequence[Swing]) -> None:
        self.swings.extend(swings)
        state.exposure = add_strokes(state.exposure, swings)

    def add_holds(self, state: AnalysisState, holds: Sequence[StaticHold]) -> None:
        self.static_holds.extend(holds)
        state.exposure = add_holds(state.exposure, holds)

    def add_yaw(self, state: AnalysisState, line: YawLine | None, turns: Sequence[Turn]) -> None:
        if line is not None:
            self.yaw.append(_worn_line(state, line))
        if not turns:
            return
        for left, column in ((True, Column.TURNS_LEFT), (False, Column.TURNS_RIGHT)):
            times_s = [value_at_s(state.rate_hz, turn.index) for turn in turns if turn.left == left]
            state.exposure = add_events(state.exposure, column, times_s)

    def add_minutes(self, state: AnalysisState) -> None:
        """Tell the minutes that every detector has passed, once there is enough to tell whether they are sound."""
        if not long_enough(state.soundness) and state.exposure.doses.size < MOST_HELD_S:
            return
        until, look_s = _passed(state), look_every(state.rate_hz) / state.rate_hz
        if not minute_due(state.exposure, state.rate_hz, until):
            return
        state.exposure, rows = settle_minutes(state.exposure, state.rate_hz, look_s, until, _codes(state))
        if state.wearing is not None:
            state.wearing = forget_before(state.wearing, state.exposure.first)
        self._tell(state, rows)

    def finish_minutes(self, state: AnalysisState) -> None:
        """Tell all minutes that are left."""
        look_s, samples = look_every(state.rate_hz) / state.rate_hz, state.next_index - state.origin
        state.exposure, rows = finish_minutes(state.exposure, state.rate_hz, look_s, samples, _codes(state))
        self._tell(state, rows)

    def _tell(self, state: AnalysisState, rows: list[MinuteRow]) -> None:
        if rows and unsound(state):
            rows = [unusable(row) for row in rows]
        self.minutes.extend(rows)

    def drop_rows(self) -> None:
        """Drop the rows of a long pause; of the lines what was before it stays, and what follows waits its turn."""
        self.start, self.quat, self.inclination = -1, [], []
        self.yaw, self.paused = [line for line in self.yaw if (line.tenths != GAP).any()], True


def _worn_line(state: AnalysisState, line: YawLine) -> YawLine:
    """Return the line with gaps where the sensor moved on its own: how it turned then is nobody's turning."""
    if state.wearing is None or not len(state.wearing.spans):
        return line
    worn = worn_at(state.wearing, line.start_s + np.arange(line.tenths.size) / line.rate_hz)
    return line if worn is None else YawLine(line.start_s, line.rate_hz, np.where(worn, line.tenths, np.int16(GAP)))


def _codes(state: AnalysisState) -> ByteArray | None:
    """Return how the seconds of the minutes that are kept were worn, up to the newest."""
    if state.wearing is None:
        return None
    exposure = state.exposure
    newest = math.floor(exposure.phase_s + (state.next_index - state.origin) / state.rate_hz)
    return codes_of(state.wearing, exposure.first, max(newest - exposure.first + 1, exposure.doses.size))


def _passed(state: AnalysisState) -> int:
    """Return the sample before which no detector will say anything any more."""
    until = min(state.behind.spent, settled_until(state.activity, state.rate_hz))
    if (held_s := held_from_s(state.exposure)) is not None:
        until = min(until, int(held_s * state.rate_hz))
    if state.params.swing is not None:
        until = min(until, state.swings.decided)
        if state.swings.pending is not None:
            until = min(until, int(state.swings.pending.time_s * state.rate_hz))
    return until
