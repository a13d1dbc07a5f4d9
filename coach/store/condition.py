"""How the database is, named: what its errors mean for a person, and what they say about its disk."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from coach.errors import Conflict, InvalidInput, Overtaken, StoreUnavailable
from coach.store.server import cause_of, state_of, was_overtaken


class Condition(StrEnum):
    """The state of the database as the newest transactions met it."""

    SOUND = "sound"
    FULL = "disk full"
    READ_ONLY = "read-only"
    FAILING = "disk failing"
    DAMAGED = "damaged"
    BUSY = "busy"
    CROWDED = "too many connections"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"


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
    Condition.CROWDED: "The database server has no connection left: try again in a moment; whoever runs it lets in "
    "more (max_connections), or starts fewer processes.",
    Condition.UNREACHABLE: "The database cannot be reached: try again in a moment.",
    Condition.REFUSED: "The database runs, and refuses this statement.",
}
# What passes without anybody changing what is written: whoever can wait tries the same again.
PASSING = frozenset({Condition.FULL, Condition.READ_ONLY, Condition.BUSY, Condition.CROWDED, Condition.UNREACHABLE})

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
# SQLSTATEs of a server; whole, or the class that the first two signs are. Any other is of the statement, and stays.
# Source: PostgreSQL, appendix A.
_OF_STATE = {
    "53100": Condition.FULL,
    "25006": Condition.READ_ONLY,
    "53300": Condition.CROWDED,
    "XX001": Condition.DAMAGED,
    "XX002": Condition.DAMAGED,
    "55P03": Condition.BUSY,
    "57014": Condition.BUSY,
    "25P03": Condition.UNREACHABLE,  # the server ended the connection
    "08": Condition.UNREACHABLE,
    "28": Condition.UNREACHABLE,  # who asks is not let in
    "3D": Condition.UNREACHABLE,
    "40": Condition.BUSY,
    "53": Condition.BUSY,
    "57": Condition.UNREACHABLE,
    "58": Condition.FAILING,
}
_SYNC_FAILED = {sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC}


def condition_of(error: BaseException, database: Path | None) -> Condition:
    """Name what an error of the database means; database: its file, None when it is none of this machine."""
    state = state_of(error)
    if state is not None:
        return _OF_STATE.get(state) or _OF_STATE.get(state[:2], Condition.REFUSED)
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
        """Keep what a transaction met. Busy and refused say nothing about the disk."""
        if condition in (self._health.condition, Condition.BUSY, Condition.REFUSED):
            return
        with self._lock:
            # A reader's own clock: the service's may be the thing that is wrong.
            self._health = Health(condition, datetime.now(UTC))


@contextmanager
def translated(url: str, file: Path | None) -> Iterator[None]:
    """Let no foreign error out. Raises StoreUnavailable, Conflict, Overtaken, InvalidInput (what a server cannot keep).

    file: of the database, None for a server.
    """
    shown = url.removeprefix("sqlite:///") if file is not None else url.split("@")[-1].partition("?")[0]
    try:
        yield
    except IntegrityError as error:
        told = cause_of(error.orig or error)
        raise Conflict(f"Somebody else changed this at the same moment ({told}): look again.") from error
    except DataError as error:
        told = cause_of(error.orig or error)
        raise InvalidInput(
            f"What was sent cannot be kept ({told}): make it shorter, and leave out signs that nobody can see."
        ) from error
    except (DBAPIError, sqlite3.Error, PoolTimeoutError) as error:
        cause: BaseException = getattr(error, "orig", None) or error
        if was_overtaken(cause):
            raise Overtaken("Somebody else changed this at the same moment: look again.") from error
        advice = "check the disk, its free space, who else has it open"
        if file is None:
            advice = "check that its server runs and can be reached, its disk and its connections"
        condition = condition_of(cause, file)
        if condition is Condition.REFUSED:
            raise StoreUnavailable(
                f"The database {shown} refuses a statement ({cause_of(cause)}): trying again does not help; "
                "check what its log says, and that its schema and rights are Backstop's.",
                condition,
            ) from error
        raise StoreUnavailable(
            f"The database {shown} cannot be used now ({cause_of(cause)}): {advice}.", condition
        ) from error
