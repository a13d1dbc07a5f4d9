"""Use a phone as a wearable: choose its place, get the address and the header for its app."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from coach.errors import Conflict, InvalidInput
from coach.web import access
from coach.web.athlete import myself
from coach.web.house import house
from coach.web.reach import reachable, unreachable
from devices.types import Placement

blueprint = Blueprint("phones", __name__, url_prefix="/wearables/phone")


@blueprint.get("")
@access.athlete
def choose() -> str:
    """Ask for the phone's name and where it is worn."""
    return render_template("athlete/phone.html", placement=Placement.LOWER_BACK.value, places=list(Placement))


@blueprint.post("")
@access.athlete
def add() -> Response | str:
    """Make the phone a wearable and show what its app needs, this once."""
    athlete, form, services = myself(), request.form, house().services
    label, placement = form.get("label", "")[:200], form.get("placement", "")[:100]
    try:
        wearable_id, token = services.phones.add(access.me(), athlete.athlete_id, label, placement)
    except (InvalidInput, Conflict) as error:
        flash(str(error), "problem")
        return redirect(url_for("phones.choose"), code=303)
    return render_template(
        "athlete/phone_token.html",
        wearable=services.wearables.get(access.me(), wearable_id),
        address=reachable(url_for("phone_push.push", _external=True)),
        address_with_token=reachable(url_for("phone_push.push_by_path", token=token, _external=True)),
        unreachable=unreachable(),
        token=token,
    )
