"""When the battery is due again: some weeks after the last one, as a local date. Not while the athlete is locked."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from coach.service.assessment_views import RETESTED, Retest
from coach.store import assessments as table
from coach.store.engine import Tx
from coach.store.rows import Row
from programs.types import Lock


def retest_of(tx: Tx, athlete: Row, now: datetime, weeks: int) -> Retest | None:
    """Return when the next battery is due; None before the first one, and while the athlete is locked."""
    if athlete["lock"] != Lock.NONE:
        return None
    last = table.newest(tx, athlete["id"], RETESTED, ("done",))
    if last is None:
        return None
    zone = ZoneInfo(athlete["time_zone"])
    due_on = last["finished_at"].astimezone(zone).date() + timedelta(weeks=weeks)
    return Retest(due_on, last["id"], now.astimezone(zone).date() >= due_on)
