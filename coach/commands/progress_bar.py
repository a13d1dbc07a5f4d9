"""How far a long command is: one line that changes on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from typing import TextIO

# s between two lines, on a terminal and where lines stay. Own choice.
_TERMINAL_S, _LINES_S = 0.2, 10.0
_CELLS = 24


class ProgressBar:
    """Says share, speed and time left of one piece of work.

    The speed is that since it began here: what was done before, by a command that was ended, is no work of this one.
    """

    def __init__(
        self, unit: str, already: float = 0.0, out: TextIO | None = None, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        """unit: what is counted, like rows. already: share that was done before. out: standard error unless given."""
        self._unit, self._already, self._now_s = unit, already, now_s
        self._out = out or sys.stderr
        self._terminal = self._out.isatty()
        self._began_s = self._said_s = now_s()

    def show(self, what: str, share: float, count: int) -> None:
        """Say how far it is. share: 0 to 1 of all of it. count: how many units were done here."""
        at_s = self._now_s()
        if at_s - self._said_s >= (_TERMINAL_S if self._terminal else _LINES_S):
            self._said_s = at_s
            self._say(self._line(what, share, count, at_s - self._began_s))

    def end(self, what: str, count: int) -> None:
        """Say that it is done, whenever something was said last."""
        self._say(self._line(what, 1.0, count, self._now_s() - self._began_s))
        if self._terminal:
            print(file=self._out)

    def pause(self) -> None:
        """Leave the line to something else that is printed."""
        if self._terminal:
            print("\r\033[K", end="", file=self._out, flush=True)

    def _line(self, what: str, share: float, count: int, spent_s: float) -> str:
        share = min(1.0, max(0.0, share))
        full = round(share * _CELLS)
        bar = f"[{'#' * full}{'.' * (_CELLS - full)}] " if self._terminal else ""
        speed = f", {count / spent_s:,.0f} {self._unit}/s" if spent_s > 0 and count else ""
        done_here = share - self._already
        left_s = spent_s * (1.0 - share) / done_here if done_here > 0 and share < 1.0 else None
        return f"{bar}{int(share * 100):3d} %  {what}{speed}" + (f", {duration(left_s)} left" if left_s else "")

    def _say(self, line: str) -> None:
        if self._terminal:
            wide = shutil.get_terminal_size().columns - 1
            print(f"\r\033[K{line[:wide]}", end="", file=self._out, flush=True)
        else:
            print(line, file=self._out, flush=True)


def duration(spent_s: float) -> str:
    """Return a time as people say it: 40 s, 12 min, 3 h 20 min."""
    if spent_s < 90:
        return f"{max(1, round(spent_s))} s"
    minutes = round(spent_s / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
