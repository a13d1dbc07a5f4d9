"""`backstop job MODEL --task …`: what a published ergonomic model says of a job or drill whose inputs are entered."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import MISSING, dataclass, fields
from enum import Enum
from typing import Any, get_type_hints

from coach.analysis.ergonomics import duet, hal, lifft, miner, niosh, shoulder_tool, strain_index
from coach.analysis.ergonomics.types import Exposure, Given
from coach.analysis.errors import AnalysisError
from coach.analysis.types import NotComputable
from coach.errors import InvalidInput

Answer = Exposure | NotComputable


@dataclass(frozen=True, slots=True)
class _Model:
    """title: in words. task: the dataclass of one task. answer: all tasks -> what the model says."""

    title: str
    task: type[Any]
    answer: Callable[[Sequence[Any]], Answer]
    several: bool = True


def _composite(duration: niosh.Duration) -> Callable[[Sequence[Any]], Answer]:
    return lambda tasks: niosh.estimate_composite(tasks, duration)


MODELS: dict[str, _Model] = {
    "tendon": _Model("tendon damage (Palmgren-Miner)", miner.StressBlock, miner.estimate_tendon_damage),
    "lifft": _Model("LiFFT", lifft.LiftingTask, lifft.estimate_lifft),
    "duet": _Model("DUET", duet.HandTask, duet.estimate_duet),
    "shoulder": _Model("Shoulder Tool", shoulder_tool.ShoulderTask, shoulder_tool.estimate_shoulder),
    "niosh": _Model("revised NIOSH equation", niosh.Lift, lambda tasks: niosh.estimate_lift(tasks[0]), several=False),
    **{
        f"niosh-composite-{each.name.lower()}": _Model(
            f"composite lifting index, {each.value}", niosh.CompositeTask, _composite(each)
        )
        for each in niosh.Duration
    },
    "strain-index": _Model(
        "Revised Strain Index",
        strain_index.StrainTask,
        lambda tasks: strain_index.estimate_strain_index(tasks[0]),
        several=False,
    ),
    "hal": _Model(
        "Hand Activity Level", hal.HandActivity, lambda tasks: hal.estimate_hand_activity(tasks[0]), several=False
    ),
}


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `job`."""
    parser = subparsers.add_parser("job", help="ask a published ergonomic model about a job, from entered inputs")
    parser.add_argument("model", metavar="MODEL", help=", ".join(MODELS))
    parser.add_argument(
        "--task",
        action="append",
        default=[],
        metavar="NAME=VALUE,…",
        help="one task's inputs; again for each task. A wrong name lists the right ones",
    )
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.set_defaults(handler=handler)


def handler(args: argparse.Namespace) -> int:
    """Print what the model says, or what it needs. Raises InvalidInput for a wrong model, name or value."""
    model = MODELS.get(args.model)
    if model is None:
        raise InvalidInput(f"No model is called '{args.model}': choose one of {', '.join(MODELS)}.")
    if not args.task or (len(args.task) > 1 and not model.several):
        many = "at least one --task" if model.several else "exactly one --task"
        raise InvalidInput(f"{args.model} takes {many} with {', '.join(_names(model.task))}.")
    try:
        answer = model.answer([_task(args.model, model.task, text) for text in args.task])
    except AnalysisError as error:
        raise InvalidInput(str(error)) from None
    print(json.dumps(_document(answer)) if args.json else "\n".join(_lines(model, answer)))
    return 0


def _names(task: type[Any]) -> list[str]:
    return [each.name for each in fields(task)]


def _task(model: str, task: type[Any], text: str) -> Any:
    """Return the task that NAME=VALUE,… describes; what is left out is missing, and the model says so."""
    hints = get_type_hints(task)
    values: dict[str, Any] = {
        each.name: None for each in fields(task) if each.default is MISSING and each.default_factory is MISSING
    }
    for part in text.split(","):
        name, sign, value = part.partition("=")
        name = name.strip()
        if not sign or name not in hints:
            raise InvalidInput(f"--task {part}: {model} knows {', '.join(_names(task))}; write NAME=VALUE.")
        values[name] = _value(part, hints[name], value.strip())
    return task(**values)


def _value(part: str, hint: Any, text: str) -> Any:
    """Return a value of the field's kind: a number that was entered, one of a few words, yes or no."""
    kinds = [kind for kind in getattr(hint, "__args__", (hint,)) if isinstance(kind, type)]
    chosen = next((kind for kind in kinds if issubclass(kind, Enum)), None)
    if chosen is not None and getattr(hint, "__origin__", None) is tuple:
        return tuple(_value(part, chosen, each) for each in text.split("+"))
    if chosen is not None:
        found = next((each for each in chosen if text.lower() in (each.name.lower(), str(each.value).lower())), None)
        if found is None:
            words = ", ".join(each.name.lower() for each in chosen)
            raise InvalidInput(f"--task {part}: choose one of {words}.")
        return found
    if bool in kinds:
        if text.lower() not in ("yes", "no"):
            raise InvalidInput(f"--task {part}: write yes or no.")
        return text.lower() == "yes"
    try:
        return Given(float(text))
    except ValueError:
        raise InvalidInput(f"--task {part}: '{text}' is no number.") from None


def _document(answer: Answer) -> dict[str, Any]:
    if isinstance(answer, NotComputable):
        return {"not_computable": answer.what, "needs": answer.needs}
    return {
        "model": answer.model.name,
        "version": answer.model.version,
        "source": answer.model.source,
        "confidence": answer.model.confidence.value,
        "unit": answer.model.unit,
        "range": answer.model.range,
        "validity": answer.validity.value,
        "values": answer.values,
        "inputs": {name: source.value for name, source in answer.inputs.items()},
        "remarks": list(answer.remarks),
        "notes": list(answer.notes),
    }


def _lines(model: _Model, answer: Answer) -> list[str]:
    if isinstance(answer, NotComputable):
        return [f"{answer.what}: not computable, needs {answer.needs}."]
    width = max(len(name) for name in answer.values)
    return [
        f"{model.title} · {answer.validity.value} · confidence {answer.model.confidence.value}",
        *(f"  {name.replace('_', ' '):<{width}}  {value:.4g}" for name, value in answer.values.items()),
        f"  unit: {answer.model.unit}",
        f"  holds for: {answer.model.range}",
        *(f"  {remark}" for remark in answer.remarks),
        *(f"  {note}" for note in answer.notes),
        f"  source: {answer.model.source}",
    ]
