"""Heavy-back days in a row.

Source: Andersen 2017, SJWEH 43:68: low back pain of supermarket workers rose with each working day in a row, and more
after the third. That days on which repeated bending, sustained or deep flexion was found are such days, and that a
lighter one should follow three of them, is a planning default and own heuristic.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from coach.analysis.detectors.seen import grade_of, unanswered
from coach.analysis.detectors.types import Answer, Day, DayValues, Flag, Kind, Outcome, Thresholds, Window

THRESHOLDS: Mapping[str, str] = {"days": "days"}
LIMITS = (
    "A day counts as heavy by what the trunk sensor saw; what was carried and days without the sensor are not in it.",
    "It is a default for planning, taken from a group of workers; nobody knows where your own limit lies.",
)


def detect(thresholds: Thresholds, day: Day, history: Sequence[DayValues]) -> Answer:
    """Answer whether today ends a row of heavy days. history: with today's own values (judge.py)."""
    limit = thresholds["days"]
    asked = max(round(limit.value), 1)
    heavy = {each.ordinal: each.heavy_back for each in history}
    row = [heavy.get(day.ordinal - back) for back in range(asked)]
    would_change = f"A lighter day within {asked} days would change this."
    open_answer = replace(
        unanswered(Kind.HEAVY_BACK_DAYS, thresholds, day.trunk, would_change, LIMITS), coverage_share=None
    )
    if False in row:
        back = row.index(False)
        when = "this day" if back == 0 else f"the day {_days(back)} before"
        so_far = " so far" if back == 0 and not day.over else ""
        return replace(
            open_answer,
            outcome=Outcome.NONE,
            statement=f"No {asked} heavy days for the back in a row: {when} was none{so_far}.",
            values={"days": back},
        )
    if None in row:
        unknown = row.count(None)
        needs = f"the trunk sensor on {_days(asked)} in a row; {_days(unknown)} of them cannot be told"
        return replace(open_answer, needs=needs)
    days = asked
    while heavy.get(day.ordinal - days):
        days += 1
    statement = f"{days} days in a row were heavy for your back. After {asked}, a lighter one is a good default."
    flags = (Flag("in_a_row", float(days), limit, f"{days} heavy days in a row."),)
    return replace(
        open_answer,
        outcome=Outcome.FOUND,
        statement=statement,
        flags=flags,
        grade=grade_of(flags),
        windows=(Window(day.start_utc_s, day.end_utc_s),),
        values={"days": days},
    )


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"
