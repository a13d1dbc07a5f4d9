"""People: whom an owner, a coach or a guardian has to do with, and the codes that they hand out."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from coach.errors import InvalidInput
from coach.service.invitations import InvitationKind
from coach.service.permission import LEVEL_WORDS
from coach.service.types import Level, Role
from coach.web import access, reading
from coach.web.access import Access
from coach.web.house import house

blueprint = Blueprint("people", __name__)


@blueprint.get("/people")
@access.signed_in
def page() -> Response | str:
    """Show an owner everybody, a coach the athletes, a guardian the children; an athlete has a page of their own."""
    me, services = access.me(), house().services
    if me.role is Role.ATHLETE:
        return redirect(url_for("sharing.own"), code=303)
    seen = services.sharing.seen(me) if me.role is Role.COACH else ()
    children = services.sharing.children(me)
    reading.names({each.athlete_id for each, _ in seen} | {each.athlete_id for each in children})
    return render_template(
        "people/people.html",
        me=me,
        everybody=services.sharing.everybody(me) if me.role is Role.OWNER else (),
        seen=seen,
        children=children,
        codes=services.invitations.mine(me),
        levels=LEVEL_WORDS,
    )


@blueprint.post("/people/codes")
@access.signed_in
def invite() -> str:
    """Make a code: an owner's for a coach, a coach's for an athlete."""
    me, services = access.me(), house().services
    if me.role is Role.OWNER:
        code = services.invitations.make(me, InvitationKind.COACH)
    else:
        code = services.invitations.make(me, InvitationKind.ATHLETE, level_in("level"))
    return show_code(code, url_for("people.page"))


@blueprint.post("/people/codes/<invitation_id>/end")
@access.signed_in
def end_code(invitation_id: str) -> Response:
    """Take one's own code back."""
    house().services.invitations.end(access.me(), invitation_id)
    flash("That code works no more.", "done")
    return redirect(url_for("people.page"), code=303)


@blueprint.post("/people/athletes/<athlete_id>/leave")
@access.rule(Access.COACH, need=Level.VIEW)
def leave(athlete_id: str) -> Response:
    """End that the coach who asks sees an athlete."""
    me = access.me()
    house().services.sharing.end(me, athlete_id, me.user_id)
    flash("Ended. You do not see that athlete any more.", "done")
    return redirect(url_for("people.page"), code=303)


def level_in(field: str) -> Level:
    """Return a level of the form. Raises InvalidInput."""
    try:
        return Level(request.form.get(field, ""))
    except ValueError:
        raise InvalidInput("Choose how much is shared.") from None


def show_code(code: str, back: str) -> str:
    """Return the page that shows a fresh code, which is shown once."""
    days = house().config.trust.invitation_days
    join = url_for("joining.page", _external=True)
    return render_template("people/code.html", code=code, join=join, days=days, back=back)
