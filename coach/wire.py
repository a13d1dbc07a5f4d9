"""What a gateway away from its server and the server say to each other, besides chunks: one exchange every few seconds.

POST /api/v1/gateway takes a `Beat` and answers with `Orders`, both as JSON. Unknown fields are ignored, so that either
side may be the newer one.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from coach.errors import InvalidInput
from devices.types import LinkStatus

T = TypeVar("T")

# Own bounds: more than one machine's radio holds, hears in a look, or keeps of logs.
_LINKS_MAX, _SEEN_MAX, _LOGS_MAX = 64, 200, 64


@dataclass(frozen=True, slots=True)
class InReach:
    """A device that a look heard. family: the product family that can be used, None for one Backstop does not know.

    told: what it says of itself before anybody connects (heart rate, whether worn, a low battery), "" for nothing.
    """

    address: str
    name: str
    family: str | None
    rssi_dbm: int
    told: str = ""


@dataclass(frozen=True, slots=True)
class LinkLogText:
    """The connection log of one recording so far: redacted, and whole."""

    wearable_id: str
    recording_id: str
    redacted: str
    whole: str


@dataclass(frozen=True, slots=True)
class Beat:
    """How a gateway does. instance: stays with its spool, so that a restart is told from a second machine.

    utc_s: its clock at this moment, by which the links' times are; the server's may differ.
    waiting, dropped: chunks on its disk, and chunks that found no room there. seen: what a look heard so far, None
    while it does not look; trouble: why it cannot look. leaving: it ends now.
    """

    instance: str
    utc_s: float
    links: dict[str, LinkStatus]
    waiting: int = 0
    dropped: int = 0
    full: bool = False
    seen: tuple[InReach, ...] | None = None
    trouble: str | None = None
    logs: tuple[LinkLogText, ...] = ()
    leaving: bool = False


@dataclass(frozen=True, slots=True)
class ServedWearable:
    """A wearable to keep linked. stamp: changes whenever a recording must begin anew (placement, calibration)."""

    wearable_id: str
    name: str
    family: str
    address: str
    placement: str
    stamp: str


@dataclass(frozen=True, slots=True)
class Orders:
    """What the server wants. look: search for wearables in reach. watching: whose live blocks are looked at."""

    athlete_id: str
    athlete_name: str
    wearables: tuple[ServedWearable, ...]
    look: bool = False
    watching: tuple[str, ...] = ()


_BEAT, _ORDERS = TypeAdapter(Beat), TypeAdapter(Orders)


def encode(value: Beat | Orders) -> bytes:
    """Return the JSON of one side's part of the exchange."""
    # What is no number is not known.
    return to_json(value, inf_nan_mode="null")


def decode_beat(body: bytes) -> Beat:
    """Return a gateway's part. Raises InvalidInput."""
    beat = _decoded(_BEAT, body, "The gateway's report")
    if len(beat.links) > _LINKS_MAX or len(beat.seen or ()) > _SEEN_MAX or len(beat.logs) > _LOGS_MAX:
        raise InvalidInput("The gateway's report names more than one machine can hold; nothing was taken from it.")
    return beat


def decode_orders(body: bytes) -> Orders:
    """Return a server's part. Raises InvalidInput."""
    return _decoded(_ORDERS, body, "The server's answer")


def _decoded(adapter: TypeAdapter[T], body: bytes, what: str) -> T:
    try:
        # pydantic takes NaN and Infinity for numbers, which no page could say: they are looked for before it reads.
        json.loads(body, parse_constant=_refuse, parse_float=_finite)
        return adapter.validate_json(body, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise InvalidInput(f"{what} cannot be read, at {key or 'its beginning'}: {first['msg']}.") from None
    except (ValueError, RecursionError):
        raise InvalidInput(f"{what} cannot be read: it is no JSON of numbers and texts.") from None


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is beyond every number")
    return value


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no number")
