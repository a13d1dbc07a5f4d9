"""Queries: wearables."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import select, update

from coach.store.engine import Tx
from coach.store.rows import Row, many, one
from coach.store.tables import wearable

_in_use = wearable.c.forgotten_at.is_(None)


def add(tx: Tx, values: dict[str, Any]) -> None:
    """Insert a wearable. Raises Conflict when the address is in use."""
    tx.execute(wearable.insert().values(**values))


def get(tx: Tx, wearable_id: str) -> Row | None:
    """Return a wearable that was not forgotten."""
    return one(tx, select(wearable).where(wearable.c.id == wearable_id, _in_use))


def by_address(tx: Tx, address: str) -> Row | None:
    """Return the wearable in use at an address."""
    return one(tx, select(wearable).where(wearable.c.address == address, _in_use))


def by_addresses(tx: Tx, addresses: Collection[str]) -> dict[str, Row]:
    """Return the wearables in use at these addresses, by address."""
    if not addresses:
        return {}
    found = many(tx, select(wearable).where(wearable.c.address.in_(addresses), _in_use))
    return {row["address"]: row for row in found}


def of_athlete(tx: Tx, athlete_id: str) -> list[Row]:
    """Return an athlete's wearables by name."""
    return many(tx, select(wearable).where(wearable.c.athlete_id == athlete_id, _in_use).order_by(wearable.c.name))


def in_use(tx: Tx) -> list[Row]:
    """Return all wearables in use."""
    return many(tx, select(wearable).where(_in_use).order_by(wearable.c.address))


def change(tx: Tx, wearable_id: str, **values: Any) -> None:
    """Change columns of a wearable."""
    tx.execute(update(wearable).where(wearable.c.id == wearable_id).values(**values))
