"""The chunk log: what is acknowledged is durable."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from coach.errors import CoachError, StoreUnavailable
from coach.store import recordings, wearables
from coach.store.engine import Store, Tx
from coach.store.rows import Row
from devices.codec import decode_chunk, encode_chunk
from devices.errors import DeviceError
from devices.hostclock import HostClock
from devices.types import Chunk

# Bytes on the way of one POST: a number of this many bytes before each chunk, big endian.
LENGTH_BYTES = 4


class ChunkLog(Protocol):
    """Take chunks; acknowledge them only after a durable commit."""

    def append(self, chunks: Sequence[Chunk]) -> tuple[str, ...]:
        """Store chunks durably and return the keys that are stored now, new or known before.

        A key that is missing from the answer was refused (unknown wearable, or other bytes under a known key): sending
        it again does not help. Raises StoreUnavailable when nothing could be stored: try again.
        """
        ...


@dataclass(frozen=True, slots=True)
class LogCounts:
    """Since the log was opened.

    known: same key, same bytes. refused: unknown wearable, or other bytes under a known key. late: among the stored.
    """

    stored: int = 0
    known: int = 0
    refused: int = 0
    late: int = 0


@dataclass(slots=True)
class _Batch:
    items: list[tuple[Chunk, bytes]]
    athlete_id: str | None
    done: bool = False
    keys: list[str] = field(default_factory=list)
    error: Exception | None = None


class TableChunkLog:
    """The log on one machine: a table of the store.

    Group commit without a thread of its own: callers queue, and whoever gets the commit lock commits for all who wait.
    Thread-safe; several processes may append to the same file.
    """

    def __init__(self, store: Store, clock: HostClock) -> None:
        self._store = store
        self._clock = clock
        self._queue: list[_Batch] = []
        self._queue_lock = threading.Lock()
        self._commit_lock = threading.Lock()
        self._listeners: list[Callable[[], None]] = []
        self._counts = LogCounts()

    @property
    def counts(self) -> LogCounts:
        """Return what was stored, known and refused so far."""
        return self._counts

    def on_append(self, listener: Callable[[], None]) -> None:
        """Call `listener()` after each commit, on the thread that appended."""
        self._listeners.append(listener)

    def append(self, chunks: Sequence[Chunk]) -> tuple[str, ...]:
        """See ChunkLog. A chunk that cannot be coded is refused."""
        items: list[tuple[Chunk, bytes]] = []
        for chunk in chunks:
            try:
                items.append((chunk, encode_chunk(chunk)))
            except DeviceError:
                self._count(refused=1)
        return self._commit(_Batch(items, None))

    def append_encoded(self, blobs: Sequence[bytes], athlete_id: str | None = None) -> tuple[str, ...]:
        """Store coded chunks as they are; with athlete_id only those of that athlete's wearables, the rest is refused.

        Raises BadPacket or UnknownFormat (devices) when one of them cannot be decoded: then nothing is stored.
        """
        return self._commit(_Batch([(decode_chunk(blob), blob) for blob in blobs], athlete_id))

    def _commit(self, batch: _Batch) -> tuple[str, ...]:
        with self._queue_lock:
            self._queue.append(batch)
        with self._commit_lock:
            if not batch.done:
                with self._queue_lock:
                    waiting, self._queue = self._queue, []
                self._write(waiting)
        if batch.error is not None:
            raise batch.error
        for listener in self._listeners:
            listener()
        return tuple(batch.keys)

    def _write(self, batches: list[_Batch]) -> None:
        now = datetime.fromtimestamp(self._clock.utc_s(), UTC)
        # Whatever goes wrong below, nobody who waits may take it for an acknowledgement.
        error: Exception | None = StoreUnavailable("The commit was interrupted: send the chunks again.")
        try:
            with self._store.begin_append() as tx:
                write = _Write(tx, now)
                for batch in batches:
                    batch.keys = [each.key for each, blob in batch.items if write.chunk(each, blob, batch.athlete_id)]
                write.finish()
            counts = write.counts
            self._count(counts.stored, counts.known, counts.refused, counts.late)
            error = None
        except CoachError as caught:
            error = caught
        finally:
            for batch in batches:
                batch.error, batch.done = error, True

    def _count(self, stored: int = 0, known: int = 0, refused: int = 0, late: int = 0) -> None:
        with self._queue_lock:
            old = self._counts
            self._counts = LogCounts(old.stored + stored, old.known + known, old.refused + refused, old.late + late)


class _Write:
    """One transaction of the append path."""

    def __init__(self, tx: Tx, now: datetime) -> None:
        self.counts = LogCounts()
        self._tx = tx
        self._now = now
        self._streams: dict[tuple[str, str], Row | None] = {}
        self._ends: dict[str, int] = {}

    def chunk(self, chunk: Chunk, blob: bytes, athlete_id: str | None) -> bool:
        """Store one chunk; tell whether it is stored now."""
        stream = self._stream(chunk)
        if stream is None or (athlete_id is not None and stream["athlete_id"] != athlete_id):
            return self._count(refused=1, stored_now=False)
        chunk_id = recordings.add_chunk(self._tx, _values(stream["id"], chunk, blob, self._now))
        if chunk_id is None:
            same = recordings.same_bytes(self._tx, stream["id"], chunk.seq, blob)
            return self._count(known=1) if same else self._count(refused=1, stored_now=False)
        if chunk.seq <= stream["last_seq"]:
            recordings.put_aside(self._tx, chunk_id, "It arrived after the analysis had gone on without it.", self._now)
            return self._count(stored=1, late=1)
        self._ends[stream["id"]] = max(chunk.seq, self._ends.get(stream["id"], -1))
        return self._count(stored=1)

    def finish(self) -> None:
        """Move the ends of the streams that grew."""
        for stream_id, seq in self._ends.items():
            recordings.note_append(self._tx, stream_id, seq, self._now)

    def _stream(self, chunk: Chunk) -> Row | None:
        key = (chunk.device_id, chunk.recording_id)
        if key not in self._streams:
            found = recordings.find_stream(self._tx, *key)
            wearable = None if found else wearables.by_address(self._tx, chunk.device_id)
            if wearable is not None:
                recordings.add_stream(self._tx, *key, wearable, chunk.rate_hz, self._now)
                found = recordings.find_stream(self._tx, *key)
            self._streams[key] = found
        return self._streams[key]

    def _count(self, stored: int = 0, known: int = 0, refused: int = 0, late: int = 0, stored_now: bool = True) -> bool:
        old = self.counts
        self.counts = LogCounts(old.stored + stored, old.known + known, old.refused + refused, old.late + late)
        return stored_now


def _values(stream_id: str, chunk: Chunk, blob: bytes, now: datetime) -> dict[str, object]:
    return {
        "stream_id": stream_id,
        "seq": chunk.seq,
        "start_utc_s": chunk.start_utc_s,
        "start_index": chunk.start_index,
        "samples": len(chunk),
        "missing": chunk.missing,
        "received_at": now,
        "blob": blob,
    }


def pack(blobs: Sequence[bytes]) -> bytes:
    """Return the body of one POST: each chunk after its length."""
    return b"".join(len(blob).to_bytes(LENGTH_BYTES, "big") + blob for blob in blobs)


def unpack(body: bytes) -> list[bytes]:
    """Return the chunks of a POST's body. Raises ValueError when the lengths do not add up."""
    blobs: list[bytes] = []
    at = 0
    while at < len(body):
        end = at + LENGTH_BYTES + int.from_bytes(body[at : at + LENGTH_BYTES], "big")
        if end > len(body) or end == at + LENGTH_BYTES:
            raise ValueError(f"the chunk at byte {at} is cut off or empty")
        blobs.append(body[at + LENGTH_BYTES : end])
        at = end
    return blobs
