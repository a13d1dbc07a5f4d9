"""The disk of a machine whose power is cut: what may be left of files, rebuilt from the journal that shim.c wrote.

The model, harsher than today's file systems:
- A file's data is safe when a sync of it has returned. Of what was written to it since, any part may be there: each
  sector of 512 bytes of each write for itself, each change of its length for itself, in whatever order they came.
- A name (made, renamed, linked, removed) is safe when a sync of its folder has returned, not by a sync of the file.
  Names that are not safe yet are there up to some moment, as a journal that keeps order leaves them.
- Space that no write has reached reads as zeros. A sector is old or new, never neither; what was synced does not rot.
- After a sync that failed, what waited for it is lost, though programs go on reading it as if it were there.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path

SECTOR_BYTES = 512
_HEAD = struct.Struct("<iiiiqii")
_MADE, _TRUNCATES, _FOLDER = 1 << 30, 0o1000, 0o200000


class Kind(IntEnum):
    """As in shim.c."""

    OPEN = 1
    WRITE = 2
    TRUNCATE = 3
    SYNC = 4
    RENAME = 5
    UNLINK = 6
    LINK = 7
    MKDIR = 8
    CLOSE = 9
    SYNC_FAILED = 10


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the journal. path, other: of the call's names; data: of a write."""

    kind: Kind
    pid: int
    fd: int
    flags: int
    offset: int
    path: str = ""
    other: str = ""
    data: bytes = b""


def calls_of(journal: Path) -> Iterator[Call]:
    """Read a journal."""
    told = journal.read_bytes()
    at = 0
    while at < len(told):
        number, pid, fd, flags, offset, first, second = _HEAD.unpack_from(told, at)
        at += _HEAD.size
        one, two = told[at : at + first], told[at + first : at + first + second]
        at += first + second
        kind = Kind(number)
        if kind is Kind.WRITE:
            yield Call(kind, pid, fd, flags, offset, data=one)
        else:
            yield Call(kind, pid, fd, flags, offset, one.decode(), two.decode())


@dataclass(slots=True, eq=False)
class _File:
    """A file apart from its names. waiting: (offset, data), or (length, None) for a change of its length."""

    safe: bytearray = field(default_factory=bytearray)
    waiting: list[tuple[int, bytes | None]] = field(default_factory=list)

    def sync(self) -> None:
        for at, data in self.waiting:
            _apply(self.safe, at, data)
        self.waiting.clear()

    def left(self, chance: random.Random) -> bytes:
        """Return what a cut leaves."""
        share = chance.choice((0.0, 0.1, 0.5, 0.9, 1.0))
        whole = chance.random() < 0.3
        found = bytearray(self.safe)
        for at, data in self.waiting:
            if data is None or whole:
                if chance.random() < share:
                    _apply(found, at, data)
                continue
            begin = 0
            while begin < len(data):
                end = min(begin + SECTOR_BYTES - (at + begin) % SECTOR_BYTES, len(data))
                if chance.random() < share:
                    _apply(found, at + begin, data[begin:end])
                begin = end
        return bytes(found)


# What the name of a folder leads to here: its files have whole paths as names.
_FOLDER_NAME = _File()


def _apply(to: bytearray, at: int, data: bytes | None) -> None:
    if data is None:
        del to[at:]
        to.extend(bytes(max(0, at - len(to))))
        return
    to.extend(bytes(max(0, at - len(to))))
    to[at : at + len(data)] = data


@dataclass(slots=True)
class Disk:
    """The files below `root` as they are (names), and as they are safe. Take the calls one after the other."""

    root: str
    names: dict[str, _File] = field(default_factory=dict)
    safe: dict[str, _File] = field(default_factory=dict)
    waiting: list[tuple[str, str, _File | None]] = field(default_factory=list)
    open: dict[tuple[int, int], str | _File] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)

    def take(self, call: Call) -> None:
        """Let a call take effect."""
        key = call.pid, call.fd
        if call.kind is Kind.OPEN:
            self._opened(call)
        elif call.kind is Kind.CLOSE:
            self.open.pop(key, None)
        elif call.kind in (Kind.SYNC, Kind.SYNC_FAILED):
            self._synced(self.open[key], failed=call.kind is Kind.SYNC_FAILED)
        elif call.kind in (Kind.WRITE, Kind.TRUNCATE):
            file = self.open[key]
            assert isinstance(file, _File)
            file.waiting.append((call.offset, call.data if call.kind is Kind.WRITE else None))
        elif call.kind is Kind.MKDIR:
            self.folders.add(call.path)
            self._name(call.path, _FOLDER_NAME)
        elif call.kind is Kind.UNLINK:
            self._name(call.path, None)
        elif call.kind in (Kind.RENAME, Kind.LINK):
            self._name(call.other, self.names[call.path], call.path if call.kind is Kind.RENAME else "")

    def left(self, chance: random.Random, folder: Path) -> None:
        """Write what a cut now would leave below `folder`, which takes the place of `root`."""
        names = dict(self.safe)
        for path, gone, file in self.waiting[: chance.randint(0, len(self.waiting))]:
            _rename(names, path, gone, file)
        for path, file in names.items():
            # A file whose folder's own name is lost is out of reach.
            above = [str(each) for each in Path(path).parents if str(each) in self.folders]
            if file is _FOLDER_NAME or not all(each in names for each in above):
                continue
            at = folder / path.removeprefix(self.root).lstrip("/")
            at.parent.mkdir(parents=True, exist_ok=True)
            at.write_bytes(file.left(chance))

    def _opened(self, call: Call) -> None:
        known = call.path in self.names and call.path not in self.folders
        if call.flags & _FOLDER or not (known or call.flags & _MADE):
            self.open[call.pid, call.fd] = call.path
            return
        if call.flags & _MADE:
            self._name(call.path, _File())
        file = self.open[call.pid, call.fd] = self.names[call.path]
        if call.flags & _TRUNCATES and not call.flags & _MADE:
            file.waiting.append((0, None))

    def _synced(self, what: str | _File, failed: bool) -> None:
        if isinstance(what, _File):
            what.waiting.clear() if failed else what.sync()
            return
        mine = [each for each in self.waiting if each[0].rpartition("/")[0] == what]
        if not failed:
            for path, gone, file in mine:
                _rename(self.safe, path, gone, file)
        self.waiting = [each for each in self.waiting if each not in mine]

    def _name(self, path: str, file: _File | None, gone: str = "") -> None:
        _rename(self.names, path, gone, file)
        self.waiting.append((path, gone, file))


def _rename(names: dict[str, _File], path: str, gone: str, file: _File | None) -> None:
    names.pop(gone, None)
    if file is None:
        names.pop(path, None)
    else:
        names[path] = file
