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


def reserve_numbers(tx: Tx, table: Table, most: int) -> int:
    """Keep so many numbers of a table for whoever asks; return behind which number they begin. PostgreSQL only.

    In a transaction of its own: a sequence is moved ahead by more than one only while nobody takes a number of it, for
    which whoever adds rows to this table waits until it ends. The rows themselves may then take as long as they need,
    and keep nobody waiting. What is kept and not used stays a gap.
    """
    column = number_of(table)
    if column is None:
        raise ValueError(f"the rows of {table.name} are not numbered")
    tx.execute(text(f"LOCK TABLE {table.name} IN SHARE ROW EXCLUSIVE MODE"))
    behind = _last_number(tx, table, column)
    if most:
        last = {"table": table.name, "column": column.name, "last": behind + most}
        tx.execute(text("SELECT setval(pg_get_serial_sequence(:table, :column), :last)"), last)
    return behind


def _last_number(tx: Tx, table: Table, column: Column[int]) -> int:
    """Return the highest number that a row has or a sequence has given, 0 for none."""
    place = {"table": table.name, "column": column.name}
    sequence = tx.execute(text("SELECT pg_get_serial_sequence(:table, :column)"), place).scalar_one()
    given = tx.execute(text(f"SELECT last_value, is_called FROM {sequence}")).one()  # noqa: S608 - the server's own name
    newest = tx.execute(select(func.coalesce(func.max(column), 0))).scalar_one()
    return max(int(newest), int(given.last_value) if given.is_called else 0)


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
