"""Values of the tests of endurance, mobility and strength: which there are, what a trial gave, what a comparison says.

A test that cannot be judged says so with what it needs; it never gives a number then. None of them is a diagnosis.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from coach.analysis.detectors.types import Threshold
from coach.analysis.guided import Side
from devices.types import Placement


class AssessmentTest(StrEnum):
    """Every test by its stored id. A rotation of the trunk has the side it goes to, one of the hip the hip's side."""

    EXTENSOR = "extensor"
    FLEXOR = "flexor"
    SIDE_BRIDGE_LEFT = "side_bridge_left"
    SIDE_BRIDGE_RIGHT = "side_bridge_right"
    HIP_INTERNAL_ROTATION_LEFT = "hip_internal_rotation_left"
    HIP_INTERNAL_ROTATION_RIGHT = "hip_internal_rotation_right"
    HIP_EXTERNAL_ROTATION_LEFT = "hip_external_rotation_left"
    HIP_EXTERNAL_ROTATION_RIGHT = "hip_external_rotation_right"
    THORACIC_ROTATION_LEFT = "thoracic_rotation_left"
    THORACIC_ROTATION_RIGHT = "thoracic_rotation_right"
    REPETITION_SPEED = "repetition_speed"
    REPETITION_SPEED_LEFT = "repetition_speed_left"
    REPETITION_SPEED_RIGHT = "repetition_speed_right"
    DYNAMOMETER_BACK = "dynamometer_back"
    DYNAMOMETER_ABDOMINALS = "dynamometer_abdominals"
    DYNAMOMETER_SHOULDER_LEFT = "dynamometer_shoulder_left"
    DYNAMOMETER_SHOULDER_RIGHT = "dynamometer_shoulder_right"
    DYNAMOMETER_ARM_LEFT = "dynamometer_arm_left"
    DYNAMOMETER_ARM_RIGHT = "dynamometer_arm_right"
    DYNAMOMETER_LEG_LEFT = "dynamometer_leg_left"
    DYNAMOMETER_LEG_RIGHT = "dynamometer_leg_right"
    REPETITIONS_SHOULDER_LEFT = "repetitions_shoulder_left"
    REPETITIONS_SHOULDER_RIGHT = "repetitions_shoulder_right"
    REPETITIONS_ARM_LEFT = "repetitions_arm_left"
    REPETITIONS_ARM_RIGHT = "repetitions_arm_right"
    REPETITIONS_LEG_LEFT = "repetitions_leg_left"
    REPETITIONS_LEG_RIGHT = "repetitions_leg_right"


class Method(StrEnum):
    """How a test is taken. HOLD, ROTATION and SPEED are measured by a wearable, the other two are entered."""

    HOLD = "hold"
    ROTATION = "rotation"
    SPEED = "speed"
    DYNAMOMETER = "dynamometer"
    REPETITIONS = "repetitions"


class Region(StrEnum):
    """What a test is mostly a test of."""

    BACK = "back"
    ABDOMINALS = "abdominals"
    TRUNK_SIDE = "side of the trunk"
    HIP = "hip"
    CHEST_SPINE = "upper back rotation"
    SHOULDER = "shoulders"
    ARM = "arms"
    LEG = "legs"


class Calibration(StrEnum):
    """What of the alignment of the sensor a test needs before it can be judged."""

    NONE = "none"
    UPRIGHT = "upright"
    UPRIGHT_AND_BOW = "upright_and_bow"


class TrialOutcome(StrEnum):
    """What became of one trial.

    HELD: until a clear drop. STOPPED_AT_LIMIT: still held at the safety cap. SINKING: drifted out without a drop.
    FIDGETING: kept going out and coming back. CUT_SHORT: still held when the samples ended. NEVER_STARTED: the pose
    was not taken for a second. INTERRUPTED: no samples for more than a second, so the trial is void. MEASURED,
    ENTERED: of tests that are no holds. NOT_COMPUTABLE: see `needs`.
    """

    HELD = "held"
    STOPPED_AT_LIMIT = "stopped_at_limit"
    SINKING = "sinking"
    FIDGETING = "fidgeting"
    CUT_SHORT = "cut_short"
    NEVER_STARTED = "never_started"
    INTERRUPTED = "interrupted"
    MEASURED = "measured"
    ENTERED = "entered"
    NOT_COMPUTABLE = "not_computable"


# The outcomes whose value may be compared; the others ask for another trial.
COUNTING = frozenset(
    {
        TrialOutcome.HELD,
        TrialOutcome.STOPPED_AT_LIMIT,
        TrialOutcome.SINKING,
        TrialOutcome.MEASURED,
        TrialOutcome.ENTERED,
    }
)


