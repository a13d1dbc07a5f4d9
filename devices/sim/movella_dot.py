"""The firmware of a simulated Movella DOT: attribute table, registers and the bytes of payload mode 21.

It has an encoder of its own and shares nothing but UUIDs with devices/profiles, so that a mistake there is not
mirrored here. Source: vendor document XD0506P (28 October 2021), sections 2 to 4.
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from devices.profiles import movella_dot_uuids as dot
from devices.sim.firmware import Answer, FirmwareDefaults, Stretch, offered_rate
from devices.sim.gatt import AttCode, AttError, GattService, build_table
from devices.types import FloatArray, IntArray

# Vendor document, device control: output rates for streaming; 120 is for recording on the device only.
OFFERED_RATES_HZ = (1.0, 4.0, 10.0, 12.0, 15.0, 20.0, 30.0, 60.0)
DEFAULT_RATE_HZ = 60.0
# Full scale: 16 g and 2000 deg/s. Source: user manual XD0502P, sensor components.
_ACC_RANGE_MPS2 = 16 * 9.80665
_GYR_RANGE_RADPS = float(np.radians(2000))

_READ, _NOTIFY, _READ_NOTIFY, _READ_WRITE = ("read",), ("notify",), ("read", "notify"), ("read", "write")
TABLE: tuple[GattService, ...] = build_table(
    (
        (
            dot.DEVICE_INFORMATION_SERVICE,
            (
                (dot.MANUFACTURER_NAME, _READ),
                (dot.MODEL_NUMBER, _READ),
                (dot.SERIAL_NUMBER, _READ),
                (dot.FIRMWARE_REVISION, _READ),
                (dot.HARDWARE_REVISION, _READ),
            ),
        ),
        (dot.BATTERY_SERVICE, ((dot.BATTERY_LEVEL, _READ_NOTIFY),)),
        (dot.HEART_RATE_SERVICE, ((dot.HEART_RATE_MEASUREMENT, _NOTIFY), (dot.BODY_SENSOR_LOCATION, _READ))),
        (
            dot.CONFIGURATION_SERVICE,
            ((dot.DEVICE_INFO, _READ), (dot.DEVICE_CONTROL, _READ_WRITE), (dot.DEVICE_REPORT, _NOTIFY)),
        ),
        (
            dot.MEASUREMENT_SERVICE,
            (
                (dot.MEASUREMENT_CONTROL, _READ_WRITE),
                (dot.LONG_PAYLOAD, _NOTIFY),
                (dot.MEDIUM_PAYLOAD, _NOTIFY),
                (dot.SHORT_PAYLOAD, _NOTIFY),
            ),
        ),
        (dot.DOT_BATTERY_SERVICE, ((dot.DOT_BATTERY, _READ_NOTIFY),)),
    )
)

# Device control: visit mask bits of the first byte.
_VISIT_POWER, _VISIT_TIMEOUT, _VISIT_TAG, _VISIT_RATE, _VISIT_FILTER = 0x02, 0x04, 0x08, 0x10, 0x20
_CONTROL_BYTES = 32
_TAG_BYTES = 16

# Raw magnetometer, in 1/4096 of the earth's field: north and down.
_MAG_RAW = np.array([1800, 0, -3600])
# Offsets of the highest bytes of the six float32 values of modes 20 and 21.
_HIGH_BYTES = (7, 11, 15, 19, 23, 27)
# Fields of the payload modes as sent, after the time stamp; each is padded with zeros to its characteristic's size.
_MODES: dict[int, tuple[str, int, tuple[tuple[str, str, int], ...]]] = {
    20: (dot.MEDIUM_PAYLOAD, 40, (("acc", "<f4", 3), ("gyr", "<f4", 3), ("mag", "<i2", 3))),
    21: (dot.MEDIUM_PAYLOAD, 40, (("acc", "<f4", 3), ("gyr", "<f4", 3))),
}


def encode_frames(mode: int, device_us: IntArray, values: dict[str, FloatArray]) -> NDArray[np.uint8]:
    """Return notifications as (n, size) bytes: the time stamp in us modulo 2^32, then the mode's fields."""
    _, size, fields = _MODES[mode]
    frames = np.zeros((len(device_us), size), dtype=np.uint8)
    frames[:, :4] = (device_us % 2**32).astype("<u4")[:, None].view(np.uint8)
    at = 4
    for name, kind, _ in fields:
        part = np.ascontiguousarray(values[name], dtype=kind).view(np.uint8)
        frames[:, at : at + part.shape[1]] = part
        at += part.shape[1]
    return frames


