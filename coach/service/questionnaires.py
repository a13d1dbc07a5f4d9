"""Answers about everyday life and about up to three activities that the athlete names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from coach.errors import InvalidInput
from coach.service.care_door import checked_key, local_today, require_care
from coach.service.care_views import QuestionnaireKind, QuestionnaireView, questionnaire_view
from coach.service.everyday import ACTIVITIES_MAX, ACTIVITIES_VERSION, STATEMENTS, VERSION
from coach.service.ground import Ground
from coach.service.types import Identity, Level
from coach.store import care, events

_ACTIVITY_MAX = 100


class Questionnaires:
    """Answer and read."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def answer_everyday(self, by: Identity, athlete_id: str, holds: Iterable[str], key: str) -> QuestionnaireView:
        """Store which statements hold today; the score is their number. The same key is the same set of answers.

        Raises NoSuch, NotAllowed, InvalidInput for a statement that is none.
        """
        yes = set(holds)
        unknown = sorted(yes - STATEMENTS.keys())
        if unknown:
            raise InvalidInput(f"'{unknown[0][:40]}' is no statement of the questionnaire.")
        answers = {each: int(each in yes) for each in STATEMENTS}
        return self._store(by, athlete_id, QuestionnaireKind.EVERYDAY, VERSION, answers, float(len(yes)), key)

    def rate_activities(self, by: Identity, athlete_id: str, rated: Mapping[str, int], key: str) -> QuestionnaireView:
        """Store how well up to three activities go, 0 (cannot) to 10 (as before); the score is their mean.

        Raises NoSuch, NotAllowed, InvalidInput.
        """
        answers = {" ".join(name.split()): value for name, value in rated.items()}
        if not 1 <= len(answers) <= ACTIVITIES_MAX:
            raise InvalidInput(f"Name 1 to {ACTIVITIES_MAX} different activities.")
        for name, value in answers.items():
            if not 1 <= len(name) <= _ACTIVITY_MAX:
                raise InvalidInput(f"An activity has a name of 1 to {_ACTIVITY_MAX} characters.")
            if not 0 <= value <= 10:
                raise InvalidInput(f"“{name}” has {value}: say 0 for cannot up to 10 for as before.")
        score = sum(answers.values()) / len(answers)
        return self._store(by, athlete_id, QuestionnaireKind.ACTIVITIES, ACTIVITIES_VERSION, answers, score, key)

    def of_athlete(self, by: Identity, athlete_id: str) -> tuple[QuestionnaireView, ...]:
        """Return all answers, oldest first. Raises NoSuch, NotAllowed."""
        with self._ground.store.read() as tx:
            require_care(tx, by, athlete_id)
            return tuple(questionnaire_view(row) for row in care.questionnaires(tx, athlete_id))

    def _store(
        self,
        by: Identity,
        athlete_id: str,
        kind: QuestionnaireKind,
        version: str,
        answers: Mapping[str, int],
        score: float,
        key: str,
    ) -> QuestionnaireView:
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            today = local_today(require_care(tx, by, athlete_id, Level.FULL), now)
            values: dict[str, Any] = {
                "athlete_id": athlete_id,
                "key": checked_key(key),
                "kind": kind.value,
                "version": version,
                "answered_at": now,
                "local_date": today,
                "answers": dict(answers),
                "score": score,
                "entered_by": by.user_id,
            }
            entry_id, new = care.add_questionnaire(tx, values)
            if new:
                events.record(tx, now, by.user_id, "answered", "questionnaire", entry_id, athlete_id)
            return questionnaire_view(values)
