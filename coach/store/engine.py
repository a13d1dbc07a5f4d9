"""The database: SQLite in one file, or PostgreSQL by URL. Everything particular to SQLite is in this file; what is
particular to a server in server.py and months.py.

Two engines reach the same file. What somebody was told is kept commits with synchronous=FULL: `begin`, for what people
enter and what devices send, who forget it once it is acknowledged. What Backstop works out itself from that, and would
work out again the same, commits with NORMAL: `begin_derived`, which in WAL mode may lose the last moments in a power
cut but never damages the file. Writers begin IMMEDIATE: a transaction that reads first and writes later would otherwise
fail at its first write when another one wrote in between. On PostgreSQL the two differ by synchronous_commit, and
writers run beside each other: whoever writes about an athlete holds that athlete's row (store.athletes.hold), rows that
are due are claimed (`skip locked`), and everything else meets at unique keys.

Checkpoints are made here and not by SQLite, which keeps silent about one that failed. After a sync that failed, the
kernel forgets what it did not write and the next sync says that all is well: nothing is acknowledged from there on
until everything was written out anew (`_make_sure`).
"""

from __future__ import annotations

import logging
import os
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, DateTime, Dialect, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeDecorator

from coach.errors import Overtaken, StoreUnavailable
from coach.store.condition import SENTENCE_OF, Condition, Health, Watched, condition_of, sync_failed, translated
from coach.store.server import server_engine, server_url
from coach.store.turn import Turn

Tx = Connection
Done = TypeVar("Done")
_log = logging.getLogger(__name__)
MIGRATIONS = Path(__file__).parent / "migrations"

