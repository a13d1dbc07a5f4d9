"""Bearer tokens of programs: each speaks for one athlete, for one purpose, until it is revoked."""

from __future__ import annotations

import hmac
import threading
import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from coach.errors import Conflict, Gone, InvalidInput, NotAllowed
from coach.service.ground import Ground
from coach.service.permission import SENSING_ENDED, may_send, require_athlete, require_row, who_may_send
from coach.service.secrets import fresh_token, hash_token
from coach.service.types import Identity, Level
from coach.store import erasing, events, tokens
from coach.store.engine import Tx
from coach.store.rows import Row, fresh_id

# Own choice: more machines than one athlete has.
_TOKENS_MAX = 20
_LABEL_MAX = 60
# Own choice: the time of the last use is for people; writing it with every request would double the writes.
_USE_NOTED = timedelta(minutes=1)
# s between two times that such uses are written. Own choice.
_USES_WRITTEN_S = 5.0
# Tokens of which it is kept in memory when a use was noted. Own choice.
_SEEN_MAX = 20_000
# What is compared where there is nothing to compare with, so that an unknown id takes as long as a wrong secret.
_NOBODYS_HASH = "0" * 64


class Scope(StrEnum):
    """What a token may be used for."""

    GATEWAY = "gateway"  # hand in signal and the state of links, learn which wearables to serve
    PHONE = "phone"  # push the readings of one phone


