"""What a coach sees of all athletes together: a calendar's entries, and a week or block of each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time
from enum import StrEnum
from statistics import median

from coach.service.report_views import TestLine
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
class Period:
    """A week or block of one athlete: days from `first` to `last`, both with it.

    tests: None where the level does not let the reader see them. program_since, per_week, exercises: of the program
    that runs, None and 0 without one.
    """

    athlete: AthleteView
    first: date
    last: date
    days: tuple[DayLine, ...]
    findings: tuple[FoundLine, ...]
    tests: tuple[TestLine, ...] | None
    program_since: date | None
    per_week: int
    exercises: tuple[str, ...]
    locked: bool

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
        """Return the same, Monday to Sunday each. Findings and tests stay with the whole."""
        return tuple(
            Period(
                self.athlete, self.days[at].day, self.days[min(at + 7, len(self.days)) - 1].day, self.days[at : at + 7],
                tuple(each for each in self.findings if _meets(each, self.days[at : at + 7])), None, None, 0, (), False,
            )
            for at in range(0, len(self.days), 7)
        )  # fmt: skip


def _meets(found: FoundLine, days: tuple[DayLine, ...]) -> bool:
    return found.first <= days[-1].day and (found.open or found.last >= days[0].day)
