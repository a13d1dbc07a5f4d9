"""Whether back and abdominals are weak relative to arms, shoulders or legs: answered from tests of force or not at all.

No wearable measures the force of a muscle, and no published limit says which ratio is weak. So the answer is the ratio
of two measured forces, and how it stands against the athlete's own earlier ones; without them it is "not measured".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from coach.analysis.assessment_types import (
    SPECS,
    History,
    HistoryVerdict,
    Method,
    Region,
    Results,
)
from coach.analysis.imbalance import history_of

TRUNK = (Region.BACK, Region.ABDOMINALS)
LIMBS = (Region.ARM, Region.SHOULDER, Region.LEG)
NO_RULE = "No published limit says which ratio is weak; it is there to be compared with your own later ones."


@dataclass(frozen=True, slots=True)
class RelativeStrength:
    """The force of one region of the trunk against that of a limb.

    ratio: trunk / limb, None if not measured. trunk, limb: in N; of a limb the mean of its two sides.
    """

    region: Region
    against: Region
    measured: bool
    statement: str
    ratio: float | None = None
    trunk: float | None = None
    limb: float | None = None
    history: History = field(default_factory=lambda: History(HistoryVerdict.LEARNING, 0))
    needs: str | None = None


def weakness_relative(results: Results, earlier: Sequence[Results] = ()) -> tuple[RelativeStrength, ...]:
    """Return back and abdominals against arms, shoulders and legs, six answers. earlier: assessments before, any order.

    A hold, a range of motion or a count of repetitions is no force, so only dynamometer values count here.
    """
    return tuple(_relative(region, against, results, earlier) for region in TRUNK for against in LIMBS)


def _relative(region: Region, against: Region, results: Results, earlier: Sequence[Results]) -> RelativeStrength:
    trunk, limb = _force(region, results), _force(against, results)
    if trunk is None or limb is None:
        missing = [each.value for each, force in ((region, trunk), (against, limb)) if force is None]
        needs = f"a dynamometer value of {' and of '.join(missing)}" + (" on both sides" if limb is None else "")
        said = f"{region.capitalize()} relative to {against}: not measured. Needs {needs}."
        return RelativeStrength(region, against, False, said, needs=needs)
    pairs = [(_force(region, past), _force(against, past)) for past in earlier]
    ratio = trunk / limb
    history = history_of(ratio, [one / other for one, other in pairs if one is not None and other is not None])
    usual = {
        HistoryVerdict.LEARNING: f"{history.earlier} earlier ratios, 3 are needed to say what is usual for you.",
        HistoryVerdict.USUAL: "That is usual for you.",
        HistoryVerdict.CHANGED: "That is not what it was for you before.",
    }[history.verdict]
    said = f"{region.capitalize()} {trunk:.0f} N to {against} {limb:.0f} N, a ratio of {ratio:.2f}. {usual} {NO_RULE}"
    return RelativeStrength(region, against, True, said, ratio, trunk, limb, history)


def _force(region: Region, results: Results) -> float | None:
    """Return the force of a region in N; of a limb the mean of both sides, None unless both are there."""
    tests = [test for test, spec in SPECS.items() if spec.method is Method.DYNAMOMETER and spec.region is region]
    values = [results[test].value for test in tests if test in results and results[test].counts]
    forces = [value for value in values if value is not None and value > 0.0]
    return float(np.mean(forces)) if len(forces) == len(tests) else None
