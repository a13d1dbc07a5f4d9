"""Every failure as one sentence: a page for people, `{"error": {"what": …}}` for programs."""

from __future__ import annotations

import json
from typing import Any

from flask import Flask, current_app, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from coach.errors import CoachError, Conflict, InvalidInput, Locked, NoSuch, NotAllowed, StoreUnavailable
from coach.language import N_
from coach.language import gettext as _
from coach.web.access import wants_json
from coach.web.house import house

STATUS_OF: dict[type[CoachError], int] = {
    InvalidInput: 422,
    NotAllowed: 403,
    NoSuch: 404,
    Locked: 409,
    Conflict: 409,
    StoreUnavailable: 503,
}

SENTENCE_OF_STATUS = {
    400: N_("This request could not be read. Go back, reload the page and try again."),
    401: N_("Please sign in first."),
    403: N_("This page is not shared with you."),
    404: N_("There is nothing here. It may have been removed, or the address has a typing mistake."),
    405: N_("This address does not take that kind of request."),
    413: N_("That is more than this address accepts."),
    414: N_("This address is longer than any that Backstop has: go back and follow the link anew."),
    429: N_("That was tried too often. Wait a minute, then try again."),
    503: N_("Backstop cannot take this right now; nothing was changed. Try again in a moment."),
    500: N_("Something went wrong on our side. What was saved before is kept. Please try again."),
}


def _answer(status: int, what: str) -> Response:
    if wants_json():
        body = json.dumps({"error": {"what": what}})
        answer = Response(body, status=status, content_type="application/json")
    elif request.headers.get("HX-Request"):
        answer = Response(
            render_template("failure_fragment.html", what=what), status=status, content_type="text/html; charset=utf-8"
        )
        # A part that refreshes itself stays as it is and asks again; what a person did is answered above the part.
        answer.headers["HX-Reswap"] = "none" if request.method == "GET" else "afterbegin"
    else:
        page = render_template("failure.html", what=what, status=status)
        answer = Response(page, status=status, content_type="text/html; charset=utf-8")
    if status == 401:
        by_token = request.path.startswith("/api/") or "Authorization" in request.headers
        answer.headers["WWW-Authenticate"] = "Bearer" if by_token else "Session"
    return answer


def _on_coach_error(error: CoachError) -> Response:
    status = next((code for kind, code in STATUS_OF.items() if isinstance(error, kind)), 500)
    if status < 500:
        return _answer(status, str(error))
    current_app.logger.error("%s: %s", type(error).__name__, error)
    trouble = house().services.machine.trouble() if isinstance(error, StoreUnavailable) else None
    answer = _answer(
        status, _("%(trouble)s Nothing was changed.", trouble=trouble) if trouble else _(SENTENCE_OF_STATUS[status])
    )
    if status == 503:
        answer.headers["Retry-After"] = "5"
    return answer


def _on_csrf_error(error: CSRFError) -> Response:
    return _answer(400, _("This page was open too long, so nothing was changed. Reload it and try again."))


def _on_http_error(error: HTTPException) -> Response:
    if isinstance(error.response, Response):
        return error.response
    status = error.code or 500
    # A description of our own beats the table; werkzeug's own are written for programmers.
    own = error.description if error.description and error.description != type(error).description else None
    if status == 429:
        own = None
    answer = _answer(status, own or _(SENTENCE_OF_STATUS.get(status, SENTENCE_OF_STATUS[400])))
    if status == 429:
        answer.headers.setdefault("Retry-After", "60")
    if status == 405:
        answer.headers["Allow"] = ", ".join(getattr(error, "valid_methods", None) or ())
    return answer


def _log_unknown(error: Any) -> None:
    """Log an error that nobody expected; the address stays out, for it may be a secret."""
    current_app.logger.error("%s %s failed", request.method, request.endpoint, exc_info=error)


def install(app: Flask) -> None:
    """Answer every known failure with a sentence; unknown ones are logged by Flask and answered with 500's."""
    app.log_exception = _log_unknown  # type: ignore[method-assign, assignment]
    app.register_error_handler(CoachError, _on_coach_error)
    app.register_error_handler(CSRFError, _on_csrf_error)
    app.register_error_handler(HTTPException, _on_http_error)
