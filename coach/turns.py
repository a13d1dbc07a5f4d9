"""One at a time for each of many, within a process: who is at one of them keeps nobody from the others."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from coach.store.turn import Turn

# s to wait for whoever is at it: as long as a lock of the database is waited for. Own choice.
_WAIT_S = 10.0


@dataclass(slots=True)
class _Key:
    turn: Turn = field(default_factory=Turn)
    wanted: int = 0  # threads that have it or wait for it


class Turns:
    """A lock for each key that somebody has or waits for; none is kept of any other key. Thread-safe."""

    def __init__(self) -> None:
        self._known = threading.Lock()
        self._turns: dict[str, _Key] = {}

    def __len__(self) -> int:
        return len(self._turns)

    @contextmanager
    def of(self, key: str) -> Iterator[None]:
        """Wait until no other thread has this key, and keep it for as long as the block takes.

        Raises StoreUnavailable (busy) where that takes too long: whoever waits is to come again.
        """
        with self._known:
            mine = self._turns.setdefault(key, _Key())
            mine.wanted += 1
        try:
            with mine.turn.taken(_WAIT_S):
                yield
        finally:
            with self._known:
                mine.wanted -= 1
                if not mine.wanted:
                    del self._turns[key]
