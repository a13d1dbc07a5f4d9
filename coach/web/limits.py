"""How often an address may be tried by one sender. One process serves the web, so the counts live in its memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

# Own choice: a person mistypes a password a few times, never ten times a minute.
LIMIT_OF_ENDPOINT = {
    "welcome.sign_in": "10 per minute; 60 per hour",
    "welcome.enter": "20 per minute",
    "welcome.set_password": "10 per minute",
    # Own choice: a gateway with ten wearables posts two chunks a second; after an outage it sends its backlog.
    "api.add_chunk": "6000 per minute",
    "calendar.feed": "60 per minute",
}


def install(app: Flask) -> None:
    """Count requests. Must come before CSRFProtect: requests that it refuses would not be counted otherwise."""
    limiter = Limiter(get_remote_address, app=app, storage_uri="memory://", strategy="moving-window")
    app.extensions["backstop_limiter"] = limiter


def apply(app: Flask) -> None:
    """Wrap the limited views, once all blueprints are registered."""
    limiter: Limiter = app.extensions["backstop_limiter"]
    for endpoint, limit in LIMIT_OF_ENDPOINT.items():
        limited: Callable[..., Any] = limiter.limit(limit)(app.view_functions[endpoint])
        app.view_functions[endpoint] = limited
