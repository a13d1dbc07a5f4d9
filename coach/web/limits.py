"""How often an address may be tried by one sender. One process serves the web, so the counts live in its memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

# Own choice: a person mistypes a password a few times, never ten times a minute.
LIMIT_OF_ENDPOINT = {
    "welcome.sign_in": "10 per minute; 60 per hour",
    "welcome.enter": "20 per minute",
    "welcome.set_password": "10 per minute",
    # Own choice: a gateway with ten wearables posts two chunks a second; after an outage it sends its backlog.
    "api.add_chunks": "6000 per minute",
    "calendar.feed": "60 per minute",
}


def install(app: Flask) -> None:
    """Count requests before anything else can refuse them; beyond a limit the answer is 429.

    Must come before CSRFProtect. Limits on a view itself are looked at only when the view is called: what CSRF refuses
    would never be counted. So each limit is on a function of its own, called before the request.
    """
    limiter = Limiter(get_remote_address, app=app, storage_uri="memory://", strategy="moving-window")
    counted: dict[str, Callable[[], Any]] = {}
    for endpoint, limit in LIMIT_OF_ENDPOINT.items():

        def count() -> None:
            """Be counted."""

        # Flask-Limiter keeps limits by this name.
        count.__qualname__ = f"count_{endpoint}"
        counted[endpoint] = limiter.limit(limit)(count)

    def count_request() -> None:
        if request.endpoint in counted:
            counted[request.endpoint]()

    app.before_request(count_request)
