"""Words between the processes of one Backstop: who said it, and what, as JSON."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol

from coach.store.rows import fresh_id

_log = logging.getLogger(__name__)
# Takes who said it and what; on the line's thread, so it must not wait.
Take = Callable[[str, Any], None]


class Line(Protocol):
    """Carries bytes to every process, this one too. Lost while nothing carries it."""

    @property
    def connected(self) -> bool:
        """Tell whether anything is carried now."""
        ...

    def publish(self, subject: str, data: bytes) -> None:
        """Send to everybody; never waits."""
        ...

    def subscribe(self, subject: str, handler: Callable[[str, bytes], None]) -> Callable[[], None]:
        """Have `handler(subject, data)` called for what is sent from now on; return what ends that."""
        ...


class Telling:
    """Say things to the other processes and hear theirs, never one's own."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.own_id = fresh_id()

    def say(self, what: str, told: Mapping[str, Any]) -> None:
        """Tell the others; never waits. what: a word of letters; told: JSON values."""
        self.line.publish(f"shared.{what}", json.dumps({"by": self.own_id, "told": told}).encode())

    def hear(self, what: str, take: Take) -> None:
        """Have `take(who, told)` called for what others say. What cannot be used is logged, never raised."""
        self.line.subscribe(f"shared.{what}", partial(self._heard, take))

    def _heard(self, take: Take, subject: str, data: bytes) -> None:
        try:
            message = json.loads(data)
            if message["by"] != self.own_id:
                take(str(message["by"]), message["told"])
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            # Another version said it, perhaps. Not what it said: that may be about somebody.
            _log.warning("what another process said of %s cannot be used (%s)", subject, type(error).__name__)
