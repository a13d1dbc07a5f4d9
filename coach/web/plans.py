"""Deciding on a proposal: the coach, or an athlete who has no coach."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from coach.errors import CoachError, Conflict, Locked
from coach.service.types import Identity, PlanView, Role
from coach.web import access, desk
from coach.web.house import house

blueprint = Blueprint("plans", __name__)
Decision = Callable[[str, Identity], PlanView]


def _decide(plan_id: str, decision: Decision) -> Response | str:
    """Decide, then show the plan's part with what came of it. NoSuch and NotAllowed go to the error pages."""
    identity, services = access.me(), house().services
    athlete = services.athletes.get(identity, services.plans.get(identity, plan_id).athlete_id)
    problem: CoachError | None = None
    try:
        decision(plan_id, identity)
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


@blueprint.post("/plans/<plan_id>/accept")
@access.signed_in
def accept(plan_id: str) -> Response | str:
    """Accept a proposal; its sessions are placed."""
    return _decide(plan_id, house().services.plans.accept)


@blueprint.post("/plans/<plan_id>/decline")
@access.signed_in
def decline(plan_id: str) -> Response | str:
    """Decline a proposal; what ran before goes on."""
    return _decide(plan_id, house().services.plans.decline)
