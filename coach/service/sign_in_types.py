"""What signing in is told and answers. Frozen values; times are aware UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from coach.service.types import Identity


class Way(StrEnum):
    """How somebody showed who they are."""

    LINK = "link"
    PASSWORD = "password"  # noqa: S105 - the name of a way
    CODE = "code"  # a password, then a code of an app
    RECOVERY = "recovery code"  # a password, then a code from paper
    PASSKEY = "passkey"


class Notice(StrEnum):
    """What somebody is told at the next sign-in: whoever owns the machine did it meanwhile."""

    SECOND_FACTOR_REMOVED = "second factor removed"
    PASSKEYS_REMOVED = "passkeys removed"
    PASSWORD_REMOVED = "password removed"  # noqa: S105 - a sentence's name


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that is good now. confirmed_at: when the person last showed who they are."""

    session_id: str
    identity: Identity
    confirmed_at: datetime


@dataclass(frozen=True, slots=True)
class Asker:
    """The browser that asks to be let in.

    device: as people call it. present: whom it is signed in as. confirming: that one only shows again who they are.
    """

    device: str
    present: SignedIn | None = None
    confirming: bool = False


@dataclass(frozen=True, slots=True)
class LetIn:
    """Who was let in. secret: of the new session; None where a session that there was goes on."""

    identity: Identity
    way: Way
    secret: str | None
    notices: tuple[tuple[Notice, datetime], ...] = ()


@dataclass(frozen=True, slots=True)
class CodeWanted:
    """The password fits; the second factor is asked for next."""

    user_id: str
    epoch: int


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session as its owner sees it. seen_at is exact to a minute. here: the one that asks."""

    session_id: str
    way: Way
    device: str
    begun_at: datetime
    seen_at: datetime
    here: bool
