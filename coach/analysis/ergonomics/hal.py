"""Hand activity level, and its ratio to the entered peak force."""

from __future__ import annotations

import math
from dataclasses import dataclass

from coach.analysis.ergonomics.types import Confidence, Exposure, Given, Model, Need, read_inputs, validity_of
from coach.analysis.types import NotComputable

MODEL = Model(
    name="Hand Activity Level",
    version="Radwin 2015; ratio of 2002",
    source="Radwin, Azari, Lindstrom, Ulin, Armstrong and Rempel 2015, Ergonomics 58:173; ACGIH 2002 for the ratio",
    confidence=Confidence.A,
    unit="0 to 10",
    range="work of four hours a day or more with one hand; visible exertions",
)
# Radwin 2015: HAL = 6.56 ln D * F^1.31 / (1 + 3.18 F^1.31), D in % duty, F in Hz.
_SCALE, _EXPONENT, _HALF = 6.56, 1.31, 3.18
# ACGIH 2002: the ratio of peak force to what the activity leaves, action limit and threshold limit value.
ACTION_LIMIT_RATIO, THRESHOLD_LIMIT_RATIO = 0.56, 0.78
_NEEDS = (Need("exertions per second", 0, 10, "Hz", countable=True), Need("duty cycle", 0, 100, "%", countable=True))
_FORCE_NEED = (Need("normalised peak force", 0, 10),)


@dataclass(frozen=True, slots=True)
class HandActivity:
    """frequency_hz: exertions per second. duty_percent: time in exertion. peak_force: 0..10, may be left out."""

    frequency_hz: Given | None
    duty_percent: Given | None
    peak_force: Given | None = None


def activity_level(frequency_hz: float, duty_percent: float) -> float:
    """Return the level, held to 0..10. Source: Radwin 2015, equation of the fitted surface."""
    if duty_percent <= 1 or frequency_hz <= 0:
        return 0.0
    power = frequency_hz**_EXPONENT
    return float(min(max(_SCALE * math.log(duty_percent) * power / (1 + _HALF * power), 0.0), 10.0))


def estimate_hand_activity(task: HandActivity) -> Exposure | NotComputable:
    """Return the level, and with an entered peak force its ratio to (10 - level). Raises AnalysisError."""
    inputs = read_inputs(MODEL, _NEEDS, [(task.frequency_hz, task.duty_percent)])
    if isinstance(inputs, NotComputable):
        return inputs
    ((frequency_hz, duty_percent),) = inputs.rows
    level = activity_level(frequency_hz, duty_percent)
    values = {"hand_activity_level": level}
    force = read_inputs(MODEL, _FORCE_NEED, [(task.peak_force,)])
    if isinstance(force, NotComputable):
        return Exposure(MODEL, values, inputs.sources)
    remarks: tuple[str, ...] = ()
    if level < 10:
        values["peak_force_ratio"] = force.rows[0][0] / (10 - level)
    else:
        remarks = ("At a level of 10 the ratio to the peak force has no value.",)
    return Exposure(MODEL, values, inputs.sources | force.sources, validity_of(remarks), remarks)
