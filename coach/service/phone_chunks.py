"""Cut the gathered readings of a phone's session into chunks. Pure: rows in, chunks out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from devices.phone import Gathered, PhoneGrid
from devices.rows import gaps_of
from devices.types import Chunk

# Samples of a live block at most: what waited longer is not live. Own choice.
_LIVE_MAX = 2000


@dataclass(frozen=True, slots=True)
class Place:
    """Where a session's chunks go on: ids of device and recording, number of the next sample and of the next chunk."""

    device_id: str
    recording_id: str
    next_index: int
    next_seq: int


@dataclass(frozen=True, slots=True)
class Cut:
    """chunks: of the session's recording. next_index, next_seq: where the next cut goes on."""

    chunks: tuple[Chunk, ...]
    next_index: int
    next_seq: int


def cut(gathered: Gathered, grid: PhoneGrid, place: Place, chunk_s: float, order_s: float | None) -> Cut:
    """Return the chunks that are complete: their end is `order_s` behind the newest sample; None: all that is there.

    Chunk k of the grid holds the samples k n .. (k + 1) n - 1, from its first to its last one; where nothing came,
    there is no chunk.
    """
    count = max(round(chunk_s * grid.rate_hz), 1)
    end = gathered.end_index(grid)
    limit = end if order_s is None else end - round(order_s * grid.rate_hz)
    index, seq, chunks = place.next_index, place.next_seq, []
    while True:
        first = gathered.first_index(grid, index)
        # Over a pause there is nothing to cut.
        begin = index if first is None else max(index, first // count * count)
        stop = begin // count * count + count
        if stop > limit and not (order_s is None and first is not None and begin < end):
            break
        stop = min(stop, end)
        chunk = _chunk(gathered, grid, begin, stop, seq, place)
        index = stop
        if chunk is not None:
            chunks.append(chunk)
            seq += 1
    return Cut(tuple(chunks), index, seq)


def live_block(gathered: Gathered, grid: PhoneGrid, start: int, place: Place) -> Chunk | None:
    """Return what is new since sample `start`, as a chunk for the live line; None when nothing is."""
    end = gathered.end_index(grid, joined=True)
    first = gathered.first_index(grid, max(start, end - _LIVE_MAX))
    if first is None or first >= end:
        return None
    return _chunk(gathered, grid, first, end, 0, place)


def _chunk(gathered: Gathered, grid: PhoneGrid, start: int, stop: int, seq: int, place: Place) -> Chunk | None:
    acc, gyr = gathered.rows(grid, start, stop)
    there = np.flatnonzero(np.isfinite(acc[:, 0]))
    if not there.size:
        return None
    rows = slice(int(there[0]), int(there[-1]) + 1)
    begin = start + rows.start
    return Chunk(
        place.device_id,
        place.recording_id,
        seq,
        grid.origin_utc_s + begin / grid.rate_hz,
        begin,
        grid.rate_hz,
        acc[rows],
        gyr[rows],
        gaps_of(np.isnan(acc[rows, 0])),
    )
