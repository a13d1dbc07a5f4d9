"""The athlete's own days as a measure: median, MAD and robust z.

Source: robust z = .6745 (x - median) / MAD, Iglewicz and Hoaglin 1993; that 28 days are looked back on, that 14 of them
are needed and that z of 2 is a flag are own heuristics (facts of docs/findings.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

from coach.analysis.detectors.seen import grade_of
from coach.analysis.detectors.types import (
    Answer,
    Baseline,
    Day,
    DayValues,
    Flag,
    Outcome,
    Threshold,
    Thresholds,
)

# Own heuristic: four weeks hold each day of the week four times.
LOOK_BACK_DAYS = 28
# Iglewicz and Hoaglin 1993: the MAD of a normal distribution is .6745 of its standard deviation.
NORMAL_MAD = 0.6745


@dataclass(frozen=True, slots=True)
class Quantity:
    """What is compared. field: of DayValues. words: how a sentence names it, as in "{words} were above your habit".

    worn: only days that were worn enough count (`DayValues.valid`), and of the same sensor place where it is known;
    False for what is entered or does not come from the trunk sensor. by_turns: only days whose turns were measured the
    same way, with one sensor or two.
    """

    field: str
    unit: str
    words: str
    worn: bool = True
    by_turns: bool = False


@dataclass(frozen=True, slots=True)
class Compared:
    """baseline: None while learning or without a value. learning_day: n of least_days while learning.

    flag: set when the value is far above the own days.
    """

    baseline: Baseline | None
    learning_day: int | None
    flag: Flag | None


def own_days(
    quantity: Quantity,
    history: Sequence[DayValues],
    ordinal: int,
    place: str | None = None,
    from_two: bool | None = None,
    days_back: int = LOOK_BACK_DAYS,
) -> tuple[float, ...]:
    """Return the values of the days before `ordinal` that count, oldest first."""
    values = []
    for each in sorted(history, key=lambda day: day.ordinal):
        value = getattr(each, quantity.field)
        if value is None or not ordinal - days_back <= each.ordinal < ordinal:
            continue
        if quantity.worn and not (each.valid and _alike(each.trunk_place, place)):
            continue
        if quantity.by_turns and not _alike(each.turns_from_two, from_two):
            continue
        values.append(float(value))
    return tuple(values)


def baseline_of(quantity: Quantity, days: Sequence[float], value: float | None) -> Baseline:
    """Return median and MAD of the days, and the robust z of `value`. Raises ValueError without days."""
    if not days:
        raise ValueError("A baseline was asked for without any day; ask only when enough days are known.")
    middle = median(days)
    mad = median([abs(each - middle) for each in days])
    z = NORMAL_MAD * (value - middle) / mad if value is not None and mad > 0 else None
    return Baseline(quantity.field, quantity.unit, len(days), middle, mad, z)


def compare(quantity: Quantity, days: Sequence[float], value: float | None, thresholds: Thresholds) -> Compared:
    """Compare today's value with the own days. thresholds: `baseline_days` and `baseline_z`."""
    least = round(thresholds["baseline_days"].value)
    if len(days) < least:
        return Compared(None, min(len(days) + 1, least), None)
    if value is None:
        return Compared(baseline_of(quantity, days, None), None, None)
    baseline = baseline_of(quantity, days, value)
    return Compared(baseline, None, _flag(quantity, baseline, days, value, thresholds["baseline_z"]))


def beside_baseline(
    answer: Answer, quantity: Quantity, day: Day, history: Sequence[DayValues], value: float | None
) -> Answer:
    """Return a cited rule's answer with the own baseline beside it: a second flag where the rule has found something.

    The baseline alone finds nothing here, for more than usual need not be much.
    """
    days = own_days(quantity, history, day.ordinal, day.trunk_place, day.turns_from_two)
    compared = compare(quantity, days, value, answer.thresholds)
    flags = answer.flags
    if answer.outcome is Outcome.FOUND and compared.flag is not None:
        flags = (*flags, compared.flag)
    return replace(
        answer,
        flags=flags,
        grade=grade_of(flags),
        baseline=compared.baseline,
        learning_day=compared.learning_day,
    )


def _flag(quantity: Quantity, baseline: Baseline, days: Sequence[float], value: float, limit: Threshold) -> Flag | None:
    """Return the flag of a value far above the own days; where they hardly differ, of one above all of them."""
    usual = f"your usual {baseline.median:.3g} {quantity.unit} (median of {baseline.days} days)"
    if baseline.robust_z is not None:
        if baseline.robust_z < limit.value:
            return None
        statement = f"{quantity.words} came to {value:.3g} {quantity.unit}, well above {usual}."
        return Flag("above_own_days", round(baseline.robust_z, 2), limit, statement)
    if value <= max(days):
        return None
    source = "More than on any of the athlete's own days, for these differ too little for a robust z; own heuristic."
    statement = f"{quantity.words} came to {value:.3g} {quantity.unit}, more than on any of {baseline.days} own days."
    return Flag("above_all_own_days", value, Threshold(max(days), quantity.unit, source, heuristic=True), statement)


def _alike(one: object, other: object) -> bool:
    return one is None or other is None or one == other
