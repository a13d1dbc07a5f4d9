"""Who holds which place for an event stream, and whether there is still somebody at its other end."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Collection, Mapping
from typing import Any

from coach.live import LiveFeed, Reader, TooManyReaders

# Own choice: more tabs than anybody watches; with it nobody takes all places of a club.
STREAMS_PER_PERSON = 12
# Own choice: a stream whose page has gone, or that has to give way, ends within a few fifths of a second.
_PATIENCE_S = 1.0
# A peer that has closed its end. Only Linux tells it apart; elsewhere a hang-up says the same a little later.
_GONE = select.POLLHUP | select.POLLERR | select.POLLNVAL | getattr(select, "POLLRDHUP", 0)
# The names under which the servers give the connection to an application.
_SOCKET_KEYS = ("gunicorn.socket", "werkzeug.socket")


class Stream:
    """One open event stream: its reader, and the connection to the page, None where a server does not tell it."""

    def __init__(self, reader: Reader, connection: socket.socket | None) -> None:
        self.reader = reader
        # Set when a newer page of the same person has taken the place.
        self.gives_way = False
        self._connection = connection

    def gone(self) -> bool:
        """Tell whether the page has closed its end."""
        return bool(self._state() & _GONE)

    def writable(self) -> bool:
        """Tell whether an event can be sent without waiting for a reader that is slow."""
        return self._connection is None or bool(self._state() & select.POLLOUT)

    def _state(self) -> int:
        if self._connection is None:
            return 0
        try:
            poll = select.poll()
            poll.register(self._connection, select.POLLOUT | getattr(select, "POLLRDHUP", 0))
            return sum(state for _, state in poll.poll(0))
        except (OSError, ValueError):
            return select.POLLNVAL  # closed on this side


class Streams:
    """The open streams of each person, by user id."""

    def __init__(self, feed: LiveFeed) -> None:
        self._feed = feed
        self._lock = threading.Lock()
        self._of_person: dict[str, list[Stream]] = {}

    def open(
        self, user_id: str, athlete_ids: str | Collection[str], environ: Mapping[str, Any], every_sample: bool = False
    ) -> Stream:
        """Open a stream. Raises TooManyReaders when all places are taken by pages that are still there.

        Whoever has as many as tabs can need gets this one too: their oldest then gives way.
        """
        connection = next((environ[key] for key in _SOCKET_KEYS if key in environ), None)
        give_up_s = time.monotonic() + _PATIENCE_S
        self._make_room(user_id)
        while True:
            try:
                stream = Stream(self._feed.subscribe(athlete_ids, every_sample), connection)
            except TooManyReaders:
                if time.monotonic() >= give_up_s or not self._any_leaving():
                    raise
                time.sleep(0.02)
                continue
            with self._lock:
                self._of_person.setdefault(user_id, []).append(stream)
            return stream

    def _make_room(self, user_id: str) -> None:
        with self._lock:
            mine = [each for each in self._of_person.get(user_id, ()) if not each.reader.closed]
            self._of_person[user_id] = mine
            present = [each for each in mine if not each.gives_way and not each.gone()]
            for oldest in present[: max(0, len(present) + 1 - STREAMS_PER_PERSON)]:
                oldest.gives_way = True

    def _any_leaving(self) -> bool:
        """Tell whether a place will be free in a moment: each stream looks for itself, five times a second."""
        with self._lock:
            everybody = [each for mine in self._of_person.values() for each in mine if not each.reader.closed]
        return any(each.gives_way or each.gone() for each in everybody)
