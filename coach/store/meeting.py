"""Inserts that may meet a row of the same key. Made once for each database: only their dialects know such inserts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite

# Name of a database's dialect -> statement.
ByDialect = Mapping[str, Any]
_DIALECTS: Mapping[str, Any] = {"sqlite": sqlite, "postgresql": postgresql}


def insert_or_leave(table: Table) -> ByDialect:
    """Return an insert that does nothing where a unique key is known."""
    return {name: dialect.insert(table).on_conflict_do_nothing() for name, dialect in _DIALECTS.items()}


def insert_or_change(table: Table, change: Callable[[Any], Mapping[str, Any]]) -> ByDialect:
    """Return an insert that changes the row of the same primary key. change: columns that came -> those to set."""
    statements: dict[str, Any] = {}
    for name, dialect in _DIALECTS.items():
        insert = dialect.insert(table)
        key = list(table.primary_key.columns)
        statements[name] = insert.on_conflict_do_update(index_elements=key, set_=change(insert.excluded))
    return statements


def insert_or_replace(table: Table, keep: frozenset[str] = frozenset()) -> ByDialect:
    """Return an insert that replaces the row of the same primary key but for the columns to keep."""
    names = [column.name for column in table.columns if not column.primary_key and column.name not in keep]
    return insert_or_change(table, lambda came: {name: came[name] for name in names})
