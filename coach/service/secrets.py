"""Tokens and passwords: made here, kept only as hashes."""

from __future__ import annotations

import hashlib
import secrets
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from coach.errors import InvalidInput

# Characters. Source: NIST SP 800-63B rev. 4, 3.1.1.2 asks for 15 where the password is the only factor, 8 otherwise;
# sign-in links are the usual way in here, so that the middle was taken (own choice).
PASSWORD_MIN = 10
# Own choice: longer ones only cost hashing time.
PASSWORD_MAX = 256
# 256 bits cannot be guessed.
_TOKEN_BYTES = 32


def fresh_token() -> str:
    """Return a new secret for a URL or a header."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def hash_token(token: str) -> str:
    """Return what is kept of a token. A random secret needs no slow hash."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def hash_password(password: str) -> str:
    """Return the argon2 hash. Raises InvalidInput for a password that is too short or too long."""
    if len(password) < PASSWORD_MIN:
        raise InvalidInput(f"The password has {len(password)} characters: take at least {PASSWORD_MIN}.")
    if len(password) > PASSWORD_MAX:
        raise InvalidInput(f"The password has {len(password)} characters: take at most {PASSWORD_MAX}.")
    return PasswordHasher().hash(password)


def password_fits(password: str, stored: str | None) -> bool:
    """Check a password, with the same effort when there is nothing to check it against."""
    try:
        fits = PasswordHasher().verify(stored or _nobodys_hash(), password[:PASSWORD_MAX])
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False
    return fits and stored is not None


@lru_cache(maxsize=1)
def _nobodys_hash() -> str:
    return PasswordHasher().hash(fresh_token())
