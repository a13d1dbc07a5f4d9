"""The interface for programs: chunks from a gateway, and what a coach sees as JSON."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime, time
from enum import Enum
from typing import Any

from flask import Blueprint, jsonify, request
from werkzeug.wrappers import Response

from coach.web import access
from coach.web.house import house

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")

# Own choice: 60 chunks of 60 s at 100 Hz are 4.3 MB as int16; nothing that a gateway sends at once is larger.
CHUNKS_BODY_BYTES_MAX = 8_000_000


def _plain(value: Any) -> Any:
    """Return a view's value as JSON values: ISO for times, plain strings for names of states."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return value


@blueprint.post("/chunks")
@access.bearer
def add_chunks() -> Response:
    """Take encoded chunks and answer once they are stored for good, with their keys."""
    request.max_content_length = CHUNKS_BODY_BYTES_MAX
    body = request.get_data(cache=False)
    stored = house().services.ingest.receive(access.holder(), body)
    return jsonify({"stored": list(stored)})


@blueprint.get("/athletes")
@access.coach
def athletes() -> Response:
    """List the coach's athletes."""
    rows = house().services.athletes.roster(access.me())
    return jsonify({"athletes": [_plain(asdict(row)) for row in rows]})


@blueprint.get("/athletes/<athlete_id>/findings")
@access.signed_in
def findings(athlete_id: str) -> Response:
    """List an athlete's findings, newest first."""
    athlete = house().services.athletes.get(access.me(), athlete_id)
    found = house().services.findings.for_athlete(athlete.athlete_id)
    return jsonify({"findings": [_plain(asdict(each)) for each in found]})


@blueprint.get("/athletes/<athlete_id>/plans")
@access.signed_in
def plans(athlete_id: str) -> Response:
    """Return the proposal that waits and the program that runs, null where there is none."""
    athlete = house().services.athletes.get(access.me(), athlete_id)
    of_athlete = house().services.plans
    proposal, active = of_athlete.proposal(athlete.athlete_id), of_athlete.active(athlete.athlete_id)
    return jsonify(
        {
            "proposal": _plain(asdict(proposal)) if proposal else None,
            "active": _plain(asdict(active)) if active else None,
        }
    )
