"""What a detector of strain takes and says: a day of one athlete and their history in, one answer out. Pure values.

A detector is `detect(thresholds, day, history) -> Answer`. It never guesses: what the day does not carry is
`not_enough` with what is needed, what the athlete's own baseline does not carry yet is `learning`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from coach.analysis.detectors.caps import PitchCaps
from coach.analysis.swing_types import SwingKind
from coach.analysis.types import Grade
from devices.types import FloatArray, IntArray


class Kind(StrEnum):
    """What can be found. The kind of a finding is the kind of the need that it raises (coaching.py)."""

    REPEATED_BENDING = "repeated_bending"
    SUSTAINED_FLEXION = "sustained_flexion"
    DEEP_FLEXION = "deep_flexion"
    REPEATED_ROTATION = "repeated_rotation"
    ONE_SIDED_STROKES = "one_sided_strokes"
    STROKE_COUNT = "stroke_count"
    PITCH_COUNT = "pitch_count"
    SHORT_RECOVERY = "short_recovery"
    DEGRADING_MOVEMENT = "degrading_movement"
    HEAVY_BACK_DAYS = "heavy_back_days"
    LOAD_ABOVE_HABIT = "load_above_habit"
    LOW_HRV = "low_hrv"
    PAIN_WITH_MOVEMENT = "pain_with_movement"


class Outcome(StrEnum):
    """FOUND: at least one flag. NONE: looked at, no flag. NOT_ENOUGH: see `needs`. LEARNING: no baseline yet."""

    FOUND = "found"
    NONE = "none"
    NOT_ENOUGH = "not_enough"
    LEARNING = "learning"


@dataclass(frozen=True, slots=True)
class Threshold:
    """A limit as a profile states it. heuristic: ours, without a paper behind it, and labelled so wherever shown."""

    value: float
    unit: str
    source: str
    heuristic: bool


# A detector's limits by name; the profile file must give exactly the names that the detector declares.
Thresholds = Mapping[str, Threshold]


@dataclass(frozen=True, slots=True)
class Flag:
    """One independent sign: `value` in `unit` reached `threshold`."""

    name: str
    value: float
    threshold: Threshold
    statement: str


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch to jump to. stream_id: the recording that shows it, None where there is none (entered values)."""

    start_utc_s: float
    end_utc_s: float
    stream_id: str | None = None


