"""A signed POST to an address of the athlete's choice."""

from __future__ import annotations

import hashlib
import hmac
import json

from coach.notify import outgoing
from coach.notify.errors import NotDelivered
from coach.notify.types import Message, Target

# Both in every request; see docs/reminders.md for how a receiver checks them.
TIMESTAMP_HEADER, SIGNATURE_HEADER = "Backstop-Timestamp", "Backstop-Signature"


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Return HMAC-SHA256 in hex over the timestamp, a dot and the body.

    Source: RFC 2104; timestamp and body are signed together so that an old request cannot be sent again as a new one.
    """
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


class Webhook:
    """Sends JSON."""

    def __init__(self, allow_private: bool) -> None:
        self._allow_private = allow_private

    def send(self, target: Target, message: Message, now_utc_s: float) -> None:
        """Post the message's fields. Raises NotDelivered."""
        body = json.dumps({"id": message.message_id, **message.fields}, separators=(",", ":")).encode()
        timestamp = str(int(now_utc_s))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Backstop",
            "Backstop-Delivery": message.message_id,
            TIMESTAMP_HEADER: timestamp,
            SIGNATURE_HEADER: f"sha256={signature(target.secrets['secret'], timestamp, body)}",
        }
        status = outgoing.post(target.address, headers, body, self._allow_private)
        if not 200 <= status < 300:
            later = status in {408, 425, 429} or status >= 500
            raise NotDelivered(f"The webhook answered with status {status}.", again=later, gone=status == 410)
