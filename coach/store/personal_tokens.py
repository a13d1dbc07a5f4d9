"""Queries: personal tokens."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import or_, select, update

from coach.store.engine import Tx
from coach.store.rows import Row, many, one
from coach.store.token_tables import personal_token

_alive = personal_token.c.revoked_at.is_(None)


def add(tx: Tx, values: dict[str, Any]) -> None:
    """Insert a token."""
    tx.execute(personal_token.insert().values(**values))


def get(tx: Tx, token_id: str) -> Row | None:
    """Return a token that was not revoked; it may have expired."""
    return one(tx, select(personal_token).where(personal_token.c.id == token_id, _alive))


def of_user(tx: Tx, user_id: str, epoch: int, now: datetime) -> list[Row]:
    """Return a person's tokens that work now, oldest first."""
    statement = select(personal_token).where(
        personal_token.c.user_id == user_id,
        personal_token.c.epoch == epoch,
        personal_token.c.expires_at > now,
        _alive,
    )
    return many(tx, statement.order_by(personal_token.c.created_at, personal_token.c.id))


def note_use(tx: Tx, token_id: str, now: datetime, unless_since: datetime) -> None:
    """Note that a token was used, unless that was noted after `unless_since`."""
    used = personal_token.c.last_used_at
    stale = or_(used.is_(None), used <= unless_since)
    tx.execute(update(personal_token).where(personal_token.c.id == token_id, stale).values(last_used_at=now))


def revoke(tx: Tx, token_id: str, user_id: str, now: datetime) -> bool:
    """End a person's token; tell whether there was one."""
    mine = (personal_token.c.id == token_id, personal_token.c.user_id == user_id, _alive)
    return tx.execute(update(personal_token).where(*mine).values(revoked_at=now)).rowcount == 1
