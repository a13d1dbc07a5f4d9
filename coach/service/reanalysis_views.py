"""A run that analyses history anew, as its rows say."""

from __future__ import annotations

from datetime import datetime, timedelta

from coach.service.reanalysis_types import DayState, FailedDay, Part, RunState, RunView, Why
from coach.store import athletes, people
from coach.store import reanalysis as rows
from coach.store.engine import Tx
from coach.store.rows import Row

# s over which the speed is told. Own choice.
_SPEED_S = 60.0
# Failed days that are told. Own choice.
_FAILED_SHOWN = 200
_OVER = (DayState.DONE, DayState.FAILED)


def view_of(tx: Tx, run: Row, now: datetime) -> RunView:
    """Return a run and how far it is."""
    sums = rows.sums(tx, run["id"])
    all_of = {part: sum(row["count"] for row in sums if row["part"] == part) for part in Part}
    over = {part: sum(row["count"] for row in sums if row["part"] == part and row["state"] in _OVER) for part in Part}
    total, done = sum(all_of.values()), sum(over.values())
    running = run["state"] == RunState.RUNNING
    per_s = _speed(tx, run, now) if running else None
    athlete = athletes.get(tx, run["athlete_id"]) if run["athlete_id"] else None
    asker = people.user(tx, run["asked_by"]) if run["asked_by"] else None
    whole = {name: sum(row[name] for row in sums) for name in ("recordings", "gone", "chunks", "days")}
    return RunView(
        run_id=run["id"],
        why=Why(run["why"]),
        state=RunState(run["state"]),
        athlete_name=athlete["name"] if athlete is not None else None,
        asked_by=asker["name"] if asker is not None else None,
        since=run["since"],
        algorithm_version=run["algorithm_version"],
        begun_at=run["begun_at"],
        ended_at=run["ended_at"],
        days=all_of[Part.SIGNAL],
        days_done=over[Part.SIGNAL],
        athletes=all_of[Part.JUDGING],
        athletes_done=over[Part.JUDGING],
        failed=sum(row["count"] for row in sums if row["state"] == DayState.FAILED),
        recordings=whole["recordings"],
        gone=whole["gone"],
        chunks=whole["chunks"],
        days_judged=whole["days"],
        share=done / total if total else 1.0,
        days_per_min=60.0 * per_s if per_s is not None else None,
        left_s=(total - done) / per_s if per_s is not None else None,
        rests=running and run["works_until"] is not None and run["works_until"] <= now,
        failed_days=_failed(tx, run["id"]),
    )


def _speed(tx: Tx, run: Row, now: datetime) -> float | None:
    """Return items a second over the last minute, None while there were none."""
    recent = rows.ended_since(tx, run["id"], now - timedelta(seconds=_SPEED_S))
    spent_s = min(_SPEED_S, max(1.0, (now - run["begun_at"]).total_seconds()))
    return recent / spent_s if recent else None


def _failed(tx: Tx, run_id: str) -> tuple[FailedDay, ...]:
    return tuple(
        FailedDay(row["athlete_id"], row["athlete_name"], Part(row["part"]), row["local_date"], row["reason"] or "")
        for row in rows.failed(tx, run_id, _FAILED_SHOWN)
    )
