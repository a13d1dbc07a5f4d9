"""Who may call which endpoint, and what it needs: every view declares its rule, everything else is refused.

A view without a rule is a mistake of ours and answers 500; `check_declared` finds it when the app is made. Whether this
athlete is yours, at that level, coach/service/permission.py decides: here for whatever the address names, and again for
the service that the view calls.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Flask, abort, current_app, flash, g, redirect, request, url_for
from werkzeug.wrappers import Response

from coach.errors import CoachError, Gone, NotAllowed
from coach.service.permission import NAMES_AN_ATHLETE
from coach.service.tokens import Holder, Scope
from coach.service.types import Identity, Level, Purpose, Role
from coach.web import cookies
from coach.web.described import description_of
from coach.web.house import house

# The app shows the text of an answer with this status to its user. Source: as the app behaves.
STATUS_SHOWN = 499

View = TypeVar("View", bound=Callable[..., Any])


class Access(StrEnum):
    """Who may call an endpoint."""

    PUBLIC = "public"
    SIGNED_IN = "signed_in"
    OWNER = "owner"
    ATHLETE = "athlete"
    COACH = "coach"
    SPEAKER = "speaker"  # whose own matter it is: an athlete, or the guardian
    CARER = "carer"  # who looks after others: a coach, or a guardian
    BEARER = "bearer"  # a gateway's token instead of a session; checked here, before the view
    PHONE = "phone"  # a phone's token, in the header or in the path; refused in the way that its app shows


_ROLES: dict[Access, frozenset[Role]] = {
    Access.SIGNED_IN: frozenset(Role),
    Access.OWNER: frozenset({Role.OWNER}),
    Access.ATHLETE: frozenset({Role.ATHLETE}),
    Access.COACH: frozenset({Role.COACH}),
    Access.SPEAKER: frozenset({Role.ATHLETE, Role.GUARDIAN}),
    Access.CARER: frozenset({Role.COACH, Role.GUARDIAN}),
}
# Ids in their addresses are of the asker's own account.
_OF_ACCOUNTS = frozenset({"account", "passkeys", "tokens"})


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may call an endpoint, and how much of the athlete it names they must be let see and do.

    need: None where the endpoint is about nobody's athlete. purpose: what must be agreed to besides, for health text.
    """

    who: Access
    need: Level | None = None
    purpose: Purpose | None = None


def rule(who: Access, *, need: Level | None = None, purpose: Purpose | None = None) -> Callable[[View], View]:
    """Declare a view's rule."""
    declared = Rule(who, need, purpose)

    def mark(view: View) -> View:
        view.__dict__["backstop_rule"] = declared
        return view

    return mark


# For what is about nobody's athlete, or about the asker alone.
public = rule(Access.PUBLIC)
signed_in = rule(Access.SIGNED_IN)
owner = rule(Access.OWNER)
bearer = rule(Access.BEARER)
phone = rule(Access.PHONE)
# Whatever is the athlete's own: nobody else comes in.
athlete = rule(Access.ATHLETE, need=Level.FULL)
coach = rule(Access.COACH)


def fresh(view: View) -> View:
    """Ask for a sign-in of the last minutes too: for what locks a person out or takes everything along.

    Goes with a rule that needs somebody signed in. Programs have no such sign-in, so they are refused.
    """
    view.__dict__["backstop_fresh"] = True
    return view


def wants_fresh(app: Flask, endpoint: str) -> bool:
    """Tell whether an endpoint asks for a fresh sign-in."""
    return bool(getattr(app.view_functions[endpoint], "backstop_fresh", False))


def rule_of(app: Flask, endpoint: str) -> Rule | None:
    """Return the rule that an endpoint declared, or None."""
    found = getattr(app.view_functions[endpoint], "backstop_rule", None)
    return found if isinstance(found, Rule) else None


def access_of(app: Flask, endpoint: str) -> Access | None:
    """Return who may call an endpoint, None where it declared no rule."""
    found = rule_of(app, endpoint)
    return found.who if found is not None else None


def check_declared(app: Flask) -> None:
    """Raise CoachError if any endpoint forgot to say who may call it, or names an athlete without saying the need."""
    silent = sorted(endpoint for endpoint in app.view_functions if rule_of(app, endpoint) is None)
    if silent:
        names = ", ".join(silent)
        raise CoachError(f"These endpoints do not say who may call them: {names}. Add a decorator of access.py.")
    vague = sorted(each.endpoint for each in app.url_map.iter_rules() if _is_vague(app, each.endpoint, each.arguments))
    if vague:
        names = ", ".join(vague)
        raise CoachError(f"These endpoints name an athlete's things and no level: {names}. Say it, need=Level.VIEW.")


def _is_vague(app: Flask, endpoint: str, arguments: Collection[str]) -> bool:
    declared = rule_of(app, endpoint)
    if declared is None or declared.need is not None or declared.who not in _ROLES:
        return False
    return endpoint.partition(".")[0] not in _OF_ACCOUNTS and bool(NAMES_AN_ATHLETE.intersection(arguments))


def holder() -> Holder:
    """Return whom the request's token speaks for; only for views by token."""
    found = g.get("holder")
    if not isinstance(found, Holder):
        abort(401)
    return found


def me() -> Identity:
    """Return who is signed in; only for views that are not public."""
    identity = g.get("identity")
    if not isinstance(identity, Identity):
        abort(401)
    return identity


