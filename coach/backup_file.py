"""One backup, one file: a zip with a manifest first, then the database, then the keys of the storage folder.

It holds everything that Backstop cannot make anew, keys and hashes of passwords too, so it is readable by its owner
only. Any program that reads zip files can take it apart.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from coach.errors import InvalidInput, StoreUnavailable
from coach.instance import DATABASE, KEY_FILES

# Version of the layout below; an older Backstop refuses a newer one.
FORMAT = 1
_MANIFEST = "manifest.json"
# Bytes. Own bound: a manifest names some 70 tables.
_MANIFEST_MAX = 1_000_000
_KEY_MAX = 100_000
_PIECE = 1 << 20
# What a damaged or foreign zip raises while it is read.
_UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)


@dataclass(frozen=True, slots=True)
class Part:
    """A file in the backup."""

    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself. rows: by table; schema: revision of the database."""

    made_at: datetime
    backstop: str
    schema: str | None
    rows: Mapping[str, int]
    parts: Mapping[str, Part]

    def to_json(self) -> str:
        """Return the text of the manifest."""
        parts = {name: asdict(part) for name, part in self.parts.items()}
        values = {"format": FORMAT, **_plain(self), "parts": parts}
        return json.dumps(values, indent=1)


def _plain(manifest: Manifest) -> dict[str, Any]:
    return {
        "made_at": manifest.made_at.astimezone(UTC).isoformat(),
        "backstop": manifest.backstop,
        "schema": manifest.schema,
        "rows": dict(manifest.rows),
    }


def measured(files: Sequence[Path]) -> dict[str, Part]:
    """Return each file's checksum and size by its name."""
    found = {}
    for path in files:
        with path.open("rb") as file:
            found[path.name] = _sum_of(file)
    return found


def pack(target: Path, manifest: Manifest, files: Sequence[Path]) -> None:
    """Write a backup to a new file and through to the disk. Raises StoreUnavailable."""
    try:
        with os.fdopen(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as raw:
            with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
                archive.writestr(_MANIFEST, manifest.to_json())
                for path in files:
                    with path.open("rb") as file, archive.open(path.name, "w", force_zip64=True) as part:
                        shutil.copyfileobj(file, part, _PIECE)
            raw.flush()
            os.fsync(raw.fileno())
    except OSError as error:
        raise StoreUnavailable(
            f"The backup {target} cannot be written ({error.strerror}): make room on that disk, or name another folder."
        ) from error


def read_manifest(path: Path) -> Manifest:
    """Return what a backup says of itself. Raises InvalidInput: not a backup, or one of a newer Backstop."""
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo(_MANIFEST).file_size > _MANIFEST_MAX:
                raise _no_backup(path, "its manifest is too large")
            values = json.loads(archive.read(_MANIFEST))
        if values["format"] != FORMAT:
            raise InvalidInput(f"The backup {path} was made by a newer Backstop: install that version.")
        return Manifest(
            datetime.fromisoformat(values["made_at"]),
            str(values["backstop"]),
            values["schema"],
            {str(name): int(count) for name, count in values["rows"].items()},
            {str(name): Part(str(part["sha256"]), int(part["bytes"])) for name, part in values["parts"].items()},
        )
    except OSError as error:
        raise InvalidInput(f"The backup {path} cannot be read ({error.strerror}): name a file that can.") from None
    except (*_UNREADABLE, KeyError, TypeError, ValueError, AttributeError) as error:
        raise _no_backup(path, str(error) or type(error).__name__) from None


def verify(path: Path) -> Manifest:
    """Read every part back and compare its checksum. Raises InvalidInput."""
    manifest = read_manifest(path)
    _read_parts(path, manifest, None)
    return manifest


def unpack(path: Path, folder: Path) -> Manifest:
    """Write the parts into an empty folder, each compared with its checksum. Raises InvalidInput, StoreUnavailable."""
    manifest = read_manifest(path)
    _read_parts(path, manifest, folder)
    return manifest


def _read_parts(path: Path, manifest: Manifest, folder: Path | None) -> None:
    # Only the names that a backup has: nothing in a file of somebody else's chooses where it is written.
    if DATABASE not in manifest.parts or set(manifest.parts) - {DATABASE, *KEY_FILES}:
        raise _no_backup(path, "it holds other files than a backup does")
    try:
        with zipfile.ZipFile(path) as archive:
            for name, stated in manifest.parts.items():
                if name != DATABASE and stated.bytes > _KEY_MAX:
                    raise _no_backup(path, f"{name} is too large")
                with archive.open(name) as part:
                    if _taken(part, folder / name if folder else None, stated.bytes) != stated:
                        raise InvalidInput(f"The backup {path} is damaged ({name}): take another backup.")
    except (*_UNREADABLE, KeyError) as error:
        raise InvalidInput(f"The backup {path} is damaged ({error}): take another backup.") from None
    except OSError as error:
        raise StoreUnavailable(
            f"The backup {path} cannot be unpacked ({error.strerror}): check that disk and its free space."
        ) from error


def _taken(part: IO[bytes], target: Path | None, most: int) -> Part:
    """Read a part, into a file if one is named; stop behind its stated size."""
    if target is None:
        return _sum_of(part, most)
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        found = _sum_of(part, most, file)
        file.flush()
        os.fsync(file.fileno())
    return found


def _sum_of(source: IO[bytes], most: int | None = None, target: IO[bytes] | None = None) -> Part:
    digest, size = hashlib.sha256(), 0
    while (piece := source.read(_PIECE)) and (most is None or size <= most):
        digest.update(piece)
        size += len(piece)
        if target is not None:
            target.write(piece)
    return Part(digest.hexdigest(), size)


def _no_backup(path: Path, why: str) -> InvalidInput:
    return InvalidInput(f"The file {path} is no backup of Backstop ({why}): name one that `backstop backup` made.")
