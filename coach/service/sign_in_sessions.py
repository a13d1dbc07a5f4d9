"""Who is signed in: each sign-in is a row, whose secret only the browser has. Every way in ends here."""

from __future__ import annotations

import contextlib
from datetime import datetime, timedelta

from coach.errors import CoachError, Conflict, NoSuch, NotAllowed, StoreUnavailable
from coach.service import passkeys, second_factors
from coach.service.accounts import identity_of
from coach.service.ground import Ground
from coach.service.secrets import fresh_token, hash_is_old, hash_password, hash_token, password_fits
from coach.service.sign_in_types import Asker, CodeWanted, LetIn, Notice, SessionView, SignedIn, Way
from coach.service.types import Identity
from coach.store import events, people, sign_ins
from coach.store.engine import Tx
from coach.store.rows import Row, fresh_id

# Own choice: when a session was used last is for people; writing it with every request would make each one a write.
_SEEN_NOTED = timedelta(minutes=1)
# Own choice: more browsers than one person has; the one that was seen longest ago ends.
_SESSIONS_MAX = 50
# Own choice: what a person still remembers.
_FAILED_SHOWN = timedelta(days=7)
_WRONG = "Name and password do not fit: check both, or ask for a sign-in link."
_WRONG_CODE = (
    "This code does not fit or was used before: type the newest one of your app, or one of your recovery codes."
)


