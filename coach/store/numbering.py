"""Queries: rows that a database numbers by itself, where they come with numbers of their own. PostgreSQL counts apart.

SQLite numbers on behind the highest number of a table; PostgreSQL by a sequence beside it, which knows nothing of rows
that were put in with their numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import BigInteger, Column, Table, func, select, text

from coach.store.engine import Tx


def number_of(table: Table) -> Column[int] | None:
    """Return the column that numbers the rows of a table, if they are numbered."""
    keys = list(table.primary_key.columns)
    numbered = len(keys) == 1 and isinstance(keys[0].type, BigInteger) and not keys[0].foreign_keys
    return keys[0] if numbered else None


def hold_numbers(tx: Tx, tables: Sequence[Table]) -> None:
    """Let nobody else add rows to tables until the transaction ends, so that the next number stays the next one."""
    if tx.dialect.name == "postgresql" and tables:
        names = ", ".join(sorted(table.name for table in tables))
        tx.execute(text(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE"))


def number_on(tx: Tx, tables: Sequence[Table]) -> None:
    """Have the rows that come next numbered behind those that are there."""
    if tx.dialect.name != "postgresql":
        return
    for table in tables:
        column = number_of(table)
        if column is None:
            continue
        newest = tx.execute(select(func.max(column))).scalar_one()
        behind = {"table": table.name, "column": column.name, "number": newest or 1, "used": newest is not None}
        tx.execute(text("SELECT setval(pg_get_serial_sequence(:table, :column), :number, :used)"), behind)
