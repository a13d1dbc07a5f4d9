"""What asks for a lighter week, from days and the diary. What is not known asks for nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from coach.analysis.detectors.types import Kind, Outcome
from coach.analysis.load import Week, estimate_week
from coach.service.local_days import day_of
from coach.store import days, outcomes
from coach.store.engine import Tx
from coach.store.rows import Row
from programs.pain import Zone
from programs.progress import Strain

# Days back that mornings of low heart-rate variability are counted. Own choice: more than a lighter week asks for.
_MORNINGS = timedelta(days=10)
_DAY = timedelta(days=1)
_DAYS_IN_WEEK = 7


def strain_of(tx: Tx, athlete: Row, zones: Sequence[Zone], now: datetime) -> Strain:
    """Return the signs of strain. zones: of the sessions since the last change of the program, oldest first."""
    today = day_of(athlete, now.timestamp())
    return Strain(
        monotony=_monotony(tx, athlete["id"], today),
        load_rise_share=_load_rise_share(tx, athlete["id"], today),
        low_hrv_days=_low_hrv_days(tx, athlete["id"], today),
        sleep_h=outcomes.slept_h(tx, athlete["id"], today),
        ambers=_ambers(zones),
    )


def _monotony(tx: Tx, athlete_id: str, today: date) -> float | None:
    """Return that of the seven days up to today, or up to yesterday while today's load is not known."""
    stored = days.newest_values(tx, athlete_id, today - _DAYS_IN_WEEK * _DAY, today + _DAY)
    loads = {row["local_date"]: row["values"].get("load") for row in stored}
    for last in (today, today - _DAY):
        week = estimate_week([loads.get(last - back * _DAY) for back in range(_DAYS_IN_WEEK)])
        if isinstance(week, Week):
            return week.monotony
    return None


def _load_rise_share(tx: Tx, athlete_id: str, today: date) -> float | None:
    """Return how far the newest week whose load was judged is above the habit, of today or yesterday."""
    answers = outcomes.answers_of_kind(tx, athlete_id, Kind.LOAD_ABOVE_HABIT.value, today - _DAY, today + _DAY)
    known = [answers[day]["because"].get("values", {}).get("rise_share") for day in sorted(answers)]
    return next((float(share) for share in reversed(known) if share is not None), None)


def _low_hrv_days(tx: Tx, athlete_id: str, today: date) -> int | None:
    """Return how many days in a row, the newest today or yesterday, were found low; None where none was judged."""
    answers = outcomes.answers_of_kind(tx, athlete_id, Kind.LOW_HRV.value, today - _MORNINGS, today + _DAY)
    judged = {day: row["outcome"] for day, row in answers.items() if row["outcome"] in (Outcome.FOUND, Outcome.NONE)}
    last = next((day for day in (today, today - _DAY) if day in judged), None)
    if last is None:
        return None
    count = 0
    while judged.get(last - count * _DAY) == Outcome.FOUND:
        count += 1
    return count


def _ambers(zones: Sequence[Zone]) -> int:
    """Return the amber sessions since the last green one."""
    count = 0
    for each in reversed(zones):
        if each is Zone.GREEN:
            break
        count += each is Zone.AMBER
    return count