class MovellaDot(FirmwareDefaults):
    """The registers behind the vendor's characteristics."""

    product = "movella-dot"
    company_id = dot.COMPANY_ID
    table = TABLE
    stream_uuids = (dot.LONG_PAYLOAD, dot.MEDIUM_PAYLOAD, dot.SHORT_PAYLOAD)
    battery_uuids = (dot.BATTERY_LEVEL, dot.DOT_BATTERY)
    rates_hz = OFFERED_RATES_HZ
    has_gyroscope = True
    # The time stamp is a u32 of microseconds.
    clock_wraps_after_s = 2**32 / 1e6
    ranges = (_ACC_RANGE_MPS2, _GYR_RANGE_RADPS)

    def __init__(self, address: str, rate_hz: float | None = None) -> None:
        self.name = "Movella DOT"
        self.rate_hz = offered_rate("A Movella DOT", OFFERED_RATES_HZ, DEFAULT_RATE_HZ, rate_hz)
        self.measuring = False
        self.mode = dot.MODE_RATE_QUANTITIES
        self._address = bytes.fromhex(address.replace(":", ""))
        # Advertising 10 min, connected without measuring 30 min: the user manual's power save times (min, s each).
        self._timeouts = bytes((10, 0, 30, 0))
        self._filter = 0

    def link_lost(self) -> None:
        """Forget the measurement: after a link loss the central has to start it again."""
        self.measuring = False

    def company_data(self) -> bytes:
        """Return the address, reversed."""
        return self._address[::-1]

    def encode(
        self, indices: IntArray, device_us: IntArray, acc_mps2: FloatArray, gyr_radps: FloatArray
    ) -> list[Stretch]:
        """Return one notification for each sample."""
        # A constant field, along an axis of the sensor: nobody here looks at the magnetometer.
        values = {"acc": acc_mps2, "gyr": np.degrees(gyr_radps), "mag": np.tile(_MAG_RAW, (len(indices), 1))}
        payloads = encode_frames(self.mode, device_us, values)
        return [Stretch(_MODES[self.mode][0], payloads, indices, indices + 1)]

    def spoil(self, payload: bytes, rng: np.random.Generator) -> bytes:
        """Return the frame with the highest byte of one of its six values absurd: beyond any range, or no number."""
        at = int(rng.choice(_HIGH_BYTES))
        return payload[:at] + b"\x7f" + payload[at + 1 :]

    def read(self, uuid: str, battery_percent: int) -> bytes:
        """Return the value of a readable characteristic. Raises AttError."""
        if uuid in (dot.BATTERY_LEVEL, dot.DOT_BATTERY):
            return bytes((battery_percent, 0))[: 1 if uuid == dot.BATTERY_LEVEL else 2]
        if uuid == dot.DEVICE_CONTROL:
            return self._control()
        if uuid == dot.MEASUREMENT_CONTROL:
            return bytes((1, int(self.measuring), self.mode))
        if uuid == dot.DEVICE_INFO:
            return self._device_info()
        texts = {
            dot.MANUFACTURER_NAME: "Movella",
            dot.MODEL_NUMBER: "Movella DOT",
            dot.SERIAL_NUMBER: self._address.hex().upper(),
            # Said aloud, so that nobody takes it for a product on sale.
            dot.FIRMWARE_REVISION: "3.0.0-simulated",
            dot.HARDWARE_REVISION: "XS-T02",
        }
        if uuid in texts:
            return texts[uuid].encode()
        if uuid == dot.BODY_SENSOR_LOCATION:
            return b"\x01"  # chest
        raise AttError(AttCode.READ_NOT_PERMITTED, f"Characteristic {uuid} cannot be read.")

    def write(self, uuid: str, data: bytes, battery_percent: int) -> tuple[Answer, ...]:
        """Take a write to one of the two control characteristics. Raises AttError."""
        if uuid == dot.DEVICE_CONTROL:
            self._write_control(data)
        elif uuid == dot.MEASUREMENT_CONTROL:
            self._write_measurement(data)
        else:
            raise AttError(AttCode.WRITE_NOT_PERMITTED, f"Characteristic {uuid} cannot be written.")
        return ()

    def _control(self) -> bytes:
        tag = self.name.encode()[:_TAG_BYTES]
        head = bytes((0, 0, 0)) + self._timeouts + bytes((len(tag),)) + tag.ljust(_TAG_BYTES, b"\0")
        return head + struct.pack("<HB5x", int(self.rate_hz), self._filter)

    def _device_info(self) -> bytes:
        serial = int.from_bytes(self._address, "big")
        built = struct.pack("<HBBBBB", 2021, 10, 28, 12, 0, 0)
        return self._address[::-1] + bytes((3, 0, 0)) + built + struct.pack("<IQ6s", 0, serial, b"XS-T02")

    def _write_control(self, data: bytes) -> None:
        if len(data) != _CONTROL_BYTES:
            raise AttError(AttCode.INVALID_LENGTH, f"Device control takes {_CONTROL_BYTES} bytes, not {len(data)}.")
        visit = data[0]
        rate_hz, filter_profile = struct.unpack_from("<HB", data, 24)
        if visit & (_VISIT_RATE | _VISIT_FILTER) and self.measuring:
            raise AttError(AttCode.WRONG_STATE, "Rate and filter cannot change while measuring.")
        if visit & _VISIT_RATE and rate_hz not in OFFERED_RATES_HZ:
            raise AttError(AttCode.VALUE_NOT_ALLOWED, f"Output rate {rate_hz} Hz is not offered.")
        if visit & _VISIT_RATE:
            self.rate_hz = float(rate_hz)
        if visit & _VISIT_FILTER:
            self._filter = filter_profile
        if visit & _VISIT_TIMEOUT:
            self._timeouts = data[3:7]
        if visit & _VISIT_TAG:
            self.name = data[8 : 8 + min(data[7], _TAG_BYTES)].decode("utf-8", "replace")
        if visit & _VISIT_POWER and data[2] & 1:
            self.power_off_asked = True

    def _write_measurement(self, data: bytes) -> None:
        if len(data) != 3:
            raise AttError(AttCode.INVALID_LENGTH, f"Measurement control takes 3 bytes, not {len(data)}.")
        kind, action, mode = data
        if kind != 1 or action not in (0, 1):
            raise AttError(AttCode.VALUE_NOT_ALLOWED, f"Measurement control knows no {data.hex(' ')}.")
        if action == 1 and mode not in _MODES:
            offered = ", ".join(map(str, _MODES))
            raise AttError(AttCode.VALUE_NOT_ALLOWED, f"This simulation has the payload modes {offered}, not {mode}.")
        self.measuring = action == 1
        self.mode = mode
