"""Findings in words and numbers, from what the detectors found. A finding is not a diagnosis."""

from __future__ import annotations

from typing import Any

from coach.analysis.strain import BendingRun, BendingState, median_deg
from coach.analysis.types import (
    ALGORITHM_NAME,
    ALGORITHM_VERSION,
    BendingParams,
    Finding,
    Grade,
    NotComputable,
)

REPEATED_BENDING = "repeated_bending"
# The spine above the pelvis; a belt at the hip turns with the pelvis and says less.
TRUNK_PLACES = frozenset({"chest", "sternum", "upper_back", "lower_back", "trunk"})
BENDING_SOURCE = (
    "Work postures scored by RULA (McAtamney and Corlett 1993) and REBA (Hignett and McAtamney 2000) count an action "
    "as repetitive above 4 a minute. That it has to last {minutes} minutes and that a bend is a change of "
    "{degrees:g} degrees there and back are Backstop's own heuristics."
)


def bending_finding(params: BendingParams, place: str, rate_hz: float, run: BendingRun) -> Finding:
    """Return the finding of one run, with its evidence. Grade: one flag, so amber."""
    minutes = run.covered / rate_hz / 60.0
    mean_per_min = run.cycles / minutes if minutes else 0.0
    coverage = run.covered / run.expected if run.expected else 0.0
    because: dict[str, Any] = {
        "window": {"start_s": float(run.first), "end_s": float(run.end)},
        "values": {
            "bends": run.cycles,
            "rate_mean_per_min": round(mean_per_min, 2),
            "rate_max_per_min": round(run.rate_max_per_min, 2),
            "range_median_deg": median_deg(run),
        },
        "threshold": {
            "rate_per_min": params.rate_per_min,
            "min_duration_s": params.min_duration_s,
            "min_range_deg": params.min_range_deg,
            "coverage_share": params.coverage_share,
        },
        "source": BENDING_SOURCE.format(
            minutes=_number(params.min_duration_s / 60.0), degrees=params.min_range_deg, sureness=params.sureness
        ),
        "algorithm": {"name": ALGORITHM_NAME, "version": ALGORITHM_VERSION},
        "coverage_share": round(coverage, 4),
        "place": place,
    }
    statement = (
        f"You bent forward {run.cycles} times in {_duration(run.end - run.first)}, {mean_per_min:.1f} times a minute. "
        f"More than {params.rate_per_min:g} a minute for {_number(params.min_duration_s / 60.0)} minutes "
        "counts as repeated bending."
    )
    return Finding(
        kind=REPEATED_BENDING,
        key=f"{REPEATED_BENDING}-{run.first}",
        statement=statement,
        grade=Grade.AMBER,
        start_s=float(run.first),
        end_s=float(run.end),
        coverage_share=round(coverage, 4),
        because=because,
    )


def bending_not_computable(
    params: BendingParams, place: str, duration_s: float, state: BendingState | None
) -> tuple[NotComputable, ...]:
    """Return why repeated bending cannot be judged on this sensor; empty when it can."""
    if state is None:
        return (
            NotComputable(
                REPEATED_BENDING,
                f"a sensor on the trunk (chest, upper_back or lower_back); {place} is not one",
            ),
        )
    if not state.windows:
        return (
            NotComputable(
                REPEATED_BENDING,
                f"a recording of at least {params.min_duration_s:g} s; this one has {duration_s:.1f} s",
            ),
        )
    if state.best_coverage_share < params.coverage_share:
        return (
            NotComputable(
                REPEATED_BENDING,
                f"{params.coverage_share:.0%} of some {params.min_duration_s:g} s recorded; "
                f"the best stretch has {state.best_coverage_share:.0%}",
            ),
        )
    return ()


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60.0)
    if minutes < 120:
        return f"{minutes} minutes" if minutes != 1 else "1 minute"
    hours, rest = divmod(minutes, 60)
    return f"{hours} hours {rest} minutes" if rest else f"{hours} hours"


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
