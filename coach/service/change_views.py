"""What the service answers about a program that changes while it runs. Frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from coach.service.plain import prescription_from_plain
from coach.store.rows import Row
from programs.dose import text
from programs.exercises import known
from programs.types import PrescribedExercise, Prescription


class ChangeKind(StrEnum):
    """Why a running program changes. STEP and RESUME ask for more and need a yes; the others only ever for less."""

    STEP = "step"  # two green sessions: one thing goes up
    RESUME = "resume"  # from walking back to the program, a step easier than it was
    BACK = "back"  # a red session: all of it a step easier, after a day of rest
    BREAK = "break"  # a week without a session: one level back
    RESTART = "restart"  # three weeks without one: the first level
    DELOAD = "deload"  # two signs of strain: seven lighter days
    WALKING = "walking"  # usual pain of 5 or more: walking and relative rest
    LEFT_OUT = "left_out"  # an exercise that somebody said no to
    RULED_OUT = "ruled_out"  # what a doctor's plan or what hurts now speaks against


NEEDS_YES = frozenset({ChangeKind.STEP, ChangeKind.RESUME})


class ChangeState(StrEnum):
    PROPOSED = "proposed"
    MADE = "made"  # by itself, or after a yes
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"  # what it rested on holds no more


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """What one exercise becomes: level and dose in words, None where it was not, or is not, in the program."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class ChangeView:
    """One change. first_on, last_on: local days that are lighter or without a session, None where none are.

    lines: the exercises that differ, in the order of the program; empty for lighter days.
    """

    change_id: str
    athlete_id: str
    plan_id: str
    kind: ChangeKind
    state: ChangeState
    because: str
    created_at: datetime
    decided_at: datetime | None
    first_on: date | None
    last_on: date | None
    lines: tuple[ChangeLine, ...] = ()


def lines_of(before: Prescription, after: Prescription) -> tuple[ChangeLine, ...]:
    """Return what differs between two programs, exercise by exercise; one may take the place of another."""
    pairs: list[tuple[PrescribedExercise | None, PrescribedExercise | None]] = []
    if len(before.exercises) == len(after.exercises):
        pairs = list(zip(before.exercises, after.exercises, strict=True))
    else:
        old, new = ({item.exercise_id: item for item in each.exercises} for each in (before, after))
        pairs = [(old.get(name), new.get(name)) for name in dict.fromkeys((*old, *new))]
    return tuple(_line(was, now) for was, now in pairs if was != now)


def _line(was: PrescribedExercise | None, now: PrescribedExercise | None) -> ChangeLine:
    first = was or now
    name = exercise_name(first) if first is not None else ""
    after = said(now) if now is not None else None
    if was is not None and now is not None and was.exercise_id != now.exercise_id:
        after = f"{exercise_name(now)}, {after}"
    return ChangeLine(name, said(was) if was is not None else None, after)


def exercise_name(item: PrescribedExercise) -> str:
    """Return the name of a prescribed exercise; its id where it has left the library since."""
    one = known(item)
    return one.name if one is not None else item.exercise_id


def said(item: PrescribedExercise) -> str:
    """Return level and dose in words; of what has left the library the dose alone."""
    one = known(item)
    level = f"{one.levels[item.level]}, " if one is not None and item.level < len(one.levels) else ""
    return f"{level}{text(item.dose)}"


def change_view(row: Row) -> ChangeView:
    """Return what pages show of a stored change."""
    return ChangeView(
        change_id=row["id"],
        athlete_id=row["athlete_id"],
        plan_id=row["plan_id"],
        kind=ChangeKind(row["kind"]),
        state=ChangeState(row["state"]),
        because=row["because"],
        created_at=row["created_at"],
        decided_at=row["decided_at"],
        first_on=row["first_on"],
        last_on=row["last_on"],
        lines=lines_of(prescription_from_plain(row["before"]), prescription_from_plain(row["after"])),
    )
