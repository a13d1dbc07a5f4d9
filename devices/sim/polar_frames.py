"""The bytes of a simulated Polar: plain and delta-coded frames, answers, lists of settings, advertisement.

An encoder of its own: it shares constants with devices/profiles, no layout. Source: polarofficial/polar-ble-sdk:
online_measurement.pdf v1.0 and Polar_Measurement_Data_Specification.pdf at commit 52ef4c4b.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from devices.profiles import polar_uuids as pmd
from devices.profiles.polar_uuids import Measurement, Setting
from devices.types import FloatArray, IntArray

# The vendor's parser test has a frame whose widths change after tens of samples, the reference counted.
GROUP = 10
# The number of differences in a block is one byte.
_COUNT_MAX = 255

Block = tuple[int, int]


def frame(measurement: Measurement, timestamp_ns: int, frame_type: int, payload: bytes) -> bytes:
    """Return a data notification. timestamp_ns: of the last sample, since 2000."""
    return bytes((measurement,)) + timestamp_ns.to_bytes(8, "little") + bytes((frame_type,)) + payload


def plain(samples: IntArray, size: int) -> bytes:
    """Return samples (n, channels) as signed values of `size` bytes each."""
    return np.ascontiguousarray(samples, dtype="<i4").view(np.uint8).reshape(-1, 4)[:, :size].tobytes()


def widths(samples: IntArray) -> IntArray:
    """Return how many bits each difference (n - 1,) of samples (n, channels) takes, the widest of its channels."""
    steps = differences(samples)
    # A two's complement number of w bits reaches from -2^(w-1) to 2^(w-1) - 1.
    reach = np.where(steps < 0, -steps - 1, steps).max(axis=1)
    return np.asarray(1 + np.ceil(np.log2(reach + 1.0)).astype(np.int64))


def differences(samples: IntArray) -> IntArray:
    """Return the differences (n - 1, channels), as signed 32-bit numbers."""
    steps = np.diff(samples, axis=0) & 0xFFFFFFFF
    return np.asarray(np.where(steps >= 1 << 31, steps - (1 << 32), steps))


def plan(samples: IntArray) -> list[Block]:
    """Return blocks of (bits, differences): the narrowest width for each ten samples, equal neighbours joined."""
    needed = widths(samples)
    blocks: list[Block] = []
    for start in range(0, len(needed), GROUP):
        # The reference is the first of the first ten.
        group = needed[max(0, start - 1) : start + GROUP - 1]
        width, count = int(group.max()), len(group)
        if blocks and blocks[-1][0] == width and blocks[-1][1] + count <= _COUNT_MAX:
            count += blocks.pop()[1]
        blocks.append((width, count))
    left = len(needed) - sum(count for _, count in blocks)
    if left:
        blocks.append((int(needed[-left:].max()), left))
    return blocks


def delta_bytes(blocks: Iterable[Block], channels: int, bits: int) -> int:
    """Return the size of a delta-coded payload."""
    return channels * -(-bits // 8) + sum(2 + -(-width * count * channels // 8) for width, count in blocks)


def delta(samples: IntArray, bits: int, blocks: Sequence[Block] | None = None) -> bytes:
    """Return samples (n, channels) as a reference and blocks of differences; blocks None: as `plan` has it."""
    size = -(-bits // 8)
    steps = differences(samples)
    coded = b"".join((int(value) & ((1 << 8 * size) - 1)).to_bytes(size, "little") for value in samples[0])
    at = 0
    for width, count in plan(samples) if blocks is None else blocks:
        coded += bytes((width, count)) + _packed(steps[at : at + count], width)
        at += count
    return coded


def _packed(steps: IntArray, width: int) -> bytes:
    """Return whole numbers as `width` bits each, the lowest bit of the first one first."""
    bits: NDArray[np.int64] = (steps.ravel()[:, None] >> np.arange(width)) & 1
    return np.packbits(bits.astype(np.uint8), bitorder="little").tobytes()


def float_patterns(values: FloatArray) -> IntArray:
    """Return the float32 bit patterns of values, as signed whole numbers."""
    return np.ascontiguousarray(values, dtype="<f4").view("<i4").astype(np.int64)


def pulse_intervals(beats: Iterable[tuple[int, int, int, int]]) -> bytes:
    """Return the samples of a pulse interval frame: rate in bpm, interval and its error in ms, flags of each beat."""
    return b"".join(struct.pack("<BHHB", *beat) for beat in beats)


def answer(op: int, measurement: int, status: int = 0, parameters: bytes = b"", more: bool = False) -> bytes:
    """Return an indication that answers a command."""
    return bytes((pmd.ANSWER, op, measurement, status, int(more))) + parameters


def stopped(measurements: Iterable[int]) -> bytes:
    """Return the indication that the device itself stopped some measurements."""
    return bytes((pmd.STOPPED_BY_DEVICE, *measurements))


def features(measurements: Iterable[int], second: int) -> bytes:
    """Return what a read of the control point gives: bits of the measurements, then those of the modes."""
    return bytes((pmd.FEATURES, sum(1 << one for one in measurements), second)) + bytes(14)


def settings(rows: Iterable[tuple[Setting, Sequence[int]]]) -> bytes:
    """Return a list of settings, each with all its values."""
    coded = b""
    for kind, values in rows:
        coded += bytes((kind, len(values)))
        coded += b"".join(value.to_bytes(pmd.SETTING_BYTES[kind], "little") for value in values)
    return coded


def factor(value: float) -> bytes:
    """Return the factor as the start answers it."""
    return bytes((Setting.FACTOR, 1)) + struct.pack("<f", value)


def broadcast(battery_low: bool, contact: bool, counter: int, fast_bpm: int, slow_bpm: int) -> bytes:
    """Return the heart rate block of the manufacturer data (without the company identifier)."""
    flags = battery_low | contact << 1 | (counter % 8) << 2 | 1 << 5
    # The second byte is a code of the strap's 5 kHz coil; a vendor test shows 0b.
    return bytes((flags, 0x0B, fast_bpm, slow_bpm))
