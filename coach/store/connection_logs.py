"""Queries: connection logs, one per recording of a wearable."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update

from coach.store.engine import Tx
from coach.store.rows import Row, many, one
from coach.store.tables import connection_log, wearable


def add(tx: Tx, values: dict[str, Any]) -> None:
    """Insert a log."""
    tx.execute(connection_log.insert().values(**values))


def change(tx: Tx, wearable_id: str, recording_id: str, values: dict[str, Any]) -> bool:
    """Replace the text of a recording's log; tell whether there was one."""
    columns = connection_log.c
    mine = (columns.wearable_id == wearable_id, columns.recording_id == recording_id)
    return tx.execute(update(connection_log).where(*mine).values(**values)).rowcount == 1


def get(tx: Tx, log_id: str) -> Row | None:
    """Return a log with its text."""
    return one(tx, select(connection_log).where(connection_log.c.id == log_id))


def newest(tx: Tx, athlete_id: str, limit: int) -> list[Row]:
    """Return an athlete's logs without their text, newest first, each with its wearable's name."""
    columns = connection_log.c
    statement = (
        select(columns.id, columns.wearable_id, columns.begun_at, columns.updated_at, wearable.c.name)
        .join(wearable, wearable.c.id == columns.wearable_id)
        .where(columns.athlete_id == athlete_id)
        .order_by(columns.begun_at.desc(), columns.id)
        .limit(limit)
    )
    return many(tx, statement)
