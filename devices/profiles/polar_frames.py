"""Polar's data frames: header, plain and delta-coded samples, their units and their times. Pure; no state.

Source: polarofficial/polar-ble-sdk: online_measurement.pdf v1.0, BlePMDClient.kt and the data classes beside it,
PmdTimeStampUtils.kt.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from devices.errors import BadPacket
from devices.profiles import polar_uuids as pmd
from devices.types import FloatArray, HeartRateSample, IntArray

_G_MPS2 = 9.80665
_REFUSED = "not used"
# Widths a delta may have; the vendor's decoder takes any up to a whole int.
_DELTA_BITS_MAX = 32


@dataclass(frozen=True, slots=True)
class Frame:
    """One data frame, its samples still coded. timestamp_ns: of its last sample, since 2000; kind: 0, 1, 2, …"""

    measurement: int
    timestamp_ns: int
    compressed: bool
    kind: int
    payload: bytes

    @property
    def what(self) -> str:
        """Return the frame's name for a sentence."""
        return f"Polar frame of measurement {self.measurement}, type 0x{self.kind | (self.compressed << 7):02x}"


def split_frame(data: bytes) -> Frame:
    """Return a notification's header and payload. Raises BadPacket for one that has no sample."""
    if len(data) <= pmd.HEADER_BYTES:
        raise BadPacket(f"A Polar frame of {len(data)} bytes has no sample; {_REFUSED}.")
    measurement, timestamp_ns, frame_type = struct.unpack_from("<BQB", data)
    return Frame(
        measurement & pmd.MEASUREMENT_MASK,
        timestamp_ns,
        bool(frame_type & pmd.COMPRESSED),
        frame_type & pmd.FRAME_TYPE_MASK,
        bytes(data[pmd.HEADER_BYTES :]),
    )


def decode_plain(payload: bytes, channels: int, size: int) -> IntArray:
    """Return samples (n, channels) of `size`-byte little-endian signed values. Raises BadPacket for another length."""
    if not payload or len(payload) % (channels * size):
        raise BadPacket(f"{len(payload)} bytes are no samples of {channels} x {size} bytes; {_REFUSED}.")
    return _signed(payload, size).reshape(-1, channels)


