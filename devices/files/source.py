"""Where the bytes of a recording come from: one file, a folder, or a zip archive, within bounds."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from devices.errors import UnknownFormat
from devices.files.zips import open_zip

# Own limits: a day of one sensor at 200 Hz as text is some 1.2 GB; nothing here needs more, packed or unpacked.
MAX_BYTES = 1_500_000_000
MAX_MEMBERS = 500
# Text of numbers packs about 4 to 1, rows of one value perhaps 100 to 1; beyond is a bomb.
MAX_RATIO = 200
HEAD_BYTES = 8192
# Bytes that are read and parsed in one go; bounds what is held beside the result.
BLOCK_BYTES = 16_000_000


class Member(Protocol):
    """One file of a source."""

    def head(self) -> bytes:
        """Return the first bytes."""
        ...

    def blocks(self) -> Iterator[bytes]:
        """Yield all bytes, a block at a time. Raises UnknownFormat."""
        ...


@dataclass(frozen=True, slots=True)
class Source:
    """path: as named by the person. members: by plain name, folders cut off; of two of one name the first counts."""

    path: Path
    members: Mapping[str, Member]


@dataclass(frozen=True, slots=True)
class _OnDisk:
    path: Path

    def head(self) -> bytes:
        try:
            with self.path.open("rb") as file:
                return file.read(HEAD_BYTES)
        except OSError as error:
            raise UnknownFormat(f"{self.path}: it cannot be read ({error.strerror}); allow it, or copy it.") from None

    def blocks(self) -> Iterator[bytes]:
        try:
            size = self.path.stat().st_size
            if size > MAX_BYTES:
                raise UnknownFormat(f"{self.path}: {size:,} bytes, more than the {MAX_BYTES:,} that a recording needs.")
            with self.path.open("rb") as file:
                while block := file.read(BLOCK_BYTES):
                    yield block
        except OSError as error:
            raise UnknownFormat(f"{self.path}: it cannot be read ({error.strerror}); allow it, or copy it.") from None


@dataclass(frozen=True, slots=True)
class _InZip:
    path: Path
    info: zipfile.ZipInfo

    def head(self) -> bytes:
        return next(self._read(HEAD_BYTES), b"")

    def blocks(self) -> Iterator[bytes]:
        return self._read(BLOCK_BYTES)

    def _read(self, size: int) -> Iterator[bytes]:
        try:
            with open_zip(self.path, MAX_MEMBERS) as archive, archive.open(self.info) as file:
                # Never more than the archive says, which was looked at.
                left = self.info.file_size
                while left > 0 and (block := file.read(min(size, left))):
                    left -= len(block)
                    yield block
        except Exception as error:  # noqa: BLE001 - a damaged archive fails in as many ways as there are bytes
            name = PurePosixPath(self.info.filename).name
            raise UnknownFormat(
                f"{self.path}: '{name}' in it is damaged ({_reason(error)}); export it again."
            ) from None


def open_source(path: Path | str) -> Source:
    """Return the files behind a path. Raises UnknownFormat for none, for too much, and for a damaged archive."""
    path = Path(path)
    if path.is_dir():
        found = sorted(each for each in path.rglob("*") if each.is_file())
        if not found or len(found) > MAX_MEMBERS:
            what = "the folder is empty" if not found else f"the folder holds {len(found)} files"
            raise UnknownFormat(f"{path}: {what}; name the folder of one recording.")
        return Source(path, _by_name((each.name, _OnDisk(each)) for each in found))
    if not path.is_file():
        what = "this is not a file" if path.exists() else "there is no such file"
        raise UnknownFormat(f"{path}: {what}; name a recording.")
    if zipfile.is_zipfile(path):
        return Source(path, _by_name(_zipped(path)))
    return Source(path, {path.name: _OnDisk(path)})


def _zipped(path: Path) -> list[tuple[str, Member]]:
    try:
        with open_zip(path, MAX_MEMBERS) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
    except Exception as error:  # noqa: BLE001 - see _InZip
        raise UnknownFormat(f"{path}: the archive is damaged or incomplete ({_reason(error)}).") from None
    total = sum(info.file_size for info in infos)
    if len(infos) > MAX_MEMBERS or total > MAX_BYTES:
        raise UnknownFormat(f"{path}: {len(infos)} files of {total:,} bytes in one archive is no recording.")
    for info in infos:
        if info.file_size > MAX_RATIO * max(info.compress_size, 1024):
            raise UnknownFormat(
                f"{path}: '{PurePosixPath(info.filename).name}' unpacks to far more than it is; not read."
            )
    return [(PurePosixPath(info.filename.replace("\\", "/")).name, _InZip(path, info)) for info in infos]


def _by_name(found: Iterable[tuple[str, Member]]) -> dict[str, Member]:
    members: dict[str, Member] = {}
    for name, member in found:
        members.setdefault(name, member)
    return members


def _reason(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
