"""Counted tries of all web processes: what is counted at one counts at the others within a moment."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any

from coach.shared.telling import Telling
from coach.web.limit_memory import BoundedMemory

_log = logging.getLogger(__name__)
# s in which tries gather until the others hear of them. Own choice: what is beyond a limit meanwhile is what arrived
# elsewhere in this time.
_GATHER_S = 0.05
# Keys in one word: some 100 bytes each, and a line carries 1 MB. Own choice.
_KEYS_MAX = 4000

_Key = tuple[int, str, int]


class SharedTries:
    """Tells the others of the tries that are counted here, and counts theirs. One thread."""

    def __init__(self, memories: Sequence[BoundedMemory], telling: Telling) -> None:
        """memories: in the same order in every process."""
        self._memories, self._telling = memories, telling
        self._lock = threading.Lock()
        self._counted: Counter[_Key] = Counter()
        self._some, self._stopping = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        for number, memory in enumerate(memories):
            memory.attach(partial(self._count, number))
        telling.hear("tries", self._take)

    def start(self) -> None:
        """Begin to tell; again is no error."""
        if self._thread is None:
            self._stopping.clear()
            self._thread = threading.Thread(target=self._run, name="shared-tries", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Tell no more."""
        self._stopping.set()
        self._some.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(10.0)

    def say(self) -> None:
        """Tell what was counted since the last time. Called by the thread, and by tests without one."""
        with self._lock:
            counted, self._counted = list(self._counted.items()), Counter()
        for at in range(0, len(counted), _KEYS_MAX):
            some = counted[at : at + _KEYS_MAX]
            self._telling.say("tries", {"tries": [[*key, amount] for key, amount in some]})

    def _count(self, number: int, key: str, expiry: int, amount: int) -> None:
        with self._lock:
            self._counted[number, key, expiry] += amount
        self._some.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._some.wait()
            self._stopping.wait(_GATHER_S)
            self._some.clear()
            self.say()

    def _take(self, _process: str, told: dict[str, Any]) -> None:
        for number, key, expiry, amount in told["tries"]:
            self._memories[int(number)].take(str(key), int(expiry), int(amount))
