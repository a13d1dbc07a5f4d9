"""The own days as a measure: median, MAD and z by hand, which days count, and what is said before there are enough."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from coach.analysis.detectors.baseline import Quantity, baseline_of, beside_baseline, compare, own_days
from coach.analysis.detectors.types import Answer, Kind, Outcome
from coach.analysis.types import Grade
from tests.coach.analysis.detectors.posture_days import TODAY, day, limits, minutes, past

BENDS = Quantity("bends_per_h", "bends per hour worn", "Bends")
LIMITS = limits(Kind.REPEATED_BENDING)
# Sorted: 9 10 10 10 11 11 11 | 12 12 12 12 13 13 14, so the median is 11.5. Away from it: seven times .5, five times
# 1.5, twice 2.5, so the MAD is (.5 + 1.5) / 2 = 1.
DAYS = (10.0, 12.0, 11.0, 13.0, 9.0, 10.0, 12.0, 14.0, 11.0, 10.0, 12.0, 13.0, 11.0, 12.0)


def test_median_mad_and_z_by_hand() -> None:
    baseline = baseline_of(BENDS, DAYS, 15.0)
    assert (baseline.days, baseline.median, baseline.mad) == (14, 11.5, 1.0)
    assert baseline.robust_z == pytest.approx(0.6745 * 3.5)
    assert (baseline.quantity, baseline.unit) == ("bends_per_h", "bends per hour worn")
    assert baseline_of(BENDS, DAYS, 8.0).robust_z == pytest.approx(-0.6745 * 3.5)
    assert baseline_of(BENDS, DAYS, None).robust_z is None


def test_z_of_two_is_a_flag_and_less_is_none() -> None:
    # z = 2 lies at 11.5 + 2 / .6745 = 14.46516
    assert compare(BENDS, DAYS, 14.465, LIMITS).flag is None
    flag = compare(BENDS, DAYS, 14.4653, LIMITS).flag
    assert flag is not None
    assert (flag.name, flag.value, flag.threshold.value) == ("above_own_days", 2.0, 2.0)
    assert flag.statement == (
        "Bends came to 14.5 bends per hour worn, well above your usual 11.5 bends per hour worn (median of 14 days)."
    )
    assert compare(BENDS, DAYS, 1.0, LIMITS).flag is None  # far below is no strain


def test_days_that_hardly_differ_give_no_z_but_more_than_all_of_them_can_be_said() -> None:
    days = (0.0,) * 10 + (1.0, 2.0, 3.0, 4.0)
    compared = compare(BENDS, days, 4.0, LIMITS)
    assert compared.baseline is not None
    assert (compared.baseline.mad, compared.baseline.robust_z, compared.flag) == (0.0, None, None)
    flag = compare(BENDS, days, 4.1, LIMITS).flag
    assert flag is not None
    assert (flag.name, flag.threshold.value, flag.threshold.heuristic) == ("above_all_own_days", 4.0, True)
    assert "more than on any of 14 own days" in flag.statement


@pytest.mark.parametrize(("known", "learning_day"), [(0, 1), (1, 2), (12, 13), (13, 14), (14, None), (28, None)])
def test_before_fourteen_days_it_learns(known: int, learning_day: int | None) -> None:
    compared = compare(BENDS, tuple(float(n) for n in range(known)), 99.0, LIMITS)
    assert compared.learning_day == learning_day
    assert (compared.baseline is None) == (learning_day is not None)
    assert (compared.flag is None) == (learning_day is not None)


def test_which_days_count() -> None:
    history = [
        past(0, bends_per_h=1.0),  # today
        past(-1, bends_per_h=2.0),  # tomorrow
        past(1, bends_per_h=3.0),
        past(28, bends_per_h=4.0),
        past(29, bends_per_h=5.0),
        past(2, bends_per_h=6.0, valid=False),
        past(3, bends_per_h=None),
        past(4, bends_per_h=7.0, trunk_place="lower_back"),
        past(5, bends_per_h=8.0, trunk_place=None),
    ]
    assert own_days(BENDS, history, TODAY, "chest") == (4.0, 8.0, 3.0)  # oldest first
    assert own_days(BENDS, history, TODAY, "lower_back") == (8.0, 7.0)
    assert own_days(replace(BENDS, worn=False), history, TODAY) == (4.0, 8.0, 7.0, 6.0, 3.0)
    turns = [past(1, bends_per_h=1.0, turns_from_two=True), past(2, bends_per_h=2.0, turns_from_two=False)]
    assert own_days(replace(BENDS, by_turns=True), turns, TODAY, "chest", True) == (1.0,)


def test_the_baseline_alone_finds_nothing_beside_a_cited_rule() -> None:
    history = [past(back + 1, bends_per_h=value) for back, value in enumerate(DAYS)]
    today = day(minutes(60))
    none = Answer(Kind.REPEATED_BENDING, Outcome.NONE, "", thresholds=LIMITS)
    answer = beside_baseline(none, BENDS, today, history, 40.0)
    assert (answer.outcome, answer.grade, answer.flags) == (Outcome.NONE, Grade.GREEN, ())
    assert answer.baseline is not None
    assert answer.baseline.robust_z == pytest.approx(0.6745 * 28.5)
    learning = beside_baseline(none, BENDS, today, history[:5], 40.0)
    assert (learning.outcome, learning.learning_day, learning.baseline) == (Outcome.NONE, 6, None)


@drawn(
    st.lists(st.integers(0, 200), min_size=14, max_size=28),
    st.integers(0, 400),
    st.sampled_from([0.25, 1.0, 8.0]),
    st.integers(-50, 50),
)
def test_z_does_not_hang_on_unit_or_origin(days: list[int], value: int, scale: float, offset: int) -> None:
    here = baseline_of(BENDS, [float(each) for each in days], float(value))
    there = baseline_of(BENDS, [scale * each + offset for each in days], scale * value + offset)
    middle = float(np.median(days))
    assert here.median == middle
    assert here.mad == float(np.median(np.abs(np.array(days) - middle)))
    assert (here.robust_z is None) == (here.mad == 0) == (there.robust_z is None)
    if here.robust_z is not None:
        assert there.robust_z == pytest.approx(here.robust_z)


def test_asking_without_any_day_is_refused() -> None:
    with pytest.raises(ValueError, match="ask only when enough days"):
        baseline_of(BENDS, (), 1.0)
