"""Whether a test of endurance or strength may begin: not with a red flag, not in pain, not in some states of health.

Source of the grounds: no endurance test during acute pain, in pregnancy, with uncontrolled blood pressure or with a red
flag (McGill 1999 and the guidelines on red flags, see docs/assessments.md). The questions are our own words; the limit
of pain and how far back it is looked at are own heuristics, set in the configuration.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from coach.config import AssessmentSection
from coach.errors import InvalidInput, Locked
from coach.service.triage import refuse_locked
from coach.service.types import Identity
from coach.store import diary
from coach.store.engine import Tx
from coach.store.rows import Row

ASKED_VERSION = "1"


@dataclass(frozen=True, slots=True)
class HealthQuestion:
    """One question before a test. refused: said for yes or not sure. strain: asked only before holds and lifts."""

    id: str
    text: str
    refused: str
    strain: bool = True


QUESTIONS = (
    HealthQuestion(
        "pregnant",
        "Are you pregnant, or could you be?",
        "Holding a position until you are tired is not for pregnancy: ask your midwife or doctor what suits you.",
    ),
    HealthQuestion(
        "blood_pressure",
        "Is your blood pressure high and not well under control, or were you told not to strain or hold your breath?",
        "A long hold raises the blood pressure. Ask your doctor first; your program goes on without the tests.",
    ),
    HealthQuestion(
        "unwell",
        "Are you unwell today: fever, dizziness, trouble in the chest, or anything that makes you doubt?",
        "Not today, then: a test of an unwell day tells nothing about you. Come back when you are well.",
        strain=False,
    ),
)


@dataclass(frozen=True, slots=True)
class Pain:
    """What was told of pain, 0 to 10."""

    value: int
    at: datetime


def worst_pain(tx: Tx, athlete_id: str, since: datetime) -> Pain | None:
    """Return the strongest pain that was told since then: the one place that knows where such entries are."""
    row = diary.worst_pain(tx, athlete_id, since)
    return Pain(round(row["pain"]), row["at"]) if row is not None else None


def refuse_tests(tx: Tx, by: Identity, athlete: Row, now: datetime, params: AssessmentSection) -> None:
    """Raise Locked, whose message is what to show, while no test may begin for what is known already."""
    refuse_locked(tx, by, athlete, now)
    pain = worst_pain(tx, athlete["id"], now - timedelta(hours=params.pain_hours))
    if pain is not None and pain.value >= params.pain_limit:
        raise Locked(
            f"Pain of {pain.value} out of 10 was told in the last {params.pain_hours:.0f} hours. Tests wait until it "
            f"has been below {params.pain_limit} for that long (our own rule of thumb)."
        )


def questions_before(strains: bool) -> tuple[HealthQuestion, ...]:
    """Return what is asked before tests. strains: they are holds or lifts."""
    return tuple(each for each in QUESTIONS if strains or not each.strain)


def checked_answers(
    questions: Sequence[HealthQuestion], answers: Mapping[str, str], pain_now: int, params: AssessmentSection
) -> dict[str, object]:
    """Return what is stored of the questions when nothing stands against a test.

    answers: question id -> no | yes | unknown. Raises InvalidInput when one is missing, Locked with what to show when
    one stands against a test; the answers themselves are not kept then.
    """
    if not 0 <= pain_now <= 10:
        raise InvalidInput(f"The pain is a number from 0 to 10, not {pain_now}.")
    for question in questions:
        if answers.get(question.id) not in {"no", "yes", "unknown"}:
            raise InvalidInput(f"One question has no answer yet: “{question.text}”")
    for question in questions:
        if answers[question.id] != "no":
            raise Locked(question.refused)
    if pain_now >= params.pain_limit:
        raise Locked(
            f"With pain of {pain_now} out of 10 now, no test is begun: it would measure the pain. Tests wait until "
            f"it is below {params.pain_limit} (our own rule of thumb)."
        )
    return {"version": ASKED_VERSION, "pain_now": pain_now, **{question.id: "no" for question in questions}}
