"""The ergonomic models by name, and their inputs read from text: for the command line and for the page of jobs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from enum import Enum
from typing import Any, get_type_hints

from coach.analysis.ergonomics import duet, hal, lifft, miner, niosh, shoulder_tool, strain_index
from coach.analysis.ergonomics.types import Exposure, Given, InputSource
from coach.analysis.errors import AnalysisError
from coach.analysis.types import NotComputable
from coach.errors import InvalidInput

Answer = Exposure | NotComputable


@dataclass(frozen=True, slots=True)
class JobModel:
    """title: in words. task: the dataclass of one task. answer: all tasks -> what the model says."""

    title: str
    task: type[Any]
    answer: Callable[[Sequence[Any]], Answer]
    several: bool = True


def _composite(duration: niosh.Duration) -> Callable[[Sequence[Any]], Answer]:
    return lambda tasks: niosh.estimate_composite(tasks, duration)


MODELS: dict[str, JobModel] = {
    "tendon": JobModel("tendon damage (Palmgren-Miner)", miner.StressBlock, miner.estimate_tendon_damage),
    "lifft": JobModel("LiFFT", lifft.LiftingTask, lifft.estimate_lifft),
    "duet": JobModel("DUET", duet.HandTask, duet.estimate_duet),
    "shoulder": JobModel("Shoulder Tool", shoulder_tool.ShoulderTask, shoulder_tool.estimate_shoulder),
    "niosh": JobModel("revised NIOSH equation", niosh.Lift, lambda tasks: niosh.estimate_lift(tasks[0]), several=False),
    **{
        f"niosh-composite-{each.name.lower()}": JobModel(
            f"composite lifting index, {each.value}", niosh.CompositeTask, _composite(each)
        )
        for each in niosh.Duration
    },
    "strain-index": JobModel(
        "Revised Strain Index",
        strain_index.StrainTask,
        lambda tasks: strain_index.estimate_strain_index(tasks[0]),
        several=False,
    ),
    "hal": JobModel(
        "Hand Activity Level", hal.HandActivity, lambda tasks: hal.estimate_hand_activity(tasks[0]), several=False
    ),
}


# What a wearable may count, and whether as a number a day or as a number a minute; everything else is entered, always.
COUNTABLE: Mapping[str, bool] = {"repetitions": False, "cycles": False, "per_min": True, "efforts_per_min": True}


@dataclass(frozen=True, slots=True)
class Field:
    """One input of a task. choices: its words, empty for a number; several of them may hold where `several` is set."""

    name: str
    choices: tuple[str, ...]
    several: bool
    countable: bool


def model_named(name: str) -> JobModel:
    """Return a model. Raises InvalidInput with the names."""
    model = MODELS.get(name)
    if model is None:
        raise InvalidInput(f"No model is called '{name}': choose one of {', '.join(MODELS)}.")
    return model


def fields_of(model: JobModel) -> tuple[Field, ...]:
    """Return the inputs of one task of a model, in its order."""
    hints = get_type_hints(model.task)
    return tuple(_field(each.name, hints[each.name]) for each in fields(model.task))


def _field(name: str, hint: Any) -> Field:
    kinds = _kinds(hint)
    chosen = next((kind for kind in kinds if issubclass(kind, Enum)), None)
    if chosen is not None:
        words = tuple(each.name.lower() for each in chosen)
        return Field(name, words, getattr(hint, "__origin__", None) is tuple, False)
    if bool in kinds:
        return Field(name, ("yes", "no"), False, False)
    return Field(name, (), False, name in COUNTABLE)


def _kinds(hint: Any) -> list[type[Any]]:
    return [kind for kind in getattr(hint, "__args__", (hint,)) if isinstance(kind, type)]


def task_of(name: str, given: Mapping[str, str], counted: Mapping[str, float | None] | None = None) -> Any:
    """Return the task with these inputs; one that is left out is missing, and the model says so.

    given: input -> text. counted: input -> what a wearable counted, None where it could not.
    Raises InvalidInput for an unknown input, word or number, and for a count of what no wearable counts.
    """
    model = model_named(name)
    hints = get_type_hints(model.task)
    values: dict[str, Any] = {
        each.name: None for each in fields(model.task) if each.default is MISSING and each.default_factory is MISSING
    }
    for field, text in given.items():
        if field not in hints:
            raise InvalidInput(f"'{field}' is no input of {name}: it takes {', '.join(hints)}.")
        if text.strip():
            values[field] = _value(field, hints[field], text.strip())
    for field, value in (counted or {}).items():
        if field not in COUNTABLE or field not in hints:
            raise InvalidInput(f"'{field}' of {name} cannot come from a wearable: enter it.")
        values[field] = None if value is None else Given(value, InputSource.MEASURED)
    return model.task(**values)


def _value(field: str, hint: Any, text: str) -> Any:
    """Return a value of the input's kind: a number that was entered, one of a few words, yes or no."""
    known = _field(field, hint)
    if known.several:
        chosen = next(kind for kind in _kinds(hint) if issubclass(kind, Enum))
        return tuple(_word(field, chosen, each.strip()) for each in text.split("+"))
    if known.choices == ("yes", "no"):
        if text.lower() not in known.choices:
            raise InvalidInput(f"{field}: write yes or no.")
        return text.lower() == "yes"
    if known.choices:
        return _word(field, next(kind for kind in _kinds(hint) if issubclass(kind, Enum)), text)
    try:
        return Given(float(text.replace(",", ".")))
    except (ValueError, AnalysisError):
        raise InvalidInput(f"{field}: '{text}' is no number.") from None


def _word(field: str, kind: type[Enum], text: str) -> Enum:
    found = next((each for each in kind if text.lower() in (each.name.lower(), str(each.value).lower())), None)
    if found is None:
        raise InvalidInput(f"{field}: choose one of {', '.join(each.name.lower() for each in kind)}.")
    return found


def answer_of(name: str, tasks: Sequence[Any]) -> Answer:
    """Return what a model says of its tasks. Raises InvalidInput for too many, none, or an impossible input."""
    model = model_named(name)
    if not tasks or (len(tasks) > 1 and not model.several):
        many = "at least one task" if model.several else "exactly one task"
        raise InvalidInput(f"{name} takes {many} with {', '.join(each.name for each in fields_of(model))}.")
    try:
        return model.answer(tasks)
    except AnalysisError as error:
        raise InvalidInput(str(error)) from None
