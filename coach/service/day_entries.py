"""What was entered for a local day, as the detectors take it."""

from __future__ import annotations

from datetime import date, timedelta

from coach.analysis.detectors.types import Entered, PainEntry
from coach.service.types import SessionState
from coach.store import sessions
from coach.store.engine import Tx
from coach.store.rows import Row

# Who has entered nothing for this long has stopped: a day without a session is then unknown, not a day of rest. Own
# heuristic: four weeks, the span of a habit.
_STILL_ENTERING = timedelta(days=28)


def entered_of(tx: Tx, athlete: Row, day: date) -> Entered:
    """Return what the athlete entered for a local day."""
    rows = sessions.outcomes_between(tx, athlete["id"], day, day + timedelta(days=1))
    return Entered(
        load=_load(tx, athlete, day, rows),
        age_years=_age_years(athlete["born_on"], day),
        pain=tuple(
            PainEntry(row["recorded_at"].timestamp(), None, row["pain_during"], next_morning=False)
            for row in rows
            if row["pain_during"] is not None
        ),
    )


def has_entered(tx: Tx, athlete_id: str, day: date) -> bool:
    """Tell whether the athlete entered anything for the four weeks up to and with a day."""
    return sessions.answered_between(tx, athlete_id, day - _STILL_ENTERING, day + timedelta(days=1))


def _load(tx: Tx, athlete: Row, day: date, rows: list[Row]) -> float | None:
    """Return effort x planned minutes of all sessions of a day; None where one of them is not known.

    A day without a session is a day of rest for somebody who enters sessions. Source: Foster 2001.
    """
    loads = [_load_of(row) for row in rows]
    if any(load is None for load in loads):
        return None
    if not loads and not has_entered(tx, athlete["id"], day):
        return None
    return sum(load for load in loads if load is not None)


def _load_of(row: Row) -> float | None:
    """Return a session's load; None while nobody has said what became of it, or how hard it was."""
    if row["outcome"] == SessionState.SKIPPED.value and row["recorded_by"] is not None:
        return 0.0
    if row["outcome"] == SessionState.DONE.value and row["effort"] is not None:
        return float(row["effort"] * row["duration_min"])
    return None


def _age_years(born_on: date | None, day: date) -> int | None:
    if born_on is None:
        return None
    return day.year - born_on.year - ((day.month, day.day) < (born_on.month, born_on.day))
