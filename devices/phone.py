"""Messages that the app Sensor Logger pushes -> readings, and readings -> samples on a grid.

Source: the app's public reference of its push messages (tszheichoi/awesome-sensor-logger, PUSHING.md). A message holds
readings of several sensors; messages may come in any order, twice, or cut elsewhere. Times are ns since 1970, UTC.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
import zstandard

from devices.errors import BadPacket, UnknownFormat
from devices.files.timeline import GAP_SAMPLES, acc_factor, interpolated, rate_of
from devices.files.units import ACC_MAX_MPS2, GRAVITY_RANGE_MPS2, GYR_MAX_RADPS
from devices.types import FloatArray

# Own bound: a minute of all sensors at 200 Hz.
READINGS_MAX = 60_000
_ID_MAX = 90
# Kind, time and three values, 8 bytes each.
_READING_BYTES = 5 * 8
_NS_PER_S = 1e9
# s of acceleration that show the rate (own heuristic).
SETTLE_S = 2.0
SWITCH_ON = "switch on Accelerometer and Gravity (or Total Acceleration), and Gyroscope, in Sensor Logger"


class Kind(IntEnum):
    """What a reading is of. The numbers are stored."""

    TOTAL = 0  # with gravity
    UNCALIBRATED = 1  # with gravity
    LINEAR = 2  # without gravity
    GRAVITY = 3
    GYROSCOPE = 4
    GYROSCOPE_UNCALIBRATED = 5


_KIND_OF_NAME = {
    "totalacceleration": Kind.TOTAL,
    "accelerometeruncalibrated": Kind.UNCALIBRATED,
    "accelerometer": Kind.LINEAR,
    "gravity": Kind.GRAVITY,
    "gyroscope": Kind.GYROSCOPE,
    "gyroscopeuncalibrated": Kind.GYROSCOPE_UNCALIBRATED,
}


@dataclass(frozen=True, slots=True)
class PhoneMessage:
    """session_key: phone and session. message_key: tells a message from others of its session.

    readings: (n, 5) kind, Unix time in s, x, y, z; in the phone's units; n may be 0.
    """

    session_key: str
    message_key: str
    readings: FloatArray


@dataclass(frozen=True, slots=True)
class PhoneGrid:
    """Sample k is at origin_utc_s + k / rate_hz. acc_factor: to m/s^2."""

    rate_hz: float
    origin_utc_s: float
    acc_factor: float


def read_message(body: bytes) -> PhoneMessage:
    """Return what a message holds; sensors that are no motion are left out. Raises BadPacket."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        raise BadPacket("This is no message of Sensor Logger: it is not JSON.") from None
    if not isinstance(told, dict) or not isinstance(told.get("payload", []), list):
        raise BadPacket("This is no message of Sensor Logger: it has no payload.")
    payload = told.get("payload", [])
    if len(payload) > READINGS_MAX:
        raise BadPacket(f"{len(payload)} readings in one message, more than {READINGS_MAX}: choose a shorter batch.")
    readings = np.array(list(_readings(payload)), dtype=np.float64).reshape(-1, 5)
    limit = np.where(readings[:, 0] >= Kind.GYROSCOPE, GYR_MAX_RADPS, ACC_MAX_MPS2)
    sound = np.isfinite(readings).all(axis=1) & (np.abs(readings[:, 2:]).max(axis=1, initial=0.0) <= limit)
    key = _id(told.get("messageId"))
    # An app that is started anew may begin its numbers again within a session: the content belongs to the key.
    digest = hashlib.sha256(readings.tobytes()).hexdigest()[:24]
    session = f"{_id(told.get('deviceId'))}/{_id(told.get('sessionId'))}"
    return PhoneMessage(session, f"{key[:32]}:{digest}", readings[sound])


def _id(told: Any) -> str:
    """Return an id as bounded text that can be stored; JSON may hold halves of signs."""
    text = str(told) if isinstance(told, int | str) else ""
    return text[:_ID_MAX].encode("utf-8", "replace").decode()


def _readings(payload: list[Any]) -> Iterator[tuple[float, float, float, float, float]]:
    for reading in payload:
        if not isinstance(reading, dict):
            continue
        kind = _KIND_OF_NAME.get(str(reading.get("name", "")).replace(" ", "").replace("_", "").lower())
        values = reading.get("values", reading)
        if kind is None or not isinstance(values, dict):
            continue
        try:
            time_s = int(reading["time"]) / _NS_PER_S
            yield float(kind), time_s, float(values["x"]), float(values["y"]), float(values["z"])
        except (KeyError, TypeError, ValueError, OverflowError):
            continue  # one reading that is none does not spoil the others


def pack_readings(readings: FloatArray) -> bytes:
    """Return readings (n, 5) as bytes."""
    return zstandard.ZstdCompressor(level=1).compress(readings.astype("<f8").tobytes())


