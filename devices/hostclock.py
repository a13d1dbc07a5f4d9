"""The host's idea of now. Time is an argument everywhere; these are the two values it can take."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol


class HostClock(Protocol):
    """Tell the present as Unix time in s (UTC)."""

    def utc_s(self) -> float: ...


class SystemClock:
    """The machine's clock."""

    def utc_s(self) -> float:
        return time.time()


@dataclass(frozen=True, slots=True)
class ScaledClock:
    """A clock that starts at `start_utc_s` and runs `speed` times faster than the machine's.

    It is shared by a simulated wearable and the link that listens to it. With `catch_up` it falls into step with the
    machine's clock when it reaches it, and never runs ahead. `origin_monotonic_s` is `time.monotonic()` at the start.
    """

    start_utc_s: float
    speed: float
    origin_monotonic_s: float
    catch_up: bool = False

    def utc_s(self) -> float:
        scaled = self.start_utc_s + self.speed * (time.monotonic() - self.origin_monotonic_s)
        return min(scaled, time.time()) if self.catch_up else scaled

    @classmethod
    def starting_now(cls, start_utc_s: float, speed: float, catch_up: bool = False) -> ScaledClock:
        """Return a clock that shows `start_utc_s` at this moment."""
        return cls(start_utc_s, speed, time.monotonic(), catch_up)

    def to_text(self) -> str:
        """Return the clock as text for another process on this machine, whose monotonic time is the same."""
        return f"{self.start_utc_s:.6f}:{self.speed:g}:{self.origin_monotonic_s:.6f}"

    @classmethod
    def from_text(cls, text: str) -> ScaledClock:
        """Return the clock that `to_text` described. Raises ValueError."""
        start_utc_s, speed, origin_monotonic_s = (float(part) for part in text.split(":"))
        return cls(start_utc_s, speed, origin_monotonic_s)
