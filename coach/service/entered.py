"""Results that are typed in: a stopwatch, a dynamometer, a goniometer, repetitions counted by somebody."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from coach.analysis.assessment_entered import enter_force, enter_repetitions
from coach.analysis.assessment_types import SPECS, AssessmentTest, HoldParams, Method, Trial, TrialOutcome
from coach.analysis.errors import AnalysisError
from coach.errors import InvalidInput

# The most that is believed of an entry, by how the test is taken, in its unit. Own bounds against slips of the finger.
_MOST: Mapping[Method, float] = MappingProxyType(
    {Method.HOLD: 1800.0, Method.ROTATION: 120.0, Method.SPEED: 1500.0, Method.DYNAMOMETER: 5000.0}
)
_LOAD_MOST_KG = 500.0


@dataclass(frozen=True, slots=True)
class Entered:
    """What was read off. values: one; of a dynamometer up to three tries. unit: of a dynamometer, N, kg or lb.

    exercise, load_kg: of repetitions and their speed.
    """

    test: AssessmentTest
    values: tuple[float, ...]
    unit: str = ""
    exercise: str = ""
    load_kg: float = 0.0


def entered_trial(told: Entered, by: str) -> Trial:
    """Return the trial of what was entered. by: how it was taken, in words. Raises InvalidInput."""
    method = SPECS[told.test].method
    if not told.values or not all(math.isfinite(each) and each > 0 for each in told.values):
        raise InvalidInput("A result is a number above 0: write it like 58 or 58.4.")
    if not (math.isfinite(told.load_kg) and 0 <= told.load_kg <= _LOAD_MOST_KG):
        raise InvalidInput(f"The load is a number from 0 to {_LOAD_MOST_KG:g} kg.")
    try:
        if method is Method.REPETITIONS:
            if told.values[0] != round(told.values[0]):
                raise InvalidInput("Repetitions are a whole number.")
            return enter_repetitions(told.test, round(told.values[0]), told.exercise, told.load_kg)
        trial = enter_force(told.test, told.values, told.unit) if method is Method.DYNAMOMETER else _read_off(told, by)
    except AnalysisError as error:
        raise InvalidInput(str(error)) from None
    if trial.value is None or trial.value > _MOST[method]:
        raise InvalidInput(f"The result is at most {_MOST[method]:g} {trial.unit}: look at the number again.")
    return trial


def stopped_trial(test: AssessmentTest, elapsed_s: float) -> Trial:
    """Return the trial of the page's own stopwatch; at the cap of a hold it ends, and the true time is that or more."""
    cap_s = HoldParams().cap_s
    held_s = max(0.1, round(min(elapsed_s, cap_s), 1))
    trial = entered_trial(Entered(test, (held_s,)), "by stopwatch")
    if elapsed_s < cap_s:
        return trial
    said = f"Stopped at {cap_s:.0f} s by stopwatch, as the test asks: the true time is that or more."
    return replace(trial, at_least=True, statement=said)


def _read_off(told: Entered, by: str) -> Trial:
    spec, value = SPECS[told.test], told.values[0]
    speed = spec.method is Method.SPEED
    if speed and not told.exercise:
        raise InvalidInput("Name the exercise: only equal ones are compared.")
    return Trial(
        test=told.test,
        outcome=TrialOutcome.ENTERED,
        value=value,
        unit=spec.unit,
        statement=f"{value:.4g} {spec.unit}, {by}.",
        evidence={"taken": by},
        load_kg=told.load_kg if speed else None,
        exercise=told.exercise if speed else None,
        algorithm="entered",
        version="1",
    )
