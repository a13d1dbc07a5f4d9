"""Values of the analysis: parameters in, features and findings out. Pure; no clock, no database."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from coach.analysis.motion_types import Motion, MotionParams
from coach.analysis.swing_types import Swing, SwingKind
from devices.types import FloatArray

if TYPE_CHECKING:
    from coach.analysis.exposure import MinuteRow
    from coach.analysis.integrity import Integrity
    from coach.analysis.rotation import YawLine

ALGORITHM_NAME = "backstop"
# Changes whenever the same samples may give other numbers.
ALGORITHM_VERSION = "2"


class Grade(StrEnum):
    """Number of independent flags: 0, 1, 2 or more. Red never means injury. Source: docs/algorithms.md."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"


class Reference(StrEnum):
    """Which pose counts as upright."""

    CALIBRATION = "calibration"
    STILL = "first_2_still_seconds"
    SETTLED = "first_settled_second"


class ForwardFrom(StrEnum):
    """What told which sensor direction is the body's front."""

    BOW = "bow"
    BENDS = "bends_in_the_data"


class OrientationFrom(StrEnum):
    """Which sensors the orientation comes from; docs/algorithms.md states the error of each."""

    GYROSCOPE = "accelerometer_and_gyroscope"
    ACCELEROMETER = "accelerometer_only"


class LyingSide(StrEnum):
    """Which side is down, UNKNOWN while the body's front is not known. PRONE is any trunk held level, front down."""

    PRONE = "prone"
    SUPINE = "supine"
    LEFT = "left_side"
    RIGHT = "right_side"
    UNKNOWN = "unknown"


class QualityFlag(StrEnum):
    """What is wrong with the samples themselves, or how the sensor was worn. Each rule: soundness.py and wearing.py."""

    ACCELERATION_IN_G = "acceleration_in_g"
    ACCELERATION_NOT_GRAVITY = "acceleration_without_gravity"
    ANGULAR_RATE_IN_DEGREES = "angular_rate_in_degrees"
    SENSORS_DISAGREE = "sensors_disagree"
    CONSTANT_SIGNAL = "constant_signal"
    DEAD_AXIS = "dead_axis"
    TOO_SHORT = "too_short"
    CLIPPED = "clipped"
    GAPS = "gaps"
    RATE_JITTER = "rate_jitter"
    REFERENCE_NOT_UPRIGHT = "reference_not_upright"
    LOOSE = "loose"
    DISPLACED = "displaced"


@dataclass(frozen=True, slots=True)
class ReferenceParams:
    still_s: float = 2.0
    still_gyr_rms_degps: float = 5.0
    search_s: float = 300.0


@dataclass(frozen=True, slots=True)
class BendParams:
    min_range_deg: float = 20.0


@dataclass(frozen=True, slots=True)
class BendingParams:
    """sureness: by how many of its standard errors the rate must pass (strain.py).

    1.645 is the one-sided 95 % point of the normal distribution; that it is asked for is own heuristic.
    """

    rate_per_min: float = 4.0
    min_duration_s: float = 600.0
    min_range_deg: float = 20.0
    coverage_share: float = 0.8
    sureness: float = 1.645


@dataclass(frozen=True, slots=True)
class TurnParams:
    """min_deg: Hoogendoorn 2000, the angle from which rotation counts. The others are own heuristics (rotation.py)."""

    min_deg: float = 30.0
    min_peak_degps: float = 60.0
    still_degps: float = 10.0


@dataclass(frozen=True, slots=True)
class AnalysisParams:
    """Everything that can be chosen; frozen, and stored inside the stream's state."""

    # ISO 11226, RULA, REBA (20, 60), Villumsen 2016 (30), Jansen 2004 (45), Hoogendoorn 2000 (60); 90 describes only.
    posture_thresholds_deg: tuple[float, ...] = (20.0, 30.0, 45.0, 60.0, 90.0)
    reference: ReferenceParams = field(default_factory=ReferenceParams)
    bend: BendParams = field(default_factory=BendParams)
    bending: BendingParams = field(default_factory=BendingParams)
    turn: TurnParams = field(default_factory=TurnParams)
    motion: MotionParams = field(default_factory=MotionParams)
    # None counts no swings: handling a dumbbell is as fast as some strokes, so the sport has to be known.
    swing: SwingKind | None = None


@dataclass(frozen=True, slots=True)
class Bend:
    """One cycle of inclination. Times in s from the stream's first sample."""

    start_s: float
    peak_s: float
    end_s: float
    rom_deg: float


@dataclass(frozen=True, slots=True)
class LyingStretch:
    """The trunk lay level. Times in s from the stream's first sample; side: the one that was down most of the time."""

    start_s: float
    end_s: float
    side: LyingSide


@dataclass(frozen=True, slots=True)
class StaticHold:
    """The inclination stayed within a band of 10 degrees for more than 4 s, on average (angle_deg) above 20 degrees.

    dose: duration / longest acceptable hold at that angle (ISO 11226); above 60 degrees, where the standard has
    none, the limit at 60 is used and `beyond` is true.
    """

    start_s: float
    end_s: float
    angle_deg: float
    dose: float
    beyond: bool


