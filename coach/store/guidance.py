"""Queries: guided sessions and their sets."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from coach.store.engine import Tx
from coach.store.guidance_tables import guided_session, guided_set
from coach.store.rows import Row, fresh_id, many, one


def of_session(tx: Tx, session_id: str) -> Row | None:
    """Return the guided session of a planned one."""
    return one(tx, select(guided_session).where(guided_session.c.session_id == session_id))


def add(tx: Tx, values: dict[str, Any]) -> str:
    """Insert a guided session; return its id. Raises Conflict when the planned session has one."""
    guided_id = fresh_id()
    tx.execute(guided_session.insert().values(id=guided_id, **values))
    return guided_id


def end(tx: Tx, guided_id: str, state: str, now: datetime) -> bool:
    """End a guided session that runs; tell whether it did."""
    columns = guided_session.c
    statement = update(guided_session).where(columns.id == guided_id, columns.state == "running")
    return tx.execute(statement.values(state=state, ended_at=now)).rowcount == 1


def running_since(tx: Tx, before: datetime) -> list[Row]:
    """Return guided sessions that have run since before a moment."""
    columns = guided_session.c
    return many(tx, select(guided_session).where(columns.state == "running", columns.started_at < before))


def sets(tx: Tx, guided_id: str) -> list[Row]:
    """Return the sets that were begun, in the order of the script."""
    return many(tx, select(guided_set).where(guided_set.c.guided_id == guided_id).order_by(guided_set.c.number))


def get_set(tx: Tx, guided_id: str, number: int) -> Row | None:
    """Return one set."""
    columns = guided_set.c
    return one(tx, select(guided_set).where(columns.guided_id == guided_id, columns.number == number))


def add_set(tx: Tx, values: dict[str, Any]) -> None:
    """Insert a set. Raises Conflict when it is there."""
    tx.execute(guided_set.insert().values(**values))


def change_set(tx: Tx, guided_id: str, number: int, from_states: tuple[str, ...], **values: Any) -> bool:
    """Change a set if it is still in one of those states; tell whether it was."""
    columns = guided_set.c
    mine = columns.guided_id == guided_id, columns.number == number, columns.state.in_(from_states)
    return tx.execute(update(guided_set).where(*mine).values(**values)).rowcount == 1


def sets_in_state(tx: Tx, state: str, limit: int = 200) -> list[Row]:
    """Return sets in a state, the oldest first."""
    columns = guided_set.c
    return many(tx, select(guided_set).where(columns.state == state).order_by(columns.started_at).limit(limit))


def newest_of_exercise(tx: Tx, athlete_id: str, exercise_id: str, side: str | None, limit: int) -> list[Row]:
    """Return an athlete's newest settled sets of an exercise on a side in which something was seen."""
    columns = guided_set.c
    statement = select(guided_set).where(
        columns.athlete_id == athlete_id,
        columns.exercise_id == exercise_id,
        columns.side.is_(None) if side is None else columns.side == side,
        columns.state == "settled",
        columns.detail.is_not(None),
    )
    return many(tx, statement.order_by(columns.started_at.desc()).limit(limit))
