"""The key with which this server signs its pushes (VAPID): made once, readable by its owner only."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from coach.durable import make_folder, write_once
from coach.errors import ConfigError

# s that a signature holds. Source: RFC 8292, 2: at most 24 h.
_VALID_S = 12 * 3600


def b64url(data: bytes) -> str:
    """Return unpadded base64url. Source: RFC 7515, 2."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_b64url(text: str) -> bytes:
    """Return the bytes of base64url, padded or not. Raises ValueError."""
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def public_bytes(key: ec.EllipticCurvePublicKey) -> bytes:
    """Return the 65 bytes of an uncompressed point. Source: SEC 1, 2.3.3."""
    return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


@dataclass(frozen=True, slots=True)
class VapidKey:
    """The key pair of this server."""

    private: ec.EllipticCurvePrivateKey

    def public(self) -> str:
        """Return what a browser subscribes with."""
        return b64url(public_bytes(self.private.public_key()))

    def pem(self) -> str:
        """Return the private key as text, to be kept where only this server reads it."""
        return self.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode("ascii")

    def authorization(self, endpoint: str, contact: str, now_utc_s: float) -> str:
        """Return the value of the header Authorization for one push service.

        contact: mailto: or https: address, left out when empty. Source: RFC 8292, 2 and 3; RFC 7518, 3.4 (ES256).
        """
        parts = urlsplit(endpoint)
        claims: dict[str, str | int] = {"aud": f"{parts.scheme}://{parts.netloc}", "exp": int(now_utc_s) + _VALID_S}
        if contact:
            claims["sub"] = contact
        said = ".".join(b64url(json.dumps(each).encode()) for each in ({"typ": "JWT", "alg": "ES256"}, claims))
        r, s = decode_dss_signature(self.private.sign(said.encode(), ec.ECDSA(hashes.SHA256())))
        return f"vapid t={said}.{b64url(r.to_bytes(32) + s.to_bytes(32))}, k={self.public()}"


def own_key(directory: Path) -> VapidKey:
    """Return the key in the storage folder, made on the first call. Raises ConfigError.

    With another key every device has to subscribe anew.
    """
    path = directory / "vapid.key"
    try:
        make_folder(directory)
        write_once(path, fresh_key().pem().encode("ascii"))
        text = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"The key {path} cannot be written or read ({error.strerror}): check the folder.") from None
    key = key_of(text)
    if key is None:
        raise ConfigError(f"The key {path} is damaged: remove the file; every device then switches push on anew.")
    return key


def key_of(text: bytes) -> VapidKey | None:
    """Return the key that `pem` told; None for what is none."""
    try:
        key = serialization.load_pem_private_key(text, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        return None
    return VapidKey(key)


def fresh_key() -> VapidKey:
    """Return a new key."""
    return VapidKey(ec.generate_private_key(ec.SECP256R1()))
