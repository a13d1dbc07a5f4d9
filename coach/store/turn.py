"""One writer at a time, in the order in which they came."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from coach.errors import StoreUnavailable
from coach.store.condition import SENTENCE_OF, Condition


class Turn:
    """A lock that is handed to whoever has waited longest. Thread-safe.

    One of threading's goes to whoever asks in the right moment: a thread that writes without a pause gets it back again
    and again, and others wait for ten seconds in vain (seen in a soak).
    """

    def __init__(self) -> None:
        self._known = threading.Lock()
        self._taken = False
        self._waiting: deque[threading.Lock] = deque()

    @contextmanager
    def taken(self, wait_s: float) -> Iterator[None]:
        """Wait at most so long, and keep the turn for as long as the block takes. Raises StoreUnavailable (busy)."""
        if not self._come(wait_s):
            raise StoreUnavailable(SENTENCE_OF[Condition.BUSY], Condition.BUSY)
        try:
            yield
        finally:
            self._hand_on()

    def _come(self, wait_s: float) -> bool:
        with self._known:
            if not self._taken:
                self._taken = True
                return True
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
        try:
            came = mine.acquire(timeout=wait_s)
        except BaseException:  # Ctrl-C while waiting
            if not self._leave(mine):
                self._hand_on()
            raise
        return came or not self._leave(mine)

    def _leave(self, mine: threading.Lock) -> bool:
        """Stop waiting; tell whether that was in time, before the turn was handed over."""
        with self._known:
            if mine not in self._waiting:
                return False
            self._waiting.remove(mine)
            return True

    def _hand_on(self) -> None:
        with self._known:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False
