"""Queries: who stands in for a minor."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, exists, select

from coach.store.engine import Tx
from coach.store.rows import Row, many
from coach.store.tables import athlete, user_account
from coach.store.trust_tables import guardian_athlete

_of = guardian_athlete.c


def link(tx: Tx, guardian_id: str, athlete_id: str, now: datetime) -> None:
    """Let a guardian stand in for an athlete, unless they do."""
    if not stands_in(tx, guardian_id, athlete_id):
        tx.execute(guardian_athlete.insert().values(guardian_id=guardian_id, athlete_id=athlete_id, created_at=now))


def unlink(tx: Tx, guardian_id: str, athlete_id: str) -> bool:
    """End it; return whether they did."""
    ended = delete(guardian_athlete).where(_of.guardian_id == guardian_id, _of.athlete_id == athlete_id)
    return bool(tx.execute(ended).rowcount)


def stands_in(tx: Tx, guardian_id: str, athlete_id: str) -> bool:
    """Tell whether that user is a guardian of that athlete."""
    return bool(
        tx.execute(select(exists().where(_of.guardian_id == guardian_id, _of.athlete_id == athlete_id))).scalar_one()
    )


def has_guardian(tx: Tx, athlete_id: str) -> bool:
    """Tell whether anybody stands in for that athlete."""
    return bool(tx.execute(select(exists().where(_of.athlete_id == athlete_id))).scalar_one())


def of_athlete(tx: Tx, athlete_id: str) -> list[Row]:
    """Return an athlete's guardians by name. Columns: id, name, created_at (of the link)."""
    statement = (
        select(user_account.c.id, user_account.c.name, _of.created_at)
        .join(guardian_athlete, _of.guardian_id == user_account.c.id)
        .where(_of.athlete_id == athlete_id)
    )
    return many(tx, statement.order_by(user_account.c.name_key))


def children(tx: Tx, guardian_id: str) -> list[Row]:
    """Return the athletes whom a guardian stands in for, by name."""
    statement = select(athlete).join(guardian_athlete, _of.athlete_id == athlete.c.id)
    return many(tx, statement.where(_of.guardian_id == guardian_id).order_by(athlete.c.name, athlete.c.id))
