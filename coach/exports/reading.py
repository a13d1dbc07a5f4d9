"""Read an archive that anybody may have made: bounded in every direction, unpacked nowhere, believed in nothing.

Only the manifest and the tables are read; what lies beside them follows from the tables.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from coach.errors import InvalidInput
from coach.exports.archive import FORMAT, FORMAT_VERSION, MANIFEST
from devices.files.zips import check_directory

# Members, bytes of the manifest, of one row, of one blob. Own bounds, far above what an athlete's years come to.
_MEMBERS_MAX, _MANIFEST_MAX = 200_000, 64_000_000
_ROW_MAX, _BLOB_MAX = 64_000_000, 64_000_000
# Times that a member may grow when it is unpacked. Rows of JSON that repeat their names grow 20 to 60 times; a bomb a
# thousand times. Own bound.
_GROWTH_MAX = 300
_GROWTH_FREE = 1_000_000
_ID = re.compile(r"[0-9a-f]{32}")
_TABLES = "tables/"


class Opened:
    """An archive whose manifest fits what is in it. Raises InvalidInput, in one sentence, for anything else."""

    def __init__(self, file: zipfile.ZipFile, told: str) -> None:
        self._zip, self._told = file, told
        infos = file.infolist()
        self._infos = {info.filename: info for info in infos}
        if len(infos) > _MEMBERS_MAX or len(self._infos) < len(infos):
            raise self._wrong("it has too many members, or two of one name")
        self.manifest = self._read_manifest()
        self.athlete_id: str = self.manifest["athlete_id"]
        self.schema: str = self.manifest["schema"]
        self._check_members()

    def table_bytes(self) -> int:
        """Return how many bytes the tables have when they are unpacked."""
        return sum(info.file_size for name, info in self._infos.items() if name.startswith(_TABLES))

    def check_tables(self, names: Mapping[str, tuple[str, ...]]) -> None:
        """Raise InvalidInput unless there are exactly these tables. names: table -> columns that lie beside it."""
        wanted = {f"{_TABLES}{name}.jsonl" for name in names}
        wanted |= {f"{_TABLES}{name}.{column}.bin" for name, columns in names.items() for column in columns}
        found = {name for name in self._infos if name.startswith(_TABLES)}
        if odd := sorted(found ^ wanted):
            raise self._wrong(f"it {'has' if odd[0] in found else 'lacks'} {odd[0]}")

    def rows(self, name: str) -> Iterator[dict[str, Any]]:
        """Yield the rows of a table."""
        number = 0
        with self._member(f"{_TABLES}{name}.jsonl") as lines:
            while line := lines.readline(_ROW_MAX + 1):
                number += 1
                if len(line) > _ROW_MAX:
                    raise self._wrong(f"row {number} of table {name} is too long")
                try:
                    row = json.loads(line)
                except (ValueError, RecursionError):
                    row = None
                if not isinstance(row, dict):
                    raise self._wrong(f"row {number} of table {name} is no JSON object")
                yield row

    @contextmanager
    def beside(self, name: str, column: str) -> Iterator[Blobs]:
        """Open the bytes that lie beside a table; at the end all must have been read."""
        with self._member(f"{_TABLES}{name}.{column}.bin") as data:
            blobs = Blobs(data, self._wrong)
            yield blobs
            if data.read(1):
                raise self._wrong(f"{name}.{column} has more bytes than the rows tell of")

    def _read_manifest(self) -> dict[str, Any]:
        info = self._infos.get(MANIFEST)
        if info is None:
            raise InvalidInput(f"{self._told} is no export of Backstop: it has no {MANIFEST}.")
        if info.file_size > _MANIFEST_MAX:
            raise self._wrong("its manifest is too large")
        with self._opened(info) as data:
            try:
                manifest = json.loads(data.read(_MANIFEST_MAX))
            except (ValueError, RecursionError):
                raise self._wrong("its manifest is no JSON") from None
        if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
            raise InvalidInput(f"{self._told} is no export of Backstop.")
        if manifest.get("format_version") != FORMAT_VERSION:
            raise InvalidInput(f"{self._told} has a layout that this Backstop does not know: update it.")
        athlete_id, schema = manifest.get("athlete_id"), manifest.get("schema")
        if not isinstance(athlete_id, str) or not _ID.fullmatch(athlete_id) or not isinstance(schema, str):
            raise self._wrong("its manifest does not say whose it is")
        return manifest

    def _check_members(self) -> None:
        told = self.manifest.get("members")
        if not isinstance(told, dict) or set(told) != set(self._infos) - {MANIFEST}:
            raise self._wrong("its manifest lists other members than it has")
        for name, info in self._infos.items():
            if name.startswith("/") or "\\" in name or ".." in name.split("/"):
                raise self._wrong(f"a member wants to lie outside of it ({name[:60]!r})")
            if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise self._wrong(f"{name[:60]!r} is packed in a way that an export is not")
            if info.file_size > _GROWTH_FREE + _GROWTH_MAX * info.compress_size:
                raise self._wrong(f"{name[:60]!r} grows too much when it is unpacked")
            facts = told.get(name, {"size": info.file_size}) if name != MANIFEST else {"size": info.file_size}
            if not isinstance(facts, dict) or facts.get("size") != info.file_size:
                raise self._wrong(f"{name[:60]!r} has another size than its manifest says")

    @contextmanager
    def _member(self, name: str) -> Iterator[io.BufferedReader[_Hashing]]:
        info = self._infos.get(name)
        if info is None:
            raise self._wrong(f"it lacks {name}")
        with self._opened(info) as raw:
            hashed = _Hashing(raw)
            data = io.BufferedReader(hashed, 1 << 16)
            yield data
            if hashed.hash.hexdigest() != self.manifest["members"][name].get("sha256"):
                raise self._wrong(f"{name} is damaged")

    @contextmanager
    def _opened(self, info: zipfile.ZipInfo) -> Iterator[BinaryIO]:
        try:
            with self._zip.open(info) as raw:
                yield raw  # type: ignore[misc]
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
            # RuntimeError: a member that wants a password.
            raise self._wrong(f"{info.filename[:60]!r} cannot be unpacked ({error})") from None

    def _wrong(self, what: str) -> InvalidInput:
        return InvalidInput(f"{self._told} cannot be taken in: {what}. Nothing was changed.")


class Blobs:
    """Bytes one after the other, cut by the sizes that the rows tell."""

    def __init__(self, data: io.BufferedReader[_Hashing], wrong: Any) -> None:
        self._data, self._wrong = data, wrong

    def next(self, size: Any) -> bytes | None:
        """Return the next bytes, None where a row has none."""
        if size is None:
            return None
        if type(size) is not int or not 0 <= size <= _BLOB_MAX:
            raise self._wrong("a row tells of bytes of an impossible size")
        found = self._data.read(size)
        if len(found) != size:
            raise self._wrong("bytes are missing that the rows tell of")
        return found


class _Hashing(io.RawIOBase):
    """Pass bytes on and hash them."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw, self.hash = raw, hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        data = self._raw.read(len(into))
        into[: len(data)] = data
        self.hash.update(data)
        return len(data)


@contextmanager
def opened(path: Path) -> Iterator[Opened]:
    """Open an archive. Raises InvalidInput."""
    try:
        # A zip stays open as long as one of its members does; the file itself ends here.
        with open(path, "rb") as raw:
            check_directory(raw, _MEMBERS_MAX)
            with zipfile.ZipFile(raw) as file:
                yield Opened(file, path.name)
    except (zipfile.BadZipFile, zlib.error, UnicodeDecodeError, NotImplementedError) as error:
        raise InvalidInput(f"{path.name} is no export of Backstop: it is no whole zip file ({error}).") from None
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read ({error.strerror or error}): name a file of an export.") from None
