"""Who a person is: users, one-time sign-in links, passwords."""

from __future__ import annotations

from datetime import timedelta

from coach.errors import InvalidInput, NoSuch, NotAllowed
from coach.service.ground import Ground
from coach.service.secrets import fresh_token, hash_password, hash_token, password_fits
from coach.service.types import Identity, Role
from coach.store import athletes, events, people
from coach.store.rows import Row

_NAME_MAX = 200


class Accounts:
    """Create users and tell who signs in."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def create_user(self, name: str, role: Role, password: str | None = None, athlete_id: str | None = None) -> str:
        """Create a user and return its id. athlete_id: whom a user of role athlete is.

        Raises InvalidInput: empty or taken name, a password that is too short, a missing or surplus athlete_id.
        """
        name = checked_name(name)
        if (role is Role.ATHLETE) is (athlete_id is None):
            raise InvalidInput("A user of role athlete is one athlete, a coach is none: give athlete_id accordingly.")
        password_hash = hash_password(password) if password is not None else None
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            if people.user_named(tx, name) is not None:
                raise InvalidInput(f"The name {name} is taken: choose another.")
            if athlete_id is not None and athletes.get(tx, athlete_id) is None:
                raise InvalidInput(f"There is no athlete {athlete_id}: create the athlete first.")
            if athlete_id is not None and people.user_of_athlete(tx, athlete_id) is not None:
                raise InvalidInput("This athlete has a user already: use that one.")
            user_id = people.add_user(tx, name, role.value, password_hash, athlete_id, now)
            events.record(tx, now, "service", "created", "user", user_id, athlete_id, role.value)
        return user_id

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
        """Return a fresh one-time token for `/sign-in/<token>`; only its hash is kept. Raises NoSuch."""
        token, now = fresh_token(), self._ground.now()
        expires_at = now + timedelta(hours=self._ground.config.web.sign_in_link_hours)
        with self._ground.store.begin() as tx:
            if people.user(tx, user_id) is None:
                raise NoSuch(f"There is no user {user_id}.")
            people.add_sign_in_link(tx, user_id, hash_token(token), now, expires_at)
            events.record(tx, now, "service", "issued a sign-in link", "user", user_id)
        return token

    def redeem_link(self, token: str) -> Identity:
        """Use up a one-time token. Raises NotAllowed when it is unknown, used or too old."""
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            user_id = people.use_sign_in_link(tx, hash_token(token), now)
            found = people.user(tx, user_id) if user_id is not None else None
            if user_id is None or found is None:
                raise NotAllowed("This sign-in link was used before or is too old: ask for a new one.")
            events.record(tx, now, user_id, "signed in by link", "user", user_id)
        return _identity(found)

    def sign_in(self, name: str, password: str) -> Identity:
        """Check a password, with the same effort for unknown names. Raises NotAllowed."""
        with self._ground.store.read() as tx:
            found = people.user_named(tx, name[:_NAME_MAX])
        # Outside the transaction: hashing takes a good part of a second.
        fits = password_fits(password, found["password_hash"] if found is not None else None)
        if found is None or not fits:
            raise NotAllowed("Name and password do not fit: check both, or ask for a sign-in link.")
        with self._ground.store.begin() as tx:
            events.record(tx, self._ground.now(), found["id"], "signed in by password", "user", found["id"])
        return _identity(found)

    def set_password(self, user_id: str, password: str) -> Identity:
        """Replace the password and return the identity of the new epoch; sessions of the older one have ended.

        Raises InvalidInput when too short, NoSuch.
        """
        password_hash = hash_password(password)
        with self._ground.store.begin() as tx:
            found = people.set_password_hash(tx, user_id, password_hash)
            if found is None:
                raise NoSuch(f"There is no user {user_id}.")
            events.record(tx, self._ground.now(), user_id, "set a password", "user", user_id)
        return _identity(found)


def checked_name(name: str) -> str:
    """Return a name without surrounding blanks. Raises InvalidInput when nothing is left or it is too long."""
    name = " ".join(name.split())
    if not name or len(name) > _NAME_MAX:
        raise InvalidInput(f"A name has 1 to {_NAME_MAX} characters; this one has {len(name)}.")
    return name


def _identity(row: Row) -> Identity:
    return Identity(row["id"], Role(row["role"]), row["name"], row["athlete_id"], row["epoch"])
