"""Who a person is: users, one-time sign-in links, passwords, tokens of programs."""

from __future__ import annotations

from coach.service.ground import Ground
from coach.service.types import Identity, Role


class Accounts:
    """Create users and tell who signs in."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def create_user(self, name: str, role: Role, password: str | None = None, athlete_id: str | None = None) -> str:
        """Create a user and return its id. athlete_id: whom a user of role athlete is.

        Raises InvalidInput: empty or taken name, a password that is too short, a missing or surplus athlete_id.
        """
        raise NotImplementedError

    def users(self) -> tuple[Identity, ...]:
        """Return all users by name."""
        raise NotImplementedError

    def identity(self, user_id: str) -> Identity | None:
        """Return who that user is, None when there is no such user."""
        raise NotImplementedError

    def issue_sign_in_link(self, user_id: str) -> str:
        """Return a fresh one-time token for `/sign-in/<token>`; only its hash is kept. Raises NoSuch."""
        raise NotImplementedError

    def redeem_link(self, token: str) -> Identity:
        """Use up a one-time token. Raises NotAllowed when it is unknown, used or too old."""
        raise NotImplementedError

    def sign_in(self, name: str, password: str) -> Identity:
        """Check a password, with the same effort for unknown names. Raises NotAllowed."""
        raise NotImplementedError

    def set_password(self, user_id: str, password: str) -> None:
        """Replace the password. Raises InvalidInput when too short, NoSuch."""
        raise NotImplementedError

    def issue_api_token(self, athlete_id: str, scope: str = "chunks", label: str = "") -> str:
        """Return a fresh bearer token for a program (a gateway: scope `chunks`); only its hash is kept. Raises NoSuch."""
        raise NotImplementedError

    def athlete_of_token(self, token: str, scope: str) -> str:
        """Return the athlete that a bearer token speaks for. Raises NotAllowed."""
        raise NotImplementedError
