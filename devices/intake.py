"""Notifications -> decoded, timed, cut: the part of a link that does not touch the radio."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import numpy as np

from devices.chunker import Chunker, ChunkerParams, Cut
from devices.clock import ClockParams, DeviceClock
from devices.hostclock import HostClock
from devices.profiles.types import Decoder, Profile, Started
from devices.types import Chunk, FloatArray, HeartRateSample, IntArray

_LOG = logging.getLogger(__name__)
T = TypeVar("T")

# Device and host may disagree this long in real time, e.g. when the program was stopped (own heuristic).
_TOLERANCE_S = 5.0
# A pause of this many samples, or of a second, is unusual enough to ask the next sample whether it is true.
_STEP_MAX_SAMPLES = 4

# Samples with what the clock needs: ticks (n,), acc (n, 3), gyr (n, 3), arrival (n,).
_Rows = tuple[IntArray, FloatArray, FloatArray, FloatArray]


def tell(sink: Callable[[T], None] | None, value: T) -> None:
    """Hand a value to a consumer; a consumer that fails is logged and does not end the link."""
    if sink is None:
        return
    try:
        sink(value)
    except Exception:  # noqa: BLE001 - whatever a consumer does wrong, the stream goes on
        _LOG.exception("A consumer of the link failed.")


def _swapped(sink: Callable[[T, float], None], moment_s: float, value: T) -> None:
    sink(value, moment_s)


class Intake:
    """One link's notifications, across link losses. All on the hub's loop; counts may be read from any thread.

    `take` only keeps the bytes and the moment; `drain` does the work for all that came since, in one go.
    """

    def __init__(
        self,
        profile: Profile,
        chunks: ChunkerParams,
        recording_id: str,
        host: HostClock,
        host_speed: float,
        on_chunk: Callable[[Chunk], None],
        on_live: Callable[[Chunk], None] | None,
        on_heart: Callable[[HeartRateSample, float], None] | None = None,
    ) -> None:
        """host_speed: how many times faster than real time the host clock runs at most.

        on_heart: for heart rate that comes in the stream; its second argument is the notification's arrival, Unix s.
        """
        self._decoder: Decoder | None = None
        self._host = host
        self._on_chunk, self._on_live, self._on_heart = on_chunk, on_live, on_heart
        step_max_s = max(1.0, _STEP_MAX_SAMPLES / chunks.rate_hz)
        self.clock = DeviceClock(
            ClockParams(chunks.ticks_per_s, profile.tick_wrap, step_max_s, _TOLERANCE_S * max(host_speed, 1.0))
        )
        self.chunker = Chunker(chunks, recording_id, self.clock.utc_s)
        self.frames = self.bad_packets = 0
        self._waiting: list[bytes] = []
        self._arrivals: list[float] = []
        self._undecided: _Rows | None = None

    def begin_session(self, started: Started) -> None:
        """Read from here on, and what waits already, with the decoder of a stream that was just started."""
        self._decoder = started.decoder

    def end_session(self, now_s: float) -> None:
        """Decode what waits; what comes later waits for the decoder of the next session."""
        self.drain(now_s)
        self._decoder = None
        # Frames of a stream whose start never came to its end: nobody knows how to read them.
        self.frames += len(self._waiting)
        self.bad_packets += len(self._waiting)
        self._waiting, self._arrivals = [], []

    def take(self, data: bytes) -> None:
        """Keep one notification and its arrival."""
        self._waiting.append(data)
        self._arrivals.append(self._host.utc_s())

    def drain(self, now_s: float) -> None:
        """Decode, time and cut what waits; hand on what became ready. now_s: real time of any origin."""
        if self._decoder is None or not self._waiting:
            return
        frames, self._waiting = self._waiting, []
        arrivals, self._arrivals = self._arrivals, []
        self.frames += len(frames)
        decoded = self._decoder.decode_many(frames)
        if decoded.bad:
            self.bad_packets += len(decoded.bad)
            _LOG.debug("%d of %d notifications not used: %s", len(decoded.bad), len(frames), decoded.reason)
        for frame, beat in decoded.heart:
            if self._on_heart is not None:
                tell(partial(_swapped, self._on_heart, arrivals[frame]), beat)
        block = decoded.block
        rows = (block.ticks, block.acc_mps2, block.gyr_radps, np.array(arrivals)[decoded.frame_of])
        self._hand_on(self._cut(rows, now_s))

    def _cut(self, rows: _Rows, now_s: float) -> Cut:
        if self._undecided is not None:
            ticks, acc, gyr, arrivals = (np.concatenate(pair) for pair in zip(self._undecided, rows, strict=True))
            rows = (ticks, acc, gyr, arrivals)
        ticks, acc, gyr, arrivals = rows
        timed = self.clock.take(ticks, arrivals)
        self.bad_packets += timed.damaged
        self._undecided = (ticks[-1:], acc[-1:], gyr[-1:], arrivals[-1:]) if timed.undecided else None
        return self.chunker.push(timed.ticks, acc[timed.kept], gyr[timed.kept], timed.restarts, now_s)

    def flush(self, now_s: float) -> None:
        """Hand on all there is, a short chunk included; the recording may go on."""
        self.drain(now_s)
        if self._undecided is not None:
            self._undecided = None
            self.bad_packets += 1
        self._hand_on(self.chunker.flush())

    def new_recording(self, recording_id: str, now_s: float) -> None:
        """End the recording; the next sample is the first of another."""
        self.flush(now_s)
        self._hand_on(self.chunker.new_recording(recording_id))

    def _hand_on(self, cut: Cut) -> None:
        for chunk in cut.chunks:
            tell(self._on_chunk, chunk)
        for block in cut.live:
            tell(self._on_live, block)
