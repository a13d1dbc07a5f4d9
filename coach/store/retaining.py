"""Queries: forget what is older than its kind is kept, a bounded number of rows in each transaction."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import ColumnElement, Date, Double, Table, and_, delete, exists, func, select, tuple_, update

from coach.store.data_rules import RULES, Kept
from coach.store.engine import Tx
from coach.store.every_table import metadata
from coach.store.finding_tables import finding
from coach.store.rows import Row, one
from coach.store.tables import chunk, stream

# Rows of one transaction: some ms, between which others write. Own choice.
_ROWS_AT_ONCE = 500
# What goes on is not old, whatever its dates say.
_ONLY: dict[str, ColumnElement[bool]] = {"finding": finding.c.state != "open"}


def tables_of(kind: Kept) -> list[Table]:
    """Return the tables whose rows of a kind are deleted by age, each before those that its rows name."""
    return [
        table
        for table in reversed(metadata.sorted_tables)
        if RULES[table.name].kept is kind and RULES[table.name].aged_by is not None and table is not chunk
    ]


def forget_some(tx: Tx, table: Table, before: datetime) -> int:
    """Delete some rows of a table that are older than `before`; return how many."""
    name = RULES[table.name].aged_by
    if name is None:
        return 0
    column = table.c[name]
    moment = before.timestamp() if isinstance(column.type, Double) else before
    old = column < (before.date() if isinstance(column.type, Date) else moment)
    keys = list(table.primary_key.columns)
    some = select(*keys).where(old, *([_ONLY[table.name]] if table.name in _ONLY else []), *_not_named(table))
    key = keys[0] if len(keys) == 1 else tuple_(*keys)
    return int(tx.execute(delete(table).where(key.in_(some.limit(_ROWS_AT_ONCE)))).rowcount)


def _not_named(table: Table) -> Iterator[ColumnElement[bool]]:
    """Yield that no other row names this one, unless that one lets it go by itself: a row that is needed stays."""
    for other in metadata.sorted_tables:
        for key in other.foreign_keys:
            if key.column.table is table and key.ondelete is None:
                yield ~exists(select(key.parent).where(key.parent == key.column))


def signal_to_forget(tx: Tx, before: datetime) -> str | None:
    """Return a recording whose raw signal came before, or of which some was left when it was forgotten."""
    newest = and_(chunk.c.stream_id == stream.c.id, chunk.c.seq == stream.c.max_seq, func.length(chunk.c.blob) > 0)
    statement = (
        select(stream.c.id)
        .where(~stream.c.live, stream.c.last_received_at < before)
        .where(exists(select(chunk.c.id).where(newest)))
        .order_by(stream.c.last_received_at, stream.c.id)
        .limit(1)
    )
    return tx.execute(statement).scalar_one_or_none()


def mark_signal_gone(tx: Tx, stream_id: str, now: datetime) -> None:
    """Note that a recording cannot be analysed anew, before its samples go: half a recording is none."""
    mine = (stream.c.id == stream_id, stream.c.signal_gone_at.is_(None))
    tx.execute(update(stream).where(*mine).values(signal_gone_at=now))


def forget_some_signal(tx: Tx, stream_id: str) -> int:
    """Empty some of a recording's chunks, the newest last; return how many."""
    full = (chunk.c.stream_id == stream_id, func.length(chunk.c.blob) > 0)
    some = select(chunk.c.id).where(*full).order_by(chunk.c.seq).limit(_ROWS_AT_ONCE)
    return int(tx.execute(update(chunk).where(chunk.c.id.in_(some)).values(blob=b"")).rowcount)


def signal_gone_at(tx: Tx, stream_id: str) -> datetime | None:
    """Return when the raw signal of a recording was forgotten, None while it is there."""
    return tx.execute(select(stream.c.signal_gone_at).where(stream.c.id == stream_id)).scalar_one_or_none()


def oldest_signal(tx: Tx, athlete_id: str) -> Row | None:
    """Return begun_at and recordings (how many) of the raw signal that is kept of an athlete."""
    kept = (stream.c.athlete_id == athlete_id, stream.c.signal_gone_at.is_(None))
    statement = select(func.min(stream.c.created_at).label("begun_at"), func.count().label("recordings")).where(*kept)
    return one(tx, statement.select_from(stream))
