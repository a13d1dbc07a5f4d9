"""Samples -> chunks of a fixed length on the device's sample grid; a gap is a gap, and nothing is filled.

How the samples are split over calls changes no durable chunk: they are placed in order of arrival, whole.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from devices.types import Chunk, FloatArray, Gap, IntArray

# Samples that wait at most until they are placed; bounds memory while the live interval is long (own heuristic).
_PENDING_MAX = 4096


@dataclass(frozen=True, slots=True)
class ChunkerParams:
    """What the chunks of one link have in common. rate_hz counts on the device's own clock.

    chunk_duration_s: s of signal in a durable chunk. live_s: least real time in s between two live blocks; during a
    fast replay one live block holds more signal instead of there being more of them.
    """

    device_id: str
    rate_hz: float
    ticks_per_s: int
    chunk_duration_s: float = 5.0
    live_s: float = 0.25


@dataclass(frozen=True, slots=True)
class Cut:
    """What became ready: durable chunks, and live blocks (chunks as well, with a sequence of their own)."""

    chunks: tuple[Chunk, ...] = ()
    live: tuple[Chunk, ...] = ()


_NOTHING = Cut()


@dataclass(slots=True)
class _Samples:
    """Samples in order of arrival. ticks (n,), acc_mps2 (n, 3), gyr_radps (n, 3)."""

    ticks: IntArray
    acc_mps2: FloatArray
    gyr_radps: FloatArray
    restarts: tuple[int, ...] = ()

    def part(self, where: slice | IntArray | NDArray[np.bool_]) -> _Samples:
        return _Samples(self.ticks[where], self.acc_mps2[where], self.gyr_radps[where])


@dataclass(slots=True)
class _Open:
    """A chunk being filled: rows are NaN until their sample arrives; phase is each sample's distance from the grid."""

    start: int
    start_tick: int
    acc_mps2: FloatArray
    gyr_radps: FloatArray
    phase: FloatArray
    filled: NDArray[np.bool_]


