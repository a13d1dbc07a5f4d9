"""Reminders are rows: planned from what is ahead, claimed by one clock, handed over once, and what became of it logged.

A claim has two steps, each a transaction. Claimed and not handed over, a reminder has not gone out, and another clock
takes it when the first one died. From the second step on it may have gone out: if its clock dies then, nobody sends it
again, and the log says so. So whatever is killed, nobody is reminded twice of the same.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from coach import language
from coach.errors import CoachError
from coach.logs import about
from coach.notify.channels import Channels
from coach.notify.errors import NotDelivered
from coach.notify.types import Channel, Message, Target
from coach.service import reminder_plan
from coach.service.ground import Ground
from coach.service.reminder_times import MissedPolicy, allowed_from
from coach.service.reminder_words import message_of
from coach.store import athletes, people, sessions, spasms
from coach.store import notifications as table
from coach.store.engine import Tx
from coach.store.rows import Row, fresh_id
from programs.types import Lock

_log = logging.getLogger(__name__)
# An older claim was of a clock that died: 20 reminders, four at once, half a minute each, take 3 min. Own choice.
_CLAIM_HOLDS = timedelta(minutes=10)
# Deliveries at once, so that one slow receiver does not keep the others waiting. Own choice.
_AT_ONCE = 4
_SENT = {
    Channel.MAIL: "The mail server took it.",
    Channel.PUSH: "The device's push service took it.",
    Channel.WEBHOOK: "The webhook took it.",
}
_INTERRUPTED = "Backstop was stopped while it was sent: it may have arrived, and is not sent again."


@dataclass(frozen=True, slots=True)
class _Parcel:
    row: Row
    target: Target
    message: Message
    language: str | None


class Reminders:
    """Plan and send; called by the clock, by any number of clocks."""

    def __init__(self, ground: Ground, channels: Channels) -> None:
        self._ground, self._channels = ground, channels
        config = ground.config.reminders
        self._missed = MissedPolicy(config.missed == "until_start", timedelta(minutes=config.late_min))

    def plan(self, now: datetime) -> int:
        """Bring the rows of what is ahead up to date; return how many changed."""
        with self._ground.store.read() as tx:
            wants = reminder_plan.wanted(tx, now, self._ground.config)
            if not reminder_plan.anything_new(tx, wants, now):
                return 0
        with self._ground.store.begin() as tx:
            return reminder_plan.bring_up_to_date(tx, wants, now)

    def send_due(self, now: datetime) -> int:
        """Send the reminders whose time has come, each by one clock and once; return how many went out."""
        self._take_up_abandoned(now)
        sent = 0
        while True:
            claim = fresh_id()
            with self._ground.store.begin() as tx:
                rows = table.claim_due(tx, now, claim)
            if not rows:
                return sent
            with ThreadPoolExecutor(min(_AT_ONCE, len(rows)), "reminders") as threads:
                sent += sum(threads.map(lambda row: self._deliver(row, now), rows))

    def prune(self, now: datetime) -> int:
        """Forget reminders, and what became of them, after the days of config.toml; return how many."""
        before = now - timedelta(days=self._ground.config.reminders.log_days)
        with self._ground.store.begin() as tx:
            return table.prune(tx, before)

    def _take_up_abandoned(self, now: datetime) -> None:
        with self._ground.store.read() as tx:
            if not table.claimed_before(tx, now - _CLAIM_HOLDS):
                return
        with self._ground.store.begin() as tx:
            for row in table.claimed_before(tx, now - _CLAIM_HOLDS):
                if row["handed_at"] is None:
                    table.finish(tx, row["id"], row["claim"], state="planned", claim=None, updated_at=now)
                elif table.finish(tx, row["id"], row["claim"], state="failed", updated_at=now):
                    table.log(tx, row, now, "failed", _INTERRUPTED)

    def _deliver(self, row: Row, now: datetime) -> bool:
        """Send one claimed reminder; tell whether it went out."""
        try:
            with self._ground.store.begin() as tx:
                parcel = self._hand_over(tx, row, now)
            if parcel is None:
                return False
            problem = self._sent(parcel, now)
            with self._ground.store.begin() as tx:
                self._finish(tx, row, now, problem)
        except CoachError as error:
            # The store is away: the claim ends by itself, and what was handed over stays so.
            with about(athlete=row["athlete_id"]):
                _log.warning("reminder %s waits: %s", row["id"], error)
            return False
        return problem is None

    def _sent(self, parcel: _Parcel, now: datetime) -> NotDelivered | None:
        try:
            with language.speaking(parcel.language):
                sender = self._channels.sender(Channel(parcel.row["channel"]))
                sender.send(parcel.target, parcel.message, now.timestamp())
        except NotDelivered as problem:
            return problem
        except CoachError:
            return NotDelivered("Backstop's settings for this channel cannot be used: whoever runs it checks them.")
        except Exception as error:  # noqa: BLE001 - one delivery's trouble must not end the others
            # The type only: the text of a foreign error may hold an address or a key.
            with about(athlete=parcel.row["athlete_id"]):
                _log.error("reminder %s failed inside: %s", parcel.row["id"], type(error).__name__)
            return NotDelivered("Something went wrong inside Backstop; the log of the server names it.")
        return None

    def _hand_over(self, tx: Tx, row: Row, now: datetime) -> _Parcel | None:
        """Look once more whether it is wanted, note that it goes out, and return what goes where."""
        settings = table.settings(tx, row["athlete_id"])
        session = sessions.get(tx, row["session_id"]) if row["session_id"] else None
        target = _target(tx, row, settings)
        if target is None or not _still_wanted(tx, row, session, settings):
            table.finish(tx, row["id"], row["claim"], state="skipped", updated_at=now)
            return None
        zone = session["time_zone"] if session is not None else _home(tx, row)
        if not row["occurrence"].startswith("test:") and self._holds_back(tx, row, settings, zone, now):
            return None
        if not table.hand_over(tx, row["id"], row["claim"], now):
            return None
        spoken = people.language_of(tx, row["athlete_id"])
        with language.speaking(spoken):
            return _Parcel(row, target, message_of(row, session, now), spoken)

    def _holds_back(self, tx: Tx, row: Row, settings: Row | None, zone: str | None, now: datetime) -> bool:
        """Skip what is too late, put off what would come in quiet hours; tell whether one of them was done."""
        if zone is None or settings is None:
            return True
        why = ""
        if self._missed.too_late(now, row["remind_at"], row["until_at"], tried=row["tries"] > 0):
            why = "Its time had passed when Backstop could have sent it, so it was not sent."
        else:
            allowed = allowed_from(now, ZoneInfo(zone), reminder_plan.quiet_of(settings))
            if allowed == now:
                return False
            if allowed is not None and allowed <= row["until_at"]:
                # remind_at stays: it is what the plan wants, and what lateness is counted from.
                later = {"state": "planned", "try_at": allowed, "claim": None}
                table.finish(tx, row["id"], row["claim"], updated_at=now, **later)
                return True
            why = "It would have come in quiet hours that end after the start, so it was not sent."
        if table.finish(tx, row["id"], row["claim"], state="skipped", updated_at=now):
            table.log(tx, row, now, "skipped", why)
        return True

    def _finish(self, tx: Tx, row: Row, now: datetime, problem: NotDelivered | None) -> None:
        config, tries = self._ground.config.reminders, row["tries"] + 1
        values: dict[str, object] = {"tries": tries, "updated_at": now}
        if problem is None:
            outcome, said = "sent", _SENT[Channel(row["channel"])]
        elif problem.again and tries < config.tries:
            outcome, said = "again", f"{problem} It is tried again."
            wait = timedelta(seconds=config.retry_first_s * 2 ** (tries - 1))
            values |= {"try_at": now + wait, "claim": None, "handed_at": None}
        else:
            outcome, said = "failed", str(problem)
        if table.finish(tx, row["id"], row["claim"], state="planned" if outcome == "again" else outcome, **values):
            table.log(tx, row, now, outcome, said)
        if problem is not None and problem.gone and row["channel"] == Channel.PUSH.value:
            table.drop_subscription(tx, row["target"])


def _home(tx: Tx, row: Row) -> str | None:
    athlete = athletes.get(tx, row["athlete_id"])
    return None if athlete is None else athlete["time_zone"]


def _still_wanted(tx: Tx, row: Row, session: Row | None, settings: Row | None) -> bool:
    if row["occurrence"].startswith("test:"):
        return True
    athlete = athletes.get(tx, row["athlete_id"])
    if athlete is None or settings is None or not settings[f"{row['channel']}_on"]:
        return False
    if athlete["lock"] == Lock.ALL:
        return False
    if row["occurrence"].startswith(reminder_plan.FOLLOW_UP):
        asked = spasms.follow_up(tx, row["occurrence"].removeprefix(reminder_plan.FOLLOW_UP))
        return asked is not None and asked["answered_at"] is None and asked["ended_at"] is None
    if row["session_id"] is None:  # tests wait for every lock, sessions and questions only for a whole one
        return bool(athlete["lock"] == Lock.NONE)
    return session is not None and session["state"] in ("planned", "due") and session["due_at"] == row["event_at"]


def _target(tx: Tx, row: Row, settings: Row | None) -> Target | None:
    channel = Channel(row["channel"])
    if channel is Channel.MAIL:
        address = settings["mail_address"] if settings is not None else None
        return Target(address) if address else None
    if channel is Channel.PUSH:
        device = table.subscription(tx, row["target"])
        return Target(device["endpoint"], {key: device[key] for key in ("p256dh", "auth")}) if device else None
    hook = table.webhook(tx, row["athlete_id"])
    return Target(hook["url"], {"secret": hook["secret"]}) if hook else None
