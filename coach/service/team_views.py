"""What a coach sees of all athletes together: a calendar's entries, and a week or block of each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, time
from enum import StrEnum
from statistics import median

from coach.analysis.assessment_types import AssessmentTest, Change
from coach.service.types import AthleteView, SessionState


class EntryKind(StrEnum):
    """What stands in the calendar."""

    SESSION = "session"
    TEST = "test"  # that was done
    TEST_DUE = "test_due"
    APPOINTMENT = "appointment"  # with whoever treats the athlete


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the team's calendar, on the athlete's own local day. at: None for what has no hour.

    state: of a session.
    """

    kind: EntryKind
    athlete: AthleteView
    day: date
    at: time | None = None
    state: SessionState | None = None
    thing_id: str | None = None


@dataclass(frozen=True, slots=True)
class DayLine:
    """One local day. planned, done, skipped: sessions. worn: enough for a number. None: not known.

    pain: the worst that was told, 0 to 10. load: effort x minutes of what was entered.
    """

    day: date
    planned: int
    done: int
    skipped: int
    worn: bool
    bends_per_h: float | None
    training_min: int
    load: float | None
    pain: int | None


@dataclass(frozen=True, slots=True)
class FoundLine:
    """One finding that held on a day of the period."""

    finding_id: str
    kind: str
    grade: str
    first: date
    last: date
    open: bool


@dataclass(frozen=True, slots=True)
class TestShown:
    """The newest result of a test. change: against the one before it, with its noise; None for the first one."""

    test: AssessmentTest
    value: float
    unit: str
    at_least: bool
    on: date
    change: Change | None


@dataclass(frozen=True, slots=True)
class Period:
    """A week or block of one athlete: days from `first` to `last`, both with it. today: where the athlete lives.

    tests: None where the level does not let the reader see them. program_since, per_week, exercises: of the program
    that runs, None and 0 without one.
    """

    athlete: AthleteView
    first: date
    last: date
    days: tuple[DayLine, ...]
    findings: tuple[FoundLine, ...]
    tests: tuple[TestShown, ...] | None
    program_since: date | None
    per_week: int
    exercises: tuple[str, ...]
    locked: bool
    today: date

    @property
    def planned(self) -> int:
        return sum(each.planned for each in self.days)

    @property
    def done(self) -> int:
        return sum(each.done for each in self.days)

    @property
    def skipped(self) -> int:
        return sum(each.skipped for each in self.days)

    @property
    def worn_days(self) -> int:
        return sum(each.worn for each in self.days)

    @property
    def training_min(self) -> int:
        return sum(each.training_min for each in self.days)

    @property
    def pains(self) -> tuple[int, ...]:
        return tuple(each.pain for each in self.days if each.pain is not None)

    def bends_per_h(self) -> float | None:
        """Return the median of the worn days, None without one."""
        known = [each.bends_per_h for each in self.days if each.bends_per_h is not None]
        return median(known) if known else None

    def weeks(self) -> tuple[Period, ...]:
        """Return the same, Monday to Sunday each."""
        return tuple(self._part(self.days[at : at + 7]) for at in range(0, len(self.days), 7))

    def each_day(self) -> tuple[Period, ...]:
        """Return the same, day by day."""
        return tuple(self._part((each,)) for each in self.days)

    def _part(self, days: tuple[DayLine, ...]) -> Period:
        """Return some of the days, with the findings that hold in them; tests and program are of the whole."""
        first, last = days[0].day, days[-1].day
        held = tuple(
            each for each in self.findings if each.first <= last and (self.today if each.open else each.last) >= first
        )
        return replace(self, first=first, last=last, days=days, findings=held, tests=None)
