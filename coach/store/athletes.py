"""Queries: athletes and their coaches."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, exists, select, update

from coach.store.engine import Tx
from coach.store.rows import Row, many, one
from coach.store.tables import athlete, coach_athlete, user_account
from coach.store.trust_tables import consent


def add(tx: Tx, values: dict[str, Any]) -> None:
    """Insert an athlete with all its columns."""
    tx.execute(athlete.insert().values(**values))


def get(tx: Tx, athlete_id: str) -> Row | None:
    """Return an athlete."""
    return one(tx, select(athlete).where(athlete.c.id == athlete_id))


def among(tx: Tx, athlete_ids: Collection[str]) -> dict[str, Row]:
    """Return athletes by id; who is not here is left out."""
    if not athlete_ids:
        return {}
    return {row["id"]: row for row in many(tx, select(athlete).where(athlete.c.id.in_(athlete_ids)))}


def ids_after(tx: Tx, athlete_id: str, limit: int) -> list[str]:
    """Return the ids of the athletes that follow on one in the order of ids; on "" all do."""
    statement = select(athlete.c.id).where(athlete.c.id > athlete_id).order_by(athlete.c.id).limit(limit)
    return list(tx.execute(statement).scalars())


def lock(tx: Tx, athlete_id: str) -> None:
    """Let nobody else who decides about an athlete write until this transaction ends.

    SQLite has one writer at a time anyway. On PostgreSQL two could each read what the other is about to change; those
    who only add rows of the athlete, as signal is, do not wait.
    """
    if tx.dialect.name == "postgresql":
        tx.execute(select(athlete.c.id).where(athlete.c.id == athlete_id).with_for_update(key_share=True))


def by_calendar_token(tx: Tx, token: str) -> Row | None:
    """Return the athlete of a calendar link."""
    return one(tx, select(athlete).where(athlete.c.calendar_token == token))


def change(tx: Tx, athlete_id: str, **values: Any) -> None:
    """Change columns of an athlete."""
    tx.execute(update(athlete).where(athlete.c.id == athlete_id).values(**values))


def wanting_replan(tx: Tx) -> list[str]:
    """Return the athletes whose findings changed since their last plan was made."""
    return list(
        tx.execute(select(athlete.c.id).where(athlete.c.replan_wanted.is_(True)).order_by(athlete.c.id)).scalars()
    )


# A link counts only while the athlete agrees to sharing at all.
_shared = exists().where(
    consent.c.athlete_id == coach_athlete.c.athlete_id,
    consent.c.purpose == "sharing",
    consent.c.withdrawn_at.is_(None),
)


def link_coach(tx: Tx, coach_id: str, athlete_id: str, level: str, now: datetime) -> None:
    """Link a coach at a level; one who is linked gets that level."""
    if not set_level(tx, coach_id, athlete_id, level):
        values = {"coach_id": coach_id, "athlete_id": athlete_id, "level": level, "created_at": now}
        tx.execute(coach_athlete.insert().values(**values))


def set_level(tx: Tx, coach_id: str, athlete_id: str, level: str) -> bool:
    """Change the level of a link; return whether there is one."""
    links = coach_athlete.c
    change = update(coach_athlete).where(links.coach_id == coach_id, links.athlete_id == athlete_id)
    return bool(tx.execute(change.values(level=level)).rowcount)


def unlink_coach(tx: Tx, coach_id: str, athlete_id: str) -> bool:
    """End a link; return whether there was one."""
    links = coach_athlete.c
    end = delete(coach_athlete).where(links.coach_id == coach_id, links.athlete_id == athlete_id)
    return bool(tx.execute(end).rowcount)


def coaches(tx: Tx, athlete_id: str) -> list[Row]:
    """Return the linked coaches by name, whether sharing stands or not. Columns: id, name, level, created_at."""
    links = coach_athlete.c
    statement = select(user_account.c.id, user_account.c.name, links.level, links.created_at)
    statement = statement.join(coach_athlete, links.coach_id == user_account.c.id).where(links.athlete_id == athlete_id)
    return many(tx, statement.order_by(user_account.c.name_key))


def seen_by(tx: Tx, coach_id: str) -> list[Row]:
    """Return whom a coach sees, by name. Columns: id, name, level."""
    links = coach_athlete.c
    statement = select(athlete.c.id, athlete.c.name, links.level).join(coach_athlete, links.athlete_id == athlete.c.id)
    return many(tx, statement.where(links.coach_id == coach_id, _shared).order_by(athlete.c.name, athlete.c.id))


def shared_with(coach_id: str) -> Select[str]:
    """Return the query of whom a coach sees."""
    return select(coach_athlete.c.athlete_id).where(coach_athlete.c.coach_id == coach_id, _shared)


def level_shared(tx: Tx, coach_id: str, athlete_id: str) -> str | None:
    """Return the level of a coach's link while sharing stands, None without either."""
    links = coach_athlete.c
    statement = select(links.level).where(links.coach_id == coach_id, links.athlete_id == athlete_id, _shared)
    return tx.execute(statement).scalar()


def levels_shared(tx: Tx, athlete_id: str) -> list[str]:
    """Return the levels of all coaches that an athlete shares with."""
    links = coach_athlete.c
    return list(tx.execute(select(links.level).where(links.athlete_id == athlete_id, _shared)).scalars())
