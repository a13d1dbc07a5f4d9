"""Take an athlete's export in, whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
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
from coach.store.importing import NUMBER_MAX, Taking, highest_numbers, with_blobs
from coach.store.numbering import reserve_numbers

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
            with self._ground.store.read() as tx:
                _require_fitting(tx, archive)
            reserved = self._reserved(archive)
            with self._ground.store.begin_append() as tx:
                taken = _taken(tx, archive, reserved)
                self._note_back(tx, id_hash(taken.athlete_id))
        return taken

    def _note_back(self, tx: Tx, hashed: str) -> None:
        """Have who was erased and comes back stay, also after a restore."""
        directory, now = self._ground.config.storage.directory, self._ground.now()
        if erasing.note_taken_in(tx, hashed, now) or hashed in erased_list.erased_ids(directory):
            erased_list.write(directory, {hashed: Said(now, True)})

    def _reserved(self, archive: reading.Opened) -> Mapping[str, int]:
        """Return behind which numbers the rows of a server's numbered tables begin; others go on adding rows."""
        store = self._ground.store
        if store.dialect != "postgresql":
            return {}
        behind = {}
        for table, most in highest_numbers(archive.rows):
            if most >= NUMBER_MAX:
                raise InvalidInput(f"The export cannot be taken in: {table.name} has a row of number {most}.")
            with store.begin() as tx:
                behind[table.name] = reserve_numbers(tx, table, most)
        return behind

    def _check_room(self, path: Path, size: int) -> None:
        where = self._ground.config.storage.directory
        if where.is_dir() and shutil.disk_usage(where).free < _ROOM * size:
            raise StoreUnavailable(f"{path.name} needs {_ROOM * size / 1e6:.0f} MB on the disk of {where}: make room.")


def _require_fitting(tx: Tx, archive: reading.Opened) -> None:
    """Raise InvalidInput for an export of another schema or with other tables, Conflict where the athlete is here."""
    here = exporting.schema_version(tx)
    if archive.schema != here:
        raise InvalidInput(
            f"The export was made by a Backstop of schema {archive.schema}, and this one has {here}: make it again "
            "there with the version that runs here."
        )
    if (known := athletes.get(tx, archive.athlete_id)) is not None:
        raise Conflict(f"{known['name']} is here already, and an import changes nothing that is here: erase first.")
    archive.check_tables({name: exporting.beside(name) for name in exporting.table_names()})


def _taken(tx: Tx, archive: reading.Opened, behind: Mapping[str, int]) -> TakenIn:
    _require_fitting(tx, archive)
    names = exporting.table_names()
    taking = Taking(tx, archive.athlete_id, _FRESH, behind)
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
