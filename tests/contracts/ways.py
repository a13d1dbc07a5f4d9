"""Two ways to a simulated wearable: bleak's own BlueZ backend, and bleak's `backend=` hook."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from bleak import BleakClient, BleakScanner

from devices.hostclock import ScaledClock
from devices.radio import SYSTEM_RADIO, Radio
from devices.sim.motions import lifting
from devices.sim.wearable import SimWearable

ADDRESS = "C0:FF:EE:00:00:01"


class Way:
    """One way to a wearable, and the arguments bleak needs for it. power: switches this machine's Bluetooth."""

    def __init__(self, wearable: SimWearable, radio: Radio, power: Callable[[bool], None]) -> None:
        self.wearable = wearable
        self.power = power
        self._radio = radio

    @property
    def over_bus(self) -> bool:
        return self._radio is SYSTEM_RADIO

    async def find(self, timeout_s: float = 3.0) -> Any:
        kinds = {} if self.over_bus else {"backend": self._radio.scanner_backend}
        return await BleakScanner.find_device_by_address(ADDRESS, timeout=timeout_s, **kinds)

    async def hear(self, timeout_s: float = 3.0) -> tuple[Any, Any]:
        """Return the wearable and what it advertises, as soon as it is heard."""
        kinds = {} if self.over_bus else {"backend": self._radio.scanner_backend}
        heard: list[Any] = []

        def ours(device: Any, advertised: Any) -> bool:
            heard.append(advertised)
            return bool(device.address == ADDRESS)

        device = await BleakScanner.find_device_by_filter(ours, timeout=timeout_s, **kinds)
        return device, heard[-1]

    async def discover(self, timeout_s: float) -> dict[str, Any]:
        kinds = {} if self.over_bus else {"backend": self._radio.scanner_backend}
        return await BleakScanner.discover(timeout=timeout_s, return_adv=True, **kinds)

    def client(self, device: Any, lost: Callable[[BleakClient], None] | None = None, timeout_s: float = 5.0) -> Any:
        kinds = {} if self.over_bus else {"backend": self._radio.client_backend}
        return BleakClient(device, disconnected_callback=lost, timeout=timeout_s, **kinds)

    @asynccontextmanager
    async def linked(self, lost: Callable[[BleakClient], None] | None = None) -> AsyncIterator[Any]:
        async with self.client(await self.find(), lost) as client:
            yield client


Open = Callable[[SimWearable], Way]


def quick_wearable(speed: float = 20.0, **other: Any) -> SimWearable:
    """Return a wearable whose time runs fast."""
    settings: dict[str, Any] = {"motion": lifting(7), "clock": ScaledClock.starting_now(1.8e9, speed), **other}
    return SimWearable(address=ADDRESS, **settings)


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run a story to its end."""
    asyncio.run(work)


async def until(condition: Callable[[], bool], timeout_s: float = 8.0) -> None:
    """Wait for something to become true."""
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.005)
