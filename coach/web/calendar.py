"""The sessions as a calendar feed behind a secret link."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, url_for
from icalendar import Alarm, Calendar, Event, vText
from werkzeug.wrappers import Response

from coach import language
from coach.said import said
from coach.service.assessment_views import Retest
from coach.service.plans import CalendarFeed
from coach.service.types import SessionState, SessionView
from coach.web import access
from coach.web.athlete import myself
from coach.web.described import Raw, describe
from coach.web.house import house
from coach.web.vtimezone import vtimezone
from coach.web.words import dose_text
from programs.notice import NOTICE

blueprint = Blueprint("calendar", __name__)


def _text(text: str) -> str:
    """Return a text without characters that the format cannot carry (RFC 5545 3.3.11), line ends as the library's."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(each for each in lines if each == "\n" or each.isprintable())


def _description(session: SessionView, says_why: bool) -> str:
    """Return what is to be done; what was found or hurts comes into a calendar only where the athlete wants it."""
    lines = [f"{said(item['name'])}: {said(dose_text(item['dose']))}" for item in session.exercises]
    why = ["", said(f"Why: {session.because}")] if says_why else []
    return _text("\n".join([*lines, *why, "", said(NOTICE)]))


def _status(session: SessionView, paused: bool) -> str:
    if session.state is SessionState.CANCELLED:
        return "CANCELLED"
    # Nothing is done while the program is paused; the time stays taken.
    waits = paused and session.state in {SessionState.PLANNED, SessionState.DUE}
    return "TENTATIVE" if waits else "CONFIRMED"


def _event(session: SessionView, feed: CalendarFeed, now: datetime) -> Event:
    start = datetime.combine(session.local_date, session.local_time, ZoneInfo(session.time_zone))
    event = Event()
    event.add("uid", f"{session.session_id}@backstop")
    event.add("dtstamp", now)
    # A calendar keeps the copy with the highest (RFC 5545, 3.8.7.4).
    event.add("sequence", session.sequence)
    event.add("dtstart", start)
    event.add("dtend", start + timedelta(minutes=session.duration_min))
    names = ", ".join(said(item["name"]) for item in session.exercises)
    event.add("summary", _text(f"{said('Back session')}: {names}")[:200])
    event.add("description", _description(session, feed.says_why))
    event.add("status", _status(session, feed.paused))
    event.add("transp", "TRANSPARENT")
    for minutes in feed.alarms.get(session.session_id, ()):
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", said("Back session"))
        alarm.add("trigger", timedelta(minutes=-minutes))
        event.add_component(alarm)
    return event


def _retest_event(feed: CalendarFeed, retest: Retest, now: datetime) -> Event:
    """Return the day of the next tests. One uid per athlete: done, the same event moves to the next time."""
    event = Event()
    event.add("uid", f"tests-{feed.athlete_id}@backstop")
    event.add("dtstamp", now)
    # A later day is a later version; days since year 1 rise with it.
    event.add("sequence", retest.due_on.toordinal())
    event.add("dtstart", retest.due_on)
    event.add("dtend", retest.due_on + timedelta(days=1))
    event.add("summary", said("Trunk endurance tests"))
    event.add(
        "description",
        said("Half an hour, most of it rest. Only the same tests again say whether something has changed."),
    )
    event.add("status", "CONFIRMED")
    event.add("transp", "TRANSPARENT")
    return event


def calendar_text(feed: CalendarFeed, now: datetime) -> bytes:
    """Return the feed in iCalendar form, with the time zones it uses."""
    calendar = Calendar()
    calendar.add("prodid", "-//Backstop//Sessions//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    # Of a property that is in no standard, the library does not know that it is text to be escaped.
    calendar.add("x-wr-calname", vText(_text(f"Backstop: {feed.athlete_name}")))
    calendar.add("refresh-interval", timedelta(hours=1), parameters={"VALUE": "DURATION"})
    for time_zone in sorted({each.time_zone for each in feed.sessions}):
        days = [each.local_date for each in feed.sessions if each.time_zone == time_zone]
        calendar.add_component(vtimezone(time_zone, min(days), max(days)))
    for session in feed.sessions:
        calendar.add_component(_event(session, feed, now))
    if feed.retest is not None:
        calendar.add_component(_retest_event(feed, feed.retest, now))
    text: bytes = calendar.to_ical()
    return text


@blueprint.get("/calendar/<token>.ics")
@access.public
@describe(answer=Raw("text/calendar", "The sessions from 30 days back to 120 ahead, as iCalendar."))
def feed(token: str) -> Response:
    """Answer a calendar program; the secret in the address is the permission."""
    found = house().services.plans.calendar_sessions(token)
    # A calendar program asks in nobody's language: its link is the athlete's.
    with language.speaking(found.language):
        text = calendar_text(found, house().now())
    answer = Response(text, content_type="text/calendar; charset=utf-8")
    answer.headers["Content-Disposition"] = 'inline; filename="backstop.ics"'
    answer.headers["Cache-Control"] = "private, max-age=300"
    return answer


@blueprint.post("/calendar/renew")
@access.athlete
def renew() -> Response:
    """Replace one's own link; the old one stops answering."""
    house().services.plans.renew_calendar_token(access.me(), myself().athlete_id)
    flash("There is a new calendar link; the old one answers nothing any more.", "done")
    return redirect(url_for("athlete.week"), code=303)
