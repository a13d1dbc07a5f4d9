"""One planned session and what came of it."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from coach.errors import InvalidInput
from coach.language import gettext as _
from coach.service.types import Identity, Level, Role, SessionState, SessionView
from coach.web import access, forms, words
from coach.web.access import Access
from coach.web.house import house
from coach.web.library_words import exercise_of
from programs.drawings import drawings
from programs.types import Lock

blueprint = Blueprint("sessions", __name__)
OUTCOMES = {"done": SessionState.DONE, "skipped": SessionState.SKIPPED}


@blueprint.get("/sessions/<session_id>")
@access.rule(Access.SIGNED_IN, need=Level.VIEW)
def session_page(session_id: str) -> str:
    """Show one session."""
    identity, services = access.me(), house().services
    session = services.plans.session(identity, session_id)
    athlete = services.athletes.get(identity, session.athlete_id)
    triage = services.triage.view_for(identity, session.athlete_id)
    paused = triage.must_ask or (triage.result is not None and triage.result.lock is Lock.ALL)
    today = house().today(session.time_zone)
    return render_template(
        "sessions/session.html",
        session=session,
        name=words.short_name(athlete.name),
        paused=paused,
        # An exercise may leave the library while its sessions stay.
        known_of=exercise_of,
        drawing_of=drawings().get,
        today_there=today,
        open=session.state in {SessionState.PLANNED, SessionState.DUE},
        may_be_led=_may_be_led(identity, session, paused, today),
        may_be_done=session.state is SessionState.DUE or (session.local_date <= today and not paused),
        coached=not services.plans.may_decide(identity, session.athlete_id),
        own=identity.role is Role.ATHLETE,
    )


def _may_be_led(identity: Identity, session: SessionView, paused: bool, today: date) -> bool:
    """Tell whether the page leads to being led through it: an athlete or a guardian, from its day on."""
    there = session.state in {SessionState.PLANNED, SessionState.DUE} and session.local_date <= today
    mine = identity.role in {Role.ATHLETE, Role.GUARDIAN}
    return there and mine and not paused and not session.fallback and bool(session.exercises)


@blueprint.post("/sessions/<session_id>/outcome")
@access.rule(Access.SIGNED_IN, need=Level.PLAN)
def outcome(session_id: str) -> Response:
    """Record that a session was done or skipped."""
    identity = access.me()
    # Asked first: whether a session exists is not told to whom it does not belong.
    house().services.plans.session(identity, session_id)
    came_of_it = OUTCOMES.get(request.form.get("outcome", ""))
    if came_of_it is None:
        raise InvalidInput(_("Nothing was recorded: say whether the session was done or skipped."))
    recorded = house().services.plans.record_outcome(
        session_id,
        identity,
        came_of_it,
        effort=forms.whole_in("effort"),
        pain_during=forms.whole_in("pain_during"),
        pain_after=forms.whole_in("pain_after"),
        reason=request.form.get("reason", "").strip()[:500] or None,
    )
    house().live_feed.publish(recorded.athlete_id, {"kind": "session"})
    flash(_("Recorded: done.") if came_of_it is SessionState.DONE else _("Recorded: not today."), "done")
    if identity.role is Role.ATHLETE:
        return redirect(url_for("athlete.today"), code=303)
    return redirect(url_for("sessions.session_page", session_id=session_id), code=303)
