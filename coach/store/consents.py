"""Queries: what an athlete has agreed to, by purpose and version of the text."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import bindparam, exists, func, select, update

from coach.store.engine import Tx
from coach.store.rows import Row, fresh_id, many
from coach.store.trust_tables import consent

_stands = consent.c.withdrawn_at.is_(None)
# Made once: it is asked for every post of a gateway.
_STANDING = select(func.max(consent.c.version)).where(
    consent.c.athlete_id == bindparam("athlete"), consent.c.purpose == bindparam("purpose"), _stands
)
# One row for all of them: see many_rows.
_WITH_STANDING = select(func.aggregate_strings(consent.c.athlete_id, " ")).where(
    consent.c.athlete_id.in_(bindparam("athletes", expanding=True)), consent.c.purpose == bindparam("purpose"), _stands
)


def standing(tx: Tx, athlete_id: str, purpose: str) -> int | None:
    """Return the newest version that was agreed to and stands; None without one."""
    return tx.execute(_STANDING, {"athlete": athlete_id, "purpose": purpose}).scalar()


def with_standing(tx: Tx, athlete_ids: Collection[str], purpose: str) -> set[str]:
    """Return those of whom any version was agreed to and stands."""
    found: str = tx.execute(_WITH_STANDING, {"athletes": list(athlete_ids), "purpose": purpose}).scalar() or ""
    return set(found.split())


def of_athlete(tx: Tx, athlete_id: str) -> list[Row]:
    """Return all that was ever agreed to, newest first."""
    statement = select(consent).where(consent.c.athlete_id == athlete_id)
    return many(tx, statement.order_by(consent.c.given_at.desc(), consent.c.version.desc(), consent.c.id))


def give(tx: Tx, athlete_id: str, purpose: str, version: int, by: str | None, now: datetime) -> bool:
    """Store that a version was agreed to; return whether that is new."""
    same = exists().where(
        consent.c.athlete_id == athlete_id, consent.c.purpose == purpose, consent.c.version == version, _stands
    )
    if tx.execute(select(same)).scalar_one():
        return False
    values = {"athlete_id": athlete_id, "purpose": purpose, "version": version, "given_by": by, "given_at": now}
    tx.execute(consent.insert().values(id=fresh_id(), **values))
    return True


def withdraw(tx: Tx, athlete_id: str, purpose: str, by: str, now: datetime) -> bool:
    """End what was agreed to for a purpose, every version; return whether anything stood."""
    what = update(consent).where(consent.c.athlete_id == athlete_id, consent.c.purpose == purpose, _stands)
    return bool(tx.execute(what.values(withdrawn_by=by, withdrawn_at=now)).rowcount)


def athletes_with(tx: Tx, purpose: str) -> list[str]:
    """Return the athletes whose consent for a purpose stands, each once."""
    statement = select(consent.c.athlete_id).where(consent.c.purpose == purpose, _stands)
    return list(tx.execute(statement.distinct().order_by(consent.c.athlete_id)).scalars())
