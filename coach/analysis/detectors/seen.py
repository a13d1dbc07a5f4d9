"""How much of a day a sensor has seen, and what is lacking before a rule may be answered from it.

Source: the least shares and minutes are limits of a profile (`Profile.least`), own heuristics unless marked otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from coach.analysis.detectors.types import Answer, Kind, Minutes, Outcome, Thresholds, Window
from coach.analysis.detectors.wording import duration, percent_below
from coach.analysis.types import Grade
from devices.types import IntArray

TRUNK_NEEDED = "a trunk sensor (chest, upper back or lower back)"
# Names of `Profile.least`; judge.py hands them to every detector together with its own limits.
LEAST: dict[str, str] = {"worn_min": "min", "coverage_share": "share", "baseline_days": "days"}
# How a sentence begins that is about one kind.
NAMES: dict[Kind, str] = {kind: kind.value.replace("_", " ").capitalize() for kind in Kind}
# As many windows as a page shows with one finding (own choice).
WINDOWS = 5
MINUTE_S = 60.0


@dataclass(frozen=True, slots=True)
class Seen:
    """Seconds of one sensor. upright_s: covered and not lying, what rates and shares are of."""

    expected_s: float
    covered_s: float
    upright_s: float
    loose_s: float
    displaced_s: float

    @property
    def coverage_share(self) -> float | None:
        """Return covered / expected, None where nothing was recorded."""
        return self.covered_s / self.expected_s if self.expected_s > 0 else None


def seen(minutes: Minutes) -> Seen:
    """Return what was seen of all minutes."""
    return seen_in(minutes, slice(None))


def seen_between(minutes: Minutes, start_utc_s: float, end_utc_s: float) -> Seen:
    """Return what was seen of the minutes that touch a stretch."""
    first, after = minutes.start_utc_s.searchsorted((start_utc_s - MINUTE_S + 1e-6, end_utc_s - 1e-6)).tolist()
    return seen_in(minutes, slice(first, max(after, first)))


def seen_in(minutes: Minutes, part: slice) -> Seen:
    """Return what was seen of some minutes."""
    covered = float(minutes.covered_s[part].sum())
    return Seen(
        float(minutes.expected_s[part].sum()),
        covered,
        max(covered - float(minutes.lying_s[part].sum()), 0.0),
        float(minutes.loose_s[part].sum()),
        float(minutes.displaced_s[part].sum()),
    )


def coverage_lacking(seen: Seen, thresholds: Thresholds) -> str | None:
    """Return what is lacking when too little of the recorded time could be used; None when enough could."""
    least = thresholds["coverage_share"].value
    share = seen.coverage_share
    if share is not None and share >= least - 1e-9:
        return None
    if share is None:
        return f"{least * 100.0:.0f} % of the time with data; it has none"
    unsteady = seen.loose_s + seen.displaced_s
    if seen.covered_s + unsteady >= least * seen.expected_s:
        of = duration(seen.expected_s)
        if seen.loose_s >= seen.displaced_s:
            return f"a sensor that sits firmly; it moved on its own for {duration(seen.loose_s)} of {of}"
        return f"a sensor that sits as it was calibrated; it sat otherwise for {duration(seen.displaced_s)} of {of}"
    return f"{least * 100.0:.0f} % of the time with data; it has {percent_below(share)}"


def more_of(seen: Seen) -> str:
    """Return what is lacking where the time that was lost decides, though it is little."""
    lost = duration(seen.expected_s - seen.covered_s)
    return f"the {lost} of {duration(seen.expected_s)} that carry no data; the limit lies within what they may hold"


def lacking(minutes: Minutes | None, thresholds: Thresholds, over: bool, upright: bool = False) -> str | None:
    """Return what a day lacks before "nothing found" may be said of its trunk sensor; None when it lacks nothing.

    upright: the rule rests on time that was not lying, so that this has to be long enough.
    """
    if minutes is None or not minutes.start_utc_s.size:
        return TRUNK_NEEDED
    day = seen(minutes)
    needs = coverage_lacking(day, thresholds)
    if needs is not None:
        return needs
    least_s = thresholds["worn_min"].value * MINUTE_S
    worn_s, what = (
        (day.upright_s, "with the sensor on, not lying") if upright else (day.covered_s, "with the sensor on")
    )
    if worn_s < least_s - 1e-6:
        return f"{duration(least_s)} {what}; {'it has' if over else 'so far'} {duration(worn_s)}"
    return None


def day_rate_per_h(minutes: Minutes, counts: IntArray, thresholds: Thresholds) -> float | None:
    """Return a day's events per hour worn and not lying, as baselines keep it; None when too little was worn."""
    if lacking(minutes, thresholds, over=True, upright=True) is not None:
        return None
    upright_s = seen(minutes).upright_s
    return float(counts.sum()) / (upright_s / 3600.0) if upright_s > 0 else None


def unanswered(
    kind: Kind, thresholds: Thresholds, minutes: Minutes | None, would_change: str, limits: tuple[str, ...]
) -> Answer:
    """Return "not enough data", still without what it needs, from which the other answers of a detector are made."""
    share = None if minutes is None else seen(minutes).coverage_share
    return Answer(
        kind,
        Outcome.NOT_ENOUGH,
        f"{NAMES[kind]}: this day does not carry enough data to tell.",
        thresholds=thresholds,
        coverage_share=None if share is None else round(share, 4),
        would_change=would_change,
        limits=limits,
    )


def grade_of(flags: Sequence[object]) -> Grade:
    """Return green, amber or red for no, one, two or more independent flags."""
    return (Grade.GREEN, Grade.AMBER, Grade.RED)[min(len(flags), 2)]


def shown(windows: Sequence[Window]) -> tuple[Window, ...]:
    """Return the first window and the longest others, WINDOWS in all, in order of time.

    The first stays whatever comes later, for a finding opens with it.
    """
    ordered = sorted(windows, key=lambda each: (each.start_utc_s, each.end_utc_s))
    rest = sorted(ordered[1:], key=lambda each: each.start_utc_s - each.end_utc_s)[: WINDOWS - 1]
    return tuple(ordered[:1] + sorted(rest, key=lambda each: (each.start_utc_s, each.end_utc_s)))
