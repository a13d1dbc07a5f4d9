"""Queries: the groups that a coach sorts their list by."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, select, update

from coach.store.athletes import shared_with
from coach.store.engine import Tx
from coach.store.group_tables import athlete_group, athlete_group_member
from coach.store.rows import Row, fresh_id, many, one


def add(tx: Tx, coach_id: str, name: str, name_key: str, now: datetime) -> str:
    """Insert a group; return its id. Raises Conflict where the coach has one of that name."""
    group_id = fresh_id()
    values = {"id": group_id, "coach_id": coach_id, "name": name, "name_key": name_key, "created_at": now}
    tx.execute(athlete_group.insert().values(**values))
    return group_id


def rename(tx: Tx, group_id: str, name: str, name_key: str) -> None:
    """Change a group's name. Raises Conflict where its coach has another one of that name."""
    tx.execute(update(athlete_group).where(athlete_group.c.id == group_id).values(name=name, name_key=name_key))


def remove(tx: Tx, group_id: str) -> None:
    """Delete a group; whoever was in it stays on the list."""
    tx.execute(delete(athlete_group_member).where(athlete_group_member.c.group_id == group_id))
    tx.execute(delete(athlete_group).where(athlete_group.c.id == group_id))


def get(tx: Tx, group_id: str) -> Row | None:
    """Return a group."""
    return one(tx, select(athlete_group).where(athlete_group.c.id == group_id))


def by_name(tx: Tx, coach_id: str, name_key: str) -> Row | None:
    """Return the coach's group of that name."""
    columns = athlete_group.c
    return one(tx, select(athlete_group).where(columns.coach_id == coach_id, columns.name_key == name_key))


def of_coach(tx: Tx, coach_id: str) -> list[Row]:
    """Return the coach's groups by name."""
    columns = athlete_group.c
    return many(tx, select(athlete_group).where(columns.coach_id == coach_id).order_by(columns.name_key))


def members(tx: Tx, coach_id: str) -> list[Row]:
    """Return who is in the coach's groups, of those who share with the coach now. Columns: group_id, athlete_id."""
    columns = athlete_group_member.c
    statement = (
        select(columns.group_id, columns.athlete_id)
        .join(athlete_group, athlete_group.c.id == columns.group_id)
        .where(athlete_group.c.coach_id == coach_id, columns.athlete_id.in_(shared_with(coach_id)))
        .order_by(columns.group_id, columns.athlete_id)
    )
    return many(tx, statement)


def put(tx: Tx, group_id: str, athlete_ids: Collection[str]) -> None:
    """Add athletes to a group; who is in it already stays."""
    columns = athlete_group_member.c
    there = set(tx.execute(select(columns.athlete_id).where(columns.group_id == group_id)).scalars())
    fresh = [{"group_id": group_id, "athlete_id": each} for each in sorted(set(athlete_ids) - there)]
    if fresh:
        tx.execute(athlete_group_member.insert(), fresh)


def take_out(tx: Tx, group_id: str, athlete_ids: Collection[str]) -> None:
    """Take athletes out of a group."""
    columns = athlete_group_member.c
    tx.execute(
        delete(athlete_group_member).where(columns.group_id == group_id, columns.athlete_id.in_(sorted(athlete_ids)))
    )


def leave_all(tx: Tx, coach_id: str, athlete_id: str) -> None:
    """Take an athlete out of all groups of a coach who does not see them any more."""
    mine = select(athlete_group.c.id).where(athlete_group.c.coach_id == coach_id)
    columns = athlete_group_member.c
    tx.execute(delete(athlete_group_member).where(columns.athlete_id == athlete_id, columns.group_id.in_(mine)))
