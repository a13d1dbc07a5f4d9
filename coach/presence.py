"""Which processes of one Backstop are at work: each says so itself, in a row, every few seconds."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib.metadata import version

from coach.errors import CoachError
from coach.memory import give_memory_back
from coach.store import processes
from coach.store.engine import Store
from coach.store.rows import fresh_id
from devices.hostclock import HostClock

_log = logging.getLogger(__name__)
# s between two signs of life. Own choice.
_SEEN_S = 5.0
_MINUTE_S = 60.0
# Processes that ended otherwise than in order are told for so long. Own choice.
_REMEMBERED = timedelta(days=1)


class Presence:
    """One process's row. One thread; a database that is away is tried again."""

    def __init__(
        self,
        store: Store,
        clock: HostClock,
        role: str,
        silent_s: Callable[[], float | None] = lambda: None,
        each_minute: Callable[[], object] = lambda: None,
    ) -> None:
        """silent_s: returns s since the role's last work, None where it has none. each_minute: what every process does
        for itself, at its begin and once a minute."""
        self._store, self._clock, self._role, self._silent_s = store, clock, role, silent_s
        self._each_minute, self._due_s = each_minute, 0.0
        self._id, self._started_at = fresh_id(), self._now()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to say so; again is no error."""
        if self._thread is None:
            self._stopping.clear()
            self._thread = threading.Thread(target=self._run, name="presence", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Say that the process ends in order."""
        self._stopping.set()
        thread, self._thread = self._thread, None
        if thread is None:
            return
        thread.join(10.0)
        try:
            with self._store.begin() as tx:
                processes.remove(tx, self._id)
        except CoachError as error:
            _log.info("that this process ends could not be noted: %s", error)

    def say(self) -> None:
        """Say it once. Raises StoreUnavailable."""
        now, silent_s = self._now(), self._silent_s()
        worked_at = None if silent_s is None else now - timedelta(seconds=silent_s)
        with self._store.begin() as tx:
            if processes.see(tx, self._id, now, worked_at):
                return
            processes.prune(tx, now - _REMEMBERED)
            values = {"id": self._id, "role": self._role, "host": socket.gethostname()[:255], "pid": os.getpid()}
            times = {"started_at": self._started_at, "seen_at": now, "worked_at": worked_at}
            processes.add(tx, values | times | {"version": version("backstop")[:40]})

    def _run(self) -> None:
        while True:
            try:
                self.say()
                self._own_part()
            except CoachError as error:
                _log.info("that this process is at work could not be noted: %s", error)
            except Exception:  # noqa: BLE001 - a process at work must not look dead for one defect
                _log.exception("that this process is at work could not be noted")
            if self._stopping.wait(_SEEN_S):
                return

    def _own_part(self) -> None:
        if time.monotonic() < self._due_s:
            return
        try:
            self._each_minute()
            give_memory_back()
            self._due_s = time.monotonic() + _MINUTE_S
        except CoachError as error:
            _log.warning("what this process does each minute is tried again: %s", error)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.utc_s(), UTC)
