"""Pain beside movement: counts of days and an exact test, by hand and against scipy's."""

from __future__ import annotations

import itertools

import pytest
from scipy.stats import fisher_exact

from coach.analysis.detectors.pain import chance, detect
from coach.analysis.detectors.types import Answer, DayValues, Kind, Outcome
from tests.coach.analysis.detectors.shipped import MONDAY, day, limits, past

LIMITS = limits("general", Kind.PAIN_WITH_MOVEMENT)


def days(more: list[float], other: list[float], **same: object) -> list[DayValues]:
    """Days before today: those with 40 bends an hour and those with 20, each with its next morning's pain."""
    entries = [(40.0, pain) for pain in more] + [(20.0, pain) for pain in other]
    return [
        past(MONDAY - back, bends_per_h=bends, pain_next_morning=pain, **same)
        for back, (bends, pain) in enumerate(entries, start=1)
    ]


def answer(history: list[DayValues]) -> Answer:
    return detect(LIMITS, day(), history)


def test_a_count_that_is_no_chance_is_said_as_a_count() -> None:
    found = answer(days([4, 4, 5, 4, 4, 4, 2], [2] * 11 + [4]))
    assert found.outcome is Outcome.FOUND
    assert found.statement == (
        "On 6 of 7 days with more bending than usual your next-morning pain was higher by 2 or more; on 1 of 12 other "
        "days. That is a count of your own days, not a cause."
    )
    # By hand: (C(7,6) C(12,1) + C(7,7) C(12,0)) / C(19,7) = 85 / 50388.
    assert found.flags[0].value == pytest.approx(85 / 50388)


def test_the_chance_is_fishers() -> None:
    for more_days, other_days in ((5, 9), (7, 12), (10, 10), (6, 20)):
        for more, other in itertools.product(range(more_days + 1), range(other_days + 1)):
            table = [[more, more_days - more], [other, other_days - other]]
            expected = fisher_exact(table, alternative="greater").pvalue
            assert chance(more, more_days, other, other_days) == pytest.approx(expected, rel=1e-9)


def test_a_rise_of_less_than_two_is_no_rise() -> None:
    assert answer(days([3] * 7, [2] * 12)).outcome is Outcome.NONE
    assert answer(days([4] * 7, [2] * 12)).outcome is Outcome.FOUND


def test_pain_that_comes_on_other_days_as_often_is_nothing() -> None:
    found = answer(days([4, 4, 2, 2, 2, 2, 2], [4, 4, 4, 2, 2, 2, 2, 2, 2, 2, 2, 2]))
    assert found.outcome is Outcome.NONE
    assert found.values["counts"]["bending"]["p"] > 0.5


@pytest.mark.parametrize(
    "history",
    [
        days([4] * 5, [2] * 8),  # 13 days with both
        days([4] * 4, [2] * 15),  # 4 days with more
        days([4] * 7, [2] * 12, valid=False),  # not worn long enough
        [past(MONDAY - back, bends_per_h=20.0 + back) for back in range(1, 30)],  # no pain entered
    ],
)
def test_too_few_days_are_not_enough(history: list[DayValues]) -> None:
    found = answer(history)
    assert found.outcome is Outcome.NOT_ENOUGH
    assert "14 days" in str(found.needs)


@pytest.mark.parametrize(
    ("more", "other", "chance_of_it", "outcome"), [(5, 1, 6 / 2002, "found"), (4, 1, 46 / 2002, "none")]
)
def test_six_movements_could_be_looked_at_so_a_twentieth_is_divided_by_six(
    more: int, other: int, chance_of_it: float, outcome: str
) -> None:
    """By hand, of 5 days with more and 9 others: C(6,5) / C(14,5), and (C(5,4) C(9,1) + 1) / C(14,5)."""
    found = answer(days([4] * more + [2] * (5 - more), [4] * other + [2] * (9 - other)))
    assert found.outcome == outcome
    assert found.values["counts"]["bending"]["p"] == pytest.approx(chance_of_it)
    assert found.values["p_limit"] == pytest.approx(0.05 / 6)


def test_no_word_of_a_cause() -> None:
    found = answer(days([4] * 7, [2] * 12))
    said = " ".join((found.statement, found.would_change)).lower()
    assert "not a cause" in said
    assert not [word for word in ("because", "risk", "injur", "due to", "leads") if word in said]
