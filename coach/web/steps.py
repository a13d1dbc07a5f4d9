"""Deciding on a step of a program that runs: the coach, or an athlete who has no coach."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from coach.errors import CoachError, Conflict, Locked
from coach.service.change_views import ChangeView
from coach.service.types import Identity, Role
from coach.web import access, desk
from coach.web.house import house

blueprint = Blueprint("steps", __name__)


def _decide(change_id: str, decision: Callable[[str, Identity], ChangeView]) -> Response | str:
    """Decide, then show the part of the page with what came of it. NoSuch and NotAllowed go to the error pages."""
    identity, services = access.me(), house().services
    athlete = services.athletes.get(identity, services.progress.get(identity, change_id).athlete_id)
    problem: CoachError | None = None
    try:
        decision(change_id, identity)
    except (Locked, Conflict) as error:
        problem = error
    else:
        house().live_feed.publish(athlete.athlete_id, {"kind": "plan"})
    is_coach = identity.role is Role.COACH
    if request.headers.get("HX-Request"):
        told = str(problem) if problem else None
        if is_coach:
            return render_template("parts/plan.html", **desk.plan_part(identity, athlete, told))
        return render_template("parts/next.html", **desk.next_part(identity, athlete, told))
    if problem is not None:
        raise problem
    page = url_for("coach.desk", athlete_id=athlete.athlete_id) if is_coach else url_for("athlete.today")
    return redirect(page, code=303)


@blueprint.post("/steps/<change_id>/accept")
@access.signed_in
def accept(change_id: str) -> Response | str:
    """Say yes to a step; planned sessions take it over."""
    return _decide(change_id, house().services.progress.accept)


@blueprint.post("/steps/<change_id>/decline")
@access.signed_in
def decline(change_id: str) -> Response | str:
    """Say not now to a step; what runs goes on as it is."""
    return _decide(change_id, house().services.progress.decline)
