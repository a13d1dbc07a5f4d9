"""Queries: links by which a doctor reads one report."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from coach.store.engine import Tx
from coach.store.rows import Row, many, one
from coach.store.trust_tables import doctor_link


def add(tx: Tx, values: dict[str, Any]) -> None:
    """Insert a link."""
    tx.execute(doctor_link.insert().values(**values))


def get(tx: Tx, link_id: str) -> Row | None:
    """Return a link, ended or not."""
    return one(tx, select(doctor_link).where(doctor_link.c.id == link_id))


def by_hash(tx: Tx, token_hash: str, now: datetime) -> Row | None:
    """Return the link of a secret while it works."""
    columns = doctor_link.c
    works = (columns.token_hash == token_hash, columns.ended_at.is_(None), columns.expires_at > now)
    return one(tx, select(doctor_link).where(*works))


def working(tx: Tx, athlete_id: str, now: datetime) -> list[Row]:
    """Return an athlete's links that work, the one that ends last first."""
    columns = doctor_link.c
    works = (columns.athlete_id == athlete_id, columns.ended_at.is_(None), columns.expires_at > now)
    return many(tx, select(doctor_link).where(*works).order_by(columns.expires_at.desc(), columns.id))


def end(tx: Tx, link_id: str, now: datetime) -> None:
    """End a link at once."""
    tx.execute(update(doctor_link).where(doctor_link.c.id == link_id).values(ended_at=now))
