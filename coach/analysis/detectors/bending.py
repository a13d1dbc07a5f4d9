"""Repeated bending of the trunk over a day.

Source: more than 4 a minute is repetitive, RULA (McAtamney and Corlett 1993) and REBA (Hignett and McAtamney 2000);
that it has to last 10 minutes and that a bend is 20 degrees there and back are own heuristics (strain.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from coach.analysis.detectors.baseline import Quantity, beside_baseline
from coach.analysis.detectors.repeating import repeating
from coach.analysis.detectors.seen import (
    coverage_lacking,
    day_rate_per_h,
    grade_of,
    lacking,
    more_of,
    seen,
    seen_between,
    seen_in,
    shown,
    unanswered,
)
from coach.analysis.detectors.types import (
    Answer,
    BendingStretch,
    Day,
    DayValues,
    Flag,
    Kind,
    Minutes,
    Outcome,
    Thresholds,
    Window,
)
from coach.analysis.detectors.wording import duration, rounded

THRESHOLDS: Mapping[str, str] = {
    "rate_per_min": "per min",
    "duration_min": "min",
    "range_deg": "deg",
    "baseline_z": "z",
}
BENDS = Quantity("bends_per_h", "bends per hour worn", "Bends")
LIMITS = (
    "It does not see what the hands hold, nor whether the hips and knees bend instead of the spine.",
    "The rate is the mean of a stretch, so a shorter stretch of faster bending counts too.",
)


def detect(thresholds: Thresholds, day: Day, history: Sequence[DayValues]) -> Answer:
    """Answer whether a stretch of the day had repeated bending. thresholds: THRESHOLDS and seen.LEAST."""
    rate, minutes = thresholds["rate_per_min"].value, thresholds["duration_min"].value
    would_change = f"Fewer than {rate:g} a minute, or a pause every {minutes:g} minutes, would change this."
    open_answer = unanswered(Kind.REPEATED_BENDING, thresholds, day.trunk, would_change, LIMITS)
    needs = lacking(day.trunk, thresholds, day.over)
    if day.trunk is None:
        return replace(open_answer, needs=needs)
    found = []
    for each in filter(lambda each: _qualifies(thresholds, each), day.bending):
        unseen = stretch_lacks(thresholds, day.trunk, each)
        if unseen is None:
            found.append(each)
        needs = needs or unseen
    if not found and needs is None:
        needs = _hidden(thresholds, day.trunk)
    if not found and needs is not None:
        return replace(open_answer, needs=needs)
    answer = _found(open_answer, found) if found else _none(open_answer, day.trunk, day.over)
    per_h = day_rate_per_h(day.trunk, day.trunk.bends, thresholds)
    answer = replace(answer, values={**answer.values, "bends_per_h": rounded(per_h)})
    return beside_baseline(answer, BENDS, day, history, per_h)


def _qualifies(thresholds: Thresholds, stretch: BendingStretch) -> bool:
    length_s = stretch.end_utc_s - stretch.start_utc_s
    return (
        stretch.rate_max_per_min > thresholds["rate_per_min"].value + 1e-9
        and stretch.range_median_deg >= thresholds["range_deg"].value - 1e-9
        and length_s >= thresholds["duration_min"].value * 60.0 - 1e-3
    )


def stretch_lacks(thresholds: Thresholds, trunk: Minutes, stretch: BendingStretch) -> str | None:
    """Return what a stretch lacks: it has to pass the rate even if nobody bent in the time that was lost."""
    within = seen_between(trunk, stretch.start_utc_s, stretch.end_utc_s)
    lacks = coverage_lacking(within, thresholds)
    if lacks is not None:
        return lacks
    covered = min(stretch.coverage_share, within.coverage_share or 0.0)
    sure = stretch.rate_max_per_min * covered > thresholds["rate_per_min"].value + 1e-9
    return None if sure else more_of(within)


def _hidden(thresholds: Thresholds, trunk: Minutes) -> str | None:
    """Return what is lacking where there is no stretch, but might be one if more was seen."""
    rate, minutes = thresholds["rate_per_min"].value, thresholds["duration_min"].value
    perhaps = repeating(trunk, trunk.bends, rate, minutes, thresholds["coverage_share"].value).perhaps
    return None if perhaps is None else more_of(seen_in(trunk, perhaps))


def _none(answer: Answer, trunk: Minutes, over: bool) -> Answer:
    rate, minutes = answer.thresholds["rate_per_min"].value, answer.thresholds["duration_min"].value
    statement = (
        f"No {minutes:g} minutes with more than {rate:g} bends a minute in {duration(seen(trunk).covered_s)} "
        f"with the sensor on{'' if over else ' so far'}."
    )
    return replace(answer, outcome=Outcome.NONE, statement=statement, values={"bends": int(trunk.bends.sum())})


def _found(answer: Answer, stretches: Sequence[BendingStretch]) -> Answer:
    rate, minutes = answer.thresholds["rate_per_min"], answer.thresholds["duration_min"].value
    bends = sum(each.bends for each in stretches)
    length_s = sum(each.end_utc_s - each.start_utc_s for each in stretches)
    mean_per_min = bends / sum((each.end_utc_s - each.start_utc_s) * each.coverage_share / 60.0 for each in stretches)
    worst = max(each.rate_max_per_min for each in stretches)
    parts = "" if len(stretches) == 1 else f" in {len(stretches)} stretches"
    statement = (
        f"You bent forward {bends} times in {duration(length_s)}{parts}, {mean_per_min:.1f} times a minute. "
        f"More than {rate.value:g} a minute for {minutes:g} minutes counts as repeated bending."
    )
    flags = (Flag("repeated", round(worst, 2), rate, f"Up to {worst:.1f} bends a minute over {minutes:g} minutes."),)
    values = {
        "bends": bends,
        "stretches": len(stretches),
        "duration_min": round(length_s / 60.0, 1),
        "rate_mean_per_min": round(mean_per_min, 2),
        "rate_max_per_min": round(worst, 2),
        "range_median_deg": max(stretches, key=lambda each: each.bends).range_median_deg,
    }
    return replace(
        answer,
        outcome=Outcome.FOUND,
        statement=statement,
        grade=grade_of(flags),
        flags=flags,
        windows=shown([Window(each.start_utc_s, each.end_utc_s, each.stream_id) for each in stretches]),
        values=values,
        coverage_share=round(min(each.coverage_share for each in stretches), 4),
    )
