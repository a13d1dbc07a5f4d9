"""A change of when an athlete can train, and what it does to the sessions that are planned."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from coach.errors import InvalidInput
from coach.service import planning
from coach.service.availability import checked, columns_of
from coach.service.ground import Ground
from coach.service.local_days import day_of, zones_until
from coach.service.permission import require_athlete
from coach.service.plain import prescription_from_plain
from coach.service.planning import session_view
from coach.service.replacing import replace_planned
from coach.service.throwing import rest_until
from coach.service.types import Identity, Level, SessionView
from coach.store import athletes, days, events, sessions
from coach.store.engine import Tx
from coach.store.rows import Row
from programs.errors import ProgramError
from programs.place import local_moment, zone_on
from programs.types import Availability


@dataclass(frozen=True, slots=True)
class WeekChange:
    """What became of the sessions that were planned. kept: how many stay at their moment. moved: (before, after)."""

    kept: int
    moved: tuple[tuple[SessionView, SessionView], ...]
    added: tuple[SessionView, ...]
    cancelled: tuple[SessionView, ...]

    @property
    def nothing(self) -> bool:
        """Tell whether every session stays."""
        return not (self.moved or self.added or self.cancelled)


def change_week(tx: Tx, ground: Ground, by: Identity, athlete_id: str, wanted: Availability) -> WeekChange:
    """Keep an availability and bring what is planned to it. Raises NoSuch, InvalidInput; see Athletes."""
    wanted, now = checked(wanted), ground.now()
    before = require_athlete(tx, by, athlete_id, Level.PLAN)
    planned = {row["id"]: row for row in sessions.planned(tx, athlete_id)}
    columns = columns_of(wanted)
    athletes.change(tx, athlete_id, **columns)
    events.record(tx, now, by.user_id, "changed availability", "athlete", athlete_id, athlete_id)
    changed = {name for name, value in columns.items() if before[name] != value}
    if "time_zone" in changed:
        # What was lived and judged stays cut as it was.
        athletes.change(tx, athlete_id, past_zones=zones_until(before, now))
        days.mark(tx, athlete_id, day_of(before, now.timestamp()), now)
        _take_along(tx, athlete_id, wanted, now)
    if changed - {"time_zone"}:
        _place_anew(tx, ground, athlete_id, now)
    return _compared(planned, {row["id"]: row for row in sessions.planned(tx, athlete_id)})


def _take_along(tx: Tx, athlete_id: str, wanted: Availability, now: datetime) -> None:
    """Keep local date and time in another zone; what is past there, or skipped by its clock, is cancelled."""
    for row in sessions.planned(tx, athlete_id):
        time_zone = zone_on(wanted, row["local_date"])
        due_at = local_moment(row["local_date"], row["local_time"], ZoneInfo(time_zone))
        if due_at is not None and due_at > now:
            sessions.move(tx, row["id"], ("planned",), due_at=due_at, time_zone=time_zone, updated_at=now)
        else:
            sessions.move(tx, row["id"], ("planned",), state="cancelled", updated_at=now)
            events.record(tx, now, "service", "cancelled", "session", row["id"], athlete_id, "another time zone")


def _place_anew(tx: Tx, ground: Ground, athlete_id: str, now: datetime) -> None:
    athlete = athletes.get(tx, athlete_id)
    plan = planning.has_running(tx, athlete, now) if athlete is not None else None
    if athlete is None or plan is None:
        return
    program, days_ahead = prescription_from_plain(plan["prescription"]), ground.config.program.plan_ahead_days
    not_before = rest_until(tx, ground, athlete, program, now)
    try:
        replace_planned(
            tx, athlete, plan["id"], program, plan["starts_on"], now, days_ahead, "another availability", not_before
        )
    except ProgramError as error:
        raise InvalidInput(str(error)) from None


def _compared(before: dict[str, Row], after: dict[str, Row]) -> WeekChange:
    both = [(before[key], row) for key, row in after.items() if key in before]
    moved = [(session_view(old), session_view(new)) for old, new in both if old["due_at"] != new["due_at"]]
    added = [session_view(row) for key, row in after.items() if key not in before]
    cancelled = [session_view(row) for key, row in before.items() if key not in after]
    return WeekChange(
        len(both) - len(moved),
        tuple(sorted(moved, key=lambda pair: pair[1].due_at)),
        tuple(sorted(added, key=lambda each: each.due_at)),
        tuple(sorted(cancelled, key=lambda each: each.due_at)),
    )
