"""Tokens and passwords: made here, kept only as hashes."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from coach.errors import StoreUnavailable
from coach.service.password_rules import PASSWORD_MAX, normal

# Each hash takes 64 MiB and a good part of a second: a rush of tries must take neither all memory nor all threads of
# the pages. Own choices.
_HASHES_AT_ONCE, _WAITING_MAX = 4, 12
_hashing = threading.BoundedSemaphore(_HASHES_AT_ONCE)
_places = threading.BoundedSemaphore(_HASHES_AT_ONCE + _WAITING_MAX)
# What is checked where there is no password, with the effort of a real one. Of 32 random bytes that nobody kept.
_NOBODYS_HASH = "$argon2id$v=19$m=65536,t=3,p=4$ojr6jUpuYFXZMKY8IgsYtQ$zuCJVkYkm4VcXl8xTy77iRYZEtEWpi//okBdEcXWNig"
# 256 bits cannot be guessed.
_TOKEN_BYTES = 32


def fresh_token() -> str:
    """Return a new secret for a URL or a header."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def hash_token(token: str) -> str:
    """Return what is kept of a token. A random secret needs no slow hash."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


@contextmanager
def _a_place() -> Iterator[None]:
    """Wait for one's turn to hash. Raises StoreUnavailable when too many wait already."""
    if not _places.acquire(blocking=False):
        raise StoreUnavailable("Too many people sign in at this moment: try again in a few seconds.")
    try:
        with _hashing:
            yield
    finally:
        _places.release()


def hash_password(password: str) -> str:
    """Return the argon2id hash of a password that `password_rules` has let through. Raises StoreUnavailable: a rush."""
    with _a_place():
        return PasswordHasher().hash(normal(password))


def password_fits(password: str, stored: str | None) -> bool:
    """Check a password, with the same effort when there is nothing to check it against.

    Raises StoreUnavailable: a rush of tries.
    """
    # Longer ones are nobody's; to hash them as a whole would only cost time.
    tried = normal(password[: PASSWORD_MAX + 1])
    try:
        with _a_place():
            fits = PasswordHasher().verify(stored or _NOBODYS_HASH, tried)
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False
    return fits and stored is not None


def hash_is_old(stored: str) -> bool:
    """Tell whether a hash was made with other parameters than are usual now."""
    return PasswordHasher().check_needs_rehash(stored)
