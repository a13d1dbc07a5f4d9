"""Entering a code: what it says is shown first; going on is the consent to that."""

from __future__ import annotations

import zoneinfo

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from coach.errors import CoachError, InvalidInput, NoSuch, NotAllowed
from coach.service.consent_texts import texts
from coach.service.invitations import InvitationKind, InvitationView, NewAthlete
from coach.service.permission import LEVEL_WORDS
from coach.service.types import Level, Purpose, Role
from coach.web import access, forms
from coach.web.house import house
from coach.web.people import level_in

blueprint = Blueprint("joining", __name__)

# Who enters a code as somebody who is here already.
_FOR = {
    InvitationKind.ATHLETE: {Role.ATHLETE, Role.GUARDIAN},
    InvitationKind.OFFER: {Role.COACH},
    InvitationKind.GUARDIAN: {Role.GUARDIAN},
    InvitationKind.COACH: frozenset[Role](),
}


@blueprint.get("/join")
@access.public
def page() -> str:
    """Ask for the code."""
    return render_template("joining/code.html")


@blueprint.post("/join")
@access.public
def look() -> Response:
    """Show what a code says, and how to go on."""
    try:
        invitation = house().services.invitations.look(_code())
    except NoSuch as error:
        return _answer(render_template("joining/code.html", problem=str(error)), 404)
    return _says(invitation)


@blueprint.post("/join/agree")
@access.signed_in
def agree() -> Response:
    """Use a code as somebody who is here already."""
    me, invitations, form = access.me(), house().services.invitations, request.form
    try:
        if me.role in {Role.ATHLETE, Role.GUARDIAN} and form.get("athlete_id"):
            athlete_id = form["athlete_id"]
            invitations.agree(me, _code(), athlete_id, level_in("level"))
            return redirect(url_for("sharing.of_athlete", athlete_id=athlete_id), code=303)
        athlete_id = invitations.accept(me, _code())
    except (InvalidInput, NotAllowed, NoSuch) as error:
        return _again(error)
    if me.role is Role.COACH:
        return redirect(url_for("coach.desk", athlete_id=athlete_id), code=303)
    return redirect(url_for("sharing.of_athlete", athlete_id=athlete_id), code=303)


@blueprint.post("/join/new")
@access.public
def new() -> Response:
    """Use a code as somebody new: an athlete, a guardian or a coach; go on signed in."""
    services, form = house().services, request.form
    try:
        if services.invitations.look(_code()).kind is InvitationKind.ATHLETE:
            agreed = {purpose for purpose in Purpose if form.get(purpose.value) == "yes"}
            born_on = forms.day_in("born_on")
            if born_on is None:
                raise InvalidInput("Say when the athlete was born: who is younger needs a guardian.")
            who = NewAthlete(
                form.get("name", ""),
                form.get("time_zone", ""),
                born_on,
                form.get("guardian", ""),
                form.get("sport", ""),
            )
            user_id, child_id = services.invitations.join_as_athlete(_code(), who, level_in("level"), agreed)
        else:
            user_id, child_id = services.invitations.join(_code(), form.get("name", "")), None
    except (InvalidInput, NoSuch) as error:
        return _again(error)
    enter = url_for("welcome.enter", token=services.accounts.issue_sign_in_link(user_id))
    if child_id is None:
        return redirect(enter, code=303)
    link = url_for("welcome.enter", token=services.accounts.issue_sign_in_link(child_id), _external=True)
    hours = house().config.web.sign_in_link_hours
    return _answer(render_template("joining/child.html", enter=enter, link=link, hours=hours, name=form["name"]), 200)


def _code() -> str:
    return request.form.get("code", "")[:50]


def _again(error: CoachError) -> Response:
    """Show the same code with what is wrong; the first page where the code works no more."""
    try:
        invitation = house().services.invitations.look(_code())
    except NoSuch:
        return _answer(render_template("joining/code.html", problem=str(error)), 404)
    return _says(invitation, str(error))


def _says(invitation: InvitationView, problem: str | None = None) -> Response:
    me, services = access.someone(), house().services
    page = render_template(
        "joining/invitation.html",
        invitation=invitation,
        code=_code(),
        me=me,
        fits=me is not None and me.role in _FOR[invitation.kind],
        children=services.sharing.children(me) if me is not None else (),
        texts=texts(),
        levels={each: LEVEL_WORDS[each] for each in Level if invitation.level and invitation.level.covers(each)},
        age=house().config.trust.consent_age_years,
        zones=sorted(zoneinfo.available_timezones()),
        given=request.form,
        problem=problem,
    )
    return _answer(page, 422 if problem else 200)


def _answer(page: str, status: int) -> Response:
    return Response(page, status, content_type="text/html; charset=utf-8")
