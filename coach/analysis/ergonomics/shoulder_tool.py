"""The Shoulder Tool: cumulative shoulder load of handling, pushing and pulling over a workday."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from coach.analysis.ergonomics.miner import damage_per_cycle
from coach.analysis.ergonomics.types import (
    KG_PER_LB,
    M_PER_IN,
    Confidence,
    Exposure,
    Given,
    Model,
    Need,
    dose_probability,
    read_inputs,
)
from coach.analysis.types import NotComputable

MODEL = Model(
    name="Shoulder Tool",
    version="2021",
    source="Bani Hani, Huangfu, Sesek, Schall, Davis and Gallagher 2021, Ergonomics 64:39",
    confidence=Confidence.B,
    unit="damage per workday, of the worse side",
    range="moments below the shoulder's strength of 681 in-lb",
)
# Bani Hani 2021: strength of 681 in-lb. The arm's 8.6 lb is reconstructed from the published cases (confidence B).
_STRENGTH_INLB, _ARM_LB = 681.0, 8.6
# Bani Hani 2021: logit 0.870 + 0.932 log10 damage, of a first visit for shoulder pain.
_INTERCEPT, _SLOPE = 0.870, 0.932
_NEEDS = (Need("load", 0, 200, "kg"), Need("reach", 0, 2, "m"), Need("number of repetitions", 0, 1e6, countable=True))


@dataclass(frozen=True, slots=True)
class ShoulderTask:
    """One task of one arm. load_kg: load or force over g, on this arm. reach_m: from the acromion to the load.

    push_or_pull: the arm's own weight then takes no part.
    """

    load_kg: Given | None
    reach_m: Given | None
    repetitions: Given | None
    push_or_pull: bool = False


def moment_inlb(load_kg: float, reach_m: float, push_or_pull: bool = False) -> float:
    """Return the shoulder moment in inch-pounds, the unit of the published strength."""
    reach_in = reach_m / M_PER_IN
    arm = 0.0 if push_or_pull else _ARM_LB * reach_in / 2
    return load_kg / KG_PER_LB * reach_in + arm


def estimate_shoulder(tasks: Sequence[ShoulderTask]) -> Exposure | NotComputable:
    """Sum the damage of one arm's tasks; of two arms, the worse one counts. Raises AnalysisError. Source: see MODEL."""
    inputs = read_inputs(MODEL, _NEEDS, [(task.load_kg, task.reach_m, task.repetitions) for task in tasks])
    if isinstance(inputs, NotComputable):
        return inputs
    total = 0.0
    for task, (load_kg, reach_m, count) in zip(tasks, inputs.rows, strict=True):
        stress_percent = 100 * moment_inlb(load_kg, reach_m, task.push_or_pull) / _STRENGTH_INLB
        total += count * damage_per_cycle(stress_percent)
    values = {"damage": total, "group_outcome_probability": dose_probability(_INTERCEPT, _SLOPE, total)}
    return Exposure(MODEL, values, inputs.sources)
