"""What an athlete chooses: channels, lead times, quiet hours, devices, a webhook; to snooze, and to try a channel."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from coach.errors import Conflict, InvalidInput, NoSuch, NotAllowed
from coach.notify.channels import Channels
from coach.notify.errors import NotDelivered
from coach.notify.outgoing import checked_url
from coach.notify.push import check_keys
from coach.notify.types import Channel
from coach.service.ground import Ground
from coach.service.permission import require_athlete, require_session, speaks_for
from coach.service.planning import session_view
from coach.service.reminder_choices import SNOOZE_MAX, SNOOZE_MIN, Choices, checked, choices_of
from coach.service.reminder_times import Quiet, allowed_from
from coach.service.secrets import fresh_token
from coach.service.types import Identity, Level, SessionState, SessionView
from coach.store import events, sessions
from coach.store import notifications as table
from coach.store.engine import Tx
from coach.store.rows import Row, fresh_id
from programs.place import local_moment

# Own bound.
_DEVICES_MAX = 10
_LOG_SHOWN = 50
# One test a minute, so that nobody writes to others through Backstop. Own choice.
_TEST_EVERY = timedelta(minutes=1)
# Whoever waits for a test has left after this. Own choice.
_TEST_FOR = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Device:
    device_id: str
    label: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of one try. about: session, retest or test; event_at: of what it reminds."""

    at: datetime
    channel: Channel
    outcome: str  # sent | again | failed | skipped
    said: str
    about: str
    event_at: datetime


@dataclass(frozen=True, slots=True)
class RemindersView:
    """All that the page shows. mails: whether a mail server is set. webhook_url: None without one."""

    choices: Choices
    mails: bool
    push_key: str
    devices: tuple[Device, ...]
    webhook_url: str | None
    log: tuple[Delivered, ...]


