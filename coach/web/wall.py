"""The live wall: several athletes' live signals and counts at once, over one event stream."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from coach.errors import InvalidInput
from coach.language import gettext as _
from coach.service.walls import TILES_MAX
from coach.web import access, reading
from coach.web.house import house
from coach.web.live import answer_with
from coach.web.wall_news import WallNews

blueprint = Blueprint("wall", __name__)


@blueprint.get("/wall")
@access.coach
def page() -> str:
    """Show the tiles that the coach chose, and who else could be on the wall."""
    return _page()


def _page(problem: str | None = None) -> str:
    walls = house().services.walls
    offered, tiles = walls.offered(access.me()), walls.chosen(access.me())
    reading.names(each.athlete_id for each in tiles)
    return render_template(
        "wall/wall.html",
        offered=offered,
        tiles=tiles,
        chosen={each.athlete_id for each in tiles},
        tiles_max=TILES_MAX,
        problem=problem,
    )


@blueprint.post("/wall")
@access.coach
def choose() -> Response:
    """Keep whom the coach wants to see, in the order of the list."""
    wanted = request.form.getlist("athlete_id")
    try:
        house().services.walls.choose(access.me(), wanted)
    except InvalidInput:
        told = _("The wall has %(tiles)s tiles, and you chose %(count)s people. Nothing was changed.",
                 tiles=TILES_MAX, count=len(wanted))  # fmt: skip
        return Response(_page(told), status=422, content_type="text/html; charset=utf-8")
    flash(_("Kept. The wall shows them whenever you come back."), "done")
    return redirect(url_for("wall.page"), code=303)


@blueprint.get("/wall/stream")
@access.coach
def stream() -> Response:
    """Stream every sample of the athletes on the wall, their counts and the states of their links."""
    athletes = house().services.walls.chosen(access.me())
    wanted = tuple(each.athlete_id for each in athletes)
    reading.names(wanted)
    house_, asker = house(), access.asker_later()
    return answer_with(wanted, lambda stream_: WallNews(house_, asker, athletes, stream_), every_sample=True)
