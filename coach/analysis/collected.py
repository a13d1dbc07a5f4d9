"""What one call of the analysis gathers on its way through the blocks."""

from __future__ import annotations

from coach.analysis.motion_types import Motion
from coach.analysis.state import AnalysisState
from coach.analysis.strain import BendingRun
from coach.analysis.swing_types import Swing
from coach.analysis.types import Bend, ChangeKind, LyingStretch, StaticHold
from devices.types import FloatArray


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
        self.expected = 0
        self.covered = 0

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

    def drop_rows(self) -> None:
        self.start, self.quat, self.inclination = -1, [], []
