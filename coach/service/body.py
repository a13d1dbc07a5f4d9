"""What an athlete tells of their body: the side they use, what was injured before, what hurts now.

What hurts now keeps the exercises away that the library marks with it, in the program that runs and in the next ones.
The side says where an exercise of one side at a time begins and on which the first hold is done. What was injured
before is for the coach to know: it changes no exercise.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from coach.analysis.guided import Side
from coach.errors import InvalidInput
from coach.language import gettext as _
from coach.service.consents import require_own
from coach.service.diary import SITES
from coach.service.ground import Ground
from coach.service.permission import may_read, require_athlete
from coach.service.progress import look_after
from coach.service.types import Identity, Level, Purpose
from coach.store import athletes, events, pocket
from coach.store.rows import Row

# Own bound: some lines.
_WORDS_MAX = 500
# What may hurt now: those of programs.exercises.CONTRAINDICATIONS that are a part of the body.
HURTS = ("neck_pain", "shoulder_pain", "wrist_pain", "knee_pain")


@dataclass(frozen=True, slots=True)
class BodyView:
    """What somebody told of their body. injured_at: ids of diary.SITES; hurts_now: of HURTS; injuries: own words."""

    side: Side | None
    injured_at: tuple[str, ...]
    hurts_now: tuple[str, ...]
    injuries: str
    told_at: datetime | None


class Bodies:
    """Tell of the body and read what was told."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def tell(
        self,
        by: Identity,
        athlete_id: str,
        side: Side | None,
        injured_at: Collection[str],
        injuries: str,
        hurts_now: Collection[str] = (),
    ) -> None:
        """Keep what is told; the newest word replaces the one before. The program leaves out what hurts now at once.

        Raises NoSuch, NotAllowed, InvalidInput.
        """
        for told, known in ((injured_at, SITES), (hurts_now, HURTS)):
            if unknown := sorted(set(told) - set(known)):
                raise InvalidInput(_("“%(place)s” is no place of the list: choose from it.", place=unknown[0][:40]))
        words = injuries.strip()
        if len(words) > _WORDS_MAX:
            raise InvalidInput(_("The injuries in your words are at most %(most)s signs long.", most=_WORDS_MAX))
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            require_own(tx, by, athlete_id)
            before = _body(pocket.run_of(tx, athlete_id))
            body = {
                "side": side.value if side else None,
                "injured_at": [each for each in SITES if each in injured_at],
                "hurts_now": [each for each in HURTS if each in hurts_now],
                "injuries": words or None,
            }
            pocket.change_run(tx, athlete_id, now, told_at=now, **body)
            events.record(tx, now, by.user_id, "told of the body", "athlete", athlete_id, athlete_id)
            changed = (before.side, set(before.hurts_now)) != (side, set(hurts_now))
            if changed:
                # What may be done again comes back as a proposal, which waits for a yes as every one.
                athletes.change(tx, athlete_id, replan_wanted=True)
        if changed:
            look_after(self._ground, athlete_id)

    def of_athlete(self, by: Identity, athlete_id: str) -> BodyView | None:
        """Return what was told; None to a coach with whom health text is not shared. Raises NoSuch, NotAllowed."""
        with self._ground.store.read() as tx:
            require_athlete(tx, by, athlete_id, Level.FULL)
            if not may_read(tx, by, athlete_id, Purpose.PAIN_TEXT):
                return None
            return _body(pocket.run_of(tx, athlete_id))


def _body(row: Row | None) -> BodyView:
    if row is None:
        return BodyView(None, (), (), "", None)
    side = Side(row["side"]) if row["side"] else None
    hurts = tuple(row["hurts_now"] or ())
    return BodyView(side, tuple(row["injured_at"]), hurts, row["injuries"] or "", row["told_at"])
