"""Queries: exercises of a coach's own. Only the coach who wrote one finds it here."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update

from coach.store.desk_tables import own_exercise
from coach.store.engine import Tx
from coach.store.rows import Row, many, one


def add(tx: Tx, values: dict[str, Any]) -> None:
    """Insert an exercise with all its columns."""
    tx.execute(own_exercise.insert().values(**values))


def of_coach(tx: Tx, coach_id: str) -> list[Row]:
    """Return a coach's exercises, the oldest first."""
    columns = own_exercise.c
    statement = select(own_exercise).where(columns.coach_id == coach_id)
    return many(tx, statement.order_by(columns.created_at, columns.id))


def get(tx: Tx, coach_id: str, exercise_id: str) -> Row | None:
    """Return one exercise of a coach's."""
    columns = own_exercise.c
    return one(tx, select(own_exercise).where(columns.id == exercise_id, columns.coach_id == coach_id))


def name_of(tx: Tx, exercise_id: str) -> str | None:
    """Return what an exercise is called that an athlete was given; None where it was deleted since."""
    found = one(tx, select(own_exercise.c.entry).where(own_exercise.c.id == exercise_id))
    return str(found["entry"]["name"]) if found is not None else None


def change(tx: Tx, coach_id: str, exercise_id: str, **values: Any) -> bool:
    """Change an exercise of a coach's; tell whether there was one."""
    columns = own_exercise.c
    statement = update(own_exercise).where(columns.id == exercise_id, columns.coach_id == coach_id)
    return tx.execute(statement.values(**values)).rowcount == 1


def drop(tx: Tx, coach_id: str, exercise_id: str) -> bool:
    """Delete an exercise of a coach's; tell whether there was one. Programs that have it keep it."""
    columns = own_exercise.c
    statement = own_exercise.delete().where(columns.id == exercise_id, columns.coach_id == coach_id)
    return tx.execute(statement).rowcount == 1
