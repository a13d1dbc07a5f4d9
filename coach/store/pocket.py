"""Queries: answers that a phone has sent, and the first run."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from coach.store.engine import Tx
from coach.store.pocket_tables import first_run, sent_answer
from coach.store.rows import Row, one


def taken(tx: Tx, user_id: str, key: str) -> Row | None:
    """Return the answer that came under a key."""
    return one(tx, select(sent_answer).where(sent_answer.c.user_id == user_id, sent_answer.c.key == key))


def keep_taken(tx: Tx, user_id: str, key: str, path: str, onward: str, now: datetime) -> None:
    """Note that an answer was taken. The same key again changes nothing."""
    if taken(tx, user_id, key) is None:
        values = {"user_id": user_id, "key": key, "path": path, "onward": onward, "taken_at": now}
        tx.execute(sent_answer.insert().values(**values))


def run_of(tx: Tx, athlete_id: str) -> Row | None:
    """Return how far an athlete's first run has come, None before it."""
    return one(tx, select(first_run).where(first_run.c.athlete_id == athlete_id))


def side_of(tx: Tx, athlete_id: str) -> str | None:
    """Return with which side an athlete swings, throws or lifts: left, right or both; None while nobody has said."""
    row = run_of(tx, athlete_id)
    return row["side"] if row is not None else None


def hurts_now(tx: Tx, athlete_id: str) -> tuple[str, ...]:
    """Return what hurts an athlete now, as ids of programs.exercises.CONTRAINDICATIONS."""
    row = run_of(tx, athlete_id)
    return tuple(row["hurts_now"] or ()) if row is not None else ()


def change_run(tx: Tx, athlete_id: str, now: datetime, **values: Any) -> None:
    """Change an athlete's first run; begin it if there is none."""
    if run_of(tx, athlete_id) is None:
        tx.execute(first_run.insert().values(athlete_id=athlete_id, begun_at=now, put_off=[], injured_at=[]))
    if values:
        tx.execute(update(first_run).where(first_run.c.athlete_id == athlete_id).values(**values))
