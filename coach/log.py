"""The chunk log: what is acknowledged is durable."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from coach.appending import Appending, Batch, Coded, KnownStream, StreamKey
from coach.errors import CoachError, Conflict, NotAllowed, StoreUnavailable
from coach.store import recordings
from coach.store.engine import Store, Tx
from devices.codec import decode_chunk, encode_chunk
from devices.errors import DeviceError
from devices.hostclock import HostClock
from devices.types import Chunk

if TYPE_CHECKING:
    from coach.jetstream.taking import Taker

# Bytes on the way of one POST: a number of this many bytes before each chunk, big endian.
LENGTH_BYTES = 4
# Samples of all chunks of one POST together. Chunks of silence are tiny and unpack to megabytes; this is 48 MB of
# memory, and three hours of one wearable at 100 Hz. Own bound.
_SAMPLES_MAX = 1_000_000
# Streams that are known without asking the database. Own choice: far more than send at one time.
_STREAMS_MAX = 4096

# Says whose signal each sender may hand in at this moment; who may not is left out.
Admit = Callable[[Tx, Collection[Any]], Mapping[Any, str]]


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


class TableChunkLog:
    """The log on one machine: a table of the store.

    Group commit without a thread of its own: callers queue; the first commits for all who wait by then, wakes each of
    them, and hands on to the first who came meanwhile. So nobody waits for more than the commit under way and the
    next. Thread-safe; several processes may append to the same file.
    """

    def __init__(self, store: Store, clock: HostClock, admit: Admit | None = None) -> None:
        """admit: for `append_from`."""
        self._store = store
        self._clock = clock
        self._admit = admit
        self._queue: list[Batch] = []
        self._queue_lock = threading.Lock()
        self._committing = False
        self._commit_lock = threading.Lock()
        self._listeners: list[Callable[[], None]] = []
        self._counts = LogCounts()
        self._streams: dict[StreamKey, KnownStream] = {}  # only with the commit lock, only what is committed

    @property
    def counts(self) -> LogCounts:
        """Return what was stored, known and refused so far."""
        return self._counts

    def on_append(self, listener: Callable[[], None]) -> None:
        """Call `listener()` after each commit, on the thread that appended."""
        self._listeners.append(listener)

    def taker(self) -> Taker | None:
        """Return what hands chunks over that are acknowledged and not in the table yet; here they all are."""
        return None

    def waiting(self) -> int:
        """Return how many acknowledged chunks are not in the table yet; here none ever is. Raises StoreUnavailable."""
        return 0

    def waits_since(self) -> datetime | None:
        """Return since when the oldest of those waits; here none ever does. Raises StoreUnavailable."""
        return None

    def forget(self, athlete_id: str) -> None:
        """Remove an athlete's chunks that are not in the table yet; here none ever is. Raises StoreUnavailable."""

    def put_back(self, blob: bytes) -> None:
        """Store a chunk that was given up straight in the table, also where chunks go through a stream first.

        Raises Conflict when it is no chunk or is refused, StoreUnavailable.
        """
        try:
            batch = Batch(list(zip(decode_chunks([blob]), [blob], strict=True)), None)
        except (DeviceError, ValueError) as error:
            raise Conflict(f"It is no chunk, and will never be one: {error}") from None
        with self._commit_lock:
            try:
                TableChunkLog._transaction(self, [batch])
            except Conflict:
                self._streams.clear()  # see `_write`
                TableChunkLog._transaction(self, [batch])
        if not batch.keys:
            raise Conflict("The log refuses this chunk: other bytes have its number, or nobody here wears its sensor.")
        for listener in self._listeners:
            listener()

    def append(self, chunks: Sequence[Chunk]) -> tuple[str, ...]:
        """See ChunkLog. A chunk that cannot be coded is refused."""
        items: list[tuple[Chunk, bytes]] = []
        for chunk in chunks:
            try:
                items.append((chunk, encode_chunk(chunk)))
            except DeviceError:
                self._count(refused=1)
        return self._commit(Batch(items, None))

    def append_encoded(self, blobs: Sequence[bytes], athlete_id: str | None = None) -> tuple[str, ...]:
        """Store coded chunks as they are; with athlete_id only those of that athlete's wearables, the rest is refused.

        Raises BadPacket or UnknownFormat (devices) when one of them cannot be decoded, ValueError for too many samples:
        then nothing is stored.
        """
        return self._commit(Batch(list(zip(decode_chunks(blobs), blobs, strict=True)), athlete_id))

    def append_together(self, posts: Sequence[tuple[Sequence[bytes], Hashable]]) -> list[tuple[str, ...] | None]:
        """Store coded chunks of several senders in one transaction, which also asks whose signal each may hand in.

        posts: chunks and sender of each. Returns the keys of each that are stored; None for a sender who may not, and
        for chunks that cannot be decoded. Raises StoreUnavailable: nothing was stored.
        """
        batches = [_batch_of(blobs, sender) for blobs, sender in posts]
        waiting = [batch for batch in batches if batch is not None]
        if waiting:
            with self._commit_lock:
                self._write(waiting)
            for listener in self._listeners:
                listener()
        for batch in waiting:
            if batch.error is not None and not isinstance(batch.error, NotAllowed):
                raise batch.error
        return [None if batch is None or batch.error else tuple(batch.keys) for batch in batches]

    def append_whole(self, write: Callable[[Tx], Mapping[str, Sequence[Coded]]]) -> None:
        """Store chunks, all of them or none, in one transaction with what `write` does.

        write(tx): returns new chunks by stream id; called again where others overtook it. Raises Conflict when a
        number is taken, StoreUnavailable, and whatever `write` raises; then nothing was changed.
        """
        now = datetime.fromtimestamp(self._clock.utc_s(), UTC)

        def whole() -> None:
            with self._store.begin_append() as tx:
                written = write(tx)
                recordings.hold_ends(tx, written.keys())
                for stream_id, chunks in written.items():
                    rows = [{"stream_id": stream_id, "received_at": now, **each._asdict()} for each in chunks]
                    recordings.add_chunks(tx, rows)
                    if rows:
                        recordings.note_append(tx, [stream_id], now)

        with self._commit_lock:
            self._store.repeat(whole)
        for listener in self._listeners:
            listener()

    def _commit(self, batch: Batch) -> tuple[str, ...]:
        batch.turn.acquire()
        with self._queue_lock:
            self._queue.append(batch)
            mine, self._committing = not self._committing, True
        if not mine:
            batch.turn.acquire()  # until somebody lets go of it
        if not batch.done:
            self._commit_all()
        if batch.error is not None:
            raise batch.error
        for listener in self._listeners:
            listener()
        return tuple(batch.keys)

    def _commit_all(self) -> None:
        """Commit for all who wait now; then it is the turn of the first who came meanwhile."""
        with self._queue_lock:
            waiting, self._queue = self._queue, []
        try:
            with self._commit_lock:
                self._write(waiting)
        finally:
            with self._queue_lock:
                following = self._queue[0] if self._queue else None
                self._committing = following is not None
            for batch in (*waiting, following):
                if batch is not None:
                    batch.turn.release()

    def _write(self, batches: list[Batch]) -> None:
        # Whatever goes wrong below, nobody who waits may take it for an acknowledgement.
        error: CoachError | None = StoreUnavailable("The commit was interrupted: send the chunks again.")
        try:
            try:
                self._transaction(batches)
            except Conflict:
                # Another process made the same stream at this moment, or a stream that is known here is gone.
                self._streams.clear()
                self._transaction(batches)
            error = None
        except CoachError as caught:
            error = caught
        finally:
            for batch in batches:
                batch.error, batch.done = error or batch.error, True

    def _transaction(self, batches: list[Batch]) -> None:
        now = datetime.fromtimestamp(self._clock.utc_s(), UTC)
        for batch in batches:
            batch.keys.clear()
        with self._store.begin_append() as tx:
            self._ask(tx, batches)
            write = Appending(tx, now, self._streams)
            write.batches([batch for batch in batches if batch.error is None])
        remember(self._streams, write.found)
        self._count(**write.counts)

    def _ask(self, tx: Tx, batches: Sequence[Batch]) -> None:
        """Give each batch with a sender the athlete whose signal that one may hand in now, or the error."""
        asked = [batch for batch in batches if batch.sender is not None]
        admitted = self._admit(tx, [batch.sender for batch in asked]) if asked and self._admit else {}
        for batch in asked:
            batch.athlete_id = admitted.get(batch.sender)
            batch.error = None if batch.athlete_id else NotAllowed("This sender may hand in no signal now.")

    def _count(self, stored: int = 0, known: int = 0, refused: int = 0, late: int = 0) -> None:
        with self._queue_lock:
            old = self._counts
            self._counts = LogCounts(old.stored + stored, old.known + known, old.refused + refused, old.late + late)


def remember(streams: dict[StreamKey, KnownStream], found: Mapping[StreamKey, KnownStream]) -> None:
    """Keep what a committed transaction found or began for the next ones."""
    if len(streams) > _STREAMS_MAX:
        streams.clear()
    streams |= found


def _batch_of(blobs: Sequence[bytes], sender: Hashable) -> Batch | None:
    try:
        return Batch(list(zip(decode_chunks(blobs), blobs, strict=True)), None, sender)
    except (DeviceError, ValueError):
        return None


def decode_chunks(blobs: Sequence[bytes]) -> list[Chunk]:
    """Return the chunks of a POST. Raises DeviceError, and ValueError for more samples than one may hold."""
    chunks: list[Chunk] = []
    samples = 0
    for blob in blobs:
        chunks.append(decode_chunk(blob))
        samples += len(chunks[-1])
        if samples > _SAMPLES_MAX:
            raise ValueError(f"these {len(blobs)} chunks hold more than {_SAMPLES_MAX} samples: send fewer at a time")
    return chunks


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
