"""The second factor: codes of an app that change every half minute, and codes on paper for when the app is lost.

Source of the codes: RFC 6238 with SHA-1, 6 digits, 30 s, as all apps read them.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime

import pyotp

from coach.errors import Conflict, InvalidInput
from coach.service.ground import Ground
from coach.service.secrets import hash_token
from coach.service.sign_in_types import Way
from coach.service.types import Identity
from coach.store import events, sign_in_keys
from coach.store.engine import Tx
from coach.store.rows import fresh_id

_ISSUER = "Backstop"
_STEP_S = 30
# Steps before and after: a clock half a minute off, or a slow thumb. Source: RFC 6238, section 5.2.
_STEPS_OFF = 1
# Own choice: what everybody prints.
RECOVERY_CODES = 10
# 125 bits, so that a plain hash of them is enough. Source: NIST SP 800-63B-4, 3.1.2.2: from 112 bits on.
_CODE_BYTES, _CODE_LETTERS, _GROUP = 16, 25, 5
_APP_DIGITS = 6


@dataclass(frozen=True, slots=True)
class FactorView:
    """confirmed_at: None while it is off. codes_left: recovery codes that were not used."""

    confirmed_at: datetime | None
    codes_left: int


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an app needs: the secret in base32, and the same as an address for a picture."""

    secret: str
    uri: str


class SecondFactors:
    """Switch the second factor on and off; it is asked for after a password."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def of_person(self, by: Identity) -> FactorView:
        """Return whether one's own is on."""
        with self._ground.store.read() as tx:
            found = sign_in_keys.factor_of(tx, by.user_id)
            left = sign_in_keys.recovery_codes_left(tx, by.user_id)
        return FactorView(found["confirmed_at"] if found is not None else None, left)

    def begin(self, by: Identity) -> Enrolment:
        """Return a fresh secret that waits for its first code. Raises Conflict: it is on already."""
        secret, now = pyotp.random_base32(), self._ground.now()
        with self._ground.store.begin() as tx:
            found = sign_in_keys.factor_of(tx, by.user_id)
            if found is not None and found["confirmed_at"] is not None:
                raise Conflict("Your second factor is on already: switch it off first.")
            sign_in_keys.begin_factor(tx, by.user_id, secret, now)
        return _enrolment(by, secret)

    def waiting(self, by: Identity) -> Enrolment | None:
        """Return the secret that waits for its first code, None where none does."""
        with self._ground.store.read() as tx:
            found = sign_in_keys.factor_of(tx, by.user_id)
        if found is None or found["confirmed_at"] is not None:
            return None
        return _enrolment(by, found["secret"])

    def confirm(self, by: Identity, code: str) -> tuple[str, ...]:
        """Switch it on with a first code, and return the recovery codes: they are shown this once.

        Raises InvalidInput (the code does not fit), Conflict (nothing waits).
        """
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            found = sign_in_keys.factor_of(tx, by.user_id)
            if found is None or found["confirmed_at"] is not None:
                raise Conflict("No second factor waits for a code: begin anew.")
            if not _use_app_code(tx, by.user_id, found["secret"], code, now):
                raise InvalidInput(
                    "This code does not fit: type your app's newest one, and check that the phone's clock is right."
                )
            events.record(tx, now, by.user_id, "switched the second factor on", "user", by.user_id)
            return _new_codes(tx, by.user_id, now)

    def renew_codes(self, by: Identity) -> tuple[str, ...]:
        """Return new recovery codes instead of all older ones. Raises Conflict: it is off."""
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            if not is_on(tx, by.user_id):
                raise Conflict("Recovery codes stand in for a second factor, and yours is off.")
            events.record(tx, now, by.user_id, "made new recovery codes", "user", by.user_id)
            return _new_codes(tx, by.user_id, now)

    def remove(self, by: Identity) -> None:
        """Switch it off; its recovery codes end with it."""
        with self._ground.store.begin() as tx:
            if sign_in_keys.remove_factor(tx, by.user_id):
                now = self._ground.now()
                events.record(tx, now, by.user_id, "switched the second factor off", "user", by.user_id)


def is_on(tx: Tx, user_id: str) -> bool:
    """Tell whether a code is asked for after somebody's password."""
    found = sign_in_keys.factor_of(tx, user_id)
    return found is not None and found["confirmed_at"] is not None


def use_code(tx: Tx, user_id: str, typed: str, now: datetime) -> Way | None:
    """Use up what somebody typed, a code of the app or one from paper; None when it is neither."""
    found = sign_in_keys.factor_of(tx, user_id)
    if found is None or found["confirmed_at"] is None:
        return None
    if _use_app_code(tx, user_id, found["secret"], typed, now):
        return Way.CODE
    letters = _letters(typed)
    if len(letters) == _CODE_LETTERS and sign_in_keys.use_recovery_code(tx, user_id, hash_token(letters), now):
        return Way.RECOVERY
    return None


def _use_app_code(tx: Tx, user_id: str, secret: str, typed: str, now: datetime) -> bool:
    digits = "".join(typed.split())
    if len(digits) != _APP_DIGITS or not (digits.isascii() and digits.isdecimal()):
        return False
    made, present = pyotp.TOTP(secret, interval=_STEP_S), int(now.timestamp()) // _STEP_S
    for step in range(present - _STEPS_OFF, present + _STEPS_OFF + 1):
        if hmac.compare_digest(made.generate_otp(step), digits):
            return sign_in_keys.use_step(tx, user_id, step, now)
    return False


def _enrolment(by: Identity, secret: str) -> Enrolment:
    return Enrolment(secret, pyotp.TOTP(secret).provisioning_uri(name=by.name, issuer_name=_ISSUER))


def _new_codes(tx: Tx, user_id: str, now: datetime) -> tuple[str, ...]:
    codes = [base64.b32encode(secrets.token_bytes(_CODE_BYTES)).decode()[:_CODE_LETTERS] for _ in range(RECOVERY_CODES)]
    rows = [{"id": fresh_id(), "user_id": user_id, "code_hash": hash_token(code), "made_at": now} for code in codes]
    sign_in_keys.replace_recovery_codes(tx, rows, user_id)
    return tuple("-".join(code[at : at + _GROUP] for at in range(0, _CODE_LETTERS, _GROUP)) for code in codes)


def _letters(typed: str) -> str:
    """Return a code from paper as it was made. Base32 has no 0, 1 and 8: they are misread letters."""
    return "".join(typed.upper().replace("-", "").split()).translate(str.maketrans("018", "OIB"))
