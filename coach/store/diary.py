"""Queries: check-ins and trainings, and the pain that was told anywhere."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Select, Table, func, select, union_all

from coach.store.diary_tables import checkin, training
from coach.store.engine import Tx
from coach.store.rows import Row, fresh_id, many, one
from coach.store.tables import planned_session, session_outcome


def add_checkin(tx: Tx, values: dict[str, Any]) -> tuple[str, bool]:
    """Insert a check-in; return its id and whether it is new: the same key is the same check-in."""
    return _add(tx, checkin, values)


def add_training(tx: Tx, values: dict[str, Any]) -> tuple[str, bool]:
    """Insert a training; return its id and whether it is new: the same key is the same training."""
    return _add(tx, training, values)


def _add(tx: Tx, table: Table, values: dict[str, Any]) -> tuple[str, bool]:
    same = select(table.c.id).where(table.c.athlete_id == values["athlete_id"], table.c.key == values["key"])
    known = one(tx, same)
    if known is not None:
        return str(known["id"]), False
    new_id = fresh_id()
    tx.execute(table.insert().values(id=new_id, **values))
    return new_id, True


def checkin_of(tx: Tx, checkin_id: str) -> Row | None:
    """Return a check-in."""
    return one(tx, select(checkin).where(checkin.c.id == checkin_id))


def change_checkin(tx: Tx, checkin_id: str, values: dict[str, Any]) -> None:
    """Change columns of a check-in."""
    tx.execute(checkin.update().where(checkin.c.id == checkin_id).values(**values))


def training_of(tx: Tx, training_id: str) -> Row | None:
    """Return a training."""
    return one(tx, select(training).where(training.c.id == training_id))


def drop(tx: Tx, table: Table, row_id: str) -> None:
    """Delete an entry: what people entered by mistake is gone."""
    tx.execute(table.delete().where(table.c.id == row_id))


def checkins_between(tx: Tx, athlete_id: str, first: date, after: date) -> list[Row]:
    """Return check-ins of local days in [first, after), in order of time."""
    return _between(tx, checkin, athlete_id, first, after)


def trainings_between(tx: Tx, athlete_id: str, first: date, after: date) -> list[Row]:
    """Return trainings of local days in [first, after), in order of time."""
    return _between(tx, training, athlete_id, first, after)


def _between(tx: Tx, table: Table, athlete_id: str, first: date, after: date) -> list[Row]:
    columns = table.c
    mine = columns.athlete_id == athlete_id, columns.local_date >= first, columns.local_date < after
    return many(tx, select(table).where(*mine).order_by(columns.at, columns.id))


def entered_between(tx: Tx, athlete_id: str, first: date, after: date) -> bool:
    """Tell whether a training was entered for local days in [first, after)."""
    columns = training.c
    mine = columns.athlete_id == athlete_id, columns.local_date >= first, columns.local_date < after
    return tx.execute(select(columns.id).where(*mine).limit(1)).first() is not None


def latest_pain(tx: Tx, athlete_id: str) -> Row | None:
    """Return the newest pain that was told, in a session or a check-in: pain, at."""
    told = union_all(*_told(athlete_id)).subquery()
    return one(tx, select(told).order_by(told.c.at.desc(), told.c.pain.desc()).limit(1))


def worst_pain(tx: Tx, athlete_id: str, since: datetime) -> Row | None:
    """Return the strongest pain that was told since then, in a session or a check-in: pain, at."""
    told = union_all(*_told(athlete_id)).subquery()
    later = select(told).where(told.c.at > since)
    return one(tx, later.order_by(told.c.pain.desc(), told.c.at.desc()).limit(1))


def _told(athlete_id: str) -> tuple[Select[Any], Select[Any]]:
    outcome, entry = session_outcome.c, checkin.c
    told = outcome.pain_during.is_not(None) | outcome.pain_after.is_not(None)
    in_sessions = (
        select(_larger(outcome.pain_during, outcome.pain_after).label("pain"), outcome.recorded_at.label("at"))
        .join(planned_session, planned_session.c.id == outcome.session_id)
        .where(planned_session.c.athlete_id == athlete_id, told)
    )
    known = entry.pain_at_rest.is_not(None) | entry.pain_in_motion.is_not(None)
    worst = _larger(entry.pain_at_rest, entry.pain_in_motion)
    in_checkins = select(worst.label("pain"), entry.at.label("at")).where(entry.athlete_id == athlete_id, known)
    return in_sessions, in_checkins


def _larger(one: Column[Any], other: Column[Any]) -> ColumnElement[Any]:
    """Return the larger of two numbers, of which one may be missing: the databases call that by different names."""
    a, b = func.coalesce(one, 0), func.coalesce(other, 0)
    return (a + b + func.abs(a - b)) / 2
