"""Put a backup in the place of a storage folder's database: checked first, in one step, the old files kept."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from coach import backup_file
from coach.backup_file import Manifest
from coach.errors import Conflict, StoreUnavailable
from coach.instance import DATABASE, KEY_FILES, database_path, sweep, working_folder, write_through
from coach.service import erased_list, erasing
from coach.service.backups import check_newest_chunks
from coach.store import snapshot
from coach.store.engine import migrate, open_store

# What SQLite keeps beside a database; of another database it would be taken for this one's.
_BESIDE = ("-wal", "-shm", "-journal")
_WORK = ".restore-"


@dataclass(frozen=True, slots=True)
class Checked:
    """A backup that was found whole. chunks: the newest ones, decoded."""

    manifest: Manifest
    chunks: int


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored. aside: folder of the files from before, None where there were none.

    erased_again: athletes who were erased since the backup was made, and are gone from what was restored too.
    """

    manifest: Manifest
    aside: Path | None
    erased_again: int


def check(backup: Path) -> Checked:
    """Unpack a backup into a folder of its own, check all of it, and leave nothing.

    Raises InvalidInput (no backup, or damaged), StoreUnavailable (no room to unpack it).
    """
    with working_folder(Path(tempfile.gettempdir()), _WORK) as work:
        return _unpacked(backup, work)


def restore(backup: Path, directory: Path, now: datetime, *, replace: bool = False) -> Restored:
    """Make a backup the content of a storage folder that the caller holds.

    Nothing is touched before the backup was checked, brought to this version's schema, and whoever was erased since
    erased from it: by the lists in the folder and beside the backup, and by the database's own.
    replace: whether a database that is there may be put aside. Raises InvalidInput, StoreUnavailable, Conflict.
    """
    database = database_path(directory)
    if database.exists() and not replace:
        raise Conflict(
            f"There is a database in {directory}: name another folder with --storage, "
            "or add --replace, which keeps its files aside."
        )
    sweep(directory, _WORK)
    with working_folder(directory, _WORK) as work:
        checked = _unpacked(backup, work)
        erased_again = _bring_up_to_date(work / DATABASE, directory, backup.parent, now)
        try:
            aside = _put_aside(directory, now)
            for name in KEY_FILES:
                if (work / name).exists():
                    os.replace(work / name, directory / name)
            # The one step: before it, all is as it was but for the keys.
            os.replace(work / DATABASE, database)
            write_through(directory)
        except OSError as error:
            raise StoreUnavailable(
                f"The backup cannot be put into {directory} ({error.strerror}): check who owns it, then restore again."
            ) from error
    return Restored(checked.manifest, aside, erased_again)


def _unpacked(backup: Path, work: Path) -> Checked:
    manifest = backup_file.unpack(backup, work)
    snapshot.check_copy(work / DATABASE, manifest.rows, manifest.schema)
    return Checked(manifest, check_newest_chunks(work / DATABASE))


def _bring_up_to_date(database: Path, directory: Path, beside: Path, now: datetime) -> int:
    """Migrate, erase again, and leave one file that is on the disk; return how many were erased again."""
    with open_store(database) as store:
        migrate(store)
        erased_list.write(directory, erased_list.said_beside(beside))
        erased_again = erasing.erase_again(store, directory, now)
    _fold_log(database)
    with database.open("rb") as file:
        os.fsync(file.fileno())
    return erased_again


def _fold_log(database: Path) -> None:
    """Take what waits in the log beside a database into it; the log is gone then."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE").fetchone()


def _put_aside(directory: Path, now: datetime) -> Path | None:
    """Keep what is to be replaced under another name; a database that is whole stays in its place until then."""
    database = database_path(directory)
    if not database.exists():
        for end in _BESIDE:
            Path(f"{database}{end}").unlink(missing_ok=True)
        return None
    aside = directory / f"before-restore-{now:%Y%m%dT%H%M%SZ}"
    aside.mkdir(mode=0o700)
    try:
        _fold_log(database)
    except sqlite3.Error:
        # It is damaged, perhaps why somebody restores: kept as it is, with what is beside it.
        for end in _BESIDE:
            if (beside := Path(f"{database}{end}")).exists():
                os.replace(beside, aside / beside.name)
    for name in (DATABASE, *KEY_FILES):
        if (directory / name).exists():
            _keep(directory / name, aside / name)
    return aside


def _keep(path: Path, copy: Path) -> None:
    try:
        os.link(path, copy)
    except OSError:  # a disk without links
        shutil.copy2(path, copy)
