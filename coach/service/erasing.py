"""Erase an athlete: at once out of the database and the files of this machine, later out of backups, on a schedule.

The order matters. First the id's hash is put on a list beside the database, which survives a restore; then every door
is shut in one transaction; then rows go, some at a time, until the athlete's own is the last; then the files are
written anew. Whatever interrupts this, the clock goes on with it.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from coach.errors import AlreadyRunning, ConfigError, InvalidInput, NotAllowed, StoreUnavailable
from coach.instance import only_one
from coach.log import TableChunkLog
from coach.service import erased_list
from coach.service.consents import require_agreeing
from coach.service.erased_list import Said, id_hash
from coach.service.ground import Ground
from coach.service.links import LinkBoard
from coach.service.permission import require_athlete, speaks_for
from coach.service.types import Identity, Role
from coach.store import athletes, erasing, events
from coach.store.claims import claimed
from coach.store.engine import Store, Tx

_log = logging.getLogger(__name__)
# Bytes of a database that is written anew at once: some seconds. A larger one waits for the night. Own choice.
_AT_ONCE_BYTES = 200_000_000
NOT_YOURS = "Only the athlete, or who stands in for them, erases what is theirs."


@dataclass(frozen=True, slots=True)
class Erased:
    """How far it is. emptied: no row is left. scrubbed: no trace is left in the database's files either."""

    erasure_id: str
    emptied: bool
    scrubbed: bool


class Erasing:
    """Erase, and go on with what was interrupted."""

    def __init__(self, ground: Ground, links: LinkBoard, log: TableChunkLog) -> None:
        self._ground, self._links, self._log = ground, links, log

    def erase(self, by: Identity | None, athlete_id: str, name: str) -> Erased:
        """Erase an athlete for good. by: None for the owner of the machine. name: typed, so that nobody errs.

        Raises NoSuch, NotAllowed (who does not speak for them, or did until a birthday), InvalidInput (another name),
        StoreUnavailable.
        """
        with self._ground.store.read() as tx:
            if by is not None:
                require_athlete(tx, by, athlete_id)
                if not speaks_for(tx, by, athlete_id):
                    raise NotAllowed(NOT_YOURS)
                if by.role is Role.GUARDIAN:
                    require_agreeing(tx, self._ground, by, athlete_id)
            found = athletes.get(tx, athlete_id)
        if found is None or name.strip().casefold() != found["name"].strip().casefold():
            raise InvalidInput("The name does not fit, so nothing was erased: type it as it stands on this page.")
        erasure_id = self._begin(athlete_id, by.role.value if by is not None else "owner")
        try:
            self.go_on()
        except StoreUnavailable as error:
            # The doors are shut: whoever asked is told that it goes on, not that nothing was changed.
            _log.warning("erasing is interrupted, the clock goes on with it: %s", error)
        with self._ground.store.read() as tx:
            left = {row["id"]: row for row in erasing.under_way(tx)}
        emptied = erasure_id not in left or left[erasure_id]["whose"] is None
        return Erased(erasure_id, emptied, erasure_id not in left)

    def _begin(self, athlete_id: str, asked_by: str) -> str:
        now = self._ground.now()
        try:
            erased_list.write(self._ground.config.storage.directory, {id_hash(athlete_id): Said(now, False)})
        except StoreUnavailable as error:
            raise StoreUnavailable(f"Nothing was erased. {error}") from error
        with self._ground.store.begin() as tx:
            users, worn = erasing.user_ids(tx, athlete_id), erasing.wearable_ids(tx, athlete_id)
            erasure_id = erasing.begin(tx, athlete_id, id_hash(athlete_id), asked_by, now)
        for wearable_id in worn:
            self._links.changed(wearable_id)
        forget_files(self._ground.config.storage.directory, athlete_id, users)
        return erasure_id

    def keep_list(self) -> int:
        """Write on the list of this process what others erased or took in again; return of how many. See `erased_list`.

        What a database that was restored does not know stays on the list. Raises StoreUnavailable.
        """
        with self._ground.store.read() as tx:
            known = dict(_said(tx))
        return erased_list.write(self._ground.config.storage.directory, known)

    def go_on(self, at_night: bool = False) -> int:
        """Go on with what is under way; return how many athletes were emptied. at_night: writers may wait long."""
        with self._ground.store.read() as tx:
            waiting = erasing.under_way(tx)
        if not waiting:
            return 0
        emptied = 0
        for row in waiting:
            if row["whose"] is None:
                continue
            with claimed(self._ground.store, "erasing", row["id"]) as mine:
                if not mine:
                    continue  # another process is at it
                empty(self._ground.store, row["whose"], row["id"], row["asked_by"], self._ground.now())
            try:
                self._log.forget(row["whose"])
            except StoreUnavailable as error:
                # Whoever comes upon what waits there finds no recording for it, and drops it.
                _log.warning("what waits of somebody erased is dropped when its turn comes: %s", error)
            emptied += 1
        self._scrub(at_night)
        return emptied

    def _scrub(self, at_night: bool) -> None:
        store = self._ground.store
        path = Path(store.url.removeprefix("sqlite:///"))
        anew = store.dialect != "sqlite" or at_night or path.stat().st_size <= _AT_ONCE_BYTES
        now = self._ground.now()
        try:
            erasing.scrub(store, anew)
        except StoreUnavailable as error:
            _log.warning("%s", error)
            return
        if anew:
            with store.begin() as tx:
                erasing.note_scrubbed(tx, now)


