"""Queries: acute spasms and what was asked after them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update

from coach.store.diary_tables import checkin
from coach.store.engine import Tx
from coach.store.notification_tables import reminder_settings
from coach.store.rows import Row, fresh_id, many, one
from coach.store.spasm_tables import spasm, spasm_follow_up


def add(tx: Tx, values: dict[str, Any]) -> str:
    """Insert a spasm; return its id."""
    spasm_id = fresh_id()
    tx.execute(spasm.insert().values(id=spasm_id, **values))
    return spasm_id


def with_key(tx: Tx, athlete_id: str, key: str) -> Row | None:
    """Return the spasm that a press has begun already."""
    return one(tx, select(spasm).where(spasm.c.athlete_id == athlete_id, spasm.c.key == key))


def going_on(tx: Tx, athlete_id: str) -> Row | None:
    """Return the spasm that has not ended."""
    return one(tx, select(spasm).where(spasm.c.athlete_id == athlete_id, spasm.c.ended_at.is_(None)))


def newest(tx: Tx, athlete_id: str) -> Row | None:
    """Return the newest spasm, ended or not, that was no mistake."""
    statement = select(spasm).where(spasm.c.athlete_id == athlete_id, spasm.c.ended_why.is_distinct_from("mistake"))
    return one(tx, statement.order_by(spasm.c.begun_at.desc(), spasm.c.id.desc()).limit(1))


def count_since(tx: Tx, athlete_id: str, since: datetime) -> int:
    """Return how many spasms began since a moment; a press by mistake is none."""
    mine = spasm.c.athlete_id == athlete_id, spasm.c.begun_at >= since
    statement = select(func.count()).select_from(spasm)
    return int(tx.execute(statement.where(*mine, spasm.c.ended_why.is_distinct_from("mistake"))).scalar_one())


def asked_since(tx: Tx, athlete_id: str) -> datetime | None:
    """Return since when safety questions have to be answered for a spasm, a press by mistake too; None without one."""
    found: datetime | None = tx.execute(
        select(func.max(spasm.c.ask_since)).where(spasm.c.athlete_id == athlete_id)
    ).scalar_one()
    return found


def change(tx: Tx, spasm_id: str, **values: Any) -> None:
    """Change columns of a spasm."""
    tx.execute(update(spasm).where(spasm.c.id == spasm_id).values(**values))


def add_follow_up(tx: Tx, values: dict[str, Any]) -> str:
    """Insert a question, answered or not; return its id."""
    follow_up_id = fresh_id()
    tx.execute(spasm_follow_up.insert().values(id=follow_up_id, **values))
    return follow_up_id


def answer_follow_up(tx: Tx, follow_up_id: str, **values: Any) -> bool:
    """Answer a question that has no answer yet; tell whether it was open."""
    columns = spasm_follow_up.c
    open_one = columns.id == follow_up_id, columns.answered_at.is_(None)
    return tx.execute(update(spasm_follow_up).where(*open_one).values(**values)).rowcount == 1


def drop_unasked(tx: Tx, spasm_id: str) -> None:
    """Delete the questions of a spasm that have no answer."""
    columns = spasm_follow_up.c
    tx.execute(spasm_follow_up.delete().where(columns.spasm_id == spasm_id, columns.answered_at.is_(None)))


def follow_ups(tx: Tx, spasm_id: str) -> list[Row]:
    """Return what was and will be asked, in order of time, with the pain that was told: pain_in_motion."""
    columns = spasm_follow_up.c
    statement = (
        select(spasm_follow_up, checkin.c.pain_in_motion)
        .outerjoin(checkin, checkin.c.id == columns.checkin_id)
        .where(columns.spasm_id == spasm_id)
    )
    return many(tx, statement.order_by(columns.due_at, columns.id))


def follow_up(tx: Tx, follow_up_id: str) -> Row | None:
    """Return one question, with when its spasm ended: ended_at."""
    columns = spasm_follow_up.c
    statement = select(spasm_follow_up, spasm.c.ended_at).join(spasm, spasm.c.id == columns.spasm_id)
    return one(tx, statement.where(columns.id == follow_up_id))


def asked_between(tx: Tx, first: datetime, last: datetime) -> list[Row]:
    """Return open questions due in [first, last] of spasms that go on, of athletes who chose how to be reminded."""
    columns = spasm_follow_up.c
    statement = (
        select(columns.id, columns.athlete_id, columns.due_at)
        .join(spasm, spasm.c.id == columns.spasm_id)
        .join(reminder_settings, reminder_settings.c.athlete_id == columns.athlete_id)
        .where(columns.answered_at.is_(None), spasm.c.ended_at.is_(None), columns.due_at.between(first, last))
    )
    return many(tx, statement)


def pain_since(tx: Tx, athlete_id: str, since: datetime) -> list[Row]:
    """Return the check-ins since a moment that tell of pain, oldest first: at, pain_at_rest, pain_in_motion."""
    columns = checkin.c
    told = columns.pain_in_motion.is_not(None) | columns.pain_at_rest.is_not(None)
    statement = select(columns.at, columns.pain_at_rest, columns.pain_in_motion).where(
        columns.athlete_id == athlete_id, columns.at >= since, told
    )
    return many(tx, statement.order_by(columns.at, columns.id))
