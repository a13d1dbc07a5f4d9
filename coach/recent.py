"""The last two minutes of every live line, for a page that opens in the middle of it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

# s of signal that a page shows. Own choice; the same figure as in live.js.
KEPT_S = 120.0
# Pieces of one line between gaps. Own choice: a link that is lost twice a second is no line.
_RUNS_MAX = 240
# Lines that are remembered, the one that was silent longest goes first. Own choice: 4 MB at most.
_LINES_MAX = 64
# Share of a step by which a piece may miss the grid of the one before and still go on with it. Own choice.
_FITS_SHARE = 0.5


@dataclass(slots=True)
class _Run:
    """Points without a pause between them."""

    start_utc_s: float
    rate_hz: float
    values: list[float | None]
    about: dict[str, Any]

    @property
    def end_utc_s(self) -> float:
        return self.start_utc_s + len(self.values) / self.rate_hz

    def goes_on_with(self, start_utc_s: float, rate_hz: float) -> bool:
        return rate_hz == self.rate_hz and abs(start_utc_s - self.end_utc_s) * rate_hz < _FITS_SHARE

    def forget_before(self, utc_s: float) -> None:
        old = min(len(self.values), max(0, round((utc_s - self.start_utc_s) * self.rate_hz)))
        del self.values[:old]
        self.start_utc_s += old / self.rate_hz


@dataclass(slots=True)
class RecentLine:
    """One wearable's newest points by the signal's own time, however fast they arrive."""

    _runs: deque[_Run] = field(default_factory=lambda: deque(maxlen=_RUNS_MAX))

    def add(self, event: dict[str, Any]) -> None:
        """Take a signal event: start_utc_s, rate_hz, inclination_deg and whatever is told about its end."""
        start_utc_s, rate_hz = float(event["start_utc_s"]), float(event["rate_hz"])
        values = list(event["inclination_deg"])
        if not values:
            return
        about = {key: value for key, value in event.items() if key not in {"t_utc_s", "inclination_deg", "every"}}
        last = self._runs[-1] if self._runs else None
        if last is not None and start_utc_s < last.start_utc_s:
            self._runs.clear()  # the clock was set back: what was drawn before lies in the future now
            last = None
        if last is not None and last.goes_on_with(start_utc_s, rate_hz):
            last.values.extend(values)
            last.about = about
        else:
            self._runs.append(_Run(start_utc_s, rate_hz, values, about))
        oldest_utc_s = self._runs[-1].end_utc_s - KEPT_S
        while self._runs[0].end_utc_s <= oldest_utc_s:
            self._runs.popleft()
        self._runs[0].forget_before(oldest_utc_s)

    def events(self) -> list[dict[str, Any]]:
        """Return what is kept as signal events, oldest first, marked as history: nobody waited for them."""
        return [
            {
                **run.about,
                "start_utc_s": run.start_utc_s,
                "rate_hz": run.rate_hz,
                "inclination_deg": list(run.values),
                "history": True,
            }
            for run in self._runs
        ]


class RecentLines:
    """The lines of all wearables, by athlete. Not locked: the feed's lock is held around it."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, str], RecentLine] = {}

    def add(self, athlete_id: str, event: dict[str, Any]) -> None:
        """Take a signal event of an athlete."""
        key = (athlete_id, str(event.get("wearable_id", "")))
        # Taken out and put in again: the order of the dict is that of the newest signal.
        line = self._lines.pop(key, None) or RecentLine()
        line.add(event)
        self._lines[key] = line
        while len(self._lines) > _LINES_MAX:
            del self._lines[next(iter(self._lines))]

    def of(self, athlete_ids: frozenset[str]) -> list[dict[str, Any]]:
        """Return the athletes' recent events, each wearable's oldest first."""
        return [
            {**event, "athlete_id": athlete_id}
            for (athlete_id, _), line in self._lines.items()
            if athlete_id in athlete_ids
            for event in line.events()
        ]
