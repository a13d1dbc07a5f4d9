"""LiFFT, the Lifting Fatigue Failure Tool: cumulative low-back load of the lifting tasks of a workday."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from coach.analysis.ergonomics.types import (
    GRAVITY_MPS2,
    Confidence,
    Exposure,
    Given,
    Model,
    Need,
    dose_probability,
    read_inputs,
    validity_of,
)
from coach.analysis.errors import AnalysisError
from coach.analysis.types import NotComputable

MODEL = Model(
    name="LiFFT",
    version="moment form (0.038, 0.32, 1902416)",
    source="Gallagher, Sesek, Schall and Huangfu 2017, Appl Ergon 63:142; Zelik 2022, Appl Ergon 99:103619, eq. 1",
    confidence=Confidence.B,
    unit="damage per workday",
    range="load moments up to 100 Nm; the load's moment only, the trunk's own weight is not in it",
)
# Gallagher 2017: damage of a lift = exp(0.038 M + 0.32) / 1902416, M in Nm.
_SLOPE_PER_NM, _OFFSET, _SCALE = 0.038, 0.32, 1_902_416.0
# Gallagher 2017: logit 1.72 + 1.03 log10 D, of jobs with 12 or more low-back injuries per 200,000 h.
_JOB_INTERCEPT, _JOB_SLOPE = 1.72, 1.03
# Own heuristic: about where the moments of the data end that the model was fitted to.
_MOMENT_MAX_NM = 100.0
_NEEDS = (Need("load", 0, 500, "kg"), Need("reach", 0, 2, "m"), Need("number of repetitions", 0, 1e6, countable=True))


@dataclass(frozen=True, slots=True)
class LiftingTask:
    """One task of a workday. reach_m: largest horizontal distance from the spine at the hip to the load.

    Repetitions may be counted by a wearable; load and reach are entered, always.
    """

    load_kg: Given | None
    reach_m: Given | None
    repetitions: Given | None


def damage_per_lift(moment_nm: float) -> float:
    """Return the damage of one lift with a load moment in Nm; a negative one is that of an assisting device."""
    return math.exp(_SLOPE_PER_NM * moment_nm + _OFFSET) / _SCALE


def estimate_lifft(tasks: Sequence[LiftingTask]) -> Exposure | NotComputable:
    """Sum the damage of all tasks of a workday, and tell each task's share (`share_of_task_1`, …).

    high_incidence_job_probability: share of jobs with this damage that were among those with many injuries.
    Raises AnalysisError for impossible input. Source: see MODEL.
    """
    inputs = read_inputs(MODEL, _NEEDS, [(task.load_kg, task.reach_m, task.repetitions) for task in tasks])
    if isinstance(inputs, NotComputable):
        return inputs
    moments = [load * GRAVITY_MPS2 * reach for load, reach, _ in inputs.rows]
    damages = [row[2] * damage_per_lift(moment) for row, moment in zip(inputs.rows, moments, strict=True)]
    total = sum(damages)
    values = {
        "damage": total,
        "high_incidence_job_probability": dose_probability(_JOB_INTERCEPT, _JOB_SLOPE, total),
    }
    if total > 0:
        values |= {f"share_of_task_{number}": part / total for number, part in enumerate(damages, 1)}
    remarks = tuple(
        f"Task {number}: a load moment of {moment:.0f} Nm lies above {_MOMENT_MAX_NM:g} Nm."
        for number, moment in enumerate(moments, 1)
        if moment > _MOMENT_MAX_NM
    )
    return Exposure(MODEL, values, inputs.sources, validity_of(remarks), remarks)


def damage_at_probability(probability: float) -> float:
    """Return the damage at which the job probability is `probability`, 0 < p < 1. Raises AnalysisError."""
    if not 0 < probability < 1:
        raise AnalysisError(f"A probability of {probability:g} has no damage: enter one between 0 and 1.")
    return float(10.0 ** ((math.log(probability / (1 - probability)) - _JOB_INTERCEPT) / _JOB_SLOPE))
