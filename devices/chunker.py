"""Samples -> chunks of a fixed length on the device's sample grid; a gap is a gap, and nothing is filled.

How the samples are split over calls changes no durable chunk: they are placed in order of arrival, whole.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from devices.grid import SampleGrid
from devices.rows import BoolArray, Rows, gaps_of
from devices.types import NO_RECEPTION, Chunk, FloatArray, Gap, IntArray, Reception

# Samples that wait at most until they are placed; bounds memory while the live interval is long (own heuristic).
_PENDING_MAX = 4096
# The first samples wait until they show the true rate: a second of them, and at least so many (own heuristic).
_SETTLE_S, _SETTLE_SAMPLES = 1.0, 5
# A chunk is closed this long after its end, and two frames after it, so that a frame overtaken by the next one, or sent
# again, still finds it; but never longer than another chunk (own heuristic).
_OVERTAKEN_S, _OVERTAKEN_SAMPLES, _OVERTAKEN_FRAMES = 0.25, 4, 2
# Over a longer gap the grid holds on to the sample behind it: a rate that is a little off would slip (own heuristic).
_JUMP_SAMPLES = 64


@dataclass(frozen=True, slots=True)
class ChunkerParams:
    """What the chunks of one link have in common. rate_hz: as promised, on the device's own clock.

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
class _Open:
    """A chunk being filled, and room for samples that overtake its end. Rows are NaN until their sample arrives."""

    start: int
    ticks: IntArray
    acc_mps2: FloatArray
    gyr_radps: FloatArray
    filled: BoolArray


def _as_received(reception: Reception) -> Reception:
    return reception


