"""The database as it is at one moment, read by its file: copied, counted and checked. SQLite only.

The copy is SQLite's own backup inside one read transaction. In WAL mode such a transaction neither waits for writers
nor makes them wait, and all steps of the copy, the counts, and whatever else is read over the same connection are of
one moment. Without it, a copy in steps begins anew whenever another process writes, and may never end; `VACUUM INTO`
would do for the copy, but cannot run inside a transaction, so that nothing else could be read at the same moment.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from coach.errors import InvalidInput, StoreUnavailable

# Pages of one step: 8 MB. Own choice: long enough to be quick, short enough to pause between.
_STEP_PAGES = 1024
# s to wait for a lock; a reader of a database in WAL mode needs none. Own choice.
_BUSY_S = 10.0
# Problems that are named; one is enough to refuse a file. Own choice.
_NAMED_MAX = 5


@contextmanager
def open_snapshot(database: Path) -> Iterator[sqlite3.Connection]:
    """Open the database as it is now, whoever writes meanwhile. Raises StoreUnavailable.

    The connection is inside a read transaction and writes nothing.
    """
    if not database.is_file():
        raise StoreUnavailable(f"There is no database {database}: name the storage folder of a Backstop.")
    try:
        with closing(
            sqlite3.connect(f"file:{quote(str(database.resolve()))}?mode=ro", uri=True, timeout=_BUSY_S)
        ) as connection:
            connection.isolation_level = None
            connection.execute("BEGIN")
            # The moment is that of the first read.
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            yield connection
    except sqlite3.Error as error:
        raise StoreUnavailable(
            f"The database {database} cannot be read ({error}): check the disk and who owns the file."
        ) from error


def copy_snapshot(snapshot: sqlite3.Connection, target: Path, pause_s: float = 0.0) -> None:
    """Copy what a snapshot shows into a new file, one that stands alone (no log beside it).

    pause_s: between steps, which leaves the disk to whoever appends. What was erased is in no free page of the copy.
    Raises StoreUnavailable when the disk takes it not.
    """

    def pause(_status: int, _remaining: int, _total: int) -> None:
        if pause_s:
            time.sleep(pause_s)

    try:
        with closing(sqlite3.connect(target, isolation_level=None)) as copy:
            # Nothing of it counts before it is packed and that is written through.
            copy.execute("PRAGMA synchronous=OFF")
            snapshot.backup(copy, pages=_STEP_PAGES, progress=pause)
            copy.execute("PRAGMA journal_mode=DELETE").fetchone()
            if copy.execute("PRAGMA freelist_count").fetchone()[0]:
                copy.execute("VACUUM")
    except sqlite3.Error as error:
        raise StoreUnavailable(
            f"The database cannot be copied to {target.parent} ({error}): make room on that disk."
        ) from error


def tables(connection: sqlite3.Connection) -> list[str]:
    """Return the names of the tables that hold rows, in order."""
    found = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    return sorted(name for (name,) in found)


def row_counts(connection: sqlite3.Connection) -> dict[str, int]:
    """Return how many rows each table has."""
    return {
        name: int(connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0])  # noqa: S608 - names of its schema
        for name in tables(connection)
    }


def schema_version(connection: sqlite3.Connection) -> str | None:
    """Return the revision of the schema, None for a database that has none."""
    if "alembic_version" not in tables(connection):
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None


def newest_chunks(connection: sqlite3.Connection, most: int) -> Iterator[tuple[int, bytes]]:
    """Yield id and bytes of the newest chunks whose signal is still kept, newest first."""
    if "chunk" in tables(connection):
        yield from connection.execute(
            "SELECT id, CAST(blob AS BLOB) FROM chunk WHERE length(blob) > 0 ORDER BY id DESC LIMIT ?", (most,)
        )


def chunks_since(connection: sqlite3.Connection, since: datetime | None) -> Iterator[tuple[int, bytes]]:
    """Yield id and bytes of the chunks that arrived since then, None for all, whose signal is still kept."""
    if "chunk" in tables(connection):
        yield from connection.execute(
            "SELECT id, CAST(blob AS BLOB) FROM chunk WHERE length(blob) > 0 AND received_at >= ? ORDER BY id",
            (_stamp(since) if since else "",),
        )


def newest_stamp(connection: sqlite3.Connection) -> datetime | None:
    """Return the newest time at which this machine wrote something down."""
    there = set(tables(connection))
    found = [
        row[0]
        for table, column in (("chunk", "received_at"), ("event", "at"))
        if table in there
        # By number, which needs no scan; a clock that was ahead a while ago is no matter of now.
        and (row := connection.execute(f"SELECT {column} FROM {table} ORDER BY id DESC LIMIT 1").fetchone())  # noqa: S608
    ]
    return max((datetime.fromisoformat(each).replace(tzinfo=UTC) for each in found), default=None)


def time_zones(connection: sqlite3.Connection) -> set[str]:
    """Return the time zones of the athletes."""
    if "athlete" not in tables(connection):
        return set()
    return {str(zone) for (zone,) in connection.execute("SELECT DISTINCT time_zone FROM athlete")}


def webhooks(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    """Return whose webhooks there are, and their addresses, which are secrets."""
    if "webhook_target" not in tables(connection):
        return []
    return [(str(whose), str(url)) for whose, url in connection.execute("SELECT athlete_id, url FROM webhook_target")]


def _stamp(at: datetime) -> str:
    """Return a time as the database writes it."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def troubles(connection: sqlite3.Connection) -> list[str]:
    """Return what SQLite finds wrong with a database: its pages, its indexes, references that lead nowhere."""
    try:
        wrong = [str(row[0]) for row in connection.execute(f"PRAGMA integrity_check({_NAMED_MAX})")]
        lost = [f"a row of {row[0]} names one of {row[2]} that is gone" for row in
                connection.execute("PRAGMA foreign_key_check")]  # fmt: skip
    except sqlite3.DatabaseError as error:
        return [str(error)]
    return [*(each for each in wrong if each != "ok"), *lost[:_NAMED_MAX]]


def check_copy(database: Path, rows: Mapping[str, int], schema: str | None) -> None:
    """Check a copy that nobody else has open against what was counted. Raises InvalidInput with what is wrong."""
    try:
        with closing(sqlite3.connect(f"file:{quote(str(database.resolve()))}?mode=ro", uri=True)) as connection:
            found = troubles(connection)
            if not found and schema_version(connection) != schema:
                found = [f"its schema is {schema_version(connection)}, not {schema}"]
            if not found and (counted := row_counts(connection)) != dict(rows):
                names = sorted(name for name in {*rows, *counted} if rows.get(name) != counted.get(name))
                found = [f"the tables {', '.join(names)} have other numbers of rows than were counted"]
    except sqlite3.Error as error:
        found = [str(error)]
    if found:
        raise InvalidInput(f"The database of the backup is damaged ({'; '.join(found)}): take another backup.")
