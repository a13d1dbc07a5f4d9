"""Tests without a pose: a force read off a dynamometer, repetitions of one side, the speed of repetitions at a load.

Load, force and counts are entered; only the speed comes from the wearable, as an angular rate: a speed in metres a
second would have to be integrated from acceleration, and drifts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import numpy as np

from coach.analysis.assessment_errors import name_of
from coach.analysis.assessment_types import SPECS, AssessmentTest, Method, Trial, TrialOutcome
from coach.analysis.errors import AnalysisError
from coach.analysis.motion_types import Repetition

ALGORITHM = "repetition_speed"
# Changes whenever the same repetitions may give another trial.
VERSION = "1"
# Standard gravity, CGPM 1901: a dynamometer that shows kg shows this many N for each.
G_MPS2 = 9.80665
# Own heuristic: fewer repetitions have no best one.
MIN_REPETITIONS = 3
# Own heuristic: nobody's one-sided set is longer.
MAX_REPETITIONS = 500
# The pound by the agreement of 1959.
_UNITS = {"N": 1.0, "kg": G_MPS2, "lb": 0.45359237 * G_MPS2}


class Way(StrEnum):
    """Which way of a repetition is the lifting one: away from the pose it begins in, or back to it."""

    THERE = "there"
    BACK = "back"


def enter_force(test: AssessmentTest, values: Sequence[float], unit: str) -> Trial:
    """Return the trial of a dynamometer: the best of up to three tries, in N.

    values: what it showed, in `unit` N, kg or lb. Raises AnalysisError for another test, unit, number of tries, or a
    value that is not above 0.
    """
    _demand(test, Method.DYNAMOMETER)
    if unit not in _UNITS:
        raise AnalysisError(f"A dynamometer shows N, kg or lb, not '{unit}': choose one of them.")
    if not 1 <= len(values) <= 3 or not all(math.isfinite(value) and value > 0.0 for value in values):
        raise AnalysisError(f"The {name_of(test)} needs one to three values above 0, not {list(values)}.")
    forces = [value * _UNITS[unit] for value in values]
    best = max(forces)
    return Trial(
        test,
        TrialOutcome.ENTERED,
        best,
        "N",
        f"{best:.0f} N, the best of {len(forces)}.",
        error=float(np.std(forces, ddof=1)) if len(forces) == 3 else None,
        evidence={"tries_n": forces, "entered_unit": unit},
    )


def enter_repetitions(test: AssessmentTest, count: int, exercise: str, load_kg: float) -> Trial:
    """Return the trial of one side's repetitions of a named exercise at a load; 0 kg is the body alone.

    Raises AnalysisError for another test, no exercise, a count outside 1..500 or a negative load.
    """
    _demand(test, Method.REPETITIONS)
    _demand_load(test, exercise, load_kg)
    if not 1 <= count <= MAX_REPETITIONS:
        raise AnalysisError(f"The {name_of(test)} needs 1 to {MAX_REPETITIONS} repetitions, not {count}.")
    return Trial(
        test,
        TrialOutcome.ENTERED,
        float(count),
        "repetitions",
        f"{count} repetitions of {exercise} at {load_kg:g} kg.",
        load_kg=load_kg,
        exercise=exercise,
    )


def assess_speed(
    test: AssessmentTest, repetitions: Sequence[Repetition], exercise: str, load_kg: float, lifting: Way
) -> Trial:
    """Return the trial of a set at a known load: the best mean angular rate of the lifting way, in deg/s.

    repetitions: of one set, as the motion analysis found them. Raises AnalysisError for another test, no exercise or a
    negative load. Source: mean concentric speed, Gonzalez-Badillo and Sanchez-Medina 2010, as an angular rate.
    """
    _demand(test, Method.SPEED)
    _demand_load(test, exercise, load_kg)
    rates = [
        each.rom_deg / seconds
        for each in repetitions
        if each.whole and (seconds := each.up_s if lifting is Way.THERE else each.down_s) > 0.0
    ]
    if len(rates) < MIN_REPETITIONS:
        return _too_few(test, len(rates), exercise, load_kg, lifting)
    best = sorted(rates)[-MIN_REPETITIONS:]
    return Trial(
        test,
        TrialOutcome.MEASURED,
        best[-1],
        "deg/s",
        f"Best repetition of {exercise} at {load_kg:g} kg: {best[-1]:.0f} deg/s.",
        # How far the best ones are apart is what one more set could have given.
        error=float(np.std(best, ddof=1)),
        evidence={"rates_degps": rates, "repetitions": len(rates)},
        load_kg=load_kg,
        exercise=exercise,
        algorithm=ALGORITHM,
        version=VERSION,
        parameters=_parameters(lifting),
    )


def _too_few(test: AssessmentTest, count: int, exercise: str, load_kg: float, lifting: Way) -> Trial:
    needs = f"{MIN_REPETITIONS} whole repetitions (there were {count})"
    return Trial(
        test,
        TrialOutcome.NOT_COMPUTABLE,
        None,
        "deg/s",
        f"Not enough data: needs {needs}.",
        needs=needs,
        load_kg=load_kg,
        exercise=exercise,
        algorithm=ALGORITHM,
        version=VERSION,
        parameters=_parameters(lifting),
    )


def _parameters(lifting: Way) -> dict[str, Any]:
    return {"lifting": lifting.value, "least_repetitions": MIN_REPETITIONS}


def _demand(test: AssessmentTest, method: Method) -> None:
    if SPECS[test].method is not method:
        tests = ", ".join(each for each, spec in SPECS.items() if spec.method is method)
        raise AnalysisError(f"The test '{test}' is not taken so; choose one of {tests}.")


def _demand_load(test: AssessmentTest, exercise: str, load_kg: float) -> None:
    if not exercise.strip():
        raise AnalysisError(f"The {name_of(test)} needs the name of the exercise: only equal ones are compared.")
    if not (math.isfinite(load_kg) and load_kg >= 0.0):
        raise AnalysisError(f"The {name_of(test)} needs the load in kg, 0 for the body alone, not {load_kg}.")
