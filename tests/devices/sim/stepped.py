"""A simulated wearable on a clock that is stepped by hand, read without any transport."""

from __future__ import annotations

from devices.sim.gatt import Notifications


class SteppedClock:
    """A host clock that moves when told to."""

    def __init__(self) -> None:
        self.now_s = 1.8e9

    def utc_s(self) -> float:
        return self.now_s


def frames_of(parts: list[Notifications]) -> list[bytes]:
    """Return the notifications one by one."""
    return [payload for part in parts for payload in part.payloads()]
