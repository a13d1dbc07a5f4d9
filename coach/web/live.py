"""The live line: one open event stream per page, everything of a fifth of a second in one event."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Iterator
from typing import Any, Protocol

from flask import Blueprint, Response, request

from coach.errors import NoSuch, StoreUnavailable
from coach.language import current, speaking
from coach.live import TooManyReaders
from coach.service.personal_tokens import TokenScope
from coach.service.types import AthleteView, Identity, Level
from coach.web import access
from coach.web.access import Access
from coach.web.described import Raw, describe
from coach.web.house import House, house
from coach.web.news import News
from coach.web.streams import Stream

blueprint = Blueprint("live", __name__)

# Tells who asks, None once that sign-in or token has ended.
Asker = Callable[[], Identity | None]

# Own choice: five redraws a second look live and leave a phone's processor alone.
BATCH_S = 0.2
# Proxies drop a silent connection after 30 to 60 s. Source: facts of the stack study, section 4.
KEEP_ALIVE_S = 15.0
# Own choice: a new stream asks again after a second, so that a restart is over for the reader soon.
RETRY_MS = 1000
# Own choice: what a link does is told when it changes; what follows from the time alone is seen by then.
STATUS_S = 3.0
# Own choice: a day's mean moves slowly.
TOTALS_S = 10.0
# Own choice: who has lost the right to see a line stops seeing it within this.
ALLOWED_S = 10.0
# Own choice: a page that takes nothing for so long is asleep; it asks again when it wakes.
SLOW_S = 30.0


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
    return f"data: {json.dumps(news, separators=(',', ':'))}\n\n"  # no words


class Teller(Protocol):
    """What a page with an event stream is told."""

    def opening(self, history: list[dict[str, Any]]) -> dict[str, Any]:
        """Return the first event: how things are, and the line of before."""
        ...

    def after(self, batch: list[dict[str, Any]]) -> dict[str, Any]:
        """Return what a batch of the feed's events is worth to the page, and whatever is due; empty: nothing."""
        ...

    def still_allowed(self) -> bool:
        """Tell whether who asked may still hear it; asked now and then."""
        ...


class _OneAthlete:
    """One athlete's line, their day's sums and word of changes."""

    def __init__(self, house_: House, asker: Asker, athlete: AthleteView) -> None:
        self._house, self._asker, self._athlete = house_, asker, athlete
        self._news, self._pace = News(house_, athlete), _Pace()

    def opening(self, history: list[dict[str, Any]]) -> dict[str, Any]:
        # The day's sums come before the line's own count, which would be taken for the day's otherwise.
        first = _slow_news(self._news, self._pace, time.monotonic())
        return self._news.of(history) | first

    def after(self, batch: list[dict[str, Any]]) -> dict[str, Any]:
        if any(event["kind"] == "link" for event in batch):
            self._pace.status_at = -TOTALS_S
        return self._news.of(batch) | _slow_news(self._news, self._pace, time.monotonic())

    def still_allowed(self) -> bool:
        """Tell whether the sign-in or token is still good and the athlete still theirs to see."""
        return may_still_see(self._house, self._asker, self._athlete.athlete_id)


def may_still_see(house_: House, asker: Asker, athlete_id: str) -> bool:
    """Tell whether a sign-in or token is still good and the athlete still theirs to see."""
    try:
        present = asker()
        if present is None:
            return False
        house_.services.athletes.get(present, athlete_id)
    except NoSuch:
        return False
    except StoreUnavailable:
        return True  # asked again soon
    return True


def _events(stream: Stream, house_: House, teller: Teller, spoken: str, batch_s: float) -> Iterator[str]:
    """Yield events until the page goes, is asleep, gives way, who asked may not see it any more, or the service ends;
    the reader is closed however it ends. spoken: the language of the page. batch_s: what goes together."""
    sent_at = allowed_at = time.monotonic()
    with stream.reader as reader:
        yield f"retry: {RETRY_MS}\n\n"  # no words
        with speaking(spoken):
            before = teller.opening(reader.history)
        if before:
            yield _event(before)
        while not (reader.closed or house_.stopping.is_set() or stream.gone()):
            now = time.monotonic()
            if stream.gives_way:
                yield _event({"elsewhere": True})
                return
            if now - allowed_at > ALLOWED_S:
                allowed_at = now
                if not teller.still_allowed():
                    return
            # To a page that does not read, writing would wait for ever.
            if not stream.writable():
                if now - sent_at > SLOW_S:
                    return
                house_.stopping.wait(BATCH_S)
                continue
            batch = reader.get_batch(timeout_s=BATCH_S)
            with speaking(spoken):
                out = teller.after(batch)
            if out:
                yield _event(out)
                sent_at = time.monotonic()
            elif now - sent_at > KEEP_ALIVE_S:
                yield ": keep-alive\n\n"
                sent_at = time.monotonic()
            # The next events of this moment travel together.
            house_.stopping.wait(max(0.0, batch_s - (time.monotonic() - now)))


def answer_with(
    athlete_ids: str | Collection[str],
    teller_of: Callable[[Stream], Teller],
    every_sample: bool = False,
    batch_s: float = BATCH_S,
) -> Response:
    """Return an open event stream about these athletes, or 503 with Retry-After when all places are taken.

    batch_s: what arrives within so many s travels together.
    """
    if request.method == "HEAD":
        # A page that lost its stream asks so why: nobody will read, so no place is taken.
        return Response(content_type="text/event-stream; charset=utf-8")
    try:
        stream = house().streams.open(access.me().user_id, athlete_ids, request.environ, every_sample)
    except TooManyReaders as error:
        body = json.dumps({"error": {"what": str(error)}})
        return Response(body, status=503, content_type="application/json", headers={"Retry-After": "5"})
    events_ = _events(stream, house(), teller_of(stream), current(), batch_s)
    answer = Response(events_, content_type="text/event-stream; charset=utf-8")
    # A stream that is refused by the server before its first event must free its place too.
    answer.call_on_close(stream.reader.close)
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Accel-Buffering"] = "no"
    return answer


@blueprint.get("/live/<athlete_id>")
@access.rule(Access.SIGNED_IN, need=Level.VIEW)
@describe(
    scope=TokenScope.READ_SIGNALS,
    answer=Raw("text/event-stream", "Events of a fifth of a second each, as JSON, until the page goes."),
)
def events(athlete_id: str) -> Response:
    """Stream the athlete's live line and word of changes."""
    athlete = house().services.athletes.get(access.me(), athlete_id)
    house_, asker = house(), access.asker_later()
    return answer_with(athlete.athlete_id, lambda _: _OneAthlete(house_, asker, athlete))
