"""Queries: sessions of phones, and what they sent that is not in chunks yet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update

from coach.store.engine import Tx
from coach.store.rows import Row, many, one
from coach.store.tables import phone_message, phone_session

_message = phone_message.c


def session(tx: Tx, wearable_id: str, session_key: str) -> Row | None:
    """Return a session of a phone by the name that the phone gives it."""
    columns = phone_session.c
    same = (columns.wearable_id == wearable_id, columns.session_key == session_key)
    return one(tx, select(phone_session).where(*same))


def get_session(tx: Tx, session_id: str) -> Row | None:
    """Return a session."""
    return one(tx, select(phone_session).where(phone_session.c.id == session_id))


def add_session(tx: Tx, values: dict[str, Any]) -> None:
    """Insert a session."""
    tx.execute(phone_session.insert().values(**values))


def change_session(tx: Tx, session_id: str, **values: Any) -> None:
    """Change columns of a session."""
    tx.execute(update(phone_session).where(phone_session.c.id == session_id).values(**values))


def move_session(tx: Tx, session_id: str, from_index: int, **values: Any) -> bool:
    """Change columns of a session if nobody has cut chunks of it meanwhile. Tell whether it was so."""
    columns = phone_session.c
    same = (columns.id == session_id, columns.next_index == from_index)
    return tx.execute(update(phone_session).where(*same).values(**values)).rowcount == 1


def quiet_sessions(tx: Tx, before: datetime) -> list[tuple[str, str]]:
    """Return sessions, with their wearables, that have messages waiting and were not heard since `before`."""
    waiting = select(_message.session_id).distinct()
    columns = phone_session.c
    statement = select(columns.id, columns.wearable_id).where(columns.heard_at < before, columns.id.in_(waiting))
    return [(session_id, wearable_id) for session_id, wearable_id in tx.execute(statement)]


def add_message(tx: Tx, session_id: str, message_key: str, newest_utc_s: float, readings: bytes) -> bool:
    """Insert a message; tell whether it was not there before."""
    same = (_message.session_id == session_id, _message.message_key == message_key)
    if one(tx, select(_message.id).where(*same)) is not None:
        return False
    values = {"session_id": session_id, "message_key": message_key, "newest_utc_s": newest_utc_s, "readings": readings}
    tx.execute(phone_message.insert().values(**values))
    return True


def messages(tx: Tx, session_id: str) -> Sequence[bytes]:
    """Return the readings of a session's messages that wait."""
    found = many(tx, select(_message.readings).where(_message.session_id == session_id).order_by(_message.id))
    return [bytes(row["readings"]) for row in found]


def drop_messages(tx: Tx, session_id: str, before_utc_s: float | None = None) -> None:
    """Delete a session's messages: all, or those whose newest reading is older."""
    statement = delete(phone_message).where(_message.session_id == session_id)
    tx.execute(statement if before_utc_s is None else statement.where(_message.newest_utc_s < before_utc_s))
