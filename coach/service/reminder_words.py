"""What a reminder says: the time, the length and the names of the exercises. Nothing of findings, pain or answers."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date

from coach.language import current, locale
from coach.notify.types import Message
from coach.said import said
from coach.service.planning import session_view
from coach.service.reminder_plan import FOLLOW_UP
from coach.store.rows import Row


def message_of(reminder: Row, session: Row | None, now: datetime) -> Message:
    """Return the message of a reminder, in the language of now.

    session: the one it is about, None for tests that are due and for a trial.
    """
    until_s = (reminder["until_at"] - now).total_seconds()
    if session is not None:
        return _session(reminder["id"], session, until_s, now)
    if reminder["occurrence"].startswith("retest:"):
        return Message(
            message_id=reminder["id"],
            title=said("Trunk endurance tests today"),
            text=said("Half an hour, most of it rest. Only the same tests again say whether something has changed."),
            path="/tests",
            until_s=until_s,
            fields={"kind": "retest", "due_on": reminder["occurrence"].removeprefix("retest:")},
        )
    if reminder["occurrence"].startswith(FOLLOW_UP):
        return Message(
            message_id=reminder["id"],
            title=said("A question from Backstop"),
            text=said("Two taps: how is it today? The answer decides what comes next."),
            path="/spasm",
            until_s=until_s,
            fields={"kind": "follow_up"},
        )
    return Message(
        message_id=reminder["id"],
        title=said("A test from Backstop"),
        text=said("This is how a reminder reaches you. Nothing is due."),
        path="/reminders",
        until_s=until_s,
        fields={"kind": "test"},
    )


def _session(message_id: str, row: Row, until_s: float, now: datetime) -> Message:
    session = session_view(row)
    today = now.astimezone(ZoneInfo(session.time_zone)).date()
    names = [str(each["name"]) for each in session.exercises]
    clock = f"{session.local_time:%H:%M}"
    when = f"{_day(session.local_date, today)} {clock}, {session.duration_min} min"
    return Message(
        message_id=message_id,
        title=said(f"Back session at {clock}"),
        text=f"{when}: {', '.join(map(said, names))}." if names else f"{when}.",
        path=f"/sessions/{session.session_id}",
        until_s=until_s,
        fields={
            "kind": "session",
            "session_id": session.session_id,
            "starts_at": f"{session.due_at:%Y-%m-%dT%H:%M:%SZ}",
            "local_date": session.local_date.isoformat(),
            "local_time": clock,
            "time_zone": session.time_zone,
            "duration_min": session.duration_min,
            "exercises": names,
        },
    )


def _day(day: date, today: date) -> str:
    near = {0: "Today", 1: "Tomorrow"}.get((day - today).days)
    return said(near) if near else format_date(day, "EEEE", locale(current()))
