"""The database: SQLite in one file, or PostgreSQL by URL. Everything particular to SQLite is in this file.

Two engines reach the same file. `append` commits chunks with synchronous=FULL, because their sender forgets them once
they are acknowledged; everything else commits with NORMAL, which in WAL mode may lose the last moments in a power cut
but never damages the file. Writers begin IMMEDIATE: a transaction that reads first and writes later would otherwise
fail at its first write when another one wrote in between.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import Connection, DateTime, Dialect, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.types import TypeDecorator

from coach.errors import Conflict, StoreUnavailable

Tx = Connection
MIGRATIONS = Path(__file__).parent / "migrations"

# ms to wait for another writer; analysis never runs inside a transaction, so real waits are a few ms. Own choice.
_BUSY_MS = 10_000
# Connections: page threads (32), event streams do not hold any, worker, clock and gateway a few. Own choice.
_POOL_KEPT, _POOL_MORE = 8, 64
# Bytes. A chunk of 5 s at 60 Hz takes 2.4 kB: a page of the usual 4 kB holds one and wastes the rest, 13.7 bytes a
# sample against 9.2 here, at the same speed (measured). Counts when the file is made.
_PAGE_BYTES = 8192


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC times. Refuses naive values: SQLite would drop the zone in silence."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive time; store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"The time {value} has no time zone: give an aware one.")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Store:
    """Open transactions on one database. Foreign errors leave as StoreUnavailable or Conflict."""

    def __init__(self, url: str, engine: Engine, append_engine: Engine) -> None:
        self.url = url
        self._engine = engine
        self._append = append_engine

    @property
    def dialect(self) -> str:
        """Return "sqlite" or "postgresql"."""
        return self._engine.dialect.name

    @contextmanager
    def begin(self) -> Iterator[Tx]:
        """Open a transaction that writes; commit at the end, roll back on any error.

        Raises StoreUnavailable (disk full, read-only, locked too long), Conflict (another one was first).
        """
        with _translated(self.url), self._engine.connect() as tx, tx.execution_options(immediate=True).begin():
            yield tx

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """Open a transaction that only reads: one snapshot, no lock. Raises StoreUnavailable."""
        with _translated(self.url), self._engine.connect() as tx, tx.begin():
            yield tx

    @contextmanager
    def begin_append(self) -> Iterator[Tx]:
        """Open a transaction whose commit is on the disk when it returns. Raises StoreUnavailable."""
        with _translated(self.url), self._append.connect() as tx, tx.begin():
            yield tx

    def close(self) -> None:
        """Close every connection."""
        self._append.dispose()
        self._engine.dispose()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_store(where: str | Path) -> Store:
    """Open a database by path of a SQLite file (its folder is made) or by SQLAlchemy URL.

    Does not look at the schema; see `migrate`. Raises StoreUnavailable.
    """
    text = str(where)
    if "://" in text and not text.startswith("sqlite"):
        engine = create_engine(text, pool_size=_POOL_KEPT, max_overflow=_POOL_MORE, hide_parameters=True)
        return Store(text, engine, engine)
    path = Path(text.removeprefix("sqlite:///"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(
            f"The folder {path.parent} cannot be made ({error.strerror}): choose another storage.directory."
        ) from None
    url = f"sqlite:///{path}"
    append = _sqlite_engine(url, "FULL").execution_options(immediate=True)
    return Store(url, _sqlite_engine(url, "NORMAL"), append)


def migrate(store: Store) -> None:
    """Upgrade to the newest schema, in one transaction. Up to date is no work.

    Raises StoreUnavailable, also when the database was made by a newer Backstop.
    """
    config = Config()
    # Configparser reads a percent sign as the start of a name.
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    try:
        with store.begin() as tx:
            config.attributes["connection"] = tx
            command.upgrade(config, "head")
    except CommandError as error:
        raise StoreUnavailable(
            f"The database was made by a newer Backstop ({error}): install that version, or change storage.directory."
        ) from None


def _sqlite_engine(url: str, synchronous: str) -> Engine:
    engine = create_engine(
        url,
        pool_size=_POOL_KEPT,
        max_overflow=_POOL_MORE,
        pool_reset_on_return=None,  # every transaction here ends in its own commit or rollback
        hide_parameters=True,  # what people wrote is a parameter: no error and no log may repeat it
        connect_args={"timeout": _BUSY_MS / 1000},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: Any) -> None:
        # The driver must not begin transactions by itself: `begin` below does, so that it can say IMMEDIATE.
        connection.isolation_level = None
        for pragma in (
            f"page_size={_PAGE_BYTES}",
            "journal_mode=WAL",
            f"synchronous={synchronous}",
            "foreign_keys=ON",
            f"busy_timeout={_BUSY_MS}",
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def begin(tx: Connection) -> None:
        immediate = tx.get_execution_options().get("immediate", False)
        # Past SQLAlchemy's own execution, which takes longer than the statement.
        connection: Any = tx.connection.driver_connection
        connection.execute("BEGIN IMMEDIATE" if immediate else "BEGIN").close()

    return engine


@contextmanager
def _translated(url: str) -> Iterator[None]:
    shown = url.split("@")[-1].removeprefix("sqlite:///")
    try:
        yield
    except IntegrityError as error:
        raise Conflict(f"Somebody else changed this at the same moment ({error.orig}): look again.") from error
    except (DBAPIError, sqlite3.Error, PoolTimeoutError) as error:
        cause = getattr(error, "orig", None) or error
        raise StoreUnavailable(
            f"The database {shown} cannot be used now ({cause}): check the disk, its free space, who else has it open."
        ) from error
