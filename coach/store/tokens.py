"""Queries: bearer tokens of programs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, or_, select, update

from coach.store.engine import Tx
from coach.store.rows import Row, many, one
from coach.store.tables import api_token

_alive = api_token.c.revoked_at.is_(None)
# Made once: the first is asked with every request of a gateway.
_GET = select(api_token).where(api_token.c.id == bindparam("token"), _alive)
# One row for all of them: see many_rows. None of the columns holds a blank.
_GET_ALL = select(
    func.aggregate_strings(
        api_token.c.id + " " + api_token.c.token_hash + " " + api_token.c.scope + " " + api_token.c.athlete_id, "\n"
    )
).where(api_token.c.id.in_(bindparam("tokens", expanding=True)), _alive)
_NOTE_USE = (
    update(api_token)
    .where(
        api_token.c.id == bindparam("token"),
        or_(api_token.c.last_used_at.is_(None), api_token.c.last_used_at <= bindparam("stale")),
    )
    .values(last_used_at=bindparam("now"))
)


def add(tx: Tx, values: dict[str, Any]) -> None:
    """Insert a token."""
    tx.execute(api_token.insert().values(**values))


def get(tx: Tx, token_id: str) -> Row | None:
    """Return a token that was not revoked."""
    return one(tx, _GET, {"token": token_id})


def get_all(tx: Tx, token_ids: Collection[str]) -> list[tuple[str, str, str, str]]:
    """Return id, hash, scope and athlete of those tokens that were not revoked."""
    found: str = tx.execute(_GET_ALL, {"tokens": list(token_ids)}).scalar() or ""
    return [(token_id, kept, scope, whose) for token_id, kept, scope, whose in map(str.split, found.splitlines())]


def of_athlete(tx: Tx, athlete_id: str) -> list[Row]:
    """Return an athlete's tokens that were not revoked, oldest first."""
    statement = select(api_token).where(api_token.c.athlete_id == athlete_id, _alive)
    return many(tx, statement.order_by(api_token.c.created_at, api_token.c.id))


def note_uses(tx: Tx, used: Mapping[str, datetime], unless_since: datetime) -> None:
    """Note when tokens were used, by id, unless that was noted after `unless_since`."""
    tx.execute(
        _NOTE_USE, [{"token": token_id, "now": now, "stale": unless_since} for token_id, now in sorted(used.items())]
    )


def revoke(tx: Tx, token_id: str, now: datetime) -> None:
    """End a token."""
    tx.execute(update(api_token).where(api_token.c.id == token_id, _alive).values(revoked_at=now))
