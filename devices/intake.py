"""Notifications -> decoded, timed, cut: the part of a link that does not touch the radio."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TypeVar

import numpy as np

from devices.chunker import Chunker, ChunkerParams, Cut
from devices.clock import DeviceClock
from devices.hostclock import HostClock
from devices.profiles.types import Decoder, Profile, Started
from devices.rows import Rows
from devices.timing import SampleTiming, TimingParams
from devices.types import Chunk, HeartRateSample, Reception

_LOG = logging.getLogger(__name__)
T = TypeVar("T")


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
        params = TimingParams(
            chunks.rate_hz, profile.ticks_per_s, profile.tick_wrap, profile.separate, max(host_speed, 1.0)
        )
        self._timing = SampleTiming(params)
        self.chunker = Chunker(
            replace(chunks, ticks_per_s=params.unwrapped_ticks_per_s),
            recording_id,
            self.clock.utc_s,
            self._completed,
            self._timing.measured_rate_hz,
        )
        self.frames = self._bad_frames = 0
        # What the chunk before knew: damaged, unjoined.
        self._told = (0, 0)
        self._started: Started | None = None
        self._waiting: list[bytes] = []
        self._arrivals: list[float] = []

    @property
    def clock(self) -> DeviceClock:
        return self._timing.clock

    @property
    def bad_packets(self) -> int:
        """Return how many notifications and time stamps could not be used."""
        return self._bad_frames + self._timing.damaged

    def begin_session(self, started: Started) -> None:
        """Read from here on, and what waits already, with the decoder of a stream that was just started."""
        self._decoder, self._started = started.decoder, started
        self._timing.begin_session(joined=started.gyr_limit_radps is not None)

    def end_session(self, now_s: float) -> None:
        """Decode what waits; what comes later waits for the decoder of the next session."""
        self.drain(now_s)
        if self._decoder is not None:
            self._hand_on(self.chunker.push(self._timing.end_session(), now_s))
        self._decoder = None
        # Frames of a stream whose start never came to its end: nobody knows how to read them.
        self.frames += len(self._waiting)
        self._bad_frames += len(self._waiting)
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
            self._bad_frames += len(decoded.bad)
            _LOG.debug("%d of %d notifications not used: %s", len(decoded.bad), len(frames), decoded.reason)
        for frame, beat in decoded.heart:
            if self._on_heart is not None:
                tell(partial(_swapped, self._on_heart, arrivals[frame]), beat)
        block = decoded.block
        rows = Rows(block.ticks, block.acc_mps2, block.gyr_radps)
        timed = self._timing.take(rows, np.array(arrivals)[decoded.frame_of])
        frame_samples = int(np.bincount(decoded.frame_of).max(initial=1)) if len(rows) else 1
        self._hand_on(self.chunker.push(timed, now_s, frame_samples))

    def _completed(self, reception: Reception) -> Reception:
        """Add to how a chunk was received what is known here."""
        started, drift_ppm = self._started, self.clock.drift_ppm
        damaged, unjoined = self.bad_packets, self._timing.unjoined
        before, self._told = self._told, (damaged, unjoined)
        sampling_rate_hz = self._timing.measured_rate_hz()
        if sampling_rate_hz is None and reception.sampling_rate_hz is not None:
            sampling_rate_hz = reception.sampling_rate_hz * (1 + (drift_ppm or 0.0) * 1e-6)
        return replace(
            reception,
            damaged=damaged - before[0],
            unjoined=unjoined - before[1],
            sampling_rate_hz=sampling_rate_hz,
            drift_ppm=drift_ppm,
            clock_uncertainty_s=self.clock.uncertainty_s,
            acc_limit_mps2=started.acc_limit_mps2 if started else None,
            gyr_limit_radps=started.gyr_limit_radps if started else None,
        )

    def flush(self, now_s: float) -> None:
        """Hand on all there is, a short chunk included; the recording may go on."""
        self.drain(now_s)
        self._hand_on(self.chunker.push(self._timing.flush(), now_s))
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
