"""Private notes of a coach about an athlete: no other person reads them on a page; the athlete's export holds them.

They are about the athlete, who may have a copy of what is kept about them (GDPR Art. 15), opinions included (CJEU
C-434/16, Nowak). Without a link that stands, the coach reads them no more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from coach.errors import InvalidInput, NoSuch, NotAllowed
from coach.language import gettext as _
from coach.service.ground import Ground
from coach.service.permission import coaches, require_athlete
from coach.service.types import Identity
from coach.store import coach_words, events
from coach.store.engine import Tx

# Signs of a note, and notes of one coach about one athlete. Own bounds.
NOTE_MAX, NOTES_MAX = 2000, 200


@dataclass(frozen=True, slots=True)
class CoachNoteView:
    """One private note."""

    note_id: str
    text: str
    written_at: datetime


class CoachNotes:
    """Read, write, delete; a coach their own alone."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def of_athlete(self, by: Identity, athlete_id: str) -> tuple[CoachNoteView, ...]:
        """Return what `by` has noted about an athlete, newest first. Raises NoSuch, NotAllowed for who is no coach."""
        with self._ground.store.read() as tx:
            _require(tx, by, athlete_id)
            rows = coach_words.notes(tx, athlete_id, by.user_id)
        return tuple(CoachNoteView(row["id"], row["text"], row["written_at"]) for row in rows)

    def add(self, by: Identity, athlete_id: str, text: str) -> None:
        """Keep a note. Raises NoSuch, NotAllowed, InvalidInput."""
        said = text.strip()
        if not said or len(said) > NOTE_MAX or "\x00" in said:
            raise InvalidInput(_("A note has 1 to %(most)s characters.", most=NOTE_MAX))
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            _require(tx, by, athlete_id)
            if coach_words.count_notes(tx, athlete_id, by.user_id) >= NOTES_MAX:
                raise InvalidInput(_("There are %(most)s notes already: delete old ones first.", most=NOTES_MAX))
            values = {"athlete_id": athlete_id, "written_by": by.user_id, "text": said, "written_at": now}
            note_id = coach_words.add_note(tx, values)
            events.record(tx, now, by.user_id, "wrote", "note", note_id, athlete_id)

    def drop(self, by: Identity, athlete_id: str, note_id: str) -> None:
        """Delete a note of one's own. Raises NoSuch, NotAllowed."""
        with self._ground.store.begin() as tx:
            _require(tx, by, athlete_id)
            if not coach_words.drop_note(tx, athlete_id, by.user_id, note_id):
                raise NoSuch(_("There is no note %(note)s of yours.", note=note_id[:40]))
            events.record(tx, self._ground.now(), by.user_id, "deleted", "note", note_id, athlete_id)


def _require(tx: Tx, by: Identity, athlete_id: str) -> None:
    require_athlete(tx, by, athlete_id)
    if not coaches(by):
        raise NotAllowed(_("Only a coach keeps notes about an athlete."))
