"""The session: a signed cookie that names who is signed in, and since which password."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask, request, session
from flask.sessions import SecureCookieSessionInterface

from coach.service.types import Identity


class Sessions(SecureCookieSessionInterface):
    """Flask's signed cookie, marked Secure whenever the page came over https."""

    def get_cookie_secure(self, app: Flask) -> bool:
        return request.is_secure


def install(app: Flask, session_days: int) -> None:
    """Set the cookie's rules."""
    app.session_interface = Sessions()
    app.config.update(
        SESSION_COOKIE_NAME="backstop",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=timedelta(days=session_days),
    )


def begin(identity: Identity) -> None:
    """Sign someone in. The old session goes first, so that nothing set before signing in survives it."""
    session.clear()
    session.permanent = True
    session["user_id"] = identity.user_id
    session["epoch"] = identity.epoch


def end() -> None:
    """Sign out."""
    session.clear()
