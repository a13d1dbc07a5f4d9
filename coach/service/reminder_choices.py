"""How an athlete wants to be reminded, as one checked value, and what follows from it for the calendar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import time, timedelta
from zoneinfo import ZoneInfo

from coach.config import Config
from coach.errors import InvalidInput
from coach.notify.mail import checked_address
from coach.service.reminder_times import QUIET_MAX, Quiet, reminders_of
from coach.service.types import SessionState, SessionView
from coach.store.rows import Row

# Own bounds, in minutes.
SNOOZE_MIN, SNOOZE_MAX = 5, 180
_LEADS_MAX, _LEAD_MAX_MIN = 4, 24 * 60
# What a snooze is until the athlete chooses another. Own choice.
_SNOOZE_DEFAULT = 30


@dataclass(frozen=True, slots=True)
class Choices:
    """An athlete's settings. lead_min: minutes before a session, each a reminder. Quiet hours are local.

    calendar_why: whether the calendar link also says why a session is asked for; whoever runs the calendar reads it.
    """

    calendar_on: bool
    mail_on: bool
    push_on: bool
    webhook_on: bool
    mail_address: str
    lead_min: tuple[int, ...]
    quiet_from: time
    quiet_until: time
    snooze_min: int
    calendar_why: bool = False

    def quiet(self) -> Quiet:
        """Return the quiet hours."""
        return Quiet(self.quiet_from, self.quiet_until)


def choices_of(row: Row | None, config: Config) -> Choices:
    """Return an athlete's choices; before the first one the calendar's alarms only, as config.toml has them."""
    if row is None:
        section = config.reminders
        first, last = time.fromisoformat(section.quiet_from), time.fromisoformat(section.quiet_until)
        return Choices(True, False, False, False, "", section.lead_min, first, last, _SNOOZE_DEFAULT)
    return Choices(
        calendar_on=row["calendar_on"],
        mail_on=row["mail_on"],
        push_on=row["push_on"],
        webhook_on=row["webhook_on"],
        mail_address=row["mail_address"] or "",
        lead_min=tuple(row["lead_min"]),
        quiet_from=row["quiet_from"],
        quiet_until=row["quiet_until"],
        snooze_min=row["snooze_min"],
        calendar_why=row["calendar_why"],
    )


def checked(choices: Choices) -> Choices:
    """Return choices that can be kept, lead times longest first. Raises InvalidInput."""
    leads: Sequence[int] = sorted(set(choices.lead_min), reverse=True)
    if len(leads) > _LEADS_MAX or any(not 0 <= each <= _LEAD_MAX_MIN for each in leads):
        raise InvalidInput(f"Choose at most {_LEADS_MAX} lead times, each from 0 minutes to a day.")
    if choices.quiet().length() > QUIET_MAX:
        raise InvalidInput("Quiet hours take at most 16 hours of a day: choose shorter ones.")
    if not SNOOZE_MIN <= choices.snooze_min <= SNOOZE_MAX:
        raise InvalidInput(f"A snooze takes {SNOOZE_MIN} to {SNOOZE_MAX} minutes.")
    address = checked_address(choices.mail_address) if choices.mail_address.strip() else ""
    if choices.mail_on and not address:
        raise InvalidInput("Reminders by mail need an address: enter one, or leave mail off.")
    return replace(choices, lead_min=tuple(leads), mail_address=address)


def alarms_of(sessions: Sequence[SessionView], choices: Choices) -> dict[str, tuple[int, ...]]:
    """Return by session how many minutes before it a calendar reminds; none in quiet hours, none when it is over."""
    if not choices.calendar_on:
        return {}
    found: dict[str, tuple[int, ...]] = {}
    for each in sessions:
        if each.state is SessionState.PLANNED:
            moments = reminders_of(each.due_at, choices.lead_min, None, ZoneInfo(each.time_zone), choices.quiet())
            before = [
                (each.due_at - moment) // timedelta(minutes=1) for moment in moments.values() if moment is not None
            ]
            found[each.session_id] = tuple(before)
    return found
