"""Queries: a whole database out of a SQLite file into PostgreSQL, in pieces that count at once or not at all.

Where the move is stands in the target, written by the transaction that wrote the piece: whatever ends it, the next one
goes on there. The file must not change meanwhile; how it looked when the move began stands there too.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any, cast

import psycopg
from sqlalchemy import BigInteger, Column, MetaData, String, Table, func, inspect, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, OperationalError

from coach.errors import AlreadyRunning, InvalidInput, StoreUnavailable
from coach.store import months
from coach.store.engine import MOVING, Store, Tx, UtcDateTime, migrate
from coach.store.every_table import metadata
from coach.store.movable import rows_after, turning
from coach.store.numbering import number_on

# Rows and bytes of one piece, which is what a killed move does again. Own choice: under a second of work.
_PIECE_ROWS, _PIECE_BYTES = 20_000, 16 << 20
# Tables that a migration puts rows into: they are there before anybody has used the database.
_MADE_BY_MIGRATIONS = ("edition",)
# The names of the kinds of values to PostgreSQL, by those of the columns. JSON travels as text and is read there.
_KINDS = {
    "JSON": "text", "String": "text", "Text": "text", "Integer": "int4", "BigInteger": "int8", "Double": "float8",
    "Boolean": "bool", "LargeBinary": "bytea", "Date": "date", "Time": "time", "UtcDateTime": "timestamptz",
}  # fmt: skip
# What tells of an earlier month has a clock that was never set. Own choice: no wearable is older.
_EPOCH, _OLDEST, _DAYS_MAX = datetime(1970, 1, 1, tzinfo=UTC), datetime(2000, 1, 1, tzinfo=UTC), 1_000_000
# The tables of a database, without the parts of those that have parts.
_TABLES = (
    "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') "
    "AND NOT relispartition"
)

progress = Table(
    MOVING,
    MetaData(),
    Column("name", String(100), primary_key=True),
    Column("source", String(200), nullable=False),
    Column("last_rowid", BigInteger, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Moved:
    """How far a table is: the last rowid of the file that is in the target, and how much that was."""

    last_rowid: int = 0
    rows: int = 0
    bytes: int = 0


def shown(address: str) -> str | None:
    """Return the address of a database of PostgreSQL as it may be shown, without its password; None for none."""
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        return None
    if url.get_backend_name() not in ("postgresql", "postgres") or not url.database:
        return None
    return url.render_as_string(hide_password=True)


def fingerprint(database: Path) -> str:
    """Return how a SQLite file looks; another one when somebody has written to it. Raises StoreUnavailable.

    What waits in the log beside it is brought into it first, so that opening it later changes nothing.
    """
    try:
        with closing(sqlite3.connect(database)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        looks = database.stat()
    except (OSError, sqlite3.Error) as error:
        raise StoreUnavailable(
            f"The database {database} cannot be read ({error}): check the file and its disk."
        ) from error
    return f"{looks.st_size} bytes, {looks.st_mtime_ns} ns"


def begin(target: Store, source: str) -> dict[str, Moved]:
    """Return how far each table is; a database that nobody has used gets its schema first.

    source: the fingerprint of the file. Raises InvalidInput when the database holds something else.
    """
    with target.read() as tx:
        known = inspect(tx).has_table(progress.name)
        strange = sorted(
            set(tx.execute(text(_TABLES)).scalars()) - {*metadata.tables, "alembic_version", progress.name}
        )
    if not known:
        if strange:
            raise InvalidInput(_not_empty(f"it has the table {strange[0]}, which is none of Backstop's"))
        migrate(target)
        with target.begin() as tx:
            _empty(tx)
            progress.create(tx)
            tx.execute(progress.insert(), [
                {"name": name, "source": source, "last_rowid": 0, "rows": 0, "bytes": 0} for name in metadata.tables
            ])  # fmt: skip
    with target.read() as tx:
        rows = tx.execute(select(progress)).all()
    if any(row.source != source for row in rows) or {row.name for row in rows} != set(metadata.tables):
        raise InvalidInput(
            "The database has a part of a move from another file, or the file was opened since that began: make the "
            "database anew, and start again."
        )
    return {row.name: Moved(row.last_rowid, row.rows, row.bytes) for row in rows}


def prepare(target: Store, snapshot: sqlite3.Connection, table: Table, now: datetime) -> None:
    """Make the parts by month that a table's rows will lie in; those of clocks that were far off go to the rest."""
    if table.name == "chunk":
        found = {_time_of(each) for (each,) in snapshot.execute("SELECT id FROM stream") if each[12:13] == "7"}
    elif table.name in months.PARTED:
        column, _ = months.PARTED[table.name]
        days = f'SELECT DISTINCT CAST("{column}" / 86400 AS INTEGER) FROM "{table.name}"'  # noqa: S608 - names of ours
        found = {_EPOCH + timedelta(days=day) for (day,) in snapshot.execute(days) if 0 <= day < _DAYS_MAX}
    else:
        return
    for month in sorted({months.Month.of(at) for at in found if _OLDEST <= at <= now}):
        with target.begin() as tx:
            months.make(tx, table.name, month)


