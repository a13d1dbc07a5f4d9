"""The first page, and signing in and out: by link, by password and code. By passkey: passkeys."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from coach.errors import InvalidInput, NotAllowed, StoreUnavailable
from coach.said import said
from coach.service.accounts import account_key
from coach.service.passkeys import place_of
from coach.service.sign_in_types import CodeWanted, LetIn, Notice, Way
from coach.service.types import Identity, Role
from coach.web import access, cookies, limits
from coach.web.house import house
from coach.written import short_day

blueprint = Blueprint("welcome", __name__)

TRIED_TOO_OFTEN = (
    "Too many tries for this name. A passkey or a sign-in link still lets you in; the password again in 10 minutes, or "
    "tomorrow if it goes on."
)
NOTICE_WORDS = {
    Notice.SECOND_FACTOR_REMOVED: "Whoever owns this Backstop removed your second factor. Set a new one on this page.",
    Notice.PASSKEYS_REMOVED: "Whoever owns this Backstop removed your passkeys. Add new ones on this page.",
    Notice.PASSWORD_REMOVED: "Whoever owns this Backstop removed your password. Set a new one on this page.",
}
_ONWARD_MAX = 1000


def home_of(identity: Identity) -> str:
    """Return the page that a person came for: first run or day, one athlete or the roster, the people."""
    if identity.role is Role.ATHLETE:
        new = (
            identity.athlete_id is not None and not house().services.first_run.view(identity, identity.athlete_id).begun
        )
        return url_for("start.page") if new else url_for("athlete.today")
    if identity.role is not Role.COACH:
        return url_for("people.page")
    rows = house().services.athletes.roster(identity)
    if len(rows) == 1:
        return url_for("coach.desk", athlete_id=rows[0].athlete.athlete_id)
    return url_for("coach.roster")


def local_page(text: str) -> str:
    """Return a path of this Backstop as it came, anything else as nothing: no link leads elsewhere after a sign-in."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    ours = text.startswith("/") and not text.startswith("//") and "\\" not in text and text.isprintable()
    return text if ours and not parts.netloc and not parts.scheme and len(text) <= _ONWARD_MAX else ""


def let_in(found: LetIn, onward: str = "") -> str:
    """Keep a sign-in in the cookie and return the page to go to. Who has something to be told comes to the account."""
    cookies.begin(found)
    cookies.remember_browser(account_key(found.identity.name))
    for notice, at in found.notices:
        flash(f"{short_day(at.date(), year=True)}: {said(NOTICE_WORDS[notice])}", "look")
    if found.way is Way.RECOVERY:
        left = house().services.second_factors.of_person(found.identity).codes_left
        flash(f"That recovery code is used up; {left} are left. Make new ones before they run out.", "look")
    if found.notices or found.way is Way.RECOVERY:
        return url_for("account.page")
    return onward or home_of(found.identity)


def why_no_passkey() -> str | None:
    """Return the sentence that says why there can be no passkeys under this address, None where there can be."""
    try:
        place_of(house().config.web.address, request.host_url)
    except InvalidInput as error:
        return str(error)
    return None


def _first_page(problem: str | None = None, name: str = "") -> str:
    return render_template("welcome/welcome.html", problem=problem, name=name, no_passkey=why_no_passkey())


def refused(problem: str, status: int, name: str, confirming: bool, onward: str) -> Response:
    """Answer a try that failed: the same page, whatever was wrong."""
    present = cookies.signed_in()
    if confirming and present is not None:
        page = confirm_page(present.identity, onward, problem)
    else:
        page = _first_page(problem, name)
    answer = Response(page, status, content_type="text/html; charset=utf-8")
    if status == 429:
        answer.headers["Retry-After"] = "600"
    return answer


def confirm_page(identity: Identity, onward: str, problem: str | None = None) -> str:
    """Return the page on which somebody who is signed in shows again who they are."""
    services = house().services
    return render_template(
        "welcome/confirm.html",
        me=identity,
        onward=onward,
        problem=problem,
        has_password=services.accounts.has_password(identity.user_id),
        has_passkey=bool(services.passkeys.of_person(identity)),
        no_passkey=why_no_passkey(),
    )


