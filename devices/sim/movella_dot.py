"""The firmware of a simulated Movella DOT: attribute table and registers.

Source: vendor document XD0506P (28 October 2021), sections 2 to 5. Its power saving is left out: it stays on.
"""

from __future__ import annotations

import struct

import numpy as np

from devices.profiles import movella_dot_uuids as dot
from devices.sim.firmware import Answer, FirmwareDefaults, Stretch, offered_rate
from devices.sim.fusion import Fusion
from devices.sim.gatt import AttCode, AttError, GattService, build_table
from devices.sim.movella_dot_frames import ACC_RANGE_MPS2, GYR_RANGE_RADPS, MODES, measure, write_frames
from devices.sim.movella_dot_sync import Synchronisation
from devices.types import FloatArray, IntArray

# Vendor document, device control: output rates for streaming; 120 is for recording on the device only.
OFFERED_RATES_HZ = (1.0, 4.0, 10.0, 12.0, 15.0, 20.0, 30.0, 60.0)
DEFAULT_RATE_HZ = 60.0

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
                (dot.HEADING_CONTROL, _READ_WRITE),
                (dot.HEADING_STATUS, _READ),
            ),
        ),
        (dot.DOT_BATTERY_SERVICE, ((dot.DOT_BATTERY, _READ_NOTIFY),)),
        (
            dot.MESSAGE_SERVICE,
            (
                (dot.MESSAGE_CONTROL, ("write",)),
                (dot.MESSAGE_ACKNOWLEDGE, _READ),
                (dot.MESSAGE_NOTIFICATION, _NOTIFY),
            ),
        ),
    )
)

# Device control: visit mask bits of the first byte.
_VISIT_POWER, _VISIT_TIMEOUT, _VISIT_TAG, _VISIT_RATE, _VISIT_FILTER = 0x02, 0x04, 0x08, 0x10, 0x20
_CONTROL_BYTES = 32
_TAG_BYTES = 16

# Offsets of the highest bytes of the float32 values of the modes with acceleration and angular rate only.
_HIGH_BYTES = (7, 11, 15, 19, 23, 27)
_REPORT_BYTES = 36
_REPORT_POWER_OFF = 1


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
    ranges = (ACC_RANGE_MPS2, GYR_RANGE_RADPS)

    def __init__(self, address: str, rate_hz: float | None = None) -> None:
        self.name = "Movella DOT"
        self.rate_hz = offered_rate("A Movella DOT", OFFERED_RATES_HZ, DEFAULT_RATE_HZ, rate_hz)
        self.measuring = False
        self.mode = dot.MODE_RATE_QUANTITIES
        self._address = bytes.fromhex(address.replace(":", ""))
        # Advertising 10 min, connected without measuring 30 min: the user manual's power save times (min, s each).
        self._timeouts = bytes((10, 0, 30, 0))
        self._filter = 0
        self._heading = dot.HEADING_REVERT
        self._fusion = Fusion()
        self._sync = Synchronisation()

    @property
    def follows(self) -> str | None:
        """Return the address of the root whose time the time stamps keep."""
        return self._sync.follows

    def powered_on(self) -> None:
        """Know nothing of a measurement, a heading or a common time."""
        self._stop()
        self._sync = Synchronisation()

    def link_lost(self) -> None:
        """Forget the measurement (the stricter reading: the document does not say), unless time is shared."""
        self._sync.disconnected(self.device_us)
        if self.follows is None:
            self._stop()

    def company_data(self) -> bytes:
        """Return the address, reversed."""
        return self._address[::-1]

    def encode(
        self, indices: IntArray, device_us: IntArray, acc_mps2: FloatArray, gyr_radps: FloatArray
    ) -> list[Stretch]:
        """Return one notification for each sample."""
        values = measure(self.mode, acc_mps2, gyr_radps, self.rate_hz, self._fusion)
        payloads = write_frames(self.mode, device_us, values)
        return [Stretch(MODES[self.mode][0][0], payloads, indices, indices + 1)]

    def spoil(self, payload: bytes, rng: np.random.Generator) -> bytes:
        """Return the frame with the highest byte of a value absurd: beyond any range, or no number."""
        at = int(rng.choice(_HIGH_BYTES)) if self.mode in (20, 21) else _HIGH_BYTES[0]
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
        if uuid == dot.MESSAGE_ACKNOWLEDGE:
            self._settle_sync()
            return self._sync.acknowledgement()
        if uuid in (dot.HEADING_CONTROL, dot.HEADING_STATUS):
            return self._heading[: 2 if uuid == dot.HEADING_CONTROL else 1]
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
        """Take a write to one of the control characteristics. Raises AttError."""
        if uuid == dot.DEVICE_CONTROL:
            self._write_control(data)
            if self.power_off_asked:
                report = bytes((_REPORT_POWER_OFF, 0)).ljust(_REPORT_BYTES, b"\0")
                return (Answer(dot.DEVICE_REPORT, report),)
        elif uuid == dot.MEASUREMENT_CONTROL:
            self._write_measurement(data)
        elif uuid == dot.HEADING_CONTROL:
            self._write_heading(data)
        elif uuid == dot.MESSAGE_CONTROL:
            self._settle_sync()
            return self._sync.take(data)
        else:
            raise AttError(AttCode.WRITE_NOT_PERMITTED, f"Characteristic {uuid} cannot be written.")
        return ()

    def _settle_sync(self) -> None:
        if self._sync.settle(self.device_us, self.hears):
            # With a common time it measures, in the mode of before.
            self.measuring = True

    def _stop(self) -> None:
        self.measuring = False
        self._heading = dot.HEADING_REVERT
        self._fusion.forget()

    def _write_heading(self, data: bytes) -> None:
        if len(data) != len(dot.HEADING_RESET):
            raise AttError(AttCode.INVALID_LENGTH, f"Heading reset takes 2 bytes, not {len(data)}.")
        if data not in (dot.HEADING_RESET, dot.HEADING_REVERT):
            raise AttError(AttCode.VALUE_NOT_ALLOWED, f"Heading reset knows no {data.hex(' ')}.")
        if not self.measuring or data == self._heading:
            raise AttError(AttCode.WRONG_STATE, "The heading is reset while measuring, and once until it is reverted.")
        self._heading = data
        if data == dot.HEADING_RESET:
            self._fusion.zero_heading()
        else:
            self._fusion.restore_heading()

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
        if action == 1 and mode not in MODES:
            offered = ", ".join(map(str, MODES))
            raise AttError(AttCode.VALUE_NOT_ALLOWED, f"This simulation has the payload modes {offered}, not {mode}.")
        self._stop()
        self.measuring = action == 1
        self.mode = mode if action == 1 else self.mode
