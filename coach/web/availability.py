"""When an athlete can train: days, times, waking, home, journeys; and what another week does to the sessions."""

from __future__ import annotations

import zoneinfo
from datetime import time
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from coach.errors import InvalidInput
from coach.service.availability import EVERY_DAY
from coach.service.types import AthleteView, Level, Role
from coach.service.weeks import WeekChange
from coach.web import access, forms
from coach.web.access import Access
from coach.web.athlete import myself
from coach.web.house import house
from programs.types import Availability, Stay

blueprint = Blueprint("availability", __name__)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# Lines of journeys that a form may have: those that are kept, and some more. Own bound.
_LINES_MAX = 40


def _page(
    athlete: AthleteView, shown: dict[str, Any], change: WeekChange | None = None, problem: InvalidInput | None = None
) -> Response:
    page = render_template(
        "athlete/availability.html",
        athlete=athlete,
        own=access.me().role is Role.ATHLETE,
        quiet=house().services.athletes.availability(athlete.athlete_id).quiet,
        shown=shown,
        weekdays=WEEKDAYS,
        zones=sorted(zoneinfo.available_timezones()),
        today_there=house().today(athlete.time_zone),
        change=change,
        problem=str(problem) if problem else None,
    )
    return Response(page, 422 if problem else 200, content_type="text/html; charset=utf-8")


def _kept(availability: Availability) -> dict[str, Any]:
    """Return what a form shows of an availability: texts by field."""
    own = dict(availability.times)
    return {
        "weekday": [str(day) for day in availability.weekdays],
        "own": {str(day): f"{own[day]:%H:%M}" if day in own else "" for day in EVERY_DAY},
        "preferred": f"{availability.preferred:%H:%M}",
        "wake": f"{availability.wake:%H:%M}",
        "time_zone": availability.time_zone,
        "trips": [(str(each.first), str(each.last), each.time_zone) for each in availability.travel],
    }


def _given() -> dict[str, Any]:
    """Return what was filled in, as `_kept` does; journeys that are to go are left out."""
    form = request.form
    lines = [form.getlist(name)[:_LINES_MAX] for name in ("trip_first", "trip_last", "trip_zone")]
    gone = set(form.getlist("trip_gone"))
    trips = [each for at, each in enumerate(zip(*lines, strict=False)) if any(each) and str(at) not in gone]
    return {
        "weekday": form.getlist("weekday"),
        "own": {str(day): form.get(f"own{day}", "") for day in EVERY_DAY},
        "preferred": form.get("preferred", ""),
        "wake": form.get("wake", ""),
        "time_zone": form.get("time_zone", "").strip(),
        "trips": [(first, last, zone.strip()) for first, last, zone in trips],
    }


def _wanted(given: dict[str, Any]) -> Availability:
    """Return the availability of a form. Raises InvalidInput, a sentence that says what to give."""
    days = tuple(int(each) for each in given["weekday"] if each in {str(day) for day in EVERY_DAY})
    times = tuple((day, _time(given["own"][str(day)], WEEKDAYS[day])) for day in days if given["own"][str(day)].strip())
    stays = tuple(_stay(*each) for each in given["trips"])
    usual, wake = _time(given["preferred"], "The usual time"), _time(given["wake"], "The time of waking")
    return Availability(given["time_zone"], days, usual, wake, travel=stays, times=times)


def _time(text: str, what: str) -> time:
    try:
        return time.fromisoformat(text.strip()).replace(second=0, microsecond=0, tzinfo=None)
    except ValueError:
        raise InvalidInput(f"{what}: give a time of day like 18:30.") from None


def _stay(first: str, last: str, zone: str) -> Stay:
    begins, ends = forms.day(first), forms.day(last)
    if begins is None or ends is None or not zone:
        raise InvalidInput("A journey has a first day, a last day and a time zone: fill in all three, or none.")
    return Stay(begins, ends, zone)


@blueprint.get("/availability")
@access.athlete
def own() -> Response:
    """Show one's own."""
    return of_athlete(myself().athlete_id)


@blueprint.get("/athletes/<athlete_id>/availability")
@access.rule(Access.SIGNED_IN, need=Level.VIEW)
def of_athlete(athlete_id: str) -> Response:
    """Show when an athlete can train."""
    athlete = house().services.athletes.get(access.me(), athlete_id)
    return _page(athlete, _kept(house().services.athletes.availability(athlete_id)))


@blueprint.post("/athletes/<athlete_id>/availability")
@access.rule(Access.SIGNED_IN, need=Level.PLAN)
def change(athlete_id: str) -> Response:
    """Show what another week does to the sessions, or keep it."""
    athletes, given = house().services.athletes, _given()
    athlete = athletes.get(access.me(), athlete_id)
    try:
        wanted = _wanted(given)
        if request.form.get("do") != "keep":
            return _page(athlete, given, athletes.look_at_availability(access.me(), athlete_id, wanted))
        done = athletes.set_availability(access.me(), athlete_id, wanted)
    except InvalidInput as error:
        return _page(athlete, given, problem=error)
    house().live_feed.publish(athlete_id, {"kind": "plan"})
    flash(f"Kept. {said(done)}", "done")
    return redirect(url_for("availability.of_athlete", athlete_id=athlete_id), code=303)


def said(change: WeekChange) -> str:
    """Return what became of the planned sessions, in numbers."""
    if change.nothing:
        return "Every planned session stays as it is." if change.kept else "No session is planned that it could move."
    parts = ((change.kept, "stay"), (len(change.moved), "moved"), (len(change.added), "new"))
    told = [f"{count} {word}" for count, word in (*parts, (len(change.cancelled), "cancelled")) if count]
    return f"Of the planned sessions: {', '.join(told)}."


blueprint.add_app_template_filter(said, "week_change")
