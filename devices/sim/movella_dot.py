"""The firmware of a simulated Movella DOT: attribute table, registers and the bytes of payload mode 21.

It has an encoder of its own and shares nothing but UUIDs with devices/profiles, so that a mistake there is not
mirrored here. Source: vendor document XD0506P (28 October 2021), sections 2 to 4.
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from devices.errors import Refused
from devices.profiles import movella_dot_uuids as dot
from devices.sim.gatt import AttCode, AttError, GattService, build_table
from devices.types import FloatArray, IntArray

# Vendor document, device control: output rates for streaming; 120 is for recording on the device only.
OFFERED_RATES_HZ = (1, 4, 10, 12, 15, 20, 30, 60)
DEFAULT_RATE_HZ = 60
MEDIUM_PAYLOAD_BYTES = 40

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

# Mode 21 as sent: little endian, padded with zeros to the medium payload's size.
_FRAME = np.dtype(
    {
        "names": ["ticks", "acc_mps2", "gyr_degps"],
        "formats": ["<u4", ("<f4", 3), ("<f4", 3)],
        "offsets": [0, 4, 16],
        "itemsize": MEDIUM_PAYLOAD_BYTES,
    }
)


def offered_rate_hz(rate_hz: float) -> int:
    """Return the rate as the product counts it. Raises Refused, naming the offered rates, if the product lacks it."""
    if rate_hz not in OFFERED_RATES_HZ:
        offered = ", ".join(str(rate) for rate in OFFERED_RATES_HZ)
        raise Refused(f"A Movella DOT does not stream at {rate_hz:g} Hz; it offers {offered} Hz, choose one of these.")
    return int(rate_hz)


def encode_frames(ticks: IntArray, acc_mps2: FloatArray, gyr_radps: FloatArray) -> NDArray[np.uint8]:
    """Return mode 21 notifications as (n, 40) bytes: ticks (n,) in us modulo 2^32, acc and gyr (n, 3)."""
    frames = np.zeros(len(ticks), dtype=_FRAME)
    frames["ticks"] = ticks
    frames["acc_mps2"] = acc_mps2
    frames["gyr_degps"] = np.degrees(gyr_radps)
    return np.frombuffer(frames.tobytes(), dtype=np.uint8).reshape(-1, MEDIUM_PAYLOAD_BYTES).copy()


class MovellaDot:
    """The registers behind the vendor's characteristics. Knows no time and no motion; a write answers or is refused."""

    name = "Movella DOT"
    company_id = dot.COMPANY_ID
    table = TABLE
    stream_uuid = dot.MEDIUM_PAYLOAD
    frame_bytes = MEDIUM_PAYLOAD_BYTES

    def __init__(self, address: str, rate_hz: float) -> None:
        self.rate_hz = offered_rate_hz(rate_hz)
        self.measuring = False
        self.mode = dot.MODE_RATE_QUANTITIES
        self.tag = self.name
        self.power_off_asked = False
        self._address = bytes.fromhex(address.replace(":", ""))
        # Advertising 10 min, connected without measuring 30 min: the user manual's power save times (min, s each).
        self._timeouts = bytes((10, 0, 30, 0))
        self._filter = 0

    def link_lost(self) -> None:
        """Forget the measurement: after a link loss the central has to start it again."""
        self.measuring = False

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

    def write(self, uuid: str, data: bytes) -> None:
        """Take a write to one of the two control characteristics. Raises AttError."""
        if uuid == dot.DEVICE_CONTROL:
            self._write_control(data)
        elif uuid == dot.MEASUREMENT_CONTROL:
            self._write_measurement(data)
        else:
            raise AttError(AttCode.WRITE_NOT_PERMITTED, f"Characteristic {uuid} cannot be written.")

    def _control(self) -> bytes:
        tag = self.tag.encode()[:_TAG_BYTES]
        head = bytes((0, 0, 0)) + self._timeouts + bytes((len(tag),)) + tag.ljust(_TAG_BYTES, b"\0")
        return head + struct.pack("<HB5x", self.rate_hz, self._filter)

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
            self.rate_hz = rate_hz
        if visit & _VISIT_FILTER:
            self._filter = filter_profile
        if visit & _VISIT_TIMEOUT:
            self._timeouts = data[3:7]
        if visit & _VISIT_TAG:
            self.tag = data[8 : 8 + min(data[7], _TAG_BYTES)].decode("utf-8", "replace")
        if visit & _VISIT_POWER and data[2] & 1:
            self.power_off_asked = True

    def _write_measurement(self, data: bytes) -> None:
        if len(data) != 3:
            raise AttError(AttCode.INVALID_LENGTH, f"Measurement control takes 3 bytes, not {len(data)}.")
        kind, action, mode = data
        if kind != 1 or action not in (0, 1):
            raise AttError(AttCode.VALUE_NOT_ALLOWED, f"Measurement control knows no {data.hex(' ')}.")
        if action == 1 and mode != dot.MODE_RATE_QUANTITIES:
            raise AttError(AttCode.VALUE_NOT_ALLOWED, f"This simulation has payload mode 21 only, not {mode}.")
        self.measuring = action == 1
