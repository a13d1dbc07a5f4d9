"""Queries: whom a coach has put on their live wall."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, select

from coach.store.athletes import shared_with
from coach.store.engine import Tx
from coach.store.rows import Row, many
from coach.store.tables import athlete
from coach.store.trust_tables import consent
from coach.store.wall_tables import wall_tile


def offered(tx: Tx, coach_id: str) -> list[Row]:
    """Return the athletes, by name, whose live signal a coach may see: shared with them, and measuring agreed to."""
    senses = select(consent.c.athlete_id).where(consent.c.purpose == "sensing", consent.c.withdrawn_at.is_(None))
    statement = select(athlete).where(athlete.c.id.in_(shared_with(coach_id)), athlete.c.id.in_(senses))
    return many(tx, statement.order_by(athlete.c.name, athlete.c.id))


def chosen(tx: Tx, user_id: str) -> list[str]:
    """Return the athletes of a wall in their order, whether they are offered still or not."""
    statement = select(wall_tile.c.athlete_id).where(wall_tile.c.user_id == user_id)
    return list(tx.execute(statement.order_by(wall_tile.c.place)).scalars())


def choose(tx: Tx, user_id: str, athlete_ids: Sequence[str]) -> None:
    """Put these athletes on a wall, in this order, and nobody else."""
    tx.execute(delete(wall_tile).where(wall_tile.c.user_id == user_id))
    for place, athlete_id in enumerate(athlete_ids):
        tx.execute(wall_tile.insert().values(user_id=user_id, athlete_id=athlete_id, place=place))