def empty(store: Store, athlete_id: str, erasure_id: str, asked_by: str, now: datetime) -> None:
    """Delete every row of an athlete. Raises StoreUnavailable; then it can go on."""

    def some() -> bool:
        with store.begin() as tx:
            return erasing.delete_some(tx, athlete_id)

    def rest() -> None:
        with store.begin() as tx:
            erasing.delete_rest(tx, athlete_id)
            if erasing.note_emptied(tx, erasure_id, now):
                # What stays: that somebody was erased, when, and on whose word. Not who.
                events.record(tx, now, asked_by, "erased", "athlete", erasure_id)

    # Foreign keys say in which order rows go, which is not the one in which others take them: who meets is repeated.
    while store.repeat(some):
        pass
    store.repeat(rest)


def erase_again(store: Store, directory: Path, now: datetime) -> int:
    """Erase from a restored database whom the list beside it, or its own, says were erased; return how many.

    store: brought up to date, in use by nobody. directory: the storage folder, which outlives the database.
    """
    with store.read() as tx:
        known = erased_list.newest([erased_list.said_beside(directory).items(), _said(tx)])
        gone = {hashed for hashed, said in known.items() if not said.taken_in}
        back = [athlete_id for athlete_id in erasing.athlete_ids(tx) if id_hash(athlete_id) in gone]
    for athlete_id in back:
        with store.begin() as tx:
            erasure_id = erasing.begin(tx, athlete_id, id_hash(athlete_id), "restore", now)
        empty(store, athlete_id, erasure_id, "restore", now)
    if back:
        erasing.scrub(store)
        with store.begin() as tx:
            erasing.note_scrubbed(tx, now)
    return len(back)


def _said(tx: Tx) -> Iterator[tuple[str, Said]]:
    """Yield what the database says of each athlete who was erased, by the hash of the id."""
    for row in erasing.everybody(tx):
        yield row["id_hash"], Said(row["taken_in_at"] or row["asked_at"], row["taken_in_at"] is not None)


def forget_files(directory: Path, athlete_id: str, user_ids: list[str]) -> None:
    """Remove what lies beside the database: the spool of a gateway of theirs on this machine, uploads under way."""
    for orders in sorted((directory / "gateway").glob("*/orders.json")):
        try:
            theirs = json.loads(orders.read_bytes()).get("athlete_id") == athlete_id
        except (OSError, ValueError, AttributeError):
            continue
        if theirs:
            try:
                # One that runs holds its folder; it is told by the server, and forgets by itself.
                with only_one(orders.parent):
                    shutil.rmtree(orders.parent / "spool", ignore_errors=True)
                    orders.unlink(missing_ok=True)
            except (AlreadyRunning, ConfigError, OSError) as error:
                _log.info("the spool %s is left to its gateway: %s", orders.parent, error)
    for user_id in user_ids:
        prefix = hashlib.sha256(user_id.encode()).hexdigest()[:16]
        for upload in (directory / "uploads").glob(f"{prefix}-*"):
            shutil.rmtree(upload, ignore_errors=True)
