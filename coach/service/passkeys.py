"""Passkeys: kept by a phone, a computer or a stick, they work for this Backstop's address only (WebAuthn)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import webauthn
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from coach.errors import Conflict, InvalidInput, NoSuch, NotAllowed
from coach.service.ground import Ground
from coach.service.secrets import hash_token
from coach.service.types import Identity
from coach.store import events, sign_in_keys
from coach.store.engine import Tx
from coach.store.rows import Row, fresh_id

# How long a device may take to answer. Source: WebAuthn Level 3, section 15.1: five minutes at least where the person
# is looked at by the device.
CHALLENGE_TIME = timedelta(minutes=5)
# Own choice: more devices than one person has.
_PASSKEYS_MAX = 10
_NAME_MAX = 60
# What the library raises on what is no answer of a device: its own tree, and what reading bytes raises.
_NOT_AN_ANSWER = (WebAuthnException, ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError)
_REFUSED = "This passkey is not known here: use another way to sign in."


@dataclass(frozen=True, slots=True)
class Place:
    """Where passkeys belong. origin: scheme, host and port as browsers say them. rp_id: the host."""

    rp_id: str
    origin: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What the browser hands to the device (JSON), and the challenge in it, base64url."""

    options: str
    challenge: str


@dataclass(frozen=True, slots=True)
class PasskeyView:
    """A passkey as its owner sees it. backed_up: kept by a provider too, so that it outlives the device."""

    passkey_id: str
    name: str
    made_at: datetime
    used_at: datetime | None
    backed_up: bool


def place_of(address: str, asked: str) -> Place:
    """Return where passkeys belong, by the address in the configuration and by the one that the page was asked under.

    Raises InvalidInput with the sentence that says why there can be none.
    """
    try:
        here, known = _origin(asked), _origin(address) if address else None
    except ValueError:
        raise InvalidInput("Passkeys need an address that browsers can name.") from None
    parts = urlsplit(here)
    host = parts.hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return Place(host, here)
    if known is not None and here != known:
        raise InvalidInput(f"Passkeys belong to {known}: open Backstop there.")
    if parts.scheme != "https":
        there = f" Here that is http://localhost:{parts.port or 80}." if _is_loopback(host) else ""
        raise InvalidInput(f"Passkeys need https; only on this machine itself they do without.{there}")
    if _is_number(host):
        raise InvalidInput("Passkeys need a name: an address of numbers cannot have them.")
    if known is None:
        raise InvalidInput(f"Passkeys need to know Backstop's address: whoever runs it sets web.address to {here}.")
    return Place(host, here)


class Passkeys:
    """One's own passkeys. Signing in with one: sign_in_sessions."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def of_person(self, by: Identity) -> tuple[PasskeyView, ...]:
        """Return one's own passkeys, oldest first."""
        with self._ground.store.read() as tx:
            return tuple(_view(row) for row in sign_in_keys.passkeys_of(tx, by.user_id))

    def ask_for_new(self, by: Identity, place: Place) -> Asked:
        """Return what a device is asked for, for a new passkey. Raises Conflict: there are too many."""
        with self._ground.store.read() as tx:
            kept = sign_in_keys.passkeys_of(tx, by.user_id)
        _not_too_many(kept)
        options = webauthn.generate_registration_options(
            rp_id=place.rp_id,
            rp_name="Backstop",
            user_id=bytes.fromhex(by.user_id),
            user_name=by.name,
            user_display_name=by.name,
            timeout=int(CHALLENGE_TIME.total_seconds() * 1000),
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
            ),
            exclude_credentials=[
                PublicKeyCredentialDescriptor(id=base64url_to_bytes(row["credential_id"])) for row in kept
            ],
        )
        return Asked(webauthn.options_to_json(options), bytes_to_base64url(options.challenge))

    def add(self, by: Identity, answer: object, name: str, challenge: str, place: Place) -> None:
        """Keep a new passkey. answer: what the device said, as JSON was read.

        Raises InvalidInput (the answer does not fit), Conflict (kept already, too many, challenge used before).
        """
        name = _checked_name(name)
        credential = _credential(answer)
        try:
            verified = webauthn.verify_registration_response(
                credential=credential,
                expected_challenge=base64url_to_bytes(challenge),
                expected_rp_id=place.rp_id,
                expected_origin=place.origin,
                require_user_verification=True,
            )
        except _NOT_AN_ANSWER:
            raise InvalidInput("The device's answer does not fit what was asked: begin anew.") from None
        now = self._ground.now()
        values = {
            "id": fresh_id(),
            "user_id": by.user_id,
            "credential_id": bytes_to_base64url(verified.credential_id),
            "public_key": verified.credential_public_key,
            "sign_count": verified.sign_count,
            "backed_up": verified.credential_backed_up,
            "name": name,
            "made_at": now,
        }
        with self._ground.store.begin() as tx:
            _not_too_many(sign_in_keys.passkeys_of(tx, by.user_id))
            sign_in_keys.use_challenge(tx, hash_token(challenge), now, now - CHALLENGE_TIME * 2)
            sign_in_keys.add_passkey(tx, values)
            events.record(tx, now, by.user_id, "added a passkey", "user", by.user_id)

    def rename(self, by: Identity, passkey_id: str, name: str) -> None:
        """Call one's own passkey something else. Raises InvalidInput, NoSuch."""
        with self._ground.store.begin() as tx:
            if all(row["id"] != passkey_id for row in sign_in_keys.passkeys_of(tx, by.user_id)):
                raise NoSuch(f"There is no passkey {passkey_id} on your list.")
            sign_in_keys.name_passkey(tx, by.user_id, passkey_id, _checked_name(name))

    def remove(self, by: Identity, passkey_id: str) -> None:
        """Forget one's own passkey: nobody gets in with it from now on. Raises NoSuch."""
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            if not sign_in_keys.remove_passkey(tx, by.user_id, passkey_id):
                raise NoSuch(f"There is no passkey {passkey_id} on your list.")
            events.record(tx, now, by.user_id, "removed a passkey", "user", by.user_id)


