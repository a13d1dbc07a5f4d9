"""What athlete and doctor try over weeks and months, and what changed after what."""

from __future__ import annotations

from datetime import date

from coach.errors import InvalidInput
from coach.service.care_door import (
    NOTE_MAX,
    WORDS_MAX,
    checked_day,
    checked_key,
    checked_text,
    local_today,
    require_care,
    require_entry,
)
from coach.service.care_views import ResponseView, TreatmentKind, TreatmentView, treatment_view
from coach.service.ground import Ground
from coach.service.responses import response_of
from coach.service.types import Identity, Level
from coach.store import care, events
from coach.store.engine import Tx

# Things that go on at the same time. Own bound: what nobody can tell apart any more.
_AT_ONCE = 12


class Treatments:
    """Begin, end, list, and look at what changed."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def add(
        self,
        by: Identity,
        athlete_id: str,
        kind: TreatmentKind,
        key: str,
        started_on: date | None = None,
        ended_on: date | None = None,
        words: str = "",
        note: str = "",
    ) -> TreatmentView:
        """Store what is tried from a day on, today by default; the same key is the same treatment.

        words: what the doctor named, for DOCTOR only. Medicine has neither words nor note: no drug, no dose.
        Raises NoSuch, NotAllowed, InvalidInput.
        """
        said, noted = _texts(kind, words, note)
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            today = local_today(require_care(tx, by, athlete_id, Level.FULL), now)
            first = checked_day(started_on or today, today, "The first day")
            _check_last(first, ended_on, today)
            _check_room(tx, athlete_id)
            values = {
                "athlete_id": athlete_id,
                "key": checked_key(key),
                "kind": kind.value,
                "words": said,
                "note": noted,
                "started_on": first,
                "ended_on": ended_on,
                "entered_by": by.user_id,
                "created_at": now,
                "updated_at": now,
            }
            treatment_id, new = care.add_treatment(tx, values)
            if new:
                events.record(tx, now, by.user_id, "began", "treatment", treatment_id, athlete_id)
            return self._view(tx, by, treatment_id)

    def end(self, by: Identity, treatment_id: str, on: date | None = None) -> TreatmentView:
        """Set the last day of a treatment, today by default. Raises NoSuch, NotAllowed, InvalidInput."""
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            row = require_entry(tx, by, care.treatment_of(tx, treatment_id), "treatment", Level.FULL)
            today = local_today(require_care(tx, by, row["athlete_id"]), now)
            last = on or today
            _check_last(row["started_on"], last, today)
            care.change_treatment(tx, treatment_id, ended_on=last, updated_at=now)
            events.record(tx, now, by.user_id, "ended", "treatment", treatment_id, row["athlete_id"])
            return self._view(tx, by, treatment_id)

    def drop(self, by: Identity, treatment_id: str) -> None:
        """Delete a treatment that was entered by mistake. Raises NoSuch, NotAllowed."""
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            row = require_entry(tx, by, care.treatment_of(tx, treatment_id), "treatment", Level.FULL)
            care.drop_treatment(tx, treatment_id)
            events.record(tx, now, by.user_id, "deleted", "treatment", treatment_id, row["athlete_id"])

    def of_athlete(self, by: Identity, athlete_id: str) -> tuple[TreatmentView, ...]:
        """Return what is and was tried, what goes on first, then the newest. Raises NoSuch, NotAllowed."""
        with self._ground.store.read() as tx:
            require_care(tx, by, athlete_id)
            views = [treatment_view(row) for row in care.treatments(tx, athlete_id)]
        views.sort(key=lambda each: each.started_on, reverse=True)
        return tuple(sorted(views, key=lambda each: each.ended_on is not None))

    def response(self, by: Identity, athlete_id: str) -> ResponseView:
        """Return the single case: weeks, phases, and what changed after what. Raises NoSuch, NotAllowed."""
        with self._ground.store.read() as tx:
            today = local_today(require_care(tx, by, athlete_id), self._ground.now())
            return response_of(tx, athlete_id, today)

    def _view(self, tx: Tx, by: Identity, treatment_id: str) -> TreatmentView:
        return treatment_view(require_entry(tx, by, care.treatment_of(tx, treatment_id), "treatment"))


def _texts(kind: TreatmentKind, words: str, note: str) -> tuple[str | None, str | None]:
    said = checked_text(words, "What the doctor named", WORDS_MAX)
    noted = checked_text(note, "The note", NOTE_MAX)
    if kind is TreatmentKind.MEDICINE and (said or noted):
        raise InvalidInput("Of medicine, only that it was taken is kept: leave words and note empty.")
    if kind is TreatmentKind.DOCTOR and not said:
        raise InvalidInput("Write down what the doctor named, in your own words.")
    return (said if kind is TreatmentKind.DOCTOR else None), noted


def _check_room(tx: Tx, athlete_id: str) -> None:
    if sum(row["ended_on"] is None for row in care.treatments(tx, athlete_id)) >= _AT_ONCE:
        raise InvalidInput(f"{_AT_ONCE} things go on already: end one first.")


def _check_last(first: date, last: date | None, today: date) -> None:
    if last is not None and not first <= last <= today:
        raise InvalidInput(f"The last day, {last}, is not between {first} and today.")
