"""What follows a decision on a program or a step of it: the part of the page, or the page, with what came of it."""

from __future__ import annotations

from collections.abc import Callable

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from coach.errors import CoachError, Conflict, Locked
from coach.service.types import Identity, Role
from coach.web import desk
from coach.web.house import house


def decided(identity: Identity, athlete_id: str, decide: Callable[[], object]) -> Response | str:
    """Decide, then show what came of it. NoSuch and NotAllowed go to the error pages."""
    athlete = house().services.athletes.get(identity, athlete_id)
    problem: CoachError | None = None
    try:
        decide()
    except (Locked, Conflict) as error:
        problem = error
    else:
        house().live_feed.publish(athlete.athlete_id, {"kind": "plan"})
    carer = identity.role is not Role.ATHLETE
    if request.headers.get("HX-Request"):
        told = str(problem) if problem else None
        if carer:
            return render_template("parts/plan.html", **desk.plan_part(identity, athlete, told))
        return render_template("parts/next.html", **desk.next_part(identity, athlete, told))
    if problem is not None:
        raise problem
    page = url_for("coach.desk", athlete_id=athlete.athlete_id) if carer else url_for("athlete.today")
    return redirect(page, code=303)
