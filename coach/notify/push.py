"""Web Push: encrypted for one browser, signed by this server, handed to the browser's push service."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from hashlib import sha256

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from coach.notify import outgoing
from coach.notify.errors import NotDelivered
from coach.notify.types import Message, Target
from coach.notify.vapid import VapidKey, b64url, from_b64url, public_bytes

# Bytes. Source: RFC 8291, 4: a message is one record, push services take 4096 at least.
_RECORD_BYTES = 4096
# Source: RFC 8188, 2: the last record ends with 0x02.
_LAST = b"\x02"
# Characters. Source: RFC 8030, 5.4.
_TOPIC_MAX = 32
# s that a push service may keep a message for a device that is away, at least and at most. Own choice.
_KEEP_S = (60, 24 * 3600)


def encrypted(text: bytes, p256dh: str, auth: str, private: ec.EllipticCurvePrivateKey, salt: bytes) -> bytes:
    """Return the body of a push: header and one record.

    p256dh, auth: as the browser gives them. private, salt (16 bytes): fresh for each message.
    Raises ValueError for keys that are none. Source: RFC 8291, 3.4 and 4; RFC 8188, 2.
    """
    theirs = from_b64url(p256dh)
    secret = private.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), theirs))
    ours = public_bytes(private.public_key())
    seed = _derived(secret, from_b64url(auth), b"WebPush: info\x00" + theirs + ours, 32)
    key = _derived(seed, salt, b"Content-Encoding: aes128gcm\x00", 16)
    nonce = _derived(seed, salt, b"Content-Encoding: nonce\x00", 12)
    header = salt + _RECORD_BYTES.to_bytes(4) + len(ours).to_bytes(1) + ours
    return header + AESGCM(key).encrypt(nonce, text + _LAST, None)


def _derived(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(secret)


def check_keys(p256dh: str, auth: str) -> None:
    """Raise ValueError unless these are the keys of a subscription. Source: RFC 8291, 2."""
    ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), from_b64url(p256dh))
    if len(from_b64url(auth)) != 16:
        raise ValueError("auth has 16 bytes")


class Push:
    """Sends to push services."""

    def __init__(self, key: Callable[[], VapidKey], contact: str, allow_private: bool) -> None:
        self._key, self._contact, self._allow_private = key, contact, allow_private

    def send(self, target: Target, message: Message, now_utc_s: float) -> None:
        """Hand a message to the push service of one browser. Raises NotDelivered."""
        shown = {"id": message.message_id, "title": message.title, "text": message.text, "path": message.path}
        fresh, salt = ec.generate_private_key(ec.SECP256R1()), os.urandom(16)
        p256dh, auth = target.secrets["p256dh"], target.secrets["auth"]
        body = encrypted(json.dumps(shown).encode(), p256dh, auth, fresh, salt)
        headers = {
            "Authorization": self._key().authorization(target.address, self._contact, now_utc_s),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(int(min(max(message.until_s, _KEEP_S[0]), _KEEP_S[1]))),
            # Of two tries of the same message the device gets one.
            "Topic": b64url(sha256(message.message_id.encode()).digest())[:_TOPIC_MAX],
            "Urgency": "high",
        }
        status = outgoing.post(target.address, headers, body, self._allow_private)
        if status in {404, 410}:
            raise NotDelivered("The device does not take pushes any more; it was taken off the list.", gone=True)
        if not 200 <= status < 300:
            later = status in {408, 425, 429} or status >= 500
            raise NotDelivered(f"The push service answered with status {status}.", again=later)
