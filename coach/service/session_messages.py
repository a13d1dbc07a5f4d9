"""A coach's message to the athlete with one session: shown with it, for the athlete and whoever stands in for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from coach.errors import Conflict, InvalidInput, NotAllowed
from coach.language import gettext as _
from coach.service.ground import Ground
from coach.service.permission import coaches, require_session, speaks_for
from coach.service.types import Identity, Level, SessionState
from coach.store import coach_words, events

# Signs of a message. Own bound: what is read before a session.
MESSAGE_MAX = 500
_OPEN = frozenset({SessionState.PLANNED.value, SessionState.DUE.value})


@dataclass(frozen=True, slots=True)
class MessageView:
    """A message. by: the coach's name. own: whether the reader wrote it."""

    session_id: str
    text: str
    by: str
    written_at: datetime
    own: bool


class SessionMessages:
    """Read, write, take back."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def of_session(self, by: Identity, session_id: str) -> tuple[MessageView, ...]:
        """Return what `by` may read: all for whose session it is, else what they wrote themselves. Raises NoSuch."""
        with self._ground.store.read() as tx:
            session = require_session(tx, by, session_id)
            everything = speaks_for(tx, by, session["athlete_id"])
            rows = coach_words.messages(tx, session_id)
        return tuple(
            MessageView(session_id, row["text"], row["name"], row["written_at"], row["written_by"] == by.user_id)
            for row in rows
            if everything or row["written_by"] == by.user_id
        )

    def write(self, by: Identity, session_id: str, text: str) -> None:
        """Keep a coach's message, in place of the one before; empty text takes it back.

        Raises NoSuch, NotAllowed (no coach, or a lower level), InvalidInput, Conflict (the session is over).
        """
        said = text.strip()
        if len(said) > MESSAGE_MAX or "\x00" in said:
            raise InvalidInput(_("A message has up to %(most)s characters: shorten it.", most=MESSAGE_MAX))
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            session = require_session(tx, by, session_id, Level.PLAN)
            if not coaches(by):
                raise NotAllowed(_("A coach writes the message of a session."))
            if not said:
                if coach_words.drop_message(tx, session_id, by.user_id):
                    events.record(tx, now, by.user_id, "took back", "message", session_id, session["athlete_id"])
                return
            if session["state"] not in _OPEN:
                raise Conflict(_("This session is over: write with the next one."))
            coach_words.set_message(tx, session_id, by.user_id, said, now)
            events.record(tx, now, by.user_id, "wrote", "message", session_id, session["athlete_id"])
