"""The firmware of simulated maker products: Thingy:52, PineTime, Bangle.js and micro:bit, a board of one's own.

Sources as in devices/profiles/maker_uuids.py; it shares those numbers with the profiles and no layout.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from devices.profiles import maker_uuids as maker
from devices.profiles import sig_uuids as sig
from devices.sim.firmware import Answer, FirmwareDefaults, Stretch, offered_rate
from devices.sim.gatt import AttCode, AttError, GattService, build_table
from devices.types import FloatArray, IntArray

_G_MPS2 = 9.80665
_READ, _NOTIFY, _READ_NOTIFY, _READ_WRITE = ("read",), ("notify",), ("read", "notify"), ("read", "write")
_BATTERY = (sig.BATTERY_SERVICE, ((sig.BATTERY_LEVEL, _READ_NOTIFY),))
_HEART = (sig.HEART_RATE_SERVICE, ((sig.HEART_RATE_MEASUREMENT, _NOTIFY),))
_ABOUT = (sig.DEVICE_INFORMATION_SERVICE, ((sig.FIRMWARE_REVISION, _READ),))


class _MakerProduct(FirmwareDefaults):
    """What sends from the moment that somebody listens, one sample in a notification."""

    product = ""
    rates_hz: tuple[float, ...] = ()
    stream_uuids: tuple[str, ...] = ()
    has_gyroscope = False
    measuring = True
    # No document tells the full scale of any of these: that of their 16 bits and usual sensors (unconfirmed).
    ranges = (8 * _G_MPS2, float(np.radians(1000)))

    def __init__(self, address: str, rate_hz: float | None = None) -> None:
        self.name = self.product
        self.rate_hz = offered_rate(f"A {self.product}", self.rates_hz, self.rates_hz[-1], rate_hz)

    def read(self, uuid: str, battery_percent: int) -> bytes:
        """Return the value of a readable characteristic. Raises AttError."""
        if uuid == sig.BATTERY_LEVEL:
            return bytes((battery_percent,))
        if uuid == sig.FIRMWARE_REVISION:
            # Said aloud, so that nobody takes it for a product on sale.
            return b"1.0-simulated"
        raise AttError(AttCode.READ_NOT_PERMITTED, f"Characteristic {uuid} cannot be read.")

    def write(self, uuid: str, data: bytes, battery_percent: int) -> tuple[Answer, ...]:
        """Take nothing. Raises AttError."""
        raise AttError(AttCode.WRITE_NOT_PERMITTED, f"Characteristic {uuid} cannot be written.")

    def encode(
        self, indices: IntArray, device_us: IntArray, acc_mps2: FloatArray, gyr_radps: FloatArray
    ) -> list[Stretch]:
        """Return one notification for each sample."""
        return [Stretch(self.stream_uuids[0], self.frames(acc_mps2, gyr_radps), indices, indices + 1)]

    def frames(self, acc_mps2: FloatArray, gyr_radps: FloatArray) -> NDArray[np.uint8]:
        """Return the notifications (n, size)."""
        raise NotImplementedError

    def spoil(self, payload: bytes, rng: np.random.Generator) -> bytes:
        """Return the frame one byte longer: in these bytes nothing else can be told to be wrong."""
        return payload + b"\x7f"


def _words(values: FloatArray) -> NDArray[np.uint8]:
    """Return values (n, k) as i16 (n, 2 k), cut to what 16 bits hold."""
    return np.clip(np.rint(values), -(2**15), 2**15 - 1).astype("<i2").view(np.uint8).reshape(len(values), -1)


class SimThingy52(_MakerProduct):
    """Acceleration, angular rate and a constant compass, at the rate of its motion configuration."""

    product = "thingy52"
    has_gyroscope = True
    stream_uuids: tuple[str, ...] = (maker.THINGY_RAW,)
    rates_hz: tuple[float, ...] = (5.0, 10.0, 20.0, 25.0, 40.0, 50.0, 100.0, 200.0)
    company_id: int | None = 0x0059  # Nordic Semiconductor
    advertised_uuids: tuple[str, ...] = (maker.THINGY_CONFIGURATION,)
    table: tuple[GattService, ...] = build_table(
        (
            _BATTERY,
            # The service that it advertises; what is in it is not needed here.
            (maker.THINGY_CONFIGURATION, ()),
            (maker.THINGY_MOTION, ((maker.THINGY_MOTION_CONFIG, _READ_WRITE), (maker.THINGY_RAW, _NOTIFY))),
        )
    )

    def __init__(self, address: str, rate_hz: float | None = None) -> None:
        super().__init__(address, rate_hz)
        self.name = "Thingy"
        # Pedometer, temperature, compass, rate, wake on motion: the firmware's defaults but for the rate.
        self._config: tuple[int, ...] = (1000, 500, 500, int(self.rate_hz), 1)

    def read(self, uuid: str, battery_percent: int) -> bytes:
        """Return the value of a readable characteristic. Raises AttError."""
        if uuid == maker.THINGY_MOTION_CONFIG:
            return b"".join(value.to_bytes(2, "little") for value in self._config[:4]) + bytes(self._config[4:])
        return super().read(uuid, battery_percent)

    def write(self, uuid: str, data: bytes, battery_percent: int) -> tuple[Answer, ...]:
        """Take a motion configuration within the firmware's limits. Raises AttError."""
        if uuid != maker.THINGY_MOTION_CONFIG:
            return super().write(uuid, data, battery_percent)
        if len(data) != 9:
            raise AttError(AttCode.INVALID_LENGTH, f"The motion configuration takes 9 bytes, not {len(data)}.")
        told = tuple(int.from_bytes(data[at : at + 2], "little") for at in (0, 2, 4, 6))
        if not (100 <= told[0] <= 5000 and 100 <= told[1] <= 5000 and 100 <= told[2] <= 1000 and 5 <= told[3] <= 200):
            raise AttError(AttCode.VALUE_NOT_ALLOWED, f"The motion configuration {data.hex(' ')} is out of limits.")
        self._config, self.rate_hz = (*told, data[8]), float(told[3])
        return ()

    def frames(self, acc_mps2: FloatArray, gyr_radps: FloatArray) -> NDArray[np.uint8]:
        """Return acceleration in 6Q10 g, angular rate in 11Q5 deg/s, compass in 12Q4 uT."""
        compass = np.tile([320.0, 0.0, -640.0], (len(acc_mps2), 1))
        return _words(np.hstack([acc_mps2 / _G_MPS2 * 1024, np.degrees(gyr_radps) * 32, compass]))


