"""What a route asks before it is called: whether who asks may see and do that much of whom its address names."""

from __future__ import annotations

from collections.abc import Mapping

from coach.errors import NoSuch
from coach.service.ground import Ground
from coach.service.permission import NAMES_AN_ATHLETE, athlete_named, may_see, require
from coach.service.types import Identity, Level, Purpose


class Gate:
    """Let in or refuse, by the same rules as the services behind it."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def admit(self, by: Identity, named: Mapping[str, str], need: Level, purpose: Purpose | None) -> frozenset[str]:
        """Return the athletes whom an address names, such as {"finding_id": id}; the asker's own where it names none.

        What does not exist is left to the service, which knows how to say so. Raises NoSuch (another's), NotAllowed.
        """
        found: set[str] = set()
        with self._ground.store.read() as tx:
            for name in sorted(NAMES_AN_ATHLETE & named.keys()):
                whose = athlete_named(tx, name, named[name])
                if whose is None:
                    continue
                if not may_see(tx, by, whose):
                    raise NoSuch(f"There is no {name.removesuffix('_id')} {named[name]} on your list.")
                require(tx, by, whose, need, purpose)
                found.add(whose)
        return frozenset(found or ({by.athlete_id} if by.athlete_id else ()))
