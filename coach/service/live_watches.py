"""What is watched over live blocks now, by wearable: the gateway brings, one thread looks, pages ask."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Hashable
from typing import Any, Generic, Protocol, TypeVar

from devices.hostclock import HostClock
from devices.types import Chunk

# Blocks that wait for a look: half a minute. Own choice.
INCOMING_MAX = 128


class _Watched(Protocol):
    """begun_s, heard_s: real time of its begin here, and of the newest block. incoming: what nobody has looked at."""

    athlete_id: str
    wearable_id: str
    begun_s: float
    heard_s: float
    incoming: deque[Any]


Key = TypeVar("Key", bound=Hashable)
Watch = TypeVar("Watch", bound=_Watched)
# Returns the blocks of an athlete's wearable since a time (Unix s), each with when it was notified; None where some are
# not known any more.
Recent = Callable[[str, str, float], list[tuple[Chunk, float]] | None]


class LiveWatches(Generic[Key, Watch]):
    """Thread-safe."""

    def __init__(self, clock: HostClock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._watches: dict[Key, Watch] = {}
        self._wake: Callable[[], None] = lambda: None
        self._recent: Recent = lambda athlete_id, wearable_id, since_utc_s: None
        self.knows_others = False  # whether what is watched here may have begun at another process
        self._over: Callable[[Key], None] = lambda key: None

    def attach_recent(self, recent: Recent) -> None:
        """Let what began at another process be watched here from its beginning on, while its blocks are known."""
        self._recent, self.knows_others = recent, True

    def attach_over(self, over: Callable[[Key], None]) -> None:
        """Call `over(key)` whenever something is over here: whoever else watches it may forget it."""
        self._over = over

    def drop(self, key: Key) -> None:
        """Forget what is over elsewhere."""
        with self._lock:
            self._watches.pop(key, None)

    def attach(self, wake: Callable[[], None]) -> None:
        """Call `wake` whenever there is something to look at."""
        self._wake = wake

    def drop_older(self, most_s: float) -> None:
        """Forget what has been watched for longer than it may last: that it is over was not heard."""
        oldest_s = self._clock.utc_s() - most_s
        with self._lock:
            for key in [key for key, each in self._watches.items() if each.begun_s < oldest_s]:
                del self._watches[key]

    @property
    def busy(self) -> bool:
        """Tell whether anything is watched."""
        return bool(self._watches)

    @property
    def athletes(self) -> frozenset[str]:
        """Return of whom something is watched."""
        with self._lock:
            return frozenset(each.athlete_id for each in self._watches.values())

    def watches(self, key: Key) -> bool:
        """Tell whether this is watched here."""
        return key in self._watches

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