class Chunker:
    """Cut one wearable's samples into chunks. Counts are since the start, over all recordings.

    received: samples placed. missing: grid places between the first and the last sample that never got one.
    duplicates: samples for a place that had one. late: samples for a place whose chunk was closed.
    """

    def __init__(
        self,
        params: ChunkerParams,
        recording_id: str,
        utc_of: Callable[[int], float],
        complete: Callable[[Reception], Reception] = _as_received,
        rate_of: Callable[[], float | None] | None = None,
    ) -> None:
        """utc_of: Unix time of a tick. complete: adds what only others know to how a chunk was received.

        rate_of: samples per second as measured, where the ticks do not show it because they number the samples; None
        where they do.
        """
        self._params = params
        self._utc_of, self._complete = utc_of, complete
        self._grid = SampleGrid(params.rate_hz, params.ticks_per_s)
        self._rate_of = rate_of
        self.received = self.missing = self.duplicates = self.late = self.restarts = 0
        self._told = (0, 0, 0)
        self._frame_samples = 1
        self._pending: list[Rows] = []
        self._pending_count = 0
        self._placed_s = float("-inf")
        # The first samples, joined, until they have shown the rate.
        self._settled = False
        self._unsettled = Rows.none()
        self._reset(recording_id)

    def _reset(self, recording_id: str) -> None:
        self._recording_id = recording_id
        self._seq = self._live_seq = 0
        self._use_rate()
        # _next_index is the first number not yet in a closed chunk; _last_*: the newest sample.
        self._anchored = False
        self._next_index = self._live_next = 0
        self._last_tick = 0
        self._last_index = -1
        self._open: _Open | None = None
        self._live: list[tuple[IntArray, Rows]] = []
        self._ready: list[Chunk] = []

    def _use_rate(self) -> None:
        self._rate_hz = self._grid.told_rate_hz(self._rate_of() if self._rate_of else None)
        self._chunk_samples = max(round(self._params.chunk_duration_s * self._rate_hz), 1)

    @property
    def _slack(self) -> int:
        """Return how many places beyond its end a chunk is kept open for."""
        frames = min(_OVERTAKEN_FRAMES * self._frame_samples, self._chunk_samples)
        return max(round(_OVERTAKEN_S * self._rate_hz), _OVERTAKEN_SAMPLES, frames)

    @property
    def rate_hz(self) -> float:
        """Return the rate of the recording's grid, constant within a recording once a second of it has come."""
        return self._rate_hz

    def push(self, rows: Rows, now_s: float, frame_samples: int = 1) -> Cut:
        """Take samples with unwrapped ticks; return what became ready. now_s: real time, of any origin, never falling.

        frame_samples: the most that one notification held.
        Cheap for single samples: they are placed together, at most every `live_s`.
        """
        self._frame_samples = max(self._frame_samples, frame_samples)
        if len(rows):
            self._pending.append(rows)
            self._pending_count += len(rows)
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
        if len(self._unsettled):
            self._settle(self._unsettled, len(self._unsettled))
        while self._open is not None:
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
        if not pending:
            return
        run = Rows.joined(pending)
        if self._settled:
            self._place_run(run)
        else:
            waiting = self._unsettled = Rows.joined([self._unsettled, run])
            enough = waiting.ticks - waiting.ticks[0] >= _SETTLE_S * self._params.ticks_per_s
            enough[: _SETTLE_SAMPLES - 1] = False
            if enough.any():
                self._settle(waiting, int(np.argmax(enough)) + 1)

    def _settle(self, samples: Rows, count: int) -> None:
        """Fix the recording's rate by the first `count` samples, and place all that waited for it."""
        self._settled, self._unsettled = True, Rows.none()
        self._grid.settle(samples.ticks[:count])
        self._use_rate()
        first = samples.ticks[: samples.restarts[0] if samples.restarts else count]
        # The first sample is the earliest of these, also if another one overtook it.
        self._anchor(int(first[:count].min()), 0)
        self._place_run(samples)

    def _place_run(self, run: Rows) -> None:
        cuts = [0, *(at for at in run.restarts if at), len(run.ticks)]
        for start, end in pairwise(cuts):
            part = run.part(slice(start, end))
            if start in run.restarts:
                self._new_grid(int(part.ticks[0]))
            self._place_part(part)

    def _new_grid(self, tick: int) -> None:
        """Go on after a restart of the device's clock: the gap is as long as UTC tells, the grid begins here."""
        self.restarts += 1
        if not self._anchored:
            return
        while self._open is not None:
            self._close()
        self._anchor(tick, self._last_index + max(self._samples_since(tick), 1))

    def _samples_since(self, tick: int) -> int:
        return round((tick - self._last_tick) / self._grid.period)

    def _anchor(self, tick: int, index: int) -> None:
        self._anchored = True
        self._grid.begin(tick, index)
        self._last_tick, self._last_index = tick, max(index - 1, self._last_index)

    def _place_part(self, samples: Rows) -> None:
        """Place samples between two restarts; behind each long gap the grid holds on to the first sample."""
        if not self._anchored:
            self._anchor(int(samples.ticks[0]), 0)
        newest = np.maximum.accumulate(np.concatenate(([self._last_tick], samples.ticks)))
        # By the promised rate, because the measured one may change at other calls' ends.
        far = samples.ticks - newest[:-1] > _JUMP_SAMPLES * self._params.ticks_per_s / self._params.rate_hz
        if not far.any():
            self._place(samples)
            return
        for start, end in pairwise([0, *(np.flatnonzero(far)).tolist(), len(far)]):
            if end == start:
                continue
            part = samples.part(slice(start, end))
            if far[start]:
                tick = int(part.ticks[0])
                self._grid.begin(tick, self._last_index + self._samples_since(tick))
            self._place(part)

    def _place(self, samples: Rows) -> None:
        index = self._grid.index_of(samples.ticks)
        newest = int(np.argmax(index))
        if index[newest] > self._last_index:
            self._last_index, self._last_tick = int(index[newest]), int(samples.ticks[newest])
        while len(index):
            in_time = index >= (self._open.start if self._open else self._next_index)
            if not in_time.all():
                self.late += int(np.count_nonzero(~in_time))
                samples, index = samples.part(in_time), index[in_time]
                if not len(index):
                    return
            if self._open is None:
                self._begin(max(self._next_index, int(index[0]) - self._slack))
                continue
            beyond = index >= self._open.start + len(self._open.filled)
            end = int(np.argmax(beyond)) if beyond.any() else len(index)
            if end:
                self._fill(self._open, index[:end], samples.part(slice(0, end)))
            if end < len(index):
                self._close()
            samples, index = samples.part(slice(end, None)), index[end:]

    def _begin(self, start: int) -> None:
        room = self._chunk_samples + self._slack
        rows = np.full((2, room, 3), np.nan)
        self._open = _Open(start, np.zeros(room, dtype=np.int64), rows[0], rows[1], np.zeros(room, dtype=np.bool_))

    def _fill(self, chunk: _Open, index: IntArray, samples: Rows) -> None:
        slots = index - chunk.start
        fresh = ~chunk.filled[slots]
        if np.any(np.diff(slots) <= 0):
            first = np.zeros(len(slots), dtype=np.bool_)
            first[np.unique(slots, return_index=True)[1]] = True
            fresh &= first
        if not fresh.all():
            self.duplicates += int(np.count_nonzero(~fresh))
            slots, samples, index = slots[fresh], samples.part(fresh), index[fresh]
        if not len(slots):
            return
        chunk.acc_mps2[slots], chunk.gyr_radps[slots] = samples.acc_mps2, samples.gyr_radps
        chunk.ticks[slots], chunk.filled[slots] = samples.ticks, True
        self.received += len(slots)
        self._live.append((index, samples))

    def _close(self) -> None:
        """Hand on the open chunk from its first to its last sample; those beyond its end begin the next one."""
        chunk, self._open = self._open, None
        if chunk is None:
            return
        n = self._chunk_samples
        places = np.flatnonzero(chunk.filled[:n])
        if places.size:
            rows = slice(int(places[0]), int(places[-1]) + 1)
            start, gaps = chunk.start + rows.start, gaps_of(~chunk.filled[rows])
            self.missing += start - self._next_index + sum(gap.count for gap in gaps)
            tick, acc, gyr = int(chunk.ticks[rows.start]), chunk.acc_mps2[rows], chunk.gyr_radps[rows]
            self._ready.append(self._chunk(self._seq, start, tick, acc, gyr, gaps, self._complete(self._reception())))
            self._seq += 1
            self._next_index = chunk.start + rows.stop
        beyond = np.flatnonzero(chunk.filled[n:]) + n
        if beyond.size:
            first = chunk.start + int(beyond[0])
            # Room for samples that were overtaken, unless that would be the same chunk again.
            self._begin(max(self._next_index, first - self._slack) if places.size else first)
            self._fill_from(chunk, beyond)

    def _fill_from(self, chunk: _Open, rows: IntArray) -> None:
        into = self._open
        if into is not None:
            slots = rows + chunk.start - into.start
            into.ticks[slots], into.filled[slots] = chunk.ticks[rows], True
            into.acc_mps2[slots], into.gyr_radps[slots] = chunk.acc_mps2[rows], chunk.gyr_radps[rows]

    def _reception(self) -> Reception:
        counts = (self.duplicates, self.late, self.restarts)
        duplicates, late, restarts = (now - told for now, told in zip(counts, self._told, strict=True))
        self._told = counts
        return Reception(
            duplicates=duplicates, late=late, restarts=restarts, sampling_rate_hz=self._grid.sampling_rate_hz
        )

    def _chunk(
        self,
        seq: int,
        start: int,
        tick: int,
        acc_mps2: FloatArray,
        gyr_radps: FloatArray,
        gaps: tuple[Gap, ...],
        reception: Reception = NO_RECEPTION,
    ) -> Chunk:
        return Chunk(
            self._params.device_id,
            self._recording_id,
            seq,
            self._utc_of(tick),
            start,
            self._rate_hz,
            acc_mps2,
            gyr_radps,
            gaps,
            reception,
        )

    def _cut_live(self) -> tuple[Chunk, ...]:
        """Return the samples placed since the last live block; a block of its own behind each long gap."""
        if not self._live:
            return ()
        index = np.concatenate([part for part, _ in self._live])
        samples = Rows.joined([part for _, part in self._live])
        self._live = []
        order = np.argsort(index, kind="stable")
        order = order[index[order] >= self._live_next]
        runs = np.split(order, np.flatnonzero(np.diff(index[order]) > self._chunk_samples) + 1)
        return tuple(self._live_block(index[run], samples.part(run)) for run in runs if len(run))

    def _live_block(self, index: IntArray, samples: Rows) -> Chunk:
        start, n = int(index[0]), int(index[-1] - index[0]) + 1
        rows = np.full((2, n, 3), np.nan)
        filled = np.zeros(n, dtype=np.bool_)
        slots = index - start
        rows[0][slots], rows[1][slots], filled[slots] = samples.acc_mps2, samples.gyr_radps, True
        block = self._chunk(self._live_seq, start, int(samples.ticks[0]), rows[0], rows[1], gaps_of(~filled))
        self._live_seq += 1
        self._live_next = start + n
        return block
