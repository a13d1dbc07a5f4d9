"""Queries: answers to the safety questions."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update

from coach.store.engine import Tx
from coach.store.rows import Row, one
from coach.store.tables import triage_answer


def add(tx: Tx, values: dict[str, Any]) -> int:
    """Insert one set of answers; return its id."""
    return int(tx.execute(triage_answer.insert().values(**values).returning(triage_answer.c.id)).scalar_one())


def newest(tx: Tx, athlete_id: str) -> Row | None:
    """Return the newest answers."""
    answers = triage_answer.c
    statement = select(triage_answer).where(answers.athlete_id == athlete_id)
    return one(tx, statement.order_by(answers.id.desc()).limit(1))


def change(tx: Tx, answer_id: int, **values: Any) -> None:
    """Change columns of a set of answers."""
    tx.execute(update(triage_answer).where(triage_answer.c.id == answer_id).values(**values))
