"""The firmware of a simulated MetaMotion: modules, registers, and the bytes of its two sensors' streams.

It has an encoder of its own and shares nothing but constants with devices/profiles. As the real board it goes on
measuring when a link is lost, until it is told to stop or is reset: who connects next and listens hears the old stream.
Source: mbientlab/MetaWear-SDK-Cpp, see devices/profiles/metamotion_codes.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from devices.profiles import metamotion_codes as mm
from devices.profiles import sig_uuids as sig
from devices.sim.firmware import Answer, FirmwareDefaults, Stretch, offered_rate
from devices.sim.gatt import AttCode, AttError, GattService, build_table
from devices.types import FloatArray, IntArray

_DEFAULT_RATE_HZ = 100.0
_G_MPS2 = 9.80665
_READ, _NOTIFY, _WRITE = ("read",), ("notify",), ("write", "write-without-response")
TABLE: tuple[GattService, ...] = build_table(
    (
        (
            sig.DEVICE_INFORMATION_SERVICE,
            tuple(
                (uuid, _READ)
                for uuid in (
                    sig.MANUFACTURER_NAME,
                    sig.MODEL_NUMBER,
                    sig.SERIAL_NUMBER,
                    sig.FIRMWARE_REVISION,
                    sig.HARDWARE_REVISION,
                )
            ),
        ),
        (mm.SERVICE, ((mm.COMMAND, _WRITE), (mm.NOTIFICATION, _NOTIFY))),
    )
)
# Voltage of an empty cell in mV, and what each percent adds: a straight line (own heuristic).
_EMPTY_MV, _MV_PER_PERCENT = 3000, 11.6


def frame(module: int, register: int, values: NDArray[np.generic]) -> bytes:
    """Return one notification: module, register, and the values as they lie in memory, little endian."""
    return bytes((module, register)) + values.tobytes()


def battery_answer(percent: int, voltage_mv: int) -> bytes:
    """Return the answer of the settings module: charge, and voltage in two bytes."""
    return bytes((mm.SETTINGS, mm.READ | mm.BATTERY, percent)) + voltage_mv.to_bytes(2, "little")


@dataclass(slots=True)
class _Sensor:
    """One sensor of the board: its registers, and the samples of a notification that is not full."""

    name: str
    module: int
    chip: int
    data: tuple[int, int]
    config: tuple[int, int]
    revision: int
    powered: bool = False
    interrupt: bool = False
    subscribed: set[int] = field(default_factory=set)
    kept: NDArray[np.int16] = field(default_factory=lambda: np.empty((0, 3), dtype="<i2"))
    kept_first: int = 0

    @property
    def sends(self) -> bool:
        return self.powered and self.interrupt and bool(self.subscribed)

    def encode(self, indices: IntArray, values: FloatArray, unit_per_lsb: float) -> list[Stretch]:
        """Return the notifications that these samples (n, 3) complete, of each kind that is subscribed."""
        raw = np.clip(np.rint(values / unit_per_lsb), -32768, 32767).astype("<i2")
        made = []
        if self.data[0] in self.subscribed:
            made.append(self._stretch(self.data[0], raw, indices, indices + 1))
        if self.data[1] in self.subscribed:
            # Numbers are consecutive, so that the first kept one tells them all; a gap starts a new notification.
            if len(self.kept) and self.kept_first + len(self.kept) != indices[0]:
                self.drop()
            if not len(self.kept):
                self.kept_first = int(indices[0])
            raw = np.concatenate([self.kept, raw])
            full = len(raw) // mm.PACKED_SAMPLES
            used = full * mm.PACKED_SAMPLES
            first = self.kept_first + mm.PACKED_SAMPLES * np.arange(full)
            made.append(
                self._stretch(
                    self.data[1], raw[:used].reshape(full, 3 * mm.PACKED_SAMPLES), first, first + mm.PACKED_SAMPLES
                )
            )
            self.kept, self.kept_first = raw[used:], self.kept_first + used
        return made

    def _stretch(self, register: int, raw: NDArray[np.int16], first: IntArray, end: IntArray) -> Stretch:
        payloads = np.empty((len(raw), 2 + 2 * raw.shape[1]), dtype=np.uint8)
        payloads[:, :2] = self.module, register
        payloads[:, 2:] = np.ascontiguousarray(raw).view(np.uint8)
        return Stretch(mm.NOTIFICATION, payloads, first, end, self.name)

    def drop(self) -> None:
        """Forget the samples of a notification that is not full."""
        self.kept = self.kept[:0]


class MetaMotion(FirmwareDefaults):
    """The board with BMI270 (MetaMotion S). revision: of both sensor modules; 0 does not pack samples."""

    product = "metamotion"
    name = "MetaWear"
    advertised_uuids = (mm.SERVICE,)
    table = TABLE
    stream_uuids = (mm.NOTIFICATION,)
    # The charge is told when asked only.
    battery_uuids: tuple[str, ...] = ()
    rates_hz = tuple(float(rate) for rate in mm.RATE_CODES)
    has_gyroscope = True
    chips = (mm.ACC_BMI270, mm.GYR_BMI270)

    def __init__(self, address: str, rate_hz: float | None = None, revision: int = mm.PACKED_SINCE) -> None:
        self.rate_hz = offered_rate("A MetaMotion", self.rates_hz, _DEFAULT_RATE_HZ, rate_hz)
        self._serial = address.replace(":", "")
        self._revision = revision
        self._reset()

    def _reset(self) -> None:
        acc_chip, gyr_chip = self.chips
        code = mm.RATE_CODES[int(self.rate_hz)]
        acc_config = (mm.ACC_FILTER[acc_chip] | code, mm.ACC_RANGES[acc_chip][2])
        gyr_config = (mm.GYR_FILTER | code, mm.GYR_RANGES[2000])
        self._acc = _Sensor("acc", mm.ACCELEROMETER, acc_chip, mm.ACC_DATA[acc_chip], acc_config, self._revision)
        self._gyr = _Sensor("gyr", mm.GYROSCOPE, gyr_chip, mm.GYR_DATA[gyr_chip], gyr_config, self._revision)

    @property
    def measuring(self) -> bool:
        """Tell whether a sensor is on and feeds a notification that was subscribed."""
        return self._acc.sends or self._gyr.sends

    @property
    def ranges(self) -> tuple[float, float]:
        """Return full scale in m/s^2 and rad/s."""
        return self._acc_range_g * _G_MPS2, float(np.radians(self._gyr_range_degps))

    @property
    def _acc_range_g(self) -> int:
        return _key_of(mm.ACC_RANGES[self._acc.chip], self._acc.config[1])

    @property
    def _gyr_range_degps(self) -> int:
        return _key_of(mm.GYR_RANGES, self._gyr.config[1])

    def link_lost(self) -> None:
        """Go on measuring; only the samples of notifications that are not full are gone."""
        self._acc.drop()
        self._gyr.drop()

    def encode(
        self, indices: IntArray, device_us: IntArray, acc_mps2: FloatArray, gyr_radps: FloatArray
    ) -> list[Stretch]:
        """Return the notifications of both sensors; the board sends no time."""
        acc_unit = _G_MPS2 / mm.ACC_LSB_PER_G[self._acc_range_g]
        gyr_unit = float(np.radians(1 / mm.GYR_LSB_PER_DEGPS[self._gyr_range_degps]))
        made: list[Stretch] = []
        for sensor, values, unit in ((self._acc, acc_mps2, acc_unit), (self._gyr, gyr_radps, gyr_unit)):
            if sensor.sends:
                made += sensor.encode(indices, values, unit)
        return made

    def read(self, uuid: str, battery_percent: int) -> bytes:
        """Return a standard text. Raises AttError."""
        texts = {
            sig.MANUFACTURER_NAME: "MbientLab Inc",
            sig.MODEL_NUMBER: self.product,
            sig.SERIAL_NUMBER: self._serial,
            # Said aloud, so that nobody takes it for a product on sale.
            sig.FIRMWARE_REVISION: "1.7.2-simulated",
            sig.HARDWARE_REVISION: "0.1",
        }
        if uuid not in texts:
            raise AttError(AttCode.READ_NOT_PERMITTED, f"Characteristic {uuid} cannot be read.")
        return texts[uuid].encode()

    def write(self, uuid: str, data: bytes, battery_percent: int) -> tuple[Answer, ...]:
        """Take a command. A board is silent about those it does not know. Raises AttError."""
        if uuid != mm.COMMAND:
            raise AttError(AttCode.WRITE_NOT_PERMITTED, f"Characteristic {uuid} cannot be written.")
        if len(data) < 2:
            raise AttError(AttCode.INVALID_LENGTH, "A command has a module and a register.")
        module, register, rest = data[0], data[1], data[2:]
        if register & mm.READ:
            answer = self._answer(module, register & ~mm.READ, battery_percent)
            return () if answer is None else (Answer(mm.NOTIFICATION, answer),)
        for sensor in (self._acc, self._gyr):
            if sensor.module == module:
                self._command(sensor, register, rest)
        if (module, register) == (mm.DEBUG, mm.RESET):
            self._reset()
        return ()

    def _answer(self, module: int, register: int, battery_percent: int) -> bytes | None:
        head = bytes((module, mm.READ | register))
        if (module, register) == (mm.SETTINGS, mm.BATTERY):
            return battery_answer(battery_percent, int(_EMPTY_MV + _MV_PER_PERCENT * battery_percent))
        sensor = next((one for one in (self._acc, self._gyr) if one.module == module), None)
        if register == mm.INFO:
            # An absent module answers with its header alone.
            return head if sensor is None else head + bytes((sensor.chip, sensor.revision))
        if sensor is not None and register == mm.CONFIG:
            return head + bytes(sensor.config)
        return None

    def _command(self, sensor: _Sensor, register: int, rest: bytes) -> None:
        if register == mm.POWER and rest:
            sensor.powered = rest[0] == 1
        elif register == mm.INTERRUPT and len(rest) == 2:
            # Bits to set, bits to clear.
            sensor.interrupt = bool((sensor.interrupt | rest[0]) & ~rest[1] & 1)
        elif register == mm.CONFIG and len(rest) == 2:
            self._configure(sensor, rest[0], rest[1])
        elif register == sensor.data[0] or (register == sensor.data[1] and sensor.revision >= mm.PACKED_SINCE):
            if rest == b"\x01":
                sensor.subscribed.add(register)
            else:
                sensor.subscribed.discard(register)
        if not sensor.sends:
            sensor.drop()

    def _configure(self, sensor: _Sensor, conf: int, range_byte: int) -> None:
        """Take rate and range; the chip keeps its own for a rate or a range that it does not have."""
        rate_hz = next((rate for rate, code in mm.RATE_CODES.items() if code == conf & 0x0F), None)
        ranges = mm.ACC_RANGES[sensor.chip] if sensor is self._acc else mm.GYR_RANGES
        if rate_hz is None or range_byte not in ranges.values():
            return
        sensor.config = (conf, range_byte)
        sensor.drop()
        # One sample grid for the board: the accelerometer's.
        if sensor is self._acc:
            self.rate_hz = float(rate_hz)


class MetaMotionR(MetaMotion):
    """The board with BMI160 (MetaMotion R, RL)."""

    product = "metamotion-r"
    chips = (mm.ACC_BMI160, mm.GYR_BMI160)


def _key_of(ranges: dict[int, int], byte: int) -> int:
    return next(full_scale for full_scale, one in ranges.items() if one == byte)