@blueprint.get("/")
@access.public
def welcome() -> Response | str:
    """Show the first page, or send who is signed in to the page they came for."""
    identity = access.someone()
    if identity is not None:
        return redirect(home_of(identity), code=303)
    return _first_page()


@blueprint.get("/enter/<token>")
@access.public
def enter(token: str) -> Response:
    """Sign in with a one-time link."""
    if request.method == "HEAD":
        # Whoever only asks whether the link exists must not use it up.
        return Response(status=204)
    if "prefetch" in request.headers.get("Sec-Purpose", request.headers.get("Purpose", "")):
        # A browser that guesses what comes next must not use the link up.
        return Response(status=503)
    try:
        found = house().services.sign_ins.by_link(token, cookies.asker())
    except NotAllowed as error:
        present = access.someone()
        if present is not None:
            return redirect(home_of(present), code=303)
        page = _first_page(str(error))
        return Response(page, 403, {"Referrer-Policy": "no-referrer"}, content_type="text/html; charset=utf-8")
    answer = redirect(let_in(found), code=303)
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


@blueprint.post("/sign-in")
@access.public
def sign_in() -> Response:
    """Sign in with name and password, or show with the password that it is still you."""
    present = cookies.signed_in()
    confirming = request.form.get("confirm") == "yes" and present is not None
    name = present.identity.name if confirming and present is not None else request.form.get("name", "")[:200]
    onward = local_page(request.form.get("next", ""))
    account = account_key(name)
    if not limits.may_try("password", account, cookies.known_as(account)):
        return refused(TRIED_TOO_OFTEN, 429, name, confirming, onward)
    try:
        found = house().services.sign_ins.by_password(name, request.form.get("password", ""), cookies.asker(confirming))
    except NotAllowed as error:
        return refused(str(error), 403, name, confirming, onward)
    if isinstance(found, CodeWanted):
        cookies.await_code(found, confirming, onward)
        return redirect(url_for("welcome.code"), code=303)
    return redirect(let_in(found, onward), code=303)


@blueprint.get("/sign-in")
@access.public
def sign_in_page() -> Response:
    """Send whoever reloads a failed sign-in to the first page."""
    return redirect(url_for("welcome.welcome"), code=303)


@blueprint.get("/sign-in/code")
@access.public
def code() -> Response | str:
    """Ask for the second factor after a password."""
    if cookies.pending() is None:
        return redirect(url_for("welcome.welcome"), code=303)
    return render_template("welcome/code.html")


@blueprint.post("/sign-in/code")
@access.public
def enter_code() -> Response:
    """Take a code of the app, or one from paper."""
    pending = cookies.pending()
    if pending is None:
        flash("That took more than five minutes: sign in anew.", "look")
        return redirect(url_for("welcome.welcome"), code=303)
    status, problem = 429, TRIED_TOO_OFTEN
    person = house().services.accounts.identity(pending.wanted.user_id)
    known_as = cookies.known_as(account_key(person.name)) if person is not None else ""
    if limits.may_try("code", pending.wanted.user_id, known_as):
        try:
            asker = cookies.asker(pending.confirming)
            found = house().services.sign_ins.by_code(pending.wanted, request.form.get("code", "")[:100], asker)
            return redirect(let_in(found, pending.onward), code=303)
        except NotAllowed as error:
            status, problem = 403, str(error)
    page = render_template("welcome/code.html", problem=problem)
    answer = Response(page, status, content_type="text/html; charset=utf-8")
    if status == 429:
        answer.headers["Retry-After"] = "600"
    return answer


@blueprint.post("/sign-out")
@access.public
def sign_out() -> Response:
    """Sign out; harmless for who is not signed in."""
    present = cookies.signed_in()
    cookies.end()
    if present is not None:
        try:
            house().services.sign_ins.sign_out(present)
        except StoreUnavailable:
            flash("You are signed out in this browser. Backstop could not note it: its disk takes nothing now.", "look")
    answer = redirect(url_for("welcome.welcome"), code=303)
    answer.headers["Clear-Site-Data"] = '"cache"'
    return answer
