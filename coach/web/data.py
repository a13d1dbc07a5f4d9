"""What is kept of an athlete: take it along, see for how long, have it erased."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from coach.errors import InvalidInput
from coach.service.types import AthleteView, Level
from coach.web import access, archive, cookies
from coach.web.access import Access
from coach.web.athlete import myself
from coach.web.house import house

blueprint = Blueprint("data", __name__)

_OWN = access.rule(Access.SPEAKER, need=Level.FULL)


def _page(athlete: AthleteView, problem: str | None = None) -> Response:
    config = house().config
    page = render_template(
        "data/data.html",
        athlete=athlete,
        own=access.me().athlete_id == athlete.athlete_id,
        kept=house().services.retention.told(),
        backup_days=config.backup.keep_days,
        problem=problem,
    )
    return Response(page, 422 if problem else 200, content_type="text/html; charset=utf-8")


@blueprint.get("/data")
@access.athlete
def own() -> Response:
    """Show the athlete what is kept of them."""
    return _page(myself())


@blueprint.get("/athletes/<athlete_id>/data")
@_OWN
def of_athlete(athlete_id: str) -> Response:
    """Show it of one athlete, to the guardian or the athlete."""
    return _page(house().services.athletes.get(access.me(), athlete_id))


@blueprint.post("/athletes/<athlete_id>/data/export")
@access.fresh
@_OWN
def export(athlete_id: str) -> Response:
    """Send everything of an athlete as one file."""
    return archive.answer(athlete_id)


@blueprint.post("/athletes/<athlete_id>/data/erase")
@access.fresh
@_OWN
def erase(athlete_id: str) -> Response:
    """Erase an athlete for good."""
    athlete = house().services.athletes.get(access.me(), athlete_id)
    own = access.me().athlete_id == athlete_id
    try:
        done = house().services.erasing.erase(access.me(), athlete_id, request.form.get("name", ""))
    except InvalidInput as error:
        return _page(athlete, str(error))
    house().live_feed.publish(athlete_id, {"kind": "erased"})
    whose = "you" if own else athlete.name
    said = f"Everything of {whose} is erased here." if done.emptied else f"Everything of {whose} is being erased."
    if own:
        cookies.end()
        flash(f"{said} Goodbye.", "done")
        return redirect(url_for("welcome.welcome"), code=303)
    flash(said, "done")
    return redirect(url_for("people.page"), code=303)
