"""Mornings against the month before, by the published pattern (limit 4.1809)."""

from __future__ import annotations

import math

import pytest

from coach.analysis.detectors.hrv import detect
from coach.analysis.detectors.types import Answer, Kind, Outcome
from coach.analysis.types import Grade
from tests.coach.analysis.detectors.shipped import MONDAY, day, limits, past

PATTERN = [4.2, 4.3, 4.25, 4.1, 4.35, 4.2, 4.15] * 4
LIMITS = limits("general", Kind.LOW_HRV)
# Mean 4.2214 and sample SD 0.0810 of the pattern (T15).
MEAN, SD = 4.2214, 0.0810


def answer(week: list[float | None], month: list[float | None] | None = None) -> Answer:
    """The answer on the last of the seven mornings of `week`."""
    mornings = [*(PATTERN if month is None else month), *week]
    history = [past(MONDAY - back, ln_rmssd=value) for back, value in enumerate(reversed(mornings[:-1]), start=1)]
    today = None if week[-1] is None else math.exp(week[-1]) / 1000.0
    return detect(LIMITS, day(rmssd_s=today), history)


def test_the_limit_is_half_a_deviation_below_the_month() -> None:
    """T15."""
    found = answer([4.17] * 7)
    assert found.values["limit_ln_rmssd"] == pytest.approx(4.1809, abs=5e-5)
    assert (found.outcome, found.grade) == (Outcome.FOUND, Grade.AMBER)
    assert found.flags[0].value == pytest.approx(4.17)
    assert answer([4.19] * 7).outcome is Outcome.NONE


@pytest.mark.parametrize(("times", "outcome"), [(0.8, "none"), (1.2, "found")])
def test_near_the_limit(times: float, outcome: str) -> None:
    assert answer([MEAN - 0.5 * SD * times] * 7).outcome == outcome


def test_a_low_week_does_not_lower_its_own_limit() -> None:
    assert answer([3.0] * 7).values["limit_ln_rmssd"] == pytest.approx(4.1809, abs=5e-5)


def test_three_mornings_of_the_week_are_needed() -> None:
    assert answer([None, 4.0, None, None, 4.0, None, 4.0]).outcome is Outcome.FOUND
    found = answer([None, 4.0, None, None, None, None, 4.0])
    assert found.outcome is Outcome.NOT_ENOUGH
    assert "3 mornings of the last 7 (so far 2)" in str(found.needs)


def test_today_may_be_the_morning_that_is_missing() -> None:
    assert answer([4.0] * 6 + [None]).outcome is Outcome.FOUND


def test_a_morning_whose_beats_are_all_alike_is_no_morning() -> None:
    """A belt that sends an averaged interval over and over has an RMSSD of 0, which has no logarithm."""
    found = detect(LIMITS, day(rmssd_s=0.0), [past(MONDAY - 1 - n, ln_rmssd=4.2) for n in range(30)])
    assert found == detect(LIMITS, day(rmssd_s=None), [past(MONDAY - 1 - n, ln_rmssd=4.2) for n in range(30)])


def test_twenty_mornings_of_the_month_are_too_few() -> None:
    month: list[float | None] = [None] * 8 + PATTERN[:20]
    assert answer([4.0] * 7, month).outcome is Outcome.NOT_ENOUGH
    month[0] = 4.2
    assert answer([4.0] * 7, month).outcome is Outcome.FOUND
