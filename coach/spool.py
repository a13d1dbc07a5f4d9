"""Chunks that wait on this machine's disk until the server has them: appended, sent in order, then dropped.

A folder of segments that are only ever appended to, each a run of records:

    "BSRC" | length u32 | CRC-32 of the blob u32 | blob                 (little endian)

A segment that is read to its end is removed. `cursor` says how far the first one was read; losing it only sends chunks
again, which the server knows by their keys. Every start begins a new segment, so that a torn end is never written to.
"""

from __future__ import annotations

import contextlib
import os
import struct
import threading
import zlib
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from coach.durable import make_folder, sync_folder
from coach.errors import ConfigError, StoreUnavailable
from devices.codec import encode_chunk
from devices.errors import DeviceError
from devices.heartblock import HeartBlock, encode_heart
from devices.types import Chunk

Kept = TypeVar("Kept", Chunk, HeartBlock)

_MAGIC = b"BSRC"
_HEAD = struct.Struct("<4sII")
_SUFFIX = ".spool"
# Bytes of one segment: about 35 minutes of one wearable, and what is read into memory at once. Own choice.
_SEGMENT_BYTES = 1 << 20


@dataclass(slots=True)
class _Segment:
    path: Path
    size: int
    records: int = 0


@dataclass(slots=True)
class _Reading:
    """The first segment as it was read. ends: offset behind each record; done: records that were dropped."""

    blobs: list[bytes] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    done: int = 0


