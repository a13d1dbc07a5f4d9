"""Answers that a page kept while there was no network: each is taken once, whatever the network does in between."""

from __future__ import annotations

import re

from coach.errors import InvalidInput
from coach.language import gettext as _
from coach.service.ground import Ground
from coach.service.types import Identity
from coach.store import pocket

# What a page makes: a UUID, with or without dashes, and a letter or two of its own.
_KEY = re.compile(r"[0-9A-Za-z-]{16,64}")
_PATH_MAX, _ONWARD_MAX = 300, 1000


class SentAnswers:
    """Know which keys were taken. Two at the same moment are told apart by the use-cases' own keys and states."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def onward(self, by: Identity, key: str, path: str) -> str | None:
        """Return the page that was shown when this answer came before, None for a new one.

        Raises InvalidInput: no key of a page, or one that was used for something else.
        """
        with self._ground.store.read() as tx:
            row = pocket.taken(tx, by.user_id, _checked(key))
        if row is None:
            return None
        if row["path"] != path[:_PATH_MAX]:
            raise InvalidInput(_("This answer's key was used for another one: open the page anew and answer again."))
        return str(row["onward"])

    def keep(self, by: Identity, key: str, path: str, onward: str) -> None:
        """Note that an answer was taken. Raises InvalidInput."""
        with self._ground.store.begin() as tx:
            pocket.keep_taken(tx, by.user_id, _checked(key), path[:_PATH_MAX], onward[:_ONWARD_MAX], self._ground.now())


def _checked(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise InvalidInput(_("An answer that was kept needs its key: open the page anew and answer again."))
    return key
