"""The calendar link, read back by a calendar library."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import icalendar

from coach.service.types import SessionState
from coach.web.calendar import calendar_text


def events_of(text: bytes) -> dict[str, icalendar.Event]:
    calendar = icalendar.Calendar.from_ical(text)
    return {str(event["uid"]): event for event in calendar.walk("VEVENT")}


def test_sessions_are_events_at_local_times_with_their_zone(accepted) -> None:
    plans = accepted.services.plans
    token = plans.calendar_token(accepted.ada.identity, accepted.ada.athlete_id)
    answer = accepted.client().get(f"/calendar/{token}.ics")
    assert answer.content_type == "text/calendar; charset=utf-8"
    calendar = icalendar.Calendar.from_ical(answer.data)
    zones = [str(zone["tzid"]) for zone in calendar.walk("VTIMEZONE")]
    assert zones == ["Europe/Berlin"]
    events = events_of(answer.data)
    sessions = plans.calendar_sessions(token).sessions
    assert len(events) == len(sessions) > 3
    for session in sessions:
        event = events[f"{session.session_id}@backstop"]
        start = event["dtstart"]
        assert start.params["TZID"] == "Europe/Berlin"
        assert (start.dt.date(), start.dt.time()) == (session.local_date, session.local_time)
        assert start.dt.replace(tzinfo=ZoneInfo("Europe/Berlin")) == session.due_at
        assert event["dtend"].dt - start.dt == timedelta(minutes=session.duration_min)
        assert all(each["name"] in str(event["description"]) for each in session.exercises)


def test_why_a_session_is_asked_for_is_said_only_where_the_athlete_wants_it(accepted, csrf_of) -> None:
    plans, ada = accepted.services.plans, accepted.ada
    path = f"/calendar/{plans.calendar_token(ada.identity, ada.athlete_id)}.ics"
    because = {each.because for each in plans.calendar_sessions(path[10:-4]).sessions}
    assert all("bent" in each for each in because)

    def said() -> tuple[list[str], list[int]]:
        events = events_of(accepted.client().get(path).data).values()
        return [str(each["description"]) for each in events], [int(each["sequence"]) for each in events]

    before, sequences = said()
    assert not any("bent" in each or "Why" in each for each in before)
    client, choices = accepted.client(ada), {"quiet_from": "22:00", "quiet_until": "07:00", "snooze_min": "30"}
    for tick, count in (({"calendar_why": "on"}, 1), ({}, 2)):
        data = {"csrf_token": csrf_of(client), "calendar_on": "on", "lead_min": "30", **choices, **tick}
        assert client.post("/reminders", data=data).status_code == 303
        after, later = said()
        assert all(any(each in text for each in because) for text in after) is (count == 1)
        # Calendars keep what they have until the number rises.
        assert later == [each + count for each in sequences]


def test_a_change_keeps_the_uid_and_raises_the_sequence(accepted) -> None:
    plans = accepted.services.plans
    token = plans.calendar_token(accepted.ada.identity, accepted.ada.athlete_id)
    path = f"/calendar/{token}.ics"
    before = events_of(accepted.client().get(path).data)
    first = plans.calendar_sessions(token).sessions[0]
    plans.record_outcome(first.session_id, accepted.ada.identity, SessionState.SKIPPED)
    after = events_of(accepted.client().get(path).data)
    assert before.keys() == after.keys()
    uid = f"{first.session_id}@backstop"
    assert int(after[uid]["sequence"]) > int(before[uid]["sequence"])
    assert all(after[key]["sequence"] == before[key]["sequence"] for key in after if key != uid)


def test_a_renewed_link_stops_the_old_one(accepted, csrf_of) -> None:
    token = accepted.services.plans.calendar_token(accepted.ada.identity, accepted.ada.athlete_id)
    client = accepted.client(accepted.ada)
    assert client.post("/calendar/renew", data={"csrf_token": csrf_of(client)}).status_code == 303
    assert accepted.client().get(f"/calendar/{token}.ics").status_code == 404


def test_no_name_or_reason_can_add_a_line_to_the_calendar(accepted) -> None:
    plans = accepted.services.plans
    feed = plans.calendar_sessions(plans.calendar_token(accepted.ada.identity, accepted.ada.athlete_id))
    planted = "a;b,c\\\r\nATTENDEE:mailto:x@evil.example\nEND:VEVENT\nBEGIN:VALARM"
    exercise = {**feed.sessions[0].exercises[0], "name": planted}
    session = replace(feed.sessions[0], because=planted, exercises=(exercise,))
    text = calendar_text(replace(feed, athlete_name=planted, sessions=(session,), says_why=True), accepted.clock.now)
    lines = text.replace(b"\r\n ", b"").split(b"\r\n")
    assert not [line for line in lines if line.startswith(b"ATTENDEE")]
    assert b"\n" not in b"".join(lines)
    assert (lines.count(b"BEGIN:VEVENT"), lines.count(b"END:VEVENT"), lines.count(b"BEGIN:VALARM")) == (1, 1, 1)
    event = icalendar.Calendar.from_ical(text).walk("VEVENT")[0]
    assert "ATTENDEE:mailto" in str(event["description"])
