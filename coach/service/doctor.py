"""The doctor's plan and imaging, as they were told. Shown, shared and exported; interpreted nowhere."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import PurePosixPath

from coach.errors import InvalidInput, NoSuch
from coach.service.care_door import (
    NAME_MAX,
    NOTE_MAX,
    WORDS_MAX,
    checked_day,
    checked_key,
    checked_text,
    local_today,
    require_care,
    require_entry,
)
from coach.service.care_views import (
    DoctorPlanView,
    ImagingFile,
    ImagingKind,
    ImagingView,
    imaging_view,
    plan_view,
)
from coach.service.ground import Ground
from coach.service.permission import may_read, require_athlete
from coach.service.progress import look_after
from coach.service.types import Identity, Level, Purpose
from coach.store import athletes, care, consents, events
from programs.exercises import CONTRAINDICATIONS

# Own bounds: a page of own words; a report of some scanned pages, well below what one row may hold.
REPORT_WORDS_MAX, FILE_BYTES_MAX, _MEASURES_MAX = 4000, 5 * 1024 * 1024, 12
# Own bound: nobody has an appointment later, and a mistyped year is told.
_NEXT_WITHIN = timedelta(days=731)
# How each kind of file begins, by its published format. Whatever the sender calls it is not believed.
_BEGINS = (
    (b"%PDF-", "application/pdf", "pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png", "png"),
    (b"\xff\xd8\xff", "image/jpeg", "jpg"),
)


class Doctor:
    """Record and read what the doctor said."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def record_plan(
        self,
        by: Identity,
        athlete_id: str,
        told_on: date,
        doctor: str = "",
        diagnosis: str = "",
        contraindications: Sequence[str] = (),
        measures: Sequence[str] = (),
        next_on: date | None = None,
    ) -> DoctorPlanView:
        """Store a plan, which stands from now on: the program that runs leaves out what it rules out, new ones too.

        contraindications: ids of programs.exercises.CONTRAINDICATIONS. Raises NoSuch, NotAllowed, InvalidInput.
        """
        unknown = sorted(set(contraindications) - CONTRAINDICATIONS.keys())
        if unknown:
            raise InvalidInput(f"'{unknown[0][:40]}' is nothing that exercises are chosen around.")
        values = {
            "athlete_id": athlete_id,
            "doctor": checked_text(doctor, "The doctor's name", NAME_MAX),
            "diagnosis": checked_text(diagnosis, "The diagnosis", NOTE_MAX),
            "contraindications": [each for each in CONTRAINDICATIONS if each in contraindications],
            "measures": _named(measures),
            "next_on": next_on,
        }
        if not any(values[name] for name in ("diagnosis", "contraindications", "measures", "next_on")):
            raise InvalidInput("Nothing was written down: fill in at least one part of the plan.")
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            today = local_today(require_care(tx, by, athlete_id, Level.FULL), now)
            told = checked_day(told_on, today, "The day on which the doctor said so")
            if next_on is not None and next_on < told:
                raise InvalidInput(f"The next appointment, {next_on}, is before the last one.")
            if next_on is not None and next_on > today + _NEXT_WITHIN:
                raise InvalidInput(f"The next appointment, {next_on}, is more than two years ahead: look at the year.")
            values |= {"told_on": told, "recorded_by": by.user_id, "recorded_at": now}
            plan_id = care.add_plan(tx, values)
            athletes.change(tx, athlete_id, replan_wanted=True)
            events.record(tx, now, by.user_id, "recorded", "doctor_plan", str(plan_id), athlete_id)
        # What it rules out is left out of the program that runs at once.
        look_after(self._ground, athlete_id)
        return plan_view(values)

    def plan(self, by: Identity, athlete_id: str) -> DoctorPlanView | None:
        """Return the plan that stands, None before the first. Raises NoSuch, NotAllowed."""
        with self._ground.store.read() as tx:
            require_care(tx, by, athlete_id, Level.FULL)
            row = care.plan(tx, athlete_id)
            return plan_view(row) if row else None

    def add_imaging(
        self,
        by: Identity,
        athlete_id: str,
        kind: ImagingKind,
        taken_on: date,
        key: str,
        asked_by: str = "",
        words: str = "",
        file: tuple[str, bytes] | None = None,
    ) -> ImagingView:
        """Store an examination with its report as a file (name, content), in own words, or both.

        Files: PDF, PNG, JPEG or plain text by their content, 5 MB at most. Raises NoSuch, NotAllowed, InvalidInput.
        """
        said = checked_text(words, "The report in own words", REPORT_WORDS_MAX)
        kept = _checked_file(*file) if file is not None and file[1] else None
        if said is None and kept is None:
            raise InvalidInput("Add the report as a file, or write down in your own words what it says.")
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            today = local_today(require_care(tx, by, athlete_id, Level.FULL), now)
            values = {
                "athlete_id": athlete_id,
                "key": checked_key(key),
                "kind": kind.value,
                "taken_on": checked_day(taken_on, today, "The day of the examination"),
                "asked_by": checked_text(asked_by, "Who asked for it", NAME_MAX),
                "words": said,
                "file_name": kept.name if kept else None,
                "media_type": kept.media_type if kept else None,
                "size_bytes": len(kept.content) if kept else None,
                "file": kept.content if kept else None,
                "entered_by": by.user_id,
                "created_at": now,
            }
            imaging_id, new = care.add_imaging(tx, values)
            if new:
                events.record(tx, now, by.user_id, "added", "imaging", imaging_id, athlete_id)
            return imaging_view(require_entry(tx, by, care.imaging_of(tx, imaging_id), "examination", Level.FULL))

    def imagings(self, by: Identity, athlete_id: str) -> tuple[ImagingView, ...]:
        """Return the examinations, newest first. Raises NoSuch, NotAllowed."""
        with self._ground.store.read() as tx:
            require_care(tx, by, athlete_id, Level.FULL)
            return tuple(imaging_view(row) for row in care.imagings(tx, athlete_id))

    def imaging_file(self, by: Identity, imaging_id: str) -> ImagingFile:
        """Return the report's file. Raises NoSuch (also where there is none), NotAllowed."""
        with self._ground.store.read() as tx:
            row = require_entry(tx, by, care.imaging_of(tx, imaging_id), "examination", Level.FULL)
            if row["file"] is None:
                raise NoSuch("No file was added to this examination.")
            return ImagingFile(row["file_name"], row["media_type"], bytes(row["file"]))

    def drop_imaging(self, by: Identity, imaging_id: str) -> None:
        """Delete an examination with its file. Raises NoSuch, NotAllowed."""
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            row = require_entry(tx, by, care.imaging_of(tx, imaging_id), "examination", Level.FULL)
            care.drop_imaging(tx, imaging_id)
            events.record(tx, now, by.user_id, "deleted", "imaging", imaging_id, row["athlete_id"])

    def shared(self, by: Identity, athlete_id: str) -> bool:
        """Tell whether the coaches may see treatments, answers and the doctor's report. Raises NoSuch."""
        with self._ground.store.read() as tx:
            require_athlete(tx, by, athlete_id)
            return consents.standing(tx, athlete_id, Purpose.PAIN_TEXT.value) is not None

    def may_read(self, by: Identity, athlete_id: str) -> bool:
        """Tell whether `by` may read the health entries now. Raises NoSuch."""
        with self._ground.store.read() as tx:
            require_athlete(tx, by, athlete_id)
            return may_read(tx, by, athlete_id, Purpose.PAIN_TEXT)


def _named(measures: Sequence[str]) -> list[str]:
    named = [text for each in measures if (text := checked_text(each, "A measure", WORDS_MAX))]
    if len(named) > _MEASURES_MAX:
        raise InvalidInput(f"Write down {_MEASURES_MAX} measures at most.")
    return named


def _checked_file(name: str, content: bytes) -> ImagingFile:
    """Return a file with the type that its content shows and a name that surprises nobody. Raises InvalidInput."""
    if len(content) > FILE_BYTES_MAX:
        raise InvalidInput(f"The file is larger than {FILE_BYTES_MAX // 2**20} MB: send fewer pages, or own words.")
    media_type, ending = next(((kind, end) for begin, kind, end in _BEGINS if content.startswith(begin)), (None, ""))
    if media_type is None:
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError:
            text = "\0"
        if any(ord(sign) < 32 and sign not in "\t\r\n" for sign in text):
            raise InvalidInput("The file is no PDF, PNG, JPEG or plain text: send it as one of these.")
        media_type, ending = "text/plain", "txt"
    stem = re.sub(r"[^\w. -]", "_", PurePosixPath(name.replace("\\", "/")).stem).strip(". ")[:80] or "report"
    return ImagingFile(f"{stem}.{ending}", media_type, content)
