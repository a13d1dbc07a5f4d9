"""Limits and amounts as people read them: every unit and every limit's name that a detector knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_SPACE = "\N{NO-BREAK SPACE}"
# Unit of a limit, a value or a baseline -> how an amount of it is written.
_FORMS: Mapping[str, str] = {
    "": "{}",
    "1": "{}",
    "min": "{} min",
    "per min": "{} a minute",
    "per h": "{} an hour",
    "deg": "{}°",
    "dose": "{} times the longest hold",
    "times the longest hold": "{} times the longest hold",
    "z": "robust z {}",
    "SD": "{} SD",
    "p": "p {}",
    "ln ms": "{} (ln of ms)",
    "of 10": "{} of 10",
}
_SHARES: Mapping[str, str] = {"share": "", "of worn time": " of the time worn", "of all": " of all"}
# Units that are counted, so that one of them has no s.
_COUNTED = frozenset({"days", "signs", "strokes", "events", "pitches", "mornings", "bouts", "years", "bends", "turns"})

# Name of a limit, as profiles give it -> what it is a limit of.
LIMITS: Mapping[str, str] = {
    "rate_per_min": "more often than",
    "duration_min": "over at least",
    "range_deg": "a bend is there and back by",
    "baseline_z": "far from your own days",
    "dose": "holds add up to more than",
    "window_min": "holds are added within",
    "angle_deg": "bent by at least",
    "share": "for more than",
    "least_count": "fewer than this tell nothing",
    "known_share": "side known of at least",
    "two_sided_share": "to one side, at least",
    "rise_share": "above your usual by",
    "surplus_share": "above your usual by",
    "daily_max": "most in one day at this age",
    "row_days_max": "most days in a row",
    "velocity_loss_share": "slower by",
    "rom_loss_share": "smaller by",
    "sparc_loss": "less smooth by (SPARC)",
    "duration_cv_ratio": "less even by a factor of",
    "signs": "signs at once",
    "looked": "signs that could be looked for",
    "pause_min": "a pause begins at",
    "short_work_min": "shorter work is up to",
    "short_recovery_ratio": "pause after it, as a part of the work",
    "long_work_min": "longer work is up to",
    "long_recovery_ratio": "pause after it, as a part of the work",
    "days": "days it takes",
    "days_each": "days of each sort",
    "monotony": "monotony above",
    "known_days": "known days it takes",
    "below_sd": "below your month's mean by",
    "week_mornings": "mornings in the week",
    "baseline_mornings": "mornings in the month",
    "pain_rise": "pain higher by",
    "more_share": "more than usual begins at",
    "p": "chance below",
    "worn_min": "worn for at least",
    "coverage_share": "of the recorded time with data",
    "baseline_days": "own days before your habit is told",
}


def how_much(value: Any, unit: str = "") -> str:
    """Return a number with its unit: `4 a minute`, `8.1 % of the time worn`, `1 day`."""
    if value is None:
        return "not known"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if unit in _SHARES:
        digits = 0 if abs(value) >= 0.0995 else 1 if abs(value) >= 0.00995 else 2
        return f"{_plain(100.0 * value, digits)}{_SPACE}%{_SHARES[unit]}"
    if unit == "z":
        value = round(value, 1)
    if unit in _FORMS:
        return _FORMS[unit].format(_plain(value))
    if unit in _COUNTED and value == 1:
        unit = unit.removesuffix("s")
    return f"{_plain(value)} {unit}"


def limit_name(name: str) -> str:
    """Return what a limit is of; `rest_2_days_from` of a table of rest days as well."""
    parts = name.split("_")
    if name.startswith("rest_") and name.endswith("_days_from"):
        return f"{how_much(int(parts[1]), 'days')} of rest from"
    return LIMITS.get(name, name.replace("_", " "))


def _plain(value: float, digits: int | None = None) -> str:
    """Return a number without noughts at its end: three digits that count, or so many after the point."""
    if digits is not None:
        return f"{value:.{digits}f}".rstrip("0").rstrip(".") if digits else f"{value:.0f}"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}" if abs(value) >= 0.001 or not value else "<0.001"
