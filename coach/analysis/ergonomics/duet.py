"""DUET, the Distal Upper Extremity Tool: cumulative hand and forearm exertion of the tasks of a workday."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from coach.analysis.ergonomics.miner import damage_per_cycle
from coach.analysis.ergonomics.types import Confidence, Exposure, Given, Model, Need, dose_probability, read_inputs
from coach.analysis.types import NotComputable

MODEL = Model(
    name="DUET",
    version="2018",
    source="Gallagher, Schall, Sesek and Huangfu 2018, Hum Factors 60:1146",
    confidence=Confidence.A,
    unit="damage per workday",
    range="effort 0 to 10",
)
# Gallagher 2018: tendon fails at about 1.4 times the strain of a maximal effort; no effort still loads it a little.
_FAILURE_RATIO, _REST_STRESS_PERCENT = 1.4, 3.6
# Gallagher 2018: logit 0.573 + 0.747 log10 damage, of an injury with pain in the last year.
_INTERCEPT, _SLOPE = 0.573, 0.747
_NEEDS = (Need("effort", 0, 10), Need("number of repetitions", 0, 1e6, countable=True))


@dataclass(frozen=True, slots=True)
class HandTask:
    """One task of a workday. effort: 0 (nothing) to 10 (the most one can), entered by the person."""

    effort: Given | None
    repetitions: Given | None


def stress_percent(effort: float) -> float:
    """Return the tendon stress in % of ultimate for an effort of 0 to 10, to one decimal as in the published table."""
    return round(effort * 10.0 / _FAILURE_RATIO, 1) if effort > 0 else _REST_STRESS_PERCENT


def damage_per_repetition(effort: float) -> float:
    """Return the damage of one repetition, rounded as the published table is that the examples are made with."""
    return float(f"{1 / round(1 / damage_per_cycle(stress_percent(effort))):.2e}")


def estimate_duet(tasks: Sequence[HandTask]) -> Exposure | NotComputable:
    """Sum the damage of all tasks of a workday. Raises AnalysisError for impossible input. Source: see MODEL."""
    inputs = read_inputs(MODEL, _NEEDS, [(task.effort, task.repetitions) for task in tasks])
    if isinstance(inputs, NotComputable):
        return inputs
    total = sum(count * damage_per_repetition(effort) for effort, count in inputs.rows)
    values = {"damage": total, "group_outcome_probability": dose_probability(_INTERCEPT, _SLOPE, total)}
    return Exposure(MODEL, values, inputs.sources)
