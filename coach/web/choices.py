"""What an athlete has at hand, has time for and does not want."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from coach.errors import InvalidInput
from coach.service.choices import TIME_MAX, TIME_MIN
from coach.service.types import AthleteView, Level, Role
from coach.web import access, forms
from coach.web.access import Access
from coach.web.athlete import myself
from coach.web.house import house
from programs.exercises import EQUIPMENT
from programs.prescribe import SESSION_MAX_MIN

blueprint = Blueprint("choices", __name__)


def _page(athlete: AthleteView, problem: InvalidInput | None = None) -> Response:
    page = render_template(
        "athlete/choices.html",
        athlete=athlete,
        own=access.me().role is Role.ATHLETE,
        view=house().services.choices.of_athlete(access.me(), athlete.athlete_id),
        equipment={name: words for name, words in EQUIPMENT.items() if name != "none"},
        shortest=TIME_MIN,
        longest=TIME_MAX,
        usual=SESSION_MAX_MIN,
        problem=str(problem) if problem else None,
    )
    return Response(page, 422 if problem else 200, content_type="text/html; charset=utf-8")


@blueprint.get("/choices")
@access.athlete
def own() -> Response:
    """Show one's own."""
    return _page(myself())


@blueprint.get("/athletes/<athlete_id>/choices")
@access.rule(Access.SIGNED_IN, need=Level.VIEW)
def of_athlete(athlete_id: str) -> Response:
    """Show an athlete's."""
    return _page(house().services.athletes.get(access.me(), athlete_id))


@blueprint.post("/athletes/<athlete_id>/choices")
@access.rule(Access.SIGNED_IN, need=Level.PLAN)
def choose(athlete_id: str) -> Response:
    """Keep what is at hand and how long a session may be."""
    athlete = house().services.athletes.get(access.me(), athlete_id)
    try:
        longest = forms.whole_in("session_max_min", "time for a session")
        house().services.choices.choose(access.me(), athlete_id, request.form.getlist("equipment"), longest)
    except InvalidInput as error:
        return _page(athlete, error)
    flash("Kept. The next program keeps to it.", "done")
    return _back(athlete_id)


@blueprint.post("/athletes/<athlete_id>/exercises/<exercise_id>/no")
@access.rule(Access.SIGNED_IN, need=Level.PLAN)
def say_no(athlete_id: str, exercise_id: str) -> Response:
    """Leave an exercise out."""
    house().services.athletes.get(access.me(), athlete_id)
    house().services.choices.say_no(access.me(), athlete_id, exercise_id)
    house().live_feed.publish(athlete_id, {"kind": "plan"})
    flash("Left out from now on. Here it can be taken back.", "done")
    return _back(athlete_id)


@blueprint.post("/athletes/<athlete_id>/exercises/<exercise_id>/yes")
@access.rule(Access.SIGNED_IN, need=Level.PLAN)
def take_back(athlete_id: str, exercise_id: str) -> Response:
    """Take a no back."""
    house().services.athletes.get(access.me(), athlete_id)
    house().services.choices.take_back(access.me(), athlete_id, exercise_id)
    flash("Taken back. The next program may have it again.", "done")
    return _back(athlete_id)


def _back(athlete_id: str) -> Response:
    own_page = access.me().role is Role.ATHLETE
    page = url_for("choices.own") if own_page else url_for("choices.of_athlete", athlete_id=athlete_id)
    return redirect(page, code=303)
