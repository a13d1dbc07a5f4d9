"""Queries: recordings that came from files."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from coach.store.engine import Tx
from coach.store.rows import Row, many
from coach.store.tables import recording_import


def add(tx: Tx, values: dict[str, Any]) -> None:
    """Insert an import."""
    tx.execute(recording_import.insert().values(**values))


def of_athlete(tx: Tx, athlete_id: str, limit: int) -> list[Row]:
    """Return an athlete's imports, newest first."""
    columns = recording_import.c
    statement = select(recording_import).where(columns.athlete_id == athlete_id)
    return many(tx, statement.order_by(columns.imported_at.desc(), columns.id).limit(limit))


def like(tx: Tx, athlete_id: str, samples: int, covered: int) -> list[Row]:
    """Return an athlete's imports of exactly that many samples."""
    columns = recording_import.c
    same = (columns.athlete_id == athlete_id, columns.samples == samples, columns.covered == covered)
    return many(tx, select(recording_import).where(*same))
