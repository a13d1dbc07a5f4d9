"""Queries: features of chunks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, cast, delete, func, select

from coach.store.engine import Tx
from coach.store.rows import Row, many, one_by_one
from coach.store.tables import chunk, feature, stream, stream_state

# s of a piece of a recording. Own choice: several of the longest chunks, so that two that run at once are seen to.
PIECE_S = 300.0
# A part of yaw is no longer than this: the longest pause that is not cut out of it (stream.MAX_GAP_ROWS_S), and what
# waited on both sides. Own bound.
YAW_PART_S = 2 * 3600.0
# Own choice: who wears the sensor again after a night; a part that is told later than this is not found.
YAW_TOLD_S = 86400.0
# Databases round differently; to number the pieces, either will do.
_PIECE = cast(feature.c.start_utc_s / PIECE_S, Integer).label("piece")


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
) -> Iterator[Row]:
    """Yield what a chart needs, in order of time; features that begin within [start, end)."""
    columns = feature.c
    statement = (
        select(
            columns.placement,
            columns.stream_id,
            _PIECE,
            columns.line_start_utc_s,
            columns.line_rate_hz,
            columns.line,
        )
        .where(*_within(athlete_id, placements, start_utc_s, end_utc_s))
        .order_by(columns.start_utc_s, columns.id)
    )
    return one_by_one(tx, statement)


def pieces_between(
    tx: Tx,
    athlete_id: str,
    placements: tuple[str, ...],
    start_utc_s: float,
    end_utc_s: float,
    thresholds: tuple[str, ...] = (),
) -> list[Row]:
    """Return one row of sums per piece of each recording over the features that begin within [start, end).

    Columns: placement, stream_id, piece, first_utc_s and end_utc_s (begin of its first and end of its last feature),
    covered_s, expected_s, bends, and one per threshold with its seconds above. Summed by the database: a page asks
    every few seconds, and a day has 17,000 features.
    """
    columns = feature.c
    above = [func.sum(columns.above[each].as_float() / columns.rate_hz).label(each) for each in thresholds]
    statement = (
        select(
            columns.placement,
            columns.stream_id,
            _PIECE,
            func.min(columns.start_utc_s).label("first_utc_s"),
            func.max(columns.start_utc_s + columns.expected / columns.rate_hz).label("end_utc_s"),
            func.sum(columns.covered / columns.rate_hz).label("covered_s"),
            func.sum(columns.expected / columns.rate_hz).label("expected_s"),
            func.sum(columns.bends).label("bends"),
            *above,
        )
        .where(*_within(athlete_id, placements, start_utc_s, end_utc_s))
        .group_by(columns.placement, columns.stream_id, _PIECE)
        .order_by(columns.placement, columns.stream_id, _PIECE)
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


def places_between(tx: Tx, athlete_id: str, start_utc_s: float, end_utc_s: float) -> list[str]:
    """Return where sensors were worn whose features begin within [start, end)."""
    columns = feature.c
    statement = (
        select(columns.placement)
        .distinct()
        .where(columns.athlete_id == athlete_id, columns.start_utc_s >= start_utc_s, columns.start_utc_s < end_utc_s)
        .order_by(columns.placement)
    )
    return list(tx.execute(statement).scalars())


def chunks_between(tx: Tx, athlete_id: str, placement: str, start_utc_s: float, end_utc_s: float) -> list[Row]:
    """Return stream_id and blob of the chunks whose features begin within [start, end), in order of time."""
    statement = (
        select(chunk.c.stream_id, chunk.c.blob)
        .join(feature, (feature.c.chunk_id == chunk.c.id) & (feature.c.stream_id == chunk.c.stream_id))
        .where(*_within(athlete_id, (placement,), start_utc_s, end_utc_s))
        .order_by(feature.c.start_utc_s, feature.c.id)
    )
    return many(tx, statement)


def reference_of_stream(tx: Tx, stream_id: str) -> str | None:
    """Return which pose counts as upright in a stream."""
    return tx.execute(
        select(stream_state.c.reference).where(stream_state.c.stream_id == stream_id)
    ).scalar_one_or_none()


def movements_between(
    tx: Tx, athlete_id: str, placements: Sequence[str], start_utc_s: float, end_utc_s: float
) -> Iterator[Row]:
    """Yield repetitions and strokes of features that begin within [start, end), recording by recording in order.

    Columns: stream_id, first_index, start_index, start_utc_s, rate_hz, repetitions, strokes.
    """
    where = _within(athlete_id, tuple(placements), start_utc_s, end_utc_s)
    return one_by_one(tx, _movements(*where))


def movements_of_stream(tx: Tx, stream_id: str, start_utc_s: float, end_utc_s: float) -> list[Row]:
    """Return repetitions and strokes of a stream's features that begin within [start, end), in order of time.

    Columns: as of movements_between.
    """
    columns = feature.c
    where = (columns.stream_id == stream_id, columns.start_utc_s >= start_utc_s, columns.start_utc_s < end_utc_s)
    return many(tx, _movements(*where))


def _movements(*where: ColumnElement[bool]) -> Select[Any]:
    columns = feature.c
    return (
        select(
            columns.stream_id,
            stream_state.c.first_index,
            columns.start_index,
            columns.start_utc_s,
            columns.rate_hz,
            columns.repetitions,
            columns.strokes,
        )
        .join(stream_state, stream_state.c.stream_id == columns.stream_id)
        .where(*where, stream_state.c.first_index.is_not(None))
        .order_by(columns.stream_id, columns.start_utc_s, columns.id)
    )


def yaw_between(tx: Tx, athlete_id: str, placement: str, start_utc_s: float, end_utc_s: float) -> list[Row]:
    """Return the parts of lines of yaw that reach into [start, end), whole, and some beside it, in order of time.

    A part is told behind its time: a minute, or with the first chunk after a pause (YAW_TOLD_S at most).
    """
    columns = feature.c
    begun_utc_s = start_utc_s - YAW_PART_S
    statement = (
        select(columns.yaw_start_utc_s, columns.yaw_rate_hz, columns.yaw)
        .where(
            *_within(athlete_id, (placement,), begun_utc_s, end_utc_s + YAW_TOLD_S),
            columns.yaw.is_not(None),
            columns.yaw_start_utc_s >= begun_utc_s,
            columns.yaw_start_utc_s < end_utc_s,
        )
        .order_by(columns.yaw_start_utc_s, columns.id)
    )
    return many(tx, statement)


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
