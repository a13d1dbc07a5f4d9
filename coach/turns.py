"""One at a time for each of many, within a process: who is at one of them keeps nobody from the others."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from coach.errors import StoreUnavailable
from coach.store.condition import SENTENCE_OF, Condition

# s to wait for whoever is at it: as long as a lock of the database is waited for. Own choice.
_WAIT_S = 10.0


@dataclass(slots=True)
class _Turn:
    lock: threading.Lock = field(default_factory=threading.Lock)
    wanted: int = 0  # threads that have it or wait for it


class Turns:
    """A lock for each key that somebody has or waits for; none is kept of any other key. Thread-safe."""

    def __init__(self) -> None:
        self._known = threading.Lock()
        self._turns: dict[str, _Turn] = {}

    def __len__(self) -> int:
        return len(self._turns)

    @contextmanager
    def of(self, key: str) -> Iterator[None]:
        """Wait until no other thread has this key, and keep it for as long as the block takes.

        Raises StoreUnavailable (busy) where that takes too long: whoever waits is to come again.
        """
        with self._known:
            turn = self._turns.setdefault(key, _Turn())
            turn.wanted += 1
        try:
            if not turn.lock.acquire(timeout=_WAIT_S):
                raise StoreUnavailable(SENTENCE_OF[Condition.BUSY], Condition.BUSY)
            try:
                yield
            finally:
                turn.lock.release()
        finally:
            with self._known:
                turn.wanted -= 1
                if not turn.wanted:
                    del self._turns[key]