@dataclass(frozen=True, slots=True)
class Holder:
    """Whom a valid token speaks for. token_id tells programs of one athlete apart.

    may_send: whether the athlete agrees to measuring now, so that signal is taken.
    """

    token_id: str
    athlete_id: str
    label: str
    may_send: bool

    def require_consent(self) -> None:
        """Raise NotAllowed where signal is refused: for good, and nothing of it is kept."""
        if not self.may_send:
            raise NotAllowed(SENSING_ENDED)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a gateway shows of its token: the public id, and of the secret what is kept."""

    token_id: str
    secret_hash: str

    @classmethod
    def of(cls, token: str) -> Shown:
        """Take a token apart, as it was sent."""
        token_id, _, secret = token.partition("-")
        return cls(token_id[:32], hash_token(secret))


def senders(tx: Tx, shown: Collection[Shown]) -> dict[Shown, str]:
    """Return whose signal each may hand in now: athlete's id for a gateway's token that is valid, while measuring is
    agreed to. One question for all of them; who is left out is refused, and `Tokens.holder` says why."""
    found = {token_id: rest for token_id, *rest in tokens.get_all(tx, {each.token_id for each in shown})}
    agreed = who_may_send(tx, {athlete_id for _, _, athlete_id in found.values()})
    valid: dict[Shown, str] = {}
    for each in shown:
        kept, scope, athlete_id = found.get(each.token_id, (_NOBODYS_HASH, "", ""))
        if hmac.compare_digest(kept, each.secret_hash) and scope == Scope.GATEWAY.value and athlete_id in agreed:
            valid[each] = athlete_id
    return valid


@dataclass(frozen=True, slots=True)
class TokenView:
    """A token as its owner sees it. last_used_at is exact to a minute, None while it was never used."""

    token_id: str
    label: str
    scope: str
    created_at: datetime
    last_used_at: datetime | None


class Tokens:
    """Make, check and revoke tokens. The secret is shown once and kept only as a hash."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._noting = threading.Lock()
        self._used: dict[str, datetime] = {}  # not written yet
        self._seen: dict[str, datetime] = {}  # when a use was noted last, of what came the short way
        self._write_uses_s = 0.0

    def issue(self, by: Identity, athlete_id: str, label: str, scope: Scope = Scope.GATEWAY) -> str:
        """Return a fresh token. Raises NoSuch (not your athlete), InvalidInput (label), Conflict (too many)."""
        label = " ".join(label.split())
        if not 1 <= len(label) <= _LABEL_MAX:
            raise InvalidInput(f"Name the machine in 1 to {_LABEL_MAX} characters, so that you know it again.")
        token_id, secret, now = fresh_id(), fresh_token(), self._ground.now()
        with self._ground.store.begin() as tx:
            require_athlete(tx, by, athlete_id, Level.FULL)
            if len(tokens.of_athlete(tx, athlete_id)) >= _TOKENS_MAX:
                raise Conflict(f"There are {_TOKENS_MAX} tokens already: revoke one that is not used any more first.")
            values = {
                "id": token_id,
                "token_hash": hash_token(secret),
                "scope": scope.value,
                "athlete_id": athlete_id,
                "label": label,
                "created_at": now,
            }
            tokens.add(tx, values)
            events.record(tx, now, by.user_id, "issued a token", "api_token", token_id, athlete_id, scope.value)
        return f"{token_id}-{secret}"

    def of_athlete(self, by: Identity, athlete_id: str) -> tuple[TokenView, ...]:
        """Return the tokens that are valid, oldest first. Raises NoSuch."""
        with self._ground.store.read() as tx:
            require_athlete(tx, by, athlete_id, Level.FULL)
            rows = tokens.of_athlete(tx, athlete_id)
        return tuple(_view(row, self._used.get(row["id"])) for row in rows)

    def revoke(self, by: Identity, token_id: str) -> None:
        """End a token at once. Raises NoSuch."""
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            found = require_row(tx, by, tokens.get(tx, token_id), f"token {token_id}", Level.FULL)
            tokens.revoke(tx, token_id, now)
            events.record(tx, now, by.user_id, "revoked a token", "api_token", token_id, found["athlete_id"])

    def holder(self, token: str, scope: Scope) -> Holder:
        """Return whom a token speaks for. Raises NotAllowed: unknown, revoked, or for another purpose.

        The secret is compared in constant time; what a database index compares is the public id.
        """
        token_id, _, secret = token.partition("-")
        now = self._ground.now()
        with self._ground.store.read() as tx:
            found = tokens.get(tx, token_id[:32])
            agreed = found is not None and may_send(tx, found["athlete_id"])
        known = hmac.compare_digest(found["token_hash"] if found is not None else _NOBODYS_HASH, hash_token(secret))
        if found is None and self._was_erased(secret):
            raise Gone("Whoever this token spoke for was erased: forget what waits here.")
        if found is None or not known or found["scope"] != scope.value:
            raise NotAllowed("This token is not known here, was revoked, or is for something else: make a new one.")
        if found["last_used_at"] is None or now - found["last_used_at"] >= _USE_NOTED:
            self._note_use(found["id"], now)
        return Holder(found["id"], found["athlete_id"], found["label"], agreed)

    def note(self, token_id: str) -> None:
        """Note that a valid token was used just now; more often than once a minute costs nothing."""
        now = self._ground.now()
        seen = self._seen.get(token_id)
        if seen is not None and timedelta() <= now - seen < _USE_NOTED:
            return
        if len(self._seen) >= _SEEN_MAX:
            self._seen.clear()
        self._seen[token_id] = now
        self._note_use(token_id, now)

    def _note_use(self, token_id: str, now: datetime) -> None:
        """Note a use, written with those of others: each by itself would be a commit for every gateway each minute."""
        with self._noting:
            self._used[token_id] = now
            if time.monotonic() < self._write_uses_s:
                return
            self._write_uses_s = time.monotonic() + _USES_WRITTEN_S
            used, self._used = self._used, {}
        with self._ground.store.begin_derived() as tx:
            tokens.note_uses(tx, used, now - _USE_NOTED)

    def _was_erased(self, secret: str) -> bool:
        with self._ground.store.read() as tx:
            return erasing.token_was_erased(tx, hash_token(secret))


def _view(row: Row, used_at: datetime | None) -> TokenView:
    return TokenView(row["id"], row["label"], row["scope"], row["created_at"], used_at or row["last_used_at"])
