"""Queries: features of chunks, and findings."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select, update

from coach.store.engine import Tx
from coach.store.finding_tables import finding
from coach.store.rows import Row, fresh_id, many, one
from coach.store.tables import feature, stream, stream_state


def add_features(tx: Tx, rows: list[dict[str, Any]]) -> None:
    """Insert features."""
    if rows:
        tx.execute(feature.insert(), rows)


def drop_features(tx: Tx, stream_id: str, tail_only: bool) -> None:
    """Delete a stream's features, or only its settled tail."""
    statement = delete(feature).where(feature.c.stream_id == stream_id)
    tx.execute(statement.where(feature.c.chunk_id.is_(None)) if tail_only else statement)


def lines_between(
    tx: Tx, athlete_id: str, placements: tuple[str, ...], start_utc_s: float, end_utc_s: float
) -> list[Row]:
    """Return what a chart needs, in order of time; features that begin within [start, end)."""
    columns = feature.c
    statement = (
        select(
            columns.placement,
            columns.rate_hz,
            columns.covered,
            columns.line_start_utc_s,
            columns.line_rate_hz,
            columns.line,
        )
        .where(*_within(athlete_id, placements, start_utc_s, end_utc_s))
        .order_by(columns.start_utc_s, columns.id)
    )
    return many(tx, statement)


def sums_between(
    tx: Tx,
    athlete_id: str,
    placements: tuple[str, ...],
    start_utc_s: float,
    end_utc_s: float,
    thresholds: tuple[str, ...],
) -> list[Row]:
    """Return one row of sums per placement over the features that begin within [start, end).

    Columns: placement, covered_s, expected_s, bends, and one per threshold with its seconds above. Summed by the
    database: a page asks every few seconds, and a day has 17,000 features.
    """
    columns = feature.c
    above = [func.sum(columns.above[each].as_float() / columns.rate_hz).label(each) for each in thresholds]
    statement = (
        select(
            columns.placement,
            func.sum(columns.covered / columns.rate_hz).label("covered_s"),
            func.sum(columns.expected / columns.rate_hz).label("expected_s"),
            func.sum(columns.bends).label("bends"),
            *above,
        )
        .where(*_within(athlete_id, placements, start_utc_s, end_utc_s))
        .group_by(columns.placement)
    )
    return many(tx, statement)


def _within(
    athlete_id: str, placements: tuple[str, ...], start_utc_s: float, end_utc_s: float
) -> tuple[ColumnElement[bool], ...]:
    columns = feature.c
    return (
        columns.athlete_id == athlete_id,
        columns.start_utc_s >= start_utc_s,
        columns.start_utc_s < end_utc_s,
        columns.placement.in_(placements),
    )


def lines_of_stream(tx: Tx, stream_id: str, start_utc_s: float, end_utc_s: float) -> list[Row]:
    """Return a stream's lines that begin within [start, end), in order of time."""
    columns = feature.c
    statement = (
        select(columns.stream_id, columns.line_start_utc_s, columns.line_rate_hz, columns.line)
        .where(columns.stream_id == stream_id, columns.start_utc_s >= start_utc_s, columns.start_utc_s < end_utc_s)
        .order_by(columns.start_utc_s, columns.id)
    )
    return many(tx, statement)


def reference_of_stream(tx: Tx, stream_id: str) -> str | None:
    """Return which pose counts as upright in a stream."""
    return tx.execute(
        select(stream_state.c.reference).where(stream_state.c.stream_id == stream_id)
    ).scalar_one_or_none()


def save_finding(tx: Tx, stream_id: str, key: str, values: dict[str, Any], now: datetime) -> tuple[str, bool]:
    """Insert a finding, or replace the one of the same stream and key; return its id and whether it is new."""
    found = one(tx, select(finding.c.id).where(finding.c.stream_id == stream_id, finding.c.key == key))
    if found is not None:
        tx.execute(update(finding).where(finding.c.id == found["id"]).values(**values, updated_at=now))
        return str(found["id"]), False
    finding_id = fresh_id()
    tx.execute(
        finding.insert().values(id=finding_id, stream_id=stream_id, key=key, created_at=now, updated_at=now, **values)
    )
    return finding_id, True


def findings_of_athlete(tx: Tx, athlete_id: str, limit: int) -> list[Row]:
    """Return findings, newest first."""
    order = (finding.c.started_at.desc(), finding.c.id)
    return many(tx, select(finding).where(finding.c.athlete_id == athlete_id).order_by(*order).limit(limit))


def findings_since(tx: Tx, athlete_id: str, since: datetime) -> list[Row]:
    """Return findings that are open or ended since then, oldest first."""
    statement = (
        select(finding)
        .where(finding.c.athlete_id == athlete_id, (finding.c.state == "open") | (finding.c.ended_at >= since))
        .order_by(finding.c.started_at, finding.c.id)
    )
    return many(tx, statement)


def get_finding(tx: Tx, finding_id: str) -> Row | None:
    """Return a finding."""
    return one(tx, select(finding).where(finding.c.id == finding_id))


def newest_reference(tx: Tx, athlete_id: str, placement: str) -> str | None:
    """Return which pose counted as upright in the newest recording at a placement."""
    statement = (
        select(stream_state.c.reference)
        .join(stream, stream.c.id == stream_state.c.stream_id)
        .where(stream.c.athlete_id == athlete_id, stream.c.placement == placement)
        .order_by(stream.c.created_at.desc())
        .limit(1)
    )
    return tx.execute(statement).scalar_one_or_none()
