"""All that is kept between two chunks of one sensor's recording."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from coach.analysis.activity import ActivityState
from coach.analysis.behind import BehindState
from coach.analysis.bends import BendState
from coach.analysis.cycles import CycleState
from coach.analysis.direction import DirectionState
from coach.analysis.exposure import ExposureState
from coach.analysis.filters import LowPassState, delay_s
from coach.analysis.findings import TRUNK_PLACES
from coach.analysis.frames import Vector, body_axes, unit
from coach.analysis.integrity import IntegrityState
from coach.analysis.lying import LyingState
from coach.analysis.orientation import OrientationState
from coach.analysis.posture import PostureState, look_every
from coach.analysis.quality import CoverageState
from coach.analysis.reference import ReferenceState
from coach.analysis.rotation import TURNING_PLACES, YawState
from coach.analysis.soundness import SoundnessState
from coach.analysis.state_bytes import decode, encode
from coach.analysis.statics import StaticState
from coach.analysis.strain import BendingState
from coach.analysis.swings import SwingState
from coach.analysis.tilt import tilt_delay_s
from coach.analysis.types import AnalysisParams, ForwardFrom, Reference
from coach.analysis.walking import WalkingState
from coach.analysis.wearing_types import WearingState

STATE_VERSION = 8
# Own heuristic: slow things (lying, static holds, units) are looked at about so often; never less than every sample.
GLANCES_PER_S = 4.0


@dataclass(slots=True)
class AnalysisState:
    """All that is kept between two chunks of one sensor's recording. `analyse` works on a copy and returns that.

    origin: grid number of the stream's first sample, -1 before; next_index: the sample expected next; released:
    samples whose reference is known. All three on the recording's grid, the rest counts from the origin.
    gyroscope_from: first sample with an angular rate, -1 before; until then tilt is all there is.
    forward: the body's front in sensor axes, from a bow or from sample `forward_since` on from the bends in the data.
    cycles_before: the cycles as they were when the trunk became level, while it is undecided whether it lies.
    bending is None where the place is not on the trunk, yaw and wearing where it is not on the pelvis either. behind:
    what is worked on by the minute.
    """

    place: str
    params: AnalysisParams
    rate_hz: float = 0.0
    origin: int = -1
    next_index: int = -1
    released: int = -1
    orientation: OrientationState = field(default_factory=OrientationState)
    gyroscope_from: int = -1
    integrity: IntegrityState = field(default_factory=IntegrityState)
    soundness: SoundnessState = field(default_factory=SoundnessState)
    walking: WalkingState = field(default_factory=WalkingState)
    wearing: WearingState | None = None
    activity: ActivityState = field(default_factory=ActivityState)
    repetitions_count: int = 0
    swings: SwingState = field(default_factory=SwingState)
    reference: ReferenceState = field(default_factory=ReferenceState)
    forward: Vector | None = None
    forward_from: ForwardFrom | None = None
    forward_since: int = 0
    direction: DirectionState = field(default_factory=DirectionState)
    low_pass: LowPassState = field(default_factory=LowPassState)
    coverage: CoverageState = field(default_factory=CoverageState)
    lying: LyingState = field(default_factory=LyingState)
    statics: StaticState = field(default_factory=StaticState)
    posture: PostureState = field(default_factory=PostureState)
    cycles: CycleState = field(default_factory=CycleState)
    cycles_before: CycleState | None = None
    bends: BendState = field(default_factory=BendState)
    bends_count: int = 0
    strain_bends: BendState | None = None
    bending: BendingState | None = None
    yaw: YawState | None = None
    behind: BehindState = field(default_factory=BehindState)
    exposure: ExposureState = field(default_factory=ExposureState)

    def late_s(self, sample: int) -> float:
        """Return how late the low-passed angles are at a sample: times of events are that much earlier."""
        tilted = self.gyroscope_from < 0 or sample < self.gyroscope_from
        return delay_s(self.rate_hz) + (tilt_delay_s(self.rate_hz) if tilted else 0.0)

    def copied(self) -> AnalysisState:
        """Return a state of its own with the same, unchangeable parts."""
        copy = object.__new__(AnalysisState)
        for name in _NAMES:
            setattr(copy, name, getattr(self, name))
        return copy

    @property
    def on_trunk(self) -> bool:
        """Tell whether the sensor is worn on the spine above the pelvis."""
        return self.bending is not None

    @property
    def glance_every(self) -> int:
        """Return how many samples lie between two glances."""
        looks = look_every(self.rate_hz)
        return looks * max(round(self.rate_hz / looks / GLANCES_PER_S), 1)

    @property
    def sound_every(self) -> int:
        """Return how many samples lie between two looks at whether they are sound: about a second."""
        return max(round(self.rate_hz), 1)

    def to_bytes(self) -> bytes:
        """Return the state as bytes: 20 to 200 kB, and 17 bytes for each sample that waits for a reference pose."""
        return encode(self, STATE_VERSION)

    @classmethod
    def from_bytes(cls, data: bytes) -> AnalysisState:
        """Return the state that `to_bytes` wrote. Raises AnalysisError for anything else."""
        return decode(cls, data, STATE_VERSION)


_NAMES = tuple(part.name for part in fields(AnalysisState))


def new_state(
    place: str, params: AnalysisParams, upright: Vector | None = None, forward: Vector | None = None
) -> AnalysisState:
    """Begin a stream.

    place: where the sensor is worn (devices.types.Placement, or any name in a file). upright: unit vector of sensor
    axes that points up in the calibrated pose, None without calibration; forward: the one that points to the body's
    front, from a bow (alignment.py). Raises AnalysisError if a direction has no length or both are nearly the same.
    """
    reference = ReferenceState()
    if upright is not None:
        reference = ReferenceState(unit(upright), Reference.CALIBRATION)
    known = upright is not None and forward is not None
    bending = BendingState() if place in TRUNK_PLACES else None
    # The detector may ask for another range than what is counted: then it follows alone.
    own = bending is not None and params.bending.min_range_deg != params.bend.min_range_deg
    return AnalysisState(
        place,
        params,
        reference=reference,
        forward=body_axes(upright, forward).pa if upright is not None and forward is not None else None,
        forward_from=ForwardFrom.BOW if known else None,
        strain_bends=BendState() if own else None,
        bending=bending,
        wearing=WearingState() if place in TURNING_PLACES else None,
        yaw=YawState() if place in TURNING_PLACES else None,
    )
