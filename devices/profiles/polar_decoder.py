"""The decoder of a Polar stream: frames of several measurements in turn -> samples with their times.

Source: polarofficial/polar-ble-sdk: online_measurement.pdf v1.0, PmdTimeStampUtils.kt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from devices.errors import BadPacket
from devices.profiles.polar_frames import (
    Frame,
    acceleration_mps2,
    angular_rate_radps,
    heart_samples,
    sample_times_ns,
    split_frame,
)
from devices.profiles.polar_uuids import Measurement
from devices.profiles.types import Decoded
from devices.types import FloatArray, HeartRateSample, IntArray, SampleBlock

# u64 ns since 2000. A quarter of the range of int64 leaves room for differences and sums; it ends in the year 2146.
TICK_WRAP = 2**62
# Two frames belong together if the time between them is what their samples take, to this share: a lost frame makes it
# half as much again at least, and no oscillator is a tenth off (own heuristic).
_FOLLOWS_SHARE = 0.1
# Full scale is nominal: a calibrated value may lie a little beyond it (own heuristic).
_BEYOND = 1.1


@dataclass(frozen=True, slots=True)
class Stream:
    """One measurement as it was started. step_ns: between two samples; limit: full scale in SI units.

    factor: as the start answered, None if it gave none. Both scales are without meaning for pulse intervals.
    """

    step_ns: float
    limit: float
    factor: float | None = None


@dataclass(frozen=True, slots=True)
class _Last:
    """The frame before, of the same measurement and type: its time stamp and the times of its samples."""

    timestamp_ns: int
    times_ns: IntArray
    step_ns: float


@dataclass(frozen=True, slots=True)
class _Rows:
    """The samples of one frame; NaN for the sensor it does not tell of."""

    times_ns: IntArray
    acc_mps2: FloatArray
    gyr_radps: FloatArray


class PmdDecoder:
    """Reads the data notifications of one connection. Keeps the time stamp of the frame before, nothing else."""

    def __init__(self, streams: Mapping[Measurement, Stream]) -> None:
        self._streams = dict(streams)
        self._last: dict[tuple[int, bool, int], _Last] = {}

    def decode_many(self, frames: Sequence[bytes]) -> Decoded:
        """Return the samples of all valid frames, in order; the others are named in `bad`."""
        parts: list[_Rows] = []
        counts: list[tuple[int, int]] = []
        bad: list[int] = []
        hearts: list[tuple[int, HeartRateSample]] = []
        reason: str | None = None
        for position, data in enumerate(frames):
            try:
                frame = split_frame(data)
                stream = self._stream_of(frame)
                if frame.measurement == Measurement.PPI:
                    hearts += [(position, sample) for sample in heart_samples(frame)]
                    continue
                rows = self._rows(frame, stream)
            except BadPacket as error:
                bad.append(position)
                reason = reason or str(error)
                continue
            parts.append(rows)
            counts.append((position, len(rows.times_ns)))
        frame_of = np.repeat([at for at, _ in counts], [count for _, count in counts]).astype(np.int64)
        return Decoded(_joined(parts), frame_of, tuple(bad), reason, tuple(hearts))

    def _stream_of(self, frame: Frame) -> Stream:
        if frame.measurement not in self._streams:
            raise BadPacket(f"A {frame.what} was not asked for; not used.")
        return self._streams[Measurement(frame.measurement)]

    def _rows(self, frame: Frame, stream: Stream) -> _Rows:
        if frame.timestamp_ns >= TICK_WRAP:
            raise BadPacket(f"A {frame.what} says a time after the year 2146; not used.")
        if frame.measurement == Measurement.ACC:
            values = acceleration_mps2(frame, stream.factor)
        else:
            values = angular_rate_radps(frame, stream.factor)
        # Counts of a factor end with their 16 bits, somewhat beyond the nominal scale: what lies there was measured.
        counts = frame.compressed and frame.kind == 0
        if not counts and np.abs(values).max() > _BEYOND * stream.limit:
            raise BadPacket(f"A {frame.what} goes beyond the sensor's full scale; not used.")
        nothing = np.full(values.shape, np.nan)
        times_ns = self._times_ns(frame, len(values), stream.step_ns)
        if frame.measurement == Measurement.ACC:
            return _Rows(times_ns, values, nothing)
        return _Rows(times_ns, nothing, values)

    def _times_ns(self, frame: Frame, count: int, nominal_ns: float) -> IntArray:
        """Return the times of a frame's samples by the vendor's rule, where the frame before is the one before.

        The rule spreads a frame's samples evenly from the last frame's time stamp on; after a lost, repeated or
        reordered frame or a restarted clock that would be wrong, and the samples then end at the time stamp in steps
        as they were last seen.
        """
        key = (frame.measurement, frame.compressed, frame.kind)
        last = self._last.get(key)
        if last is not None and (last.timestamp_ns, len(last.times_ns)) == (frame.timestamp_ns, count):
            # The same frame again: the same times, so that it is counted as a duplicate and not as new samples.
            return last.times_ns
        step_ns, previous_ns = nominal_ns, None
        if last is not None:
            step_ns, between_ns = last.step_ns, (frame.timestamp_ns - last.timestamp_ns) / count
            if abs(between_ns - nominal_ns) <= _FOLLOWS_SHARE * nominal_ns:
                step_ns, previous_ns = between_ns, last.timestamp_ns
        times_ns = sample_times_ns(frame.timestamp_ns, count, step_ns, previous_ns) % TICK_WRAP
        self._last[key] = _Last(frame.timestamp_ns, times_ns, step_ns)
        return times_ns


def _joined(parts: Sequence[_Rows]) -> SampleBlock:
    if not parts:
        return SampleBlock(np.empty(0, dtype=np.int64), np.empty((0, 3)), np.empty((0, 3)))
    return SampleBlock(
        np.concatenate([part.times_ns for part in parts]),
        np.concatenate([part.acc_mps2 for part in parts]),
        np.concatenate([part.gyr_radps for part in parts]),
    )