class ReminderSettings:
    """Everything here is the athlete's own: a coach reads and changes none of it."""

    def __init__(self, ground: Ground, channels: Channels) -> None:
        self._ground, self._channels = ground, channels

    def view(self, by: Identity, athlete_id: str) -> RemindersView:
        """Return settings, devices and the delivery log. Raises NoSuch, NotAllowed."""
        with self._ground.store.read() as tx:
            _require_own(tx, by, athlete_id)
            hook = table.webhook(tx, athlete_id)
            devices = table.subscriptions(tx, athlete_id)
            log = table.deliveries(tx, athlete_id, _LOG_SHOWN)
            choices = choices_of(table.settings(tx, athlete_id), self._ground.config)
        return RemindersView(
            choices=choices,
            mails=self._channels.mails(),
            push_key=self._channels.vapid_key().public(),
            devices=tuple(Device(row["id"], row["label"], row["created_at"]) for row in devices),
            webhook_url=None if hook is None else hook["url"],
            log=tuple(_delivered(row) for row in log),
        )

    def choose(self, by: Identity, athlete_id: str, choices: Choices) -> None:
        """Keep settings. Raises NoSuch, NotAllowed, InvalidInput."""
        choices = checked(choices)
        with self._ground.store.begin() as tx:
            _require_own(tx, by, athlete_id)
            self._save(tx, by, athlete_id, choices)

    def add_device(self, by: Identity, athlete_id: str, endpoint: str, p256dh: str, auth: str, label: str) -> str:
        """Keep a browser that takes pushes, and switch push on; return its id. The same browser again replaces itself.

        Raises NoSuch, NotAllowed, InvalidInput, Conflict (too many).
        """
        self._check_url(endpoint)
        try:
            check_keys(p256dh, auth)
        except ValueError:
            raise InvalidInput("The browser's keys cannot be read: switch push off and on again there.") from None
        with self._ground.store.begin() as tx:
            _require_own(tx, by, athlete_id)
            others = [row for row in table.subscriptions(tx, athlete_id) if row["endpoint"] != endpoint]
            if len(others) >= _DEVICES_MAX:
                raise Conflict(f"There are {_DEVICES_MAX} devices already: take one off the list first.")
            values = {"athlete_id": athlete_id, "endpoint": endpoint, "p256dh": p256dh, "auth": auth}
            label = "".join(each for each in label if each.isprintable()).strip()[:100] or "a browser"
            device_id = table.add_subscription(tx, {**values, "label": label, "created_at": self._ground.now()})
            choices = choices_of(table.settings(tx, athlete_id), self._ground.config)
            self._save(tx, by, athlete_id, replace(choices, push_on=True))
        return device_id

    def drop_device(self, by: Identity, athlete_id: str, device_id: str) -> None:
        """Take a browser off the list. Raises NoSuch, NotAllowed."""
        with self._ground.store.begin() as tx:
            _require_own(tx, by, athlete_id)
            found = table.subscription(tx, device_id)
            if found is None or found["athlete_id"] != athlete_id:
                raise NoSuch(f"There is no device {device_id} on your list.")
            table.drop_subscription(tx, device_id)

    def set_webhook(self, by: Identity, athlete_id: str, url: str) -> str:
        """Keep an address to post to, and switch it on; return the new secret, which is shown this once.

        Raises NoSuch, NotAllowed, InvalidInput.
        """
        self._check_url(url)
        secret = fresh_token()
        with self._ground.store.begin() as tx:
            _require_own(tx, by, athlete_id)
            now = self._ground.now()
            table.set_webhook(tx, athlete_id, {"url": url, "secret": secret, "created_at": now})
            choices = choices_of(table.settings(tx, athlete_id), self._ground.config)
            self._save(tx, by, athlete_id, replace(choices, webhook_on=True))
        return secret

    def drop_webhook(self, by: Identity, athlete_id: str) -> None:
        """Forget the address and its secret. Raises NoSuch, NotAllowed."""
        with self._ground.store.begin() as tx:
            _require_own(tx, by, athlete_id)
            table.set_webhook(tx, athlete_id, None)
            choices = choices_of(table.settings(tx, athlete_id), self._ground.config)
            self._save(tx, by, athlete_id, replace(choices, webhook_on=False))

    def try_channel(self, by: Identity, athlete_id: str, channel: Channel) -> int:
        """Have a test sent at the clock's next look, quiet or not; return to how many receivers.

        Raises NoSuch, NotAllowed, InvalidInput (nobody to send to), Conflict (the last one was within a minute).
        """
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            _require_own(tx, by, athlete_id)
            settings = table.settings(tx, athlete_id)
            targets = [""]
            if channel is Channel.PUSH:
                targets = [row["id"] for row in table.subscriptions(tx, athlete_id)]
            elif channel is Channel.WEBHOOK:
                targets = [""] if table.webhook(tx, athlete_id) else []
            elif settings is None or not settings["mail_address"] or not self._channels.mails():
                targets = []
            if not targets:
                raise InvalidInput("There is nobody to send a test to: save an address or switch push on first.")
            last = table.newest_test(tx, athlete_id)
            if last is not None and now - last < _TEST_EVERY:
                raise Conflict("A test was sent just now: wait a minute before the next one.")
            values = {
                "athlete_id": athlete_id,
                "session_id": None,
                "channel": channel.value,
                "lead_min": 0,
                "state": "planned",
                "tries": 0,
            }
            times = dict.fromkeys(("event_at", "remind_at", "try_at", "created_at", "updated_at"), now)
            test = {"occurrence": f"test:{fresh_id()}", "until_at": now + _TEST_FOR, **values, **times}
            table.add(tx, [test | {"target": each} for each in targets])
        return len(targets)

    def snooze(self, by: Identity, session_id: str, minutes: int | None = None) -> SessionView:
        """Move a session, and with it its reminders, later on the same day; skipping it is another thing.

        minutes: from when it is planned, or from now when that is past; None takes the athlete's own choice.
        Raises NoSuch, InvalidInput (too short or long, another day, quiet hours), Conflict (done, skipped, cancelled).
        """
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            row = require_session(tx, by, session_id, Level.PLAN)
            choices = choices_of(table.settings(tx, row["athlete_id"]), self._ground.config)
            minutes = choices.snooze_min if minutes is None else minutes
            if not SNOOZE_MIN <= minutes <= SNOOZE_MAX:
                raise InvalidInput(f"A snooze takes {SNOOZE_MIN} to {SNOOZE_MAX} minutes.")
            quiet = choices.quiet()
            zone = ZoneInfo(row["time_zone"])
            later = _later(row, max(row["due_at"], now) + timedelta(minutes=minutes), zone, quiet)
            # A released session stays released: nobody gets it twice.
            open_states = (SessionState.PLANNED.value, SessionState.DUE.value)
            moved = {"due_at": later, "local_time": later.astimezone(zone).time()}
            if not sessions.move(tx, session_id, open_states, updated_at=now, **moved):
                raise Conflict(f"This session is {row['state']} already.")
            events.record(tx, now, by.user_id, "snoozed", "session", session_id, row["athlete_id"])
            return session_view(require_session(tx, by, session_id))

    def _check_url(self, url: str) -> None:
        try:
            checked_url(url, self._ground.config.reminders.private_targets)
        except NotDelivered as error:
            raise InvalidInput(str(error)) from None

    def _save(self, tx: Tx, by: Identity, athlete_id: str, choices: Choices) -> None:
        now = self._ground.now()
        values = {
            "calendar_on": choices.calendar_on,
            "calendar_why": choices.calendar_why,
            "mail_on": choices.mail_on,
            "push_on": choices.push_on,
            "webhook_on": choices.webhook_on,
            "mail_address": choices.mail_address or None,
            "lead_min": list(choices.lead_min),
            "quiet_from": choices.quiet_from,
            "quiet_until": choices.quiet_until,
            "snooze_min": choices.snooze_min,
            "updated_at": now,
        }
        before = table.settings(tx, athlete_id)
        table.save_settings(tx, athlete_id, values)
        if choices.calendar_why != (before is not None and before["calendar_why"]):
            sessions.touch_planned(tx, athlete_id, now)
        events.record(tx, now, by.user_id, "changed reminders", "athlete", athlete_id, athlete_id)


def _require_own(tx: Tx, by: Identity, athlete_id: str) -> None:
    require_athlete(tx, by, athlete_id)
    if not speaks_for(tx, by, athlete_id):
        raise NotAllowed("Reminders are the athlete's own: they choose how and when.")


def _later(row: Row, wanted: datetime, zone: ZoneInfo, quiet: Quiet) -> datetime:
    """Return the whole minute that a session is moved to. Raises InvalidInput when it may not be then."""
    local = wanted.astimezone(zone)
    there = local_moment(local.date(), local.time().replace(second=0, microsecond=0), zone)
    if there is None or local.date() != row["local_date"]:
        raise InvalidInput("That would be another day: do it now, or skip it and say why.")
    if allowed_from(there, zone, quiet) != there:
        raise InvalidInput("That would be in your quiet hours: choose a shorter time, or skip it and say why.")
    return there


def _delivered(row: Row) -> Delivered:
    about = row["occurrence"].partition(":")[0]
    return Delivered(row["at"], Channel(row["channel"]), row["outcome"], row["said"], about, row["event_at"])
