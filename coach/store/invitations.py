"""Queries: one-time codes of invitations."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select, update

from coach.store.engine import Tx
from coach.store.rows import Row, many, one
from coach.store.trust_tables import invitation

_columns = invitation.c


def _open(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return _columns.used_at.is_(None), _columns.ended_at.is_(None), _columns.expires_at > now


def add(tx: Tx, values: dict[str, Any]) -> None:
    """Insert an invitation. Raises Conflict for a code that is taken."""
    tx.execute(invitation.insert().values(**values))


def by_hash(tx: Tx, code_hash: str, now: datetime) -> Row | None:
    """Return the invitation of a code while it can be used."""
    return one(tx, select(invitation).where(_columns.code_hash == code_hash, *_open(now)))


def use(tx: Tx, invitation_id: str, by: str, now: datetime) -> bool:
    """Use an invitation up, in one statement; return False when somebody was first, or it has ended."""
    used = update(invitation).where(_columns.id == invitation_id, *_open(now)).values(used_at=now, used_by=by)
    return bool(tx.execute(used).rowcount)


def open_of(tx: Tx, user_id: str, now: datetime) -> list[Row]:
    """Return what somebody has made and nobody has used yet, newest first."""
    mine = select(invitation).where(_columns.made_by == user_id, *_open(now))
    return many(tx, mine.order_by(_columns.created_at.desc(), _columns.id))


def end(tx: Tx, invitation_id: str, user_id: str, now: datetime) -> bool:
    """Take one's own invitation back; return whether there was one to take back."""
    ended = update(invitation).where(_columns.id == invitation_id, _columns.made_by == user_id, *_open(now))
    return bool(tx.execute(ended.values(ended_at=now)).rowcount)


def end_offers(tx: Tx, athlete_id: str, now: datetime) -> None:
    """Take back every open code that would let somebody see an athlete."""
    offers = update(invitation).where(_columns.athlete_id == athlete_id, _columns.level.is_not(None), *_open(now))
    tx.execute(offers.values(ended_at=now))


def end_of_maker(tx: Tx, user_id: str, athlete_id: str, now: datetime) -> None:
    """Take back every open code about an athlete that somebody made."""
    made = (_columns.made_by == user_id, _columns.athlete_id == athlete_id)
    tx.execute(update(invitation).where(*made, *_open(now)).values(ended_at=now))
