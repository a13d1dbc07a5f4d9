"""Whether the process answers, and whether it can do its work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from flask import Blueprint, current_app, jsonify
from werkzeug.wrappers import Response

from coach.service.machine import Part
from coach.service.personal_tokens import TokenScope
from coach.web import access
from coach.web.described import Query, describe
from coach.web.house import house

blueprint = Blueprint("health", __name__)


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether everything can do its work, and part by part."""

    status: Literal["ready", "not ready"]
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Alive:
    """Word of a process that runs."""

    status: Literal["alive"]


@dataclass(frozen=True, slots=True)
class Ready:
    """Whether a process can do its work."""

    status: Literal["ready", "not ready"]


@blueprint.get("/healthz")
@access.public
@describe(answer=Alive)
def alive() -> Alive:
    """Answer that the process runs."""
    return Alive("alive")


class ReadyQuery(Query):
    """For what: "pages", or "ingest", which of several processes needs the log too."""

    part: Literal["pages", "ingest"] = "pages"


@blueprint.get("/readyz")
@access.public
@describe(query=ReadyQuery, answer=Ready, otherwise={503: Ready})
def ready(query: ReadyQuery) -> Response:
    """Answer 200 while this process can do its work, else 503; what is wrong is told the owner and the log."""
    now = _readiness(house().services.machine.own_parts(ingest=query.part == "ingest"))
    wrong = [part.says for part in now.parts if not part.ready]
    if wrong:
        current_app.logger.error("not ready: %s", " ".join(wrong))
    answer = jsonify({"status": now.status})
    answer.status_code = 503 if wrong else 200
    return answer


@blueprint.get("/readyz.json")
@access.owner
@describe(scope=TokenScope.METRICS, answer=Readiness)
def parts() -> Readiness:
    """Tell part by part whether it can do its work, what is wrong and what to do."""
    return readiness()


def readiness() -> Readiness:
    """Return how every part does now."""
    return _readiness(house().services.machine.parts())


def _readiness(parts: tuple[Part, ...]) -> Readiness:
    return Readiness("ready" if all(part.ready for part in parts) else "not ready", parts)
