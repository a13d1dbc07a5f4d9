"""Placement and what the service knows: pitchers rest (T16), plans change with the fewest moves."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from coach.analysis.detectors.caps import eligible_on
from programs.place import place
from programs.types import Availability, Dose, PrescribedExercise, Prescription
from tests.coach.analysis.detectors.shipped import profile

CAPS = profile("baseball").caps
MONDAY = date(2026, 11, 23)
THROWS = PrescribedExercise("push_up_plus", 0, Dose((6,), None, 0.0, False), "because")


@pytest.mark.parametrize(("pitches", "weekday"), [(20, "Tuesday"), (35, "Wednesday"), (60, "Friday"), (66, "Saturday")])
def test_t16_at_twelve_the_days_of_rest_after_a_monday_have_no_session(pitches: int, weekday: str) -> None:
    assert CAPS is not None
    ordinal = eligible_on(CAPS, 12, MONDAY.toordinal(), pitches)
    assert ordinal is not None
    eligible = date.fromordinal(ordinal)
    assert f"{eligible:%A}" == weekday
    program = Prescription("Throwing", (THROWS,), 3, 1, 5, (), "because")
    now = datetime(2026, 11, 23, 22, tzinfo=UTC)
    sessions = place(program, Availability("America/New_York"), MONDAY, now, not_before=eligible)
    assert f"{sessions[0].local_date:%A}" == weekday
