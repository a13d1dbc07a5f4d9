"""Queries: planned sessions and what became of them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from sqlalchemy import exists, select, update

from coach.store.engine import Tx
from coach.store.rows import Row, fresh_id, many, one
from coach.store.tables import athlete, planned_session, session_outcome

# A session with what its athlete's lock holds back now: a running program falls back to walking and rest.
_WITH_LOCK = select(planned_session, athlete.c.lock).join(athlete, athlete.c.id == planned_session.c.athlete_id)
# Rows claimed in one statement. Source: the stack study, section 3.
_CLAIM = 50


def add(tx: Tx, values: dict[str, Any]) -> str:
    """Insert a planned session; return its id. Raises Conflict when its slot is taken."""
    session_id = fresh_id()
    tx.execute(planned_session.insert().values(id=session_id, **values))
    return session_id


def get(tx: Tx, session_id: str) -> Row | None:
    """Return a session, and `lock`: what is held back for its athlete."""
    return one(tx, _WITH_LOCK.where(planned_session.c.id == session_id))


def between(tx: Tx, athlete_id: str, first: date, after: date, with_cancelled: bool = False) -> list[Row]:
    """Return sessions of local days in [first, after), in order of time, each with `lock` as in `get`."""
    columns = planned_session.c
    statement = _WITH_LOCK.where(
        columns.athlete_id == athlete_id, columns.local_date >= first, columns.local_date < after
    )
    if not with_cancelled:
        statement = statement.where(columns.state != "cancelled")
    return many(tx, statement.order_by(columns.due_at, columns.id))


def taken_slots(tx: Tx, athlete_id: str) -> frozenset[str]:
    """Return the slots of sessions that are not cancelled."""
    columns = planned_session.c
    statement = select(columns.slot).where(columns.athlete_id == athlete_id, columns.state != "cancelled")
    return frozenset(tx.execute(statement).scalars())


def taken_moments(tx: Tx, athlete_id: str) -> dict[str, datetime]:
    """Return when the sessions that are not cancelled are, by slot."""
    columns = planned_session.c
    statement = select(columns.slot, columns.due_at).where(
        columns.athlete_id == athlete_id, columns.state != "cancelled"
    )
    return {row.slot: row.due_at for row in tx.execute(statement)}


def move(tx: Tx, session_id: str, from_states: tuple[str, ...], **values: Any) -> bool:
    """Change a session if it is still in one of those states; tell whether it was."""
    columns = planned_session.c
    statement = update(planned_session).where(columns.id == session_id, columns.state.in_(from_states)).values(**values)
    return tx.execute(statement).rowcount == 1


def planned(tx: Tx, athlete_id: str) -> list[Row]:
    """Return what is planned for an athlete, in order of time."""
    columns = planned_session.c
    mine = (columns.athlete_id == athlete_id, columns.state == "planned")
    return many(tx, select(planned_session).where(*mine).order_by(columns.due_at, columns.id))


def cancel_planned(tx: Tx, athlete_id: str, now: datetime, due_before: datetime | None = None) -> list[str]:
    """Cancel what is planned, or of it what was due before a time; return the ids."""
    columns = planned_session.c
    statement = update(planned_session).where(columns.athlete_id == athlete_id, columns.state == "planned")
    if due_before is not None:
        statement = statement.where(columns.due_at < due_before)
    return list(tx.execute(statement.values(state="cancelled", updated_at=now).returning(columns.id)).scalars())


def touch_planned(tx: Tx, athlete_id: str, now: datetime) -> None:
    """Count a change of whatever is planned or released: it shows something else now, calendars too."""
    columns = planned_session.c
    open_now = (columns.athlete_id == athlete_id, columns.state.in_(("planned", "due")))
    tx.execute(update(planned_session).where(*open_now).values(updated_at=now))


def stand_in(tx: Tx, athlete_id: str, now: datetime, fallback: bool, states: tuple[str, ...]) -> int:
    """Let walking and rest stand in for the sessions in these states, or no longer; return how many changed."""
    columns = planned_session.c
    mine = columns.athlete_id == athlete_id, columns.state.in_(states), columns.fallback.is_not(fallback)
    return tx.execute(update(planned_session).where(*mine).values(fallback=fallback, updated_at=now)).rowcount


def cancel_overtaken(tx: Tx, now: datetime, due_before: datetime) -> list[Row]:
    """Cancel planned sessions due before a time whose athlete has a later one that is due too; return them.

    Columns: id, athlete_id.
    """
    columns, later = planned_session.c, planned_session.alias("later").c
    overtaken = exists().where(
        later.athlete_id == columns.athlete_id,
        later.state == "planned",
        later.due_at > columns.due_at,
        later.due_at <= now,
    )
    statement = (
        update(planned_session)
        .where(columns.state == "planned", columns.due_at < due_before, overtaken)
        .values(state="cancelled", updated_at=now)
        .returning(columns.id, columns.athlete_id)
    )
    return many(tx, statement)


def cancel_due_before(tx: Tx, now: datetime, due_before: datetime) -> list[Row]:
    """Cancel planned sessions due before a time; return them as `cancel_overtaken` does."""
    columns = planned_session.c
    statement = (
        update(planned_session)
        .where(columns.state == "planned", columns.due_at < due_before)
        .values(state="cancelled", updated_at=now)
        .returning(columns.id, columns.athlete_id)
    )
    return many(tx, statement)


def athletes_due(tx: Tx, now: datetime) -> list[Row]:
    """Return id, time_zone and travel of the athletes who have a planned session that is due."""
    columns = planned_session.c
    due = select(columns.athlete_id).where(columns.state == "planned", columns.due_at <= now)
    return many(tx, select(athlete.c.id, athlete.c.time_zone, athlete.c.travel).where(athlete.c.id.in_(due)))


def claim_due(tx: Tx, now: datetime, waiting: Collection[str] = ()) -> list[str]:
    """Release due sessions of athletes who are not wholly locked, at most 50, in one statement; return their ids.

    waiting: athletes whose sessions stay planned for now.

    The subquery asks PostgreSQL for rows that no other clock holds (for update skip locked); SQLite has one writer at a
    time and leaves that clause out.
    """
    columns = planned_session.c
    due = (
        select(columns.id)
        .where(
            columns.state == "planned",
            columns.due_at <= now,
            columns.athlete_id.not_in(select(athlete.c.id).where(athlete.c.lock == "all")),
            columns.athlete_id.not_in(sorted(waiting)),
        )
        .order_by(columns.due_at, columns.id)
        .limit(_CLAIM)
        .with_for_update(skip_locked=True)
    )
    statement = (
        update(planned_session)
        .where(columns.state == "planned", columns.id.in_(due))
        .values(state="due", released_at=now, updated_at=now)
        .returning(columns.id)
    )
    return list(tx.execute(statement).scalars())


def unanswered(tx: Tx, released_before: datetime, limit: int = 200) -> list[Row]:
    """Return released sessions without an outcome, released before a time."""
    columns = planned_session.c
    statement = select(planned_session).where(columns.state == "due", columns.released_at < released_before)
    return many(tx, statement.order_by(columns.released_at).limit(limit))


def add_outcome(tx: Tx, values: dict[str, Any]) -> None:
    """Insert what became of a session."""
    tx.execute(session_outcome.insert().values(**values))


def outcome(tx: Tx, session_id: str) -> Row | None:
    """Return what became of a session."""
    return one(tx, select(session_outcome).where(session_outcome.c.session_id == session_id))


def outcomes_between(tx: Tx, athlete_id: str, first: date, after: date) -> list[Row]:
    """Return sessions of local days in [first, after) that were not cancelled, with what became of them.

    Columns: duration_min, outcome, effort, pain_during, recorded_at, recorded_by; None while nobody knows.
    """
    planned, done = planned_session.c, session_outcome.c
    statement = (
        select(planned.duration_min, done.outcome, done.effort, done.pain_during, done.recorded_at, done.recorded_by)
        .outerjoin(session_outcome, done.session_id == planned.id)
        .where(
            planned.athlete_id == athlete_id,
            planned.local_date >= first,
            planned.local_date < after,
            planned.state != "cancelled",
        )
        .order_by(planned.due_at, planned.id)
    )
    return many(tx, statement)


def answered_between(tx: Tx, athlete_id: str, first: date, after: date) -> bool:
    """Tell whether somebody said what became of a session of local days in [first, after)."""
    planned, done = planned_session.c, session_outcome.c
    statement = (
        select(planned.id)
        .join(session_outcome, done.session_id == planned.id)
        .where(
            planned.athlete_id == athlete_id,
            planned.local_date >= first,
            planned.local_date < after,
            done.recorded_by.is_not(None),
        )
        .limit(1)
    )
    return tx.execute(statement).first() is not None


def of_plan(tx: Tx, plan_id: str) -> list[Row]:
    """Return a plan's sessions in order of time."""
    columns = planned_session.c
    statement = select(planned_session).where(columns.plan_id == plan_id).order_by(columns.due_at, columns.id)
    return many(tx, statement)
