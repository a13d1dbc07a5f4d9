"""Share of time above inclinations.

Source: thresholds of 20, 30, 45 and 60 degrees as used by ISO 11226, Hoogendoorn 2000 (60), Jansen 2004 (45),
Villumsen 2016 (30), RULA and REBA (20, 60). The shares describe; no threshold is a cause.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coach.analysis.quality import BoolArray
from devices.types import FloatArray

# Own heuristic after the few degrees of error that lifting studies report: the share is also told for thresholds this
# much lower and higher.
SENSITIVITY_DEG = 5.0


@dataclass(frozen=True, slots=True)
class PostureState:
    """covered: samples that carry a value. above: per threshold, samples above it less 5, above it, above it plus 5."""

    covered: int = 0
    above: tuple[tuple[int, int, int], ...] = ()


def add_posture(
    thresholds_deg: tuple[float, ...], state: PostureState, smooth_deg: FloatArray, valid: BoolArray
) -> PostureState:
    """Count another run. smooth_deg: (n,) low-passed inclination. valid: (n,), True where a sample was there."""
    values = smooth_deg if valid.all() else smooth_deg[valid]
    before = state.above or ((0, 0, 0),) * len(thresholds_deg)
    above = []
    for counts, threshold in zip(before, thresholds_deg, strict=True):
        levels = (threshold - SENSITIVITY_DEG, threshold, threshold + SENSITIVITY_DEG)
        low, mid, high = (int(np.count_nonzero(values > level)) for level in levels)
        above.append((counts[0] + low, counts[1] + mid, counts[2] + high))
    return PostureState(state.covered + values.size, tuple(above))


def share_above(thresholds_deg: tuple[float, ...], state: PostureState) -> dict[float, float]:
    """Return threshold in deg -> share of covered time above it, 0..1; empty when nothing is covered."""
    return {
        t: counts[1] / state.covered for t, counts in zip(thresholds_deg, state.above, strict=False) if state.covered
    }


def share_above_shifted(thresholds_deg: tuple[float, ...], state: PostureState) -> dict[float, tuple[float, float]]:
    """Return threshold in deg -> shares above 5 deg less and above 5 deg more."""
    pairs = zip(thresholds_deg, state.above, strict=False)
    return {t: (counts[0] / state.covered, counts[2] / state.covered) for t, counts in pairs if state.covered}
