"""Queries: exposure by the minute, and stretches of repeated bending."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import bindparam, delete, func, select

from coach.store.engine import Tx
from coach.store.finding_tables import exposure, stretch
from coach.store.meeting import insert_or_replace
from coach.store.rows import Row, many, one_by_one

# A stretch that was there before the recording seemed to end does not go with its tail.
_PUT_MINUTES = insert_or_replace(exposure)
_PUT_STRETCHES = insert_or_replace(stretch, keep=frozenset({"tail"}))
_MINUTES = (
    select(exposure)
    .where(
        exposure.c.athlete_id == bindparam("athlete"),
        exposure.c.start_utc_s >= bindparam("first"),
        exposure.c.start_utc_s < bindparam("after"),
    )
    .order_by(exposure.c.placement, exposure.c.start_utc_s, exposure.c.stream_id)
)
_STRETCHES = (
    select(stretch)
    .where(
        stretch.c.athlete_id == bindparam("athlete"),
        stretch.c.start_utc_s >= bindparam("first"),
        stretch.c.start_utc_s < bindparam("after"),
    )
    .order_by(stretch.c.start_utc_s, stretch.c.stream_id, stretch.c.key)
)


def put_minutes(tx: Tx, rows: Sequence[dict[str, Any]]) -> None:
    """Insert minutes with all their columns, or replace those of the same stream and number."""
    if rows:
        tx.execute(_PUT_MINUTES[tx.dialect.name], list(rows))


def put_stretches(tx: Tx, rows: Sequence[dict[str, Any]]) -> None:
    """Insert stretches with all their columns, or replace those of the same stream and key."""
    if rows:
        tx.execute(_PUT_STRETCHES[tx.dialect.name], list(rows))


def minutes_between(tx: Tx, athlete_id: str, start_utc_s: float, end_utc_s: float) -> Iterator[Row]:
    """Yield the athlete's minutes that begin within [start, end), place by place in order of time."""
    return one_by_one(tx, _MINUTES, {"athlete": athlete_id, "first": start_utc_s, "after": end_utc_s})


def stretches_between(tx: Tx, athlete_id: str, start_utc_s: float, end_utc_s: float) -> list[Row]:
    """Return the athlete's stretches that begin within [start, end), in order of time."""
    return many(tx, _STRETCHES, {"athlete": athlete_id, "first": start_utc_s, "after": end_utc_s})


def any_between(tx: Tx, athlete_id: str, start_utc_s: float, end_utc_s: float) -> bool:
    """Tell whether the athlete has a minute that begins within [start, end)."""
    statement = (
        select(exposure.c.number)
        .where(
            exposure.c.athlete_id == athlete_id,
            exposure.c.start_utc_s >= start_utc_s,
            exposure.c.start_utc_s < end_utc_s,
        )
        .limit(1)
    )
    return tx.execute(statement).first() is not None


def nearest(tx: Tx, athlete_id: str, start_utc_s: float, end_utc_s: float) -> tuple[float | None, float | None]:
    """Return when the athlete's last minute before start and the first one from end on began, None without one."""
    at = exposure.c.start_utc_s
    mine = exposure.c.athlete_id == athlete_id
    before = tx.execute(select(func.max(at)).where(mine, at < start_utc_s)).scalar_one()
    after = tx.execute(select(func.min(at)).where(mine, at >= end_utc_s)).scalar_one()
    return before, after


def drop_of_stream(tx: Tx, stream_id: str, tail_only: bool) -> list[float]:
    """Delete a stream's minutes and stretches, or only its settled tail; return when they began."""
    begun: list[float] = []
    for table in (exposure, stretch):
        statement = delete(table).where(table.c.stream_id == stream_id)
        if tail_only:
            statement = statement.where(table.c.tail.is_(True))
        begun.extend(tx.execute(statement.returning(table.c.start_utc_s)).scalars())
    return begun
