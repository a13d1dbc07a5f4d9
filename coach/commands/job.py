"""`backstop job MODEL --task …`: what a published ergonomic model says of a job or drill whose inputs are entered."""

from __future__ import annotations

import argparse
import json
from typing import Any

from coach.analysis.types import NotComputable
from coach.errors import InvalidInput
from coach.service.job_models import MODELS, Answer, JobModel, answer_of, fields_of, model_named, task_of


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
    model = model_named(args.model)
    if not args.task or (len(args.task) > 1 and not model.several):
        many = "at least one --task" if model.several else "exactly one --task"
        raise InvalidInput(f"{args.model} takes {many} with {_names(model)}.")
    answer = answer_of(args.model, [_task(args.model, model, text) for text in args.task])
    print(json.dumps(_document(answer)) if args.json else "\n".join(_lines(model, answer)))
    return 0


def _names(model: JobModel) -> str:
    return ", ".join(each.name for each in fields_of(model))


def _task(name: str, model: JobModel, text: str) -> Any:
    """Return the task that NAME=VALUE,… describes."""
    known = {each.name for each in fields_of(model)}
    given: dict[str, str] = {}
    for part in text.split(","):
        field, sign, value = part.partition("=")
        if not sign or field.strip() not in known:
            raise InvalidInput(f"--task {part}: {name} knows {_names(model)}; write NAME=VALUE.")
        if field.strip() in given:
            raise InvalidInput(f"--task {text}: {field.strip()} is there twice; write it once.")
        given[field.strip()] = value
    try:
        return task_of(name, given)
    except InvalidInput as error:
        raise InvalidInput(f"--task {text}: {error}") from None


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


def _lines(model: JobModel, answer: Answer) -> list[str]:
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
