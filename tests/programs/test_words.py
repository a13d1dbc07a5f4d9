"""What people read: second person, no promise, no alarm, no drug."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import time

import pytest

from programs import triage
from programs.exercises import CONTRAINDICATIONS, library
from programs.place import session_time
from programs.prescribe import TITLES, prescribe
from programs.types import Availability, History, Need

# Claims and words that the product never makes about a person. "unsafe" and "safety" are other words.
FORBIDDEN = (
    r"\bcorrects?\b", r"\bprevents?\b", r"\bheals?\b", r"\bcures?\b", r"\bsafe\b", r"\babnormal\b", r"\bbad\b",
    r"risk of injury", r"injury risk", r"danger", r"medical grade", r"\btreats?\b", r"guarantee",
    r"ibuprofen", r"paracetamol", r"aspirin", r"\bmg\b", r"relaxant",
)  # fmt: skip


def every_text() -> Iterator[str]:
    for one in library().values():
        yield from (one.name, one.target, one.regression, one.source, *one.cues, *one.levels)
    yield from CONTRAINDICATIONS.values()
    yield from TITLES.values()
    yield from (question.text for question in triage.questions())
    yield from (
        triage.NERVE_EMERGENCY, triage.EMERGENCY, triage.SAME_DAY, triage.REVIEW_FIRST, triage.GUARDIAN, triage.MENTION,
        triage.ADAPT, triage.OPEN,
    )  # fmt: skip
    for kind in TITLES:
        program = prescribe([Need(kind, 1.0, "You moved.")], History(contraindications=("neck_pain",)), 3, 4)
        yield program.because
        yield from (item.because for item in program.exercises)
        yield from (text for rule in program.rest for text in (rule.text, rule.because, rule.source))
        early = Availability("Europe/Berlin", preferred=time(1), wake=time(3))
        yield from session_time(program, early).moved


@pytest.mark.parametrize("pattern", FORBIDDEN)
def test_no_forbidden_word(pattern: str) -> None:
    assert [text for text in every_text() if re.search(pattern, text, re.IGNORECASE)] == []
