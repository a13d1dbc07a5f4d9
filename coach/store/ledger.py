"""Queries: who read what of an athlete, and in which hour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from coach.store.engine import Tx
from coach.store.meeting import insert_or_leave
from coach.store.rows import Row, many
from coach.store.tables import athlete
from coach.store.trust_tables import ledger_entry

_NOTE = insert_or_leave(ledger_entry)


def note(tx: Tx, rows: Sequence[dict[str, Any]]) -> None:
    """Insert what is not noted yet, of athletes who are here: one row for each athlete, reader, subject and hour."""
    whose = sorted({row["athlete_id"] for row in rows})
    here = set(tx.execute(select(athlete.c.id).where(athlete.c.id.in_(whose))).scalars())
    known = [row for row in rows if row["athlete_id"] in here]
    if known:
        tx.execute(_NOTE[tx.dialect.name], known)


def of_athlete(tx: Tx, athlete_id: str, limit: int) -> list[Row]:
    """Return the newest lines first."""
    columns = ledger_entry.c
    statement = select(ledger_entry).where(columns.athlete_id == athlete_id)
    return many(tx, statement.order_by(columns.hour.desc(), columns.reader_name, columns.subject).limit(limit))
