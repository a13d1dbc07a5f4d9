"""Queries: what lies on an athlete's time line. Each lane is one query over a range, without what no lane draws."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, cast, func, or_, select

from coach.store.engine import Tx
from coach.store.finding_tables import exposure, finding
from coach.store.rows import Row, many
from coach.store.spasm_tables import spasm
from coach.store.tables import planned_session, session_outcome

# Key of a minute's seconds beyond this inclination, deg. Source: ISO 11226, as deep bending is counted in analysis.
DEEP = "60"


def buckets(tx: Tx, athlete_id: str, start_utc_s: int, end_utc_s: int, step_s: int) -> list[Row]:
    """Return sums over steps of time in [start, end), place by place in order of time.

    Columns: placement, bucket (number of the step from start), covered_s, bends, deep_s, strokes_left, strokes_right,
    strokes_unknown. Summed by the database: a week has thousands of minutes.
    """
    columns = exposure.c
    bucket = ((cast(columns.start_utc_s, BigInteger) - start_utc_s) // step_s).label("bucket")
    statement = (
        select(
            columns.placement,
            bucket,
            func.sum(columns.covered_s).label("covered_s"),
            func.sum(columns.bends).label("bends"),
            func.sum(columns.above_s[DEEP].as_float()).label("deep_s"),
            func.sum(columns.strokes_left).label("strokes_left"),
            func.sum(columns.strokes_right).label("strokes_right"),
            func.sum(columns.strokes_unknown).label("strokes_unknown"),
        )
        .where(columns.athlete_id == athlete_id, columns.start_utc_s >= start_utc_s, columns.start_utc_s < end_utc_s)
        .group_by(columns.placement, bucket)
        .order_by(columns.placement, bucket)
    )
    return many(tx, statement)


def findings(tx: Tx, athlete_id: str, start: datetime, end: datetime) -> list[Row]:
    """Return current findings that went on at a time in [start, end), in the order in which they opened.

    Columns: id, kind, grade, state, statement, opened_at, closed_at, started_at, ended_at, stream_id, windows.
    """
    columns = finding.c
    statement = (
        select(
            columns.id,
            columns.kind,
            columns.grade,
            columns.state,
            columns.statement,
            columns.opened_at,
            columns.closed_at,
            columns.started_at,
            columns.ended_at,
            columns.stream_id,
            columns.because["windows"].label("windows"),
        )
        .where(
            columns.athlete_id == athlete_id,
            columns.superseded_by.is_(None),
            columns.opened_at < end,
            or_(columns.ended_at > start, columns.opened_at >= start),
        )
        .order_by(columns.opened_at, columns.id)
    )
    return many(tx, statement)


def sessions(tx: Tx, athlete_id: str, start: datetime, end: datetime) -> list[Row]:
    """Return sessions due in [start, end) that were not cancelled, with what became of them, in order of time.

    Columns: id, state, due_at, local_date, duration_min, fallback, effort, pain_during, pain_after, recorded_at,
    recorded_by.
    """
    planned, done = planned_session.c, session_outcome.c
    statement = (
        select(
            planned.id,
            planned.state,
            planned.due_at,
            planned.local_date,
            planned.duration_min,
            planned.fallback,
            done.effort,
            done.pain_during,
            done.pain_after,
            done.recorded_at,
            done.recorded_by,
        )
        .outerjoin(session_outcome, done.session_id == planned.id)
        .where(
            planned.athlete_id == athlete_id,
            planned.due_at >= start,
            planned.due_at < end,
            planned.state != "cancelled",
        )
        .order_by(planned.due_at, planned.id)
    )
    return many(tx, statement)


def spasms(tx: Tx, athlete_id: str, start: datetime, end: datetime) -> list[Row]:
    """Return spasms that went on at a time in [start, end) and were no mistake. Columns: begun_at, ended_at."""
    columns = spasm.c
    statement = (
        select(columns.begun_at, columns.ended_at)
        .where(
            columns.athlete_id == athlete_id,
            columns.begun_at < end,
            or_(columns.ended_at.is_(None), columns.ended_at > start),
            columns.ended_why.is_distinct_from("mistake"),
        )
        .order_by(columns.begun_at)
    )
    return many(tx, statement)
