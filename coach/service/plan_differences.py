"""A proposal as a difference to the program that runs: what comes, goes, rises and falls, each with its because."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from coach.service.change_views import exercise_name
from coach.service.plain import prescription_from_plain
from coach.store.rows import Row
from programs.compose import asks_for_more
from programs.types import PrescribedExercise, Prescription


class MadeFrom(StrEnum):
    """What a proposal came from."""

    FINDINGS = "findings"
    EDITED = "edited"  # a proposal or a program, changed by hand
    TEMPLATE = "template"


class Mark(StrEnum):
    """What a proposal does to one exercise."""

    ADDED = "added"
    REMOVED = "removed"
    MORE = "more"
    LESS = "less"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class DifferenceLine:
    """One exercise. before, after: as it runs and as it is proposed, None where it is not there. name: in words."""

    name: str
    mark: Mark
    before: PrescribedExercise | None
    after: PrescribedExercise | None

    @property
    def because(self) -> str:
        """Return why: of what goes, nothing is said but that it goes."""
        return self.after.because if self.after is not None else ""


@dataclass(frozen=True, slots=True)
class Course:
    """How often and how long a program is."""

    sessions_per_week: int
    weeks: int
    session_duration_min: int


@dataclass(frozen=True, slots=True)
class Difference:
    """What accepting would change. runs: None while nothing runs. asks_for_more: whether anything is new or rises.

    lines: what the proposal has in its order, then what goes.
    """

    lines: tuple[DifferenceLine, ...]
    runs: Course | None
    proposed: Course
    asks_for_more: bool


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposal that waits, as the desk shows it. by: who wrote it, None for what came from findings."""

    plan_id: str
    athlete_id: str
    title: str
    because: str
    made_from: MadeFrom
    by: str | None
    template_name: str | None
    created_at: datetime
    difference: Difference


def difference_of(running: Prescription | None, proposed: Prescription) -> Difference:
    """Return what differs between what runs and what is proposed."""
    old = {item.exercise_id: item for item in running.exercises} if running is not None else {}
    new = {item.exercise_id: item for item in proposed.exercises}
    lines = [_line(old.get(each), item) for each, item in new.items()]
    lines += [_line(item, None) for each, item in old.items() if each not in new]
    return Difference(
        tuple(lines),
        course_of(running) if running is not None else None,
        course_of(proposed),
        any(line.mark in (Mark.ADDED, Mark.MORE) for line in lines),
    )


def course_of(prescription: Prescription) -> Course:
    """Return how often and how long a program is."""
    return Course(prescription.sessions_per_week, prescription.weeks, prescription.session_duration_min)


def _line(was: PrescribedExercise | None, now: PrescribedExercise | None) -> DifferenceLine:
    item = now or was
    name = exercise_name(item) if item is not None else ""
    if was is None or now is None:
        return DifferenceLine(name, Mark.ADDED if was is None else Mark.REMOVED, was, now)
    if (was.level, was.dose, was.extra_set) == (now.level, now.dose, now.extra_set):
        return DifferenceLine(name, Mark.SAME, was, now)
    return DifferenceLine(name, Mark.MORE if asks_for_more(was, now) else Mark.LESS, was, now)


def proposal_of(row: Row, running: Row | None, authors: Mapping[str, Row]) -> Proposal:
    """Return a proposal beside what runs. authors: by plan, of those that a coach wrote."""
    author, prescription = authors.get(row["id"]), prescription_from_plain(row["prescription"])
    return Proposal(
        plan_id=row["id"],
        athlete_id=row["athlete_id"],
        title=prescription.title,
        because=prescription.because,
        made_from=MadeFrom(author["made_from"]) if author is not None else MadeFrom.FINDINGS,
        by=author["name"] if author is not None else None,
        template_name=author["template_name"] if author is not None else None,
        created_at=row["created_at"],
        difference=difference_of(
            prescription_from_plain(running["prescription"]) if running is not None else None, prescription
        ),
    )
