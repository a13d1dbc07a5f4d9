"""What is waited for, said when it begins, at growing intervals, and once when it is over; not at every try."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

# s until it is said again, how much longer each time, and at most. Own choices: what passes in a moment is said twice.
_SAY_S, _GROWS, _SAY_MAX_S = 10.0, 3.0, 900.0


class Waiting:
    """One thing that somebody waits for, again and again: a database that is away. For one thread."""

    def __init__(self, log: logging.Logger, who: str, now_s: Callable[[], float] = time.monotonic) -> None:
        """who: a line's beginning. now_s: any clock that only goes on."""
        self._log, self._who, self._now_s = log, who, now_s
        self._since_s: float | None = None
        self._say_at_s = self._rest_s = 0.0

    def on(self, why: Exception) -> None:
        """Note that it still is so, and say it if it is time."""
        now_s = self._now_s()
        if self._since_s is None:
            self._since_s, self._say_at_s, self._rest_s = now_s, now_s, _SAY_S
        if now_s >= self._say_at_s:
            lasts = f", since {now_s - self._since_s:.0f} s" if now_s > self._since_s else ""
            self._log.warning("%s waits%s: %s", self._who, lasts, why)
            self._say_at_s = now_s + self._rest_s
            self._rest_s = min(self._rest_s * _GROWS, _SAY_MAX_S)

    def over(self) -> None:
        """Note that it is over, and say so if it was so."""
        if self._since_s is not None:
            self._log.warning("%s goes on after %.0f s", self._who, self._now_s() - self._since_s)
            self._since_s = None
