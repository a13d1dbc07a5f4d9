"""Who a person is: users, one-time sign-in links, passwords. Signing in: sign_in_sessions."""

from __future__ import annotations

from datetime import datetime, timedelta

from coach.errors import InvalidInput, NoSuch
from coach.language import LANGUAGES
from coach.service.ground import Ground
from coach.service.password_rules import check_password
from coach.service.secrets import fresh_token, hash_password, hash_token
from coach.service.sign_in_types import Notice
from coach.service.types import Identity, Role, Units
from coach.store import athletes, events, people, sign_in_keys, sign_ins
from coach.store.engine import Tx
from coach.store.rows import Row


class Accounts:
    """Create users and tell who signs in."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def create_user(self, name: str, role: Role, password: str | None = None, athlete_id: str | None = None) -> str:
        """Create a user and return its id. athlete_id: whom a user of role athlete is.

        Raises InvalidInput: empty or taken name, a password that is too short or easy, a missing or surplus athlete_id.
        """
        name = checked_name(name)
        if (role is Role.ATHLETE) is (athlete_id is None):
            raise InvalidInput("A user of role athlete is one athlete, a coach is none: give athlete_id accordingly.")
        if password is not None:
            check_password(password, name)
        password_hash = hash_password(password) if password is not None else None
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            if athlete_id is not None and athletes.get(tx, athlete_id) is None:
                raise InvalidInput(f"There is no athlete {athlete_id}: create the athlete first.")
            if athlete_id is not None and people.user_of_athlete(tx, athlete_id) is not None:
                raise InvalidInput("This athlete has a user already: use that one.")
            return add_person(tx, name, role, now, athlete_id, password_hash)

    def users(self) -> tuple[Identity, ...]:
        """Return all users by name."""
        with self._ground.store.read() as tx:
            return tuple(_identity(row) for row in people.users(tx))

    def identity(self, user_id: str) -> Identity | None:
        """Return who that user is, None when there is no such user."""
        with self._ground.store.read() as tx:
            found = people.user(tx, user_id)
        return _identity(found) if found is not None else None

    def issue_sign_in_link(self, user_id: str) -> str:
        """Return a fresh one-time token for `/enter/<token>`; only its hash is kept. Raises NoSuch."""
        token, now = fresh_token(), self._ground.now()
        expires_at = now + timedelta(hours=self._ground.config.web.sign_in_link_hours)
        with self._ground.store.begin() as tx:
            if people.user(tx, user_id) is None:
                raise NoSuch(f"There is no user {user_id}.")
            people.add_sign_in_link(tx, user_id, hash_token(token), now, expires_at)
            events.record(tx, now, "service", "issued a sign-in link", "user", user_id)
        return token

    def has_password(self, user_id: str) -> bool:
        """Tell whether somebody can sign in with a password."""
        with self._ground.store.read() as tx:
            found = people.user(tx, user_id)
        return found is not None and found["password_hash"] is not None

    def set_password(self, user_id: str, password: str, but: str | None = None) -> Identity:
        """Replace the password; end open links and all sessions but the one named. Return the new epoch's identity.

        Raises InvalidInput when it is too short, too long or too easy, NoSuch.
        """
        with self._ground.store.read() as tx:
            found = people.user(tx, user_id)
        if found is None:
            raise NoSuch(f"There is no user {user_id}.")
        check_password(password, found["name"])
        password_hash, now = hash_password(password), self._ground.now()
        with self._ground.store.begin() as tx:
            found = people.set_password_hash(tx, user_id, password_hash)
            if found is None:
                raise NoSuch(f"There is no user {user_id}.")
            sign_ins.end_all(tx, user_id, now, but)
            people.drop_sign_in_links(tx, user_id)
            events.record(tx, now, user_id, "set a password", "user", user_id)
        return _identity(found)

    def read_in(self, by: Identity, language: str | None, units: Units) -> None:
        """Choose one's own language and units. language None: as the browser asks. Raises InvalidInput."""
        if language is not None and language not in LANGUAGES:
            raise InvalidInput(f"Backstop speaks {', '.join(LANGUAGES.values())}: choose one of them.")
        with self._ground.store.begin() as tx:
            people.set_reading(tx, by.user_id, language, units.value)

    def reset(self, user_id: str, *, passkeys: bool = False, password: bool = False) -> tuple[Notice, ...]:
        """Let the machine's owner help somebody who is locked out: remove the second factor, and what else is named.

        Ends all sessions and open links, and with passkeys or password also tokens. Return what was removed; the person
        is told at the next sign-in. Raises NoSuch.
        """
        now, removed = self._ground.now(), list[Notice]()
        with self._ground.store.begin() as tx:
            found = people.user(tx, user_id)
            if found is None:
                raise NoSuch(f"There is no user {user_id}.")
            if sign_in_keys.remove_factor(tx, user_id):
                removed.append(Notice.SECOND_FACTOR_REMOVED)
            if passkeys and sign_in_keys.remove_passkeys(tx, user_id):
                removed.append(Notice.PASSKEYS_REMOVED)
            if password and found["password_hash"] is not None:
                people.set_password_hash(tx, user_id, None)
                removed.append(Notice.PASSWORD_REMOVED)
            sign_ins.end_all(tx, user_id, now)
            people.drop_sign_in_links(tx, user_id)
            if passkeys or password:
                people.new_epoch(tx, user_id)
            for notice in removed:
                sign_ins.add_notice(tx, user_id, notice.value, now)
                events.record(tx, now, "owner", notice.value, "user", user_id)
        return tuple(removed)


def add_person(
    tx: Tx, name: str, role: Role, now: datetime, athlete_id: str | None = None, password_hash: str | None = None
) -> str:
    """Insert a user in a transaction that goes on; return the id. Raises InvalidInput for a name that is taken."""
    name = checked_name(name)
    if people.user_named(tx, name) is not None:
        raise InvalidInput(f"The name {name} is taken: choose another.")
    user_id = people.add_user(tx, name, role.value, password_hash, athlete_id, now)
    events.record(tx, now, "service", "created", "user", user_id, athlete_id, role.value)
    return user_id


def account_key(name: str) -> str:
    """Return what is the same for all ways of typing a name; for counting tries on an account."""
    return people.short_name(name)


def checked_name(name: str) -> str:
    """Return a name without surrounding blanks. Raises InvalidInput when nothing is left or it is too long."""
    name = " ".join(name.split())
    if not name or len(name) > people.NAME_MAX:
        raise InvalidInput(f"A name has 1 to {people.NAME_MAX} characters; this one has {len(name)}.")
    return name


def identity_of(row: Row, user_id: str) -> Identity:
    """Return who a row of a person is, also one that was joined to another."""
    units = Units(row["units"] or Units.METRIC)
    role, of_athlete, epoch = Role(row["role"]), row["athlete_id"], row["epoch"]
    return Identity(user_id, role, row["name"], of_athlete, epoch, language=row["language"], units=units)


def _identity(row: Row) -> Identity:
    return identity_of(row, row["id"])
