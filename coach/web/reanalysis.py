"""The owner has history analysed anew: how far it is, start, stop, and which athlete-days failed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from coach.errors import Conflict, InvalidInput
from coach.language import gettext as _
from coach.service.personal_tokens import TokenScope
from coach.service.reanalysis_types import RunView
from coach.web import access
from coach.web.described import describe
from coach.web.house import house

blueprint = Blueprint("reanalysis", __name__)
# Minutes from which what is left is told in hours. Own choice.
_HOURS_FROM_MIN = 100


@dataclass(frozen=True, slots=True)
class Newest:
    """The run that was begun last; null where history was never analysed anew."""

    run: RunView | None


@blueprint.get("/reanalysis")
@access.owner
def page() -> str:
    """Show how far the newest run is, and what starts or stops one."""
    settings = house().config.reanalysis
    return render_template("reanalysis/page.html", settings=settings, **_shown())


@blueprint.get("/reanalysis/progress")
@access.owner
def progress_part() -> str:
    """Return the part of the page that moves."""
    return render_template("reanalysis/progress.html", **_shown())


@blueprint.get("/api/v1/reanalysis")
@access.owner
@describe(scope=TokenScope.METRICS, answer=Newest)
def newest() -> Newest:
    """Tell how far the run is that analyses history anew, and which athlete-days failed."""
    return Newest(house().services.reanalysis.newest())


@blueprint.post("/reanalysis/start")
@access.owner
def start() -> Response:
    """Begin a run over everybody's history, or from a day on."""
    try:
        house().services.reanalysis.ask(access.me(), since=_since(request.form.get("since", "").strip()))
    except Conflict:
        flash(_("History is being analysed anew already. Stop that first, or wait for it."), "error")
    else:
        flash(_("Begun. Live signal goes first; you may close this page."), "done")
    return redirect(url_for("reanalysis.page"), code=303)


@blueprint.post("/reanalysis/stop")
@access.owner
def stop() -> Response:
    """Stop the run under way."""
    if house().services.reanalysis.stop(access.me()):
        flash(_("Stopped. What is done stays done."), "done")
    return redirect(url_for("reanalysis.page"), code=303)


def _shown() -> dict[str, object]:
    run = house().services.reanalysis.newest()
    return {"run": run, "left": None if run is None or run.left_s is None else _duration(run.left_s)}


def _duration(left_s: float) -> str:
    minutes = max(1, round(left_s / 60))
    if minutes < _HOURS_FROM_MIN:
        return _("about %(minutes)s min", minutes=minutes)
    return _("about %(hours)s h", hours=round(minutes / 60))


def _since(text: str) -> date | None:
    """Return the day of the form, None for everything. Raises InvalidInput."""
    if not text:
        return None
    try:
        since = date.fromisoformat(text)
    except ValueError:
        raise InvalidInput(_("Write the day as 2026-11-24, or leave it empty for everything.")) from None
    # Somewhere it is tomorrow already.
    if not date(2000, 1, 1) <= since <= datetime.now(UTC).date() + timedelta(days=1):
        raise InvalidInput(_("Choose a day that has been, or leave it empty for everything."))
    return since
