"""A connection of a profile to a simulated wearable without any transport, on a clock that is stepped by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from devices.profiles.types import Profile, Started, Wish
from devices.sim.wearable import SimWearable
from tests.devices.sim.stepped import SteppedClock


class ModelClient:
    """What a profile needs of a client; whatever is sent is delivered at once. losses: links the wearable ended."""

    def __init__(self, wearable: SimWearable) -> None:
        self.wearable = wearable
        self.losses = 0
        self._callbacks: dict[str, Callable[[Any, bytearray], Any]] = {}
        wearable.open_link(self._lost)

    @property
    def services(self) -> ModelClient:
        return self

    def get_characteristic(self, specifier: Any) -> Any | None:
        rows = (one for service in self.wearable.table for one in service.characteristics)
        return next((one for one in rows if one.uuid == specifier), None)

    async def read_gatt_char(self, char_specifier: Any) -> bytearray:
        return bytearray(self.wearable.read(char_specifier))

    async def write_gatt_char(self, char_specifier: Any, data: bytes, response: bool | None = None) -> None:
        self.wearable.write(char_specifier, bytes(data))
        self.pump()

    async def start_notify(self, char_specifier: Any, callback: Callable[[Any, bytearray], Any]) -> None:
        self._callbacks[char_specifier] = callback
        self.wearable.subscribe(char_specifier, True)

    async def stop_notify(self, char_specifier: Any) -> None:
        self.pump()
        self.wearable.subscribe(char_specifier, False)
        self._callbacks.pop(char_specifier, None)

    def pump(self) -> None:
        """Deliver what is due."""
        while parts := self.wearable.take(256):
            for part in parts:
                for payload in part.payloads():
                    if part.uuid in self._callbacks:
                        self._callbacks[part.uuid](None, bytearray(payload))

    def run(self, clock: SteppedClock, seconds: float, step_s: float = 0.1) -> None:
        """Let time go by."""
        for _ in range(round(seconds / step_s)):
            clock.now_s += step_s
            self.pump()

    async def start(self, profile: Profile, sink: Callable[[bytes], None]) -> Started:
        """Start the profile at the rate nearest to 50 Hz that both have."""
        both = set(profile.rates_offered_hz) & set(self.wearable.firmware.rates_hz)
        return await profile.start(self, Wish(min(both, key=lambda one: abs(one - 50.0))), sink)

    def _lost(self) -> None:
        self.losses += 1
