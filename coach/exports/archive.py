"""The archive of an export: a zip whose bytes follow from what is in it, with a manifest at its end.

No member carries the time of day; the manifest alone says when the archive was made. It also holds size and SHA-256 of
every other member, so that a damaged archive is known before anything is taken from it.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, BinaryIO

FORMAT = "backstop-export"
FORMAT_VERSION = 1
MANIFEST = "manifest.json"
# The first date that a zip can tell.
_NO_TIME = (1980, 1, 1, 0, 0, 0)
# rw for the owner alone.
_MODE = 0o600 << 16
# Of zlib. 1 is four times as fast as the usual 6, and a tenth larger on these texts (measured).
_LEVEL = 1


@dataclass(frozen=True, slots=True)
class Written:
    """A member as the manifest lists it."""

    size: int
    sha256: str


class Member:
    """A member that is being written: a file that only goes on."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out, self._hash, self._size = out, hashlib.sha256(), 0
        self.closed = False

    def write(self, data: Any) -> int:
        """Append bytes; return how many."""
        view = memoryview(data).cast("B")
        self._out.write(view)
        self._hash.update(view)
        self._size += len(view)
        return len(view)

    def tell(self) -> int:
        """Return how many bytes were written."""
        return self._size

    def flush(self) -> None:
        """Do nothing: the zip is flushed at its end."""

    def close(self) -> None:
        """Take no more."""
        self.closed = True

    def readable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def written(self) -> Written:
        """Return what the manifest says of it."""
        return Written(self._size, self._hash.hexdigest())


class Archive:
    """Write members one after the other, in bounded memory."""

    def __init__(self, out: BinaryIO) -> None:
        self._zip = zipfile.ZipFile(out, "w", allowZip64=True)
        self._members: dict[str, Written] = {}

    @contextmanager
    def member(self, name: str, packed: bool = True) -> Iterator[Member]:
        """Open the next member. packed: False for bytes that are packed already."""
        if name in self._members:
            raise ValueError(f"an export has two members {name}")
        info = zipfile.ZipInfo(name, _NO_TIME)
        info.external_attr = _MODE
        info.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
        info._compresslevel = _LEVEL  # type: ignore[attr-defined]
        with self._zip.open(info, "w", force_zip64=True) as out:
            member = Member(out)
            yield member
        self._members[name] = member.written()

    def add(self, name: str, data: bytes, packed: bool = True) -> None:
        """Write a small member."""
        with self.member(name, packed) as member:
            member.write(data)

    def close(self, facts: dict[str, Any]) -> None:
        """Write the manifest, with facts of the whole, and end the archive."""
        members = {name: {"size": each.size, "sha256": each.sha256} for name, each in self._members.items()}
        manifest = {"format": FORMAT, "format_version": FORMAT_VERSION, **facts, "members": members}
        info = zipfile.ZipInfo(MANIFEST, _NO_TIME)
        info.external_attr, info.compress_type = _MODE, zipfile.ZIP_DEFLATED
        self._zip.writestr(info, json_bytes(manifest, indent=1))
        self._zip.close()


def json_bytes(value: Any, indent: int | None = None) -> bytes:
    """Return JSON in UTF-8, its keys in the order that they have."""
    separators = (",", ":") if indent is None else (",", ": ")
    return json.dumps(value, ensure_ascii=False, indent=indent, separators=separators).encode("utf-8", "surrogatepass")
