"""The revised NIOSH lifting equation, and the composite index of several tasks.

Source: Waters, Putz-Anderson and Garg 1994, NIOSH publication 94-110, revised 9/2021 (public domain). Its metric and US
constants are no exact conversions of each other, so a lift is computed wholly in one system, by its constants.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from coach.analysis.ergonomics.types import Confidence, Exposure, Given, Model, Need, read_inputs, validity_of
from coach.analysis.types import NotComputable

MODEL = Model(
    name="revised NIOSH lifting equation",
    version="94-110, revision 9/2021",
    source="Waters, Putz-Anderson and Garg 1994, NIOSH publication 94-110, revised 9/2021",
    confidence=Confidence.A,
    unit="lifting index: load over recommended weight limit",
    range="two-handed lifts of a stable load while standing, up to 8 hours",
)


class Units(StrEnum):
    METRIC = "kg and cm"
    US = "lb and in"


@dataclass(frozen=True, slots=True)
class _Constants:
    """The equation's numbers in one system. Source: NIOSH 94-110, table of multipliers."""

    load: float
    h_best: float
    h_max: float
    v_best: float
    v_slope: float
    v_max: float
    d_offset: float
    d_scale: float
    d_best: float
    d_max: float


_CONSTANTS = {
    Units.METRIC: _Constants(23.0, 25.0, 63.0, 75.0, 0.003, 175.0, 0.82, 4.5, 25.0, 175.0),
    Units.US: _Constants(51.0, 10.0, 25.0, 30.0, 0.0075, 70.0, 0.82, 1.8, 10.0, 70.0),
}
# NIOSH 94-110: asymmetry takes 0.32 % a degree, none beyond 135.
_A_SLOPE, _A_MAX_DEG = 0.0032, 135.0


class Coupling(StrEnum):
    GOOD = "good"
    FAIR = "fair"
    POOR = "poor"


class Duration(StrEnum):
    """How long lifting goes on before a recovery that is long enough."""

    SHORT = "up to 1 hour"
    MODERATE = "up to 2 hours"
    LONG = "2 to 8 hours"


