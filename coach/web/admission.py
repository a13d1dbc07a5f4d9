"""How many requests of a kind are at work at once: whoever comes beyond it is told when to come again, at once.

Pages and gateways each have threads that the other kind never takes, nor do event streams, which `LiveFeed` bounds. A
request that is refused here costs neither the database nor the app anything.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from coach.errors import CoachError
from coach.web.headers import FIXED

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]

# Where signal comes in.
INGEST = ("/api/v1/chunks", "/api/v1/live", "/api/v1/gateway", "/api/v1/phone")
STORED = "/api/v1/chunks"
STREAMS = "/live/"
# Whether the process runs: it does also when every place is taken, and whoever heard otherwise would end it.
ALIVE = "/healthz"
# Threads for answering those who are refused. Own choice.
SPARE_THREADS = 8
# s until who is refused shall come again: a moment is over soon; a backlog of analysis takes its time. Own choices.
_MOMENT_S, _BACKLOG_S = 1, 30
# s between two looks at how much waits for its analysis. Own choice.
_LOOK_S = 5.0


class Admission:
    """Stands in front of the app. waiting: how many chunks are acknowledged and not analysed."""

    def __init__(
        self, app: Wsgi, *, pages_max: int, ingest_max: int, waiting: Callable[[], int], waiting_max: int
    ) -> None:
        self._app = app
        self._waiting, self._waiting_max = waiting, waiting_max
        self._most = {"pages": pages_max, "ingest": ingest_max}
        self._at_work = {"pages": 0, "ingest": 0}
        self._lock = threading.Lock()
        self._looked_s = float("-inf")
        self._behind = False

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        """Answer, or refuse with 503 and Retry-After."""
        path = environ["PATH_INFO"]
        if path.startswith(STREAMS) or path == ALIVE:
            return self._app(environ, start)
        kind = "ingest" if path.startswith(INGEST) else "pages"
        if path == STORED and self.is_behind():
            return _refusal(environ, start, _BACKLOG_S)
        with self._lock:
            if self._at_work[kind] >= self._most[kind]:
                return _refusal(environ, start, _MOMENT_S)
            self._at_work[kind] += 1
        try:
            answer = self._app(environ, start)
        except BaseException:
            self._leave(kind)
            raise
        return _Held(answer, lambda: self._leave(kind))

    def _leave(self, kind: str) -> None:
        with self._lock:
            self._at_work[kind] -= 1

    def is_behind(self) -> bool:
        """Tell whether more waits for its analysis than is wanted; asked by one request now and then."""
        with self._lock:
            now = time.monotonic()
            if now - self._looked_s < _LOOK_S:
                return self._behind
            self._looked_s = now
        try:
            self._behind = self._waiting() > self._waiting_max
        except CoachError:
            self._behind = False  # what is wrong with the database is said by who needs it
        return self._behind


class _Held:
    """An answer that keeps its place until it is closed: given back once, also when closing it fails."""

    def __init__(self, answer: Iterable[bytes], leave: Callable[[], None]) -> None:
        self._answer, self._leave = answer, leave

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._answer)

    def close(self) -> None:
        leave, self._leave = self._leave, lambda: None
        try:
            close = getattr(self._answer, "close", None)
            if close is not None:
                close()
        finally:
            leave()


def _refusal(environ: dict[str, Any], start: Any, after_s: int) -> Iterable[bytes]:
    what = "Too much arrives at once: nothing was changed, and it is taken a little later."
    json_wanted = environ["PATH_INFO"].startswith("/api/")
    body = json.dumps({"error": {"what": what}}).encode() if json_wanted else what.encode()
    kind = "application/json" if json_wanted else "text/plain; charset=utf-8"
    head = {**FIXED, "Content-Type": kind, "Cache-Control": "no-store", "Retry-After": str(after_s)}
    start("503 Service Unavailable", [*head.items(), ("Content-Length", str(len(body)))])
    return [body]