def unpack_readings(data: bytes) -> FloatArray:
    """Return what `pack_readings` packed. Raises BadPacket for anything else."""
    try:
        # The frame states its size, and nothing is unpacked that would be larger than any message.
        if not 0 <= zstandard.get_frame_parameters(data).content_size <= READINGS_MAX * _READING_BYTES:
            raise BadPacket("What was kept of a phone's message is damaged: it is larger than any message.")
        raw = zstandard.ZstdDecompressor().decompress(data, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise BadPacket(f"What was kept of a phone's message is damaged ({error}).") from None
    if len(raw) % _READING_BYTES:
        raise BadPacket("What was kept of a phone's message is damaged: it holds half a reading.")
    return np.frombuffer(raw, dtype="<f8").astype(np.float64).reshape(-1, 5)


class Gathered:
    """The readings of some messages as two streams, in order of time, each time once.

    acc (n, 4), gyr (m, 4): Unix time in s, x, y, z; acc with gravity, in the phone's unit.
    """

    def __init__(self, readings: FloatArray) -> None:
        self.acc = _first_of(readings, Kind.TOTAL, Kind.UNCALIBRATED)
        self.gyr = _first_of(readings, Kind.GYROSCOPE, Kind.GYROSCOPE_UNCALIBRATED)
        if not len(self.acc):
            self.acc = _sum(_of(readings, Kind.LINEAR), _of(readings, Kind.GRAVITY))

    @property
    def span_s(self) -> float:
        """Return how long the acceleration lasts."""
        return float(self.acc[-1, 0] - self.acc[0, 0]) if len(self.acc) else 0.0

    def settle(self) -> PhoneGrid | None:
        """Return the grid that the first seconds show, None while they are too few.

        Raises UnknownFormat for acceleration without gravity, and for a rate that cannot be.
        """
        if self.span_s < SETTLE_S:
            return None
        factor, _ = acc_factor(self.acc[:, 1:])
        length = float(np.median(np.linalg.norm(self.acc[:, 1:], axis=1))) * factor
        low, high = GRAVITY_RANGE_MPS2
        if not low <= length <= high:
            raise UnknownFormat(f"The acceleration is without gravity, or in a unit that is not known: {SWITCH_ON}.")
        origin_utc_s = float(self.acc[0, 0])
        return PhoneGrid(rate_of("The phone", self.acc[:, 0] - origin_utc_s), origin_utc_s, factor)

    def end_index(self, grid: PhoneGrid, *, joined: bool = False) -> int:
        """Return the number behind the newest sample; joined: the newest whose angular rate has come too."""
        ends = [stream[-1, 0] for stream in (self.acc, *([self.gyr] if joined else [])) if len(stream)]
        if not len(self.acc):
            return 0
        return int(np.floor((min(ends) - grid.origin_utc_s) * grid.rate_hz + 1e-3)) + 1

    def first_index(self, grid: PhoneGrid, start: int) -> int | None:
        """Return the number of the first sample at or behind `start`, None when there is none."""
        later = self.acc[self.acc[:, 0] >= grid.origin_utc_s + (start - 0.5) / grid.rate_hz, 0]
        return max(start, int(np.ceil((later[0] - grid.origin_utc_s) * grid.rate_hz - 1e-3))) if len(later) else None

    def rows(self, grid: PhoneGrid, start: int, stop: int) -> tuple[FloatArray, FloatArray]:
        """Return acc in m/s^2 and gyr in rad/s (n, 3) of the samples start .. stop - 1, NaN where there are none."""
        at_s = np.arange(start, stop) / grid.rate_hz
        acc = _at(self.acc, grid, at_s) * grid.acc_factor
        gyr = _at(self.gyr, grid, at_s)
        gyr[np.isnan(acc[:, 0])] = np.nan
        return acc, gyr


def _of(readings: FloatArray, kind: Kind) -> FloatArray:
    """Return one sensor's readings (n, 4) in order of time, each time once."""
    found = readings[readings[:, 0] == kind, 1:]
    return found[np.unique(found[:, 0], return_index=True)[1]]


def _first_of(readings: FloatArray, *kinds: Kind) -> FloatArray:
    streams = [_of(readings, kind) for kind in kinds]
    return next((stream for stream in streams if len(stream)), streams[0])


def _sum(linear: FloatArray, gravity: FloatArray) -> FloatArray:
    """Return acceleration with gravity, where there is gravity on both sides of it."""
    if len(gravity) < 2 or not len(linear):
        return linear[:0]
    # Gravity turns no faster than the body; a step of ten readings is a hole.
    reach_s = 10 * float(np.median(np.diff(gravity[:, 0])))
    base_s = gravity[0, 0]
    added = interpolated(gravity[:, 0] - base_s, gravity[:, 1:], linear[:, 0] - base_s, reach_s)
    whole = np.isfinite(added[:, 0])
    return np.column_stack([linear[whole, 0], linear[whole, 1:] + added[whole]])


def _at(stream: FloatArray, grid: PhoneGrid, at_s: FloatArray) -> FloatArray:
    if len(stream) < 2:
        return np.full((len(at_s), 3), np.nan)
    # A sensor may be slower than the accelerometer.
    reach_s = GAP_SAMPLES * max(1 / grid.rate_hz, float(np.median(np.diff(stream[:, 0]))))
    return interpolated(stream[:, 0] - grid.origin_utc_s, stream[:, 1:], at_s, reach_s)
