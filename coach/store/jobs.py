"""Queries: jobs and drills."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from coach.store.engine import Tx
from coach.store.job_tables import job
from coach.store.rows import Row, fresh_id, many, one


def add(tx: Tx, values: dict[str, Any]) -> str:
    """Insert a job; return its id."""
    job_id = fresh_id()
    tx.execute(job.insert().values(id=job_id, removed_at=None, **values))
    return job_id


def get(tx: Tx, job_id: str) -> Row | None:
    """Return a job that was not removed."""
    return one(tx, select(job).where(job.c.id == job_id, job.c.removed_at.is_(None)))


def of_athlete(tx: Tx, athlete_id: str, limit: int = 100) -> list[Row]:
    """Return the athlete's jobs, newest first."""
    mine = job.c.athlete_id == athlete_id, job.c.removed_at.is_(None)
    return many(tx, select(job).where(*mine).order_by(job.c.created_at.desc(), job.c.id).limit(limit))


def remove(tx: Tx, job_id: str, now: datetime) -> None:
    """Take a job off the lists."""
    tx.execute(update(job).where(job.c.id == job_id).values(removed_at=now, updated_at=now))
