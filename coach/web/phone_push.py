"""Where a phone's app pushes to: POST JSON with a token in the header, or in the path where none can be set."""

from __future__ import annotations

import time

from flask import Blueprint, request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response

from coach.errors import Conflict, InvalidInput, NoSuch, NotAllowed, StoreUnavailable
from coach.web import access
from coach.web.described import JSON, Raw, describe
from coach.web.house import house
from devices.errors import DeviceError

blueprint = Blueprint("phone_push", __name__, url_prefix="/api/v1/phone")

# Own choice: a minute of all motion sensors at 100 Hz as JSON is 3 MB.
BODY_BYTES_MAX = 8_000_000
_MESSAGE = Raw(JSON, "A message of the app .")
_SAID = Raw("text/plain", "A sentence for the app's user.")


@blueprint.post("")
@access.phone
@describe(takes=_MESSAGE, answer=_SAID)
def push() -> Response:
    """Take a message; the token is in the Authorization header."""
    return _take()


@blueprint.post("/<token>")
@access.phone
@describe(takes=_MESSAGE, answer=_SAID)
def push_by_path(token: str) -> Response:
    """Take a message; the token is in the path, which nothing here writes to a log."""
    return _take()


def _take() -> Response:
    request.max_content_length = BODY_BYTES_MAX
    try:
        heard = house().services.phones.receive(access.holder(), request.get_data(cache=False))
    except RequestEntityTooLarge:
        return _said("The message is too large for Backstop: choose a shorter batch period.", access.STATUS_SHOWN)
    except (DeviceError, InvalidInput, NoSuch, NotAllowed) as error:
        return _said(str(error), access.STATUS_SHOWN)
    except (Conflict, StoreUnavailable) as error:
        return _said(str(error), 503)
    door = house().door
    if door is not None and heard.block is not None:
        worn = house().services.wearables.for_athlete(access.holder().athlete_id)
        if view := next((each for each in worn if each.wearable_id == heard.wearable_id), None):
            door.take(view, heard.block, time.time())
    return _said(heard.answer, 200)


def _said(what: str, status: int) -> Response:
    return Response(what, status, content_type="text/plain; charset=utf-8")
