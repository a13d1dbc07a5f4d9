"""What the services answer about treatments, answers, the doctor's plan and imaging. Frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType

from coach.analysis.response import Comparison
from coach.store.rows import Row
from programs.exercises import CONTRAINDICATIONS


class TreatmentKind(StrEnum):
    """What can be tried. MEDICINE: that some was taken, never which nor how much. DOCTOR: named by the doctor."""

    REST = "rest"
    HEAT = "heat"
    COLD = "cold"
    COMPRESSION = "compression"
    PHYSIOTHERAPY = "physiotherapy"
    EXERCISE = "exercise"
    MEDICINE = "medicine"
    DOCTOR = "doctor"


KIND_WORDS: Mapping[TreatmentKind, str] = MappingProxyType(
    {
        TreatmentKind.REST: "rest",
        TreatmentKind.HEAT: "warmth",
        TreatmentKind.COLD: "cold",
        TreatmentKind.COMPRESSION: "light compression",
        TreatmentKind.PHYSIOTHERAPY: "physiotherapy",
        TreatmentKind.EXERCISE: "exercise",
        TreatmentKind.MEDICINE: "medicine (taken)",
        TreatmentKind.DOCTOR: "named by the doctor",
    }
)


class QuestionnaireKind(StrEnum):
    EVERYDAY = "everyday"
    ACTIVITIES = "activities"


class ImagingKind(StrEnum):
    MRI = "mri"
    XRAY = "xray"
    OTHER = "other"


IMAGING_WORDS: Mapping[ImagingKind, str] = MappingProxyType(
    {ImagingKind.MRI: "MRI", ImagingKind.XRAY: "X-ray", ImagingKind.OTHER: "other imaging"}
)


@dataclass(frozen=True, slots=True)
class TreatmentView:
    """One thing that is or was tried. words: what the doctor named. ended_on: its last day, None while it goes on."""

    treatment_id: str
    athlete_id: str
    kind: TreatmentKind
    words: str
    note: str
    started_on: date
    ended_on: date | None

    @property
    def name(self) -> str:
        """Return what it is called in a sentence."""
        return self.words or KIND_WORDS[self.kind]

    def days_until(self, today: date) -> int:
        """Return on how many days it was done, up to today."""
        return max(((self.ended_on or today) - self.started_on).days + 1, 0)


@dataclass(frozen=True, slots=True)
class QuestionnaireView:
    """One set of answers. answers: statement id -> yes, or activity -> 0 (cannot) to 10 (as before).

    score: statements that hold, or the mean of the activities.
    """

    kind: QuestionnaireKind
    version: str
    local_date: date
    answers: Mapping[str, int]
    score: float


@dataclass(frozen=True, slots=True)
class DoctorPlanView:
    """What a doctor said, as it was recorded. contraindications: ids; measures: as the doctor named them."""

    told_on: date
    doctor: str
    diagnosis: str
    contraindications: tuple[str, ...]
    measures: tuple[str, ...]
    next_on: date | None
    recorded_at: datetime

    @property
    def leaves_out(self) -> tuple[str, ...]:
        """Return what exercises are chosen around, in words."""
        return tuple(CONTRAINDICATIONS[each] for each in self.contraindications if each in CONTRAINDICATIONS)


@dataclass(frozen=True, slots=True)
class ImagingView:
    """One examination. Its report is a file, own words, or both; Backstop reads neither."""

    imaging_id: str
    athlete_id: str
    kind: ImagingKind
    taken_on: date
    asked_by: str
    words: str
    file_name: str | None
    media_type: str | None
    size_bytes: int | None


@dataclass(frozen=True, slots=True)
class ImagingFile:
    """The report of an examination as it was sent."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Week:
    """One week from its Monday on; medians, None where nothing was entered."""

    monday: date
    pain: float | None
    disability: float | None
    function: float | None


@dataclass(frozen=True, slots=True)
class PhaseView:
    """Days on which the same things were tried; nothing: names empty. first None: from the beginning."""

    first: date | None
    last: date | None
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChangeView:
    """What was different after something began or ended. title: what did, and when; sentence: what was seen."""

    title: str
    began: tuple[str, ...]
    ended: tuple[str, ...]
    comparison: Comparison
    sentence: str
    caveats: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ResponseView:
    """A single case over time. weeks: oldest first; changes: newest first, only of measures that were ever entered."""

    weeks: tuple[Week, ...]
    phases: tuple[PhaseView, ...]
    changes: tuple[ChangeView, ...]


def treatment_view(row: Row) -> TreatmentView:
    """Return what pages show of a stored treatment."""
    return TreatmentView(
        row["id"],
        row["athlete_id"],
        TreatmentKind(row["kind"]),
        row["words"] or "",
        row["note"] or "",
        row["started_on"],
        row["ended_on"],
    )


def questionnaire_view(row: Row) -> QuestionnaireView:
    """Return what pages show of stored answers."""
    return QuestionnaireView(
        QuestionnaireKind(row["kind"]), row["version"], row["local_date"], dict(row["answers"]), row["score"]
    )


def plan_view(row: Row) -> DoctorPlanView:
    """Return what pages show of a stored doctor's plan."""
    return DoctorPlanView(
        row["told_on"],
        row["doctor"] or "",
        row["diagnosis"] or "",
        tuple(row["contraindications"]),
        tuple(row["measures"]),
        row["next_on"],
        row["recorded_at"],
    )


def imaging_view(row: Row) -> ImagingView:
    """Return what pages show of a stored examination."""
    return ImagingView(
        row["id"],
        row["athlete_id"],
        ImagingKind(row["kind"]),
        row["taken_on"],
        row["asked_by"] or "",
        row["words"] or "",
        row["file_name"],
        row["media_type"],
        row["size_bytes"],
    )
