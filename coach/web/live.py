"""The live line: one open event stream per page, everything of a fifth of a second in one event."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response

from coach.errors import StoreUnavailable
from coach.live import Reader, TooManyReaders
from coach.service.charts import TRUNK
from coach.service.types import AthleteView
from coach.web import access, desk, words
from coach.web.house import House, house

blueprint = Blueprint("live", __name__)

# Own choice: five redraws a second look live and leave a phone's processor alone.
BATCH_S = 0.2
# Proxies drop a silent connection after 30 to 60 s. Source: facts of the stack study, section 4.
KEEP_ALIVE_S = 15.0
# Own choice: a new stream asks again after a second, so that a restart is over for the reader soon.
RETRY_MS = 1000
# Own choice: what a link does is news for people, not for a chart.
STATUS_S = 1.0
# Own choice: a day's mean moves slowly.
TOTALS_S = 10.0
# Own choice: a wearable that said nothing for this long gives its place in the chart to another one.
SILENT_S = 5.0


def _run_of(event: dict[str, Any]) -> dict[str, Any]:
    """Return one signal event as the run that live.js draws: start, step, angles to a tenth of a degree."""
    values = event["inclination_deg"]
    return {
        "start_utc_s": event["start_utc_s"],
        "step_s": 1.0 / event["rate_hz"],
        "deg": [None if value is None else round(value, 1) for value in values],
    }


class News:
    """Everything that arrived within one batch, as the one event a page gets."""

    def __init__(self, house_: House, athlete: AthleteView) -> None:
        self._house = house_
        self._athlete = athlete
        self._drawn: object = None
        self._on_trunk = False
        self._drawn_at = -SILENT_S

    def of(self, events: list[dict[str, Any]]) -> dict[str, Any]:
        """Return the batch as JSON values; empty when nothing is worth an event."""
        news: dict[str, Any] = {}
        signals = self._one_line([event for event in events if event["kind"] == "signal"])
        if signals:
            news["signal"] = [_run_of(event) for event in signals]
            if signals[-1].get("history"):
                # Nobody waited for these: they say nothing about how fast the line is.
                news["history"] = True
            else:
                news["notified_utc_s"] = max(event["notified_utc_s"] for event in signals)
            bends = signals[-1]["bends"]
            if bends is not None:
                news["counts"] = {"bends": str(bends)}
        changed = sorted({event["kind"] for event in events} - {"signal", "link"})
        if changed:
            news["changed"] = changed
        return news

    def _one_line(self, signals: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the signals of the one wearable that the page draws: on the trunk if there is one, and the same one
        until it falls silent."""
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

    def totals(self) -> dict[str, Any]:
        """Return the day's mean rate as the worker knows it."""
        athlete = self._athlete
        totals = self._house.services.motion.totals(athlete.athlete_id, self._house.today(athlete.time_zone))
        rate = totals.bends_per_min
        return {} if rate is None else {"totals": {"rate": f"{rate:.1f}"}}

    def status(self) -> dict[str, Any]:
        """Return what the page's state line says; asked about once a second, sent when it changed."""
        wearable = desk.foremost(self._house.services.wearables.for_athlete(self._athlete.athlete_id))
        if wearable is None:
            return {"status": {"sentence": "No wearable yet", "battery": "", "tone": ""}}
        return {
            "status": {
                "sentence": words.wearable_sentence(wearable),
                "battery": words.battery(wearable),
                "tone": words.wearable_tone(wearable),
            }
        }


class _Pace:
    """When the slow parts of the news were told last. Monotonic seconds."""

    def __init__(self) -> None:
        self.status_at = self.totals_at = -TOTALS_S
        self.status = ""


def _slow_news(news: News, pace: _Pace, now: float) -> dict[str, Any]:
    """Return the link's state when it changed, and the day's sums now and then."""
    out: dict[str, Any] = {}
    try:
        if now - pace.status_at > STATUS_S:
            pace.status_at = now
            status = news.status()
            if (text := json.dumps(status)) != pace.status:
                pace.status = text
                out |= status
        if now - pace.totals_at > TOTALS_S:
            pace.totals_at = now
            out |= news.totals()
    except StoreUnavailable:
        # The line needs no database; its words wait until there is one again.
        return out
    return out


def _event(news: dict[str, Any]) -> str:
    return f"data: {json.dumps(news, separators=(',', ':'))}\n\n"


def _events(reader: Reader, house_: House, athlete: AthleteView) -> Iterator[str]:
    """Yield events until the page goes, the feed closes or the server stops."""
    news, pace, sent_at = News(house_, athlete), _Pace(), time.monotonic()
    with reader:
        yield f"retry: {RETRY_MS}\n\n"
        if before := news.of(reader.history):
            yield _event(before)
        while not (reader.closed or house_.stopping.is_set()):
            now = time.monotonic()
            out = news.of(reader.get_batch(timeout_s=BATCH_S)) | _slow_news(news, pace, now)
            if out:
                yield _event(out)
                sent_at = time.monotonic()
            elif now - sent_at > KEEP_ALIVE_S:
                yield ": keep-alive\n\n"
                sent_at = time.monotonic()
            # The next events of this fifth of a second travel together.
            house_.stopping.wait(max(0.0, BATCH_S - (time.monotonic() - now)))


@blueprint.get("/live/<athlete_id>")
@access.signed_in
def events(athlete_id: str) -> Response:
    """Stream the athlete's live line and word of changes."""
    athlete = house().services.athletes.get(access.me(), athlete_id)
    try:
        reader = house().live_feed.subscribe(athlete.athlete_id)
    except TooManyReaders as error:
        body = json.dumps({"error": {"what": str(error)}})
        return Response(body, status=503, content_type="application/json", headers={"Retry-After": "5"})
    answer = Response(_events(reader, house(), athlete), content_type="text/event-stream; charset=utf-8")
    # A stream that is refused by the server before its first event must free its place too.
    answer.call_on_close(reader.close)
    answer.headers["Cache-Control"] = "no-cache"
    answer.headers["X-Accel-Buffering"] = "no"
    return answer
