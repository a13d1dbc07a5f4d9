"""What a table holds, as one number: the same for the same values, whichever database keeps them.

Every value has one way to be written down here, made from what the database hands out: floating point by its bits,
times in UTC to the microsecond, JSON by its value. Nothing of this is shared with what copies.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from hashlib import sha256
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    LargeBinary,
    String,
    Table,
    Text,
    cast,
    collate,
    func,
    select,
    type_coerce,
)

from coach.store.engine import Tx

# Bytes of rows, and rows, in memory at a time. Own choices.
_BYTES_AT_ONCE, _ROWS_AT_ONCE = 32 << 20, 2000


@dataclass(frozen=True, slots=True)
class Sum:
    """How many rows a table has, and the SHA-256 of their values, in the order of their keys."""

    rows: int
    sha256: str


def sum_of(tx: Tx, table: Table, told: Callable[[int], None]) -> Sum:
    """Return what a table holds. told: hears how many rows are read."""
    digest, rows = sha256(), 0
    writers = [_json if isinstance(column.type, JSON) else _written for column in table.c]
    columns = [_as_text(tx, column) if isinstance(column.type, JSON) else column for column in table.c]
    statement = select(*columns).order_by(*_order(tx, table))
    for row in tx.execute(statement.execution_options(yield_per=_at_once(tx, table))):
        for write, value in zip(writers, row, strict=True):
            digest.update(b"-" if value is None else write(value))
        rows += 1
        if rows % 1000 == 0:
            told(rows)
    return Sum(rows, digest.hexdigest())


def _as_text(tx: Tx, column: Column[Any]) -> ColumnElement[Any]:
    """Return a column of JSON as it is stored, so that the value null is not taken for no value."""
    # SQLite keeps a bare number as a number, and would round it when it makes text of it.
    return type_coerce(column, Text) if tx.dialect.name == "sqlite" else cast(column, Text)


def _order(tx: Tx, table: Table) -> list[ColumnElement[Any]]:
    """Return the key. Texts by their bytes, as SQLite orders them: other databases have languages."""
    by_bytes = tx.dialect.name != "sqlite"
    return [
        collate(column, "C") if by_bytes and isinstance(column.type, String) else column
        for column in table.primary_key.columns
    ]


def _at_once(tx: Tx, table: Table) -> int:
    """Return how many rows fit into memory, by the longest value of each column of bytes."""
    long = [
        func.coalesce(func.max(func.length(column)), 0) for column in table.c if isinstance(column.type, LargeBinary)
    ]
    largest = sum(tx.execute(select(*long).select_from(table)).one()) if long else 0
    return max(1, min(_ROWS_AT_ONCE, _BYTES_AT_ONCE // (largest + 1)))


def _json(value: Any) -> bytes:
    found = json.loads(value) if isinstance(value, str) else value
    return _sized(b"j", json.dumps(found, sort_keys=True, separators=(",", ":")).encode())


def _written(value: Any) -> bytes:
    """Return the one way to write a value down, with its kind and length before it."""
    if isinstance(value, bool):
        return b"b1" if value else b"b0"
    if isinstance(value, int):
        return _sized(b"i", str(value).encode())
    if isinstance(value, float):
        return b"f" + struct.pack(">d", value)
    if isinstance(value, str):
        return _sized(b"s", value.encode())
    if isinstance(value, bytes | memoryview):
        return _sized(b"x", bytes(value))
    if isinstance(value, datetime):
        return _sized(b"t", value.astimezone(UTC).isoformat(timespec="microseconds").encode())
    if isinstance(value, date | time):
        return _sized(b"d", value.isoformat().encode())
    raise TypeError(f"A value of a kind that nothing is known of: {type(value).__name__}.")


def _sized(kind: bytes, what: bytes) -> bytes:
    return kind + struct.pack(">q", len(what)) + what
