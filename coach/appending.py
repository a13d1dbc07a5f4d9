"""One transaction of the append path: recordings are found or begun, and what is new of their chunks is stored."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from coach.store import recordings, wearables
from coach.store.engine import Tx
from devices.codec import encode_chunk
from devices.types import Chunk

# Device and recording; stream id and number of a chunk.
StreamKey = tuple[str, str]
Place = tuple[str, int]


class KnownStream(NamedTuple):
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
class Batch:
    """Chunks of one sender. athlete_id: only what is of that athlete's wearables; None: whatever is known."""

    items: list[tuple[Chunk, bytes]]
    athlete_id: str | None
    sender: Hashable | None = None
    done: bool = False
    keys: list[str] = field(default_factory=list)
    error: Exception | None = None
    # Held until the batch is done, or until its thread has to commit for all who wait.
    turn: threading.Lock = field(default_factory=threading.Lock)


class Appending:
    """One transaction of the append path."""

    def __init__(self, tx: Tx, now: datetime, streams: Mapping[StreamKey, KnownStream], held: bool = False) -> None:
        """streams: what is known of earlier transactions; `found` is what this one adds to it. held: this transaction
        holds the states of all streams (`recordings.hold_streams`), and wants to know `ids`.
        """
        self.counts: Counter[str] = Counter()  # fields of LogCounts
        self.found: dict[StreamKey, KnownStream] = {}
        self.ids: Mapping[Place, int] = {}  # of the chunks that were added, for who holds their streams
        self._held = held
        self._tx = tx
        self._now = now
        self._streams = streams

    def batches(self, batches: Sequence[Batch]) -> None:
        """Store what is new and set each batch's keys."""
        self.find(batches)
        items = [
            (batch, chunk, blob, self.place(chunk, batch.athlete_id))
            for batch in batches
            for chunk, blob in batch.items
        ]
        rows: dict[Place, dict[str, Any]] = {}
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

    def _add(self, rows: Mapping[Place, dict[str, Any]]) -> set[Place]:
        """Insert what is new and return where; what came too late is set aside until its stream is analysed anew."""
        if not self._held:
            recordings.hold_ends(self._tx, {stream_id for stream_id, _ in rows})
        added = set(rows) - recordings.known_chunks(self._tx, rows)
        if not added:
            return added
        fresh = [row for place, row in rows.items() if place in added]
        if self._held:
            self.ids = recordings.add_chunks_told(self._tx, fresh)
        else:
            recordings.add_chunks(self._tx, fresh)
        recordings.note_append(self._tx, {stream_id for stream_id, _ in added}, self._now)
        if not self._held:
            recordings.hold_cursors(self._tx, added)
        late = recordings.late_chunks(self._tx, added)
        for chunk_id, _ in late:
            recordings.put_aside(self._tx, chunk_id, recordings.LATE, self._now)
        self.counts["late"] += len(late)
        if late:
            recordings.wake(self._tx, sorted({stream_id for _, stream_id in late}))
        return added

    def find(self, batches: Sequence[Batch]) -> None:
        """Find the streams that are not known yet, or begin them; not for a wearable that is not the sender's."""
        asked: dict[StreamKey, list[tuple[str | None, float]]] = {}
        for batch in batches:
            for chunk, _ in batch.items:
                key = (chunk.device_id, chunk.recording_id)
                if key not in self._streams:
                    asked.setdefault(key, []).append((batch.athlete_id, chunk.rate_hz))
        if not asked:
            return
        found = recordings.find_streams(self._tx, asked)
        self.found |= {key: KnownStream(*whose) for key, whose in found.items()}
        worn = wearables.by_addresses(self._tx, {device_id for device_id, _ in asked.keys() - found.keys()})
        fresh = [
            (key, worn[key[0]], rates[0])
            for key, senders in sorted(asked.items())  # so that two who begin the same do not wait for each other
            if key not in found
            and key[0] in worn
            and (rates := [rate_hz for whose, rate_hz in senders if whose in (None, worn[key[0]]["athlete_id"])])
        ]
        for (key, wearable, _), stream_id in zip(
            fresh, recordings.add_streams(self._tx, fresh, self._now), strict=True
        ):
            self.found[key] = KnownStream(stream_id, wearable["athlete_id"])

    def place(self, chunk: Chunk, athlete_id: str | None) -> Place | None:
        """Return the chunk's stream and number, None when it is refused."""
        key = (chunk.device_id, chunk.recording_id)
        stream = self._streams.get(key) or self.found.get(key)
        if stream is None or athlete_id not in (None, stream.athlete_id):
            return None
        return stream.stream_id, chunk.seq


def _values(place: Place, chunk: Chunk, blob: bytes, now: datetime) -> dict[str, Any]:
    coded = Coded(place[1], chunk.start_utc_s, chunk.start_index, len(chunk), chunk.missing, blob)
    return {"stream_id": place[0], "received_at": now, **coded._asdict()}