# ms to wait for another writer; analysis never runs inside a transaction, so real waits are a few ms. Own choice.
_BUSY_MS = 10_000
# s between two questions whether another process has ended its transaction. Own choice: one thread of each asks.
_ASK_AGAIN_S = 0.001
# A table that is there while `backstop move` fills the database (see store.moving).
MOVING = "backstop_move"
# The lock of who changes a server's schema. Own choice: a number that nothing else here locks.
_MIGRATING = 7_264_390_514
# Times that a unit is tried that other transactions of a server overtook. Own choice.
_TRIES = 4
# Connections: a thread each of pages (32) and ingest (48) at most, as one that is opened anew reads the schema first.
_POOL_KEPT, _POOL_MORE = 64, 32
# Bytes. A chunk of 5 s at 60 Hz takes 2.4 kB: a page of the usual 4 kB holds one and wastes the rest, 13.7 bytes a
# sample against 9.2 here, at the same speed (measured). Counts when the file is made.
_PAGE_BYTES = 8192
# Commits of a process between two checkpoints. A commit of the worker changes about twenty pages, so that this is near
# SQLite's own 1,000 pages; whoever acknowledges waits longer before it makes one itself. Own choice, measured.
_CHECKPOINT_COMMITS, _CHECKPOINT_AT_LAST = 50, 200
# Pages of the log from which it is made to begin anew; ms to wait for readers then, by the square of how far it has
# grown, and at most; else the next time. Own choice.
_LOG_PAGES, _RESTART_MS, _RESTART_MAX_MS = 1500, 50, 1000
# Bytes to which the log is cut when it begins anew: a whole day of one wearable; and commits after which a longer one,
# of hours that came at once, has a checkpoint. Own choices.
_LOG_BYTES, _CHECKPOINT_SOON = 32 << 20, 4


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

    def __init__(self, url: str, engine: Engine, durable_engine: Engine) -> None:
        """engine: for readers and what is derived; durable_engine: its commits are on the disk."""
        self.url = url
        self._engine = engine
        self._durable = durable_engine
        # On a server each statement of a transaction would see what was committed meanwhile.
        steady = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        self._reading = engine if url.startswith("sqlite") else engine.execution_options(**steady)
        self._file = Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite") else None
        self._watched = Watched()
        self._commits = 0  # since the last checkpoint; about right is enough
        self._unsure = threading.Event()  # a sync failed
        self._turn = Turn()

    @property
    def dialect(self) -> str:
        """Return "sqlite" or "postgresql"."""
        return self._engine.dialect.name

    @property
    def health(self) -> Health:
        """Return how the database took the newest writes."""
        return self._watched.health

    @contextmanager
    def begin(self) -> Iterator[Tx]:
        """Open a transaction that writes; its commit is on the disk when it returns, and any error rolls it back.

        Raises StoreUnavailable (its `condition` names why), Conflict (another one was first).
        """
        with self._write(self._durable, _CHECKPOINT_AT_LAST) as tx:
            yield tx

    begin_append = begin  # what the way of a chunk calls it

    @contextmanager
    def begin_derived(self, parts: int = 1) -> Iterator[Tx]:
        """As `begin`, for what can be worked out again: a power cut may take the last of these back, in order.

        parts: how many usual transactions this one is as large as.
        """
        with self._write(self._engine, _CHECKPOINT_COMMITS, parts) as tx:
            if self._file is None:
                tx.exec_driver_sql("SET LOCAL synchronous_commit TO off")
            yield tx

    def repeat(self, unit: Callable[[], Done]) -> Done:
        """Return what a unit of one transaction returns; where others overtook it, it is done again, some times.

        unit: may be repeated: all that it changes is in the database. Raises Overtaken, and what `unit` raises.
        """
        for _ in range(_TRIES - 1):
            try:
                return unit()
            except Overtaken:
                time.sleep(random.uniform(0.0, 0.02))  # noqa: S311 - so that the same two do not meet again
        return unit()

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """Open a transaction that only reads: one snapshot, no lock. Raises StoreUnavailable."""
        with translated(self.url, self._file), self._reading.connect() as tx, tx.begin():
            yield tx

    @contextmanager
    def apart(self) -> Iterator[Tx]:
        """Lend a connection of a server without a transaction, each statement for itself. Raises StoreUnavailable.

        What it holds by itself must be let go of before it comes back; with a connection that breaks, it is.
        """
        with (
            translated(self.url, self._file),
            self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as tx,
        ):
            try:
                with translated(self.url, self._file):
                    yield tx
            except StoreUnavailable:
                tx.invalidate()
                raise

    @contextmanager
    def _write(self, engine: Engine, checkpoint_after: int, parts: int = 1) -> Iterator[Tx]:
        try:
            with translated(self.url, self._file), self._my_turn(), engine.connect() as tx:
                if self._unsure.is_set():
                    self._make_sure()
                with self._sync_watched(), tx.execution_options(immediate=True).begin():
                    yield tx
                self._watched.note(Condition.SOUND)
                self._commits += parts
                if self._file is not None and (self._commits >= checkpoint_after or self._log_is_long(self._file)):
                    self._checkpoint(tx)
        except StoreUnavailable as error:
            if isinstance(error.__cause__, DBAPIError | sqlite3.Error):
                self._watched.note(Condition(error.condition))
            raise

    @contextmanager
    def _sync_watched(self) -> Iterator[None]:
        """Keep in mind that a sync failed, before the next writer of this process has its turn."""
        try:
            yield
        except (DBAPIError, sqlite3.Error) as error:
            if sync_failed(getattr(error, "orig", error)):
                self._unsure.set()
            raise

    @contextmanager
    def _my_turn(self) -> Iterator[None]:
        """Let the writers of this process wait for each other here, before they hold a connection. SQLite lets them ask
        ever more seldom: among many, some would never have luck. Raises StoreUnavailable."""
        if self._file is None:
            yield
            return
        with self._turn.taken(_BUSY_MS / 1000):
            yield

    def _log_is_long(self, file: Path) -> bool:
        log = f"{file}-wal"
        return self._commits >= _CHECKPOINT_SOON and os.path.exists(log) and os.path.getsize(log) > _LOG_BYTES

    def _checkpoint(self, tx: Connection) -> None:
        """Bring the log's pages into the database, as far as no reader needs them. What was committed stays committed
        when that fails, so that it is no failure of the transaction before it.

        In the writers' turn: no thread of this process checkpoints right after another, which is how SQLite before
        3.51.3 may damage the file ("The WAL-Reset Bug", sqlite.org/wal.html), and none writes on while a sync fails.
        """
        self._commits = 0
        driver = _driver(tx)
        try:
            _, pages, _ = driver.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            if pages > _LOG_PAGES:
                # Where somebody always writes, the log never begins anew by itself: let them wait, little is left.
                wait_ms = min(round(_RESTART_MS * (pages / _LOG_PAGES) ** 2), _RESTART_MAX_MS)
                driver.execute(f"PRAGMA busy_timeout={wait_ms}").close()
                try:
                    driver.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()
                finally:
                    driver.execute(f"PRAGMA busy_timeout={_BUSY_MS}").close()
        except sqlite3.Error as error:
            if sync_failed(error):
                self._unsure.set()
            self._watched.note(condition_of(error, self._file))
            _log.warning("the database's log could not be written into it (%s); it is tried again", error)

    def _make_sure(self) -> None:
        """Write everything that the log holds into the database and begin the log anew, before the next commit.

        A sync has failed: what it should have kept may be missing from the disk, though it can still be read. It is
        written again, elsewhere, and synced again. Raises StoreUnavailable while that does not succeed.
        """
        with translated(self.url, self._file), self._durable.connect() as tx:
            busy, *_ = _driver(tx).execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if busy:
                raise StoreUnavailable(SENTENCE_OF[Condition.FAILING], Condition.FAILING)
            self._unsure.clear()

    def try_again(self) -> None:
        """Write nothing of meaning, so that `health` tells what is so now. Raises StoreUnavailable."""
        with self.begin() as tx:
            if self._file is None:
                tx.exec_driver_sql("UPDATE alembic_version SET version_num = version_num")
            else:
                tx.exec_driver_sql("PRAGMA application_id = 0")  # writes the first page, also when it is so already

    def close(self) -> None:
        """Close every connection."""
        self._durable.dispose()
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
        engine = server_engine(server_url(text))
        return Store(server_url(text), engine, engine)
    path = Path(text.removeprefix("sqlite:///"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(
            f"The folder {path.parent} cannot be made ({error.strerror}): choose another storage.directory."
        ) from None
    url = f"sqlite:///{path}"
    return Store(url, _sqlite_engine(url, "NORMAL"), _sqlite_engine(url, "FULL"))


def migrate(store: Store) -> None:
    """Upgrade to the newest schema, in one transaction. Up to date is no work.

    Raises StoreUnavailable, also when the database was made by a newer Backstop.
    """
    config = Config()
    # Configparser reads a percent sign as the start of a name.
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    try:
        with store.begin() as tx:
            if store.dialect == "postgresql":
                # Of two that are started at once, the second waits, and then has nothing to do.
                tx.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATING})")
            refuse_half_moved(tx)
            config.attributes["connection"] = tx
            command.upgrade(config, "head")
    except CommandError as error:
        raise StoreUnavailable(
            f"The database was made by a newer Backstop ({error}): install that version, or change storage.directory."
        ) from None


