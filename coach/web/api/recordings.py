"""Wearables and what they recorded, down to the chunks; gateways and their connection logs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from werkzeug.wrappers import Response

from coach.log import pack
from coach.service.personal_tokens import TokenScope
from coach.service.tokens import TokenView
from coach.service.types import ConnectionLogView, GatewayView, Level, RecordingView, WearableView
from coach.web import access
from coach.web.access import Access
from coach.web.api.root import athlete_of, blueprint
from coach.web.asked import Page, PageQuery, Whole, page_of
from coach.web.described import Query, Raw, describe
from coach.web.house import house

OCTETS = "application/octet-stream"
NEXT_SEQ = "Backstop-Next-Seq"


class ChunksQuery(Query):
    """From which number on, and at most how many."""

    seq: Annotated[int, Whole(0, 999_999_999, True)] = 0
    limit: Annotated[int, Whole(1, 60, True)] = 20


@dataclass(frozen=True, slots=True)
class TokenOfGateway:
    """A gateway's token, and how the gateway does, null while it is not heard of."""

    token: TokenView
    gateway: GatewayView | None


@blueprint.get("/athletes/<athlete_id>/wearables")
@access.rule(Access.SIGNED_IN, need=Level.FULL)
@describe(scope=TokenScope.READ_ATHLETE, query=PageQuery, answer=Page[WearableView])
def wearables(athlete_id: str, query: PageQuery) -> Page[WearableView]:
    """List an athlete's wearables by name, each with how its link does."""
    found = house().services.wearables.for_athlete(athlete_of(athlete_id).athlete_id)
    return page_of(found, lambda each: each.wearable_id, query)


@blueprint.get("/wearables/<wearable_id>")
@access.rule(Access.SIGNED_IN, need=Level.FULL)
@describe(scope=TokenScope.READ_ATHLETE, answer=WearableView)
def wearable(wearable_id: str) -> WearableView:
    """Return one wearable."""
    return house().services.wearables.get(access.me(), wearable_id)


@blueprint.get("/athletes/<athlete_id>/recordings")
@access.rule(Access.SIGNED_IN, need=Level.VIEW)
@describe(scope=TokenScope.READ_SIGNALS, query=PageQuery, answer=Page[RecordingView])
def recordings(athlete_id: str, query: PageQuery) -> Page[RecordingView]:
    """List an athlete's recordings, newest first, each with how whole it is."""
    whose = athlete_of(athlete_id).athlete_id
    found = house().services.recordings.for_athlete(whose, query.limit + 1, after=query.cursor)
    return page_of(found, lambda each: each.stream_id, query.model_copy(update={"cursor": None}))


@blueprint.get("/recordings/<stream_id>")
@access.rule(Access.SIGNED_IN, need=Level.VIEW)
@describe(scope=TokenScope.READ_SIGNALS, answer=RecordingView)
def recording(stream_id: str) -> RecordingView:
    """Return one recording."""
    return house().services.recordings.get(access.me(), stream_id)


@blueprint.get("/recordings/<stream_id>/chunks")
@access.rule(Access.SIGNED_IN, need=Level.VIEW)
@describe(
    scope=TokenScope.READ_SIGNALS,
    query=ChunksQuery,
    answer=Raw(OCTETS, "Chunks in order, each after its length in 4 bytes, as a gateway sends them (docs/gateway.md)."),
    headers={NEXT_SEQ: "The number to ask from for the chunks that follow; absent at the end."},
)
def recording_chunks(stream_id: str, query: ChunksQuery) -> Response:
    """Return the raw signal of a recording, chunk by chunk as it arrived."""
    blobs, following = house().services.recordings.chunks(access.me(), stream_id, query.seq, query.limit)
    answer = Response(pack(blobs), content_type=OCTETS)
    if following is not None:
        answer.headers[NEXT_SEQ] = str(following)
    return answer


@blueprint.get("/athletes/<athlete_id>/gateways")
@access.rule(Access.SIGNED_IN, need=Level.FULL)
@describe(scope=TokenScope.READ_ATHLETE, query=PageQuery, answer=Page[TokenOfGateway])
def gateways(athlete_id: str, query: PageQuery) -> Page[TokenOfGateway]:
    """List the tokens of an athlete's gateways and phones, oldest first, and how the gateways do."""
    services, me = house().services, access.me()
    how = services.gateways.of_athlete(me, athlete_id)
    found = [TokenOfGateway(each, how.get(each.token_id)) for each in services.tokens.of_athlete(me, athlete_id)]
    return page_of(found, lambda each: each.token.token_id, query)


@blueprint.get("/athletes/<athlete_id>/connection-logs")
@access.rule(Access.SIGNED_IN, need=Level.FULL)
@describe(scope=TokenScope.READ_SIGNALS, query=PageQuery, answer=Page[ConnectionLogView])
def connection_logs(athlete_id: str, query: PageQuery) -> Page[ConnectionLogView]:
    """List the newest connection logs."""
    return page_of(house().services.gateways.logs(access.me(), athlete_id), lambda each: each.log_id, query)
