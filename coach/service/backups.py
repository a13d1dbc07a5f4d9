"""Backups: made while Backstop runs, checked before they count, kept for some days."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

from coach import backup_file
from coach.backup_file import Manifest
from coach.config import BackupSection
from coach.errors import AlreadyRunning, CoachError, InvalidInput, StoreUnavailable
from coach.instance import DATABASE, KEY_FILES, database_path, hold, sweep, working_folder, write_through
from coach.service import erased_list
from coach.store import snapshot
from devices.codec import decode_chunk
from devices.errors import DeviceError
from devices.hostclock import HostClock

_STAMP = "%Y%m%dT%H%M%SZ"
_NAME = re.compile(r"^backstop-(\d{8}T\d{6}Z)\.zip$")
_WORK = ".backup-"
# Chunks that are decoded as the test read. Own choice: a minute of five wearables.
_TEST_CHUNKS = 60
# s of rest after each 8 MB while Backstop itself makes the copy: the disk is also that of what arrives. Own choice.
_PAUSE_S = 0.02
# Bytes that stay free beside the copy and the packed file. Own choice.
_SPARE_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was made and checked. removed: older ones that were beyond their days."""

    path: Path
    manifest: Manifest
    removed: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Kept:
    """A backup in the folder."""

    path: Path
    made_at: datetime


def kept_in(folder: Path) -> list[Kept]:
    """Return the backups of a folder, oldest first; a folder that is not there has none."""
    found = []
    with suppress(OSError):
        for path in folder.iterdir():
            if (named := _NAME.match(path.name)) is not None:
                with suppress(ValueError):
                    found.append(Kept(path, datetime.strptime(named[1], _STAMP).replace(tzinfo=UTC)))
    return sorted(found, key=lambda each: each.made_at)


class Backups:
    """Backups of one storage folder."""

    def __init__(self, directory: Path, config: BackupSection, clock: HostClock) -> None:
        self._directory, self._config, self._clock = directory, config, clock

    @property
    def folder(self) -> Path | None:
        """Return the folder of the configuration, None where none is set."""
        return Path(self._config.folder) if self._config.folder else None

    def make(
        self,
        to: Path,
        also: Callable[[sqlite3.Connection], None] | None = None,
        *,
        folder: bool = True,
        pause_s: float = 0.0,
    ) -> Made:
        """Make a backup in a folder, in which backups have a name and their days, or as a new file.

        folder: tells whether `to` is one; made when missing. also: reads what it wants of the same moment, over the
        connection of the snapshot. The file has its name only once it was read back: by checksums, by SQLite's own
        checks, by counts, and the newest chunks decoded. Raises StoreUnavailable, InvalidInput (the file is there, or
        the database is damaged), AlreadyRunning.
        """
        now = datetime.fromtimestamp(self._clock.utc_s(), UTC)
        target = to / f"backstop-{now:{_STAMP}}.zip" if folder else to
        try:
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise _cannot_write(target, error) from error
        if target.exists():
            raise InvalidInput(f"The file {target} is there already: name another one, or a folder.")
        busy = f"Another backup of {self._directory} is being made: wait for it."
        with hold(self._directory / "backup.lock", lambda _: AlreadyRunning(busy)):
            sweep(target.parent, _WORK)
            with working_folder(target.parent, _WORK) as work:
                manifest = self._written(work, now, also, pause_s)
                try:
                    os.replace(work / "packed", target)
                    write_through(target.parent)
                except OSError as error:
                    raise _cannot_write(target, error) from error
        if not folder:
            return Made(target, manifest)
        # Beside the backups too: the disk that is lost takes along the list beside the database.
        erased_list.write(to, erased_list.said_beside(self._directory))
        return Made(target, manifest, self._prune(to, now))

    def make_due(self, now: datetime) -> Made | None:
        """Make the backup that the configuration wants, if it is time. Raises as `make`."""
        folder = self.folder
        if folder is None:
            return None
        kept = kept_in(folder)
        # A clock that was ahead for a while must not stop the backups until it has caught up.
        newest = max((each.made_at for each in kept if each.made_at <= now), default=None)
        if newest is not None and now - newest < timedelta(hours=self._config.every_h):
            return None
        return self.make(folder, pause_s=_PAUSE_S)

    def _written(
        self, work: Path, now: datetime, also: Callable[[sqlite3.Connection], None] | None, pause_s: float
    ) -> Manifest:
        database = database_path(self._directory)
        copy = work / DATABASE
        _check_room(database, work)
        with snapshot.open_snapshot(database) as seen:
            rows, schema = snapshot.row_counts(seen), snapshot.schema_version(seen)
            snapshot.copy_snapshot(seen, copy, pause_s)
            if also is not None:
                also(seen)
        snapshot.check_copy(copy, rows, schema)
        check_newest_chunks(copy)
        keys = [self._directory / name for name in KEY_FILES if (self._directory / name).is_file()]
        try:
            files = [copy, *keys]
            manifest = Manifest(now, version("backstop"), schema, rows, backup_file.measured(files))
        except OSError as error:
            raise StoreUnavailable(
                f"A file of {self._directory} cannot be read ({error.strerror}): check it."
            ) from error
        backup_file.pack(work / "packed", manifest, files)
        return backup_file.verify(work / "packed")

    def _prune(self, folder: Path, now: datetime) -> tuple[Path, ...]:
        """Remove what is beyond its days; the newest stays in any case."""
        removed = []
        for kept in kept_in(folder)[:-1]:
            if now - kept.made_at > timedelta(days=self._config.keep_days):
                with suppress(OSError):
                    kept.path.unlink()
                    removed.append(kept.path)
        return tuple(removed)


def check_newest_chunks(database: Path) -> int:
    """Decode the newest chunks of a database and return how many. Raises InvalidInput for one that is damaged."""
    count = 0
    with snapshot.open_snapshot(database) as seen:
        for chunk_id, blob in snapshot.newest_chunks(seen, _TEST_CHUNKS):
            try:
                decode_chunk(blob)
            except DeviceError as error:
                raise InvalidInput(
                    f"Chunk {chunk_id} cannot be read ({error}): `backstop doctor --all` names all that are damaged."
                ) from None
            count += 1
    return count


def _check_room(database: Path, folder: Path) -> None:
    try:
        needed = 2 * database.stat().st_size + _SPARE_BYTES
        free = shutil.disk_usage(folder).free
    except OSError:
        return  # what is missing is said by whoever opens it
    if free < needed:
        raise StoreUnavailable(
            f"A backup needs {needed / 1e6:.0f} MB for a while and {folder.parent} has {free / 1e6:.0f} MB free: "
            "make room, or name a folder on another disk."
        )


def _cannot_write(path: Path, error: OSError) -> CoachError:
    return StoreUnavailable(
        f"The backup {path} cannot be written ({error.strerror}): check the folder, who owns it and its free space."
    )
