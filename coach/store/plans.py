"""Queries: plans."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import select, update

from coach.store.engine import Tx
from coach.store.rows import Row, fresh_id, many, one
from coach.store.tables import plan


def add(tx: Tx, values: dict[str, Any]) -> str:
    """Insert a plan; return its id."""
    plan_id = fresh_id()
    tx.execute(plan.insert().values(id=plan_id, **values))
    return plan_id


def get(tx: Tx, plan_id: str) -> Row | None:
    """Return a plan."""
    return one(tx, select(plan).where(plan.c.id == plan_id))


def in_state(tx: Tx, athlete_id: str, state: str) -> Row | None:
    """Return the athlete's newest plan in a state; proposed and accepted ones are single."""
    statement = select(plan).where(plan.c.athlete_id == athlete_id, plan.c.state == state)
    return one(tx, statement.order_by(plan.c.created_at.desc(), plan.c.id.desc()).limit(1))


def begun(tx: Tx, athlete_id: str, since: date) -> list[Row]:
    """Return the athlete's plans that were accepted and end on or after that day, the newest first."""
    ran = plan.c.starts_on.is_not(None) & (plan.c.ends_on >= since)
    statement = select(plan).where(plan.c.athlete_id == athlete_id, ran)
    return many(tx, statement.order_by(plan.c.starts_on.desc(), plan.c.decided_at.desc()))


def move(tx: Tx, plan_id: str, from_state: str, **values: Any) -> bool:
    """Change a plan if it is still in that state; tell whether it was."""
    statement = update(plan).where(plan.c.id == plan_id, plan.c.state == from_state).values(**values)
    return tx.execute(statement).rowcount == 1


def running(tx: Tx, on: date) -> list[Row]:
    """Return accepted plans that end after that day."""
    return many(tx, select(plan).where(plan.c.state == "accepted", plan.c.ends_on > on).order_by(plan.c.id))
