"""Whether the machine's clock can be believed: what is forgotten by age is forgotten by it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from coach.store import events
from coach.store.engine import Store
from devices.hostclock import HostClock, JumpWatch, passing

_log = logging.getLogger(__name__)
# The clock may have stood still, or been wrong, for so long before a start, and still be believed at once. Own choice.
_OFF_MOST = timedelta(days=14)
# How far back of what is stored it may be: two machines, two clocks. Own choice.
_BACK_MOST = timedelta(minutes=2)
# s of even running until a clock that jumped, or that has a long pause behind it, is believed. Own choice: nearly a
# day, in which somebody looks; the next daily forgetting finds it over.
_EVEN_S = 23 * 3600.0
# s of a jump that nobody has to mind. Own choice: daylight saving moves no clock here, time servers move it by less.
_MINDED_S = 600.0


@dataclass(frozen=True, slots=True)
class Jump:
    """The clock was set. by_s: ahead, or back (negative); at: what it showed then; restart: while Backstop was down."""

    by_s: float
    at: datetime
    restart: bool = False


class Timekeeping:
    """One per process. Thread-safe. jumps: how often the clock was set so far, by more than a time server slews it."""

    def __init__(self, store: Store, clock: HostClock, passing_s: Callable[[], float] = passing) -> None:
        self._store, self._clock, self._passing_s = store, clock, passing_s
        self._watch = JumpWatch(clock, passing_s)
        self._lock = threading.Lock()
        self._uneven_since: float | None = None
        self.jumps = 0
        self.jump: Jump | None = None

    def begin(self) -> None:
        """Compare the clock with what is stored. Raises StoreUnavailable."""
        now = self._now()
        with self._store.read() as tx:
            newest = events.newest_at(tx)
        if newest is None:
            return
        if newest - now > _BACK_MOST:
            self._note(Jump((now - newest) / timedelta(seconds=1), now, restart=True))
        elif now - newest > _OFF_MOST:
            _log.warning("nothing was stored for %d days: what is old is forgotten in a day", (now - newest).days)
            self._uneven_since = self._passing_s()

    def look(self) -> None:
        """See whether the clock has jumped since the last look; asked every few seconds."""
        with self._lock:
            if by_s := self._watch.look():
                self._note(Jump(by_s, self._now()))

    def believed(self) -> bool:
        """Tell whether the clock has run evenly for long enough to forget by it what is old."""
        self.look()
        since = self._uneven_since
        return since is None or self._passing_s() - since >= _EVEN_S

    @property
    def says(self) -> str:
        """Return a sentence."""
        jump = self.jump
        if jump is None:
            return "It runs evenly."
        size = timedelta(seconds=round(abs(jump.by_s)))
        way = "ahead" if jump.by_s > 0 else "back"
        when = "while Backstop was down" if jump.restart else f"at {jump.at:%Y-%m-%d %H:%M} UTC"
        return f"The clock jumped {way} by {size} {when}: check this machine's time; old data are kept for a day more."

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.utc_s(), UTC)

    def _note(self, jump: Jump) -> None:
        self.jumps += 1
        _log.warning("the clock of this machine was set by %+.0f s", jump.by_s)
        if abs(jump.by_s) < _MINDED_S:
            return
        self.jump, self._uneven_since = jump, self._passing_s()
