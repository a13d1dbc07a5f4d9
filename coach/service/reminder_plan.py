"""Which reminders are wanted, from sessions, tests and what athletes chose, and how the rows are brought to that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from coach.config import Config
from coach.notify.types import Channel
from coach.service.assessment_views import RETESTED
from coach.service.reminder_times import Quiet, allowed_from, reminders_of
from coach.store import notifications as table
from coach.store import spasms
from coach.store.engine import Tx
from coach.store.rows import Row
from programs.types import Lock

# What is planned: the longest lead time of a day, and two hours. Own choice.
_AHEAD = timedelta(hours=26)
# What began so long ago is no matter of reminders any more. Own choice, longer than late_min may be.
_BACK = timedelta(hours=3)
# Local times between which one is reminded of tests that are due on a day. Own choice.
_TESTS_FROM, _TESTS_UNTIL = time(9, 0), time(20, 0)
# How long it is of use to be reminded of a question after a spasm. Own choice: until the next day's.
_ASKS_FOR = timedelta(hours=20)
# What the occurrence of such a reminder begins with; the question's id follows.
FOLLOW_UP = "follow-up:"

Key = tuple[str, str, str, str, int]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One reminder. until_at: of no use after it."""

    athlete_id: str
    occurrence: str
    session_id: str | None
    channel: Channel
    target: str
    lead_min: int
    event_at: datetime
    until_at: datetime
    remind_at: datetime

    def key(self) -> Key:
        """Return what there is one row of."""
        return (self.athlete_id, self.occurrence, self.channel.value, self.target, self.lead_min)

    def values(self, now: datetime) -> dict[str, object]:
        """Return the columns of a row that is planned."""
        return {
            "athlete_id": self.athlete_id,
            "occurrence": self.occurrence,
            "session_id": self.session_id,
            "channel": self.channel.value,
            "target": self.target,
            "lead_min": self.lead_min,
            "state": "planned",
            "event_at": self.event_at,
            "until_at": self.until_at,
            "remind_at": self.remind_at,
            "try_at": self.remind_at,
            "tries": 0,
            "created_at": now,
            "updated_at": now,
        }


@dataclass(frozen=True, slots=True)
class _Receiver:
    channel: Channel
    target: str
    since: datetime


def quiet_of(settings: Row) -> Quiet:
    """Return an athlete's quiet hours."""
    return Quiet(settings["quiet_from"], settings["quiet_until"])


def session_occurrence(session_id: str, due_at: datetime) -> str:
    """Return what a reminder of a session is keyed by: moved, a session is another occurrence."""
    return f"session:{session_id}:{due_at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def wanted(tx: Tx, now: datetime, config: Config) -> dict[Key, Wanted]:
    """Return the reminders of what is ahead, of athletes who want them and are not locked."""
    settings = {row["athlete_id"]: row for row in table.reminded(tx)}
    if not settings:
        return {}
    receivers = _receivers(tx, settings, mails=bool(config.mail.host and config.mail.sender))
    found: list[Wanted] = []
    for session in table.sessions_between(tx, now - _BACK, now + _AHEAD):
        if session["athlete_id"] in settings:
            found += _of_session(session, settings[session["athlete_id"]], receivers[session["athlete_id"]])
    for athlete_id, finished_at in table.last_done(tx, RETESTED).items():
        if athlete_id in settings and settings[athlete_id]["lock"] == Lock.NONE:
            zone = ZoneInfo(settings[athlete_id]["time_zone"])
            due_on = finished_at.astimezone(zone).date() + timedelta(weeks=config.assessment.retest_weeks)
            found += _of_tests(due_on, settings[athlete_id], receivers[athlete_id], now)
    for question in spasms.asked_between(tx, now - _BACK, now + _AHEAD):
        if question["athlete_id"] in settings:
            found += _of_follow_up(question, settings[question["athlete_id"]], receivers[question["athlete_id"]])
    return {each.key(): each for each in found}


def _receivers(tx: Tx, settings: Mapping[str, Row], mails: bool) -> dict[str, list[_Receiver]]:
    found: dict[str, list[_Receiver]] = {athlete_id: [] for athlete_id in settings}
    hooked = table.webhooks(tx)
    for athlete_id, row in settings.items():
        if mails and row["mail_on"] and row["mail_address"]:
            found[athlete_id].append(_Receiver(Channel.MAIL, "", row["updated_at"]))
        if row["webhook_on"] and athlete_id in hooked:
            found[athlete_id].append(_Receiver(Channel.WEBHOOK, "", row["updated_at"]))
    for device in table.subscriptions(tx):
        owner = settings.get(device["athlete_id"])
        if owner is not None and owner["push_on"]:
            since = max(device["created_at"], owner["updated_at"])
            found[device["athlete_id"]].append(_Receiver(Channel.PUSH, device["id"], since))
    return found


