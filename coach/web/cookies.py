"""The cookie of a sign-in: signed, with the secret of a session that is a row. What is good is asked of the row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Flask, after_this_request, current_app, g, request, session
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import BadData, URLSafeSerializer, URLSafeTimedSerializer
from werkzeug.wrappers import Response

from coach.service.passkeys import CHALLENGE_TIME
from coach.service.secrets import fresh_token, hash_token
from coach.service.sign_in_types import Asker, CodeWanted, LetIn, SignedIn
from coach.web.browsers import device_words
from coach.web.house import house

# A browser that was in before keeps so much for so long. Own choice: a family's tablet, and a year.
_KNOWN, _KNOWN_MAX, _KNOWN_TIME = "backstop_known", 8, timedelta(days=365)
# After a password its code is awaited so long. Own choice: time to find the phone.
_CODE_TIME = timedelta(minutes=5)
# What can lock a person out or take everything along asks for a sign-in as recent as this. Own choice.
FRESH = timedelta(minutes=10)
# Own choice: what a clock that is kept right may go back.
_CLOCK_OFF = timedelta(minutes=1)


class _Ageless(URLSafeTimedSerializer):
    """Reads a signed cookie of any age: how long a sign-in lasts is asked of its row.

    A cookie that a clock set back takes for one of the future would else sign everybody out.
    """

    def loads(self, s: str | bytes, max_age: int | None = None, *args: Any, **named: Any) -> Any:  # type: ignore[override]
        return super().loads(s, None, *args, **named)


class Sessions(SecureCookieSessionInterface):
    """Flask's signed cookie, marked Secure whenever the page came over https."""

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        return _Ageless(
            str(app.secret_key),
            salt=self.salt,
            serializer=self.serializer,
            signer_kwargs={"key_derivation": self.key_derivation, "digest_method": self.digest_method},
        )

    def get_cookie_secure(self, app: Flask) -> bool:
        return request.is_secure


@dataclass(frozen=True, slots=True)
class Pending:
    """A password that fitted and waits for its code. onward: the page to go to then."""

    wanted: CodeWanted
    confirming: bool
    onward: str


def install(app: Flask, session_days: int) -> None:
    """Set the cookie's rules."""
    app.session_interface = Sessions()
    app.config.update(
        SESSION_COOKIE_NAME="backstop",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=timedelta(days=session_days),
    )


def find() -> SignedIn | None:
    """Ask the row whether the cookie's session is good, once per request; a cookie of one that ended is emptied."""
    secret = session.get("secret")
    found = house().services.sign_ins.present(secret) if isinstance(secret, str) else None
    if found is None and secret is not None:
        session.clear()
    g.signed_in = found
    return found


def signed_in() -> SignedIn | None:
    """Return the session that asks, None for strangers and for programs."""
    found = g.get("signed_in")
    return found if isinstance(found, SignedIn) else None


def is_fresh() -> bool:
    """Tell whether the person showed who they are a short while ago."""
    found = signed_in()
    # A clock that was set back makes nothing fresh again.
    return found is not None and -_CLOCK_OFF <= house().now() - found.confirmed_at <= FRESH


def asker(confirming: bool = False) -> Asker:
    """Return the browser that asks to be let in."""
    return Asker(device_words(request.headers.get("User-Agent", "")), signed_in(), confirming)


def begin(let_in: LetIn) -> None:
    """Sign someone in. The old cookie's content goes first, so that nothing set before signing in survives it."""
    if let_in.secret is None:
        session.pop("pending", None)
        return
    session.clear()
    session.permanent = True
    session["secret"] = let_in.secret
    # For counting tries by person, without a look at the row.
    session["user_id"] = let_in.identity.user_id


def end() -> None:
    """Sign out."""
    session.clear()


def remember_browser(account: str) -> None:
    """Let this browser be known as one that was in on the account, also after signing out.

    It is let in by nothing of this; only its tries are counted apart from those of others, who so cannot keep it out.
    """
    kept = {**_known(), hash_token(account): known_as(account) or fresh_token()}
    signed = _serializer().dumps(dict(list(kept.items())[-_KNOWN_MAX:]))
    secure = request.is_secure

    @after_this_request
    def keep(response: Response) -> Response:
        response.set_cookie(_KNOWN, signed, max_age=_KNOWN_TIME, httponly=True, samesite="Lax", secure=secure)
        return response


def known_as(account: str) -> str:
    """Return under which name this browser is known on an account, nothing where it was never in."""
    return _known().get(hash_token(account), "")


def _known() -> dict[str, str]:
    try:
        found = _serializer().loads(request.cookies.get(_KNOWN, ""))
    except BadData:
        return {}
    return found if isinstance(found, dict) else {}


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), salt=_KNOWN)


def await_code(wanted: CodeWanted, confirming: bool, onward: str) -> None:
    """Remember that a password fitted."""
    session["pending"] = [wanted.user_id, wanted.epoch, confirming, onward, house().now().timestamp()]


def pending() -> Pending | None:
    """Return whose code is awaited, None when nobody's is or it took too long."""
    found = session.get("pending")
    if not isinstance(found, list) or not _within(found[4], _CODE_TIME):
        return None
    return Pending(CodeWanted(found[0], found[1]), found[2], found[3])


def keep_challenge(challenge: str, purpose: str) -> None:
    """Remember what a device was asked, for this browser, this purpose and this sign-in only."""
    session["challenge"] = [challenge, purpose, _whose(), house().now().timestamp()]


def take_challenge(purpose: str) -> str | None:
    """Return what a device was asked for this purpose, and forget it; None when nothing was, or too long ago."""
    found = session.pop("challenge", None)
    if not isinstance(found, list) or found[1:3] != [purpose, _whose()]:
        return None
    return str(found[0]) if _within(found[3], CHALLENGE_TIME) else None


def _within(since_s: float, time: timedelta) -> bool:
    passed = timedelta(seconds=house().now().timestamp() - since_s)
    return -_CLOCK_OFF <= passed <= time


def _whose() -> str:
    found = signed_in()
    return found.session_id if found is not None else ""
