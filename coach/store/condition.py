"""How the database's disk is, named: what SQLite's errors mean for a person, and what they say about the disk."""

from __future__ import annotations

import os
import sqlite3
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path


class Condition(StrEnum):
    """The state of the database as the newest transactions met it."""

    SOUND = "sound"
    FULL = "disk full"
    READ_ONLY = "read-only"
    FAILING = "disk failing"
    DAMAGED = "damaged"
    BUSY = "busy"
    UNREACHABLE = "unreachable"


SENTENCE_OF: dict[Condition, str] = {
    Condition.SOUND: "The database takes everything.",
    Condition.FULL: "The disk is full: nothing new can be kept until there is space again; what is stored can be read, "
    "and wearables' signal waits where it is.",
    Condition.READ_ONLY: "The disk is read-only: nothing new can be kept until it can be written again; what is stored "
    "can be read, and wearables' signal waits where it is.",
    Condition.FAILING: "The disk fails to keep what is written: nothing new is taken as kept until it does; look "
    "at the machine's disk soon.",
    Condition.DAMAGED: "The database is damaged: stop Backstop and bring back the newest backup.",
    Condition.BUSY: "The database is busy: try again in a moment.",
    Condition.UNREACHABLE: "The database cannot be reached: try again in a moment.",
}

# SQLite's result codes, and the one extended code of a sync that failed. Source: sqlite.org/rescode.html.
_OF_CODE = {
    sqlite3.SQLITE_FULL: Condition.FULL,
    sqlite3.SQLITE_READONLY: Condition.READ_ONLY,
    sqlite3.SQLITE_IOERR: Condition.FAILING,
    sqlite3.SQLITE_CANTOPEN: Condition.UNREACHABLE,
    sqlite3.SQLITE_CORRUPT: Condition.DAMAGED,
    sqlite3.SQLITE_NOTADB: Condition.DAMAGED,
    sqlite3.SQLITE_BUSY: Condition.BUSY,
    sqlite3.SQLITE_LOCKED: Condition.BUSY,
}
_SYNC_FAILED = {sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC}


def condition_of(error: BaseException, database: Path | None) -> Condition:
    """Name what an error of the database means; database: its file, None when it is none of this machine."""
    code = getattr(error, "sqlite_errorcode", None)
    found = Condition.UNREACHABLE if code is None else _OF_CODE.get(code & 0xFF, Condition.UNREACHABLE)
    if found in (Condition.FAILING, Condition.UNREACHABLE) and database is not None and _read_only(database):
        # SQLite tells a file system that was made read-only as a failed write.
        return Condition.READ_ONLY
    return found


def _read_only(database: Path) -> bool:
    # Asked without opening the file: closing it would take away the locks that this process holds on it.
    return database.exists() and not (os.access(database, os.W_OK) and os.access(database.parent, os.W_OK))


def sync_failed(error: BaseException) -> bool:
    """Tell whether it was a sync that failed: nobody knows then what of the writes before it is on the disk."""
    return getattr(error, "sqlite_errorcode", None) in _SYNC_FAILED


@dataclass(frozen=True, slots=True)
class Health:
    """The condition, and since when it is so (None when it was never another)."""

    condition: Condition
    since: datetime | None = None

    @property
    def sentence(self) -> str:
        """Return what to tell a person."""
        return SENTENCE_OF[self.condition]


class Watched:
    """The condition as the newest writing transaction met it. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._health = Health(Condition.SOUND)

    @property
    def health(self) -> Health:
        """Return the condition."""
        return self._health

    def note(self, condition: Condition) -> None:
        """Keep what a transaction met. Busy says nothing about the disk."""
        if condition is self._health.condition or condition is Condition.BUSY:
            return
        with self._lock:
            # A reader's own clock: the service's may be the thing that is wrong.
            self._health = Health(condition, datetime.now(UTC))
