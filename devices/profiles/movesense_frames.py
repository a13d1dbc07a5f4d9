"""What the notifications of a Movesense carry, and how one too long for a notification is put together again.

Source: sensein/movesense-py and MariahSabioni/movesense-data-recorder for the block layout and the parts, the sample
firmware for the sizes, noduslabs/movesense-nodejs-driver for two vectors and the one reading that differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from devices.errors import BadPacket
from devices.profiles import movesense_codes as ms
from devices.profiles.types import Decoded
from devices.types import FloatArray, HeartRateSample, IntArray, SampleBlock

# References that this program chooses for its requests; any but 0 would do.
IMU, HEART, HELLO, ACC_CONFIG, GYR_CONFIG = 1, 2, 3, 4, 5

_HEADER_BYTES = 2
_TICK_BYTES = 4
_TRIPLE_BYTES = 12
_HEART_BYTES = 4
# Longest payload that a decoder waits for: 32 samples of two sensors. 8 are the most seen (own heuristic).
_SAMPLES_MAX = 32
# Calibration may scale a full-scale reading up by a tenth at most (own heuristic).
_BEYOND = 1.1
_G_MPS2 = 9.80665


@dataclass(frozen=True, slots=True)
class MovesenseOptions:
    """What the sources do not agree on, or none confirms.

    interleaved: samples as acc gyr acc gyr …, as one client reads them, not all acc and then all gyr as four do.
    time_marks: which sample of a packet its time belongs to; the maker's example client counts on from the first.
    heart_count_byte: a count stands before the RR intervals, as one client reads them; three others do not.
    ask_ranges: read both ranges at the start; how they are written is taken from the API's types, from no capture.
    """

    interleaved: bool = False
    time_marks: Literal["first", "last"] = "first"
    heart_count_byte: bool = False
    ask_ranges: bool = True


def decode_samples(payload: bytes, sensors: int, interleaved: bool = False) -> tuple[int, FloatArray]:
    """Return the time in ms and the samples (sensors, n, 3) of what follows the reference. Raises BadPacket.

    sensors: 1 for Acc, Gyro or Magn, 2 for IMU6, 3 for IMU9. Values as sent: m/s^2, deg/s, uT.
    """
    size = _TRIPLE_BYTES * sensors
    samples, rest = divmod(len(payload) - _TICK_BYTES, size)
    if rest or not 1 <= samples <= _SAMPLES_MAX:
        raise BadPacket(
            f"{len(payload)} bytes of a Movesense are no time and samples of {size} bytes, {_SAMPLES_MAX} at most; "
            "not used."
        )
    values = _floats(payload[_TICK_BYTES:])
    return int.from_bytes(payload[:_TICK_BYTES], "little"), _by_sensor(values, sensors, samples, interleaved)


def _floats(data: bytes) -> FloatArray:
    """Return float32 values (n,), little endian; what is no number stays so, also a signalling one."""
    with np.errstate(invalid="ignore"):
        return np.frombuffer(data, dtype="<f4").astype(np.float64)


def _by_sensor(values: FloatArray, sensors: int, samples: int, interleaved: bool) -> FloatArray:
    """Return values (…) of n packets as (sensors, n * samples, 3)."""
    if interleaved:
        return np.moveaxis(values.reshape(-1, samples, sensors, 3), 2, 0).reshape(sensors, -1, 3)
    return np.moveaxis(values.reshape(-1, sensors, samples, 3), 1, 0).reshape(sensors, -1, 3)


def decode_heart(payload: bytes, count_byte: bool = False) -> HeartRateSample:
    """Return mean heart rate and RR intervals of what follows the reference. Raises BadPacket.

    float32 bpm, then u16 ms each; it carries no time.
    """
    at = _HEART_BYTES + count_byte
    intervals, rest = divmod(len(payload) - at, 2)
    if rest or intervals < 0 or (count_byte and payload[_HEART_BYTES] != intervals):
        raise BadPacket(f"Heart rate of {len(payload)} bytes has not the length it should; not used.")
    mean_bpm = float(_floats(payload[:_HEART_BYTES])[0])
    # The standard service's range, which our type shares; NaN fails both comparisons.
    if not 0 <= mean_bpm <= 0xFFFF:
        raise BadPacket(f"A heart rate of {mean_bpm:g} bpm is impossible; not used.")
    rr_ms = np.frombuffer(payload, dtype="<u2", offset=at)
    return HeartRateSample(round(mean_bpm), tuple((rr_ms / 1000).tolist()), None)


def decode_status(answer: bytes) -> int:
    """Return the status of an answer `01 reference status …`. Raises BadPacket.

    Two bytes, low one first, but the sample firmware sends 507 with the high one first: the order that gives a
    status code of HTTP counts.
    """
    if len(answer) < 4 or answer[0] != ms.ANSWER:
        raise BadPacket(f"Answer {answer.hex(' ')} of a Movesense carries no status; not used.")
    little, big = int.from_bytes(answer[2:4], "little"), int.from_bytes(answer[2:4], "big")
    return big if not 100 <= little < 600 and 100 <= big < 600 else little


@dataclass(slots=True)
class _Pending:
    """A payload that waits for its continuation, and the positions of its notifications, -1 of former calls."""

    payload: bytes
    frames: list[int] = field(default_factory=list)


@dataclass(slots=True)
class _Batch:
    """What one call finds: whole payloads with the notification that completed each, what was bad, heart rates."""

    payloads: list[bytes] = field(default_factory=list)
    completed_by: list[int] = field(default_factory=list)
    bad: list[int] = field(default_factory=list)
    reason: str | None = None
    heart: list[tuple[int, HeartRateSample]] = field(default_factory=list)

    def reject(self, frames: list[int], reason: str) -> None:
        self.bad += frames
        self.reason = self.reason or f"{reason}; not used."


class MovesenseDecoder:
    """Reads /Meas/IMU6 and /Meas/HR of one connection. Ticks are the sensor's ms modulo 2^32.

    In block layout a packet that lost its end reads as other samples, so that a packet must have as many samples as
    the one before: a stream that changes for good is believed after two packets of its new size.
    """

    def __init__(
        self,
        rate_hz: float,
        options: MovesenseOptions,
        acc_range_g: float = max(ms.ACC_RANGES_G),
        gyr_range_degps: float = max(ms.GYR_RANGES_DEGPS),
    ) -> None:
        self._rate_hz = rate_hz
        self._options = options
        self._acc_most_mps2 = _BEYOND * acc_range_g * _G_MPS2
        self._gyr_most_degps = _BEYOND * gyr_range_degps
        self._pending: _Pending | None = None
        # Samples in a packet, as settled, and of the latest packet that was another.
        self._samples = self._other_samples = 0
        # Bytes of the latest notification if it was a whole packet, to know a continuation that it should have had.
        self._latest_bytes = 0

    def decode_many(self, frames: Sequence[bytes]) -> Decoded:
        """Return the samples of all packets that are whole, in order; a first part waits for the next call."""
        batch = _Batch()
        if self._pending is not None:
            self._pending.frames = [-1] * len(self._pending.frames)
        for i, frame in enumerate(frames):
            self._sort(batch, i, frame)
        block, frame_of = self._samples_of(batch)
        return Decoded(block, frame_of, tuple(sorted(batch.bad)), batch.reason, tuple(batch.heart))

    def _sort(self, batch: _Batch, i: int, frame: bytes) -> None:
        kind, reference = (frame[0], frame[1]) if len(frame) > _HEADER_BYTES else (-1, -1)
        body = frame[_HEADER_BYTES:]
        latest_bytes, self._latest_bytes = self._latest_bytes, 0
        if kind == ms.ANSWER and reference in (IMU, HEART, HELLO, ACC_CONFIG, GYR_CONFIG):
            return
        if reference == HEART and kind == ms.DATA:
            try:
                batch.heart.append((i, decode_heart(body, self._options.heart_count_byte)))
            except BadPacket as error:
                batch.reject([i], str(error).removesuffix("; not used."))
        elif reference == IMU and kind == ms.DATA:
            self._give_up(batch)
            self._add(batch, _Pending(body, [i]))
        elif reference == IMU and kind == ms.DATA_CONTINUED and self._pending is not None:
            pending, self._pending = self._pending, None
            self._add(batch, _Pending(pending.payload + body, [*pending.frames, i]))
        elif reference == IMU and kind == ms.DATA_CONTINUED:
            # The packet before looked whole by chance: from the next on its true size is known.
            if latest_bytes and (samples := _count(latest_bytes + len(body))):
                self._samples = samples
            batch.reject([i], "A continuation came to a Movesense packet that needs none")
        else:
            head = frame[:_HEADER_BYTES].hex(" ") or "nothing"
            batch.reject([i], f"A notification of a Movesense has {len(frame)} bytes and begins with {head}")

    def _add(self, batch: _Batch, packet: _Pending) -> None:
        """Take a packet if it is whole; else keep it for its continuation, unless it can have none."""
        samples = _count(len(packet.payload))
        if samples and samples == (self._samples or samples):
            self._samples, self._other_samples = samples, 0
            self._latest_bytes = len(packet.payload) if len(packet.frames) == 1 else 0
            batch.payloads.append(packet.payload)
            batch.completed_by.append(packet.frames[-1])
        elif len(packet.payload) > _TICK_BYTES + 2 * _TRIPLE_BYTES * (self._samples or _SAMPLES_MAX):
            self._reject(batch, packet)
        else:
            self._pending = packet

    def _give_up(self, batch: _Batch) -> None:
        """Count what waits for a continuation as bad: the next packet came first."""
        packet, self._pending = self._pending, None
        if packet is not None:
            self._reject(batch, packet)

    def _reject(self, batch: _Batch, packet: _Pending) -> None:
        samples = _count(len(packet.payload))
        if samples and samples == self._other_samples:
            self._samples = samples
        self._other_samples = samples
        batch.reject(packet.frames, f"A packet of a Movesense ended after {len(packet.payload)} bytes")

    def _samples_of(self, batch: _Batch) -> tuple[SampleBlock, IntArray]:
        """Return the samples of whole payloads, which all have one size unless the stream has just changed it."""
        parts = []
        sizes = [len(payload) for payload in batch.payloads]
        for size in dict.fromkeys(sizes):
            at = [k for k, one in enumerate(sizes) if one == size]
            parts.append(self._of_one_size(batch, at, _count(size)))
        if not parts:
            nothing: IntArray = np.empty(0, dtype=np.int64)
            return SampleBlock(nothing, np.empty((0, 3)), np.empty((0, 3))), nothing
        order, ticks, acc, gyr, frame_of = (np.concatenate(column) for column in zip(*parts, strict=True))
        in_order = np.argsort(order, kind="stable")
        return SampleBlock(ticks[in_order], acc[in_order], gyr[in_order]), frame_of[in_order]

    def _of_one_size(
        self, batch: _Batch, at: list[int], samples: int
    ) -> tuple[IntArray, IntArray, FloatArray, FloatArray, IntArray]:
        """Return for packets of one size: their number, ticks, acc, gyr and notification, one row a sample."""
        raw = np.frombuffer(b"".join(batch.payloads[k] for k in at), dtype=np.uint8)
        raw = raw.reshape(len(at), _TICK_BYTES + 2 * _TRIPLE_BYTES * samples)
        times = np.frombuffer(raw[:, :_TICK_BYTES].tobytes(), dtype="<u4").astype(np.int64)
        values = _floats(raw[:, _TICK_BYTES:].tobytes())
        acc, gyr_degps = _by_sensor(values, 2, samples, self._options.interleaved)
        # NaN and infinity fail every comparison with a limit, so that "not within" finds them too.
        with np.errstate(invalid="ignore"):
            fits = (np.abs(acc) <= self._acc_most_mps2).all(axis=1)
            fits &= (np.abs(gyr_degps) <= self._gyr_most_degps).all(axis=1)
        whole = fits.reshape(len(at), samples).all(axis=1)
        for k in np.flatnonzero(~whole):
            batch.reject([batch.completed_by[at[k]]], "A value of a Movesense is no number within its range")
        first = 0 if self._options.time_marks == "first" else samples - 1
        after = np.round((np.arange(samples) - first) * (ms.TICKS_PER_S / self._rate_hz)).astype(np.int64)
        ticks = ((times[:, None] + after) % 2**32).ravel()
        order = np.repeat(np.array(at, dtype=np.int64), samples)
        frame_of = np.repeat(np.array([batch.completed_by[k] for k in at], dtype=np.int64), samples)
        kept = np.repeat(whole, samples)
        return order[kept], ticks[kept], acc[kept], np.radians(gyr_degps[kept]), frame_of[kept]


def _count(payload_bytes: int) -> int:
    """Return how many samples of two sensors a payload of this size has, 0 if it is not whole."""
    samples, rest = divmod(payload_bytes - _TICK_BYTES, 2 * _TRIPLE_BYTES)
    return samples if not rest and 1 <= samples <= _SAMPLES_MAX else 0
