"""The poses of the timed holds, and all that is kept of one trial between two blocks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from coach.analysis.assessment_types import AssessmentTest, HoldParams
from coach.analysis.filters import LowPassState
from coach.analysis.frames import Vector
from coach.analysis.hold_start import Rest
from coach.analysis.orientation import OrientationState
from coach.analysis.state_bytes import decode, encode
from devices.types import FloatArray

HOLD_STATE_VERSION = 2


@dataclass(frozen=True, slots=True)
class Target:
    """The pose of a test: the direction of "up" along pa, ml and si, and how far from it the clock may start.

    moved_deg: the pose must be moved into by so much; of a side bridge, whose sensor is nearly as level when lying.
    """

    up: Vector
    within_deg: float
    moved_deg: float = 0.0


# Sorensen: trunk level, front down. Flexor: leaning back, 60 degrees from the floor. Side bridges: the side axis
# vertical. Tolerances as in docs/assessments.md, own heuristics.
TARGETS: Mapping[AssessmentTest, Target] = MappingProxyType(
    {
        AssessmentTest.EXTENSOR: Target((-1.0, 0.0, 0.0), 10.0),
        AssessmentTest.FLEXOR: Target((math.cos(math.radians(60.0)), 0.0, math.sin(math.radians(60.0))), 10.0),
        AssessmentTest.SIDE_BRIDGE_LEFT: Target((0.0, -1.0, 0.0), 20.0, 5.0),
        AssessmentTest.SIDE_BRIDGE_RIGHT: Target((0.0, 1.0, 0.0), 20.0, 5.0),
    }
)


def _no_rows() -> FloatArray:
    return np.empty((0, 8))


@dataclass(frozen=True, slots=True)
class HoldState:
    """All that is kept of one trial between two blocks; `to_bytes` stores it.

    needs: why it cannot be judged, None if it can. rows: (m, 8) of every look: number of the sample on the grid, "up"
    along pa, ml, si, angular rate in deg/s, acceleration below 6 Hz along the same axes; while waiting for the pose
    the newest seconds only, else all of the hold. closest_deg, farthest_deg: from the pose, over everything seen.
    seen: looks so far; in_pose: those within its tolerance. rest: of the poses before. complete: number of the sample
    that completed the first calm second, -1 before. over: nothing more is needed.
    """

    test: AssessmentTest
    place: str
    params: HoldParams
    upright: tuple[float, ...] = ()
    forward: tuple[float, ...] = ()
    needs: str | None = None
    rate_hz: float = 0.0
    origin: int = -1
    next_index: int = -1
    orientation: OrientationState = field(default_factory=OrientationState)
    smooth: tuple[LowPassState, ...] = ()
    rows: FloatArray = field(default_factory=_no_rows)
    closest_deg: float = 180.0
    farthest_deg: float = 0.0
    seen: int = 0
    in_pose: int = 0
    rest: Rest = field(default_factory=Rest)
    complete: int = -1
    over: bool = False

    def to_bytes(self) -> bytes:
        """Return the state for storing."""
        return encode(self, HOLD_STATE_VERSION)

    @classmethod
    def from_bytes(cls, data: bytes) -> HoldState:
        """Read what `to_bytes` wrote. Raises AnalysisError for anything else."""
        return decode(cls, data, HOLD_STATE_VERSION)
