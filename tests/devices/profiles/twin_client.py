"""A connection to a simulated product that keeps what a profile writes, and measures given values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from devices.sim.firmware import Firmware
from devices.types import FloatArray
from tests.devices.sim.firmware_client import FirmwareClient


class TwinClient(FirmwareClient):
    """written: all writes, as hex. also: what the product notifies unasked after a write, or None."""

    def __init__(self, firmware: Firmware, battery_percent: int = 60) -> None:
        super().__init__(firmware)
        self.written: list[str] = []
        self.also: Callable[[bytes], bytes | None] = lambda _data: None
        self._battery_percent = battery_percent

    async def read_gatt_char(self, char_specifier: Any) -> bytearray:
        return bytearray(self.firmware.read(char_specifier, self._battery_percent))

    async def write_gatt_char(self, char_specifier: Any, data: bytes, response: bool | None = None) -> None:
        assert response is True
        self.written.append(data.hex())
        for answer in self.firmware.write(char_specifier, bytes(data), self._battery_percent):
            self.tell(answer.uuid, answer.data)
        if (more := self.also(bytes(data))) is not None:
            self.tell(self.firmware.stream_uuids[0], more)

    def feel(self, acc_mps2: FloatArray, gyr_radps: FloatArray) -> None:
        """Let the product measure these samples (n, 3) next, if it measures, and send what they fill."""
        self.motion = _Given(self._index, acc_mps2, gyr_radps)
        if self.firmware.measuring:
            self.measure(len(acc_mps2), max(1, len(acc_mps2)))
        else:
            self._index += len(acc_mps2)


class _Given:
    """A motion of given values from sample `first` on."""

    duration_s = None

    def __init__(self, first: int, acc_mps2: FloatArray, gyr_radps: FloatArray) -> None:
        self._first, self._acc, self._gyr = first, acc_mps2, gyr_radps

    def samples(self, start_index: int, count: int, rate_hz: float) -> tuple[FloatArray, FloatArray]:
        rows = slice(start_index - self._first, start_index - self._first + count)
        return np.asarray(self._acc[rows]), np.asarray(self._gyr[rows])
