"""Training load against the athlete's own habit, from effort and minutes as entered.

Source: Foster 1998 and 2001 (load, monotony), Williams 2017 (EWMA); that 30 % above the habit is worth a word is an own
heuristic. Ratios of acute to chronic load predict nothing for a person (Impellizzeri 2020) and are never shown as such.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from coach.analysis.detectors.seen import grade_of, unanswered
from coach.analysis.detectors.types import Answer, Day, DayValues, Flag, Kind, Outcome, Thresholds
from coach.analysis.detectors.wording import percent, rounded
from coach.analysis.load import CHRONIC_DAYS, Habit, HabitState, Week, add_day, estimate_week, habit
from coach.analysis.types import NotComputable

THRESHOLDS: Mapping[str, str] = {"rise_share": "share", "monotony": "1", "known_days": "days"}
LIMITS = (
    "Load is effort times minutes as you entered them; work that was not entered is not in it.",
    "A week above your habit is no forecast of anything; it says only that it is more than you are used to.",
)
# Own heuristic: the averages remember about three times their span.
LOOK_BACK_DAYS = 3 * CHRONIC_DAYS


def detect(thresholds: Thresholds, day: Day, history: Sequence[DayValues]) -> Answer:
    """Answer whether the week is far above the four-week habit; beside that, a monotonous week is a second flag."""
    answer = unanswered(
        Kind.LOAD_ABOVE_HABIT, thresholds, None, "An easier day, or some weeks at this load, would change this.", LIMITS
    )
    if day.entered.load is None:
        return replace(
            answer, needs="the load of the day: effort from 0 to 10 and minutes, or that it was a day of rest"
        )
    loads = _loads(day, history)
    known = sum(load is not None for load in loads)
    least = round(thresholds["known_days"].value)
    if known < least:
        return replace(answer, needs=f"{least} days with a known load, days of rest included; so far {known}")
    state = HabitState()
    for load in loads:
        state = add_day(state, load)
    told = habit(state)
    if isinstance(told.week_against_usual, NotComputable):
        return replace(answer, needs=told.week_against_usual.needs)
    rise = told.week_against_usual - 1.0
    week = estimate_week(loads[-7:])
    answer = replace(answer, values=_values(told, week, rise))
    limit = thresholds["rise_share"]
    if rise < limit.value - 1e-9:
        return replace(answer, outcome=Outcome.NONE, statement=_usual(rise))
    said = f"Your load this week is {percent(rise)} above your 4-week habit."
    flags = [Flag("above_habit", round(rise, 4), limit, said)]
    if isinstance(week, Week) and week.monotony > thresholds["monotony"].value:
        alike = f"The days of this week were much alike (monotony {week.monotony:.1f})."
        flags.append(Flag("monotony", round(week.monotony, 2), thresholds["monotony"], alike))
    return replace(
        answer,
        outcome=Outcome.FOUND,
        statement=" ".join((*(flag.statement for flag in flags), "Consider an easier day.")),
        grade=grade_of(flags),
        flags=tuple(flags),
    )


def _loads(day: Day, history: Sequence[DayValues]) -> list[float | None]:
    """Return the load of each day from the first known one to this one; None for a day of which nothing is known."""
    known = {
        each.ordinal: each.load
        for each in history
        if each.load is not None and day.ordinal - LOOK_BACK_DAYS < each.ordinal < day.ordinal
    }
    first = min(known, default=day.ordinal)
    return [*(known.get(ordinal) for ordinal in range(first, day.ordinal)), day.entered.load]


def _usual(rise: float) -> str:
    if abs(rise) < 0.005:
        return "Your load this week is at your 4-week habit."
    return f"Your load this week is {percent(abs(rise))} {'above' if rise > 0 else 'below'} your 4-week habit."


def _values(told: Habit, week: Week | NotComputable, rise: float) -> dict[str, object]:
    values: dict[str, object] = {
        "rise_share": round(rise, 4),
        "acute": _number(told.acute),
        "habit": _number(told.chronic),
        "week_on_week_share": _number(told.week_on_week_share),
        "largest_jump_share": _number(told.largest_jump_share),
        "missing_days": told.missing_days,
    }
    return values | {"monotony": None if isinstance(week, NotComputable) else round(week.monotony, 2)}


def _number(value: float | NotComputable) -> float | None:
    return None if isinstance(value, NotComputable) else rounded(value, 4)
