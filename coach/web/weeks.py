"""The athlete's week: days and sessions, where each may go, and moving it there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from coach.errors import CoachError, Conflict, InvalidInput, Locked
from coach.language import gettext as _
from coach.service.moving import AGAINST_WORDS
from coach.service.types import AthleteView, Level, Role, SessionState, SessionView
from coach.web import access, desk, forms
from coach.web.access import Access
from coach.web.house import house
from coach.web.words import day_name, exercise_names
from programs.marking import N_
from programs.moving import DayChoice

blueprint = Blueprint("weeks", __name__)

# Offered as reasons; what is chosen is kept as it is read, beside whatever is written.
REASONS = (N_("no time"), N_("tired"), N_("ill"), N_("it hurts"), N_("travelling"))
_OPEN = frozenset({SessionState.PLANNED, SessionState.DUE})


def week_part(athlete: AthleteView, problem: str | None = None) -> dict[str, Any]:
    """Return what parts/my_week.html needs: fourteen days, their sessions, and for each open one where it may go."""
    today, sessions = house().today(athlete.time_zone), desk.sessions_ahead(athlete)
    shown = [each.session_id for each in sessions if each.state in _OPEN]
    choices = house().services.moving.choices(access.me(), athlete.athlete_id, shown)
    asked = {exercise_names(each) for each in sessions}
    days = [today + timedelta(days=offset) for offset in range(desk.DAYS_SHOWN)]
    return {
        "days": [(day, [each for each in sessions if each.local_date == day]) for day in days],
        "choices": choices,
        # What all of them ask for is said once.
        "each_one": asked.pop() if len(asked) == 1 else None,
        "reasons": REASONS,
        "against_words": AGAINST_WORDS,
        "along_words": _along_words,
        "today_there": today,
        "problem": problem,
    }


def _along_words(choice: DayChoice, today: Any) -> str:
    """Return what goes along: `Thu to Fri, Sat to Sun`; nothing where nothing does."""
    pairs = (_("%(day)s to %(to)s", day=day_name(a, today), to=day_name(b, today)) for a, b, _at in choice.along)
    return ", ".join(pairs)


@blueprint.post("/sessions/<session_id>/move")
@access.rule(Access.SIGNED_IN, need=Level.PLAN)
def move(session_id: str) -> Response | str:
    """Move a session to another day of its week."""
    identity, services = access.me(), house().services
    session = services.plans.session(identity, session_id)
    to = forms.day_in("to")
    if to is None:
        raise InvalidInput(_("Choose the day to which the session moves."))
    problem: CoachError | None = None
    try:
        session = services.moving.move(identity, session_id, to)
        house().live_feed.publish(session.athlete_id, {"kind": "session"})
    except (Conflict, Locked) as error:
        if not request.headers.get("HX-Request"):
            raise
        problem = error
    if request.headers.get("HX-Request"):
        athlete = services.athletes.get(identity, session.athlete_id)
        told = None if problem else _moved_words(session, athlete)
        return render_template("parts/my_week.html", told=told, **week_part(athlete, str(problem) if problem else None))
    flash(_moved_words(session, services.athletes.get(identity, session.athlete_id)), "done")
    if identity.role is Role.ATHLETE:
        return redirect(url_for("athlete.week"), code=303)
    return redirect(url_for("sessions.session_page", session_id=session_id), code=303)


def _moved_words(session: SessionView, athlete: AthleteView) -> str:
    day = day_name(session.local_date, house().today(athlete.time_zone))
    at = f"{session.local_time:%H:%M}"
    return _("Moved: %(day)s %(time)s. Its reminders move with it.", day=day, time=at)
