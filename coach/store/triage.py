"""Queries: answers to the safety questions."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, or_, select, update

from coach.store.engine import Tx
from coach.store.rows import Row, many, one
from coach.store.tables import triage_answer


def add(tx: Tx, values: dict[str, Any]) -> int:
    """Insert one set of answers; return its id."""
    return int(tx.execute(triage_answer.insert().values(**values).returning(triage_answer.c.id)).scalar_one())


def newest(tx: Tx, athlete_id: str) -> Row | None:
    """Return the newest answers."""
    answers = triage_answer.c
    statement = select(triage_answer).where(answers.athlete_id == athlete_id)
    return one(tx, statement.order_by(answers.id.desc()).limit(1))


def all_of(tx: Tx, athlete_id: str) -> list[Row]:
    """Return every set of answers, oldest first."""
    return many(tx, select(triage_answer).where(triage_answer.c.athlete_id == athlete_id).order_by(triage_answer.c.id))


def standing_since(tx: Tx, athlete_id: str) -> Row | None:
    """Return the first of the newest answers in a row that lock and that no clinician has lifted; None where none do.

    Columns: id, answered_at.
    """
    answers, freed = triage_answer.c, triage_answer.alias("freed").c
    last_free = (
        select(func.max(freed.id))
        .where(freed.athlete_id == athlete_id, or_(freed.lock == "none", freed.cleared_at.is_not(None)))
        .scalar_subquery()
    )
    statement = select(answers.id, answers.answered_at).where(
        answers.athlete_id == athlete_id, answers.id > func.coalesce(last_free, 0)
    )
    return one(tx, statement.order_by(answers.id).limit(1))


def change(tx: Tx, answer_id: int, **values: Any) -> None:
    """Change columns of a set of answers."""
    tx.execute(update(triage_answer).where(triage_answer.c.id == answer_id).values(**values))
