"""The firmware of a simulated WitMotion WT901BLE: registers, and the byte stream that its module sends through.

It has an encoder of its own and shares nothing but constants with devices/profiles. As the real sensor it streams to
whoever has its notifications on, and keeps the rate that was set when the link is lost, though it was not saved.
Source: WT901BLECL 5.0 manual pp. 16-18; TimtheKingV/gymodo for how a WT901BLE67 behaves; see
devices/profiles/witmotion_codes.py.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from devices.profiles import witmotion_codes as wit
from devices.sim.firmware import Answer, FirmwareDefaults, Stretch, offered_rate
from devices.sim.gatt import AttCode, AttError, GattService, build_table
from devices.types import FloatArray, IntArray

# It keeps what was set last: a usual rate for motion. It is shipped with 10 Hz.
_DEFAULT_RATE_HZ = 50.0
_UNLOCK_S = 10.0
_G_MPS2 = 9.80665
TABLE: tuple[GattService, ...] = build_table(
    ((wit.SERVICE, ((wit.NOTIFICATION, ("notify",)), (wit.COMMAND, ("write", "write-without-response")))),)
)
# Magnetic field (raw), quaternion of no turn (1/32768), room temperature (1/100 degree): nobody here looks at them.
_CONSTANT_REGISTERS = {
    wit.MAGNETIC_FIELD: (360, 105, 122),
    wit.QUATERNION: (32767, 0, 0, 0),
    wit.TEMPERATURE: (2300,),
    wit.VERSION: (1,),
}


def encode_motion(acc_mps2: FloatArray, gyr_radps: FloatArray, angle_deg: FloatArray) -> NDArray[np.uint8]:
    """Return motion frames (n, 20) of acc, gyr and angles (n, 3) each."""
    scaled = np.concatenate(
        [acc_mps2 / (wit.ACC_RANGE_G * _G_MPS2), np.degrees(gyr_radps) / wit.GYR_RANGE_DEGPS, angle_deg / 180], axis=1
    )
    raw = np.clip(np.rint(scaled * wit.FULL_SCALE_LSB), -wit.FULL_SCALE_LSB, wit.FULL_SCALE_LSB - 1).astype("<i2")
    frames = np.empty((len(raw), wit.FRAME_BYTES), dtype=np.uint8)
    frames[:, :2] = wit.HEAD, wit.MOTION
    frames[:, 2:] = raw.view(np.uint8)
    return frames


def encode_registers(register: int, values: tuple[int, ...]) -> bytes:
    """Return an answer: the first register and eight values, 0 where none is given."""
    eight = np.zeros(8, dtype="<i2")
    eight[: len(values)] = values
    return bytes((wit.HEAD, wit.REGISTERS)) + register.to_bytes(2, "little") + eight.tobytes()


class WitMotion(FirmwareDefaults):
    """The sensor's registers and stream.

    frames_whole: whether a notification holds whole frames, as seen with a long MTU; else the stream is cut every
    `piece_bytes`, wherever that falls, as modules do that pass on what their serial line brought.
    """

    product = "witmotion"
    name = "WT901BLE67"
    advertised_uuids = (wit.SERVICE,)
    table = TABLE
    stream_uuids = (wit.NOTIFICATION,)
    battery_uuids: tuple[str, ...] = ()
    rates_hz = tuple(float(rate) for rate in wit.RATE_CODES)
    has_gyroscope = True
    ranges = (wit.ACC_RANGE_G * _G_MPS2, float(np.radians(wit.GYR_RANGE_DEGPS)))
    # 20 at the default MTU; a piece of 17 never ends with a frame by chance.
    piece_bytes: int | None = None

    def __init__(self, address: str, rate_hz: float | None = None, dated: bool = False) -> None:
        self.rate_hz = offered_rate("A WitMotion", self.rates_hz, _DEFAULT_RATE_HZ, rate_hz)
        self._dated = dated
        self._algorithm = 0
        self._listened = False
        self._unlocked_us: int | None = None
        # Frames that do not fill a notification yet, and the number of the first one's sample.
        self._kept = np.empty((0, wit.FRAME_BYTES), dtype=np.uint8)
        self._kept_first = 0
        # Of a stream that is cut anywhere: bytes of the frame that is not out yet, and answers behind it.
        self._rest = np.empty(0, dtype=np.uint8)

    @property
    def measuring(self) -> bool:
        """Tell whether somebody has the notifications on."""
        return self._listened

    def link_lost(self) -> None:
        """Nobody listens any more; rate and algorithm stay."""
        self._listened = False
        self._drop()

    def subscribed(self, uuid: str, wanted: bool) -> None:
        """Stream to whoever has the notifications on."""
        if uuid == wit.NOTIFICATION:
            self._listened = wanted
            self._drop()

    def read(self, uuid: str, battery_percent: int) -> bytes:
        """Refuse: nothing can be read. Raises AttError."""
        raise AttError(AttCode.READ_NOT_PERMITTED, f"Characteristic {uuid} cannot be read.")

    def write(self, uuid: str, data: bytes, battery_percent: int) -> tuple[Answer, ...]:
        """Take a command; the sensor is silent about those it does not know. Raises AttError."""
        if uuid != wit.COMMAND:
            raise AttError(AttCode.WRITE_NOT_PERMITTED, f"Characteristic {uuid} cannot be written.")
        if data == wit.UNLOCK:
            self._unlocked_us = self.device_us
        elif len(data) == 5 and tuple(data[:2]) == wit.COMMAND_HEAD:
            value = int.from_bytes(data[3:], "little")
            if data[2] == wit.READ:
                return self._told(self._answer(value, battery_percent))
            self._set(data[2], value)
        return ()

    def encode(
        self, indices: IntArray, device_us: IntArray, acc_mps2: FloatArray, gyr_radps: FloatArray
    ) -> list[Stretch]:
        """Return the notifications that these samples fill; the sensor sends no time but in dated frames."""
        x, y, z = acc_mps2.T
        # Roll and pitch of one at rest; yaw would need the turning summed up.
        angle_deg = np.degrees(np.stack([np.arctan2(y, z), np.arctan2(-x, np.hypot(y, z)), np.zeros(len(x))], axis=1))
        frames = encode_motion(acc_mps2, gyr_radps, angle_deg)
        if self._dated:
            frames = np.concatenate([frames, _dates(device_us)], axis=1)
        if self.piece_bytes is not None:
            return self._pieces(frames, indices, self.piece_bytes)
        return self._whole(frames, indices)

    def spoil(self, payload: bytes, rng: np.random.Generator) -> bytes:
        """Return the notification with the head of each of its frames inverted: one that is whole would be used."""
        spoilt = np.frombuffer(payload, dtype=np.uint8).copy()
        spoilt[:: wit.DATED_FRAME_BYTES if self._dated else wit.FRAME_BYTES] ^= 0xFF
        return spoilt.tobytes()

    def cut(self, payload: bytes) -> bytes:
        """Return less than a frame."""
        return payload[: wit.FRAME_BYTES // 2]

    def _whole(self, frames: NDArray[np.uint8], indices: IntArray) -> list[Stretch]:
        """Return notifications of as many whole frames as keep them at 25 a second."""
        each = max(1, round(self.rate_hz / wit.NOTIFICATIONS_PER_S))
        size = frames.shape[1]
        if len(self._kept):
            frames = np.concatenate([self._kept, frames])
            first = self._kept_first
        else:
            first = int(indices[0])
        full = len(frames) // each
        self._kept, self._kept_first = frames[full * each :], first + full * each
        firsts = first + each * np.arange(full)
        payloads = frames[: full * each].reshape(full, each * size)
        return [Stretch(wit.NOTIFICATION, payloads, firsts, firsts + each)]

    def _pieces(self, frames: NDArray[np.uint8], indices: IntArray, piece: int) -> list[Stretch]:
        """Return the stream in pieces; each carries the samples whose last byte it brings."""
        size = frames.shape[1]
        stream = np.concatenate([self._rest, frames.ravel()])
        full = len(stream) // piece
        self._rest = stream[full * piece :]
        # Byte 0 of the stream is the first of those kept; frame j of this call ends len(rest) + (j + 1) * size later.
        before = len(stream) - frames.size
        ended = np.clip((piece * np.arange(full + 1) - before) // size, -1, len(frames))
        # The frame whose end was kept back counts in this call: it lies just before its first.
        behind = int(indices[0])
        return [
            Stretch(
                wit.NOTIFICATION, stream[: full * piece].reshape(full, piece), behind + ended[:-1], behind + ended[1:]
            )
        ]

    def _drop(self) -> None:
        self._kept, self._rest = self._kept[:0], self._rest[:0]

    def _told(self, answer: bytes) -> tuple[Answer, ...]:
        """Send an answer; in a stream that is cut anywhere it follows the frame that is not out yet."""
        if not len(self._rest):
            return (Answer(wit.NOTIFICATION, answer),)
        self._rest = np.concatenate([self._rest, np.frombuffer(answer, dtype=np.uint8)])
        return ()

    def _set(self, register: int, value: int) -> None:
        rate_hz = next((rate for rate, code in wit.RATE_CODES.items() if code == value), None)
        if register == wit.RATE and rate_hz is not None:
            # Taken without an unlock, as seen.
            self.rate_hz = float(rate_hz)
            self._drop()
        unlocked = self._unlocked_us is not None and self.device_us - self._unlocked_us <= _UNLOCK_S * 1e6
        if register == wit.ALGORITHM and unlocked:
            self._algorithm = value

    def _answer(self, register: int, battery_percent: int) -> bytes:
        values = {
            wit.RATE: (wit.RATE_CODES[int(self.rate_hz)],),
            wit.ALGORITHM: (self._algorithm,),
            wit.BATTERY: (_centivolt(battery_percent),),
            **_CONSTANT_REGISTERS,
        }
        return encode_registers(register, values.get(register, ()))


class WitMotionCut(WitMotion):
    """A sensor whose module passes on what its serial line brought, cut anywhere."""

    product = "witmotion-cut"
    piece_bytes = 17


def _centivolt(percent: int) -> int:
    """Return a voltage in 1/100 V that the vendor's table reads as this charge or the next step below."""
    return next(max(least, 330) for least, step in wit.BATTERY_PERCENT if percent >= step)


def _dates(device_us: IntArray) -> NDArray[np.uint8]:
    """Return year, month, day, hour, minute, second and ms (n, 8) of a clock that began with the year 2025."""
    moments = np.datetime64("2025-01-01", "ms") + (device_us // 1000).astype("timedelta64[ms]")
    days = moments.astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    ms_of_day = (moments - days).astype(np.int64)
    columns = [
        months.astype("datetime64[Y]").astype(np.int64) - 30,  # from 1970 on; two digits
        months.astype(np.int64) % 12 + 1,
        (days - months).astype(np.int64) + 1,
        ms_of_day // 3_600_000,
        ms_of_day // 60_000 % 60,
        ms_of_day // 1000 % 60,
    ]
    low = np.stack(columns, axis=1).astype(np.uint8)
    return np.concatenate([low, (ms_of_day % 1000).astype("<u2")[:, None].view(np.uint8)], axis=1)
