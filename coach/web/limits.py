"""How often an address may be tried by one sender. The counts live in memory; several web processes tell each other."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from flask import Flask, Response, current_app, request, session
from flask_limiter import Limiter
from limits import RateLimitItem, parse_many
from limits.strategies import MovingWindowRateLimiter
from werkzeug.exceptions import TooManyRequests

from coach.web.access import STATUS_SHOWN, bearer_token
from coach.web.limit_memory import BoundedMemory

_KEY, _MEMORIES = "backstop_account_tries", "backstop_tries"
# Where chunks are posted.
POSTS = "api.add_chunks"


def _address() -> str:
    """Return who connects. Of IPv6 the first half: whoever has one address has all the others of it."""
    address = request.remote_addr or "127.0.0.1"
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or ip_network((parsed, 64), strict=False))
    return address


def _token_or_address() -> str:
    """Return who posts: the token, as a hash, for many gateways may share an address."""
    token = bearer_token() or (request.view_args or {}).get("token")
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest() if token else _address()


def _person_or_address() -> str:
    """Return who is signed in, for a club may share an address."""
    user_id = session.get("user_id")
    return user_id if isinstance(user_id, str) else _address()


# Own choice: a person mistypes a password a few times, never ten times a minute.
LIMIT_OF_ENDPOINT = {
    "welcome.sign_in": "10 per minute; 60 per hour",
    "welcome.enter_code": "10 per minute; 60 per hour",
    "welcome.enter": "20 per minute",
    "passkeys.ask": "30 per minute",
    "passkeys.sign_in": "20 per minute; 200 per hour",
    # Own choice: whoever guesses at tokens from one place is slowed, gateways behind one router are not.
    "api.add_chunks": "6000 per minute",
    "api.beat": "3000 per minute",
    "api.live": "6000 per minute",
    "phone_push.push": "3000 per minute",
    "phone_push.push_by_path": "3000 per minute",
    "calendar.feed": "60 per minute",
    # Own choice: whoever guesses at codes of invitations or links for a doctor from one place is slowed.
    "joining.look": "10 per minute; 60 per hour",
    "joining.agree": "10 per minute; 60 per hour",
    "joining.new": "10 per minute; 60 per hour",
    "doctor_link.page": "30 per minute",
    "doctor_link.pdf": "10 per minute",
}
# Own choice: a gateway with ten wearables posts two chunks a second, after an outage its backlog; it reports every
# half second at most, and sends live blocks four times a second.
LIMIT_OF_TOKEN = {
    "api.add_chunks": "3000 per minute",
    "api.beat": "200 per minute",
    "api.live": "400 per minute",
    # Everything of a person is written to the disk.
    "api.export": "3 per minute; 12 per hour",
    # The app sends five messages a second at most.
    "phone_push.push": "600 per minute",
    "phone_push.push_by_path": "600 per minute",
}
# For whatever is named in none of these tables, all of it together, so that nothing is without a limit. By person, else
# by address. Own choice: ten changes a second, and fifty looks, are no person's, and a club shares its address.
CHANGES, LOOKS = "600 per minute; 6000 per hour", "3000 per minute"
# The same for a program by its token; all programs of one address together, whatever they show for a token.
PROGRAMS = "6000 per minute"
# Posts of chunks from one address that are refused, until the app looks at each of them. Own choice.
_REFUSED = "300 per minute"
# What changes nothing. Source: RFC 9110, 9.2.1.
_LOOKING = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
# Own choice: a look lasts 20 s and wakes every radio; nobody needs a new token every minute.
LIMIT_OF_PERSON = {
    "wearables.look": "10 per minute",
    "gateways.add_token": "5 per minute; 20 per hour",
    "tokens.make": "5 per minute; 20 per hour",
    "people.invite": "10 per minute; 60 per hour",
    "sharing.invite": "10 per minute; 60 per hour",
    "sharing.make_link": "10 per minute; 60 per hour",
    "calibration.start": "20 per minute",
    "phones.add": "5 per minute; 20 per hour",
    # Each sends something to an address that the person chose, or makes a secret.
    "reminders.try_channel": "5 per minute; 30 per hour",
    "reminders.set_webhook": "5 per minute; 20 per hour",
    "reminders.add_device": "10 per minute; 30 per hour",
    # Each hashes, or makes a secret.
    "account.set_password": "10 per minute",
    "account.begin_factor": "10 per minute",
    "account.confirm_factor": "10 per minute; 60 per hour",
    "account.renew_codes": "5 per minute; 20 per hour",
    "passkeys.ask_new": "10 per minute",
    "passkeys.add": "10 per minute",
    # A file is written, then read as a whole.
    "imports.upload": "10 per minute; 60 per hour",
    "imports.preview": "30 per minute",
    "imports.take": "20 per minute",
    # Everything of a person is written to the disk.
    "data.export": "3 per minute; 12 per hour",
    "data.erase": "5 per minute; 20 per hour",
    # Pages are drawn and files are kept.
    "doctor.pdf": "20 per minute",
    "doctor.fhir": "20 per minute",
    "doctor.add_imaging": "20 per minute; 60 per hour",
}
# Of one account, from wherever: many senders together must not guess it. A name that is nobody's is counted alike.
# Who is kept out by others' tries still gets in by a passkey, a sign-in link, or from a browser that was in before.
# Source: NIST SP 800-63B-4, 3.2.2: 100 tries at most; the shorter windows are an own choice.
LIMIT_OF_ACCOUNT = {
    "password": "10 per 10 minutes; 100 per day",
    "code": "10 per 10 minutes; 50 per day",
}


def may_try(what: str, account: str, known_as: str = "") -> bool:
    """Count a try on an account, and tell whether it may be made. what: a key of LIMIT_OF_ACCOUNT.

    known_as: of a browser that was in on the account before; its tries are counted apart.
    """
    counted: MovingWindowRateLimiter = current_app.extensions[_KEY]
    key = hashlib.sha256(f"{account}\n{known_as}".encode("utf-8", "replace")).hexdigest()
    return all(counted.hit(limit, what, key) for limit in _limits_of(LIMIT_OF_ACCOUNT[what]))


class PostBounds:
    """How often chunks may be posted; the app and what stands in front of it count together."""

    def __init__(self, app: Flask) -> None:
        self._counted: MovingWindowRateLimiter = app.extensions[_KEY]

    def may_post(self, token: str) -> bool:
        """Count a post, and tell whether it is within what one token may."""
        key = hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
        return all(self._counted.hit(limit, "posts", key) for limit in _limits_of(LIMIT_OF_TOKEN[POSTS]))

    def may_guess(self, address: str) -> bool:
        """Tell whether not too much was refused from an address lately."""
        return all(self._counted.test(limit, "refused posts", address) for limit in _limits_of(_REFUSED))

    def count_guess(self, address: str) -> None:
        """Count what was refused."""
        for limit in _limits_of(_REFUSED):
            self._counted.hit(limit, "refused posts", address)


def _count_post() -> None:
    """Count a post of chunks where the short way (short_way.py) counts them too."""
    if not PostBounds(current_app).may_post(bearer_token() or _address()):
        raise TooManyRequests(retry_after=60)


@cache
def _limits_of(text: str) -> list[RateLimitItem]:
    return list(parse_many(text))


def _program_or_person() -> str:
    """Return who asks: the token of a program, else the person, else the address."""
    return _token_or_address() if bearer_token() is not None else _person_or_address()


def _guessed(answer: Response) -> bool:
    """Tell whether a token was brought that nobody has: who guesses from one place is slowed, a club's gateways behind
    one router are not, however many they are."""
    return answer.status_code in (401, STATUS_SHOWN)


def install(app: Flask) -> None:
    """Count requests before anything else can refuse them; beyond a limit the answer is 429.

    Must come before CSRFProtect. Limits on a view itself are looked at only when the view is called: what CSRF refuses
    would never be counted. So each limit is on a function of its own, called before the request.
    """
    limiter = Limiter(_address, app=app, storage_uri="bounded://", strategy="moving-window")
    counted: dict[str, list[Callable[[], Any]]] = {}
    for whose, limits, key in (
        ("address", LIMIT_OF_ENDPOINT, _address),
        ("token", LIMIT_OF_TOKEN, _token_or_address),
        ("person", LIMIT_OF_PERSON, _person_or_address),
    ):
        for endpoint, limit in limits.items():
            if endpoint == POSTS and whose == "token":
                counted.setdefault(endpoint, []).append(_count_post)
                continue

            def count() -> None:
                """Be counted."""

            # Flask-Limiter keeps limits by this name.
            count.__qualname__ = f"count_{endpoint}_by_{whose}"
            only = _guessed if whose == "address" and endpoint in LIMIT_OF_TOKEN else None
            limited = limiter.limit(limit, key_func=key, deduct_when=only)(count)
            counted.setdefault(endpoint, []).append(limited)

    def count_look() -> None:
        """Be counted."""

    def count_change() -> None:
        """Be counted."""

    def count_program() -> None:
        """Be counted."""

    look = limiter.shared_limit(LOOKS, "looks", key_func=_program_or_person)(count_look)
    change = limiter.shared_limit(CHANGES, "changes", key_func=_program_or_person)(count_change)
    program = limiter.shared_limit(PROGRAMS, "programs")(count_program)

    def count_request() -> None:
        # By address first: each other token is another sender below, and too many make others forgotten.
        if bearer_token() is not None and request.endpoint not in LIMIT_OF_ENDPOINT:
            program()
        named = counted.get(request.endpoint or "")
        for count in named or (look if request.method in _LOOKING else change,):
            count()

    app.before_request(count_request)
    app.extensions[_KEY] = MovingWindowRateLimiter(BoundedMemory())
    app.extensions[_MEMORIES] = limiter.storage, app.extensions[_KEY].storage


def memories_of(app: Flask) -> tuple[BoundedMemory, ...]:
    """Return where the tries of an app are counted; several processes share what is counted."""
    found: tuple[BoundedMemory, ...] = app.extensions[_MEMORIES]
    return found
