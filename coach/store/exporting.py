"""Queries: everything of one athlete as plain values, table by table, in an order that does not change."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any, cast

from alembic.migration import MigrationContext
from sqlalchemy import JSON, ColumnElement, Date, Integer, LargeBinary, Table, Time, func, or_, select

from coach.errors import InvalidInput
from coach.store.data_rules import RULES, exported_tables, of_athlete
from coach.store.engine import Tx, UtcDateTime
from coach.store.rows import Row, streamed
from coach.store.tables import athlete, chunk, heart_block

# Rows and blobs in memory at a time. Own choice: a blob of a chunk has a few kB, an uploaded file 20 MB.
_ROWS_AT_ONCE, _BLOBS_AT_ONCE = 500, 16

# Of whole numbers, as databases keep them: in 32 bits and 64.
_INT_MAX, _BIG_MAX = 2**31, 2**63

Plain = dict[str, Any]


def schema_version(tx: Tx) -> str:
    """Return the revision of the schema."""
    return str(MigrationContext.configure(tx).get_current_revision())


def athletes(tx: Tx) -> list[tuple[str, str]]:
    """Return id and name of every athlete."""
    return [(row[0], row[1]) for row in tx.execute(select(athlete.c.id, athlete.c.name).order_by(athlete.c.name))]


def table_names() -> tuple[str, ...]:
    """Return the names of the tables that an export holds, each after those that its rows name."""
    return tuple(table.name for table in exported_tables())


def beside(name: str) -> tuple[str, ...]:
    """Return the columns of a table whose bytes lie beside its rows."""
    return RULES[name].beside


def plain_rows(tx: Tx, name: str, athlete_id: str) -> Iterator[Plain]:
    """Yield an athlete's rows of a table by primary key, as values that JSON has.

    Hidden columns are left out; one whose bytes lie beside the rows says how many there are, None for none.
    """
    table, rule = _table(name), RULES[name]
    columns = [
        func.length(column).label(column.name) if column.name in rule.beside else column
        for column in table.c
        if column.name not in rule.hidden
    ]
    kinds = {column.name: column for column in table.c if column.name not in rule.beside}
    statement = select(*columns).where(exported(table, athlete_id)).order_by(*table.primary_key.columns)
    with streamed(tx, statement, _ROWS_AT_ONCE) as result:
        for row in result.mappings():
            yield {name: plain(kinds.get(name), value) for name, value in row.items()}


def blobs(tx: Tx, name: str, column: str, athlete_id: str) -> Iterator[bytes]:
    """Yield the bytes of a column in the order of `plain_rows`; rows that have none are left out."""
    table = _table(name)
    statement = (
        select(table.c[column])
        .where(exported(table, athlete_id), table.c[column].is_not(None))
        .order_by(*table.primary_key.columns)
    )
    with streamed(tx, statement, _BLOBS_AT_ONCE) as result:
        for value in result.scalars():
            yield bytes(value)


def signal(tx: Tx, stream_id: str) -> Iterator[bytes]:
    """Yield a recording's coded chunks in their order; those whose signal is gone are left out."""
    statement = select(chunk.c.blob).where(chunk.c.stream_id == stream_id, func.length(chunk.c.blob) > 0)
    with streamed(tx, statement.order_by(chunk.c.seq), _BLOBS_AT_ONCE) as result:
        for value in result.scalars():
            yield bytes(value)


def hearts(tx: Tx, athlete_id: str) -> Iterator[Row]:
    """Yield an athlete's blocks of heart rate in the order of time."""
    columns = heart_block.c
    statement = (
        select(columns.device_id, columns.recording_id, columns.beats, columns.rr_s)
        .where(columns.athlete_id == athlete_id)
        .order_by(columns.start_utc_s, columns.device_id, columns.recording_id, columns.seq)
    )
    with streamed(tx, statement, _ROWS_AT_ONCE) as result:
        yield from cast("Iterator[Row]", result.mappings())


def blob_bytes(tx: Tx, athlete_id: str) -> int:
    """Return how many bytes lie beside the rows of an athlete, which is nearly all that an export holds."""
    total = 0
    for table in exported_tables():
        for name in RULES[table.name].beside:
            statement = select(func.coalesce(func.sum(func.length(table.c[name])), 0))
            total += tx.execute(statement.where(exported(table, athlete_id))).scalar_one()
    return total


def exported(table: Table, athlete_id: str) -> ColumnElement[bool]:
    """Return the condition that holds for the rows of a table that an athlete's export has."""
    own = of_athlete(table, athlete_id)
    return or_(own, *_naming(table, athlete_id)) if RULES[table.name].named else own


def _naming(named: Table, athlete_id: str) -> Iterator[ColumnElement[bool]]:
    """Yield, for each exported table that names rows of this one, that one of the athlete's rows does."""
    for table in exported_tables():
        for key in table.foreign_keys:
            if key.column.table is named and table is not named:
                yield key.column.in_(select(key.parent).where(of_athlete(table, athlete_id), key.parent.is_not(None)))


def _table(name: str) -> Table:
    return {table.name: table for table in exported_tables()}[name]


def plain(column: ColumnElement[Any] | None, value: Any) -> Any:
    """Return a column's value as JSON has it. column: None for a value that is plain already."""
    if value is None or column is None:
        return value
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(column.type, LargeBinary):
        return base64.b64encode(value).decode("ascii")
    return value


def value_of(column: ColumnElement[Any], told: Any) -> Any:
    """Return what `plain` was made of. Raises InvalidInput when it cannot have been."""
    kind = column.type
    if told is None or isinstance(kind, JSON):
        return told
    try:
        if isinstance(kind, UtcDateTime):
            found = datetime.fromisoformat(told)
            if found.tzinfo is None:
                raise ValueError("a time without a zone")
            return found
        if isinstance(kind, Date):
            return date.fromisoformat(told)
        if isinstance(kind, Time):
            return time.fromisoformat(told)
        if isinstance(kind, LargeBinary):
            return base64.b64decode(told, validate=True)
    except (ValueError, TypeError, binascii.Error) as error:
        raise InvalidInput(f"{told!r:.60} is no value of the column ({error}).") from None
    if isinstance(told, float) and not math.isfinite(told):
        raise InvalidInput("a number has no end.")
    if isinstance(told, int) and abs(told) >= (_INT_MAX if type(kind) is Integer else _BIG_MAX):
        raise InvalidInput("a number is too large.")
    if isinstance(told, str) and any(sign == "\0" or "\ud800" <= sign <= "\udfff" for sign in told):
        raise InvalidInput("a text is no text.")
    expected = kind.python_type
    fits = isinstance(told, expected) and (expected is bool or not isinstance(told, bool))
    if not fits and not (expected is float and type(told) is int):
        raise InvalidInput(f"{told!r:.60} is no {expected.__name__}.")
    length = getattr(kind, "length", None)
    if isinstance(told, str) and length is not None and len(told) > length:
        raise InvalidInput(f"a text of {len(told)} characters is longer than {length}.")
    return told