@dataclass(frozen=True, slots=True)
class Baseline:
    """The athlete's own days: median and MAD over `days` valid ones. robust_z: of today, None where MAD is 0."""

    quantity: str
    unit: str
    days: int
    median: float
    mad: float
    robust_z: float | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What one detector says of one local day. Everything in it follows from stored data: no clock, no chance.

    grade: number of independent flags. values: named with units. would_change: what would change the answer.
    coverage_share: of the time that the answer rests on, None for entered values. needs: for NOT_ENOUGH only.
    learning_day: n of 14, while there is no baseline yet; an answer that rests on it alone is LEARNING then.
    limits: what it cannot see, said with the finding.
    """

    kind: Kind
    outcome: Outcome
    statement: str
    grade: Grade = Grade.GREEN
    flags: tuple[Flag, ...] = ()
    windows: tuple[Window, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    thresholds: Thresholds = field(default_factory=dict)
    baseline: Baseline | None = None
    coverage_share: float | None = None
    would_change: str = ""
    needs: str | None = None
    learning_day: int | None = None
    limits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Minutes:
    """Exposure of one sensor place, minute by minute, ascending; gaps are left out. All arrays are (n,).

    start_utc_s: begin of each minute on UTC's own minutes. seconds of it: expected_s (a recording ran), covered_s (a
    sample was there and could be used), lying_s, and above_s[threshold in deg] (not lying). bends, turns_left,
    turns_right: events. dose: of static holds that ended in it (ISO 11226). strokes_*: swings or throws by the way the
    body turned. repetitions: of exercise. loose_s, displaced_s: seconds in which the sensor moved on its own, or sat
    otherwise than calibrated; they are not in covered_s.
    """

    stream_id: tuple[str, ...]  # of each minute
    start_utc_s: FloatArray
    expected_s: FloatArray
    covered_s: FloatArray
    lying_s: FloatArray
    above_s: Mapping[int, FloatArray]
    bends: IntArray
    turns_left: IntArray
    turns_right: IntArray
    dose: FloatArray
    strokes_left: IntArray
    strokes_right: IntArray
    strokes_unknown: IntArray
    repetitions: IntArray
    loose_s: FloatArray
    displaced_s: FloatArray


@dataclass(frozen=True, slots=True)
class BendingStretch:
    """A stretch of repeated bending as the stream found it (strain.py), in UTC."""

    stream_id: str
    start_utc_s: float
    end_utc_s: float
    bends: int
    rate_mean_per_min: float
    rate_max_per_min: float
    range_median_deg: float
    coverage_share: float


@dataclass(frozen=True, slots=True)
class Bout:
    """Repetitions or strokes of one movement without a longer pause, and how its end differs from its beginning.

    movement: "repetitions" | "strokes". count: of them. signs: which of the four (fatigue.Sign values) were seen;
    looked: how many of the four could be looked for. shares and ratios as in fatigue.Fatigue.
    """

    stream_id: str
    start_utc_s: float
    end_utc_s: float
    movement: str
    count: int
    signs: tuple[str, ...]
    looked: int
    velocity_loss_share: float | None
    rom_loss_share: float | None
    sparc_loss: float | None
    duration_cv_ratio: float | None


@dataclass(frozen=True, slots=True)
class PainEntry:
    """An entry of the athlete, 0..10. next_morning: of the morning after the day it belongs to."""

    at_utc_s: float
    at_rest: int | None
    in_motion: int | None
    next_morning: bool


@dataclass(frozen=True, slots=True)
class Entered:
    """What was entered for the day. load: effort x minutes, summed, None where nothing is known (rest is a known 0).

    pitches: thrown in games and practice as entered, None where unknown. age_years: on that day, None where unknown.
    """

    load: float | None = None
    pitches: int | None = None
    age_years: int | None = None
    pain: tuple[PainEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class DayValues:
    """One day as later days look back at it: plain numbers, stored as JSON. None: not known that day.

    ordinal: of the local date (date.toordinal); neighbours differ by 1.
    worn_min: minutes with a usable trunk sensor. coverage_share: usable / expected. valid: enough was worn for the
    profile's least (baselines count valid days only). heavy_back: any flag of bending, sustained or deep flexion.
    trunk_place, turns_from_two: as in Day; what one place or one sensor measures is no baseline for another.
    """

    ordinal: int
    valid: bool
    worn_min: float
    coverage_share: float | None
    bends_per_h: float | None = None
    deep_share: float | None = None
    dose_max: float | None = None
    turns_per_h: float | None = None
    strokes: int | None = None
    strokes_left: int | None = None
    strokes_right: int | None = None
    pitches: int | None = None
    load: float | None = None
    ln_rmssd: float | None = None  # ln of ms
    heavy_back: bool | None = None
    pain_at_rest: float | None = None
    pain_next_morning: float | None = None
    trunk_place: str | None = None
    turns_from_two: bool | None = None


@dataclass(frozen=True, slots=True)
class Day:
    """One local day of one athlete: all that a detector may use. ordinal: of the local date, as in DayValues.

    trunk: of the spine above the pelvis (findings.TRUNK_PLACES), the place with more usable time where there are two.
    turns_from_two: whether turns are of the trunk against the pelvis; else of the trunk in the room. strokes_seen: a
    sensor that counts strokes was worn (arm or trunk, by the profile). over: the local day has ended.
    """

    ordinal: int
    start_utc_s: float
    end_utc_s: float
    over: bool
    trunk: Minutes | None
    trunk_place: str | None
    turns_from_two: bool = False
    strokes: Minutes | None = None
    strokes_place: str | None = None
    bending: tuple[BendingStretch, ...] = ()
    bouts: tuple[Bout, ...] = ()
    entered: Entered = Entered()
    rmssd_s: float | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """A sport or a kind of work, as a file of coach/profiles states it.

    detectors: the kinds that are looked for, each with its limits. stroke: which swings or throws are counted. least:
    limits of a usable day: `worn_min` (min), `coverage_share` (0..1), `baseline_days` (days). sensors, cannot_see:
    sentences for people. effective_on: ISO date from which this version holds. caps: of pitches by age, where there are
    any (PITCH_COUNT).
    """

    id: str
    name: str
    version: str
    stroke: SwingKind | None
    least: Thresholds
    detectors: Mapping[Kind, Thresholds]
    sensors: tuple[str, ...]
    cannot_see: tuple[str, ...]
    effective_on: str = ""
    caps: PitchCaps | None = None
