"""The short way of signal: a post of chunks that is as it should be passes nothing of what stands around a page.

Hundreds of gateways post each second, and what a page needs around it costs several times the storing of a chunk.
Token, consent and bounds are asked for each post, here as on the long way. Whatever is refused goes the long way too,
through the app, which has the sentence for it; so does a token that did not come through it before, so that whoever
guesses is slowed there.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterable
from io import BytesIO
from secrets import token_hex
from typing import Any

from coach.errors import CoachError
from coach.logs import about
from coach.service import Services
from coach.service.tokens import Shown
from coach.web.access import in_header
from coach.web.admission import STORED, Wsgi
from coach.web.api.gateways import CHUNKS_BODY_BYTES_MAX, Stored
from coach.web.described import JSON, written_by
from coach.web.headers import HTTPS_ONLY, NEVER_KEPT
from coach.web.request_ids import HEADER

ENDPOINT = "api.add_chunks"
# Tokens that came through the long way. Own choice: far more than send to one server.
_KNOWN_MAX = 20_000
# What only browsers send, and what says how to read another kind of body: the long way looks at it.
_UNUSUAL = ("HTTP_ORIGIN", "HTTP_SEC_FETCH_SITE", "HTTP_TRANSFER_ENCODING", "HTTP_CONTENT_ENCODING")


class ShortWay:
    """Stands in front of the app."""

    def __init__(
        self,
        app: Wsgi,
        services: Services,
        may_post: Callable[[str], bool],
        count: Callable[[str, int, float, int], None],
    ) -> None:
        """may_post(token): counts a post; False beyond the limit. count(endpoint, status, took_s, body_bytes)."""
        self._app, self._services = app, services
        self._may_post, self._count = may_post, count
        self._known: set[bytes] = set()
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        """Answer a post of chunks; let the app answer everything else."""
        if environ["PATH_INFO"] != STORED or environ["REQUEST_METHOD"] != "POST":
            return self._app(environ, start)
        begun_s = time.perf_counter()
        token = in_header(environ.get("HTTP_AUTHORIZATION", ""))
        length = _length(environ)
        if token is None or length is None:
            return self._app(environ, start)
        key = hashlib.sha256(token.encode("utf-8", "replace")).digest()
        if key not in self._known:
            return self._app(environ, self._learning(key, start))
        body = environ["wsgi.input"].read(length)
        request_id = token_hex(8)
        answer = self._stored(token, body, request_id) if len(body) == length and self._may_post(token) else None
        if answer is None:
            with self._lock:
                self._known.discard(key)
            environ["wsgi.input"] = BytesIO(body)
            return self._app(environ, start)
        self._count(ENDPOINT, 200, time.perf_counter() - begun_s, length)
        head = [*NEVER_KEPT, ("Content-Type", JSON), ("Content-Length", str(len(answer))), (HEADER, request_id)]
        if environ["wsgi.url_scheme"] == "https":
            head.append(("Strict-Transport-Security", HTTPS_ONLY))
        start("200 OK", head)
        return [answer]

    def _stored(self, token: str, body: bytes, request_id: str) -> bytes | None:
        """Store and return the answer; None for whatever cannot be stored as it is."""
        sender = Shown.of(token)
        with about(request=request_id, endpoint=ENDPOINT):
            try:
                keys = self._services.ingest.receive_from(sender, body)
            except CoachError:
                return None
        if keys is None:
            return None
        self._services.tokens.note(sender.token_id)
        return written_by(Stored).dump_json(Stored(keys))

    def _learning(self, key: bytes, start: Any) -> Any:
        """Keep a token in mind that the long way lets in."""

        def started(status: str, *rest: Any) -> Any:
            if status.startswith("200"):
                with self._lock:
                    if len(self._known) >= _KNOWN_MAX:
                        self._known.clear()
                    self._known.add(key)
            return start(status, *rest)

        return started


def _length(environ: dict[str, Any]) -> int | None:
    """Return the bytes of the body; None for a request that is unusual in any way."""
    stated = environ.get("CONTENT_LENGTH") or ""
    if environ.get("QUERY_STRING") or any(name in environ for name in _UNUSUAL) or not stated.isdecimal():
        return None
    length = int(stated)
    return length if length <= CHUNKS_BODY_BYTES_MAX else None