class SimInfiniTime(_MakerProduct):
    """A watch's acceleration at its own rate, and its heart rate."""

    product = "infinitime"
    stream_uuids: tuple[str, ...] = (maker.INFINITIME_ACCELERATION,)
    rates_hz: tuple[float, ...] = (10.0,)
    table: tuple[GattService, ...] = build_table(
        (
            _ABOUT,
            _BATTERY,
            _HEART,
            (
                maker.INFINITIME_MOTION,
                ((maker.INFINITIME_STEPS, _READ_NOTIFY), (maker.INFINITIME_ACCELERATION, _READ_NOTIFY)),
            ),
        )
    )

    def __init__(self, address: str, rate_hz: float | None = None) -> None:
        super().__init__(address, rate_hz)
        self.name = maker.INFINITIME_NAME

    def frames(self, acc_mps2: FloatArray, gyr_radps: FloatArray) -> NDArray[np.uint8]:
        """Return acceleration in 1/1024 g."""
        return _words(acc_mps2 / _G_MPS2 * 1024)


class SimBangleJs(_MakerProduct):
    """A Bangle.js with `btadv`: the micro:bit's service without its period, and heart rate."""

    product = "bangle-js"
    stream_uuids: tuple[str, ...] = (maker.MICROBIT_DATA,)
    rates_hz: tuple[float, ...] = (12.5,)
    company_id: int | None = 0x0590  # Pur3 Ltd
    advertised_uuids: tuple[str, ...] = (maker.MICROBIT_SERVICE,)
    table: tuple[GattService, ...] = build_table(
        (_HEART, (maker.MICROBIT_SERVICE, ((maker.MICROBIT_DATA, _READ_NOTIFY),)))
    )

    def __init__(self, address: str, rate_hz: float | None = None) -> None:
        super().__init__(address, rate_hz)
        self.name = f"Bangle.js {address[-5:].replace(':', '').lower()}"

    def frames(self, acc_mps2: FloatArray, gyr_radps: FloatArray) -> NDArray[np.uint8]:
        """Return acceleration in mg."""
        return _words(acc_mps2 / _G_MPS2 * 1000)


