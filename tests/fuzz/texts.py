"""Rows of what people and browsers send as text: forms, addresses, subscriptions, tokens; and what calendars get."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from email.message import EmailMessage
from functools import cache
from zoneinfo import ZoneInfo

import icalendar
from flask import Flask, request

from coach.csv_text import neutral, plain
from coach.errors import InvalidInput
from coach.notify.errors import NotDelivered
from coach.notify.mail import checked_address
from coach.notify.outgoing import checked_url
from coach.notify.push import check_keys
from coach.service.availability import checked
from coach.service.plans import CalendarFeed
from coach.service.types import SessionState, SessionView
from coach.web import availability, bounds, forms
from coach.web.calendar import calendar_text
from programs.types import Dose
from tests.coach.notify.receivers import Browser
from tests.fuzz.parser import Parser

NOW = datetime(2026, 11, 26, 8, tzinfo=UTC)
CUT = "\x1f"
URLENCODED = "application/x-www-form-urlencoded"


@cache
def app() -> Flask:
    """Return an app that reads requests as ours does, without any page."""
    made = Flask("fuzz")
    bounds.install(made)
    return made


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _calendar(data: bytes) -> None:
    """Write what people named and typed into a feed, and read it back with a library of other people's."""
    name, exercise, because, session_id, *_ = [*_text(data).split(CUT), "", "", "", ""]
    session = SessionView(
        session_id=session_id,
        athlete_id="a",
        plan_id="p",
        state=SessionState.PLANNED,
        local_date=date(2026, 11, 27),
        local_time=time(18, 30),
        time_zone="Europe/Berlin",
        due_at=datetime(2026, 11, 27, 17, 30, tzinfo=UTC),
        released_at=None,
        duration_min=12,
        exercises=({"name": exercise, "dose": asdict(Dose((5,), None, 60.0, False))},),
        because=because,
    )
    feed = CalendarFeed("a", name, "Europe/Berlin", (session,), alarms={session_id: (30,)}, says_why=True)
    text = calendar_text(feed, NOW)
    assert all(len(line) <= 75 for line in text.split(b"\r\n"))
    (back,) = [icalendar.Calendar.from_ical(text)]
    (event,) = back.walk("VEVENT")
    assert event["dtstart"].dt == datetime(2026, 11, 27, 18, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    assert event["dtend"].dt - event["dtstart"].dt == timedelta(minutes=12)
    # Nothing that anybody typed becomes a property of its own.
    kinds = [each.name for each in back.walk()]
    assert set(kinds) <= {"VCALENDAR", "VTIMEZONE", "STANDARD", "DAYLIGHT", "VEVENT", "VALARM"}
    assert (kinds.count("VEVENT"), kinds.count("VALARM"), kinds.count("VTIMEZONE")) == (1, 1, 1)
    assert len(event.property_items(recursive=False)) == 11


def _availability(data: bytes) -> None:
    with app().test_request_context("/", method="POST", data=data, content_type=URLENCODED):
        wanted = checked(availability._wanted(availability._given()))
    assert wanted.weekdays
    assert {day for day, _ in wanted.times} <= set(wanted.weekdays)
    assert all(each.first <= each.last for each in wanted.travel)


def _typed(data: bytes) -> None:
    with app().test_request_context("/", method="POST", data=data, content_type=URLENCODED):
        for name in list(request.form)[:20]:
            for read in (forms.whole_in, forms.day_in, lambda each: forms.number(request.form[each])):
                with suppress(InvalidInput):
                    read(name)


def _subscription(data: bytes) -> None:
    told = app().json.loads(data)
    if not isinstance(told, dict):
        return
    checked_url(str(told.get("endpoint") or ""), allow_private=False)
    check_keys(str(told.get("p256dh"))[:100], str(told.get("auth"))[:40])


def _webhook(data: bytes) -> None:
    parts = checked_url(_text(data), allow_private=False)
    assert parts.scheme == "https"
    assert parts.hostname
    assert not parts.username
    assert parts.port is None or 0 <= parts.port <= 65535


def _mail(data: bytes) -> None:
    address = checked_address(_text(data))
    # As a header it is one line, and one address.
    mail = EmailMessage()
    mail["To"] = address
    assert len(mail["To"].addresses) == 1
    assert not set("\r\n") & set(address)


def _cell(data: bytes) -> None:
    text = _text(data)
    assert plain(neutral(text)) == text
    assert not neutral(text).lstrip().startswith(("=", "+", "-", "@"))


WEEK = b"weekday=0&weekday=3&own3=07%3A15&preferred=18%3A30&wake=06%3A45&time_zone=Europe%2FBerlin"
TRIP = b"&trip_first=2026-12-01&trip_last=2026-12-05&trip_zone=Asia%2FTokyo"

PARSERS = (
    Parser(
        "calendar",
        _calendar,
        (),
        lambda: [CUT.join(("Ada", "Bird dog", "Bent, 40 times; a lot:\nEND:VEVENT", "s1")).encode()],
        words=(b"\r\n", b"END:VEVENT", b"\x0b", b"\xe2\x80\xa8", b'"', b"\\", b";X=1:"),
    ),
    Parser(
        "availability", _availability, (InvalidInput,), lambda: [WEEK, WEEK + TRIP, WEEK + TRIP * 3 + b"&trip_gone=1"]
    ),
    Parser("typed", _typed, (), lambda: [b"a=58%2C4&b=2026-11-24&c=%2B12&d=%D9%A3&e=1e309"]),
    Parser(
        "push-subscription",
        _subscription,
        (ValueError, NotDelivered),
        lambda: [json.dumps({"endpoint": "https://push.example.org/a", **Browser().keys()}).encode()],
    ),
    Parser(
        "webhook-address", _webhook, (NotDelivered,), lambda: [b"https://example.org:8443/hook?x=1", b"https://[::1]/"]
    ),
    Parser("mail-address", _mail, (InvalidInput,), lambda: [b"ada.l+b@example.org", b'"a b"@example.org']),
    Parser("csv-cell", _cell, (), lambda: [b"=1+1", b"'=1", b"\t@x", b"pain"]),
)