@dataclass(frozen=True, slots=True)
class Exposure:
    """How the time with one angle known and the trunk not lying was spent; shares 0..1, empty when there is none.

    covered_s: that time. share_above: threshold in deg -> share of it at or above the threshold. share_above_shifted:
    threshold -> the shares for 5 deg less and for 5 deg more. excursions_per_h: threshold -> times it was passed,
    counted anew only after the angle fell 10 deg below it. percentiles_deg: percent -> angle, both signs; empty for the
    backward and left accounts, whose angle is the forward and right one's.
    """

    covered_s: float = 0.0
    share_above: dict[float, float] = field(default_factory=dict)
    share_above_shifted: dict[float, tuple[float, float]] = field(default_factory=dict)
    excursions_per_h: dict[float, float] = field(default_factory=dict)
    percentiles_deg: dict[int, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StaticPosture:
    """All static holds so far. dose: sum of their doses; above 1 is more than one longest hold (ISO 11226)."""

    count: int = 0
    duration_s: float = 0.0
    longest_s: float = 0.0
    dose: float = 0.0
    beyond_60_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Lying:
    """duration_s: by side that was down. known_since_s: from when on lying could be told, s from the first sample."""

    known_since_s: float
    duration_s: dict[LyingSide, float]


@dataclass(frozen=True, slots=True)
class Direction:
    """Bending told apart from leaning, once the body's front is known.

    source, known_since_s: what told it, and from when on. forward, backward, left, right: the same accounts as the
    inclination's, over the sagittal flexion (both signs) and the lateral lean (both signs).
    """

    source: ForwardFrom
    known_since_s: float
    forward: Exposure
    backward: Exposure
    left: Exposure
    right: Exposure


@dataclass(frozen=True, slots=True)
class Features:
    """What one call of `analyse` settled.

    start_index: grid number of the first row below (settled samples only; may lag behind the chunk).
    inclination_deg: (n,) NaN in gaps. quat: (n, 4) w, x, y, z, sensor to a frame with z up, NaN in gaps.
    bends: those that ended. motion: exercise that was settled, up to two minutes after it (activity.py).
    expected / covered: samples on the grid and samples that carry a value, this call.
    above: threshold in deg -> samples at or above it that became certain in this call; none of them while lying.
    lying, static_holds: those that ended. swings: those that were settled, about two seconds after them.
    minutes: those in which nothing can change any more, usually three minutes after them; each once, in order.
    yaw_line: high-passed yaw of the samples of this call, None where it is not followed or there is none.
    """

    start_index: int
    rate_hz: float
    inclination_deg: FloatArray
    quat: FloatArray
    bends: tuple[Bend, ...]
    expected: int
    covered: int
    above: dict[float, int] = field(default_factory=dict)
    lying: tuple[LyingStretch, ...] = ()
    static_holds: tuple[StaticHold, ...] = ()
    motion: Motion = field(default_factory=Motion)
    swings: tuple[Swing, ...] = ()
    minutes: tuple[MinuteRow, ...] = ()
    yaw_line: YawLine | None = None


class ChangeKind(StrEnum):
    OPENED = "opened"
    CHANGED = "changed"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Finding:
    """A pattern with its evidence; not a diagnosis.

    key: stable within a stream (kind and start), so that a later version of the same finding replaces it.
    start_s / end_s: time window, s from the stream's first sample.
    values, threshold: named with units. because: the whole evidence as plain JSON values:
    {window: {start_s, end_s}, values: {…}, threshold: {…}, source: str, algorithm: {name, version}, coverage_share}.
    """

    kind: str
    key: str
    statement: str
    grade: Grade
    start_s: float
    end_s: float
    coverage_share: float
    because: dict[str, Any]


@dataclass(frozen=True, slots=True)
class FindingChange:
    change: ChangeKind
    finding: Finding


@dataclass(frozen=True, slots=True)
class NotComputable:
    """`what` cannot be said; `needs` says what would make it possible."""

    what: str
    needs: str


@dataclass(frozen=True, slots=True)
class Quality:
    """Something wrong with the samples. what: one sentence with the numbers. fatal: nothing may be told from them."""

    flag: QualityFlag
    what: str
    fatal: bool


@dataclass(frozen=True, slots=True)
class SensorSummary:
    """Everything said about one sensor so far; shares 0..1. Fields without a value are None or empty.

    posture: of the inclination. direction: None until the body's front is known. lying: None for places off the trunk
    and until an upright pose is known. cycles: (range_deg, count), ascending. orientation: None before any sample.
    inclination_error_deg: root mean square measured for that kind of orientation (docs/algorithms.md), and the worst
    recording's. gyroscope_bias_degps: as found at rest. quality: what is wrong with the samples. integrity: what
    arrived.
    """

    rate_hz: float
    duration_s: float
    coverage_share: float
    reference: Reference | None
    bends_count: int
    repetitions_count: int
    swings_count: int
    cycles: tuple[tuple[float, float], ...]
    not_computable: tuple[NotComputable, ...]
    posture: Exposure = field(default_factory=Exposure)
    static: StaticPosture = field(default_factory=StaticPosture)
    direction: Direction | None = None
    lying: Lying | None = None
    orientation: OrientationFrom | None = None
    inclination_error_deg: tuple[float, float] | None = None
    gyroscope_bias_degps: tuple[float, float, float] | None = None
    quality: tuple[Quality, ...] = ()
    integrity: Integrity | None = None
