"""The ledger that an athlete can read: who else read what of them, and when, to the hour."""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from coach.errors import CoachError
from coach.service.consents import require_own
from coach.service.ground import Ground
from coach.service.types import Identity, Role
from coach.store import ledger

_log = logging.getLogger(__name__)
# Lines that the page shows. Own choice: a month of a coach who looks at everything every day.
_SHOWN = 300
# Lines that wait for a disk that takes none. Own bound: a day of a club.
_OWED_MAX = 10_000


class ReaderKind(StrEnum):
    """What kind of reader it was."""

    COACH = "coach"
    GUARDIAN = "guardian"
    PROGRAM = "program"  # a personal token
    DOCTOR = "doctor"  # by a link
    OWNER = "owner"  # from the terminal of the machine


class Subject(StrEnum):
    """What was read."""

    OVERVIEW = "overview"
    FINDINGS = "findings"
    SIGNAL = "signal"
    PROGRAM = "program"
    TESTS = "tests"
    WEARABLES = "wearables"
    DIARY = "diary"
    HEALTH = "health"
    REPORT = "report"
    JOBS = "jobs"
    PROFILE = "profile"
    SHARING = "sharing"
    EXPORT = "export"


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads. reader_id: of the user, or of the link. name: as the athlete will know them."""

    kind: ReaderKind
    reader_id: str
    name: str


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One line. hour: the beginning of the hour in which it was read, once or more often."""

    hour: datetime
    kind: ReaderKind
    name: str
    subject: Subject


_Line = tuple[str, datetime, Reader, Subject]


class Ledger:
    """Note and show. What was noted in this hour is remembered, so that a page which refreshes writes nothing."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._lock = threading.Lock()
        self._hour: datetime | None = None
        self._noted: set[_Line] = set()
        self._owed: dict[_Line, None] = {}

    def note(self, reader: Reader, athlete_ids: Collection[str], subject: Subject) -> None:
        """Note that somebody read; never fails: what the disk does not take now is written with the next line."""
        hour = self._ground.now().replace(minute=0, second=0, microsecond=0)
        with self._lock:
            if hour != self._hour:
                self._hour, self._noted = hour, set()
            fresh = [line for each in athlete_ids if (line := (each, hour, reader, subject)) not in self._noted]
            if not fresh:
                return
            self._noted.update(fresh)
            wanted = list(dict.fromkeys([*self._owed, *fresh]))
            self._owed = {}
        try:
            with self._ground.store.begin() as tx:
                ledger.note(tx, [_values(line) for line in wanted])
        except CoachError as error:
            with self._lock:
                self._owed = dict.fromkeys([*self._owed, *wanted][:_OWED_MAX])
            _log.warning("%d lines of the ledger wait for the database: %s", len(wanted), error)

    def of_athlete(self, by: Identity, athlete_id: str) -> tuple[LedgerLine, ...]:
        """Return the newest lines first. Raises NoSuch, NotAllowed (a coach)."""
        with self._ground.store.read() as tx:
            require_own(tx, by, athlete_id)
            rows = ledger.of_athlete(tx, athlete_id, _SHOWN)
        return tuple(
            LedgerLine(row["hour"], ReaderKind(row["reader_kind"]), row["reader_name"], Subject(row["subject"]))
            for row in rows
        )


def reader_of(by: Identity) -> Reader | None:
    """Return who reads by signing in or by a program of theirs; None for an athlete, who reads their own."""
    if by.scopes is not None:
        return Reader(ReaderKind.PROGRAM, by.user_id, f"a program of {by.name}")
    kind = {Role.COACH: ReaderKind.COACH, Role.GUARDIAN: ReaderKind.GUARDIAN}.get(by.role)
    return Reader(kind, by.user_id, by.name) if kind is not None else None


def _values(line: _Line) -> dict[str, object]:
    athlete_id, hour, reader, subject = line
    return {
        "athlete_id": athlete_id,
        "hour": hour,
        "reader_kind": reader.kind.value,
        "reader_id": reader.reader_id,
        "subject": subject.value,
        "reader_name": reader.name[:200],
    }
