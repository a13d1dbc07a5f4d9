"""Where tries are counted: in memory, with a bound on how much of it, however many senders there are."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

from limits.storage import Storage
from limits.storage.base import MovingWindowSupport

# Own choice: far more senders than a club has; a thousand tries each fit in some tens of MB at most.
KEYS_MAX, TRIES_MAX = 20_000, 500_000


class BoundedMemory(Storage, MovingWindowSupport):
    """Moving windows of tries by key. Whoever tried longest ago is forgotten first when there are too many.

    No thread and no timer: what is too old goes when its key is looked at, or when room is needed.
    """

    STORAGE_SCHEME = ["bounded"]  # noqa: RUF012 - the library reads it so

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **options: float | str | bool) -> None:
        super().__init__(uri, wrap_exceptions, **options)
        self._lock = threading.Lock()
        self._tries: OrderedDict[str, deque[float]] = OrderedDict()
        self._count = 0
        self._tell: Callable[[str, int, int], None] = lambda key, expiry, amount: None

    def attach(self, tell: Callable[[str, int, int], None]) -> None:
        """Call `tell(key, expiry, amount)` for tries that are counted here."""
        self._tell = tell

    def take(self, key: str, expiry: int, amount: int) -> None:
        """Count tries that were counted elsewhere; none is refused here any more."""
        self._add(key, expiry, amount, None)

    @property
    def base_exceptions(self) -> type[Exception] | tuple[type[Exception], ...]:
        """Return what the library may wrap: nothing here fails."""
        return ()

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count `amount` tries unless that makes more than `limit` within `expiry` seconds."""
        counted = self._add(key, expiry, amount, limit)
        if counted:
            self._tell(key, expiry, amount)
        return counted

    def _add(self, key: str, expiry: int, amount: int, limit: int | None) -> bool:
        now = time.monotonic()
        with self._lock:
            tries = self._of(key, now - expiry)
            if limit is not None and len(tries) + amount > limit:
                return False
            tries.extend([now] * amount)
            self._count += amount
            self._make_room()
        return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """Return when the oldest try was made (seconds since 1970), and how many there are."""
        now = time.monotonic()
        with self._lock:
            tries = self._tries.get(key, deque())
            inside = [at for at in tries if at > now - expiry]
        return time.time() - (now - inside[0] if inside else 0.0), len(inside)

    def _of(self, key: str, since: float) -> deque[float]:
        tries = self._tries.setdefault(key, deque())
        self._tries.move_to_end(key)
        while tries and tries[0] <= since:
            tries.popleft()
            self._count -= 1
        return tries

    def _make_room(self) -> None:
        while len(self._tries) > KEYS_MAX or (self._count > TRIES_MAX and len(self._tries) > 1):
            _, forgotten = self._tries.popitem(last=False)
            self._count -= len(forgotten)

    def clear(self, key: str) -> None:
        """Forget the tries of a key."""
        with self._lock:
            self._count -= len(self._tries.pop(key, ()))

    def reset(self) -> int | None:
        """Forget all tries; return of how many keys."""
        with self._lock:
            keys, self._count = len(self._tries), 0
            self._tries.clear()
        return keys

    def check(self) -> bool:
        """Tell that memory is there."""
        return True

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Refuse: fixed windows are not used here."""
        raise NotImplementedError

    def get(self, key: str) -> int:
        """Refuse: fixed windows are not used here."""
        raise NotImplementedError

    def get_expiry(self, key: str) -> float:
        """Refuse: fixed windows are not used here."""
        raise NotImplementedError
