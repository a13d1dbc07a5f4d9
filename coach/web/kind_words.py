"""Kinds, flags and values as words: one table for each, held to the detectors by a test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from coach.analysis.detectors.types import Kind, Outcome
from coach.service.types import AnswerView, FindingView
from coach.web import words
from coach.web.limit_words import how_much

# Kinds: their name, and what is looked for.
KINDS: Mapping[str, tuple[str, str]] = {
    Kind.REPEATED_BENDING: ("Repeated bending", "bending forward again and again without a break"),
    Kind.SUSTAINED_FLEXION: ("Staying bent", "holding the trunk bent for long"),
    Kind.DEEP_FLEXION: ("Bending deep", "much of the time worn with the trunk bent far forward"),
    Kind.REPEATED_ROTATION: ("Repeated turning", "turning the trunk fast, again and again"),
    Kind.ONE_SIDED_STROKES: ("More to one side", "one side used more than the other, beyond what is usual"),
    Kind.STROKE_COUNT: ("Swings and throws", "clearly more of them than on your other days of play"),
    Kind.PITCH_COUNT: ("Pitches and rest days", "pitches as entered against the guideline for the age"),
    Kind.SHORT_RECOVERY: ("Short pauses", "pauses that are shorter than the repeated work before them asks for"),
    Kind.DEGRADING_MOVEMENT: ("Movement towards the end", "the end of a set that differs from its beginning"),
    Kind.HEAVY_BACK_DAYS: ("Heavy days in a row", "days in a row with much bending"),
    Kind.LOAD_ABOVE_HABIT: ("Training load", "a week far above your own four weeks"),
    Kind.LOW_HRV: ("Heart in the morning", "variability of the heart rate below your own range"),
    Kind.PAIN_WITH_MOVEMENT: ("Pain and movement", "more pain in the morning after days with more of a movement"),
}
# Flags: what is compared, and how the value passes its limit.
FLAGS: Mapping[str, tuple[str, str]] = {
    "repeated": ("How often", "a flag above"),
    "held": ("How long held", "a flag above"),
    "deep": ("How much of the time", "a flag above"),
    "to_one_side": ("Share of one side", "a flag from"),
    "above_own_days": ("Against your own days", "a flag from"),
    "above_all_own_days": ("Against your own days", "a flag above"),
    "daily_max": ("Pitches in a day", "a flag above"),
    "rest_owed": ("Days of rest", "a flag below"),
    "days_in_a_row": ("Days in a row", "a flag above"),
    "short_pause": ("Pause as a part of the work before it", "a flag below"),
    "degrading_repetitions": ("Signs at the end of a set", "a flag from"),
    "degrading_strokes": ("Signs at the end of a bout", "a flag from"),
    "in_a_row": ("Days in a row", "a flag from"),
    "above_habit": ("Above your habit by", "a flag from"),
    "monotony": ("Monotony of the week", "a flag above"),
    "below_own_range": ("Mean of the week", "a flag below"),
    "pain_goes_with": ("How likely by chance alone", "a flag below"),
}
# Values of an answer: what they are, and their unit.
VALUES: Mapping[str, tuple[str, str]] = {
    "bends": ("bends", ""),
    "stretches": ("stretches", ""),
    "duration_min": ("for", "min"),
    "rate_mean_per_min": ("mean rate", "per min"),
    "rate_max_per_min": ("highest rate", "per min"),
    "range_median_deg": ("typical bend", "deg"),
    "bends_per_h": ("over the day", "bends per hour worn"),
    "dose_max": ("most at once", "dose"),
    "dose_day": ("over the day", "dose"),
    "deep_share": ("bent deep for", "of worn time"),
    "deep_min": ("together", "min"),
    "turns_left": ("turns to the left", ""),
    "turns_right": ("turns to the right", ""),
    "turns_per_h": ("over the day", "turns per hour worn"),
    "left": ("to the left", ""),
    "right": ("to the right", ""),
    "side_unknown": ("side not known", ""),
    "side": ("more to the", ""),
    "share": ("share of that side", "share"),
    "strokes": ("swings or throws", ""),
    "throws_counted": ("throws that a sensor counted", ""),
    "pitches": ("pitches as entered", ""),
    "age_years": ("age", "years"),
    "rest_days_after": ("rest that goes with it", "days"),
    "bouts": ("bouts", ""),
    "short_pauses": ("short pauses", ""),
    "work_min": ("work before", "min"),
    "pause_min": ("pause", "min"),
    "needs_min": ("pause by the pattern", "min"),
    "bouts_degraded": ("ended differently", "bouts"),
    "signs": ("signs", ""),
    "days": ("days", ""),
    "rise_share": ("week against four weeks", "share"),
    "acute": ("load, mean of a week", "effort x min a day"),
    "habit": ("load, mean of four weeks", "effort x min a day"),
    "week_on_week_share": ("this week against the last", "share"),
    "largest_jump_share": ("largest single session above the month's", "share"),
    "missing_days": ("days not known", "days"),
    "monotony": ("monotony of the week", ""),
    "week_ln_rmssd": ("mean of the week", "ln ms"),
    "limit_ln_rmssd": ("your own limit", "ln ms"),
    "movements_looked_at": ("movements looked at", ""),
    "p_limit": ("chance has to be below", "p"),
}
OUTCOMES: Mapping[str, str] = {
    Outcome.FOUND: "found",
    Outcome.NONE: "looked for, not there",
    Outcome.NOT_ENOUGH: "not enough data",
    Outcome.LEARNING: "learning",
    "nothing": "no answer",
}
# Digits after the point that a measured value of a unit carries.
_DIGITS = {"per min": 1, "deg": 0, "min": 0, "bends per hour worn": 0, "turns per hour worn": 0}
_COUNT = ("No flag", "One flag", "Two independent flags", "Three independent flags")


def kind_name(kind: str) -> str:
    """Return a kind's name."""
    return KINDS[kind][0] if kind in KINDS else kind.replace("_", " ").capitalize()


