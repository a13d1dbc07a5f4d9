"""The Revised Strain Index of a hand task: effort, frequency, duration, wrist posture, hours."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from coach.analysis.ergonomics.types import Confidence, Exposure, Given, Model, Need, read_inputs, validity_of
from coach.analysis.types import NotComputable

MODEL = Model(
    name="Revised Strain Index",
    version="2016",
    source="Garg, Moore and Kapellusch 2017, Ergonomics 60:912",
    confidence=Confidence.B,
    unit="index; the authors take up to 10 as acceptable, above as hazardous work",
    range="efforts per minute times seconds per effort at most 60",
)
# Garg 2017: the index above which work is called hazardous.
LIMIT = 10.0
_NEEDS = (
    Need("effort", 0, 1, "of the strongest"),
    Need("efforts per minute", 0, 600, countable=True),
    Need("duration of an effort", 0, 3600, "s", countable=True),
    Need("wrist angle", 0, 120, "deg"),
    Need("hours a day", 0, 24, "h"),
)


class Wrist(StrEnum):
    FLEXION = "flexion"
    EXTENSION = "extension"


@dataclass(frozen=True, slots=True)
class StrainTask:
    """effort_share: 0..1 of the strongest. wrist_deg: its size, in the direction of `wrist`."""

    effort_share: Given | None
    efforts_per_min: Given | None
    effort_duration_s: Given | None
    wrist_deg: Given | None
    hours_per_day: Given | None
    wrist: Wrist = Wrist.FLEXION


def intensity_multiplier(effort_share: float) -> float:
    """Return IM of an effort of 0..1. Source: Garg 2017, two cubics that meet at 0.4."""
    x = effort_share
    if x <= 0.4:
        return 30 * x**3 - 15.6 * x**2 + 13 * x + 0.4
    return 36 * x**3 - 33.3 * x**2 + 24.77 * x - 1.86


def frequency_multiplier(efforts_per_min: float) -> float:
    """Return EM of efforts per minute. Source: Garg 2017, a line up to 90 and a power beyond."""
    return 0.10 + 0.25 * efforts_per_min if efforts_per_min <= 90 else 0.00334 * efforts_per_min**1.96


def duration_multiplier(duration_s: float) -> float:
    """Return DM of s per effort. Source: Garg 2017, a line up to 60 s and a logarithm beyond."""
    return 0.45 + 0.31 * duration_s if duration_s <= 60 else 19.17 * math.log(duration_s) - 59.44


def posture_multiplier(wrist_deg: float, wrist: Wrist) -> float:
    """Return PM of the wrist's angle. Source: Garg 2017."""
    if wrist is Wrist.FLEXION:
        return 1.2 * math.exp(0.009 * wrist_deg) - 0.2
    return 1.0 if wrist_deg <= 30 else 1 + 0.00028 * (wrist_deg - 30) ** 2


def hours_multiplier(hours: float) -> float:
    """Return HM of hours a day. Source: Garg 2017."""
    return 0.20 if hours <= 0.05 else 0.042 * hours + 0.090 * math.log(hours) + 0.477


def estimate_strain_index(task: StrainTask) -> Exposure | NotComputable:
    """Return the index and its five multipliers. Raises AnalysisError for impossible input. Source: see MODEL."""
    row = (task.effort_share, task.efforts_per_min, task.effort_duration_s, task.wrist_deg, task.hours_per_day)
    inputs = read_inputs(MODEL, _NEEDS, [row])
    if isinstance(inputs, NotComputable):
        return inputs
    ((effort, per_min, duration_s, wrist_deg, hours),) = inputs.rows
    multipliers = {
        "intensity_multiplier": intensity_multiplier(effort),
        "frequency_multiplier": frequency_multiplier(per_min),
        "duration_multiplier": duration_multiplier(duration_s),
        "posture_multiplier": posture_multiplier(wrist_deg, task.wrist),
        "hours_multiplier": hours_multiplier(hours),
    }
    remarks: tuple[str, ...] = ()
    if per_min * duration_s > 60:
        remarks = (f"{per_min:g} efforts of {duration_s:g} s do not fit into a minute.",)
    index = math.prod(multipliers.values())
    return Exposure(MODEL, {"strain_index": index, **multipliers}, inputs.sources, validity_of(remarks), remarks)
