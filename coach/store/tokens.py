"""Queries: bearer tokens of programs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import or_, select, update

from coach.store.engine import Tx
from coach.store.rows import Row, many, one
from coach.store.tables import api_token

_alive = api_token.c.revoked_at.is_(None)


def add(tx: Tx, values: dict[str, Any]) -> None:
    """Insert a token."""
    tx.execute(api_token.insert().values(**values))


def get(tx: Tx, token_id: str) -> Row | None:
    """Return a token that was not revoked."""
    return one(tx, select(api_token).where(api_token.c.id == token_id, _alive))


def of_athlete(tx: Tx, athlete_id: str) -> list[Row]:
    """Return an athlete's tokens that were not revoked, oldest first."""
    statement = select(api_token).where(api_token.c.athlete_id == athlete_id, _alive)
    return many(tx, statement.order_by(api_token.c.created_at, api_token.c.id))


def note_use(tx: Tx, token_id: str, now: datetime, unless_since: datetime) -> None:
    """Note that a token was used, unless that was noted after `unless_since`."""
    used = api_token.c.last_used_at
    stale = or_(used.is_(None), used <= unless_since)
    tx.execute(update(api_token).where(api_token.c.id == token_id, stale).values(last_used_at=now))


def revoke(tx: Tx, token_id: str, now: datetime) -> None:
    """End a token."""
    tx.execute(update(api_token).where(api_token.c.id == token_id, _alive).values(revoked_at=now))