def decode_delta(payload: bytes, channels: int, bits: int) -> IntArray:
    """Return samples (n, channels): a reference, then blocks of differences. Raises BadPacket.

    bits: resolution, which sets the size of the reference (whole bytes). Of a 32-bit resolution sums wrap, because
    they may be the patterns of floats; of a smaller one a sum that leaves the reference's bytes is damage.
    """
    size = -(-bits // 8)
    at = channels * size
    if len(payload) < at:
        raise BadPacket(f"{len(payload)} bytes hold no reference sample of {channels} x {size} bytes; {_REFUSED}.")
    parts = [_signed(payload[:at], size).reshape(1, channels)]
    while at < len(payload):
        width, count = payload[at], payload[at + 1] if at + 1 < len(payload) else 0
        end = at + 2 + -(-width * count * channels // 8)
        if not count or width > _DELTA_BITS_MAX or end > len(payload):
            raise BadPacket(f"A block of {count} differences of {width} bits does not fit its frame; {_REFUSED}.")
        # A width of 0 gives no samples in the vendor's decoder; no frame with one was seen (unconfirmed).
        if width:
            parts.append(_unpack(payload[at + 2 : end], width, count * channels).reshape(count, channels))
        at = end
    samples = np.cumsum(np.concatenate(parts), axis=0)
    span = 1 << 8 * size
    if size == 4:
        return np.asarray((samples + span // 2) % span - span // 2)
    if samples.min() < -span // 2 or samples.max() >= span // 2:
        raise BadPacket(f"A sum of differences leaves {bits} bits; {_REFUSED}.")
    return samples


def _signed(data: bytes, size: int) -> IntArray:
    """Return little-endian signed integers (n,) of `size` bytes each, 1 to 4."""
    raw = np.frombuffer(data, dtype=np.uint8).reshape(-1, size).astype(np.int64)
    values = raw @ (1 << 8 * np.arange(size, dtype=np.int64))
    return np.asarray(values - ((values >> (8 * size - 1)) << 8 * size))


def _unpack(data: bytes, width: int, count: int) -> IntArray:
    """Return `count` signed values of `width` bits, packed from the lowest bit of the first byte on."""
    bits = np.unpackbits(np.frombuffer(data, dtype=np.uint8), count=width * count, bitorder="little")
    values = bits.reshape(count, width).astype(np.int64) @ (1 << np.arange(width, dtype=np.int64))
    return np.asarray(values - ((values >> (width - 1)) << width))


def _scaled(samples: IntArray | FloatArray, scale: float) -> FloatArray:
    return np.asarray(samples * scale, dtype=np.float64)


def _factor(frame: Frame, factor: float | None) -> float:
    """Return the factor that the start gave. Raises BadPacket without one: the unit of the samples is then unknown."""
    if factor is None:
        raise BadPacket(f"A {frame.what} needs the factor of its start, which gave none; {_REFUSED}.")
    return factor


def _unknown(frame: Frame) -> BadPacket:
    return BadPacket(f"A {frame.what} is of a type that is not known; {_REFUSED}.")


def acceleration_mps2(frame: Frame, factor: float | None) -> FloatArray:
    """Return acceleration (n, 3) in m/s^2. factor: g per unit as the start answered, or None. Raises BadPacket."""
    match frame.compressed, frame.kind:
        case False, (0 | 1 | 2) as kind:
            return _scaled(decode_plain(frame.payload, 3, kind + 1), _G_MPS2 / 1000)
        case True, 0:
            return _scaled(decode_delta(frame.payload, 3, 16), _factor(frame, factor) * _G_MPS2)
        case True, 1:
            # Firmware that answers the start without a factor sends mg (issues #331 and #443: 1012 at rest).
            return _scaled(decode_delta(frame.payload, 3, 16), (1.0 if factor is None else factor) * _G_MPS2 / 1000)
    raise _unknown(frame)


def angular_rate_radps(frame: Frame, factor: float | None) -> FloatArray:
    """Return angular rate (n, 3) in rad/s. factor: deg/s per unit as the start answered, or None. Raises BadPacket."""
    match frame.compressed, frame.kind:
        case True, 0:
            return _scaled(decode_delta(frame.payload, 3, 16), np.pi / 180 * _factor(frame, factor))
        case True, 1:
            return _scaled(
                _floats(decode_delta(frame.payload, 3, 32)), np.pi / 180 * (1.0 if factor is None else factor)
            )
    raise _unknown(frame)


def _floats(patterns: IntArray) -> FloatArray:
    """Return the numbers whose float32 bit patterns these are. Raises BadPacket for one that is no number."""
    numbers = patterns.astype(np.int32).view(np.float32)
    # Beyond this no sensor measures; it also keeps every later product finite (own heuristic).
    if not (np.abs(numbers) < 1e9).all():
        raise BadPacket(f"A bit pattern of a Polar frame is no angular rate; {_REFUSED}.")
    return numbers.astype(np.float64)


def magnetic_field_gauss(frame: Frame, factor: float | None) -> tuple[FloatArray, IntArray | None]:
    """Return the field (n, 3) in Gauss and the calibration status (n,): 0 unknown, 1 poor, 2 ok, 3 good; None untold.

    Decoded for completeness, not part of a chunk: indoors iron bends the field. Raises BadPacket.
    """
    match frame.compressed, frame.kind:
        case True, 0:
            return _scaled(decode_delta(frame.payload, 3, 16), _factor(frame, factor)), None
        case True, 1:
            samples = decode_delta(frame.payload, 4, 16)
            return _scaled(samples[:, :3], (1.0 if factor is None else factor) / 1000), samples[:, 3]
    raise _unknown(frame)


def electrocardiogram_uv(frame: Frame) -> FloatArray:
    """Return the electrocardiogram (n,) in microvolts. Raises BadPacket."""
    if frame.compressed or frame.kind != 0:
        raise _unknown(frame)
    return decode_plain(frame.payload, 1, 3)[:, 0].astype(np.float64)


def photoplethysmogram(frame: Frame) -> IntArray:
    """Return light (n, 4): three LEDs and ambient, in the sensor's counts. Raises BadPacket."""
    if frame.kind != 0:
        raise _unknown(frame)
    return decode_delta(frame.payload, 4, 22) if frame.compressed else decode_plain(frame.payload, 4, 3)


_PPI = np.dtype([("bpm", "u1"), ("interval_ms", "<u2"), ("error_ms", "<u2"), ("flags", "u1")])
_PPI_INVALID, _PPI_CONTACT, _PPI_CONTACT_KNOWN = 0x01, 0x02, 0x04


def pulse_intervals(frame: Frame) -> NDArray[np.void]:
    """Return the fields bpm, interval_ms, error_ms, flags (n,) of a pulse interval frame. Raises BadPacket."""
    if frame.compressed or frame.kind != 0:
        raise _unknown(frame)
    if len(frame.payload) % _PPI.itemsize:
        raise BadPacket(f"{len(frame.payload)} bytes are no pulse intervals of {_PPI.itemsize} bytes; {_REFUSED}.")
    return np.frombuffer(frame.payload, dtype=_PPI)


def heart_samples(frame: Frame) -> tuple[HeartRateSample, ...]:
    """Return one sample for each beat; an interval that the device itself calls invalid is left out."""
    return tuple(
        HeartRateSample(
            int(row["bpm"]),
            () if row["flags"] & _PPI_INVALID else (int(row["interval_ms"]) / 1000,),
            bool(row["flags"] & _PPI_CONTACT) if row["flags"] & _PPI_CONTACT_KNOWN else None,
        )
        for row in pulse_intervals(frame)
    )


def sample_times_ns(timestamp_ns: int, count: int, step_ns: float, previous_ns: int | None = None) -> IntArray:
    """Return the time (count,) of each sample of a frame, whose last one is at timestamp_ns.

    previous_ns: time stamp of the frame before, from which the samples then run evenly; without it they end at
    timestamp_ns in steps of step_ns. Source: PmdTimeStampUtils.kt.
    """
    if previous_ns is None:
        back = np.rint(step_ns * np.arange(count - 1, -1, -1)).astype(np.int64)
        return np.asarray(timestamp_ns - back)
    step_ns = (timestamp_ns - previous_ns) / count
    inner = previous_ns + np.rint(step_ns * np.arange(1, count)).astype(np.int64)
    return np.append(inner, timestamp_ns)
