"""What every ergonomic model takes and gives: inputs with their source, and a result that says how far it holds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from coach.analysis.errors import AnalysisError
from coach.analysis.types import NotComputable

# Standard gravity as the load models use it (their worked examples are in kg x 9.81).
GRAVITY_MPS2 = 9.81
# Exact by definition (international yard and pound, 1959).
KG_PER_LB = 0.45359237
M_PER_IN = 0.0254


class InputSource(StrEnum):
    """Where a number comes from."""

    MEASURED = "measured"
    ENTERED = "entered"
    ASSUMED = "assumed"


_WEAKEST_FIRST = (InputSource.ASSUMED, InputSource.ENTERED, InputSource.MEASURED)


class Confidence(StrEnum):
    """How well the constants are backed. A: read at the source and reproduced. B: recalled and cross-checked."""

    A = "A"
    B = "B"
    HEURISTIC = "own heuristic"


class Validity(StrEnum):
    IN_RANGE = "in range"
    OUT_OF_RANGE = "out of range"


@dataclass(frozen=True, slots=True)
class Given:
    """One input with its source. Raises AnalysisError for a value that is no finite number."""

    value: float
    source: InputSource = InputSource.ENTERED

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise AnalysisError(f"An input of {self.value} is no number: enter a finite one, or leave it out.")


@dataclass(frozen=True, slots=True)
class Model:
    """One published model, pinned. unit: of the main value. range: where it was fitted or defined."""

    name: str
    version: str
    source: str
    confidence: Confidence
    unit: str
    range: str


@dataclass(frozen=True, slots=True)
class Exposure:
    """What a model says of a job, drill or task.

    values: named with their units. inputs: name -> source of each input, the weakest of several tasks. validity:
    OUT_OF_RANGE when any input lies outside the model's range; remarks then say which. notes: what it does not say.
    """

    model: Model
    values: dict[str, float]
    inputs: dict[str, InputSource]
    validity: Validity = Validity.IN_RANGE
    remarks: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=("A statement about jobs or groups, not about a person.",))


@dataclass(frozen=True, slots=True)
class Need:
    """One input of a model: its name in words, what is possible at all, and whether a wearable may count it."""

    name: str
    low: float
    high: float
    unit: str = ""
    countable: bool = False


@dataclass(frozen=True, slots=True)
class Inputs:
    """rows: one tuple of values per task, in the order of the needs. sources: name -> its weakest source."""

    rows: tuple[tuple[float, ...], ...]
    sources: dict[str, InputSource]


def read_inputs(model: Model, needs: Sequence[Need], rows: Sequence[Sequence[Given | None]]) -> Inputs | NotComputable:
    """Return the values of all tasks, or what is missing for the model.

    rows: one sequence per task, in the order of the needs. Raises AnalysisError for an impossible value, and for one
    that no wearable measures but that claims to be measured.
    """
    absent = [need.name for at, need in enumerate(needs) if not rows or any(row[at] is None for row in rows)]
    if absent:
        return NotComputable(model.name, " and ".join(part for part in (", ".join(absent[:-1]), absent[-1]) if part))
    weakest: dict[str, InputSource] = {}
    values = []
    for row in rows:
        known = [given for given in row if given is not None]
        values.append(tuple(_checked(need, given) for need, given in zip(needs, known, strict=True)))
        for need, given in zip(needs, known, strict=True):
            weakest[need.name] = min(weakest.get(need.name, given.source), given.source, key=_WEAKEST_FIRST.index)
    return Inputs(tuple(values), weakest)


def _checked(need: Need, given: Given) -> float:
    if given.source is InputSource.MEASURED and not need.countable:
        raise AnalysisError(f"The {need.name} cannot come from a wearable: enter it.")
    if not need.low <= given.value <= need.high:
        span = f"{need.low:g} to {need.high:g} {need.unit}".rstrip()
        raise AnalysisError(f"The {need.name} of {given.value:g} is impossible: enter {span}.")
    return given.value


def validity_of(remarks: tuple[str, ...]) -> Validity:
    """Return OUT_OF_RANGE when there is a remark on the range, else IN_RANGE."""
    return Validity.OUT_OF_RANGE if remarks else Validity.IN_RANGE


def logistic(x: float) -> float:
    """Return 1 / (1 + e^-x) without overflow."""
    return 1.0 / (1.0 + math.exp(-x)) if x >= 0 else math.exp(x) / (1.0 + math.exp(x))


def dose_probability(intercept: float, slope: float, damage: float) -> float:
    """Return logistic(intercept + slope log10 damage), 0 for no damage."""
    return logistic(intercept + slope * math.log10(damage)) if damage > 0 else 0.0