class SignIns:
    """Let people in, by each way, and end their sessions."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def by_link(self, token: str, asker: Asker) -> LetIn:
        """Use up a one-time link. Raises NotAllowed when it is unknown, used or too old."""
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            user_id = people.use_sign_in_link(tx, hash_token(token), now)
            if user_id is not None:
                return self._let_in(tx, now, user_id, Way.LINK, asker)
        raise NotAllowed("This sign-in link was used before or is too old: ask for a new one.")

    def by_password(self, name: str, password: str, asker: Asker) -> LetIn | CodeWanted:
        """Check a password; with a second factor its code is asked for next. Raises NotAllowed.

        The same reads, one hash and one write for a name that is nobody's as for a password that is wrong.
        """
        with self._ground.store.read() as tx:
            found = people.user_named(tx, people.short_name(name))
        stored: str | None = found["password_hash"] if found is not None else None
        # Outside the transaction: hashing takes a good part of a second.
        if not password_fits(password, stored) or found is None or stored is None:
            self._count_failed(Way.PASSWORD, found["id"] if found is not None else None)
            raise NotAllowed(_WRONG)
        if hash_is_old(stored):
            self._keep_new_hash(found["id"], stored, hash_password(password))
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            if second_factors.is_on(tx, found["id"]):
                return CodeWanted(found["id"], found["epoch"])
            return self._let_in(tx, now, found["id"], Way.PASSWORD, asker)

    def by_code(self, wanted: CodeWanted, typed: str, asker: Asker) -> LetIn:
        """Use up a code of the app, or one from paper, after a password. Raises NotAllowed."""
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            found = people.user(tx, wanted.user_id)
            # A password that was replaced meanwhile is not the one that was typed.
            if found is not None and found["epoch"] == wanted.epoch:
                way = second_factors.use_code(tx, wanted.user_id, typed, now)
                if way is not None:
                    return self._let_in(tx, now, wanted.user_id, way, asker)
        self._count_failed(Way.CODE, wanted.user_id if found is not None else None)
        raise NotAllowed(_WRONG_CODE)

    def by_passkey(self, answer: object, challenge: str, place: passkeys.Place, asker: Asker) -> LetIn:
        """Let in whose passkey answers the challenge; no second factor is asked for. Raises NotAllowed."""
        now = self._ground.now()
        try:
            with self._ground.store.begin() as tx:
                user_id = passkeys.use_answer(tx, answer, challenge, place, now)
                return self._let_in(tx, now, user_id, Way.PASSKEY, asker)
        except Conflict:
            what = "This passkey's answer was used before: begin anew."
        except CoachError as error:
            if isinstance(error, StoreUnavailable):
                raise
            what = str(error)
        self._count_failed(Way.PASSKEY, None)
        raise NotAllowed(what)

    def present(self, secret: str) -> SignedIn | None:
        """Return who a browser is signed in as, None when that has ended. One read; the minute is noted at times."""
        now = self._ground.now()
        with self._ground.store.read() as tx:
            found = sign_ins.by_secret(tx, hash_token(secret))
        if found is None or not self._is_good(found, now):
            return None
        # Noted best-effort: reading goes on when the disk is full.
        if now - found["seen_at"] >= _SEEN_NOTED:
            with contextlib.suppress(StoreUnavailable, Conflict), self._ground.store.begin() as tx:
                sign_ins.note_seen(tx, found["id"], now)
        return SignedIn(found["id"], _identity(found), found["confirmed_at"])

    def still(self, session_id: str) -> Identity | None:
        """Return whose session that is while it is good; for what goes on after a page was answered."""
        with self._ground.store.read() as tx:
            found = sign_ins.by_id(tx, session_id)
        return _identity(found) if found is not None and self._is_good(found, self._ground.now()) else None

    def of_person(self, by: Identity, here: str | None) -> tuple[SessionView, ...]:
        """Return one's own sessions, the one seen last first. here: the one that asks."""
        begun_after, seen_after = self._bounds(self._ground.now())
        with self._ground.store.read() as tx:
            return tuple(
                SessionView(
                    row["id"], Way(row["way"]), row["device"], row["begun_at"], row["seen_at"], row["id"] == here
                )
                for row in sign_ins.of_user(tx, by.user_id, begun_after, seen_after)
            )

    def failed_lately(self, by: Identity) -> int:
        """Return how many tries on one's own account failed within a week."""
        with self._ground.store.read() as tx:
            return sign_ins.failed_of(tx, by.user_id, self._ground.now() - _FAILED_SHOWN)

    def end(self, by: Identity, session_id: str) -> None:
        """End one of one's own sessions. Raises NoSuch."""
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            if not sign_ins.end(tx, by.user_id, session_id, now):
                raise NoSuch("This sign-in has ended already.")
            events.record(tx, now, by.user_id, "signed out elsewhere", "user", by.user_id)

    def end_others(self, by: Identity, here: str | None) -> int:
        """End all of one's own sessions but the one that asks; return how many there were."""
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            count = sign_ins.end_all(tx, by.user_id, now, here)
            if count:
                events.record(tx, now, by.user_id, "signed out elsewhere", "user", by.user_id)
        return count

    def renew(self, signed_in: SignedIn) -> str:
        """Return a new secret for the session that asks; the old one is of nobody from now on. Raises NoSuch."""
        secret = fresh_token()
        with self._ground.store.begin() as tx:
            if not sign_ins.renew(tx, signed_in.session_id, hash_token(secret)):
                raise NoSuch("This sign-in has ended: sign in anew.")
        return secret

    def sign_out(self, signed_in: SignedIn) -> None:
        """End the session that asks."""
        now, user_id = self._ground.now(), signed_in.identity.user_id
        with self._ground.store.begin() as tx:
            if sign_ins.end(tx, user_id, signed_in.session_id, now):
                events.record(tx, now, user_id, "signed out", "user", user_id)

    def _let_in(self, tx: Tx, now: datetime, user_id: str, way: Way, asker: Asker) -> LetIn:
        """Begin a session, or note that the one there is was confirmed."""
        found, present = people.user(tx, user_id), asker.present
        if found is None:
            raise NotAllowed(_WRONG)
        identity = _identity({**found, "user_id": user_id})
        if present is not None and asker.confirming:
            if present.identity.user_id != user_id:
                raise NotAllowed(f"You are signed in as {present.identity.name}: show that it is you.")
            sign_ins.confirm(tx, present.session_id, now)
            events.record(tx, now, user_id, f"confirmed by {way.value}", "user", user_id)
            return LetIn(identity, way, None)
        if present is not None:
            # The browser keeps one cookie: nobody could end the older session any more.
            sign_ins.end(tx, present.identity.user_id, present.session_id, now)
        secret = fresh_token()
        sign_ins.begin(tx, _new_session(user_id, secret, way, asker.device, now))
        self._end_surplus(tx, user_id, now)
        events.record(tx, now, user_id, f"signed in by {way.value}", "user", user_id)
        told = tuple((Notice(row["what"]), row["at"]) for row in sign_ins.take_notices(tx, user_id, now))
        return LetIn(identity, way, secret, told)

    def _end_surplus(self, tx: Tx, user_id: str, now: datetime) -> None:
        for row in sign_ins.of_user(tx, user_id, *self._bounds(now))[_SESSIONS_MAX:]:
            sign_ins.end(tx, user_id, row["id"], now)

    def _bounds(self, now: datetime) -> tuple[datetime, datetime]:
        """Return after when a session must have begun and been seen to be good."""
        web = self._ground.config.web
        return now - timedelta(days=web.session_days), now - timedelta(days=web.session_idle_days)

    def _is_good(self, row: Row, now: datetime) -> bool:
        begun_after, seen_after = self._bounds(now)
        return bool(row["begun_at"] > begun_after and row["seen_at"] > seen_after)

    def _keep_new_hash(self, user_id: str, old: str, new: str) -> None:
        with contextlib.suppress(StoreUnavailable, Conflict), self._ground.store.begin() as tx:
            people.refresh_password_hash(tx, user_id, old, new)

    def _count_failed(self, way: Way, user_id: str | None) -> None:
        """Count a try; never what was typed. Best effort: a full disk changes no answer."""
        now = self._ground.now()
        hour = now.replace(minute=0, second=0, microsecond=0)
        with contextlib.suppress(StoreUnavailable, Conflict), self._ground.store.begin() as tx:
            sign_ins.count_failed(tx, hour, way.value, user_id)


def _new_session(user_id: str, secret: str, way: Way, device: str, now: datetime) -> dict[str, object]:
    return {
        "id": fresh_id(),
        "user_id": user_id,
        "secret_hash": hash_token(secret),
        "way": way.value,
        "device": device[:80],
        "begun_at": now,
        "seen_at": now,
        "confirmed_at": now,
    }


def _identity(row: Row) -> Identity:
    return identity_of(row, row["user_id"])
