"""Rows as mappings, and fresh ids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast
from uuid import uuid4

from sqlalchemy.sql.base import Executable

from coach.store.engine import Tx

Row = Mapping[str, Any]


def fresh_id() -> str:
    """Return a new id: uuid4 in hex."""
    return uuid4().hex


def one(tx: Tx, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Row | None:
    """Return the first row, or None."""
    return cast("Row | None", tx.execute(statement, parameters).mappings().first())


def many(tx: Tx, statement: Executable, parameters: Mapping[str, Any] | None = None) -> list[Row]:
    """Return all rows."""
    return cast("list[Row]", list(tx.execute(statement, parameters).mappings()))