def refuse_half_moved(tx: Tx) -> None:
    """Raise StoreUnavailable while `backstop move` fills the database: who writes to it now would spoil the move."""
    if tx.dialect.name == "postgresql" and tx.exec_driver_sql(f"SELECT to_regclass('{MOVING}')").scalar() is not None:
        raise StoreUnavailable("The database is half moved here: let `backstop move` come to its end first.")


def schemas() -> list[str]:
    """Return the revisions of the schema that this version knows, oldest first."""
    walked = ScriptDirectory(str(MIGRATIONS)).walk_revisions()
    return [each.revision for each in walked][::-1]


def _sqlite_engine(url: str, synchronous: str) -> Engine:
    engine = create_engine(
        url,
        pool_size=_POOL_KEPT,
        max_overflow=_POOL_MORE,
        # The one that was used last, whose pages and statements are in memory: each holds megabytes of them in time.
        pool_use_lifo=True,
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
            "secure_delete=ON",  # what is erased is overwritten
            f"busy_timeout={_BUSY_MS}",
            "wal_autocheckpoint=0",
            f"journal_size_limit={_LOG_BYTES}",
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def begin(tx: Connection) -> None:
        # Past SQLAlchemy's own execution, which takes longer than the statement.
        if writes(tx):
            _begin_immediate(_driver(tx))
        else:
            _driver(tx).execute("BEGIN").close()

    return engine


def writes(tx: Tx) -> bool:
    """Tell whether a transaction was opened to write."""
    return bool(tx.get_execution_options().get("immediate", False))


def _driver(tx: Connection) -> Any:
    return tx.connection.driver_connection


def _begin_immediate(connection: sqlite3.Connection) -> None:
    """Begin to write as soon as the other process has ended. SQLite itself would ask ten times a second only, and never
    meet the moments between the transactions of one that is busy."""
    give_up_s = time.monotonic() + _BUSY_MS / 1000
    connection.execute("PRAGMA busy_timeout=0").close()
    try:
        while True:
            try:
                connection.execute("BEGIN IMMEDIATE").close()
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > give_up_s:
                    raise
                time.sleep(_ASK_AGAIN_S)
            else:
                return
    finally:
        connection.execute(f"PRAGMA busy_timeout={_BUSY_MS}").close()