def _of_session(session: Row, settings: Row, receivers: list[_Receiver]) -> Iterator[Wanted]:
    # Where the athlete is on that day: on a journey it is quiet by its clock, not by that at home.
    zone, due_at = ZoneInfo(session["time_zone"]), session["due_at"]
    occurrence = session_occurrence(session["id"], due_at)
    for receiver in receivers:
        # A released session was changed by its release, which is not when it got its time.
        placed_at = max(session["updated_at"], receiver.since) if session["state"] == "planned" else receiver.since
        moments = reminders_of(due_at, settings["lead_min"], placed_at, zone, quiet_of(settings))
        for lead_min, moment in moments.items():
            # One without an allowed moment is planned all the same: in its time, the log says why it is not sent.
            remind_at = moment or due_at - timedelta(minutes=lead_min)
            yield Wanted(
                athlete_id=session["athlete_id"],
                occurrence=occurrence,
                session_id=session["id"],
                channel=receiver.channel,
                target=receiver.target,
                lead_min=lead_min,
                event_at=due_at,
                until_at=due_at,
                remind_at=remind_at,
            )


def _of_tests(due_on: date, settings: Row, receivers: list[_Receiver], now: datetime) -> Iterator[Wanted]:
    zone = ZoneInfo(settings["time_zone"])
    first, last = (datetime.combine(due_on, each, zone).astimezone(UTC) for each in (_TESTS_FROM, _TESTS_UNTIL))
    if now - _BACK <= first <= now + _AHEAD:
        yield from _without_session(f"retest:{due_on.isoformat()}", first, last, settings, receivers)


def _of_follow_up(question: Row, settings: Row, receivers: list[_Receiver]) -> Iterator[Wanted]:
    due_at = question["due_at"]
    yield from _without_session(f"{FOLLOW_UP}{question['id']}", due_at, due_at + _ASKS_FOR, settings, receivers)


def _without_session(
    occurrence: str, event_at: datetime, until_at: datetime, settings: Row, receivers: list[_Receiver]
) -> Iterator[Wanted]:
    remind_at = allowed_from(event_at, ZoneInfo(settings["time_zone"]), quiet_of(settings)) or event_at
    for receiver in receivers:
        yield Wanted(
            athlete_id=settings["athlete_id"],
            occurrence=occurrence,
            session_id=None,
            channel=receiver.channel,
            target=receiver.target,
            lead_min=0,
            event_at=event_at,
            until_at=until_at,
            remind_at=remind_at,
        )


def bring_up_to_date(tx: Tx, wants: Mapping[Key, Wanted], now: datetime) -> int:
    """Insert what is missing, move what moved, take off what nobody wants any more; return how many rows changed.

    What was claimed, sent or failed stays as it is. What was taken off comes back while its time is ahead.
    """
    known = {_key(row): row for row in table.known_since(tx, now - _BACK)}
    table.add(tx, [each.values(now) for key, each in wants.items() if key not in known])
    changed = len(wants.keys() - known.keys())
    for key, row in known.items():
        want = wants.get(key)
        if want is None:
            if row["state"] == "planned":
                changed += table.change(tx, row["id"], "planned", state="skipped", updated_at=now)
        elif _differs(row, want, now):
            moved = {"remind_at": want.remind_at, "try_at": want.remind_at, "until_at": want.until_at}
            changed += table.change(tx, row["id"], row["state"], state="planned", updated_at=now, **moved)
    return changed


def _differs(row: Row, want: Wanted, now: datetime) -> bool:
    if row["tries"]:
        return False
    if row["state"] == "planned":
        return bool(row["remind_at"] != want.remind_at)
    return row["state"] == "skipped" and want.remind_at > now


def _key(row: Row) -> Key:
    return (row["athlete_id"], row["occurrence"], row["channel"], row["target"], row["lead_min"])


def anything_new(tx: Tx, wants: Mapping[Key, Wanted], now: datetime) -> bool:
    """Tell whether `bring_up_to_date` would change a row; so that most looks need no writer."""
    known = {_key(row): row for row in table.known_since(tx, now - _BACK)}
    if wants.keys() - known.keys():
        return True
    return any(
        row["state"] == "planned" if key not in wants else _differs(row, wants[key], now) for key, row in known.items()
    )
