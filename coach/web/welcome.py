"""The first page, signing in and out, and one's own account."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from coach.errors import InvalidInput, NotAllowed
from coach.service.types import Identity, Role
from coach.web import access, cookies
from coach.web.house import house

blueprint = Blueprint("welcome", __name__)


def home_of(identity: Identity) -> str:
    """Return the page that a person came for: the athlete's day, the coach's one athlete, or the roster."""
    if identity.role is Role.ATHLETE:
        return url_for("athlete.today")
    rows = house().services.athletes.roster(identity)
    if len(rows) == 1:
        return url_for("coach.desk", athlete_id=rows[0].athlete.athlete_id)
    return url_for("coach.roster")


@blueprint.get("/")
@access.public
def welcome() -> Response | str:
    """Show the first page, or send who is signed in to the page they came for."""
    identity = access.someone()
    if identity is not None:
        return redirect(home_of(identity), code=303)
    return render_template("welcome/welcome.html")


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
        identity = house().services.accounts.redeem_link(token)
    except NotAllowed as error:
        present = access.someone()
        if present is not None:
            return redirect(home_of(present), code=303)
        page = render_template("welcome/welcome.html", problem=str(error))
        return Response(page, 403, {"Referrer-Policy": "no-referrer"}, content_type="text/html; charset=utf-8")
    cookies.begin(identity)
    answer = redirect(home_of(identity), code=303)
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


@blueprint.post("/sign-in")
@access.public
def sign_in() -> Response:
    """Sign in with name and password."""
    name = request.form.get("name", "")[:200]
    try:
        identity = house().services.accounts.sign_in(name, request.form.get("password", "")[:200])
    except NotAllowed as error:
        page = render_template("welcome/welcome.html", problem=str(error), name=name)
        return Response(page, 403, content_type="text/html; charset=utf-8")
    cookies.begin(identity)
    return redirect(home_of(identity), code=303)


@blueprint.get("/sign-in")
@access.public
def sign_in_page() -> Response:
    """Send whoever reloads a failed sign-in to the first page."""
    return redirect(url_for("welcome.welcome"), code=303)


@blueprint.post("/sign-out")
@access.public
def sign_out() -> Response:
    """Sign out; harmless for who is not signed in."""
    cookies.end()
    answer = redirect(url_for("welcome.welcome"), code=303)
    answer.headers["Clear-Site-Data"] = '"cache"'
    return answer


@blueprint.get("/account")
@access.signed_in
def account() -> str:
    """Show one's own account."""
    return render_template("welcome/account.html", me=access.me())


@blueprint.post("/account")
@access.signed_in
def set_password() -> Response:
    """Set one's own password."""
    identity = access.me()
    password, again = request.form.get("password", ""), request.form.get("again", "")
    problem = None if password == again else "The two passwords differ, so nothing was changed. Type them again."
    if problem is None:
        try:
            # Sessions of the old password end with it, on every device; this one goes on.
            cookies.begin(house().services.accounts.set_password(identity.user_id, password))
        except InvalidInput as error:
            problem = str(error)
    if problem is not None:
        page = render_template("welcome/account.html", me=identity, problem=problem)
        return Response(page, 422, content_type="text/html; charset=utf-8")
    flash("Your password is set. Where you were signed in before, you are signed out now, except here.", "done")
    return redirect(url_for("welcome.account"), code=303)
