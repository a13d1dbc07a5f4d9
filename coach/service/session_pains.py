"""The traffic light over what is stored: the zone of each session that was done, and the pain that is usual."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from statistics import median

from coach.service.local_days import day_of
from coach.store import care, outcomes
from coach.store.engine import Tx
from coach.store.rows import Row
from programs.pain import BASELINE_ENTRIES, BASELINE_MIN_ENTRIES, SessionPain, Zone, baseline, zone

# How far back resting pain is read before a session: seven entries of somebody who tells of it weekly. Own choice.
_LOOK_BACK = timedelta(days=100)
_PAINS = ("pain_at_rest", "pain_in_motion")
_DAY, _WEEK = timedelta(days=1), timedelta(days=7)


@dataclass(frozen=True, slots=True)
class JudgedSession:
    """One session that was done. due_at, recorded_at: aware UTC."""

    session_id: str
    local_date: date
    due_at: datetime
    recorded_at: datetime
    zone: Zone


def judged_sessions(tx: Tx, athlete_id: str, plan_id: str, after: datetime) -> tuple[JudgedSession, ...]:
    """Return the sessions of a plan that were done, due after a moment, each in its zone, in order of time.

    Left out: walking and rest that stood in for a session, and what was before safety questions that locked: they were
    a stop sign, and the count begins anew. A session near medicine is never green (biomechanics 5.7): see `_zone`.
    """
    rows = outcomes.done_of_plan(tx, plan_id, max(after, _stopped_at(tx, athlete_id)))
    if not rows:
        return ()
    told = outcomes.told_pain(tx, athlete_id, rows[0]["local_date"] - _LOOK_BACK)
    first = outcomes.first_resting_pain(tx, athlete_id)
    return tuple(
        JudgedSession(
            row["session_id"],
            row["local_date"],
            row["due_at"],
            row["recorded_at"],
            _zone(tx, athlete_id, row, told, first),
        )
        for row in rows
    )


def usual_pain(tx: Tx, athlete: Row, now: datetime) -> float | None:
    """Return the baseline as of now; None while no resting pain was ever told."""
    today = day_of(athlete, now.timestamp())
    told = outcomes.told_pain(tx, athlete["id"], today - _LOOK_BACK)
    return _baseline(told, outcomes.first_resting_pain(tx, athlete["id"]), now + timedelta(microseconds=1))


def masked(tx: Tx, athlete_id: str, day: date) -> bool:
    """Tell whether medicine may hide what a local day hurts: taken on it or on the day before.

    A treatment is kept by the day, so that 24 hours are two days. Source: biomechanics 5.7, own heuristic.
    """
    return care.medicine_within(tx, athlete_id, day - _DAY, day)


def calm_mornings(tx: Tx, athlete_id: str, days: Sequence[date]) -> int:
    """Return after how many local days, which may come more than once, the next morning was no worse than usual before.

    A morning that was not told is none of them.
    """
    told = outcomes.told_pain(tx, athlete_id, min(days) - _LOOK_BACK) if days else []
    first = outcomes.first_resting_pain(tx, athlete_id)

    def calm(day: date) -> bool:
        before = [row for row in told if row["local_date"] <= day]
        usual = _baseline(before, first, before[-1]["at"] + timedelta(microseconds=1)) if before else None
        morning = _next_morning(told, day)
        return usual is not None and morning is not None and morning <= usual

    return sum(map(calm, days))


def _stopped_at(tx: Tx, athlete_id: str) -> datetime:
    """Return when the newest answers that locked were given, whoever has lifted that since; long ago where none did."""
    return outcomes.last_locked(tx, athlete_id) or datetime.fromtimestamp(0, UTC)


def _zone(tx: Tx, athlete_id: str, session: Row, told: Sequence[Row], first: Row | None) -> Zone:
    """Return the zone of one session. Green only where medicine masks neither it nor its next morning."""
    day = session["local_date"]
    usual = _baseline(told, first, session["due_at"])
    morning = _next_morning(told, day)
    pain = SessionPain(
        during=session["pain_during"],
        after=_after(told, session),
        # Without a pain that is usual nobody can say whether the morning was.
        next_morning=morning if usual is not None else None,
        baseline=usual if usual is not None else 0.0,
        weekly_medians=_weekly(told, day + _DAY),
    )
    found = zone(pain)
    hidden = found is Zone.GREEN and care.medicine_within(tx, athlete_id, day - _DAY, day + _DAY)
    return Zone.HOLD if hidden else found


def _baseline(told: Sequence[Row], first: Row | None, before: datetime) -> float | None:
    """Return the usual resting pain before a moment; what was told first stands in while there are few entries."""
    resting = [row["pain_at_rest"] for row in told if row["pain_at_rest"] is not None and row["at"] < before]
    if len(resting) >= BASELINE_MIN_ENTRIES:
        return baseline(resting[-BASELINE_ENTRIES:], resting[-1])
    return float(first["pain_at_rest"]) if first is not None and first["at"] < before else None


def _after(told: Sequence[Row], session: Row) -> float | None:
    """Return the worst that was told of the time after a session, with it or in check-ins later that day."""
    later = [
        worst
        for row in told
        if row["local_date"] == session["local_date"]
        and row["at"] >= session["recorded_at"]
        and (worst := _worst(row)) is not None
    ]
    return max([*later, *([session["pain_after"]] if session["pain_after"] is not None else [])], default=None)


def _next_morning(told: Sequence[Row], day: date) -> float | None:
    """Return the worst resting pain of the morning after a day; pain in motion counts where nothing else was told."""
    mornings = [row for row in told if row["morning"] and row["local_date"] == day + _DAY]
    resting, moving = ([row[name] for row in mornings if row[name] is not None] for name in _PAINS)
    return max(resting or moving, default=None)


def _weekly(told: Sequence[Row], last: date) -> tuple[float, float] | None:
    """Return the median resting pain of the week before last and of the last one; None with few entries in either."""
    weeks = []
    for end in (last - _WEEK, last):
        resting = [
            row["pain_at_rest"]
            for row in told
            if row["pain_at_rest"] is not None and end - _WEEK < row["local_date"] <= end
        ]
        if len(resting) < BASELINE_MIN_ENTRIES:
            return None
        weeks.append(float(median(resting)))
    return weeks[0], weeks[1]


def _worst(row: Row) -> int | None:
    return max((row[name] for name in _PAINS if row[name] is not None), default=None)
