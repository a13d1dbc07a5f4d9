"""The pulse of a role: that it is alive, and what it did, without asking it."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Mapping


class Pulse:
    """Beats of one role. Thread-safe. most_s: silence after which it counts as dead."""

    def __init__(self, role: str, most_s: float) -> None:
        self.role, self.most_s = role, most_s
        self._lock = threading.Lock()
        self._beat_s: float | None = None
        self._done: Counter[tuple[str, bool]] = Counter()

    def begin(self) -> None:
        """The role starts: from now on silence counts."""
        self._beat_s = time.monotonic()

    def end(self) -> None:
        """The role stops in order: its silence means nothing any more."""
        self._beat_s = None

    def beat(self, what: str, failed: bool = False) -> None:
        """Something was done, or tried."""
        with self._lock:
            self._done[what, failed] += 1
        if self._beat_s is not None:
            self._beat_s = time.monotonic()

    @property
    def silent_s(self) -> float | None:
        """Return s since the last beat, None while the role does not run in this process."""
        beat_s = self._beat_s
        return None if beat_s is None else time.monotonic() - beat_s

    @property
    def done(self) -> Mapping[tuple[str, bool], int]:
        """Return how often each thing was done, by (what, whether it failed)."""
        with self._lock:
            return dict(self._done)
