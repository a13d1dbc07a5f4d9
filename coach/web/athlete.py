"""The athlete's own pages: today and the week."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from flask import Blueprint, abort, render_template, url_for

from coach.service.diary import CheckInView
from coach.service.types import AthleteView
from coach.web import access, desk, weeks
from coach.web.house import house

blueprint = Blueprint("athlete", __name__)
# Pain out of 10 from which a day without a session is one to take easy. Own choice: as the limit of the tests.
_EASY_FROM = 4


def myself() -> AthleteView:
    """Return the athlete who is signed in."""
    identity = access.me()
    if identity.athlete_id is None:
        abort(403)
    return house().services.athletes.get(identity, identity.athlete_id)


@blueprint.get("/today")
@access.athlete
def today() -> str:
    """Show the one next thing, the live line and what was found."""
    athlete = myself()
    told_last = _told_last(athlete)
    return render_template(
        "athlete/today.html",
        findings_url=url_for("athlete.findings_part"),
        heart_url=url_for("athlete.heart_part"),
        checkin_key=uuid4().hex,
        told_last=told_last,
        pain_today=_pain_of(told_last),
        morning_after=house().services.diary.asks_for_morning(access.me(), athlete.athlete_id),
        **desk.live_part(athlete) | desk.findings_part(athlete) | desk.plan_part(access.me(), athlete),
    )


def _told_last(athlete: AthleteView) -> CheckInView | None:
    """Return the last check-in of today."""
    today = house().today(athlete.time_zone)
    told, _ = house().services.diary.between(access.me(), athlete.athlete_id, today, today + timedelta(days=1))
    return told[-1] if told else None


def _pain_of(told_last: CheckInView | None) -> int | None:
    """Return the pain that asks for an easy day, None for less."""
    pain = told_last.told.worst_pain if told_last else None
    return pain if pain is not None and pain >= _EASY_FROM else None


@blueprint.get("/today/next")
@access.athlete
def next_part() -> str:
    """Return the part with the one next thing."""
    athlete = myself()
    parts = desk.next_part(access.me(), athlete)
    return render_template("parts/next.html", pain_today=_pain_of(_told_last(athlete)), **parts)


@blueprint.get("/today/pauses")
@access.athlete
def pauses_part() -> str:
    """Return the part with today's pauses."""
    return render_template("parts/pauses.html", **desk.pauses_part(access.me(), myself()))


@blueprint.get("/today/findings")
@access.athlete
def findings_part() -> str:
    """Return the findings' part of the page."""
    athlete = myself()
    return render_template(
        "parts/findings.html",
        athlete=athlete,
        findings_url=url_for("athlete.findings_part"),
        totals=desk.totals_of(athlete),
        **desk.findings_part(athlete),
    )


@blueprint.get("/today/heart")
@access.athlete
def heart_part() -> str:
    """Return the day's heart rate."""
    return render_template("parts/heart.html", **desk.heart_part(myself()))


@blueprint.get("/week")
@access.athlete
def week() -> str:
    """Show the sessions of the next two weeks and the calendar link."""
    athlete = myself()
    parts = desk.plan_part(access.me(), athlete) | desk.calendar_part(access.me(), athlete)
    alone = house().services.plans.may_decide(access.me(), athlete.athlete_id)
    return render_template("athlete/week.html", may_decide_alone=alone, **parts | weeks.week_part(athlete))