def looks_for(kind: str) -> str:
    """Return what is looked for."""
    return KINDS[kind][1] if kind in KINDS else ""


def flags_in_words(finding: FindingView | AnswerView) -> str:
    """Return how many independent flags a finding or an answer has."""
    count = len(finding.because.get("flags", ()))
    return _COUNT[count] if count < len(_COUNT) else f"{count} independent flags"


def flag_name(flag: dict[str, Any]) -> str:
    """Return what a flag compares."""
    name = flag["name"]
    return FLAGS[name][0] if name in FLAGS else name.replace("_", " ").capitalize()


def flag_limit(flag: dict[str, Any]) -> str:
    """Return `a flag above 4 a minute`; after a robust z its unit is said already."""
    how = FLAGS.get(flag["name"], ("", "a flag at"))[1]
    unit = flag["threshold"]["unit"]
    return f"{how} {how_much(flag['threshold']['value'], '' if unit == 'z' else unit)}"


def measured(because: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the values of an answer as labels and texts; what is not known is left out."""
    told: list[tuple[str, str]] = []
    for name, value in because.get("values", {}).items():
        label, unit = VALUES.get(name, (*words.quantity(name, value)[:1], ""))
        if name == "counts":
            told.extend((what, _counts(counted)) for what, counted in value.items())
        elif name == "signs":
            told.extend((f"signs, {what}", ", ".join(signs)) for what, signs in value.items())
        elif value is not None and name in VALUES:
            told.append((label, how_much(_carried(value, unit), unit)))
        elif value is not None:
            told.append(words.quantity(name, value))
    return told


def _carried(value: Any, unit: str) -> Any:
    """Return a measured value as fine as the measurement carries it; nobody bends 6.67 times."""
    digits = _DIGITS.get(unit)
    return value if digits is None or not isinstance(value, float) else round(value, digits)


def _counts(counted: dict[str, Any]) -> str:
    return (
        f"higher pain after {counted['more_higher']} of {counted['more_days']} days with more than usual, "
        f"after {counted['other_higher']} of {counted['other_days']} others; {how_much(counted['p'], 'p')}"
    )
