"""How often an address may be tried by one sender. One process serves the web, so the counts live in its memory."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from flask import Flask, request, session
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from coach.web.access import bearer_token


def _token_or_address() -> str:
    """Return who posts: the token, as a hash, for many gateways may share an address."""
    token = bearer_token() or (request.view_args or {}).get("token")
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest() if token else get_remote_address()


def _person_or_address() -> str:
    """Return who is signed in, for a club may share an address."""
    user_id = session.get("user_id")
    return user_id if isinstance(user_id, str) else get_remote_address()


# Own choice: a person mistypes a password a few times, never ten times a minute.
LIMIT_OF_ENDPOINT = {
    "welcome.sign_in": "10 per minute; 60 per hour",
    "welcome.enter": "20 per minute",
    "welcome.set_password": "10 per minute",
    # Own choice: whoever guesses at tokens from one place is slowed, gateways behind one router are not.
    "api.add_chunks": "6000 per minute",
    "api.beat": "3000 per minute",
    "api.live": "6000 per minute",
    "phone_push.push": "3000 per minute",
    "phone_push.push_by_path": "3000 per minute",
    "calendar.feed": "60 per minute",
}
# Own choice: a gateway with ten wearables posts two chunks a second, after an outage its backlog; it reports every
# half second at most, and sends live blocks four times a second.
LIMIT_OF_TOKEN = {
    "api.add_chunks": "3000 per minute",
    "api.beat": "200 per minute",
    "api.live": "400 per minute",
    # The app sends five messages a second at most.
    "phone_push.push": "600 per minute",
    "phone_push.push_by_path": "600 per minute",
}
# For whatever is named in none of these tables, all of it together, so that nothing is without a limit. By person, else
# by address. Own choice: ten changes a second, and fifty looks, are no person's, and a club shares its address.
CHANGES, LOOKS = "600 per minute; 6000 per hour", "3000 per minute"
# What changes nothing. Source: RFC 9110, 9.2.1.
_LOOKING = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
# Own choice: a look lasts 20 s and wakes every radio; nobody needs a new token every minute.
LIMIT_OF_PERSON = {
    "wearables.look": "10 per minute",
    "gateways.add_token": "5 per minute; 20 per hour",
    "calibration.start": "20 per minute",
    "phones.add": "5 per minute; 20 per hour",
    # Each sends something to an address that the person chose, or makes a secret.
    "reminders.try_channel": "5 per minute; 30 per hour",
    "reminders.set_webhook": "5 per minute; 20 per hour",
    "reminders.add_device": "10 per minute; 30 per hour",
    # A file is written, then read as a whole.
    "imports.upload": "10 per minute; 60 per hour",
    "imports.preview": "30 per minute",
    "imports.take": "20 per minute",
    # Pages are drawn and files are kept.
    "doctor.pdf": "20 per minute",
    "doctor.fhir": "20 per minute",
    "doctor.add_imaging": "20 per minute; 60 per hour",
}


def install(app: Flask) -> None:
    """Count requests before anything else can refuse them; beyond a limit the answer is 429.

    Must come before CSRFProtect. Limits on a view itself are looked at only when the view is called: what CSRF refuses
    would never be counted. So each limit is on a function of its own, called before the request.
    """
    limiter = Limiter(get_remote_address, app=app, storage_uri="memory://", strategy="moving-window")
    counted: dict[str, list[Callable[[], Any]]] = {}
    for whose, limits, key in (
        ("address", LIMIT_OF_ENDPOINT, get_remote_address),
        ("token", LIMIT_OF_TOKEN, _token_or_address),
        ("person", LIMIT_OF_PERSON, _person_or_address),
    ):
        for endpoint, limit in limits.items():

            def count() -> None:
                """Be counted."""

            # Flask-Limiter keeps limits by this name.
            count.__qualname__ = f"count_{endpoint}_by_{whose}"
            counted.setdefault(endpoint, []).append(limiter.limit(limit, key_func=key)(count))

    def count_look() -> None:
        """Be counted."""

    def count_change() -> None:
        """Be counted."""

    look = limiter.shared_limit(LOOKS, "looks", key_func=_person_or_address)(count_look)
    change = limiter.shared_limit(CHANGES, "changes", key_func=_person_or_address)(count_change)

    def count_request() -> None:
        named = counted.get(request.endpoint or "")
        for count in named or (look if request.method in _LOOKING else change,):
            count()

    app.before_request(count_request)
