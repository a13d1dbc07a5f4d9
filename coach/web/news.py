"""What a page with a live line is told: the line, the day's counts, the wearable's state."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from coach.language import gettext as _
from coach.service.charts import TRUNK
from coach.service.types import AthleteView
from coach.web import desk, words
from coach.web.house import House

# s. Own choice: a wearable that said nothing for this long gives its place in the chart to another one.
SILENT_S = 5.0


def _run_of(event: dict[str, Any]) -> dict[str, Any]:
    """Return one signal event as the run that live.js draws: start, step, angles to a tenth of a degree."""
    values = event["inclination_deg"]
    return {
        "start_utc_s": event["start_utc_s"],
        "step_s": 1.0 / event["rate_hz"],
        "deg": [None if value is None else round(value, 1) for value in values],
    }


class DayCount:
    """The day's bends: what is stored, and what the live line has counted since.

    The live count begins with the recording and is ahead of the worker's; the worker knows the day's other recordings.
    So each time both are known, the difference is a lower bound of what lies before this recording; the highest counts.
    """

    def __init__(self) -> None:
        self._live: int | None = None
        self._stored: int | None = None
        self._before: int | None = None
        self._began_today = True

    def with_live(self, bends: int, began_today: bool) -> int:
        """Take the recording's count so far and return the day's. began_today: the count began after midnight."""
        if self._live is not None and bends < self._live:
            self._before = None  # another recording
        self._live, self._began_today = bends, began_today
        if self._before is None and self._stored is not None:
            self._before = self._stored - bends
        return self._sum()

    def with_stored(self, bends: int) -> int:
        """Take the day's stored count and return the day's count."""
        if self._stored is not None and bends < self._stored:
            self._before = None  # another day
        self._stored = bends
        if self._live is None:
            return bends
        before = bends - self._live
        self._before = before if self._before is None else max(self._before, before)
        return self._sum()

    def _sum(self) -> int:
        before = self._before or 0
        # Only a count that goes back behind midnight holds bends of another day.
        return max(0, (self._live or 0) + (max(0, before) if self._began_today else before))


class OneWearable:
    """Of an athlete's wearables the one that a page draws: on the trunk if there is one, until it falls silent."""

    def __init__(self) -> None:
        self._drawn: object = None
        self._on_trunk = False
        self._drawn_at = -SILENT_S

    def of(self, signals: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the signal events of that wearable."""
        if not signals:
            return []
        now = time.monotonic()
        best = min(reversed(signals), key=lambda event: event.get("placement") not in TRUNK)
        on_trunk = best.get("placement") in TRUNK
        if now - self._drawn_at > SILENT_S or (on_trunk and not self._on_trunk):
            self._drawn, self._on_trunk = best.get("wearable_id"), on_trunk
        mine = [event for event in signals if event.get("wearable_id") == self._drawn]
        if mine:
            self._drawn_at = now
        return mine


class News:
    """Everything that arrived within one batch, as the one event a page gets."""

    def __init__(self, house_: House, athlete: AthleteView) -> None:
        self._house = house_
        self._athlete = athlete
        self._day = DayCount()
        self._one = OneWearable()

    def of(self, events: list[dict[str, Any]]) -> dict[str, Any]:
        """Return the batch as JSON values; empty when nothing is worth an event."""
        news: dict[str, Any] = {}
        signals = self._one.of([event for event in events if event["kind"] == "signal" and event["inclination_deg"]])
        if signals:
            news["signal"] = [_run_of(event) for event in signals]
            if signals[-1].get("history"):
                # Nobody waited for these: they say nothing about how fast the line is.
                news["history"] = True
            else:
                news["notified_utc_s"] = max(event["notified_utc_s"] for event in signals)
            bends = signals[-1]["bends"]
            if bends is not None:
                news["counts"] = {"bends": str(self._day.with_live(bends, self._is_today(signals[-1])))}
        changed = sorted({event["kind"] for event in events} - {"signal", "link", "guided"})
        if changed:
            news["changed"] = changed
        return news

    def _is_today(self, signal: dict[str, Any]) -> bool:
        since_utc_s = signal.get("since_utc_s")
        if since_utc_s is None:
            return True
        zone = self._athlete.time_zone
        return datetime.fromtimestamp(since_utc_s, ZoneInfo(zone)).date() == self._house.today(zone)

    def totals(self) -> dict[str, Any]:
        """Return the day's mean rate as the worker knows it."""
        athlete = self._athlete
        totals = self._house.services.motion.totals(athlete.athlete_id, self._house.today(athlete.time_zone))
        if totals.bends is None or totals.bends_per_min is None:
            return {}
        bends = self._day.with_stored(totals.bends)
        return {"totals": {"rate": f"{totals.bends_per_min:.1f}", "bends": str(bends)}}

    def status(self) -> dict[str, Any]:
        """Return what the page's state line says; asked about once a second, sent when it changed."""
        return {"status": status_of(self._house, self._athlete.athlete_id)}


def status_of(house_: House, athlete_id: str) -> dict[str, str]:
    """Return how the athlete's foremost wearable does, in words."""
    wearable = desk.foremost(house_.services.wearables.for_athlete(athlete_id))
    if wearable is None:
        return {"sentence": _("No wearable yet"), "battery": "", "tone": ""}
    if not house_.live_feed.connected:
        return {"sentence": _("The live line is away for a moment; nothing is lost."), "battery": "", "tone": "look"}
    return {
        "sentence": words.wearable_sentence(wearable),
        "battery": words.battery(wearable),
        "tone": words.wearable_tone(wearable),
    }
