"""What could not be stored or analysed: told to the owner of the machine, and tried again when they say so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from coach.errors import Conflict, NoSuch, NotAllowed
from coach.log import TableChunkLog
from coach.service.ground import Ground
from coach.service.motion import Motion
from coach.service.types import Identity, Role
from coach.store import athletes, dead_letters, events, recordings
from coach.store.rows import Row

# Of each kind that are listed. Own choice: where there are more, they have one reason.
_LISTED = 200
# Bytes of a reason that are kept. Own choice: an error of the database repeats what was sent.
_REASON_MAX = 500
# The reason of a letter whose chunk is being tried; who finds it knows that the try ended a process. English, as all.
_AT_RISK = "It is being tried; whoever tried it before did not come back."  # no words


class Stage(StrEnum):
    """How far a chunk came."""

    NOT_STORED = "letter"  # it is in no recording
    NOT_ANALYSED = "aside"  # it is in its recording, whose analysis went on without it


@dataclass(frozen=True, slots=True)
class Stuck:
    """A chunk that is stuck. id: letter-N or aside-N. key: device-recording-number, empty where nobody can tell.

    first_at: None where only the last time is known.
    """

    id: str
    stage: Stage
    athlete_id: str
    athlete_name: str
    key: str
    size_bytes: int
    reason: str
    tries: int
    first_at: datetime | None
    last_at: datetime


class Letter(NamedTuple):
    """A chunk that is given up. The fields are columns. first_at: since when it was in the log."""

    athlete_id: str
    subject: str
    key: str
    blob: bytes
    reason: str
    tries: int
    first_at: datetime


class DeadLetters:
    """Keep, list and try again."""

    def __init__(self, ground: Ground, motion: Motion, log: TableChunkLog) -> None:
        self._ground, self._motion, self._log = ground, motion, log

    def bury(self, letter: Letter) -> bool:
        """Keep what could not be stored, once however often it is given up; tell whether it is kept: nothing is of
        somebody who is not here. Raises StoreUnavailable."""
        return self._keep(letter, letter.reason.replace("\0", "")[:_REASON_MAX]) is not None

    def set_down(self, letter: Letter) -> bool:
        """Keep a chunk for as long as it is tried once more, as it may end the process that does; False: it was kept
        so already, or is of nobody here, and is to be given up. Raises StoreUnavailable."""
        return self._keep(letter, _AT_RISK) not in (None, _AT_RISK)

    def take_up(self, letter: Letter) -> None:
        """End what `set_down` began, unless the chunk was given up since. Raises StoreUnavailable."""
        with self._ground.store.begin() as tx:
            number = dead_letters.find(tx, letter.athlete_id, letter.blob)
            if number is not None:
                dead_letters.drop(tx, number, _AT_RISK)

    def _keep(self, letter: Letter, reason: str) -> str | None:
        """Keep under a reason; return the one of before, "" for none, None where the athlete is not here."""
        now = self._ground.now()
        row = {**letter._asdict(), "reason": reason, "last_at": now}
        with self._ground.store.begin() as tx:
            athletes.lock(tx, letter.athlete_id)
            if athletes.get(tx, letter.athlete_id) is None:
                return None
            before = dead_letters.keep(tx, row)
            if reason not in (before, _AT_RISK):
                events.record(tx, now, "worker", "gave up", "chunk", letter.key[:200], letter.athlete_id, reason)
        return before

    def stuck(self) -> tuple[Stuck, ...]:
        """Return what is stuck, newest first of each stage. What came too late is not: its recording is analysed anew
        when it has ended."""
        with self._ground.store.read() as tx:
            letters = dead_letters.newest(tx, _LISTED)
            aside = dead_letters.newest_aside(tx, _LISTED, recordings.LATE)
        return (*map(_letter, letters), *map(_aside, aside))

    def show(self, stuck_id: str) -> tuple[Stuck, bytes]:
        """Return one with its bytes. Raises NoSuch."""
        stage, number = _taken_apart(stuck_id)
        with self._ground.store.read() as tx:
            if stage is Stage.NOT_STORED:
                row, view = dead_letters.get(tx, number), _letter
            else:
                row, view = dead_letters.get_aside(tx, number), _aside
        if row is None:
            raise _none(stuck_id)
        return view(row), bytes(row["blob"])

    def replay(self, by: Identity | None, stuck_id: str) -> None:
        """Try again: store a letter's chunk, or have a recording analysed anew; the worker does the rest.

        by: None for the owner of the machine at its terminal. Raises NotAllowed (no owner), NoSuch, Conflict (why it
        cannot be; it stays on the list), StoreUnavailable.
        """
        if by is not None and by.role is not Role.OWNER:
            raise NotAllowed("Only the owner has stuck signal tried again.")
        stage, number = _taken_apart(stuck_id)
        who = by.user_id if by is not None else "owner"
        if stage is Stage.NOT_STORED:
            self._put_back(who, stuck_id, number)
        else:
            self._begin_again(who, stuck_id, number)

    def _put_back(self, who: str, stuck_id: str, number: int) -> None:
        with self._ground.store.read() as tx:
            letter = dead_letters.get(tx, number)
        if letter is None:
            raise _none(stuck_id)
        # Stored before it is deleted: rather twice than never; the database knows a chunk that it has.
        self._log.put_back(bytes(letter["blob"]))
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            if dead_letters.drop(tx, number):
                events.record(tx, now, who, "sent again", "chunk", letter["key"][:200], letter["athlete_id"])

    def _begin_again(self, who: str, stuck_id: str, number: int) -> None:
        with self._ground.store.read() as tx:
            aside = dead_letters.get_aside(tx, number)
        if aside is None:
            raise _none(stuck_id)
        if not self._motion.begin_again(aside["stream_id"]):
            raise Conflict("This recording cannot be analysed anew now: its signal is gone, or it is being analysed.")
        with self._ground.store.begin() as tx:
            events.record(tx, self._ground.now(), who, "tried again", "stream", aside["stream_id"], aside["athlete_id"])


def _taken_apart(stuck_id: str) -> tuple[Stage, int]:
    stage, _, number = stuck_id.partition("-")
    if stage not in set(Stage) or not number.isascii() or not number.isdigit() or len(number) > 18:
        raise _none(stuck_id)
    return Stage(stage), int(number)


def _none(stuck_id: str) -> NoSuch:
    return NoSuch(f"Nothing is stuck that is called {stuck_id[:40]}: it was tried again, or somebody was erased.")


def _letter(row: Row) -> Stuck:
    return Stuck(
        id=f"{Stage.NOT_STORED.value}-{row['id']}",
        stage=Stage.NOT_STORED,
        athlete_id=row["athlete_id"],
        athlete_name=row["name"],
        key=row["key"],
        size_bytes=row["size"],
        reason=row["reason"],
        tries=row["tries"],
        first_at=row["first_at"],
        last_at=row["last_at"],
    )


def _aside(row: Row) -> Stuck:
    return Stuck(
        id=f"{Stage.NOT_ANALYSED.value}-{row['id']}",
        stage=Stage.NOT_ANALYSED,
        athlete_id=row["athlete_id"],
        athlete_name=row["name"],
        key=f"{row['device_id']}-{row['recording_id']}-{row['seq']}",
        size_bytes=row["size"],
        reason=row["reason"],
        tries=1,
        first_at=None,
        last_at=row["at"],
    )