def _time_of(stream_id: str) -> datetime:
    """Return the time that an id begins with (uuid7)."""
    return _EPOCH + timedelta(milliseconds=int(stream_id[:12], 16))


def copy_piece(target: Store, snapshot: sqlite3.Connection, table: Table, since: Moved) -> Moved | None:
    """Copy the next rows of a table and write down that they are there; None when there are none.

    Raises StoreUnavailable, and AlreadyRunning when somebody else has copied it: the piece is not there by this one.
    """
    with closing(rows_after(snapshot, table, since.last_rowid)) as rows:
        first = next(rows, None)
        if first is None:
            return None
        with target.begin() as tx:
            mine = progress.c.name == table.name
            # Waits for the server to see that a move that was killed is gone.
            there = tx.execute(select(progress.c.last_rowid).where(mine).with_for_update()).scalar_one()
            if there != since.last_rowid:
                raise AlreadyRunning("Another `backstop move` fills this database: wait for it, or end it.")
            now = _copy(tx, table, chain([first], rows), since)
            values = {"last_rowid": now.last_rowid, "rows": now.rows, "bytes": now.bytes}
            tx.execute(progress.update().where(mine).values(values))
    return now


def _copy(tx: Tx, table: Table, rows: Iterator[Any], since: Moved) -> Moved:
    turns, last, count, size = turning(table), since.last_rowid, 0, 0
    names = ", ".join(f'"{column.name}"' for column in table.c)
    connection = cast("psycopg.Connection", tx.connection.driver_connection)
    statement = f'COPY "{table.name}" ({names}) FROM STDIN (FORMAT BINARY)'
    try:
        with connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
            copy.set_types([_kind(column) for column in table.c])
            for rowid, *values in rows:
                copy.write_row(
                    [value if turn is None else turn(value) for turn, value in zip(turns, values, strict=True)]
                )
                last = rowid
                count += 1
                size += sum(len(value) for value in values if isinstance(value, bytes | str))
                if count >= _PIECE_ROWS or size >= _PIECE_BYTES:
                    break
    except psycopg.Error as error:
        # As SQLAlchemy hands on what it meets itself, so that it becomes a sentence.
        raise OperationalError("COPY", None, error) from error
    return Moved(last, since.rows + count, since.bytes + size)


def finish(target: Store) -> None:
    """Let the database number on behind what was copied, and know how much there is of what."""
    with target.begin() as tx:
        number_on(tx, metadata.sorted_tables)
        tx.execute(text("ANALYZE"))


def end(target: Store) -> None:
    """Forget where the move was: it is over, and others may use the database."""
    with target.begin() as tx:
        progress.drop(tx)


def _kind(column: Column[Any]) -> str:
    return _KINDS["UtcDateTime" if isinstance(column.type, UtcDateTime) else type(column.type).__name__]


def _empty(tx: Tx) -> None:
    """Remove what migrations have put there. Raises InvalidInput when somebody has used the database."""
    for table in reversed(metadata.sorted_tables):
        if table.name in _MADE_BY_MIGRATIONS:
            tx.execute(table.delete())
        elif tx.execute(select(func.count()).select_from(select(table).limit(1).subquery())).scalar_one():
            raise InvalidInput(_not_empty(f"its table {table.name} has rows"))


def _not_empty(why: str) -> str:
    return f"The database to move into is not empty ({why}): name one that nobody has used."
