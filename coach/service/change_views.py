"""What the service answers about a program that changes while it runs. Frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from coach.store.rows import Row


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


NEEDS_YES = frozenset({ChangeKind.STEP, ChangeKind.RESUME})


class ChangeState(StrEnum):
    PROPOSED = "proposed"
    MADE = "made"  # by itself, or after a yes
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"  # what it rested on holds no more


@dataclass(frozen=True, slots=True)
class ChangeView:
    """One change. first_on, last_on: local days that are lighter or without a session, None where none are."""

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
    )
