"""From the sessions that are planned to those of a changed plan or week: the fewest are moved, the rest stay rows."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from coach.service import planning
from coach.service.canonical import plain
from coach.store import events, sessions
from coach.store.engine import Tx
from coach.store.rows import Row
from programs.replace import Held, replace_sessions
from programs.types import PlannedSession, Prescription

_PLANNED = ("planned",)


def replace_planned(
    tx: Tx,
    athlete: Row,
    plan_id: str,
    prescription: Prescription,
    starts_on: date,
    now: datetime,
    horizon_days: int,
    why: str,
    not_before: date | None = None,
) -> None:
    """Turn what is planned and still ahead into the plan's sessions; what is past its time is cancelled.

    A session that stays on its day keeps its row, and so its place in a calendar. not_before: as in `place`.
    Raises programs.ProgramError.
    """
    planned = sessions.planned(tx, athlete["id"])
    ahead = [row for row in planned if row["due_at"] > now]
    keep = {row["id"]: row for row in ahead}
    taken = sessions.taken_slots(tx, athlete["id"]) - {row["slot"] for row in planned}
    wanted = {row["local_date"]: row["due_at"] for row in ahead}
    placed = planning.sessions_to_place(
        tx, athlete, prescription, starts_on, now, taken, horizon_days, wanted, not_before
    )
    change = replace_sessions([Held(row["id"], row["slot"], row["due_at"]) for row in ahead], placed)
    gone = [row["id"] for row in planned if row["id"] not in keep] + [held.key for held in change.cancelled]
    for session_id in gone:
        sessions.move(tx, session_id, _PLANNED, state="cancelled", updated_at=now)
        events.record(tx, now, "service", "cancelled", "session", session_id, athlete["id"], why)
    for held, session in change.kept:
        _change(tx, keep[held.key], session, athlete, plan_id, now)
    for held, session in change.moved:
        _change(tx, keep[held.key], session, athlete, plan_id, now)
        events.record(tx, now, "service", "moved", "session", held.key, athlete["id"], why)
    planning.add_sessions(tx, change.added, athlete, plan_id, now)


def _change(tx: Tx, row: Row, session: PlannedSession, athlete: Row, plan_id: str, now: datetime) -> None:
    """Write what differs; a session that stays as it is is not touched, so that no calendar is told of it."""
    wanted: dict[str, Any] = planning.session_values(session, athlete, plan_id, now)
    # A row has lists where the values have tuples.
    wanted["exercises"] = plain(wanted["exercises"])
    changes = {
        name: value for name, value in wanted.items() if name not in ("created_at", "updated_at") and row[name] != value
    }
    if changes:
        sessions.move(tx, row["id"], _PLANNED, **changes, updated_at=now)
