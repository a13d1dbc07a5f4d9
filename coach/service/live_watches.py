"""What is watched over live blocks now, by wearable: the gateway brings, one thread looks, pages ask."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Hashable
from typing import Any, Generic, Protocol, TypeVar

from devices.hostclock import HostClock

# Blocks that wait for a look: half a minute. Own choice.
INCOMING_MAX = 128


class _Watched(Protocol):
    """heard_s: real time of the newest block. incoming: what nobody has looked at yet."""

    wearable_id: str
    heard_s: float
    incoming: deque[Any]


Key = TypeVar("Key", bound=Hashable)
Watch = TypeVar("Watch", bound=_Watched)


class LiveWatches(Generic[Key, Watch]):
    """Thread-safe."""

    def __init__(self, clock: HostClock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._watches: dict[Key, Watch] = {}
        self._wake: Callable[[], None] = lambda: None

    def attach(self, wake: Callable[[], None]) -> None:
        """Call `wake` whenever there is something to look at."""
        self._wake = wake

    @property
    def busy(self) -> bool:
        """Tell whether anything is watched."""
        return bool(self._watches)

    def wanted(self, wearable_id: str) -> bool:
        """Tell whether live blocks of this wearable are waited for."""
        with self._lock:
            return any(each.wearable_id == wearable_id for each in self._watches.values())

    def _bring(self, wearable_id: str, brought: object) -> None:
        # Without the lock: the radio's thread waits for nobody's look.
        for watch in tuple(self._watches.values()):
            if watch.wearable_id == wearable_id:
                watch.incoming.append(brought)
                watch.heard_s = self._clock.utc_s()
                self._wake()