class Chunker:
    """Cut one wearable's samples into chunks. Counts are since the start, over all recordings.

    received: samples placed. missing: grid places between the first and the last sample that never got one.
    duplicates: samples for a place that had one. late: samples for a place whose chunk was closed.
    """

    def __init__(self, params: ChunkerParams, recording_id: str, utc_of: Callable[[int], float]) -> None:
        self._params = params
        self._utc_of = utc_of
        self._chunk_samples = max(round(params.chunk_duration_s * params.rate_hz), 1)
        self._period = params.ticks_per_s / params.rate_hz
        self.received = self.missing = self.duplicates = self.late = 0
        self._pending: list[_Samples] = []
        self._pending_count = 0
        self._placed_s = float("-inf")
        self._reset(recording_id)

    def _reset(self, recording_id: str) -> None:
        self._recording_id = recording_id
        self._seq = self._live_seq = 0
        # Grid: the sample at tick _anchor_tick has index _anchor_index; _next_index is the first one not yet closed.
        self._anchored = False
        self._anchor_tick = 0.0
        self._anchor_index = self._next_index = self._live_next = 0
        self._last_tick = 0
        self._last_index = -1
        self._open: _Open | None = None
        self._live: list[tuple[IntArray, _Samples]] = []
        self._ready: list[Chunk] = []

    @property
    def rate_hz(self) -> float:
        return self._params.rate_hz

    def push(
        self, ticks: IntArray, acc_mps2: FloatArray, gyr_radps: FloatArray, restarts: tuple[int, ...], now_s: float
    ) -> Cut:
        """Take samples in order of arrival: ticks (n,) unwrapped, acc and gyr (n, 3); return what became ready.

        restarts: positions at which the device's clock began anew. now_s: real time, of any origin, never falling.
        Cheap for single samples: they are placed together, at most every `live_s`.
        """
        if ticks.size:
            self._pending.append(_Samples(ticks, acc_mps2, gyr_radps, restarts))
            self._pending_count += ticks.size
        if now_s - self._placed_s < self._params.live_s and self._pending_count < _PENDING_MAX:
            return _NOTHING
        due = now_s - self._placed_s >= self._params.live_s
        self._place_pending()
        if due:
            self._placed_s = now_s
        return Cut(self._take_ready(), self._cut_live() if due else ())

    def flush(self) -> Cut:
        """Close the open chunk, however short. The recording may go on: the grid stays."""
        self._place_pending()
        self._close()
        return Cut(self._take_ready(), self._cut_live())

    def new_recording(self, recording_id: str) -> Cut:
        """End the recording and begin another: the next sample has index 0 and both sequences start at 0."""
        cut = self.flush()
        self._reset(recording_id)
        return cut

    def _take_ready(self) -> tuple[Chunk, ...]:
        ready, self._ready = tuple(self._ready), []
        return ready

    def _place_pending(self) -> None:
        pending, self._pending, self._pending_count = self._pending, [], 0
        for run in _joined(pending):
            cuts = [0, *(at for at in run.restarts if at), len(run.ticks)]
            for start, end in pairwise(cuts):
                part = run.part(slice(start, end))
                if start in run.restarts:
                    self._new_grid(int(part.ticks[0]))
                self._place(part)

    def _new_grid(self, tick: int) -> None:
        """Go on after a restart of the device's clock: the gap is as long as UTC tells, the grid begins here."""
        if not self._anchored:
            return
        self._close()
        passed = round((tick - self._last_tick) / self._period)
        self._anchor_tick, self._anchor_index = float(tick), self._last_index + max(passed, 1)

    def _index_of(self, ticks: IntArray) -> tuple[IntArray, FloatArray]:
        """Return the grid index (n,) of each tick, and its distance from the grid in samples (n,)."""
        if not self._anchored:
            self._anchored, self._anchor_tick = True, float(ticks[0])
        exact = (ticks - self._anchor_tick) / self._period
        nearest = np.rint(exact)
        return self._anchor_index + nearest.astype(np.int64), exact - nearest

    def _place(self, samples: _Samples) -> None:
        while samples.ticks.size:
            index, phase = self._index_of(samples.ticks)
            in_time = index >= (self._open.start if self._open else self._next_index)
            if not in_time.all():
                self.late += int(np.count_nonzero(~in_time))
                samples, index, phase = samples.part(in_time), index[in_time], phase[in_time]
                if not samples.ticks.size:
                    return
            if self._open is None:
                self._begin(int(index[0]), int(samples.ticks[0]))
                # The grid may have moved to this sample.
                continue
            beyond = index >= self._open.start + self._chunk_samples
            end = int(np.argmax(beyond)) if beyond.any() else len(index)
            if end:
                self._fill(self._open, index[:end], phase[:end], samples.part(slice(0, end)))
            if end < len(index):
                self._close()
            samples = samples.part(slice(end, None))

    def _begin(self, index: int, tick: int) -> None:
        n = self._chunk_samples
        if index - self._next_index > n:
            # Over a long gap a clock that is a little off may slip against the grid: hold on to this sample.
            self._anchor_tick, self._anchor_index = float(tick), index
        self.missing += index - self._next_index
        rows = np.full((2, n, 3), np.nan)
        self._open = _Open(index, tick, rows[0], rows[1], np.zeros(n), np.zeros(n, dtype=np.bool_))

    def _fill(self, chunk: _Open, index: IntArray, phase: FloatArray, samples: _Samples) -> None:
        slots = index - chunk.start
        fresh = ~chunk.filled[slots]
        if np.any(np.diff(slots) <= 0):
            first = np.zeros(len(slots), dtype=np.bool_)
            first[np.unique(slots, return_index=True)[1]] = True
            fresh &= first
        if not fresh.all():
            self.duplicates += int(np.count_nonzero(~fresh))
            slots, phase, samples, index = slots[fresh], phase[fresh], samples.part(fresh), index[fresh]
        if not len(slots):
            return
        chunk.acc_mps2[slots], chunk.gyr_radps[slots] = samples.acc_mps2, samples.gyr_radps
        chunk.phase[slots], chunk.filled[slots] = phase, True
        self.received += len(slots)
        newest = int(np.argmax(index))
        if index[newest] > self._last_index:
            self._last_index, self._last_tick = int(index[newest]), int(samples.ticks[newest])
        self._live.append((index, samples))

    def _close(self) -> None:
        """End the open chunk after its last sample."""
        chunk, self._open = self._open, None
        if chunk is None or not chunk.filled.any():
            return
        n = int(np.flatnonzero(chunk.filled)[-1]) + 1
        gaps = _gaps(chunk.filled[:n])
        self.missing += sum(gap.count for gap in gaps)
        self._ready.append(
            self._chunk(self._seq, chunk.start, chunk.start_tick, chunk.acc_mps2[:n], chunk.gyr_radps[:n], gaps)
        )
        self._seq += 1
        self._next_index = chunk.start + n
        self._follow_phase(chunk.start + n - 1, float(np.median(chunk.phase[chunk.filled])))

    def _follow_phase(self, index: int, phase: float) -> None:
        """Move the grid's anchor to `index` and by the chunk's median distance, so that rounding never slips."""
        self._anchor_tick += (index - self._anchor_index + phase) * self._period
        self._anchor_index = index

    def _chunk(
        self, seq: int, start: int, tick: int, acc_mps2: FloatArray, gyr_radps: FloatArray, gaps: tuple[Gap, ...]
    ) -> Chunk:
        p = self._params
        utc_s = self._utc_of(tick)
        return Chunk(p.device_id, self._recording_id, seq, utc_s, start, p.rate_hz, acc_mps2, gyr_radps, gaps)

    def _cut_live(self) -> tuple[Chunk, ...]:
        """Return the samples placed since the last live block; a block of its own behind each long gap."""
        if not self._live:
            return ()
        index = np.concatenate([part for part, _ in self._live])
        (samples,) = _joined([part for _, part in self._live])
        self._live = []
        order = np.argsort(index, kind="stable")
        order = order[index[order] >= self._live_next]
        runs = np.split(order, np.flatnonzero(np.diff(index[order]) > self._chunk_samples) + 1)
        return tuple(self._live_block(index[run], samples.part(run)) for run in runs if len(run))

    def _live_block(self, index: IntArray, samples: _Samples) -> Chunk:
        start, n = int(index[0]), int(index[-1] - index[0]) + 1
        rows = np.full((2, n, 3), np.nan)
        filled = np.zeros(n, dtype=np.bool_)
        slots = index - start
        rows[0][slots], rows[1][slots], filled[slots] = samples.acc_mps2, samples.gyr_radps, True
        block = self._chunk(self._live_seq, start, int(samples.ticks[0]), rows[0], rows[1], _gaps(filled))
        self._live_seq += 1
        self._live_next = start + n
        return block


def _joined(parts: list[_Samples]) -> list[_Samples]:
    """Return all parts as one, or nothing for nothing."""
    if len(parts) < 2:
        return parts
    restarts: list[int] = []
    at = 0
    for part in parts:
        restarts.extend(at + restart for restart in part.restarts)
        at += len(part.ticks)
    return [
        _Samples(
            np.concatenate([part.ticks for part in parts]),
            np.concatenate([part.acc_mps2 for part in parts]),
            np.concatenate([part.gyr_radps for part in parts]),
            tuple(restarts),
        )
    ]


def _gaps(filled: NDArray[np.bool_]) -> tuple[Gap, ...]:
    """Return the runs that are not filled."""
    if filled.all():
        return ()
    edges = np.flatnonzero(np.diff(np.concatenate(([True], filled, [True])).astype(np.int8)))
    return tuple(Gap(int(start), int(end - start)) for start, end in zip(edges[::2], edges[1::2], strict=True))
