"""Queries: what a coach writes: a message with a session, private notes about an athlete."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from coach.store.desk_tables import coach_note, session_message
from coach.store.engine import Tx
from coach.store.rows import Row, fresh_id, many
from coach.store.tables import user_account


def set_message(tx: Tx, session_id: str, written_by: str, text: str, now: datetime) -> None:
    """Keep a coach's message with a session, in place of what they had written before."""
    drop_message(tx, session_id, written_by)
    values = {"session_id": session_id, "written_by": written_by, "text": text, "written_at": now}
    tx.execute(session_message.insert().values(**values))


def drop_message(tx: Tx, session_id: str, written_by: str) -> bool:
    """Delete a coach's message with a session; tell whether there was one."""
    columns = session_message.c
    statement = session_message.delete().where(columns.session_id == session_id, columns.written_by == written_by)
    return tx.execute(statement).rowcount == 1


def messages(tx: Tx, session_id: str) -> list[Row]:
    """Return the messages with a session, the oldest first. Columns: those of session_message, name."""
    columns = session_message.c
    statement = select(session_message, user_account.c.name)
    statement = statement.join(user_account, user_account.c.id == columns.written_by)
    return many(tx, statement.where(columns.session_id == session_id).order_by(columns.written_at, columns.written_by))


def add_note(tx: Tx, values: dict[str, Any]) -> str:
    """Insert a note; return its id."""
    note_id = fresh_id()
    tx.execute(coach_note.insert().values(id=note_id, **values))
    return note_id


def notes(tx: Tx, athlete_id: str, written_by: str) -> list[Row]:
    """Return what one coach has noted about an athlete, newest first."""
    columns = coach_note.c
    statement = select(coach_note).where(columns.athlete_id == athlete_id, columns.written_by == written_by)
    return many(tx, statement.order_by(columns.written_at.desc(), columns.id))


def count_notes(tx: Tx, athlete_id: str, written_by: str) -> int:
    """Return how many notes one coach has about an athlete."""
    columns = coach_note.c
    statement = select(func.count()).select_from(coach_note)
    return int(
        tx.execute(statement.where(columns.athlete_id == athlete_id, columns.written_by == written_by)).scalar_one()
    )


def drop_note(tx: Tx, athlete_id: str, written_by: str, note_id: str) -> bool:
    """Delete a coach's own note about an athlete; tell whether there was one."""
    columns = coach_note.c
    statement = coach_note.delete().where(
        columns.id == note_id, columns.athlete_id == athlete_id, columns.written_by == written_by
    )
    return tx.execute(statement).rowcount == 1
