"""Queries over all athletes of a coach at once: sessions, tests, appointments of a span of days."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime

from sqlalchemy import func, select

from coach.store.assessment_tables import assessment
from coach.store.athletes import shared_with
from coach.store.care_tables import doctor_plan
from coach.store.engine import Tx
from coach.store.rows import Row, many
from coach.store.tables import planned_session


def sessions_between(tx: Tx, coach_id: str, first: date, after: date) -> list[Row]:
    """Return the sessions of local days in [first, after), in order of day and time.

    Columns: id, athlete_id, local_date, local_time, state, duration_min.
    """
    columns = planned_session.c
    statement = select(
        columns.id, columns.athlete_id, columns.local_date, columns.local_time, columns.state, columns.duration_min
    ).where(
        columns.athlete_id.in_(shared_with(coach_id)),
        columns.local_date >= first,
        columns.local_date < after,
        columns.state != "cancelled",
    )
    return many(tx, statement.order_by(columns.local_date, columns.local_time, columns.id))


def tests_between(tx: Tx, coach_id: str, start: datetime, end: datetime) -> list[Row]:
    """Return assessments that were finished in [start, end). Columns: id, athlete_id, finished_at."""
    columns = assessment.c
    statement = select(columns.id, columns.athlete_id, columns.finished_at).where(
        columns.athlete_id.in_(shared_with(coach_id)),
        columns.state == "done",
        columns.finished_at >= start,
        columns.finished_at < end,
    )
    return many(tx, statement.order_by(columns.finished_at))


def last_tested(tx: Tx, coach_id: str, kinds: Collection[str]) -> dict[str, datetime]:
    """Return when each athlete last finished an assessment of these kinds."""
    columns = assessment.c
    statement = select(columns.athlete_id, func.max(columns.finished_at).label("finished_at")).where(
        columns.athlete_id.in_(shared_with(coach_id)), columns.state == "done", columns.kind.in_(kinds)
    )
    rows = many(tx, statement.group_by(columns.athlete_id))
    return {row["athlete_id"]: row["finished_at"] for row in rows}


def appointments_between(tx: Tx, coach_id: str, first: date, after: date) -> list[Row]:
    """Return the next appointment of each standing doctor's plan in [first, after). Columns: athlete_id, next_on."""
    columns = doctor_plan.c
    standing = select(func.max(columns.id)).where(columns.athlete_id.in_(shared_with(coach_id)))
    statement = select(columns.athlete_id, columns.next_on).where(
        columns.id.in_(standing.group_by(columns.athlete_id)), columns.next_on >= first, columns.next_on < after
    )
    return many(tx, statement.order_by(columns.next_on))
