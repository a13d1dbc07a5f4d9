"""A connection to a simulated product's firmware without a radio: what a profile sees, and the frames that come."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np

from devices.profiles import PROFILES
from devices.profiles.types import Profile, Started, Wish
from devices.sim.firmware import Firmware
from devices.sim.motions import MotionSource, lifting
from devices.sim.products import make_firmware
from devices.types import FloatArray

ADDRESS = "C0:FF:EE:12:34:56"


class FirmwareClient:
    """A GattClient. `sent`: what the profile handed on; `measure` lets the product take samples of a motion."""

    def __init__(self, firmware: Firmware, motion: MotionSource | None = None) -> None:
        self.firmware = firmware
        self.motion = motion or lifting(7)
        self.sent: list[bytes] = []
        self.acc_mps2: FloatArray = np.empty((0, 3))
        self.gyr_radps: FloatArray = np.empty((0, 3))
        self.services = self
        self._callbacks: dict[str, Callable[[Any, bytearray], Any]] = {}
        self._index = 0

    def get_characteristic(self, specifier: Any) -> Any | None:
        return next((one for row in self.firmware.table for one in row.characteristics if one.uuid == specifier), None)

    async def read_gatt_char(self, char_specifier: Any) -> bytearray:
        return bytearray(self.firmware.read(char_specifier, 87))

    async def write_gatt_char(self, char_specifier: Any, data: bytes, response: bool | None = None) -> None:
        for answer in self.firmware.write(char_specifier, bytes(data), 87):
            self.tell(answer.uuid, answer.data)

    async def start_notify(self, char_specifier: Any, callback: Callable[[Any, bytearray], Any]) -> None:
        assert char_specifier not in self._callbacks, "subscribed twice"
        self._callbacks[char_specifier] = callback
        self.firmware.subscribed(char_specifier, True)

    async def stop_notify(self, char_specifier: Any) -> None:
        del self._callbacks[char_specifier]
        self.firmware.subscribed(char_specifier, False)

    def tell(self, uuid: str, data: bytes) -> None:
        """Notify whoever subscribed."""
        if uuid in self._callbacks:
            self._callbacks[uuid](None, bytearray(data))

    def start(self, profile: Profile, wish: Wish) -> Started:
        """Start the product's stream by its profile, into `sent`."""
        return asyncio.run(profile.start(self, wish, self.sent.append))

    def measure(self, count: int, at_a_time: int = 64) -> None:
        """Take samples, send what they complete in the order of the last sample, and what each second brings."""
        firmware, end = self.firmware, self._index + count
        while self._index < end:
            indices = np.arange(self._index, min(end, self._index + at_a_time))
            acc, gyr = self.motion.samples(self._index, len(indices), firmware.rate_hz)
            device_us = np.rint(indices * (1e6 / firmware.rate_hz)).astype(np.int64)
            firmware.device_us = int(device_us[-1])
            stretches = firmware.encode(indices, device_us, acc, gyr)
            rows = [(one.end[row], at, row) for at, one in enumerate(stretches) for row in range(len(one.end))]
            for _, at, row in sorted(rows):
                self.tell(stretches[at].uuid, stretches[at].payloads[row].tobytes())
            seconds = range(int(self._index / firmware.rate_hz), int((indices[-1] + 1) / firmware.rate_hz))
            for second in seconds:
                for answer in firmware.each_second(7, second):
                    self.tell(answer.uuid, answer.data)
            self.acc_mps2, self.gyr_radps = np.vstack([self.acc_mps2, acc]), np.vstack([self.gyr_radps, gyr])
            self._index += len(indices)


def streaming(product: str, family: str | None = None, wish: Wish | None = None) -> tuple[FirmwareClient, Started]:
    """Return a product whose stream was just started by its family's profile; no wish: at its highest rate."""
    profile = PROFILES[family or product]
    client = FirmwareClient(make_firmware(product, ADDRESS))
    highest_hz = max(set(profile.rates_offered_hz) & set(client.firmware.rates_hz))
    return client, client.start(profile, wish or Wish(highest_hz))
