"""Judges a day: every detector that the profile asks for, in the order of `Kind`, and what later days look back at.

A detector's module has two public names: `THRESHOLDS`, the limits that a profile gives for it and their units, and
`detect(thresholds, day, history) -> Answer`. thresholds holds these limits and beside them `Profile.least` (the names
of seen.LEAST). history: the days before, in any order; heavy_back_days finds the day itself among them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from coach.analysis.detectors import (
    bending,
    deep_flexion,
    degrading,
    flexion,
    heavy_days,
    hrv,
    load_found,
    pain,
    pitches,
    recovery,
    rotation_found,
    strokes,
)
from coach.analysis.detectors.seen import MINUTE_S, coverage_lacking, day_rate_per_h, lacking, seen
from coach.analysis.detectors.types import (
    Answer,
    Day,
    DayValues,
    Entered,
    Kind,
    Minutes,
    Outcome,
    Profile,
    Thresholds,
)
from coach.analysis.heart import ln_rmssd

Detect = Callable[[Thresholds, Day, Sequence[DayValues]], Answer]
# What makes a day heavy for the back (own heuristic).
HEAVY_KINDS = (Kind.REPEATED_BENDING, Kind.SUSTAINED_FLEXION, Kind.DEEP_FLEXION)


@dataclass(frozen=True, slots=True)
class Detector:
    """thresholds: names and units of the limits that a profile has to give."""

    thresholds: Mapping[str, str]
    detect: Detect


DETECTORS: Mapping[Kind, Detector] = {
    Kind.REPEATED_BENDING: Detector(bending.THRESHOLDS, bending.detect),
    Kind.SUSTAINED_FLEXION: Detector(flexion.THRESHOLDS, flexion.detect),
    Kind.DEEP_FLEXION: Detector(deep_flexion.THRESHOLDS, deep_flexion.detect),
    Kind.REPEATED_ROTATION: Detector(rotation_found.THRESHOLDS, rotation_found.detect),
    Kind.ONE_SIDED_STROKES: Detector(strokes.SIDES_THRESHOLDS, strokes.detect_one_sided),
    Kind.STROKE_COUNT: Detector(strokes.COUNT_THRESHOLDS, strokes.detect_count),
    Kind.PITCH_COUNT: Detector(pitches.THRESHOLDS, pitches.detect),
    Kind.SHORT_RECOVERY: Detector(recovery.THRESHOLDS, recovery.detect),
    Kind.DEGRADING_MOVEMENT: Detector(degrading.THRESHOLDS, degrading.detect),
    Kind.HEAVY_BACK_DAYS: Detector(heavy_days.THRESHOLDS, heavy_days.detect),
    Kind.LOAD_ABOVE_HABIT: Detector(load_found.THRESHOLDS, load_found.detect),
    Kind.LOW_HRV: Detector(hrv.THRESHOLDS, hrv.detect),
    Kind.PAIN_WITH_MOVEMENT: Detector(pain.THRESHOLDS, pain.detect),
}


def judge_day(profile: Profile, day: Day, history: Sequence[DayValues]) -> tuple[Answer, ...]:
    """Return the answers of the profile's detectors, in the order of `Kind`. Raises KeyError for one that is not built.

    The same values in give the same answers out. history may hold later days and the day itself; they are left out.
    """
    before = tuple(each for each in history if each.ordinal < day.ordinal)
    answers: list[Answer] = []
    for kind in (kind for kind in Kind if kind in profile.detectors):
        known = (*before, day_values(profile, day, answers)) if kind is Kind.HEAVY_BACK_DAYS else before
        limits = {**profile.least, **profile.detectors[kind]}
        # The caps of pitches are a table by age, no flat limits.
        detect = partial(pitches.detect, caps=profile.caps) if kind is Kind.PITCH_COUNT else DETECTORS[kind].detect
        answers.append(detect(limits, day, known))
    return tuple(answers)


def day_values(profile: Profile, day: Day, answers: Sequence[Answer]) -> DayValues:
    """Return the day as later days look back at it.

    valid: the trunk sensor was worn, not lying, and covered as long as the profile's least asks.
    """
    trunk, least = day.trunk, profile.least
    whole = None if trunk is None else seen(trunk)
    said = {each.kind: each for each in answers}
    # A day of which too much is missing would lower the habit of the days after it.
    counted = None if day.strokes is None or coverage_lacking(seen(day.strokes), least) else _strokes(day.strokes)
    return DayValues(
        ordinal=day.ordinal,
        valid=lacking(trunk, least, over=True, upright=True) is None,
        worn_min=0.0 if whole is None else round(whole.covered_s / MINUTE_S, 2),
        coverage_share=None if whole is None else whole.coverage_share,
        bends_per_h=None if trunk is None else day_rate_per_h(trunk, trunk.bends, least),
        deep_share=_number(said.get(Kind.DEEP_FLEXION), "deep_share"),
        dose_max=_number(said.get(Kind.SUSTAINED_FLEXION), "dose_max"),
        turns_per_h=None if trunk is None else day_rate_per_h(trunk, trunk.turns_left + trunk.turns_right, least),
        strokes=None if counted is None else sum(counted),
        strokes_left=None if counted is None else counted[0],
        strokes_right=None if counted is None else counted[1],
        pitches=day.entered.pitches,
        load=day.entered.load,
        ln_rmssd=ln_rmssd(day.rmssd_s) if day.rmssd_s else None,
        heavy_back=_heavy(profile, said),
        pain_at_rest=_worst(day.entered, next_morning=False),
        pain_next_morning=_worst(day.entered, next_morning=True),
        trunk_place=day.trunk_place,
        turns_from_two=None if trunk is None else day.turns_from_two,
    )


def _strokes(minutes: Minutes) -> tuple[int, int, int]:
    return int(minutes.strokes_left.sum()), int(minutes.strokes_right.sum()), int(minutes.strokes_unknown.sum())


def _number(answer: Answer | None, name: str) -> float | None:
    """Return a value of an answer; None where it did not answer."""
    value = None if answer is None else answer.values.get(name)
    return None if value is None else float(value)


def _heavy(profile: Profile, said: Mapping[Kind, Answer]) -> bool | None:
    """Return whether the day was heavy for the back: True once one kind is found, False once none is."""
    asked = [kind for kind in HEAVY_KINDS if kind in profile.detectors]
    outcomes = [said[kind].outcome if kind in said else Outcome.NOT_ENOUGH for kind in asked]
    if Outcome.FOUND in outcomes:
        return True
    return False if asked and all(each is Outcome.NONE for each in outcomes) else None


def _worst(entered: Entered, next_morning: bool) -> float | None:
    """Return the highest pain at rest that was entered."""
    known = [each.at_rest for each in entered.pain if each.next_morning is next_morning and each.at_rest is not None]
    return float(max(known)) if known else None
