"""Queries: how running programs change, and which exercises somebody said no to."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import select, update

from coach.store.engine import Tx
from coach.store.meeting import insert_or_leave
from coach.store.program_tables import declined_exercise, program_change
from coach.store.rows import Row, fresh_id, many, one

_DECLINE = insert_or_leave(declined_exercise)


def add(tx: Tx, values: dict[str, Any]) -> str:
    """Insert a change; return its id. Raises Conflict when another one is proposed."""
    change_id = fresh_id()
    tx.execute(program_change.insert().values(id=change_id, **values))
    return change_id


def get(tx: Tx, change_id: str) -> Row | None:
    """Return a change."""
    return one(tx, select(program_change).where(program_change.c.id == change_id))


def proposed(tx: Tx, athlete_id: str) -> Row | None:
    """Return the change that waits for a yes; there is one at most."""
    columns = program_change.c
    return one(tx, select(program_change).where(columns.athlete_id == athlete_id, columns.state == "proposed"))


def move(tx: Tx, change_id: str, from_state: str, **values: Any) -> bool:
    """Change a change if it is still in that state; tell whether it was."""
    columns = program_change.c
    statement = update(program_change).where(columns.id == change_id, columns.state == from_state).values(**values)
    return tx.execute(statement).rowcount == 1


def of_plan(tx: Tx, plan_id: str) -> list[Row]:
    """Return a plan's changes in the order in which they were made."""
    columns = program_change.c
    statement = select(program_change).where(columns.plan_id == plan_id)
    return many(tx, statement.order_by(columns.created_at, columns.id))


def made_since(tx: Tx, athlete_id: str, since: datetime) -> list[Row]:
    """Return the changes that came about since then, accepted or by themselves, newest first."""
    columns = program_change.c
    statement = select(program_change).where(
        columns.athlete_id == athlete_id, columns.state == "made", columns.decided_at >= since
    )
    return many(tx, statement.order_by(columns.decided_at.desc(), columns.id))


def with_days(tx: Tx, athlete_id: str, last_on: date) -> list[Row]:
    """Return the changes that were made and have days of their own, those that end on that day or later."""
    columns = program_change.c
    statement = select(program_change).where(
        columns.athlete_id == athlete_id, columns.state == "made", columns.last_on >= last_on
    )
    return many(tx, statement.order_by(columns.created_at, columns.id))


def declined(tx: Tx, athlete_id: str) -> list[str]:
    """Return the ids of the exercises that were said no to, in order."""
    columns = declined_exercise.c
    statement = select(columns.exercise_id).where(columns.athlete_id == athlete_id)
    return list(tx.execute(statement.order_by(columns.exercise_id)).scalars())


def declines(tx: Tx, athlete_id: str) -> list[Row]:
    """Return what was said no to, newest first: exercise_id, declined_at, declined_by."""
    columns = declined_exercise.c
    statement = select(declined_exercise).where(columns.athlete_id == athlete_id)
    return many(tx, statement.order_by(columns.declined_at.desc(), columns.exercise_id))


def decline(tx: Tx, athlete_id: str, exercise_id: str, by: str, now: datetime) -> None:
    """Remember a no; again is no error."""
    row = {"athlete_id": athlete_id, "exercise_id": exercise_id, "declined_at": now, "declined_by": by}
    tx.execute(_DECLINE[tx.dialect.name], row)


def take_back(tx: Tx, athlete_id: str, exercise_id: str) -> bool:
    """Forget a no; tell whether there was one."""
    columns = declined_exercise.c
    statement = declined_exercise.delete().where(columns.athlete_id == athlete_id, columns.exercise_id == exercise_id)
    return tx.execute(statement).rowcount == 1
