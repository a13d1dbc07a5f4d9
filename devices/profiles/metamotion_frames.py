"""What the notifications of a MetaMotion carry: triples of int16 from its sensors, floats from its sensor fusion.

Source: mbientlab/MetaWear-SDK-Cpp, datainterpreter.cpp and the tests of each module. There is no time stamp and no
counter in a live stream: a lost or doubled notification cannot be told from its bytes, nor a changed value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from devices.errors import BadPacket
from devices.profiles import metamotion_codes as mm
from devices.profiles.types import Decoded
from devices.types import FloatArray, IntArray, SampleBlock

G_MPS2 = 9.80665
_HEADER_BYTES = 2
_TRIPLE_BYTES = 6
# Largest reading; the negative end goes one further.
LSB_MAX = 32767
_ACC, _GYR = 0, 1


def decode_triples(data: bytes, lsb_per_unit: float) -> FloatArray:
    """Return the samples (n, 3) of a sensor's notification, n = 1 or 3, oldest first. Raises BadPacket.

    lsb_per_unit: the vendor's divisor for the range set, which the notification does not tell.
    """
    samples, rest = divmod(len(data) - _HEADER_BYTES, _TRIPLE_BYTES)
    if rest or samples not in (1, mm.PACKED_SAMPLES):
        raise BadPacket(f"{len(data)} bytes are no sample of a MetaMotion (8 or 20 bytes); not used.")
    raw = np.frombuffer(data, dtype="<i2", offset=_HEADER_BYTES).reshape(-1, 3)
    return np.asarray(raw / lsb_per_unit)


@dataclass(frozen=True, slots=True)
class FusionOutput:
    """One output of the sensor fusion. values: in `unit`; accuracy: 0 (none) to 3, None where it is not sent."""

    name: str
    unit: str
    values: tuple[float, ...]
    accuracy: int | None


# Register: name, unit, number of floats, what they are divided by, whether an accuracy byte follows. Euler angles are
# heading, pitch, roll, yaw, quaternions w x y z.
_FUSION = {
    0x04: ("corrected acceleration", "g", 3, 1000.0, True),
    0x05: ("corrected angular rate", "deg/s", 3, 1.0, True),
    0x06: ("corrected magnetic field", "uT", 3, 1.0, True),
    0x07: ("quaternion", "", 4, 1.0, False),
    0x08: ("euler angles", "deg", 4, 1.0, False),
    0x09: ("gravity", "g", 3, G_MPS2, False),
    0x0A: ("linear acceleration", "g", 3, G_MPS2, False),
}


def decode_fusion(data: bytes) -> FusionOutput:
    """Return one output of the sensor fusion. Raises BadPacket. Not streamed by Backstop, which fuses by itself."""
    kind = _FUSION.get(data[1]) if len(data) > 1 and data[0] == mm.SENSOR_FUSION else None
    if kind is None:
        raise BadPacket(f"{data[:2].hex(' ') or 'Nothing'} begins no output of the sensor fusion; not used.")
    name, unit, count, divisor, accurate = kind
    size = _HEADER_BYTES + 4 * count + accurate
    if len(data) != size:
        raise BadPacket(f"The output '{name}' has {len(data)} bytes, not {size}; not used.")
    # A signalling NaN would warn.
    with np.errstate(invalid="ignore"):
        values = np.frombuffer(data, dtype="<f4", count=count, offset=_HEADER_BYTES).astype(np.float64) / divisor
    return FusionOutput(name, unit, tuple(values.tolist()), data[-1] if accurate else None)


def decode_battery(data: bytes) -> tuple[float, float]:
    """Return the charge, 0 to 1, and the voltage in V of a battery answer. Raises BadPacket."""
    if len(data) != 5 or data[:2] != bytes((mm.SETTINGS, mm.READ | mm.BATTERY)) or data[2] > 100:
        raise BadPacket(f"Battery answer {data.hex(' ')} is not 11 8c, a share of 0 to 100 % and a voltage; not used.")
    return data[2] / 100, int.from_bytes(data[3:5], "little") / 1000


@dataclass(frozen=True, slots=True)
class Setting:
    """How the board was read back: the chips, and the full scales in g and deg/s."""

    acc_chip: int
    gyr_chip: int
    acc_range_g: int
    gyr_range_degps: int

    @property
    def acc_mps2_per_lsb(self) -> float:
        """Return the size of one step of the acceleration."""
        return G_MPS2 / mm.ACC_LSB_PER_G[self.acc_range_g]

    @property
    def gyr_radps_per_lsb(self) -> float:
        """Return the size of one step of the angular rate."""
        return float(np.radians(1 / mm.GYR_LSB_PER_DEGPS[self.gyr_range_degps]))


class MetaMotionDecoder:
    """Reads the stream of one connection: rows of one sensor each, numbered per sensor since the start."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        # Header and size of a notification: its sensor and number of samples.
        self._known: dict[tuple[bytes, int], tuple[int, int]] = {}
        for sensor, module, registers in (
            (_ACC, mm.ACCELEROMETER, mm.ACC_DATA[setting.acc_chip]),
            (_GYR, mm.GYROSCOPE, mm.GYR_DATA[setting.gyr_chip]),
        ):
            for register, samples in zip(registers, (1, mm.PACKED_SAMPLES), strict=True):
                size = _HEADER_BYTES + _TRIPLE_BYTES * samples
                self._known[bytes((module, register)), size] = (sensor, samples)
        self._count = [0, 0]

    def decode_many(self, frames: Sequence[bytes]) -> Decoded:
        """Return the samples of all notifications that were subscribed, in order of arrival; pass answers over."""
        kinds = [self._known.get((frame[:_HEADER_BYTES], len(frame))) for frame in frames]
        good = [i for i, kind in enumerate(kinds) if kind is not None]
        bad = tuple(i for i, kind in enumerate(kinds) if kind is None and not _is_answer(frames[i]))
        reason = None
        if bad:
            odd = frames[bad[0]]
            head = odd[:_HEADER_BYTES].hex(" ") or "nothing"
            reason = f"A notification of a MetaMotion has {len(odd)} bytes and begins with {head}; not used."
        found: NDArray[np.int64] = np.array([kinds[i] for i in good], dtype=np.int64).reshape(-1, 2)
        sensor_of = np.repeat(found[:, 0], found[:, 1])
        frame_of: IntArray = np.repeat(np.array(good, dtype=np.int64), found[:, 1])
        raw = np.frombuffer(b"".join(frames[i][_HEADER_BYTES:] for i in good), dtype="<i2").reshape(-1, 3)
        return Decoded(self._block(sensor_of, raw), frame_of, bad, reason)

    def _block(self, sensor_of: IntArray, raw: NDArray[np.int16]) -> SampleBlock:
        ticks: IntArray = np.empty(len(raw), dtype=np.int64)
        values = np.full((2, len(raw), 3), np.nan)
        scales = (self._setting.acc_mps2_per_lsb, self._setting.gyr_radps_per_lsb)
        for sensor in (_ACC, _GYR):
            rows = sensor_of == sensor
            values[sensor, rows] = raw[rows] * scales[sensor]
            count = int(rows.sum())
            ticks[rows] = self._count[sensor] + np.arange(count)
            self._count[sensor] += count
        return SampleBlock(ticks, values[_ACC], values[_GYR])


# Modules that are asked while the stream runs or just before.
_ASKED = frozenset((mm.ACCELEROMETER, mm.GYROSCOPE, mm.SETTINGS))


def _is_answer(frame: bytes) -> bool:
    return len(frame) > _HEADER_BYTES and frame[0] in _ASKED and bool(frame[1] & mm.READ)
