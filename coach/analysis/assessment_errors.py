"""How far one measurement of each test may be off by itself, and what groups of people reached.

A standard error of measurement (SEM) says nothing about a person: it is how much the same person differs from one day
to the next without any change. What has no published figure has an own heuristic, and is labelled so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from coach.analysis.assessment_types import SPECS, AssessmentTest, CohortMean, Method, Trial
from coach.analysis.detectors.types import Threshold

# Of a normal distribution: 95 % lie within so many standard deviations.
Z_95 = 1.96

_SIDE_BRIDGE = Threshold(
    10.95, "s", "Typical error of the side bridge in 24 women, Juan-Recio et al. 2022, Biology 11:1043.", False
)
_HIP_IN = Threshold(
    5.4 / (Z_95 * math.sqrt(2.0)),
    "deg",
    "Active, seated, one leg, with an inclinometer: smallest detectable change 5.4 deg, Krause et al. 2015, KSSTA "
    "23:2562; SEM = that / (1.96 sqrt 2).",
    False,
)
_HIP_OUT = Threshold(
    8.6 / (Z_95 * math.sqrt(2.0)),
    "deg",
    "Hip rotation by hand: smallest detectable change 6.1 to 8.6 deg, the larger taken, Gradoz et al. 2018, J Sport "
    "Rehabil 27; SEM = that / (1.96 sqrt 2).",
    False,
)
_THORACIC = Threshold(
    2.0, "deg", "Between days, 1.4 to 2.0 deg, the larger taken, Johnson et al. 2012, J Athl Train 47:52.", False
)
PUBLISHED: Mapping[AssessmentTest, Threshold] = MappingProxyType(
    {
        AssessmentTest.EXTENSOR: Threshold(
            17.5,
            "s",
            "Biering-Sorensen hold, 11.6 to 17.5 s, the larger taken, Latimer et al. 1999.",
            False,
        ),
        AssessmentTest.FLEXOR: Threshold(
            99.0 * math.sqrt(1.0 - 0.97),
            "s",
            "Own heuristic: SEM = SD sqrt(1 - r) with 99 s and .97 of McGill, Childs and Liebenson 1999.",
            True,
        ),
        AssessmentTest.SIDE_BRIDGE_LEFT: _SIDE_BRIDGE,
        AssessmentTest.SIDE_BRIDGE_RIGHT: _SIDE_BRIDGE,
        AssessmentTest.HIP_INTERNAL_ROTATION_LEFT: _HIP_IN,
        AssessmentTest.HIP_INTERNAL_ROTATION_RIGHT: _HIP_IN,
        AssessmentTest.HIP_EXTERNAL_ROTATION_LEFT: _HIP_OUT,
        AssessmentTest.HIP_EXTERNAL_ROTATION_RIGHT: _HIP_OUT,
        AssessmentTest.THORACIC_ROTATION_LEFT: _THORACIC,
        AssessmentTest.THORACIC_ROTATION_RIGHT: _THORACIC,
    }
)
# Own heuristics: between two days, a speed differs by a twentieth, a held force by a tenth, a count by one.
SPEED_SHARE, FORCE_SHARE, COUNT = 0.05, 0.10, 1.0
_HEURISTIC: Mapping[Method, str] = MappingProxyType(
    {
        Method.SPEED: "Own heuristic: 5 % between two days.",
        Method.DYNAMOMETER: "Own heuristic: 10 % between two days.",
        Method.REPETITIONS: "Own heuristic: one repetition between two days.",
    }
)
OWN_SPREAD = "Spread of this trial's own repetitions, which is more than the figure of the test."


def name_of(test: AssessmentTest) -> str:
    """Return a test's name for a sentence."""
    return test.value.replace("_", " ")


def standard_error(trial: Trial) -> Threshold:
    """Return the SEM of a trial's value: of the test, or of the trial's own repetitions where those differ more.

    Raises ValueError for a trial without a value.
    """
    if trial.value is None:
        raise ValueError(f"The trial of '{trial.test}' has no value: compare trials that count.")
    error = PUBLISHED.get(trial.test) or _heuristic(SPECS[trial.test].method, trial)
    if trial.error is not None and trial.error > error.value:
        return Threshold(trial.error, error.unit, OWN_SPREAD, True)
    return error


def _heuristic(method: Method, trial: Trial) -> Threshold:
    value = abs(trial.value or 0.0)
    size = {Method.SPEED: SPEED_SHARE * value, Method.DYNAMOMETER: FORCE_SHARE * value}.get(method, COUNT)
    return Threshold(size, trial.unit, _HEURISTIC[method], True)


_MCGILL = "McGill, Childs and Liebenson 1999, APMR 80:941"
_MEN, _WOMEN = "31 men, mean age 23", "44 women, mean age 23"
# Only ever shown as the mean of that group: cohorts differ twofold.
COHORTS: tuple[CohortMean, ...] = tuple(
    CohortMean(test, mean, sd, "s", cohort, _MCGILL)
    for test, men, women in (
        (AssessmentTest.EXTENSOR, (146.0, 51.0), (189.0, 60.0)),
        (AssessmentTest.FLEXOR, (144.0, 76.0), (149.0, 99.0)),
        (AssessmentTest.SIDE_BRIDGE_RIGHT, (94.0, 34.0), (72.0, 31.0)),
        (AssessmentTest.SIDE_BRIDGE_LEFT, (97.0, 35.0), (77.0, 35.0)),
    )
    for cohort, (mean, sd) in ((_MEN, men), (_WOMEN, women))
)
COHORT_NOTE = "Mean of one group of people; such groups differ twofold, so it is no norm."
