"""Fast repeated rotation of the trunk over a day.

Source: a turn is one of at least 30 degrees, the angle of Hoogendoorn 2000 (Spine 25:3087); more than 4 a minute is
repetitive, RULA (McAtamney and Corlett 1993) and REBA (Hignett and McAtamney 2000). How long it has to last is own
heuristic, and so is counting fast turns for time spent turned (coach/analysis/rotation.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from coach.analysis.detectors.baseline import Quantity, beside_baseline
from coach.analysis.detectors.repeating import Repeating, repeating
from coach.analysis.detectors.rolling import window_of
from coach.analysis.detectors.seen import (
    MINUTE_S,
    coverage_lacking,
    day_rate_per_h,
    grade_of,
    lacking,
    more_of,
    seen,
    seen_in,
    shown,
    unanswered,
)
from coach.analysis.detectors.types import Answer, Day, DayValues, Flag, Kind, Minutes, Outcome, Thresholds
from coach.analysis.detectors.wording import duration, rounded
from coach.analysis.quality import BoolArray

THRESHOLDS: Mapping[str, str] = {"rate_per_min": "per min", "duration_min": "min", "baseline_z": "z"}
TURNS = Quantity("turns_per_h", "turns per hour worn", "Fast turns", by_turns=True)
ONE_SENSOR = (
    "One sensor cannot tell turning the trunk from turning the whole body; a second one at the pelvis would.",
    "Slow turning, and staying turned, are not seen.",
)
TWO_SENSORS = (
    "Turns of the trunk against the pelvis are bounded by drift over short windows; staying turned is not seen.",
)


def detect(thresholds: Thresholds, day: Day, history: Sequence[DayValues]) -> Answer:
    """Answer whether the trunk turned fast and often. thresholds: THRESHOLDS and seen.LEAST."""
    rate, minutes = thresholds["rate_per_min"].value, thresholds["duration_min"].value
    would_change = f"Fewer than {rate:g} turns a minute, or a pause every {minutes:g} minutes, would change this."
    limits = TWO_SENSORS if day.turns_from_two else ONE_SENSOR
    open_answer = unanswered(Kind.REPEATED_ROTATION, thresholds, day.trunk, would_change, limits)
    needs = lacking(day.trunk, thresholds, day.over)
    if day.trunk is None or not day.trunk.start_utc_s.size:
        return replace(open_answer, needs=needs)
    turns = day.trunk.turns_left + day.trunk.turns_right
    turning = repeating(day.trunk, turns, rate, minutes, thresholds["coverage_share"].value)
    if turning.stretches:
        answer = _found(open_answer, day, day.trunk, turning)
    else:
        if needs is None and turning.perhaps is not None:
            part = seen_in(day.trunk, turning.perhaps)
            needs = coverage_lacking(part, thresholds) or more_of(part)
        if needs is not None:
            return replace(open_answer, needs=needs)
        answer = _none(open_answer, day, day.trunk)
    per_h = day_rate_per_h(day.trunk, turns, thresholds)
    answer = replace(answer, values={**answer.values, "turns_per_h": rounded(per_h)})
    return beside_baseline(answer, TURNS, day, history, per_h)


def _none(answer: Answer, day: Day, trunk: Minutes) -> Answer:
    rate, minutes = answer.thresholds["rate_per_min"].value, answer.thresholds["duration_min"].value
    statement = (
        f"No {minutes:g} minutes with more than {rate:g} fast turns a minute in {duration(seen(trunk).covered_s)} "
        f"with the sensor on{'' if day.over else ' so far'}."
    )
    values = {"turns_left": int(trunk.turns_left.sum()), "turns_right": int(trunk.turns_right.sum())}
    return replace(answer, outcome=Outcome.NONE, statement=statement, values=values)


def _found(answer: Answer, day: Day, trunk: Minutes, turning: Repeating) -> Answer:
    limit, minutes = answer.thresholds["rate_per_min"], answer.thresholds["duration_min"].value
    inside = _inside(trunk, turning.stretches)
    left, right = int(trunk.turns_left[inside].sum()), int(trunk.turns_right[inside].sum())
    covered_s, expected_s = float(trunk.covered_s[inside].sum()), float(trunk.expected_s[inside].sum())
    windows = [window_of(trunk, each) for each in turning.stretches]
    length_s = sum(each.end_utc_s - each.start_utc_s for each in windows)
    mean = (left + right) / (covered_s / MINUTE_S)
    parts = "" if len(windows) == 1 else f" in {len(windows)} stretches"
    what = "turned your trunk against your pelvis" if day.turns_from_two else "turned"
    statement = (
        f"You {what} fast, by 30 degrees or more, {left + right} times in {duration(length_s)}{parts}, {mean:.1f} "
        f"times a minute. More than {limit.value:g} a minute for {minutes:g} minutes counts as repeated rotation."
    )
    most = turning.rate_max_per_min
    flags = (Flag("repeated", round(most, 2), limit, f"Up to {most:.1f} turns a minute over {minutes:g} minutes."),)
    values = {
        "turns_left": left,
        "turns_right": right,
        "stretches": len(windows),
        "duration_min": round(length_s / MINUTE_S, 1),
        "rate_mean_per_min": round(mean, 2),
        "rate_max_per_min": round(most, 2),
    }
    return replace(
        answer,
        outcome=Outcome.FOUND,
        statement=statement,
        flags=flags,
        grade=grade_of(flags),
        windows=shown(windows),
        values=values,
        coverage_share=round(covered_s / expected_s, 4),
    )


def _inside(minutes: Minutes, stretches: Sequence[slice]) -> BoolArray:
    inside: BoolArray = minutes.expected_s < 0
    for each in stretches:
        inside[each] = True
    return inside