def ask_for_one(place: Place) -> Asked:
    """Return what a device is asked for to sign in: any passkey of this place, and that the person is looked at."""
    options = webauthn.generate_authentication_options(
        rp_id=place.rp_id,
        timeout=int(CHALLENGE_TIME.total_seconds() * 1000),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return Asked(webauthn.options_to_json(options), bytes_to_base64url(options.challenge))


def use_answer(tx: Tx, answer: object, challenge: str, place: Place, now: datetime) -> str:
    """Check a device's answer, use the challenge up, and return whose passkey it is.

    Raises NotAllowed: not known, or anything in it does not fit; Conflict: the challenge was used before.
    """
    credential = _credential(answer)
    found = sign_in_keys.passkey_by_credential(tx, str(credential.get("id"))[:1400])
    if found is None:
        raise NotAllowed(_REFUSED)
    try:
        verified = webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=place.rp_id,
            expected_origin=place.origin,
            credential_public_key=found["public_key"],
            credential_current_sign_count=found["sign_count"],
            require_user_verification=True,
        )
        handle = credential["response"].get("userHandle")
        whose = base64url_to_bytes(handle).hex() if handle else found["user_id"]
    except _NOT_AN_ANSWER:
        raise NotAllowed(_REFUSED) from None
    if whose != found["user_id"]:
        raise NotAllowed(_REFUSED)
    sign_in_keys.use_challenge(tx, hash_token(challenge), now, now - CHALLENGE_TIME * 2)
    sign_in_keys.note_passkey_use(tx, found["id"], verified.new_sign_count, verified.credential_backed_up, now)
    return str(found["user_id"])


def _credential(answer: object) -> dict[str, Any]:
    if not isinstance(answer, dict) or not isinstance(answer.get("response"), dict):
        raise InvalidInput("The device's answer cannot be read: begin anew.")
    try:
        json.dumps(answer).encode("utf-8")
    except (ValueError, TypeError, RecursionError):
        raise InvalidInput("The device's answer cannot be read: begin anew.") from None
    return answer


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not 1 <= len(name) <= _NAME_MAX or not name.isprintable():
        raise InvalidInput(f"Name the passkey in 1 to {_NAME_MAX} characters, so that you know it again.")
    return name


def _not_too_many(kept: list[Row]) -> None:
    if len(kept) >= _PASSKEYS_MAX:
        raise Conflict(f"You have {_PASSKEYS_MAX} passkeys already: remove one that is not used any more first.")


def _view(row: Row) -> PasskeyView:
    return PasskeyView(row["id"], row["name"], row["made_at"], row["used_at"], row["backed_up"])


def _origin(address: str) -> str:
    """Return an address as browsers write an origin: lower case, without the usual port."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    host = host if host.isascii() else host.encode("idna").decode("ascii")
    host = f"[{host}]" if ":" in host else host
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port not in (None, usual) else "")


def _is_number(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    return _is_number(host) and ip_address(host).is_loopback
