"""Sessions whose time came while nobody released them: which give way by [sessions] of config.toml, and which wait."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from coach.config import SessionsSection
from coach.service.availability import zone_at
from coach.store import events, sessions
from coach.store.engine import Tx
from programs.place import NIGHT_END, NIGHT_START


def give_way(tx: Tx, now: datetime, config: SessionsSection) -> None:
    """Cancel what is too late by the policy: what a later one of the athlete's that is due stands for, or all of it."""
    before = now - timedelta(hours=config.late_h)
    if config.missed == "newest":
        gone, why = sessions.cancel_overtaken(tx, now, before), "overtaken"
    else:
        gone, why = sessions.cancel_due_before(tx, now, before), "too late"
    for row in gone:
        events.record(tx, now, "clock", "cancelled", "session", row["id"], row["athlete_id"], why)


def asleep(tx: Tx, now: datetime) -> frozenset[str]:
    """Return the athletes with something due for whom it is from 01:00 to 03:30 now, where they are.

    Nothing is planned for these hours; what is late does not come in them either.
    """
    return frozenset(row["id"] for row in sessions.athletes_due(tx, now) if _is_night(now, zone_at(row, now)))


def _is_night(now: datetime, time_zone: str) -> bool:
    clock = now.astimezone(ZoneInfo(time_zone)).time().replace(second=0, microsecond=0, fold=0)
    return NIGHT_START <= clock <= NIGHT_END