def someone() -> Identity | None:
    """Return who is signed in, or None; for public views and the page's frame."""
    identity = g.get("identity")
    return identity if isinstance(identity, Identity) else None


def asker_later() -> Callable[[], Identity | None]:
    """Return what tells after the request who asked: None once that sign-in or token has ended."""
    services, token, found = house().services, bearer_token(), cookies.signed_in()
    if token is not None:
        return lambda: services.personal_tokens.still(token)
    if found is None:
        abort(401)
    return lambda: services.sign_ins.still(found.session_id)


def wants_json() -> bool:
    """Tell whether the answer should be JSON: the API, and whoever prefers it to HTML."""
    if request.path.startswith("/api/") or request.path.endswith(".json"):
        return True
    if request.endpoint is not None and description_of(current_app, request.endpoint) is not None:
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json"], default="text/html")
    return best == "application/json"


def identity_of_session() -> Identity | None:
    """Return who the session cookie names, None when that session has ended or is of nobody."""
    found = cookies.find()
    return found.identity if found is not None else None


def _refuse_stranger() -> Response:
    if wants_json():
        abort(401)
    welcome = url_for("welcome.welcome")
    if request.headers.get("HX-Request"):
        answer = Response(status=401)
        answer.headers["HX-Redirect"] = welcome
        return answer
    return redirect(welcome, code=303)


def confirm_first() -> Response:
    """Answer who has to show again who they are; a page comes back to where it was."""
    if wants_json():
        abort(403, "Sign in again first: this asks for a sign-in of the last 10 minutes.")
    if request.method != "GET":
        flash("Nothing was changed yet: show that it is you, then do it again.", "look")
    page = url_for("account.confirm", next=request.full_path if request.method == "GET" else came_from())
    if request.headers.get("HX-Request"):
        answer = Response(status=401)
        answer.headers["HX-Redirect"] = page
        return answer
    return redirect(page, code=303)


def came_from() -> str:
    """Return the page of ours that the request came from, as a path; the account's page where it does not say."""
    parts = urlsplit(request.headers.get("Referer", ""))
    ours = parts.netloc == request.host and parts.path.startswith("/") and not parts.path.startswith("//")
    return parts.path if ours else url_for("account.page")


def bearer_token() -> str | None:
    """Return the token that the request brings, checked by nobody yet."""
    return in_header(request.headers.get("Authorization", ""))


def in_header(authorization: str) -> str | None:
    """Return the token that a header of this kind holds."""
    scheme, _, token = authorization.partition(" ")
    return (token.strip() or None) if scheme.lower() == "bearer" else None


def _holder_of_token() -> Holder:
    token = bearer_token()
    if token is None:
        abort(401, "This address wants a token: Authorization: Bearer TOKEN.")
    try:
        return house().services.tokens.holder(token, Scope.GATEWAY)
    except Gone as error:
        abort(410, str(error))
    except NotAllowed as error:
        abort(401, str(error))


def _identity_of_token(token: str) -> Identity:
    """Return whom a personal token speaks for at this address. Whoever brings one is asked for nothing else."""
    try:
        found = house().services.personal_tokens.identity(token)
    except NotAllowed as error:
        abort(401, str(error))
    told = description_of(current_app, request.endpoint or "")
    if told is None or told.scope is None:
        abort(403, "No token opens this address: a person signs in to use it.")
    if told.scope not in (found.scopes or ()):
        abort(403, f"This token is not for that: it would need the scope {told.scope.value}.")
    return found


def _asker() -> Identity | None:
    """Return who asks, by a token if there is one, else by the session."""
    token = bearer_token()
    if token is not None:
        return _identity_of_token(token)
    found = identity_of_session()
    if found is not None and request.blueprint == "api" and current_app.config.get("WTF_CSRF_ENABLED", True):
        # A token is added by no browser on its own. Whoever is here by a cookie proves which page the change is from.
        current_app.extensions["csrf"].protect()
    return found


def _refuse_phone() -> Response | None:
    """Let a phone's token in, or answer with the sentence that its app shows."""
    token = bearer_token() or str((request.view_args or {}).get("token", ""))
    try:
        g.holder = house().services.tokens.holder(token, Scope.PHONE)
    except NotAllowed:
        what = "Backstop does not know this token: copy the address and the header anew from its Wearables page."
        return Response(what, STATUS_SHOWN, content_type="text/plain; charset=utf-8")
    return None


def _gate() -> Response | None:
    if request.endpoint is None:
        return None  # no such page: Flask answers 404
    asked = rule_of(current_app, request.endpoint)
    if asked is None:
        abort(500)
    access = asked.who
    if request.endpoint == "static":
        return None
    if access is Access.BEARER:
        g.holder = _holder_of_token()
        return None
    if access is Access.PHONE:
        return _refuse_phone()
    if access is Access.PUBLIC:
        g.identity = identity_of_session() if bearer_token() is None else None
        return None
    g.identity = _asker()
    if g.identity is None:
        return _refuse_stranger()
    if g.identity.role not in _ROLES[access]:
        abort(403)
    if asked.need is not None:
        g.named = house().services.gate.admit(g.identity, request.view_args or {}, asked.need, asked.purpose)
    if wants_fresh(current_app, request.endpoint) and not cookies.is_fresh():
        return confirm_first()
    return None


def install(app: Flask) -> None:
    """Ask before every request."""
    app.before_request(_gate)
