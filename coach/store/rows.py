"""Rows as mappings, and fresh ids."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, cast
from uuid import uuid4

from sqlalchemy import CursorResult
from sqlalchemy.sql.base import Executable

from coach.store.engine import Tx

Row = Mapping[str, Any]

# Rows in memory of those that are read one by one. Own choice.
_AT_ONCE = 500


def fresh_id() -> str:
    """Return a new id: uuid4 in hex."""
    return uuid4().hex


def fresh_id_at(at: datetime) -> str:
    """Return a new id that begins with a time: uuid7 in hex. Ids of rows that lie together by time.

    Source: RFC 9562, section 5.7.
    """
    random = secrets.randbits(74)
    return f"{_milliseconds(at):012x}7{random >> 62:03x}{0b10 << 62 | random & (1 << 62) - 1:016x}"


def first_id_at(at: datetime) -> str:
    """Return what comes before every id that begins with this time or a later one, and after all others."""
    return f"{_milliseconds(at):012x}{0:020x}"


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def one(tx: Tx, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Row | None:
    """Return the first row, or None."""
    return cast("Row | None", tx.execute(statement, parameters).mappings().first())


@contextmanager
def streamed(
    tx: Tx, statement: Executable, at_once: int, parameters: Mapping[str, Any] | None = None
) -> Iterator[CursorResult[Any]]:
    """Give the rows of a query some at a time, and let go of them at the end, however far they were read.

    A server keeps what was not read until it is told otherwise.
    """
    with tx.execute(statement, parameters, execution_options={"yield_per": at_once}) as result:
        yield result


def one_by_one(tx: Tx, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Iterator[Row]:
    """Yield all rows, a few in memory: of what a day holds there are tens of thousands."""
    with streamed(tx, statement, _AT_ONCE, parameters) as result:
        yield from cast("Iterator[Row]", result.mappings())


def many(tx: Tx, statement: Executable, parameters: Mapping[str, Any] | None = None) -> list[Row]:
    """Return all rows."""
    return cast("list[Row]", list(tx.execute(statement, parameters).mappings()))
