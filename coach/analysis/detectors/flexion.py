"""Sustained flexion: static holds of a bent trunk, in doses of the longest hold that ISO 11226 accepts.

Source: ISO 11226:2000, trunk: 4 min at 20 degrees falling to 1 min at 60 (coach/analysis/statics.py). The standard
limits one hold; that the doses of holds within a few minutes (the profile's window) are added is own heuristic.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from coach.analysis.detectors.baseline import Quantity, beside_baseline
from coach.analysis.detectors.rolling import rolling, window_of
from coach.analysis.detectors.seen import coverage_lacking, grade_of, lacking, more_of, seen, seen_in, shown, unanswered
from coach.analysis.detectors.types import Answer, Day, DayValues, Flag, Kind, Minutes, Outcome, Thresholds, Window
from coach.analysis.detectors.wording import duration, percent

THRESHOLDS: Mapping[str, str] = {"dose": "dose", "window_min": "min", "baseline_z": "z"}
# Own heuristic: lost time may have been held at 20 degrees, where ISO 11226 makes a dose of 240 s, but to no more than
# what was seen once again: holds are parts of the time only, whatever their angle.
LOST_LONGEST_S = 240.0
# Own heuristic: nobody's trunk is bent by this for so much of the day, walking included; then the pose that was
# calibrated is not upright, or the sensor sits otherwise than it was. 20 degrees: where the limits of ISO 11226 begin.
BENT_DEG, BENT_ALWAYS_SHARE = 20, 0.8
DOSE = Quantity("dose_max", "times the longest hold", "Holds of the bent trunk")
LIMITS = (
    "It does not see whether you leaned on something or sat against a backrest; the limit is for an unsupported trunk.",
    "The standard limits one hold. Adding holds that come shortly after one another is Backstop's own heuristic.",
)


def detect(thresholds: Thresholds, day: Day, history: Sequence[DayValues]) -> Answer:
    """Answer whether holds within a few minutes came to more than one longest hold. thresholds: also seen.LEAST.

    Lost time can only lessen a dose, so a dose that was passed counts in any window that is covered enough. Where it
    was not passed, but would be with the trunk held bent in the time that was lost, the answer is left open.
    """
    limit, length_min = thresholds["dose"].value, thresholds["window_min"].value
    would_change = f"Straightening up before {limit:g} times the longest hold is reached would change this."
    open_answer = unanswered(Kind.SUSTAINED_FLEXION, thresholds, day.trunk, would_change, LIMITS)
    needs = lacking(day.trunk, thresholds, day.over)
    if needs is None and day.trunk is not None and (needs := _upright_lacking(day.trunk)) is not None:
        return replace(open_answer, needs=needs)
    if day.trunk is None or not day.trunk.start_utc_s.size:
        return replace(open_answer, needs=needs)
    windows = rolling(day.trunk, length_min)
    dose = windows.sums(day.trunk.dose)
    share = windows.sums(day.trunk.covered_s) / np.maximum(windows.sums(day.trunk.expected_s), 1e-9)
    covered = share >= thresholds["coverage_share"].value - 1e-9
    over = dose > limit + 1e-9
    found = [window_of(day.trunk, each) for each in windows.stretches(over & covered)]
    lost_s = windows.sums((day.trunk.expected_s - day.trunk.covered_s).clip(min=0.0))
    hidden = windows.stretches(dose + np.minimum(lost_s / LOST_LONGEST_S, dose) > limit + 1e-9)
    if not found and needs is None and hidden:
        part = seen_in(day.trunk, hidden[0])
        needs = coverage_lacking(part, thresholds) or more_of(part)
    if not found and needs is not None:
        return replace(open_answer, needs=needs)
    most = round(float(dose[covered].max(initial=0.0)), 3)
    answer = replace(open_answer, values={"dose_max": most, "dose_day": round(float(day.trunk.dose.sum()), 3)})
    if found:
        answer = replace(_found(answer, found), coverage_share=round(float(share[over & covered].min()), 4))
    else:
        answer = _none(answer, seen(day.trunk).covered_s, day.over)
    return beside_baseline(answer, DOSE, day, history, None if lacking(day.trunk, thresholds, over=True) else most)


def _upright_lacking(trunk: Minutes) -> str | None:
    """Return what is lacking where the trunk is bent all day against the calibrated pose; None where it is not."""
    upright_s, bent_s = seen(trunk).upright_s, float(trunk.above_s[BENT_DEG].sum())
    if upright_s <= 0 or bent_s < BENT_ALWAYS_SHARE * upright_s:
        return None
    share = percent(min(bent_s / upright_s, 1.0))
    return f"an upright pose that is calibrated anew; by the present one the trunk was bent for {share} of the time"


def _found(answer: Answer, windows: Sequence[Window]) -> Answer:
    limit, length_min = answer.thresholds["dose"], answer.thresholds["window_min"].value
    most = answer.values["dose_max"]
    times = "" if len(windows) == 1 else f", the most of {len(windows)} such stretches"
    statement = (
        f"You held your trunk bent for long: within {length_min:g} minutes the holds came to {most:.1f} times the "
        f"longest hold that ISO 11226 accepts at their angle{times}."
    )
    flags = (Flag("held", most, limit, f"Holds of {most:.2f} times the longest one within {length_min:g} minutes."),)
    return replace(
        answer,
        outcome=Outcome.FOUND,
        statement=statement,
        flags=flags,
        grade=grade_of(flags),
        windows=shown(windows),
        values={**answer.values, "stretches": len(windows)},
    )


def _none(answer: Answer, covered_s: float, over: bool) -> Answer:
    statement = (
        f"Holds of the bent trunk came to at most {answer.values['dose_max']:.1f} times the longest hold that ISO "
        f"11226 accepts, in {duration(covered_s)} with the sensor on{'' if over else ' so far'}."
    )
    return replace(answer, outcome=Outcome.NONE, statement=statement)
