"""The doctor's report as one value. The page, the PDF and the FHIR bundle are made from it and so say the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from statistics import median

from coach.analysis.response import Comparison
from coach.language import gettext as _
from coach.language import ngettext
from coach.said import said
from coach.service.care_views import (
    ChangeView,
    DoctorPlanView,
    ImagingView,
    PhaseView,
    QuestionnaireView,
    TreatmentView,
    Week,
)
from coach.service.courses import PainCourse
from coach.written import number, three_digits

# Once for everything that comes from a person. Own words.
AS_TOLD = "Entries are the athlete's own. What a doctor said is as the athlete or coach wrote it down."

ALWAYS_ASK = ("Is the diagnosis right?", "What should be left out for now, and what can go on?")
# Asked after months without relief; questions, and never a recommendation.
ASK_AFTER_MONTHS = (
    "Is the diagnosis right?",
    "Would imaging, or looking at it again, change the plan?",
    "What has not been tried yet, and what speaks for or against it?",
    "Which further options exist, surgery among them, and what is known of each?",
)


@dataclass(frozen=True, slots=True)
class ExposureLine:
    """One measured quantity of a usual day: median of the worn days of 4 weeks, and of the 4 weeks before.

    needs: what is missing for a number.
    """

    name: str
    unit: str
    now: float | None
    before: float | None
    days_now: int
    days_before: int
    needs: str | None = None

    def said_now(self, unit: str = "") -> str:
        """Return the last four weeks in words: `12 per worn hour (9 days)`, or what is missing for a number."""
        if self.now is None:
            return _("not enough data: needs %(needs)s", needs=said(self.needs or ""))
        return _of_days(self.now, unit, self.days_now)

    def said_before(self) -> str:
        """Return the four weeks before in words."""
        return _("not enough data") if self.before is None else _of_days(self.before, "", self.days_before)


@dataclass(frozen=True, slots=True)
class FindingLine:
    statement: str
    grade: str
    first: date
    last: date
    open: bool


@dataclass(frozen=True, slots=True)
class TestLine:
    """The newest result of a test, and the change against the one before it with its own error."""

    name: str
    value: float
    unit: str
    at_least: bool
    on: date
    change: str


@dataclass(frozen=True, slots=True)
class TrainingLine:
    """One training as it was entered. effort 0 to 10."""

    on: date
    what: str
    duration_min: int
    effort: int


@dataclass(frozen=True, slots=True)
class ProgramLine:
    """A program. until: its last day so far. done, skipped, open: of its sessions that were due.

    during, after: the pain that was told of sessions done, 0 to 10; shorter where nothing was told of some.
    """

    title: str
    since: date
    until: date
    exercises: tuple[str, ...]
    per_week: int
    done: int
    skipped: int
    open: int
    during: tuple[int, ...] = ()
    after: tuple[int, ...] = ()

    @property
    def due(self) -> int:
        return self.done + self.skipped + self.open

    @property
    def adherence(self) -> str:
        """Say what became of the sessions that were due, and which pain was told of those that were done."""
        became = _(
            "Of %(due)s sessions that were due: %(done)s done, %(skipped)s not done, %(open)s without an answer.",
            due=self.due, done=self.done, skipped=self.skipped, open=self.open,
        )  # fmt: skip
        pains = []
        if self.during:
            during = _("during median %(median)s, most %(most)s (%(count)s told)", **_of_pains(self.during))
            pains.append(during)
        if self.after:
            pains.append(_("after median %(median)s, most %(most)s (%(count)s told)", **_of_pains(self.after)))
        if not pains:
            return became
        told = _("Pain of them, 0 to 10: %(pains)s.", pains="; ".join(pains))
        return f"{became} {told}"


@dataclass(frozen=True, slots=True)
class ProgramChangeLine:
    """One change of a program that ran. more: it asked for more, after a yes. because: as the athlete read it."""

    on: date
    more: bool
    because: str

    @property
    def what(self) -> str:
        return _("more, after a yes") if self.more else _("easier")


@dataclass(frozen=True, slots=True)
class TriedLine:
    """What was tried, for how long, with what response: the comparison of pain after it began, in words."""

    treatment: TreatmentView
    days: int
    response: str
    comparison: Comparison | None


@dataclass(frozen=True, slots=True)
class RedFlags:
    """The newest answers to the safety questions. answers: question id -> yes, no, unknown; texts: id -> question."""

    answered_on: date
    version: str
    answers: Mapping[str, str]
    texts: Mapping[str, str]
    messages: tuple[str, ...]
    locked: bool
    cleared_by: str | None
    cleared_on: date | None


@dataclass(frozen=True, slots=True)
class Report:
    """All that goes to the doctor. offered: why now, empty when it was asked for without a reason of ours.

    pains: the worst of each local day, 0 to 10. programs: the newest first. months_without_relief: 12 weeks or more
    without a change of 30 %.
    """

    athlete_id: str
    name: str
    born_on: date | None
    sport: str
    time_zone: str
    made_at: datetime
    made_on: date
    offered: tuple[str, ...]
    course: PainCourse | None
    months_without_relief: bool
    sites: tuple[tuple[str, int], ...]
    symptoms: tuple[tuple[str, int], ...]
    pains: Mapping[date, int]
    weeks: tuple[Week, ...]
    phases: tuple[PhaseView, ...]
    changes: tuple[ChangeView, ...]
    exposures: tuple[ExposureLine, ...]
    findings: tuple[FindingLine, ...]
    trainings: tuple[TrainingLine, ...]
    tests: tuple[TestLine, ...]
    programs: tuple[ProgramLine, ...]
    program_changes: tuple[ProgramChangeLine, ...]
    tried: tuple[TriedLine, ...]
    questionnaires: tuple[QuestionnaireView, ...]
    red_flags: RedFlags | None
    plan: DoctorPlanView | None
    imaging: tuple[ImagingView, ...]
    questions: tuple[str, ...]


def _of_days(value: float, unit: str, days: int) -> str:
    amount = f"{three_digits(value)} {unit}".rstrip()
    return ngettext("%(amount)s (%(num)s day)", "%(amount)s (%(num)s days)", days, amount=amount)


def _of_pains(pains: tuple[int, ...]) -> dict[str, object]:
    return {"median": number(median(pains), 1), "most": max(pains), "count": len(pains)}
