"""The firmware of simulated products that have the standard services only: a heart rate strap, a running pod."""

from __future__ import annotations

import math

import numpy as np

from devices.profiles import sig_uuids as sig
from devices.sim import sig_frames
from devices.sim.firmware import Answer, FirmwareDefaults, Stretch, offered_rate
from devices.sim.gatt import AttCode, AttError, GattService, build_table
from devices.types import FloatArray, IntArray

_READ, _NOTIFY, _READ_NOTIFY = ("read",), ("notify",), ("read", "notify")
_ABOUT = (
    (sig.DEVICE_INFORMATION_SERVICE, ((sig.MANUFACTURER_NAME, _READ), (sig.FIRMWARE_REVISION, _READ))),
    (sig.BATTERY_SERVICE, ((sig.BATTERY_LEVEL, _READ_NOTIFY),)),
)
# An easy run that quickens and slows down (own heuristic).
_SPEED_MPS, _SWING_MPS, _SWING_S, _CADENCE_SPM = 2.8, 0.3, 120.0, 164


class _StandardProduct(FirmwareDefaults):
    """What has no motion samples: it tells one value each second to whoever listens."""

    product = ""
    rates_hz: tuple[float, ...] = (1.0,)
    has_gyroscope = False
    measuring = True
    # No sample is ever sent; any range will do.
    ranges = (1.0, 1.0)

    def __init__(self, address: str, rate_hz: float | None = None) -> None:
        self.name = f"{self.product} {address[-5:].replace(':', '')}"
        self.rate_hz = offered_rate(f"A {self.product}", self.rates_hz, 1.0, rate_hz)

    def read(self, uuid: str, battery_percent: int) -> bytes:
        """Return the value of a readable characteristic. Raises AttError."""
        values = {
            sig.BATTERY_LEVEL: bytes((battery_percent,)),
            # Said aloud, so that nobody takes it for a product on sale.
            sig.MANUFACTURER_NAME: b"Backstop",
            sig.FIRMWARE_REVISION: b"1.0-simulated",
            sig.BODY_SENSOR_LOCATION: b"\x01",  # chest
            # Stride and distance are told, and whether it is walking or running.
            sig.RUNNING_SPEED_FEATURE: b"\x07\x00",
        }
        if uuid not in values or not any(one.uuid == uuid for row in self.table for one in row.characteristics):
            raise AttError(AttCode.READ_NOT_PERMITTED, f"Characteristic {uuid} cannot be read.")
        return values[uuid]

    def write(self, uuid: str, data: bytes, battery_percent: int) -> tuple[Answer, ...]:
        """Take nothing. Raises AttError."""
        raise AttError(AttCode.WRITE_NOT_PERMITTED, f"Characteristic {uuid} cannot be written.")

    def encode(
        self, indices: IntArray, device_us: IntArray, acc_mps2: FloatArray, gyr_radps: FloatArray
    ) -> list[Stretch]:
        """Return nothing: there are no motion samples."""
        return []

    def cut(self, payload: bytes) -> bytes:
        """Return the flags alone: two bytes of a heart rate would be a whole one."""
        return payload[:1]


class HeartRateStrap(_StandardProduct):
    """A plain heart rate strap; what it sends each second is what any product with that service does."""

    product = "heart-rate"
    stream_uuids: tuple[str, ...] = (sig.HEART_RATE_MEASUREMENT,)
    advertised_uuids: tuple[str, ...] = (sig.HEART_RATE_SERVICE,)
    table: tuple[GattService, ...] = build_table(
        (
            *_ABOUT,
            (sig.HEART_RATE_SERVICE, ((sig.HEART_RATE_MEASUREMENT, _NOTIFY), (sig.BODY_SENSOR_LOCATION, _READ))),
        )
    )


class RunningPod(_StandardProduct):
    """A running pod that is being run with."""

    product = "running-speed"
    stream_uuids: tuple[str, ...] = (sig.RUNNING_SPEED_MEASUREMENT,)
    advertised_uuids: tuple[str, ...] = (sig.RUNNING_SPEED_SERVICE,)
    table: tuple[GattService, ...] = build_table(
        (
            *_ABOUT,
            (
                sig.RUNNING_SPEED_SERVICE,
                ((sig.RUNNING_SPEED_MEASUREMENT, _NOTIFY), (sig.RUNNING_SPEED_FEATURE, _READ)),
            ),
        )
    )

    def each_second(self, seed: int, second: int) -> tuple[Answer, ...]:
        """Return speed, cadence, stride and distance so far."""
        turning = 2 * np.pi / _SWING_S
        speed_mps = _SPEED_MPS + _SWING_MPS * math.sin(turning * second + seed)
        distance_m = _SPEED_MPS * second + _SWING_MPS / turning * (math.cos(seed) - math.cos(turning * second + seed))
        # A stride is two steps.
        stride_m = 2 * 60 * speed_mps / _CADENCE_SPM
        told = sig_frames.running(
            round(256 * speed_mps), _CADENCE_SPM, True, round(100 * stride_m), max(0, round(10 * distance_m))
        )
        return (Answer(sig.RUNNING_SPEED_MEASUREMENT, told),)
