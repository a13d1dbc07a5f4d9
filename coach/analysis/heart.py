"""What heart rate and beat-to-beat intervals tell about load and recovery.

Source: Banister 1991 (TRIMP); Task Force 1996 (RMSSD); Plews 2014 and Javaloyes 2019 (week against a baseline).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from coach.analysis.errors import AnalysisError
from coach.analysis.types import NotComputable


class TrimpCoefficients(StrEnum):
    """Banister's two fits, by the sex of those measured."""

    MEN = "men"
    WOMEN = "women"


# Banister 1991: weight a e^(b r) of the heart rate reserve r.
_TRIMP = {TrimpCoefficients.MEN: (0.64, 1.92), TrimpCoefficients.WOMEN: (0.86, 1.67)}
# Physiological limits of an interval between beats, 30 to 220 a minute (own heuristic).
_RR_MIN_S, _RR_MAX_S = 60 / 220, 60 / 30


def estimate_trimp(
    duration_min: float,
    heart_rate_bpm: float | None,
    resting_bpm: float | None,
    maximal_bpm: float | None,
    coefficients: TrimpCoefficients | None,
) -> float | NotComputable:
    """Return Banister's training impulse of one session from its mean heart rate, in arbitrary units.

    The heart rate reserve is held to 0..1. Raises AnalysisError when the maximal is not above the resting rate.
    """
    named = {
        "a heart-rate sensor": heart_rate_bpm,
        "your resting heart rate": resting_bpm,
        "your maximal heart rate": maximal_bpm,
        "which of the two published fits to use": coefficients,
    }
    absent = [name for name, value in named.items() if value is None]
    if heart_rate_bpm is None or resting_bpm is None or maximal_bpm is None or coefficients is None:
        return NotComputable("TRIMP", " and ".join(absent))
    if not 0 < resting_bpm < maximal_bpm:
        raise AnalysisError(
            f"A resting rate of {resting_bpm:g} and a maximal rate of {maximal_bpm:g} do not fit: correct one of them."
        )
    reserve = min(max((heart_rate_bpm - resting_bpm) / (maximal_bpm - resting_bpm), 0.0), 1.0)
    scale, slope = _TRIMP[coefficients]
    return duration_min * reserve * scale * math.exp(slope * reserve)


def estimate_rmssd_s(rr_s: Sequence[float] | None) -> float | NotComputable:
    """Return the root mean square of successive differences of intervals in s (n,), oldest first.

    Not computable without intervals (an averaged or optical rate cannot give it), from fewer than two, or when an
    interval lies outside what a heart does. Source: Task Force of ESC and NASPE 1996.
    """
    needs = "intervals between beats from a chest strap, at least two in a row and all plausible"
    if rr_s is None or len(rr_s) < 2:
        return NotComputable("RMSSD", needs)
    intervals = np.asarray(rr_s, dtype=np.float64)
    if not ((intervals >= _RR_MIN_S) & (intervals <= _RR_MAX_S)).all():
        return NotComputable("RMSSD", needs)
    return float(np.sqrt(np.mean(np.diff(intervals) ** 2)))


@dataclass(frozen=True, slots=True)
class HrvLimits:
    """As a profile states them. below_sd: where the usual range begins, in standard deviations below the mean.

    week_mornings: known mornings of seven that are needed; baseline_mornings: of about a month.
    """

    below_sd: float
    week_mornings: int
    baseline_mornings: int


def ln_rmssd(rmssd_s: float) -> float:
    """Return the natural logarithm of RMSSD in ms, the form in which mornings are compared."""
    return math.log(rmssd_s * 1000.0)


def estimate_hrv_limit(mornings: Sequence[float | None], limits: HrvLimits) -> float | NotComputable:
    """Return the baseline's mean less `below_sd` standard deviations (n - 1), from about a month of mornings.

    mornings: ln RMSSD of each, None where there is none. Source: Javaloyes 2019.
    """
    known = [value for value in mornings if value is not None and math.isfinite(value)]
    if len(known) < limits.baseline_mornings:
        return NotComputable("limit of ln RMSSD", f"{limits.baseline_mornings} mornings (so far {len(known)})")
    return float(np.mean(known) - limits.below_sd * np.std(known, ddof=1))


def estimate_hrv_week(mornings: Sequence[float | None], limits: HrvLimits) -> float | NotComputable:
    """Return the mean of the newest seven mornings, of which enough must be known. Source: Plews 2014."""
    known = [value for value in mornings[-7:] if value is not None and math.isfinite(value)]
    if len(known) < limits.week_mornings:
        return NotComputable("weekly ln RMSSD", f"{limits.week_mornings} mornings of the last 7 (so far {len(known)})")
    return float(np.mean(known))
