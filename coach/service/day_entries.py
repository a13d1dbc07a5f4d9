"""What was entered for a local day, as the detectors take it."""

from __future__ import annotations

from datetime import date, timedelta

from coach.analysis.detectors.types import Entered, PainEntry
from coach.service.types import SessionState
from coach.store import diary, sessions
from coach.store.engine import Tx
from coach.store.rows import Row

# Who has entered nothing for this long has stopped: a day without a session is then unknown, not a day of rest. Own
# heuristic: four weeks, the span of a habit.
_STILL_ENTERING = timedelta(days=28)


def entered_of(tx: Tx, athlete: Row, day: date) -> Entered:
    """Return what the athlete entered for a local day."""
    after = day + timedelta(days=1)
    rows = sessions.outcomes_between(tx, athlete["id"], day, after)
    trainings = diary.trainings_between(tx, athlete["id"], day, after)
    return Entered(
        load=_load(tx, athlete, day, rows, trainings),
        pitches=pitches_of(trainings),
        age_years=age_years(athlete["born_on"], day),
        pain=(*_in_sessions(rows), *_in_checkins(tx, athlete, day)),
    )


def has_entered(tx: Tx, athlete_id: str, day: date) -> bool:
    """Tell whether the athlete entered anything for the four weeks up to and with a day."""
    first, after = day - _STILL_ENTERING, day + timedelta(days=1)
    return sessions.answered_between(tx, athlete_id, first, after) or diary.entered_between(
        tx, athlete_id, first, after
    )


def _in_sessions(rows: list[Row]) -> list[PainEntry]:
    return [
        PainEntry(row["recorded_at"].timestamp(), None, row["pain_during"], next_morning=False)
        for row in rows
        if row["pain_during"] is not None
    ]


def _in_checkins(tx: Tx, athlete: Row, day: date) -> list[PainEntry]:
    """Return the day's own entries, and what the next morning tells of it."""
    rows = diary.checkins_between(tx, athlete["id"], day, day + timedelta(days=2))
    return [
        PainEntry(row["at"].timestamp(), row["pain_at_rest"], row["pain_in_motion"], next_morning=row["morning"])
        for row in rows
        if row["local_date"] == (day + timedelta(days=1) if row["morning"] else day)
        and (row["pain_at_rest"] is not None or row["pain_in_motion"] is not None)
    ]


def pitches_of(trainings: list[Row]) -> int | None:
    """Return a day's pitches; None where nobody has counted them."""
    known = [row["pitches"] for row in trainings if row["pitches"] is not None]
    return sum(known) if known else None


def _load(tx: Tx, athlete: Row, day: date, rows: list[Row], trainings: list[Row]) -> float | None:
    """Return effort x minutes of all sessions and trainings of a day; None where one of them is not known.

    A day without any is a day of rest for somebody who enters them. Source: Foster 2001.
    """
    loads = [_load_of(row) for row in rows]
    if any(load is None for load in loads):
        return None
    if not loads and not trainings and not has_entered(tx, athlete["id"], day):
        return None
    done = sum(row["effort"] * row["duration_min"] for row in trainings)
    return sum((load for load in loads if load is not None), float(done))


def _load_of(row: Row) -> float | None:
    """Return a session's load; None while nobody has said what became of it, or how hard it was."""
    if row["outcome"] == SessionState.SKIPPED.value and row["recorded_by"] is not None:
        return 0.0
    if row["outcome"] == SessionState.DONE.value and row["effort"] is not None:
        return float(row["effort"] * row["duration_min"])
    return None


def age_years(born_on: date | None, day: date) -> int | None:
    """Return whole years on a day; None where the date of birth is not known."""
    if born_on is None:
        return None
    return day.year - born_on.year - ((day.month, day.day) < (born_on.month, born_on.day))
