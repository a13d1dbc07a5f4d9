"""Chunks from a log beyond one machine: stored and analysed in one transaction, whose commit is their end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from coach.appending import Appending, Batch, KnownStream, StreamKey
from coach.errors import Conflict
from coach.log import remember
from coach.logs import about
from coach.service.analysed import Analysed, analysed_chunks
from coach.service.ground import Ground
from coach.service.motion import Motion
from coach.store import recordings
from coach.store.engine import Tx
from coach.store.rows import Row
from devices.types import Chunk

# Chunks of one recording that are analysed with one that arrives: of those that waited for it. Own choice.
_AT_A_TIME = 24


class Fate(StrEnum):
    """What became of a chunk that arrived."""

    DONE = "done"  # stored now or before; analysed as far as those before it are there
    OTHER_BYTES = "other bytes"  # its key is taken
    NOBODYS = "nobody's"  # its recording is not in the database, or not any more
    HELD = "held"  # somebody else is at its recording: later


class Arrived(NamedTuple):
    """A chunk, decoded and as bytes."""

    chunk: Chunk
    blob: bytes


@dataclass(frozen=True, slots=True)
class Done:
    """fates: of each, in order. at_once: a day is to be judged without waiting."""

    fates: tuple[Fate, ...]
    at_once: bool = False


class Arrivals:
    """Handle chunks of several athletes together. For PostgreSQL."""

    def __init__(self, ground: Ground, motion: Motion) -> None:
        self._ground, self._motion = ground, motion
        self._streams: dict[StreamKey, KnownStream] = {}  # what is committed

    def handle(self, arrived: Sequence[Arrived]) -> Done:
        """Store chunks and analyse those whose turn it is, in one transaction; what waited for one is read.

        The states of their recordings are held from the start, so that the effect of each chunk happens once whichever
        worker it is handed to, and however often. Raises StoreUnavailable, Overtaken, and whatever else goes wrong:
        then nothing has happened.
        """
        now = self._ground.now()
        try:
            with self._ground.store.begin_append() as tx:
                return self._handle(tx, arrived, now)
        except Conflict:
            self._streams.clear()  # of a recording that is gone, perhaps
            raise

    def _handle(self, tx: Tx, arrived: Sequence[Arrived], now: datetime) -> Done:
        whose = self._whose(tx, arrived, now)
        held = {row["id"]: row for row in recordings.hold_streams(tx, {each.stream_id for each in whose.values()})}
        for key in [key for key, stream in whose.items() if stream.stream_id not in held]:
            self._streams.pop(key, None)  # gone, perhaps: the next look asks
        batches: list[Batch | None] = []
        for each in arrived:
            known = whose.get(_key(each.chunk))
            batches.append(Batch([each], known.athlete_id) if known is not None and known.stream_id in held else None)
        write = Appending(tx, now, whose, held=True)
        write.batches([batch for batch in batches if batch is not None])
        by_stream: dict[str, list[Row]] = {}
        decoded: dict[str, dict[int, Chunk]] = {}
        for chunk, blob in arrived:
            stream = whose.get(_key(chunk))
            chunk_id = write.ids.get((stream.stream_id, chunk.seq)) if stream is not None else None
            if stream is not None and chunk_id is not None:
                by_stream.setdefault(stream.stream_id, []).append(_row(chunk, blob, chunk_id, now))
                decoded.setdefault(stream.stream_id, {})[chunk.seq] = chunk
        fresh = []
        for stream_id, rows in by_stream.items():
            analysed = self._analysed(tx, held[stream_id], rows, decoded[stream_id], now)
            if analysed is not None:
                fresh.append((held[stream_id], analysed))
        self._save(tx, fresh, now)
        fates = [_fate(each, batch, whose, held) for each, batch in zip(arrived, batches, strict=True)]
        return Done(tuple(fates), any(analysed.at_once for _, analysed in fresh))

    def _whose(self, tx: Tx, arrived: Sequence[Arrived], now: datetime) -> Mapping[StreamKey, KnownStream]:
        """Return the recordings by device and recording; who appended has begun them."""
        keys = {_key(each.chunk) for each in arrived}
        if unknown := keys - self._streams.keys():
            found = recordings.find_streams(tx, unknown)
            remember(self._streams, {key: KnownStream(*whose) for key, whose in found.items()})
        return {key: self._streams[key] for key in keys if key in self._streams}

    def _analysed(
        self, tx: Tx, stream: Row, rows: Sequence[Row], decoded: Mapping[int, Chunk], now: datetime
    ) -> Analysed | None:
        """Analyse what follows on the cursor. None: nothing does, or the recording has to be begun again, which is for
        the look at what waits in the table."""
        ordered = sorted(rows, key=lambda row: int(row["seq"]))
        if ordered[-1]["seq"] <= stream["last_seq"]:
            return None
        waiting = stream["max_seq"] > stream["last_seq"] or ordered[0]["seq"] != stream["last_seq"] + 1
        if waiting:
            ordered = recordings.chunks_after(tx, stream["id"], stream["last_seq"], _AT_A_TIME)
        state = self._motion.state_of(tx, stream)
        if state is None:
            return None
        with about(athlete=stream["athlete_id"], stream=stream["id"]):
            analysed = analysed_chunks(state, stream, ordered, now, decoded)
        return analysed if analysed.last_seq > stream["last_seq"] else None

    def _save(self, tx: Tx, fresh: Sequence[tuple[Row, Analysed]], now: datetime) -> None:
        moves = [{"stream_id": stream["id"], **analysed.cursor_values(now)} for stream, analysed in fresh]
        recordings.move_held(tx, moves)
        self._motion.save(tx, fresh, now)


def _key(chunk: Chunk) -> StreamKey:
    return chunk.device_id, chunk.recording_id


def _row(chunk: Chunk, blob: bytes, chunk_id: int, now: datetime) -> Row:
    """Return a chunk as if it had been read."""
    return {
        "id": chunk_id,
        "seq": chunk.seq,
        "start_utc_s": chunk.start_utc_s,
        "start_index": chunk.start_index,
        "received_at": now,
        "blob": blob,
    }


def _fate(
    arrived: Arrived, batch: Batch | None, whose: Mapping[StreamKey, KnownStream], held: Mapping[str, Row]
) -> Fate:
    known = whose.get(_key(arrived.chunk))
    if known is None:
        return Fate.NOBODYS
    if batch is None:
        return Fate.HELD
    return Fate.DONE if batch.keys else Fate.OTHER_BYTES
