"""What gateways send: chunks, reports, live blocks. See docs/gateway.md for the wire."""

from __future__ import annotations

import time
from dataclasses import dataclass

from flask import request
from werkzeug.wrappers import Response

from coach import wire
from coach.errors import InvalidInput
from coach.log import decode_chunks, unpack
from coach.web import access
from coach.web.api.root import blueprint
from coach.web.described import JSON, Raw, describe
from coach.web.house import house
from devices.errors import DeviceError
from devices.types import LinkStatus

# Own choice: 60 chunks of 60 s at 100 Hz are 4.3 MB as int16; nothing that a gateway sends at once is larger.
CHUNKS_BODY_BYTES_MAX = 8_000_000
# Own choice: a report with the connection logs of several links, and a second of live blocks, are far smaller.
BEAT_BODY_BYTES_MAX = 2_000_000
# s. Own bound: an older block is not live, and the figure only says how old the line on a page is.
_AGE_MAX_S = 60.0
_CHUNKS = Raw(
    "application/octet-stream", "One encoded chunk or more, each after its length in 4 bytes (docs/gateway.md)."
)


@dataclass(frozen=True, slots=True)
class Stored:
    """The keys of the chunks that are stored for good: those of this request that belong to a wearable of the token."""

    stored: tuple[str, ...]


@blueprint.post("/chunks")
@access.bearer
@describe(takes=_CHUNKS, answer=Stored, refuses=(403,))
def add_chunks() -> Stored:
    """Take encoded chunks and answer once they are stored for good, with their keys."""
    request.max_content_length = CHUNKS_BODY_BYTES_MAX
    body = request.get_data(cache=False)
    return Stored(tuple(house().services.ingest.receive(access.holder(), body)))


@blueprint.post("/gateway")
@access.bearer
@describe(
    takes=Raw(JSON, "A gateway's report.", wire.Beat),
    answer=Raw(JSON, "What the gateway shall serve.", wire.Orders),
    refuses=(409,),
)
def beat() -> Response:
    """Take a gateway's report; answer with what it shall serve."""
    request.max_content_length = BEAT_BODY_BYTES_MAX
    report, holder = wire.decode_beat(request.get_data(cache=False)), access.holder()
    services, feed = house().services, house().live_feed

    def states() -> dict[str, object]:
        return {key: _told(services.links.status(key)) for key in report.links}

    before = states()

    def watching(wearable_id: str) -> bool:
        waiting = services.poses, services.trials, services.guidance
        return any(each.wanted(wearable_id) for each in waiting) or feed.watched(holder.athlete_id)

    orders = services.gateways.beat(holder, report, watching)
    for wearable_id, told in states().items():
        if told != before[wearable_id]:
            feed.publish(holder.athlete_id, {"kind": "link", "wearable_id": wearable_id})
    return Response(wire.encode(orders), content_type="application/json")


@blueprint.post("/live")
@access.bearer
@describe(takes=_CHUNKS, status=204, refuses=(403,))
def live() -> Response:
    """Take live blocks for the pages that are open now; nothing of them is kept."""
    request.max_content_length = BEAT_BODY_BYTES_MAX
    door, holder = house().door, access.holder()
    holder.require_consent()
    try:
        blocks = decode_chunks(unpack(request.get_data(cache=False)))
        if not blocks:
            raise ValueError("there is none")
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
