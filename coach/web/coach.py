"""The coach's desk: the roster, and one athlete with live line, findings and plan on one page."""

from __future__ import annotations

from flask import Blueprint, render_template, request, url_for

from coach.errors import NotAllowed
from coach.language import gettext as _
from coach.service.body import BodyView
from coach.service.roster import Attention, Narrowing
from coach.service.types import AthleteView, Level
from coach.web import access, desk, reading, roster_words, time_line, words
from coach.web.access import Access
from coach.web.described import describe
from coach.web.diary import SITE_WORDS
from coach.web.house import house
from coach.web.start import SIDE_WORD
from coach.web.time_line import TimeLineQuery
from coach.web.time_line_words import TimeLineAnswer

blueprint = Blueprint("coach", __name__)

# Signs of what a list is narrowed by. Own bound: longer than any name.
_ASKED_MAX = 200


def _athlete(athlete_id: str) -> AthleteView:
    return house().services.athletes.get(access.me(), athlete_id)


@blueprint.get("/athletes")
@access.coach
def roster() -> str:
    """List the coach's athletes, who needs the coach first; `?group=`, `?sport=`, `?reason=` and `?q=` narrow it."""
    services, me = house().services, access.me()
    rows = services.athletes.roster(me)
    asked = _narrowing()
    shown = [row for row in rows if asked.holds(row)]
    reading.names(row.athlete.athlete_id for row in shown)
    waiting = roster_words.needing(shown)
    return render_template(
        "coach/roster.html",
        everybody=len(rows),
        asked=asked,
        narrowed=asked != Narrowing(),
        waiting=waiting,
        well=[row for row in shown if not row.reasons],
        groups=services.groups.of_coach(me),
        sports=sorted({row.athlete.sport for row in rows if row.athlete.sport}, key=str.casefold),
        kinds=list(Attention),
    )


def _narrowing() -> Narrowing:
    """Return what of the list the address asks for; a reason or a group that is none holds for nobody."""
    asked = {name: request.args.get(name, "").strip()[:_ASKED_MAX] for name in ("group", "sport", "reason", "q")}
    return Narrowing(asked["group"], asked["sport"], asked["reason"], asked["q"])


@blueprint.get("/athletes/<athlete_id>", endpoint="desk")
@access.rule(Access.CARER, need=Level.VIEW)
def athlete_page(athlete_id: str) -> str:
    """Show one athlete; `?start=` and `?end=` choose the range of the time line."""
    athlete, me = _athlete(athlete_id), access.me()
    return render_template(
        "coach/desk.html",
        whose=_("%(name)s's trunk", name=words.short_name(athlete.name)),
        findings_url=url_for("coach.findings_part", athlete_id=athlete_id),
        heart_url=url_for("coach.heart_part", athlete_id=athlete_id),
        body=_body(athlete_id),
        sides=SIDE_WORD,
        sites=SITE_WORDS,
        **desk.live_part(athlete)
        | desk.findings_part(athlete)
        | desk.plan_part(me, athlete)
        | time_line.part(me, athlete, time_line.query_in_address()),
    )


def _body(athlete_id: str) -> BodyView | None:
    """Return what the athlete told of their body, None to whom the athlete does not show it."""
    try:
        return house().services.bodies.of_athlete(access.me(), athlete_id)
    except NotAllowed:
        return None


@blueprint.get("/athletes/<athlete_id>/time-line.json")
@access.rule(Access.CARER, need=Level.VIEW)
@describe(query=TimeLineQuery, answer=TimeLineAnswer)
def time_line_json(athlete_id: str, query: TimeLineQuery) -> TimeLineAnswer:
    """Return what lies on an athlete's time line in a range, as coarse as a screen shows it."""
    return time_line.answer(access.me(), _athlete(athlete_id), query)


@blueprint.get("/athletes/<athlete_id>/time-line")
@access.rule(Access.CARER, need=Level.VIEW)
def time_line_part(athlete_id: str) -> str:
    """Return the numbers behind a range of the time line."""
    athlete = _athlete(athlete_id)
    part = time_line.part(access.me(), athlete, time_line.query_in_address())
    return render_template("coach/time_line_numbers.html", **part)


@blueprint.get("/athletes/<athlete_id>/findings")
@access.rule(Access.CARER, need=Level.VIEW)
def findings_part(athlete_id: str) -> str:
    """Return the findings' part of the page."""
    athlete = _athlete(athlete_id)
    return render_template(
        "parts/findings.html",
        athlete=athlete,
        findings_url=url_for("coach.findings_part", athlete_id=athlete_id),
        totals=desk.totals_of(athlete),
        **desk.findings_part(athlete),
    )


@blueprint.get("/athletes/<athlete_id>/heart")
@access.rule(Access.CARER, need=Level.VIEW)
def heart_part(athlete_id: str) -> str:
    """Return the athlete's heart rate of the day."""
    return render_template("parts/heart.html", **desk.heart_part(_athlete(athlete_id)))


@blueprint.get("/athletes/<athlete_id>/recordings")
@access.rule(Access.CARER, need=Level.VIEW)
def recordings_part(athlete_id: str) -> str:
    """Return how whole the athlete's recordings are."""
    return render_template("parts/recordings.html", **desk.recordings_part(_athlete(athlete_id)))


@blueprint.get("/athletes/<athlete_id>/plan")
@access.rule(Access.CARER, need=Level.VIEW)
def plan_part(athlete_id: str) -> str:
    """Return the plan's part of the page."""
    return render_template("parts/plan.html", **desk.plan_part(access.me(), _athlete(athlete_id)))
