"""A device that keeps passkeys, in software: what a phone answers, by the letter of WebAuthn Level 3, sections 6 and 7.

It can also answer wrongly, each in one way, as a thief or a broken device would.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def text_of(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def bytes_of(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Authenticator:
    """One passkey on one device, for whatever origin the browser says."""

    origin: str = "http://localhost"
    flags: int = PRESENT | VERIFIED
    count: int = 0
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    handle: bytes = b""

    def _client_data(self, kind: str, challenge: str) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(said).encode()

    def _head(self, rp_id: str, flags: int) -> bytes:
        return hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def create(self, options: str) -> dict[str, object]:
        """Answer navigator.credentials.create()."""
        asked = json.loads(options)
        self.handle = bytes_of(asked["user"]["id"])
        point = self.key.public_key().public_numbers()
        public = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")})
        attested = bytes(16) + len(self.credential_id).to_bytes(2, "big") + self.credential_id + public
        data = self._head(asked["rp"]["id"], self.flags | ATTESTED) + attested
        return self._answer(
            attestationObject=text_of(cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})),
            clientDataJSON=text_of(self._client_data("webauthn.create", asked["challenge"])),
        )

    def get(self, options: str) -> dict[str, object]:
        """Answer navigator.credentials.get()."""
        asked = json.loads(options)
        self.count += 1
        data, said = self._head(asked["rpId"], self.flags), self._client_data("webauthn.get", asked["challenge"])
        signature = self.key.sign(data + hashlib.sha256(said).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer(
            authenticatorData=text_of(data),
            clientDataJSON=text_of(said),
            signature=text_of(signature),
            userHandle=text_of(self.handle),
        )

    def _answer(self, **response: str) -> dict[str, object]:
        name = text_of(self.credential_id)
        return {"id": name, "rawId": name, "type": "public-key", "response": response, "clientExtensionResults": {}}
