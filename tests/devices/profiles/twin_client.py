"""A connection to a simulated product without a radio: what a profile writes, its firmware takes and answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np

from devices.sim.firmware import Firmware
from devices.sim.outbox import in_order
from devices.sim.truth import Grid
from devices.types import FloatArray


class TwinClient:
    """A GattClient. written: all writes, as hex. also: what the product notifies unasked after a write, or None."""

    def __init__(self, firmware: Firmware, battery_percent: int = 60) -> None:
        self.firmware = firmware
        self.written: list[str] = []
        self.services = self
        self.also: Callable[[bytes], bytes | None] = lambda _data: None
        self._battery_percent = battery_percent
        self._listeners: dict[str, Callable[[Any, bytearray], Any]] = {}
        self._next = 0

    def get_characteristic(self, specifier: Any) -> Any | None:
        return next((c for s in self.firmware.table for c in s.characteristics if c.uuid == specifier), None)

    async def read_gatt_char(self, char_specifier: Any) -> bytearray:
        return bytearray(self.firmware.read(char_specifier, self._battery_percent))

    async def write_gatt_char(self, char_specifier: Any, data: bytes, response: bool | None = None) -> None:
        assert response is True
        self.written.append(data.hex())
        answers = self.firmware.write(char_specifier, bytes(data), self._battery_percent)
        for answer in answers:
            asyncio.get_running_loop().call_soon(self._hand_over, answer.uuid, answer.data)
        if (more := self.also(bytes(data))) is not None:
            self._hand_over(self.firmware.stream_uuids[0], more)

    async def start_notify(self, char_specifier: Any, callback: Callable[[Any, bytearray], Any]) -> None:
        assert char_specifier not in self._listeners
        self._listeners[char_specifier] = callback
        self.firmware.subscribed(char_specifier, True)

    async def stop_notify(self, char_specifier: Any) -> None:
        del self._listeners[char_specifier]
        self.firmware.subscribed(char_specifier, False)

    def measure(self, acc_mps2: FloatArray, gyr_radps: FloatArray) -> None:
        """Let the product measure the next samples (n, 3) and send what they fill."""
        indices = self._next + np.arange(len(acc_mps2))
        self._next += len(acc_mps2)
        grid = Grid(self.firmware.rate_hz, 0, 0)
        times_us = np.round(indices * (1e6 / self.firmware.rate_hz)).astype(np.int64)
        if not self.firmware.measuring:
            return
        made = [one for one in self.firmware.encode(indices, times_us, acc_mps2, gyr_radps) if len(one.payloads)]
        for parcel in in_order(made, grid) if made else ():
            for payload in parcel.sent.payloads():
                self._hand_over(parcel.sent.uuid, payload)

    def _hand_over(self, uuid: str, data: bytes) -> None:
        if uuid in self._listeners:
            self._listeners[uuid](None, bytearray(data))