class SimMicroBit(SimBangleJs):
    """A micro:bit, whose period can be set."""

    product = "microbit"
    rates_hz: tuple[float, ...] = (12.5, 50.0, 100.0)
    company_id: int | None = None
    table: tuple[GattService, ...] = build_table(
        (
            _ABOUT,
            (maker.MICROBIT_SERVICE, ((maker.MICROBIT_DATA, _READ_NOTIFY), (maker.MICROBIT_PERIOD, _READ_WRITE))),
        )
    )

    def __init__(self, address: str, rate_hz: float | None = None) -> None:
        super().__init__(address, rate_hz)
        self.name = "BBC micro:bit [simul]"

    def read(self, uuid: str, battery_percent: int) -> bytes:
        """Return the value of a readable characteristic. Raises AttError."""
        if uuid == maker.MICROBIT_PERIOD:
            return round(1000 / self.rate_hz).to_bytes(2, "little")
        return super().read(uuid, battery_percent)

    def write(self, uuid: str, data: bytes, battery_percent: int) -> tuple[Answer, ...]:
        """Take a period; one that it does not have is taken as the next that it has. Raises AttError."""
        if uuid != maker.MICROBIT_PERIOD:
            return super().write(uuid, data, battery_percent)
        wanted_ms = int.from_bytes(data, "little")
        self.rate_hz = 1000 / next((one for one in (10, 20, 80) if wanted_ms <= one), 80)
        return ()


class SimBoard(_MakerProduct):
    """A board that prints lines into a Nordic UART pipe."""

    product = "nordic-uart"
    has_gyroscope = True
    # A line without its end runs into the next.
    spills = True
    stream_uuids: tuple[str, ...] = (maker.UART_FROM_DEVICE,)
    rates_hz: tuple[float, ...] = (10.0, 20.0, 25.0, 50.0, 100.0)
    advertised_uuids: tuple[str, ...] = (maker.UART_SERVICE,)
    clock_wraps_after_s: float | None = 2**32 / 1e3
    table: tuple[GattService, ...] = build_table(
        ((maker.UART_SERVICE, ((maker.UART_TO_DEVICE, ("write",)), (maker.UART_FROM_DEVICE, _NOTIFY))),)
    )

    def encode(
        self, indices: IntArray, device_us: IntArray, acc_mps2: FloatArray, gyr_radps: FloatArray
    ) -> list[Stretch]:
        """Return each sample's line in one notification, as a board with a large packet size sends it."""
        stretches = []
        rows = np.column_stack([device_us // 1000 % 2**32, acc_mps2 / _G_MPS2, np.degrees(gyr_radps)])
        for index, row in zip(indices, rows, strict=True):
            line = "{:.0f},{:.4f},{:.4f},{:.4f},{:.2f},{:.2f},{:.2f}\n".format(*row)
            payload = np.frombuffer(line.encode(), dtype=np.uint8)[None, :]
            stretches.append(Stretch(self.stream_uuids[0], payload, np.array([index]), np.array([index + 1])))
        return stretches

    def spoil(self, payload: bytes, rng: np.random.Generator) -> bytes:
        """Return the line with a letter for its first comma."""
        return payload.replace(b",", b"x", 1)
