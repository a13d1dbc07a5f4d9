"""The short way of signal: a post of chunks that is as it should be passes nothing of what stands around a page.

Hundreds of gateways post each second, and what a page needs around it costs several times the storing of a chunk.
Token, consent and bounds are asked for each post, here as on the long way. Whatever is refused goes the long way too,
through the app, which has the sentence for it, and so does everything from an address of which much is refused.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
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
from coach.web.limits import PostBounds
from coach.web.request_ids import HEADER

ENDPOINT = "api.add_chunks"
# Where an app keeps its short way and its admission.
IN_FRONT = "backstop_in_front"
# What only browsers send, and what says how to read another kind of body: the long way looks at it.
_UNUSUAL = ("HTTP_ORIGIN", "HTTP_SEC_FETCH_SITE", "HTTP_TRANSFER_ENCODING", "HTTP_CONTENT_ENCODING")


class ShortWay:
    """Stands in front of the app."""

    def __init__(
        self,
        app: Wsgi,
        services: Services,
        bounds: PostBounds,
        count: Callable[[str, int, float, int], None],
    ) -> None:
        """count(endpoint, status, took_s, body_bytes): for the metrics."""
        self._app, self._services, self._bounds, self._count = app, services, bounds, count

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        """Answer a post of chunks; let the app answer everything else."""
        begun_s = time.perf_counter()
        asked = self.shown(environ)
        if asked is None:
            return self._app(environ, start)
        token, length = asked
        if not self.may_guess(environ):
            return self._app(environ, start)
        body = environ["wsgi.input"].read(length)
        request_id = token_hex(8)
        answer = self._stored(token, body, request_id) if len(body) == length and self._bounds.may_post(token) else None
        if answer is None:
            self._bounds.count_guess(environ.get("REMOTE_ADDR", ""))
            environ["wsgi.input"] = BytesIO(body)
            return self._app(environ, start)
        self._count(ENDPOINT, 200, time.perf_counter() - begun_s, length)
        head = _head(answer, request_id)
        if environ["wsgi.url_scheme"] == "https":
            head.append(("Strict-Transport-Security", HTTPS_ONLY))
        start("200 OK", head)
        return [answer]

    def may_guess(self, environ: dict[str, Any]) -> bool:
        """Tell whether not too much was refused lately of who asks."""
        return self._bounds.may_guess(environ.get("REMOTE_ADDR", ""))

    def shown(self, environ: dict[str, Any]) -> tuple[str, int] | None:
        """Return the token and the bytes of the body of a post of chunks; None for whatever else or unusual."""
        if environ["PATH_INFO"] != STORED or environ["REQUEST_METHOD"] != "POST":
            return None
        token, length = in_header(environ.get("HTTP_AUTHORIZATION", "")), _length(environ)
        return None if token is None or length is None else (token, length)

    def stored_together(self, posts: Sequence[tuple[str, bytes]]) -> list[tuple[list[tuple[str, str]], bytes] | None]:
        """Store posts, by token and body, in one transaction; return head and body of each answer.

        None for each that is to go the long way, which says why.
        """
        begun_s = time.perf_counter()
        senders = [Shown.of(token) if self._bounds.may_post(token) else None for token, _ in posts]
        asked = [(sender, body) for sender, (_, body) in zip(senders, posts, strict=True) if sender is not None]
        with about(endpoint=ENDPOINT):
            stored = iter(self._services.ingest.receive_together(asked))
        answers: list[tuple[list[tuple[str, str]], bytes] | None] = []
        for sender, (_, body) in zip(senders, posts, strict=True):
            keys = next(stored) if sender is not None else None
            if sender is None or keys is None:
                answers.append(None)
                continue
            self._services.tokens.note(sender.token_id)
            self._count(ENDPOINT, 200, time.perf_counter() - begun_s, len(body))
            answer = written_by(Stored).dump_json(Stored(keys))
            answers.append((_head(answer, token_hex(8)), answer))
        return answers

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


def _head(answer: bytes, request_id: str) -> list[tuple[str, str]]:
    return [*NEVER_KEPT, ("Content-Type", JSON), ("Content-Length", str(len(answer))), (HEADER, request_id)]


def _length(environ: dict[str, Any]) -> int | None:
    """Return the bytes of the body; None for a request that is unusual in any way."""
    stated = environ.get("CONTENT_LENGTH") or ""
    if environ.get("QUERY_STRING") or any(name in environ for name in _UNUSUAL) or not stated.isdecimal():
        return None
    length = int(stated)
    return length if length <= CHUNKS_BODY_BYTES_MAX else None
