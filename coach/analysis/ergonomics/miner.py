"""Palmgren-Miner's linear damage with the stress-life curve of tendon."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from coach.analysis.ergonomics.types import Confidence, Exposure, Given, Model, Need, read_inputs, validity_of
from coach.analysis.types import NotComputable

MODEL = Model(
    name="tendon damage (Palmgren-Miner)",
    version="Schechtman-Bader 1997",
    source="Miner 1945, J Appl Mech 12:A159; Schechtman and Bader 1997, J Biomech 30:829",
    confidence=Confidence.A,
    unit="share of nominal life",
    range="10 to 90 % of ultimate tensile stress",
)
# Schechtman and Bader 1997: S = 101.25 - 14.83 log10 N, S in % of the ultimate tensile stress.
_INTERCEPT_PERCENT, _SLOPE_PERCENT = 101.25, 14.83
# The stresses that were tested.
_TESTED_PERCENT = (10.0, 90.0)
_NEEDS = (Need("stress", 0, 200, "% of ultimate"), Need("number of cycles", 0, 1e9, countable=True))


@dataclass(frozen=True, slots=True)
class StressBlock:
    """So many cycles at one stress. stress_percent: % of the ultimate tensile stress."""

    stress_percent: Given | None
    cycles: Given | None


def damage_per_cycle(stress_percent: float) -> float:
    """Return 1/N for one cycle at a stress in % of ultimate; 0 without stress, 1 at or above the strength."""
    if stress_percent <= 0:
        return 0.0
    return min(float(10.0 ** ((stress_percent - _INTERCEPT_PERCENT) / _SLOPE_PERCENT)), 1.0)


def estimate_tendon_damage(blocks: Sequence[StressBlock]) -> Exposure | NotComputable:
    """Sum n/N over blocks of cycles: linear, blind to their order, without healing.

    Raises AnalysisError for impossible input. Source: Miner's rule with Schechtman and Bader 1997, the S-N equation.
    """
    inputs = read_inputs(MODEL, _NEEDS, [(one.stress_percent, one.cycles) for one in blocks])
    if isinstance(inputs, NotComputable):
        return inputs
    damage = sum(cycles * damage_per_cycle(stress) for stress, cycles in inputs.rows)
    low, high = _TESTED_PERCENT
    remarks = tuple(
        f"A stress of {stress:g} % lies outside the tested {low:g} to {high:g} %."
        for stress, _ in inputs.rows
        if not low <= stress <= high
    )
    return Exposure(MODEL, {"damage_share": damage}, inputs.sources, validity_of(remarks), remarks)
