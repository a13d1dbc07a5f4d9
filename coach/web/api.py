"""The interface for programs: chunks from a gateway, and what a coach sees as JSON."""

from __future__ import annotations

import time
from dataclasses import asdict
from datetime import date, datetime
from datetime import time as time_of_day
from enum import Enum
from typing import Any

from flask import Blueprint, jsonify, request
from werkzeug.wrappers import Response

from coach import wire
from coach.errors import InvalidInput
from coach.log import decode_chunks, unpack
from coach.web import access
from coach.web.house import house
from devices.errors import DeviceError
from devices.types import LinkStatus

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")

# Own choice: 60 chunks of 60 s at 100 Hz are 4.3 MB as int16; nothing that a gateway sends at once is larger.
CHUNKS_BODY_BYTES_MAX = 8_000_000
# Own choice: a report with the connection logs of several links, and a second of live blocks, are far smaller.
BEAT_BODY_BYTES_MAX = 2_000_000
# s. Own bound: an older block is not live, and the figure only says how old the line on a page is.
_AGE_MAX_S = 60.0


def _plain(value: Any) -> Any:
    """Return a view's value as JSON values: ISO for times, plain strings for names of states."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime | date | time_of_day):
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


@blueprint.post("/gateway")
@access.bearer
def beat() -> Response:
    """Take a gateway's report; answer with what it shall serve."""
    request.max_content_length = BEAT_BODY_BYTES_MAX
    report, holder = wire.decode_beat(request.get_data(cache=False)), access.holder()
    services, feed = house().services, house().live_feed

    def states() -> dict[str, object]:
        return {key: _told(services.links.status(key)) for key in report.links}

    before = states()

    def watching(wearable_id: str) -> bool:
        wanted = services.poses.wanted(wearable_id) or services.trials.wanted(wearable_id)
        return wanted or feed.watched(holder.athlete_id)

    orders = services.gateways.beat(holder, report, watching)
    for wearable_id, told in states().items():
        if told != before[wearable_id]:
            feed.publish(holder.athlete_id, {"kind": "link", "wearable_id": wearable_id})
    return Response(wire.encode(orders), content_type="application/json")


@blueprint.post("/live")
@access.bearer
def live() -> Response:
    """Take live blocks for the pages that are open now; nothing of them is kept."""
    request.max_content_length = BEAT_BODY_BYTES_MAX
    door, holder = house().door, access.holder()
    try:
        blocks = decode_chunks(unpack(request.get_data(cache=False)))
    except (DeviceError, ValueError) as error:
        raise InvalidInput(f"The live blocks cannot be used: {error}") from None
    mine = {view.address: view for view in house().services.wearables.for_athlete(holder.athlete_id)}
    for block in blocks:
        view = mine.get(block.device_id)
        if door is not None and view is not None:
            door.take(view, block, time.time() - _age_s())
    return Response(status=204)


def _told(status: LinkStatus | None) -> object:
    return status and (status.state, status.problem, status.battery_share)


def _age_s() -> float:
    """Return how old the newest of the blocks was when the gateway sent them: clocks of two machines differ."""
    try:
        age_s = float(request.headers.get("Backstop-Age-S", "0"))
    except ValueError:
        return 0.0
    return age_s if 0.0 <= age_s <= _AGE_MAX_S else 0.0


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
