"""Take an athlete's export in, whole or not at all."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from coach.errors import Conflict, InvalidInput, StoreUnavailable
from coach.exports import reading
from coach.service import erased_list
from coach.service.erased_list import Said, id_hash
from coach.service.ground import Ground
from coach.service.secrets import fresh_token
from coach.store import athletes, erasing, exporting
from coach.store.engine import Tx
from coach.store.importing import Taking, with_blobs

# Values that an export does not hold and a row cannot be without.
_FRESH = {("athlete", "calendar_token"): fresh_token}
# Times the bytes of the tables that must be free: the rows, and the log that they pass through.
_ROOM = 2.5


@dataclass(frozen=True, slots=True)
class TakenIn:
    """Who was taken in, and how many rows."""

    athlete_id: str
    name: str
    rows: int


class Restoring:
    """For the owner of the machine: whoever reaches this has its files."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def take_in(self, path: Path) -> TakenIn:
        """Take the archive in. Its ids stay; people have no password here until somebody gives them a link.

        Raises InvalidInput (no export, damaged, of another schema, rows of somebody else), Conflict (somebody or
        something of it is here already), StoreUnavailable. Nothing is changed then.
        """
        with reading.opened(path) as archive:
            self._check_room(path, archive.table_bytes())
            with self._ground.store.begin_append() as tx:
                taken = _taken(tx, archive)
                self._note_back(tx, id_hash(taken.athlete_id))
        return taken

    def _note_back(self, tx: Tx, hashed: str) -> None:
        """Have who was erased and comes back stay, also after a restore."""
        directory, now = self._ground.config.storage.directory, self._ground.now()
        if erasing.note_taken_in(tx, hashed, now) or hashed in erased_list.erased_ids(directory):
            erased_list.write(directory, {hashed: Said(now, True)})

    def _check_room(self, path: Path, size: int) -> None:
        where = self._ground.config.storage.directory
        if where.is_dir() and shutil.disk_usage(where).free < _ROOM * size:
            raise StoreUnavailable(f"{path.name} needs {_ROOM * size / 1e6:.0f} MB on the disk of {where}: make room.")


def _taken(tx: Tx, archive: reading.Opened) -> TakenIn:
    here = exporting.schema_version(tx)
    if archive.schema != here:
        raise InvalidInput(
            f"The export was made by a Backstop of schema {archive.schema}, and this one has {here}: make it again "
            "there with the version that runs here."
        )
    if (known := athletes.get(tx, archive.athlete_id)) is not None:
        raise Conflict(f"{known['name']} is here already, and an import changes nothing that is here: erase first.")
    names = exporting.table_names()
    archive.check_tables({name: exporting.beside(name) for name in names})
    taking = Taking(tx, archive.athlete_id, _FRESH)
    for name in names:
        columns = exporting.beside(name)
        with ExitStack() as stack:
            next_of = {column: stack.enter_context(archive.beside(name, column)).next for column in columns}
            taking.take(name, with_blobs(archive.rows(name), next_of))
    taking.check()
    taken = athletes.get(tx, archive.athlete_id)
    if taken is None:
        raise InvalidInput("The export cannot be taken in: it has no athlete. Nothing was changed.")
    return TakenIn(archive.athlete_id, taken["name"], sum(taking.taken.values()))
