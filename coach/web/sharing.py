"""Who sees what of an athlete: consents, coaches and their levels, codes, links for a doctor, and the ledger."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from coach.errors import InvalidInput
from coach.service.invitations import InvitationKind
from coach.service.permission import LEVEL_WORDS
from coach.service.types import AthleteView, Level, Purpose
from coach.web import access
from coach.web.access import Access
from coach.web.athlete import myself
from coach.web.house import house
from coach.web.people import level_in, show_code

blueprint = Blueprint("sharing", __name__)

_OWN = access.rule(Access.SPEAKER, need=Level.FULL)


def _page(athlete: AthleteView) -> str:
    services, me = house().services, access.me()
    athlete_id = athlete.athlete_id
    return render_template(
        "sharing/sharing.html",
        athlete=athlete,
        own=me.athlete_id == athlete_id,
        consents=services.consents.of_athlete(me, athlete_id),
        sharing=services.sharing.of_athlete(me, athlete_id),
        codes=[each for each in services.invitations.mine(me) if each.athlete_id == athlete_id],
        doctor_links=services.doctor_links.of_athlete(me, athlete_id),
        ledger=services.ledger.of_athlete(me, athlete_id),
        levels=LEVEL_WORDS,
        age=house().config.trust.consent_age_years,
        link_days=house().config.trust.doctor_link_days,
    )


def _athlete(athlete_id: str) -> AthleteView:
    return house().services.athletes.get(access.me(), athlete_id)


def _back(athlete_id: str, said: str) -> Response:
    flash(said, "done")
    return redirect(url_for("sharing.of_athlete", athlete_id=athlete_id), code=303)


def _purpose(text: str) -> Purpose:
    try:
        return Purpose(text)
    except ValueError:
        abort(404)


@blueprint.get("/sharing")
@access.athlete
def own() -> str:
    """Show the athlete who sees what."""
    return _page(myself())


@blueprint.get("/athletes/<athlete_id>/sharing")
@_OWN
def of_athlete(athlete_id: str) -> str:
    """Show it of one athlete, to the guardian or the athlete."""
    return _page(_athlete(athlete_id))


@blueprint.post("/athletes/<athlete_id>/consents/<purpose>")
@_OWN
def agree(athlete_id: str, purpose: str) -> Response:
    """Agree to the text that was shown."""
    _athlete(athlete_id)
    version = request.form.get("version", "")
    if not version.isdecimal() or len(version) > 6:
        raise InvalidInput("This form is incomplete: open the page anew.")
    house().services.consents.agree(access.me(), athlete_id, _purpose(purpose), int(version))
    return _back(athlete_id, "Noted. You can withdraw it here at any time.")


@blueprint.post("/athletes/<athlete_id>/consents/<purpose>/withdraw")
@_OWN
def withdraw(athlete_id: str, purpose: str) -> Response:
    """Withdraw it; it holds for the next request."""
    house().services.consents.withdraw(access.me(), athlete_id, _purpose(purpose))
    return _back(athlete_id, "Withdrawn. It holds from now on.")


@blueprint.post("/athletes/<athlete_id>/coaches/<coach_id>")
@_OWN
def set_level(athlete_id: str, coach_id: str) -> Response:
    """Change how much a coach sees."""
    _athlete(athlete_id)
    level = level_in("level")
    house().services.sharing.set_level(access.me(), athlete_id, coach_id, level)
    return _back(athlete_id, f"Changed to “{level.value}”. It holds from now on.")


@blueprint.post("/athletes/<athlete_id>/coaches/<coach_id>/end")
@_OWN
def end_coach(athlete_id: str, coach_id: str) -> Response:
    """End what a coach sees."""
    house().services.sharing.end(access.me(), athlete_id, coach_id)
    return _back(athlete_id, "Ended. That coach sees nothing any more.")


@blueprint.post("/athletes/<athlete_id>/guardians/<guardian_id>/end")
@_OWN
def end_guardian(athlete_id: str, guardian_id: str) -> Response:
    """End that a guardian stands in."""
    me = access.me()
    house().services.sharing.end_guardian(me, athlete_id, guardian_id)
    if me.user_id == guardian_id:
        flash("Ended. You do not stand in any more.", "done")
        return redirect(url_for("people.page"), code=303)
    return _back(athlete_id, "Ended. That guardian sees nothing any more.")


@blueprint.post("/athletes/<athlete_id>/codes")
@_OWN
def invite(athlete_id: str) -> str:
    """Make a code for a coach, or for a guardian."""
    _athlete(athlete_id)
    invitations, me = house().services.invitations, access.me()
    if request.form.get("kind") == InvitationKind.GUARDIAN:
        code = invitations.make(me, InvitationKind.GUARDIAN, None, athlete_id)
    else:
        code = invitations.make(me, InvitationKind.OFFER, level_in("level"), athlete_id)
    return show_code(code, url_for("sharing.of_athlete", athlete_id=athlete_id))


@blueprint.post("/athletes/<athlete_id>/codes/<invitation_id>/end")
@_OWN
def end_code(athlete_id: str, invitation_id: str) -> Response:
    """Take a code back."""
    house().services.invitations.end(access.me(), invitation_id)
    return _back(athlete_id, "That code works no more.")


@blueprint.post("/athletes/<athlete_id>/doctor-links")
@_OWN
def make_link(athlete_id: str) -> Response:
    """Make a link for a doctor; it is shown this once."""
    _athlete(athlete_id)
    secret = house().services.doctor_links.make(access.me(), athlete_id, request.form.get("label", ""))
    page = render_template(
        "sharing/link.html",
        link=url_for("doctor_link.page", token=secret, _external=True),
        days=house().config.trust.doctor_link_days,
        back=url_for("sharing.of_athlete", athlete_id=athlete_id),
    )
    return Response(page, content_type="text/html; charset=utf-8")


@blueprint.post("/doctor-links/<link_id>/end")
@_OWN
def end_link(link_id: str) -> Response:
    """End a link at once."""
    athlete_id = house().services.doctor_links.end(access.me(), link_id)
    return _back(athlete_id, "Ended. Whoever has that link reads nothing any more.")
