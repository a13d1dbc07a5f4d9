"""Many rows in one statement of the driver.

The driver lets other threads in at every row that it is handed one by one, or hands out; among hundreds who post, the
one who writes for all of them would wait at each.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import Table

from coach.store.engine import Tx

Item = TypeVar("Item")
# Rows in one statement, largest first. Own choice: a driver keeps its statements and what was last bound to them, so
# there are to be few, and none that holds megabytes.
_SIZES = (64, 32, 16, 8, 4, 2, 1)
# How a place for a value is written, by the driver's style.
_PLACE = {"qmark": "?", "format": "%s", "pyformat": "%s"}


def insert_new(tx: Tx, table: Table, rows: Sequence[dict[str, Any]]) -> int:
    """Insert rows, each with the same columns; return how many there are: one of a known key is left out."""
    return sum(tx.exec_driver_sql(statement, values).rowcount for statement, values in _inserts(tx, table, rows))


def insert_told(tx: Tx, table: Table, rows: Sequence[dict[str, Any]], names: Sequence[str]) -> list[Any]:
    """Insert rows as `insert_new`; return of each that there was none of before the columns of these names."""
    told: list[Any] = []
    for statement, values in _inserts(tx, table, rows):
        columns = ", ".join(f'"{name}"' for name in names)
        told += tx.exec_driver_sql(f"{statement} RETURNING {columns}", values).all()
    return told


def select_at(
    tx: Tx, what: str, places: Collection[tuple[Any, Any]], names: tuple[str, str] = ("stream_id", "seq")
) -> list[Any]:
    """Return the rows of a query that joins `place`, a table of these pairs with columns of these names."""
    found: list[Any] = []
    for some in _pieces(list(places)):
        values = tuple(value for pair in some for value in pair)
        found += tx.exec_driver_sql(_query(what, names, len(some), _PLACE[tx.dialect.paramstyle]), values).all()
    return found


def _inserts(tx: Tx, table: Table, rows: Sequence[dict[str, Any]]) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Yield statements with their values, as the driver takes them."""
    if not rows:
        return
    names = tuple(rows[0])
    dialect = tx.dialect
    turned = [table.c[name].type.dialect_impl(dialect).bind_processor(dialect) for name in names]
    for some in _pieces(rows):
        values = tuple(
            turn(row[name]) if turn else row[name] for row in some for name, turn in zip(names, turned, strict=True)
        )
        yield _statement(table.name, names, len(some), _PLACE[dialect.paramstyle]), values


def _pieces(rows: Sequence[Item]) -> Iterator[Sequence[Item]]:
    at = 0
    while at < len(rows):
        size = next(each for each in _SIZES if each <= len(rows) - at)
        yield rows[at : at + size]
        at += size


@lru_cache(maxsize=64)
def _query(what: str, names: tuple[str, str], places: int, place: str) -> str:
    return f"WITH place({', '.join(names)}) AS (VALUES {', '.join([f'({place}, {place})'] * places)}) {what}"


@lru_cache(maxsize=64)
def _statement(table: str, names: tuple[str, ...], rows: int, place: str) -> str:
    row = f"({', '.join([place] * len(names))})"
    columns = ", ".join(f'"{name}"' for name in names)
    # Names of our own tables and columns, never what somebody sent.
    return f'INSERT INTO "{table}" ({columns}) VALUES {", ".join([row] * rows)} ON CONFLICT DO NOTHING'  # noqa: S608
