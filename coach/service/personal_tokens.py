"""Personal tokens: a person's own programs ask as that person, limited to what the token may be used for."""

from __future__ import annotations

import contextlib
import hmac
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from coach.errors import Conflict, InvalidInput, NoSuch, NotAllowed, StoreUnavailable
from coach.service.accounts import Accounts
from coach.service.ground import Ground
from coach.service.secrets import fresh_token, hash_token
from coach.service.types import Identity
from coach.store import events, personal_tokens
from coach.store.rows import Row, fresh_id

# Own choice: a season. A token that nobody renews is one that nobody needs.
DAYS_DEFAULT = 90
# Own bound: whoever wants longer says so again once a year.
DAYS_MAX = 365
# Own bound: more programs than one person writes.
TOKENS_MAX = 20
_NAME_MAX = 60
# Found by scanners for secrets that were published by mistake.
_PREFIX = "backstop"
# Own choice: the time of the last use is for people; writing it with every request would double the writes.
_USE_NOTED = timedelta(minutes=1)
# What is compared where there is nothing to compare with, so that an unknown id takes as long as a wrong secret.
_NOBODYS_HASH = "0" * 64


class TokenScope(StrEnum):
    """What a personal token may be used for, within what its person may do. None of them is about signing in."""

    READ_ATHLETE = "read:athlete"
    WRITE_ATHLETE = "write:athlete"
    READ_SIGNALS = "read:signals"
    READ_FINDINGS = "read:findings"
    READ_PLANS = "read:plans"
    WRITE_PLANS = "write:plans"
    READ_DIARY = "read:diary"
    WRITE_DIARY = "write:diary"
    EXPORT = "export"
    METRICS = "metrics"


MEANING = {
    TokenScope.READ_ATHLETE: "who the athletes are, their wearables, profile, times to train and reminders",
    TokenScope.WRITE_ATHLETE: "change profile, times to train and reminders",
    TokenScope.READ_SIGNALS: "recordings and their signal, the line of a day, the live line, heart rate",
    TokenScope.READ_FINDINGS: "findings with their evidence, what a day says, results of tests, jobs",
    TokenScope.READ_PLANS: "proposals, programs, sessions",
    TokenScope.WRITE_PLANS: "accept and decline, say what came of a session",
    TokenScope.READ_DIARY: "check-ins, trainings, treatments, safety questions: health text",
    TokenScope.WRITE_DIARY: "check in, enter trainings and treatments",
    TokenScope.EXPORT: "take everything along as one file",
    TokenScope.METRICS: "read how the machine does (owner only)",
}


@dataclass(frozen=True, slots=True)
class PersonalTokenView:
    """A token as its person sees it. last_used_at is exact to a minute, None while it was never used."""

    token_id: str
    name: str
    scopes: tuple[TokenScope, ...]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Made:
    """A fresh token. secret: what the program sends; it is shown this once."""

    view: PersonalTokenView
    secret: str