@dataclass(frozen=True, slots=True)
class AssessmentSpec:
    """One test: how it is taken, in which unit, of what, with the sensor where, and which test is its other side.

    places: where the sensor may be worn, best first; empty for a test that is entered, or is worn by the exercise.
    """

    method: Method
    unit: str
    region: Region | None
    side: Side
    other: AssessmentTest | None
    places: tuple[Placement, ...]
    calibration: Calibration


@dataclass(frozen=True, slots=True)
class Trial:
    """What one trial of a test gave; plain values, stored as they are.

    value: in `unit`, None unless the outcome carries one; at_least: the true value is that or more. statement: a
    sentence for people. needs: for NOT_COMPUTABLE and every outcome that asks for another trial. error: the standard
    deviation of one value as this trial's own repetitions tell it, in `unit`, None when they do not. evidence: named
    with units (times in s from the first sample). load_kg, exercise: what was lifted, where it matters.
    coverage_share: samples that were there, of the time judged, None for entered values.
    """

    test: AssessmentTest
    outcome: TrialOutcome
    value: float | None
    unit: str
    statement: str
    at_least: bool = False
    needs: str | None = None
    error: float | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)
    load_kg: float | None = None
    exercise: str | None = None
    coverage_share: float | None = None
    algorithm: str = ""
    version: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def counts(self) -> bool:
        """Tell whether the value may be compared with others."""
        return self.value is not None and self.outcome in COUNTING


# One assessment: the trial of each test that counts for it. Trials of one day or one sitting, chosen by the service.
Results = Mapping[AssessmentTest, Trial]


class Verdict(StrEnum):
    """BEYOND: past the rule and past the error of the tests. WITHIN_RULE: not past the rule. WITHIN_NOISE: past the
    rule by no more than the tests' own error. NOT_MEASURED: see `needs`."""

    BEYOND = "beyond"
    WITHIN_RULE = "within_rule"
    WITHIN_NOISE = "within_test_noise"
    NOT_MEASURED = "not_measured"


class HistoryVerdict(StrEnum):
    """The comparison against the athlete's own earlier ones; LEARNING until there are three of them."""

    USUAL = "usual_for_you"
    CHANGED = "changed_for_you"
    LEARNING = "learning"


@dataclass(frozen=True, slots=True)
class SideIndices:
    """Indices of left against right, in percent; lsi: weaker / stronger. symmetry_angle: positive when right is more.

    symmetry_angle is 0 for equal sides and at most 50 for values of one sign (Zifchock 2008).
    """

    left: float
    right: float
    lsi_percent: float
    difference_percent: float
    symmetry_index_percent: float
    symmetry_angle_percent: float


