"""The feed of a process whose pages are not the only ones: what changes here is told at all of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from coach.live import LiveFeed, Reader
from coach.shared.telling import Telling

# s without a word from a process until what it looked at counts no more: it says it every second. Own choice.
_GONE_S = 5.0


class SharedFeed(LiveFeed):
    """A LiveFeed that hears events of other processes and tells its own, but for the live line.

    Each process draws the line itself, from the blocks that all of them get.
    """

    def __init__(self, telling: Telling, readers_max: int = 64) -> None:
        super().__init__(readers_max)
        self._telling = telling
        self._looked_at: dict[str, tuple[float, frozenset[str]]] = {}  # by process: since when known, athletes
        self._changed: Callable[[frozenset[str]], None] = lambda athlete_ids: None
        self._twice: Callable[[str, dict[str, Any]], bool] = lambda athlete_id, event: False
        self._members = threading.Lock()
        telling.hear("event", self._take)

    def attach(
        self,
        changed: Callable[[frozenset[str]], None],
        twice: Callable[[str, dict[str, Any]], bool],
    ) -> None:
        """changed(athletes): called when a page was opened for them. twice: tells of an event of another process
        whether this one tells the same itself."""
        self._changed, self._twice = changed, twice

    def subscribe(self, athlete_ids: str | Iterable[str], every_sample: bool = False) -> Reader:
        """As of a feed of one process, and the others hear of it."""
        reader = super().subscribe(athlete_ids, every_sample)
        self._changed(reader.athlete_ids)
        return reader

    def publish(self, athlete_id: str, event: dict[str, Any]) -> None:
        """Hand an event to the athlete's readers here and elsewhere; never waits."""
        super().publish(athlete_id, event)
        if event["kind"] != "signal":
            self._telling.say("event", {"athlete_id": athlete_id, "event": event})

    def watched(self, athlete_id: str) -> bool:
        """Tell whether any page is open for the athlete, or a test or guided set of theirs looked at, anywhere."""
        return super().watched(athlete_id) or self._elsewhere(athlete_id)

    def watched_here(self, athlete_id: str) -> bool:
        """Tell whether a page is open for the athlete in this process."""
        return super().watched(athlete_id)

    @property
    def connected(self) -> bool:
        """Tell whether the other processes can be told anything now."""
        return self._telling.line.connected

    @property
    def athletes(self) -> Collection[str]:
        """Return for whom pages are open in this process."""
        with self._lock:
            return {athlete_id for reader in self._readers for athlete_id in reader.athlete_ids}

    def look_at(self, process: str, athlete_ids: Iterable[str]) -> None:
        """Take at whose live blocks another process looks, from now on and until it falls silent."""
        with self._members:
            self._looked_at[process] = time.monotonic(), frozenset(athlete_ids)
            for gone in [each for each, (at_s, _) in self._looked_at.items() if time.monotonic() - at_s > _GONE_S]:
                del self._looked_at[gone]

    def _elsewhere(self, athlete_id: str) -> bool:
        oldest_s = time.monotonic() - _GONE_S
        with self._members:
            return any(at_s >= oldest_s and athlete_id in whom for at_s, whom in self._looked_at.values())

    def _take(self, _process: str, told: Mapping[str, Any]) -> None:
        athlete_id, event = told["athlete_id"], told["event"]
        if not self._twice(athlete_id, event):
            super().publish(athlete_id, event)
