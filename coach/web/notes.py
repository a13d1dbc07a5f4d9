"""A coach's words: the message with a session, and private notes about an athlete."""

from __future__ import annotations

from flask import Blueprint, Flask, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from coach.errors import InvalidInput
from coach.language import gettext as _
from coach.service.coach_notes import NOTE_MAX
from coach.service.session_messages import MessageView
from coach.service.types import Level, Role, SessionState, SessionView
from coach.web import access
from coach.web.access import Access
from coach.web.house import house

blueprint = Blueprint("notes", __name__)


@blueprint.post("/sessions/<session_id>/message")
@access.rule(Access.COACH, need=Level.PLAN)
def message(session_id: str) -> Response:
    """Keep the coach's message with a session; empty text takes it back."""
    services, me = house().services, access.me()
    said = request.form.get("text", "")
    services.session_messages.write(me, session_id, said)
    session = services.plans.session(me, session_id)
    house().live_feed.publish(session.athlete_id, {"kind": "session"})
    flash(_("Your message goes with this session.") if said.strip() else _("Your message was taken back."), "done")
    return redirect(url_for("sessions.session_page", session_id=session_id), code=303)


@blueprint.get("/athletes/<athlete_id>/notes")
@access.rule(Access.COACH, need=Level.VIEW)
def of_athlete(athlete_id: str) -> str:
    """Show what the coach has noted about an athlete."""
    return _page(athlete_id)


@blueprint.post("/athletes/<athlete_id>/notes")
@access.rule(Access.COACH, need=Level.VIEW)
def add(athlete_id: str) -> Response:
    """Keep a note."""
    try:
        house().services.coach_notes.add(access.me(), athlete_id, request.form.get("text", ""))
    except InvalidInput as error:
        return Response(_page(athlete_id, error), 400, content_type="text/html; charset=utf-8")
    flash(_("Kept. Only you read it here."), "done")
    return redirect(url_for("notes.of_athlete", athlete_id=athlete_id), code=303)


@blueprint.post("/athletes/<athlete_id>/notes/<note_id>/delete")
@access.rule(Access.COACH, need=Level.VIEW)
def drop(athlete_id: str, note_id: str) -> Response:
    """Delete a note."""
    house().services.coach_notes.drop(access.me(), athlete_id, note_id)
    flash(_("Deleted."), "done")
    return redirect(url_for("notes.of_athlete", athlete_id=athlete_id), code=303)


def messages_with(session: SessionView) -> tuple[MessageView, ...]:
    """Return the messages with a session that whoever is signed in may read."""
    return house().services.session_messages.of_session(access.me(), session.session_id)


def may_write_with(session: SessionView) -> bool:
    """Tell whether whoever is signed in may write a message with a session."""
    me = access.me()
    is_open = session.state in (SessionState.PLANNED, SessionState.DUE)
    return is_open and me.role is Role.COACH and house().services.plans.may_decide(me, session.athlete_id)


def install(app: Flask) -> None:
    """Give every page that shows a session the message with it."""
    app.jinja_env.globals["messages_with"] = messages_with
    app.jinja_env.globals["may_write_with"] = may_write_with


def _page(athlete_id: str, problem: InvalidInput | None = None) -> str:
    services, me = house().services, access.me()
    return render_template(
        "program_desk/notes.html",
        athlete=services.athletes.get(me, athlete_id),
        notes=services.coach_notes.of_athlete(me, athlete_id),
        typed=request.form.get("text", "") if problem is not None else "",
        problem=problem,
        note_max=NOTE_MAX,
    )
