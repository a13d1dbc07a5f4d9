"""Results that are typed in: a stopwatch, a dynamometer, a goniometer, repetitions counted by somebody."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from coach.analysis.assessment_types import SPECS, AssessmentTest, Method, Trial, TrialOutcome
from coach.errors import InvalidInput

# The most that is believed of an entry, by how the test is taken, in its unit. Own bounds against slips of the finger.
_MOST: Mapping[Method, float] = MappingProxyType(
    {
        Method.HOLD: 1800.0,
        Method.ROTATION: 120.0,
        Method.SPEED: 1500.0,
        Method.DYNAMOMETER: 5000.0,
        Method.REPETITIONS: 500.0,
    }
)
_LOAD_MOST_KG = 500.0


@dataclass(frozen=True, slots=True)
class Entered:
    """One result in the unit of its test. load_kg: what was lifted, where the test has a load."""

    test: AssessmentTest
    value: float
    load_kg: float | None = None


def entered_trial(told: Entered, by: str) -> Trial:
    """Return the trial of an entered result. by: how it was taken, in words. Raises InvalidInput."""
    spec = SPECS[told.test]
    most = _MOST[spec.method]
    if not (math.isfinite(told.value) and 0 < told.value <= most):
        raise InvalidInput(f"The result of {told.test.value} is more than 0 and at most {most:g} {spec.unit}.")
    if told.load_kg is not None and not (math.isfinite(told.load_kg) and 0 < told.load_kg <= _LOAD_MOST_KG):
        raise InvalidInput(f"The load is more than 0 and at most {_LOAD_MOST_KG:g} kg.")
    if spec.method is Method.REPETITIONS and told.value != round(told.value):
        raise InvalidInput("Repetitions are a whole number.")
    return Trial(
        test=told.test,
        outcome=TrialOutcome.ENTERED,
        value=told.value,
        unit=spec.unit,
        statement=f"{told.value:g} {spec.unit}, {by}.",
        evidence={"taken": by},
        load_kg=told.load_kg,
        algorithm="entered",
        version="1",
    )
