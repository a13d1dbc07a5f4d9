"""An id for each request, in its answer and in every line that is written meanwhile."""

from __future__ import annotations

from contextlib import ExitStack
from secrets import token_hex

from flask import Flask, g, request
from werkzeug.wrappers import Response

from coach.logs import about

HEADER = "X-Request-Id"


def install(app: Flask) -> None:
    """Give the id before anything else looks at the request. What a client sends as one is not taken over."""
    app.before_request(_begin)
    app.after_request(_tell)
    app.teardown_request(_end)


def _begin() -> None:
    g.request_id = token_hex(8)
    g.about = ExitStack()
    # The endpoint's name, never the path: paths carry secrets.
    g.about.enter_context(about(request=g.request_id, endpoint=request.endpoint))


def _tell(answer: Response) -> Response:
    if "request_id" in g:
        answer.headers[HEADER] = g.request_id
    return answer


def _end(_: BaseException | None) -> None:
    if (open_ := g.pop("about", None)) is not None:
        open_.close()
