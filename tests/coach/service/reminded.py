"""A club whose athlete is reminded, and sessions put where a test wants them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from coach.config import Config
from coach.service.reminder_choices import Choices
from coach.store import plans, sessions
from coach.store.engine import Store
from coach.store.notification_tables import reminder
from coach.store.rows import Row, many
from tests.coach.club import Club, FakeClock, found_club

BERLIN = ZoneInfo("Europe/Berlin")
CHOICES = Choices(True, False, False, False, "ada@example.org", (30,), time(22, 0), time(7, 0), 30)


def config_of(folder: Path, mail_port: int = 25, **reminders: object) -> Config:
    """A server on this machine takes mails; pushes and webhooks may go to this machine."""
    mail = {"host": "127.0.0.1", "port": mail_port, "tls": "none", "sender": "backstop@example.org"}
    section = {"private_targets": True, **reminders}
    return Config(storage={"directory": folder}, reminders=section, mail=mail)  # type: ignore[arg-type]


def reminded_club(store: Store, clock: FakeClock, config: Config, **choices: object) -> Club:
    club = found_club(store, clock, config=config)
    chosen = replace(CHOICES, **choices)  # type: ignore[arg-type]
    club.services.reminder_settings.choose(club.athlete, club.athlete_id, chosen)
    return club


def plan_sessions(club: Club, dues: Sequence[datetime], slot: str = "slot", zone: str = "Europe/Berlin") -> list[str]:
    """Insert planned sessions as the tables want them; what places them is tested elsewhere."""
    with club.store.begin() as tx:
        values = {"state": "accepted", "prescription": {}, "need_kinds": [], "finding_ids": []}
        plan_id = plans.add(tx, {"athlete_id": club.athlete_id, "created_at": club.clock.now, **values})
        ids = []
        for number, due_at in enumerate(dues):
            local = due_at.astimezone(ZoneInfo(zone))
            row = {
                "athlete_id": club.athlete_id,
                "plan_id": plan_id,
                "slot": f"{slot}-{number}",
                "state": "planned",
                "local_date": local.date(),
                "local_time": local.time(),
                "time_zone": zone,
                "due_at": due_at,
                "duration_min": 12,
                "exercises": [],
                "because": "Your back bent more than usual, and it hurt.",
                "created_at": club.clock.now,
                # Before everything else, so that no lead time was over by then.
                "updated_at": club.clock.now - timedelta(days=1),
            }
            ids.append(sessions.add(tx, row))
    return ids


def tick(club: Club, now: datetime | None = None) -> int:
    """What coach.clock does, at a moment to which the clock is moved."""
    club.clock.now = now or club.clock.now
    club.services.reminders.plan(club.clock.now)
    return club.services.reminders.send_due(club.clock.now)


def rows(club: Club) -> list[Row]:
    with club.store.read() as tx:
        return many(tx, reminder.select().order_by(reminder.c.remind_at, reminder.c.id))


def log(club: Club) -> list[tuple[str, str, str]]:
    view = club.services.reminder_settings.view(club.athlete, club.athlete_id)
    return [(each.channel.value, each.outcome, each.said) for each in reversed(view.log)]
