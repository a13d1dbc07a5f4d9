"""The chunk log: what is acknowledged is durable."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol

from coach.errors import CoachError, Conflict, NotAllowed, StoreUnavailable
from coach.store import recordings, wearables
from coach.store.engine import Store, Tx
from devices.codec import decode_chunk, encode_chunk
from devices.errors import DeviceError
from devices.hostclock import HostClock
from devices.types import Chunk

# Bytes on the way of one POST: a number of this many bytes before each chunk, big endian.
LENGTH_BYTES = 4
# Samples of all chunks of one POST together. Chunks of silence are tiny and unpack to megabytes; this is 48 MB of
# memory, and three hours of one wearable at 100 Hz. Own bound.
_SAMPLES_MAX = 1_000_000
# Streams that are known without asking the database. Own choice: far more than send at one time.
_STREAMS_MAX = 4096

# Says whose signal each sender may hand in at this moment; who may not is left out.
Admit = Callable[[Tx, Collection[Any]], Mapping[Any, str]]
# Device and recording; stream id and number of a chunk.
_StreamKey = tuple[str, str]
_Place = tuple[str, int]


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


class _Stream(NamedTuple):
    """What never changes of a stream."""

    stream_id: str
    athlete_id: str


class Coded(NamedTuple):
    """A chunk as it is stored, without its stream. The fields are columns."""

    seq: int
    start_utc_s: float
    start_index: int
    samples: int
    missing: int
    blob: bytes

    @classmethod
    def of(cls, chunk: Chunk) -> Coded:
        """Code a chunk. Raises BadPacket."""
        blob = encode_chunk(chunk)
        return cls(chunk.seq, chunk.start_utc_s, chunk.start_index, len(chunk), chunk.missing, blob)


@dataclass(slots=True)
class _Batch:
    items: list[tuple[Chunk, bytes]]
    athlete_id: str | None
    sender: Hashable | None = None
    done: bool = False
    keys: list[str] = field(default_factory=list)
    error: Exception | None = None
    # Held until the batch is done, or until its thread has to commit for all who wait.
    turn: threading.Lock = field(default_factory=threading.Lock)


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
        self._queue: list[_Batch] = []
        self._queue_lock = threading.Lock()
        self._committing = False
        self._commit_lock = threading.Lock()
        self._listeners: list[Callable[[], None]] = []
        self._counts = LogCounts()
        self._streams: dict[_StreamKey, _Stream] = {}  # only with the commit lock, only what is committed

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

        Raises BadPacket or UnknownFormat (devices) when one of them cannot be decoded, ValueError for too many samples:
        then nothing is stored.
        """
        return self._commit(_Batch(list(zip(decode_chunks(blobs), blobs, strict=True)), athlete_id))

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

        write(tx): returns new chunks by stream id. Raises Conflict when a number is taken, StoreUnavailable, and
        whatever `write` raises; then nothing was changed.
        """
        now = datetime.fromtimestamp(self._clock.utc_s(), UTC)
        with self._commit_lock, self._store.begin_append() as tx:
            for stream_id, chunks in write(tx).items():
                rows = [{"stream_id": stream_id, "received_at": now, **each._asdict()} for each in chunks]
                recordings.add_chunks(tx, rows)
                if rows:
                    recordings.note_append(tx, [stream_id], now)
        for listener in self._listeners:
            listener()

    def _commit(self, batch: _Batch) -> tuple[str, ...]:
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

    def _write(self, batches: list[_Batch]) -> None:
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

    def _transaction(self, batches: list[_Batch]) -> None:
        now = datetime.fromtimestamp(self._clock.utc_s(), UTC)
        for batch in batches:
            batch.keys.clear()
        with self._store.begin_append() as tx:
            self._ask(tx, [batch for batch in batches if batch.sender is not None])
            write = _Write(tx, now, self._streams)
            write.batches([batch for batch in batches if batch.error is None])
        if len(self._streams) > _STREAMS_MAX:
            self._streams.clear()
        self._streams |= write.found
        self._count(**write.counts)

    def _ask(self, tx: Tx, batches: Sequence[_Batch]) -> None:
        """Give each batch the athlete whose signal its sender may hand in now, or the error."""
        admitted = self._admit(tx, [batch.sender for batch in batches]) if batches and self._admit else {}
        for batch in batches:
            batch.athlete_id = admitted.get(batch.sender)
            batch.error = None if batch.athlete_id else NotAllowed("This sender may hand in no signal now.")

    def _count(self, stored: int = 0, known: int = 0, refused: int = 0, late: int = 0) -> None:
        with self._queue_lock:
            old = self._counts
            self._counts = LogCounts(old.stored + stored, old.known + known, old.refused + refused, old.late + late)


def _batch_of(blobs: Sequence[bytes], sender: Hashable) -> _Batch | None:
    try:
        return _Batch(list(zip(decode_chunks(blobs), blobs, strict=True)), None, sender)
    except (DeviceError, ValueError):
        return None


class _Write:
    """One transaction of the append path."""

    def __init__(self, tx: Tx, now: datetime, streams: Mapping[_StreamKey, _Stream]) -> None:
        self.counts: Counter[str] = Counter()  # fields of LogCounts
        self.found: dict[_StreamKey, _Stream] = {}
        self._tx = tx
        self._now = now
        self._streams = streams

    def batches(self, batches: Sequence[_Batch]) -> None:
        """Store what is new and set each batch's keys."""
        self._find(batches)
        items = [
            (batch, chunk, blob, self._place(chunk, batch.athlete_id))
            for batch in batches
            for chunk, blob in batch.items
        ]
        rows: dict[_Place, dict[str, Any]] = {}
        for _, chunk, blob, place in items:
            if place is not None and place not in rows:
                rows[place] = _values(place, chunk, blob, self._now)
        added = self._add(rows) if rows else set()
        untold = set(added)
        for batch, chunk, blob, place in items:
            if place is None:
                told = "refused"
            elif place in untold:
                untold.remove(place)
                told = "stored"
            elif place in added:
                told = "known" if rows[place]["blob"] == blob else "refused"
            else:
                told = "known" if recordings.same_bytes(self._tx, *place, blob) else "refused"
            self.counts[told] += 1
            if told != "refused":
                batch.keys.append(chunk.key)

    def _add(self, rows: Mapping[_Place, dict[str, Any]]) -> set[_Place]:
        """Insert what is new and return where; what came too late is set aside until its stream is analysed anew."""
        added = set(rows) - recordings.known_chunks(self._tx, rows)
        if not added:
            return added
        recordings.add_chunks(self._tx, [row for place, row in rows.items() if place in added])
        recordings.note_append(self._tx, {stream_id for stream_id, _ in added}, self._now)
        recordings.hold_cursors(self._tx, added)
        late = recordings.late_chunks(self._tx, added)
        for chunk_id, _ in late:
            recordings.put_aside(self._tx, chunk_id, recordings.LATE, self._now)
        self.counts["late"] += len(late)
        if late:
            recordings.wake(self._tx, sorted({stream_id for _, stream_id in late}))
        return added

    def _find(self, batches: Sequence[_Batch]) -> None:
        """Find the streams that are not known yet, or begin them; not for a wearable that is not the sender's."""
        asked: dict[_StreamKey, list[tuple[str | None, float]]] = {}
        for batch in batches:
            for chunk, _ in batch.items:
                key = (chunk.device_id, chunk.recording_id)
                if key not in self._streams:
                    asked.setdefault(key, []).append((batch.athlete_id, chunk.rate_hz))
        if not asked:
            return
        found = recordings.find_streams(self._tx, asked)
        self.found |= {key: _Stream(*whose) for key, whose in found.items()}
        worn = wearables.by_addresses(self._tx, {device_id for device_id, _ in asked.keys() - found.keys()})
        fresh = [
            (key, worn[key[0]], rates[0])
            for key, senders in asked.items()
            if key not in found
            and key[0] in worn
            and (rates := [rate_hz for whose, rate_hz in senders if whose in (None, worn[key[0]]["athlete_id"])])
        ]
        for (key, wearable, _), stream_id in zip(
            fresh, recordings.add_streams(self._tx, fresh, self._now), strict=True
        ):
            self.found[key] = _Stream(stream_id, wearable["athlete_id"])

    def _place(self, chunk: Chunk, athlete_id: str | None) -> _Place | None:
        """Return the chunk's stream and number, None when it is refused."""
        key = (chunk.device_id, chunk.recording_id)
        stream = self._streams.get(key) or self.found.get(key)
        if stream is None or athlete_id not in (None, stream.athlete_id):
            return None
        return stream.stream_id, chunk.seq


def _values(place: _Place, chunk: Chunk, blob: bytes, now: datetime) -> dict[str, Any]:
    coded = Coded(place[1], chunk.start_utc_s, chunk.start_index, len(chunk), chunk.missing, blob)
    return {"stream_id": place[0], "received_at": now, **coded._asdict()}


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