class Spool:
    """A queue of blobs on disk, bounded in bytes; the oldest are kept. Thread-safe, for one process."""

    def __init__(self, directory: Path, bytes_max: int) -> None:
        """Open it, with what an earlier process left. Raises ConfigError when the folder cannot be used."""
        self._directory, self._bytes_max = directory, bytes_max
        self._segment_bytes = min(_SEGMENT_BYTES, max(1, bytes_max // 8))
        self._lock = threading.Lock()
        self._segments: deque[_Segment] = deque()
        self._reading = _Reading()
        self._file: int | None = None
        self._full = False
        # Bytes that were no record when the spool was opened or read: a torn end, or damage.
        self.damaged_bytes = 0
        try:
            make_folder(directory)
            self._take_up()
        except OSError as error:
            raise ConfigError(
                f"The spool {directory} cannot be used ({error.strerror}): name another folder with --spool."
            ) from error

    @property
    def waiting(self) -> int:
        """Return how many blobs wait."""
        with self._lock:
            return sum(segment.records for segment in self._segments) - self._reading.done

    @property
    def bytes_used(self) -> int:
        """Return the bytes on the disk."""
        with self._lock:
            return self._used()

    @property
    def full(self) -> bool:
        """Tell whether the last append left something out."""
        return self._full

    def append(self, blobs: Sequence[bytes]) -> int:
        """Write blobs and return how many, the first ones, are on the disk now; the others found no room.

        Raises StoreUnavailable when the disk takes nothing: nothing of the call was kept.
        """
        with self._lock:
            room = self._bytes_max - self._used()
            kept: list[bytes] = []
            for blob in blobs:
                room -= _HEAD.size + len(blob)
                if room < 0:
                    break
                kept.append(_HEAD.pack(_MAGIC, len(blob), zlib.crc32(blob)) + blob)
            self._full = len(kept) < len(blobs)
            if kept:
                self._write(b"".join(kept), len(kept))
            return len(kept)

    def peek(self, count: int, bytes_max: int) -> list[bytes]:
        """Return the oldest blobs, at most that many and, but for the first, that large together."""
        with self._lock:
            found: list[bytes] = []
            size = 0
            for blob in self._head().blobs[self._reading.done : self._reading.done + count]:
                size += len(blob)
                if found and size > bytes_max:
                    break
                found.append(blob)
            return found

    def drop(self, count: int) -> None:
        """Forget the oldest blobs, as many as `peek` gave or fewer."""
        with self._lock:
            reading = self._reading
            reading.done = min(reading.done + count, len(reading.blobs))
            if not self._segments or not reading.done:
                return
            if reading.done == self._segments[0].records:
                self._remove_first()
            else:
                self._note(self._segments[0].path.name, reading.ends[reading.done - 1])

    def clear(self) -> None:
        """Forget everything that waits."""
        with self._lock:
            self._end_segment()
            for path in self._directory.glob(f"*{_SUFFIX}"):
                path.unlink(missing_ok=True)
            self._segments.clear()
            self._reading = _Reading()

    def close(self) -> None:
        """Close the file; what waits stays."""
        with self._lock:
            self._end_segment()

    # With the lock

    def _used(self) -> int:
        return sum(segment.size for segment in self._segments)

    def _take_up(self) -> None:
        for path in sorted(self._directory.glob(f"*{_SUFFIX}")):
            blobs, _, damaged = _read(path, 0)
            if blobs:
                self._segments.append(_Segment(path, path.stat().st_size, len(blobs)))
            else:
                self.damaged_bytes += damaged
                path.unlink()
        self._reading = _Reading()
        if self._segments:
            reading, offset = self._head(), self._noted(self._segments[0].path.name)
            reading.done = sum(end <= offset for end in reading.ends)
            if reading.done == self._segments[0].records:
                self._remove_first()

    def _head(self) -> _Reading:
        """Return the first segment's records, read anew when some were appended to it."""
        while self._segments and len(self._reading.blobs) < self._segments[0].records:
            first = self._segments[0]
            try:
                self._reading.blobs, self._reading.ends, damaged = _read(first.path, 0)
            except OSError:
                self._reading.blobs, self._reading.ends, damaged = [], [], first.size
            # The disk may lose what it had: what can be read counts, and nothing waits behind what cannot.
            first.records = len(self._reading.blobs)
            self.damaged_bytes += damaged
            if first.records <= self._reading.done:
                self._remove_first()
        return self._reading

    def _remove_first(self) -> None:
        if len(self._segments) == 1:
            self._end_segment()
        first = self._segments.popleft()
        self._reading = _Reading()
        with contextlib.suppress(OSError):  # sent again after the next start
            first.path.unlink()

    def _write(self, data: bytes, records: int) -> None:
        if self._file is not None and self._segments[-1].size >= self._segment_bytes:
            self._end_segment()
        try:
            if self._file is None:
                self._begin_segment()
            assert self._file is not None  # noqa: S101 - for the type checker
            _write_all(self._file, data)
            os.fsync(self._file)
        except OSError as error:
            self._give_up_write()
            raise StoreUnavailable(
                f"The spool {self._directory} cannot be written ({error.strerror}): make room on that disk."
            ) from error
        self._segments[-1].size += len(data)
        self._segments[-1].records += records

    def _give_up_write(self) -> None:
        """Begin another segment next time; what is behind the last whole record of this one is cut off or skipped."""
        if self._file is None:
            return
        with contextlib.suppress(OSError):
            os.ftruncate(self._file, self._segments[-1].size)
        self._end_segment()
        if not self._segments[-1].records:
            empty = self._segments.pop()
            with contextlib.suppress(OSError):
                empty.path.unlink()

    def _begin_segment(self) -> None:
        last = int(self._segments[-1].path.stem) if self._segments else 0
        noted = self._directory / "cursor"
        # Never the number that an old cursor names.
        path = self._directory / f"{max(last, _number_of(noted)) + 1:012d}{_SUFFIX}"
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._segments.append(_Segment(path, 0))
        sync_folder(self._directory)

    def _end_segment(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _note(self, name: str, offset: int) -> None:
        fresh = self._directory / "cursor.new"
        with contextlib.suppress(OSError):  # sent again after the next start
            fresh.write_text(f"{name} {offset}\n", encoding="ascii")
            os.replace(fresh, self._directory / "cursor")

    def _noted(self, name: str) -> int:
        try:
            noted, _, offset = (self._directory / "cursor").read_text(encoding="ascii").strip().partition(" ")
            return int(offset) if noted == name else 0
        except (OSError, ValueError):
            return 0


@dataclass(frozen=True, slots=True)
class Survey:
    """What lies in a spool. records: with those of the first segment that were sent already."""

    records: int
    bytes: int
    damaged_bytes: int


def survey(directory: Path) -> Survey:
    """Read a spool that may be in use; changes nothing. Raises OSError."""
    records, size, damaged = 0, 0, 0
    for path in sorted(directory.glob(f"*{_SUFFIX}")):
        with contextlib.suppress(FileNotFoundError):  # sent meanwhile
            blobs, _, torn = _read(path, 0)
            records, size, damaged = records + len(blobs), size + path.stat().st_size, damaged + torn
    return Survey(records, size, damaged)


class SpoolLog:
    """A ChunkLog whose acknowledgement means: on this machine's disk."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self.arrived = threading.Event()
        # Chunks and heart blocks that found no room so far.
        self.left_out = 0

    def append(self, chunks: Sequence[Chunk]) -> tuple[str, ...]:
        """See coach.log.ChunkLog. Missing from the answer: what found no room, or cannot be coded."""
        return self._append(chunks, encode_chunk)

    def append_heart(self, blocks: Sequence[HeartBlock]) -> tuple[str, ...]:
        """Append blocks of heart rate; as `append`."""
        return self._append(blocks, encode_heart)

    def _append(self, items: Sequence[Kept], encode: Callable[[Kept], bytes]) -> tuple[str, ...]:
        coded: list[tuple[str, bytes]] = []
        for item in items:
            with contextlib.suppress(DeviceError):
                coded.append((item.key, encode(item)))
        kept = self._spool.append([blob for _, blob in coded])
        self.left_out += len(coded) - kept
        self.arrived.set()
        return tuple(key for key, _ in coded[:kept])


def _number_of(cursor: Path) -> int:
    try:
        return int(cursor.read_text(encoding="ascii").partition(_SUFFIX)[0])
    except (OSError, ValueError):
        return 0


def _write_all(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def _read(path: Path, at: int) -> tuple[list[bytes], list[int], int]:
    """Return the whole records of a segment, the offset behind each, and how many bytes were none."""
    data = path.read_bytes()
    blobs: list[bytes] = []
    ends: list[int] = []
    good = 0
    while (at := data.find(_MAGIC, at)) >= 0:
        begin = at + _HEAD.size
        if begin > len(data):
            break
        _, length, crc = _HEAD.unpack_from(data, at)
        blob = data[begin : begin + length]
        if len(blob) == length and zlib.crc32(blob) == crc:
            at = begin + length
            good += at - (begin - _HEAD.size)
            blobs.append(blob)
            ends.append(at)
        else:
            at += 1  # damage, or these four bytes by chance: the next record begins with them again
    return blobs, ends, len(data) - good