class PersonalTokens:
    """Make, list, check and revoke. The secret is shown once and kept only as a hash."""

    def __init__(self, ground: Ground, accounts: Accounts) -> None:
        self._ground = ground
        self._accounts = accounts

    def make(self, by: Identity, name: str, scopes: Collection[str], days: int = DAYS_DEFAULT) -> Made:
        """Return a fresh token that works for so many days.

        Raises InvalidInput (name, scopes, days), NotAllowed (a token makes no tokens), Conflict (too many).
        """
        _refuse_programs(by)
        name, wanted = " ".join(name.split()), _checked(scopes)
        if not 1 <= len(name) <= _NAME_MAX:
            raise InvalidInput(f"Name the program in 1 to {_NAME_MAX} characters, so that you know it again.")
        if not 1 <= days <= DAYS_MAX:
            raise InvalidInput(f"A token works for 1 to {DAYS_MAX} days: {days} cannot be.")
        token_id, secret, now = fresh_id(), fresh_token(), self._ground.now()
        values = {
            "id": token_id,
            "user_id": by.user_id,
            "token_hash": hash_token(secret),
            "name": name,
            "scopes": [each.value for each in wanted],
            "epoch": by.epoch,
            "created_at": now,
            "expires_at": now + timedelta(days=days),
            "last_used_at": None,
        }
        with self._ground.store.begin() as tx:
            if len(personal_tokens.of_user(tx, by.user_id, by.epoch, now)) >= TOKENS_MAX:
                raise Conflict(f"You have {TOKENS_MAX} tokens already: revoke one that is not used any more first.")
            personal_tokens.add(tx, values)
            told = " ".join(wanted)
            events.record(tx, now, by.user_id, "made a personal token", "personal_token", token_id, why=told)
        return Made(_view(values), f"{_PREFIX}-{token_id}-{secret}")

    def mine(self, by: Identity) -> tuple[PersonalTokenView, ...]:
        """Return one's own tokens that work now, oldest first."""
        with self._ground.store.read() as tx:
            return tuple(map(_view, personal_tokens.of_user(tx, by.user_id, by.epoch, self._ground.now())))

    def revoke(self, by: Identity, token_id: str) -> None:
        """End one's own token at once. Raises NoSuch, NotAllowed (a token ends no tokens)."""
        _refuse_programs(by)
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            if not personal_tokens.revoke(tx, token_id, by.user_id, now):
                raise NoSuch(f"There is no token {token_id} on your list.")
            events.record(tx, now, by.user_id, "revoked a personal token", "personal_token", token_id)

    def identity(self, token: str) -> Identity:
        """Return who asks: the token's person, limited to its scopes. Raises NotAllowed.

        The person is read anew each time: what they lose, their tokens lose with it. The secret is compared in constant
        time; what a database index compares is the public id.
        """
        prefix, _, rest = token.partition("-")
        token_id, _, secret = rest.partition("-")
        now = self._ground.now()
        with self._ground.store.read() as tx:
            found = personal_tokens.get(tx, token_id[:32]) if token_id.isascii() else None
        known = hmac.compare_digest(found["token_hash"] if found is not None else _NOBODYS_HASH, hash_token(secret))
        person = self._accounts.identity(found["user_id"]) if found is not None and known else None
        if found is None or person is None or prefix != _PREFIX or found["epoch"] != person.epoch:
            raise NotAllowed("This token is not known here or was revoked: make a new one on your account page.")
        if found["expires_at"] <= now:
            raise NotAllowed(
                f"This token ended on {found['expires_at']:%Y-%m-%d}: make a new one on your account page."
            )
        if found["last_used_at"] is None or now - found["last_used_at"] >= _USE_NOTED:
            # Noted best-effort: reading goes on when the disk is full.
            with contextlib.suppress(StoreUnavailable, Conflict), self._ground.store.begin() as tx:
                personal_tokens.note_use(tx, found["id"], now, now - _USE_NOTED)
        return replace(person, scopes=frozenset(found["scopes"]))

    def still(self, token: str) -> Identity | None:
        """Return who asks, None once the token has ended."""
        try:
            return self.identity(token)
        except NotAllowed:
            return None


def is_personal(token: str) -> bool:
    """Tell whether a token says of itself that it is a personal one."""
    return token.startswith(f"{_PREFIX}-")


def _refuse_programs(by: Identity) -> None:
    if by.scopes is not None:
        raise NotAllowed("Tokens are made and revoked by people: sign in and do it on your account page.")


def _checked(scopes: Collection[str]) -> tuple[TokenScope, ...]:
    """Return the scopes in their order, each once. Raises InvalidInput."""
    known = {each.value for each in TokenScope}
    unknown = next((each for each in scopes if each not in known), None)
    if unknown is not None:
        raise InvalidInput(f"'{unknown[:40]}' is nothing that a token can be used for: choose from the list.")
    if not scopes:
        raise InvalidInput("Choose at least one thing that the token may be used for.")
    return tuple(each for each in TokenScope if each.value in scopes)


def _view(row: Row) -> PersonalTokenView:
    return PersonalTokenView(
        row["id"],
        row["name"],
        tuple(map(TokenScope, row["scopes"])),
        row["created_at"],
        row["expires_at"],
        row["last_used_at"],
    )