# NIOSH 94-110, frequency multiplier: lifts per minute, and per duration below and from the limit of V on.
_F_PER_MIN = (0.2, 0.5, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
_FM_LOW = {
    Duration.SHORT: (1, 0.97, 0.94, 0.91, 0.88, 0.84, 0.80, 0.75, 0.70, 0.60, 0.52, 0.45, 0.41, 0.37, 0, 0, 0),
    Duration.MODERATE: (0.95, 0.92, 0.88, 0.84, 0.79, 0.72, 0.60, 0.50, 0.42, 0.35, 0.30, 0.26, 0, 0, 0, 0, 0),
    Duration.LONG: (0.85, 0.81, 0.75, 0.65, 0.55, 0.45, 0.35, 0.27, 0.22, 0.18, 0, 0, 0, 0, 0, 0, 0),
}
_FM_HIGH_TAIL = {
    Duration.SHORT: (0.34, 0.31, 0.28),
    Duration.MODERATE: (0.23, 0.21, 0, 0, 0),
    Duration.LONG: (0.15, 0.13, 0, 0, 0, 0, 0),
}


class Condition(StrEnum):
    """What takes a lift out of the equation's reach."""

    ONE_HANDED = "one-handed"
    SEATED_OR_KNEELING = "seated or kneeling"
    UNSTABLE_LOAD = "with an unstable load"
    CARRYING_OR_PUSHING = "carrying, pushing or pulling"
    FAST = "faster than about 75 cm/s"


@dataclass(frozen=True, slots=True)
class Lift:
    """One lift at one end. load, horizontal (H), vertical (V) and distance (D) in the units of `units`.

    asymmetry_deg: turn away from straight ahead. per_min: lifts a minute, may be counted by a wearable. duration_h and
    recovery_h: time of lifting and of light work after it.
    """

    load: Given | None
    horizontal: Given | None
    vertical: Given | None
    distance: Given | None
    asymmetry_deg: Given | None
    per_min: Given | None
    duration_h: Given | None
    recovery_h: Given | None
    coupling: Coupling | None
    units: Units = Units.METRIC
    conditions: tuple[Condition, ...] = field(default=())


_LENGTH_MAX = 400.0
_NEEDS = (
    Need("load", 0, 500),
    Need("horizontal distance H", 0, _LENGTH_MAX),
    Need("height V", 0, _LENGTH_MAX),
    Need("vertical travel D", 0, _LENGTH_MAX),
    Need("asymmetry", 0, 180, "deg"),
    Need("lifts per minute", 0, 60, countable=True),
    Need("hours of lifting", 0, 24, "h", countable=True),
    Need("hours of recovery", 0, 24, "h"),
)


def duration_of(work_h: float, recovery_h: float) -> Duration:
    """Return the duration class of a work time with the recovery that follows. Source: 94-110, revision 9/2021."""
    if work_h <= 1 and recovery_h >= work_h:
        return Duration.SHORT
    if work_h <= 2 and recovery_h >= 0.3 * work_h:
        return Duration.MODERATE
    return Duration.LONG


def frequency_multiplier(per_min: float, duration: Duration, low: bool) -> float:
    """Return FM, interpolated between rows. low: the hands start below 75 cm (30 in)."""
    row: tuple[float, ...] = _FM_LOW[duration]
    if not low:
        tail = _FM_HIGH_TAIL[duration]
        row = (*row[: len(row) - len(tail)], *tail)
    return float(np.interp(per_min, _F_PER_MIN, row)) if per_min <= _F_PER_MIN[-1] else 0.0


def coupling_multiplier(coupling: Coupling, low: bool) -> float:
    """Return CM. low: the hands are below 75 cm (30 in)."""
    if coupling is Coupling.GOOD or (coupling is Coupling.FAIR and not low):
        return 1.0
    return 0.95 if coupling is Coupling.FAIR else 0.90


def position_multipliers(
    horizontal: float, vertical: float, distance: float, asymmetry_deg: float, units: Units
) -> dict[str, float]:
    """Return HM, VM, DM and AM; 0 where the position is out of reach of the equation."""
    c = _CONSTANTS[units]
    near, short = max(horizontal, c.h_best), max(distance, c.d_best)
    return {
        "horizontal_multiplier": c.h_best / near if horizontal <= c.h_max else 0.0,
        "vertical_multiplier": 1 - c.v_slope * abs(vertical - c.v_best) if vertical <= c.v_max else 0.0,
        "distance_multiplier": c.d_offset + c.d_scale / short if distance <= c.d_max else 0.0,
        "asymmetry_multiplier": 1 - _A_SLOPE * asymmetry_deg if asymmetry_deg <= _A_MAX_DEG else 0.0,
    }


def estimate_lift(lift: Lift) -> Exposure | NotComputable:
    """Return the recommended weight limit, its multipliers and the lifting index of one lift.

    Where a lift has to be controlled at its end, compute both ends and take the larger index. Raises AnalysisError for
    impossible input. Not computable outside the equation's conditions, or beyond 8 hours.
    """
    coupling = Given(0.0) if lift.coupling is not None else None
    row = (
        lift.load,
        lift.horizontal,
        lift.vertical,
        lift.distance,
        lift.asymmetry_deg,
        lift.per_min,
        lift.duration_h,
        lift.recovery_h,
    )
    inputs = read_inputs(MODEL, (*_NEEDS, Need("coupling", 0, 0)), [(*row, coupling)])
    if isinstance(inputs, NotComputable):
        return inputs
    if lift.conditions:
        return NotComputable(MODEL.name, f"another method: a lift {', '.join(lift.conditions)} is outside the equation")
    load, horizontal, vertical, distance, asymmetry_deg, per_min, work_h, recovery_h, _ = inputs.rows[0]
    if work_h > 8:
        return NotComputable(MODEL.name, "at most 8 hours of lifting a day; the equation says nothing beyond")
    assert lift.coupling is not None  # noqa: S101 - among the inputs that were asked for
    constants = _CONSTANTS[lift.units]
    low = vertical < constants.v_best
    multipliers = position_multipliers(horizontal, vertical, distance, asymmetry_deg, lift.units)
    multipliers["coupling_multiplier"] = coupling_multiplier(lift.coupling, low)
    independent = constants.load * float(np.prod(list(multipliers.values())))
    frequency = frequency_multiplier(per_min, duration_of(work_h, recovery_h), low)
    values = {
        "recommended_weight_limit": independent * frequency,
        "frequency_independent_limit": independent,
        "frequency_multiplier": frequency,
        **multipliers,
    }
    remarks: tuple[str, ...] = ()
    if independent * frequency > 0:
        values["lifting_index"] = load / (independent * frequency)
    else:
        remarks = (_why_nothing({**multipliers, "frequency_multiplier": frequency}),)
    return Exposure(
        MODEL, values, {k: v for k, v in inputs.sources.items() if k != "coupling"}, validity_of(remarks), remarks
    )


def _why_nothing(multipliers: Mapping[str, float]) -> str:
    none = [name.replace("_", " ") for name, value in multipliers.items() if not value]
    return f"Nothing may be lifted so: the {', '.join(none)} is 0, and an index has no value."


@dataclass(frozen=True, slots=True)
class CompositeTask:
    """A task of several. limit: its frequency-independent recommended weight limit; load in the same unit.

    low: the hands start below 75 cm (30 in).
    """

    load: Given | None
    limit: Given | None
    per_min: Given | None
    low: bool = True


_COMPOSITE_NEEDS = (
    Need("load", 0, 500),
    Need("frequency-independent limit", 1e-6, 500),
    Need("lifts per minute", 0, 60, countable=True),
)


def estimate_composite(tasks: Sequence[CompositeTask], duration: Duration) -> Exposure | NotComputable:
    """Return the composite lifting index of tasks done in turn, and each task's own index (`index_of_task_1`, …).

    The task with the largest own index counts whole; each further one adds what its lifts take from the frequency
    multiplier. Raises AnalysisError for impossible input. Source: NIOSH 94-110, section 2.4.
    """
    inputs = read_inputs(MODEL, _COMPOSITE_NEEDS, [(task.load, task.limit, task.per_min) for task in tasks])
    if isinstance(inputs, NotComputable):
        return inputs
    rows = []
    for number, (task, (load, limit, per_min)) in enumerate(zip(tasks, inputs.rows, strict=True), 1):
        own = frequency_multiplier(per_min, duration, task.low)
        if not own:
            return NotComputable("composite lifting index", f"fewer than {per_min:g} lifts a minute in task {number}")
        rows.append((load / (limit * own), load / limit, per_min, task.low, number))
    values = {f"index_of_task_{number}": own for own, _, _, _, number in rows}
    rows.sort(key=lambda row: -row[0])
    index, per_min = rows[0][0], rows[0][2]
    for _, independent, more, low, number in rows[1:]:
        before = frequency_multiplier(per_min, duration, low)
        per_min += more
        after = frequency_multiplier(per_min, duration, low)
        if not after:
            return NotComputable(
                "composite lifting index", f"fewer than {per_min:g} lifts a minute up to task {number}"
            )
        index += independent * (1 / after - 1 / before)
    return Exposure(MODEL, {"composite_lifting_index": index, **values}, inputs.sources)
