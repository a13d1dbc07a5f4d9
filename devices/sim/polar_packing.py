"""Samples of a simulated Polar -> frames: how many go into one, and in which of the vendor's types.

Source: polarofficial/polar-ble-sdk: online_measurement.pdf v1.0; sizes and numbers of samples from captured frames.
"""

from __future__ import annotations

from enum import Enum

import numpy as np

from devices.profiles import polar_uuids as pmd
from devices.profiles.polar_uuids import Measurement
from devices.sim import polar_frames
from devices.types import FloatArray, IntArray

_G_MPS2 = 9.80665
# Frames are of up to 229 bytes (online_measurement.pdf); a plain one of the vendor's test has 36 samples.
_FRAME_BYTES = 229
_PLAIN_SAMPLES = 36
# A delta-coded frame is sent at the latest with so many samples: 2 s at 52 Hz, as often as captures have it.
_DELTA_SAMPLES = 104
_CHANNELS = 3


class Packing(Enum):
    """A way to send samples: plain or delta-coded, and in which unit."""

    PLAIN_MG = "plain, mg"
    DELTA = "delta-coded, in units of the factor"
    DELTA_MG = "delta-coded, mg"
    DELTA_FLOAT = "delta-coded patterns of floats, deg/s"


# Frame type byte and resolution of each.
_TYPES = {
    Packing.PLAIN_MG: (0x01, 16),
    Packing.DELTA: (0x80, 16),
    Packing.DELTA_MG: (0x81, 16),
    Packing.DELTA_FLOAT: (0x81, 32),
}

Made = tuple[bytes, int, int]


class Packer:
    """Collects the samples of one measurement until a frame is full. scale: g or deg/s per unit of Packing.DELTA."""

    def __init__(self, packing: Packing, measurement: Measurement, scale: float) -> None:
        self._packing, self._measurement, self._scale = packing, measurement, scale
        self._frame_type, self._bits = _TYPES[packing]
        self._first = 0
        self._stamps: IntArray = np.empty(0, dtype=np.int64)
        self._samples: IntArray = np.empty((0, _CHANNELS), dtype=np.int64)
        self._surely = 1  # so many samples fit, whatever they are

    def push(self, indices: IntArray, stamps_ns: IntArray, values: FloatArray) -> list[Made]:
        """Return (frame, first grid number, the one after its last) of each frame that these samples fill.

        indices, stamps_ns: (n,) consecutive grid numbers and their times. values: (n, 3) in m/s^2 or rad/s.
        """
        if not len(self._stamps):
            self._first = int(indices[0])
        self._stamps = np.concatenate([self._stamps, stamps_ns])
        self._samples = np.concatenate([self._samples, self._counts(values)])
        made = []
        while (count := self._full()) is not None:
            made.append(self._frame(count))
        return made

    def _counts(self, values: FloatArray) -> IntArray:
        """Return values in the whole numbers that are sent."""
        natural = values / _G_MPS2 if self._measurement == Measurement.ACC else np.degrees(values)
        if self._packing is Packing.DELTA_FLOAT:
            return polar_frames.float_patterns(natural)
        per_unit = self._scale if self._packing is Packing.DELTA else 0.001
        return np.clip(np.rint(natural / per_unit), -(2**15), 2**15 - 1).astype(np.int64)

    def _full(self) -> int | None:
        """Return how many of the waiting samples make a frame, None while there is room for more."""
        waiting = len(self._samples)
        if self._packing is Packing.PLAIN_MG:
            return _PLAIN_SAMPLES if waiting >= _PLAIN_SAMPLES else None
        while min(waiting, _DELTA_SAMPLES) > self._surely:
            size = self._size(self._surely + 1)
            if size > _FRAME_BYTES:
                return self._surely
            # Even if the last group and all that follow take the full width, each with a head, so many more fit.
            bits_each = self._bits * _CHANNELS + 2 * 8
            self._surely += 1 + max(0, (_FRAME_BYTES - size) * 8 // bits_each - polar_frames.GROUP)
        return _DELTA_SAMPLES if waiting >= _DELTA_SAMPLES else None

    def _size(self, count: int) -> int:
        blocks = polar_frames.plan(self._samples[:count])
        return pmd.HEADER_BYTES + polar_frames.delta_bytes(blocks, _CHANNELS, self._bits)

    def _frame(self, count: int) -> Made:
        samples, stamp, first = self._samples[:count], int(self._stamps[count - 1]), self._first
        self._samples, self._stamps = self._samples[count:], self._stamps[count:]
        self._first, self._surely = first + count, 1
        payload = (
            polar_frames.plain(samples, self._bits // 8)
            if self._packing is Packing.PLAIN_MG
            else polar_frames.delta(samples, self._bits)
        )
        return polar_frames.frame(self._measurement, stamp, self._frame_type, payload), first, first + count
