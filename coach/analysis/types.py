"""Values of the analysis: parameters in, features and findings out. Pure; no clock, no database."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from devices.types import FloatArray

ALGORITHM_NAME = "backstop"
# Changes whenever the same samples may give other numbers.
ALGORITHM_VERSION = "1"


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


@dataclass(frozen=True, slots=True)
class ReferenceParams:
    still_s: float = 2.0
    still_gyr_rms_degps: float = 5.0
    search_s: float = 300.0


@dataclass(frozen=True, slots=True)
class RepetitionParams:
    min_range_deg: float = 20.0


@dataclass(frozen=True, slots=True)
class BendingParams:
    rate_per_min: float = 4.0
    min_duration_s: float = 600.0
    min_range_deg: float = 20.0
    coverage_share: float = 0.8


@dataclass(frozen=True, slots=True)
class AnalysisParams:
    """Everything that can be chosen; frozen, and stored inside the stream's state."""

    posture_thresholds_deg: tuple[float, ...] = (20.0, 30.0, 45.0, 60.0)
    reference: ReferenceParams = field(default_factory=ReferenceParams)
    repetition: RepetitionParams = field(default_factory=RepetitionParams)
    bending: BendingParams = field(default_factory=BendingParams)


@dataclass(frozen=True, slots=True)
class Repetition:
    """One cycle of inclination. Times in s from the stream's first sample."""

    start_s: float
    peak_s: float
    end_s: float
    rom_deg: float


@dataclass(frozen=True, slots=True)
class Features:
    """What one call of `analyse` settled.

    start_index: grid number of the first row below (settled samples only; may lag behind the chunk).
    inclination_deg: (n,) NaN in gaps. quat: (n, 4) w, x, y, z, sensor to a frame with z up, NaN in gaps.
    repetitions: those that ended. expected / covered: samples on the grid and samples that carry a value, this call.
    """

    start_index: int
    rate_hz: float
    inclination_deg: FloatArray
    quat: FloatArray
    repetitions: tuple[Repetition, ...]
    expected: int
    covered: int


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
class SensorSummary:
    """Everything said about one sensor so far; shares 0..1.

    share_above_deg: threshold in deg -> share of covered time. cycles: (range_deg, count), ascending.
    share_above_shifted_deg: threshold in deg -> the shares above 5 deg less and above 5 deg more.
    """

    rate_hz: float
    duration_s: float
    coverage_share: float
    reference: Reference | None
    repetitions_count: int
    share_above_deg: dict[float, float]
    cycles: tuple[tuple[float, float], ...]
    not_computable: tuple[NotComputable, ...]
    share_above_shifted_deg: dict[float, tuple[float, float]] = field(default_factory=dict)