@dataclass(frozen=True, slots=True)
class History:
    """The athlete's own earlier values of a comparison: how many, their median and test-retest SD (None: < 3)."""

    verdict: HistoryVerdict
    earlier: int
    median: float | None = None
    retest_sd: float | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two tests held against each other.

    value: the ratio first / second, None if not measured; bound: "" exact, "at_least" or "at_most" where a hold was
    stopped at the cap. limits: the rule's, `low` and `high` where there are. error: what the difference in `unit` must
    exceed to be more than noise. sides: for left against right only. statement judges no side by itself.
    """

    id: str
    first: AssessmentTest
    second: AssessmentTest
    verdict: Verdict
    statement: str
    value: float | None = None
    bound: str = ""
    limits: Mapping[str, Threshold] = field(default_factory=dict)
    error: Threshold | None = None
    sides: SideIndices | None = None
    history: History = field(default_factory=lambda: History(HistoryVerdict.LEARNING, 0))
    needs: str | None = None


class ChangeVerdict(StrEnum):
    IMPROVED = "improved"
    WORSE = "worse"
    WITHIN_NOISE = "within_test_noise"
    NOT_COMPARABLE = "not_comparable"


@dataclass(frozen=True, slots=True)
class Change:
    """One test now against the same test before. low, high: 95 % interval of the difference.

    error: standard error of one measurement (SEM); detectable: the smallest difference that is more than noise,
    1.96 sqrt(2) SEM.
    """

    test: AssessmentTest
    verdict: ChangeVerdict
    unit: str
    statement: str
    before: float | None = None
    after: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    detectable: float | None = None
    error: Threshold | None = None
    needs: str | None = None


@dataclass(frozen=True, slots=True)
class CohortMean:
    """A published mean of a group of people; cohorts differ twofold, so it is no norm for anybody."""

    test: AssessmentTest
    mean: float
    sd: float
    unit: str
    cohort: str
    source: str


def _specs() -> dict[AssessmentTest, AssessmentSpec]:
    trunk = (Placement.CHEST, Placement.UPPER_BACK, Placement.LOWER_BACK)
    bridge = (Placement.LOWER_BACK, Placement.CHEST, Placement.UPPER_BACK)
    bow = Calibration.UPRIGHT_AND_BOW
    specs = {
        AssessmentTest.EXTENSOR: AssessmentSpec(Method.HOLD, "s", Region.BACK, Side.BOTH, None, trunk, bow),
        AssessmentTest.FLEXOR: AssessmentSpec(Method.HOLD, "s", Region.ABDOMINALS, Side.BOTH, None, trunk, bow),
        AssessmentTest.REPETITION_SPEED: AssessmentSpec(
            Method.SPEED, "deg/s", None, Side.BOTH, None, (), Calibration.NONE
        ),
        AssessmentTest.DYNAMOMETER_BACK: _entered(Method.DYNAMOMETER, Region.BACK, Side.BOTH, None),
        AssessmentTest.DYNAMOMETER_ABDOMINALS: _entered(Method.DYNAMOMETER, Region.ABDOMINALS, Side.BOTH, None),
    }
    for left, right in _pairs():
        for test, side, other in ((left, Side.LEFT, right), (right, Side.RIGHT, left)):
            ankle = Placement.ANKLE_LEFT if side is Side.LEFT else Placement.ANKLE_RIGHT
            if test.startswith("side_bridge"):
                specs[test] = AssessmentSpec(Method.HOLD, "s", Region.TRUNK_SIDE, side, other, bridge, bow)
            elif test.startswith("hip"):
                specs[test] = AssessmentSpec(
                    Method.ROTATION, "deg", Region.HIP, side, other, (ankle,), Calibration.NONE
                )
            elif test.startswith("thoracic"):
                specs[test] = AssessmentSpec(
                    Method.ROTATION, "deg", Region.CHEST_SPINE, side, other, trunk[:2], Calibration.UPRIGHT
                )
            elif test.startswith("repetition_speed"):
                specs[test] = AssessmentSpec(Method.SPEED, "deg/s", None, side, other, (), Calibration.NONE)
            else:
                method, region = test.split("_")[:2]
                specs[test] = _entered(Method(method), Region[region.upper()], side, other)
    return specs


def _entered(method: Method, region: Region, side: Side, other: AssessmentTest | None) -> AssessmentSpec:
    unit = "N" if method is Method.DYNAMOMETER else "repetitions"
    return AssessmentSpec(method, unit, region, side, other, (), Calibration.NONE)


def _pairs() -> list[tuple[AssessmentTest, AssessmentTest]]:
    lefts = [test for test in AssessmentTest if test.endswith("_left")]
    return [(left, AssessmentTest(left.removesuffix("left") + "right")) for left in lefts]


SPECS: Mapping[AssessmentTest, AssessmentSpec] = MappingProxyType(_specs())
# Left and right of each test that has sides.
PAIRS: tuple[tuple[AssessmentTest, AssessmentTest], ...] = tuple(_pairs())
# The McGill battery, in no order: the service draws one.
BATTERY = (
    AssessmentTest.EXTENSOR,
    AssessmentTest.FLEXOR,
    AssessmentTest.SIDE_BRIDGE_LEFT,
    AssessmentTest.SIDE_BRIDGE_RIGHT,
)


@dataclass(frozen=True, slots=True)
class HoldParams:
    """Rules of a timed hold. Source: biomechanics rules stated in docs/assessments.md; all are own heuristics.

    start_*: the pose within the test's tolerance and calm for `start_s`. end_*: away from the mean pose of the first
    `mean_s` for `end_s`, or faster than `end_rate_degps`. A gap over `gap_s` voids. cap_s: the page must end the trial.
    return_s: who is back so soon after leaving fidgets.
    """

    start_s: float = 1.0
    start_rate_degps: float = 10.0
    mean_s: float = 3.0
    end_deg: float = 10.0
    end_s: float = 0.5
    end_rate_degps: float = 40.0
    gap_s: float = 1.0
    cap_s: float = 240.0
    return_s: float = 3.0


class HoldPhase(StrEnum):
    """WAITING: for the pose. HOLDING: the clock runs. OVER: nothing more is needed, `finish_hold` gives the trial."""

    WAITING = "waiting"
    HOLDING = "holding"
    LEFT = "left"  # the pose was left; whether it is taken up again at once is still watched
    OVER = "over"


@dataclass(frozen=True, slots=True)
class HoldProgress:
    """How a hold stands now, for a page.

    held_s: of the running or ended hold, 0 before. off_target_deg: from the pose to take, None before the first
    sample. deviation_deg: from the mean of the first seconds, None before the start. still: turning slowly enough to
    start. must_stop: the safety cap is reached, ask the athlete to come down now.
    """

    phase: HoldPhase
    held_s: float
    off_target_deg: float | None
    deviation_deg: float | None
    still: bool
    must_stop: bool
