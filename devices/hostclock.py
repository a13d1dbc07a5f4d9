"""The host's idea of now. Time is an argument everywhere; these are the two values it can take."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

# s. A clock that follows a time server is slewed, by 0.5 ms a second at most; what is more was set. Own choice.
_JUMP_S = 10.0


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


class JumpWatch:
    """Notice that a clock was set, by the time that passes meanwhile. Asked now and then, by one thread."""

    def __init__(self, clock: HostClock, passing_s: Callable[[], float] | None = None) -> None:
        """passing_s: see `passing`, which it is by default."""
        self._clock, self._passing_s = clock, passing_s or passing
        self._ahead_s = clock.utc_s() - self._passing_s()

    def look(self) -> float:
        """Return by how many s the clock has jumped since the last look: ahead, back (negative), or 0.0."""
        ahead_s = self._clock.utc_s() - self._passing_s()
        jump_s, self._ahead_s = ahead_s - self._ahead_s, ahead_s
        return jump_s if abs(jump_s) >= _JUMP_S else 0.0


def passing() -> float:
    """Return s of a time that nobody sets and that goes on while the machine sleeps."""
    # Windows and macOS stop their monotonic time while they sleep: waking up looks like a jump ahead there.
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()
