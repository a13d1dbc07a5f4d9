"""Events to the pages that are open: in this process, bounded, oldest dropped first."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from typing import Any

from coach.errors import CoachError

# Events kept for a reader that is slow: 15 s of signal at four batches a second and the changes between.
_READER_EVENTS = 64


class TooManyReaders(CoachError):
    """All places for live streams are taken; try again in a moment."""


class Reader:
    """One open page. Use as a context manager, or close it."""

    def __init__(self, feed: LiveFeed, athlete_ids: frozenset[str]) -> None:
        self.athlete_ids = athlete_ids
        self.dropped = 0
        self._feed = feed
        self._events: deque[dict[str, Any]] = deque(maxlen=_READER_EVENTS)
        self._arrived = threading.Condition()
        self._closed = False

    def get_batch(self, timeout_s: float) -> list[dict[str, Any]]:
        """Return all waiting events, oldest first; wait for the first at most timeout_s, then return an empty list."""
        with self._arrived:
            self._arrived.wait_for(lambda: self._events or self._closed, timeout_s)
            batch = list(self._events)
            self._events.clear()
            return batch

    @property
    def closed(self) -> bool:
        """Tell whether the feed has ended for this reader."""
        return self._closed

    def close(self) -> None:
        """Free the place."""
        with self._arrived:
            self._closed = True
            self._arrived.notify_all()
        self._feed._leave(self)

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _put(self, event: dict[str, Any]) -> None:
        with self._arrived:
            if len(self._events) == _READER_EVENTS:
                self.dropped += 1
            self._events.append(event)
            self._arrived.notify()


class LiveFeed:
    """Carry events to the readers of an athlete. An event is a dict of JSON values with at least `kind`.

    kinds: "signal" (see coach.live_analysis), and changes that ask a page to refresh: "finding", "plan", "session",
    "link". Every event gets its `athlete_id`.
    """

    def __init__(self, readers_max: int = 64) -> None:
        self._readers_max = readers_max
        self._lock = threading.Lock()
        self._readers: set[Reader] = set()

    def subscribe(self, athlete_ids: str | Iterable[str]) -> Reader:
        """Open a reader for one athlete or several. Raises TooManyReaders."""
        wanted = frozenset([athlete_ids] if isinstance(athlete_ids, str) else athlete_ids)
        reader = Reader(self, wanted)
        with self._lock:
            if len(self._readers) >= self._readers_max:
                raise TooManyReaders(
                    f"All {self._readers_max} live streams are taken: close a page, or raise web.event_readers_max."
                )
            self._readers.add(reader)
        return reader

    def publish(self, athlete_id: str, event: dict[str, Any]) -> None:
        """Hand an event to the athlete's readers; never waits."""
        with self._lock:
            readers = [reader for reader in self._readers if athlete_id in reader.athlete_ids]
        for reader in readers:
            reader._put({**event, "athlete_id": athlete_id})

    def watched(self, athlete_id: str) -> bool:
        """Tell whether any page is open for the athlete."""
        with self._lock:
            return any(athlete_id in reader.athlete_ids for reader in self._readers)

    @property
    def readers(self) -> int:
        """Return how many readers are open."""
        with self._lock:
            return len(self._readers)

    def close(self) -> None:
        """End every reader; pages reconnect when the service is back."""
        with self._lock:
            readers = list(self._readers)
        for reader in readers:
            reader.close()

    def _leave(self, reader: Reader) -> None:
        with self._lock:
            self._readers.discard(reader)
