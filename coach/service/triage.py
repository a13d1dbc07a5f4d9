"""Safety questions before the first program; an urgent answer locks it."""

from __future__ import annotations

from collections.abc import Mapping

from coach.service.ground import Ground
from coach.service.types import Identity, TriageView
from programs.types import Answer, TriageQuestion, TriageResult


class Triage:
    """Ask, store what was answered and shown, lock and clear."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def questions(self) -> tuple[TriageQuestion, ...]:
        """Return the questions in the order to ask."""
        raise NotImplementedError

    def answer(
        self, by: Identity, athlete_id: str, answers: Mapping[str, Answer], age_years: int | None = None
    ) -> TriageResult:
        """Store the answers and what is shown for them; a locking result pauses every planned session.

        A question that is missing counts as not answered (unknown). Only the athlete answers; where the athlete has no
        sign-in of their own, the linked coach may enter the answers. Raises NoSuch, NotAllowed, InvalidInput (unknown id).
        """
        raise NotImplementedError

    def view(self, athlete_id: str) -> TriageView:
        """Return the standing result. Raises NoSuch."""
        raise NotImplementedError

    def clear(self, by: Identity, athlete_id: str, clinician: str, seen_on: str) -> None:
        """Lift a lock: a clinician has seen the athlete. clinician: their name; seen_on: the date, ISO form.

        Raises NoSuch, InvalidInput, Conflict when nothing is locked.
        """
        raise NotImplementedError
