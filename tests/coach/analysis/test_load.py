"""Load and recovery against published worked examples; the words that may be said are another test's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coach.analysis.errors import AnalysisError
from coach.analysis.heart import (
    HrvLimits,
    TrimpCoefficients,
    estimate_hrv_limit,
    estimate_hrv_week,
    estimate_rmssd_s,
    estimate_trimp,
)
from coach.analysis.load import (
    AccelLoadState,
    HabitState,
    add_accel_load,
    add_day,
    estimate_week,
    habit,
    session_load,
)
from coach.analysis.types import NotComputable

# As the shipped profiles state them (Plews 2014, Javaloyes 2019; 21 mornings: own heuristic).
HRV = HrvLimits(below_sd=0.5, week_mornings=3, baseline_mornings=21)
WEEK = [400.0, 0.0, 500.0, 300.0, 0.0, 600.0, 0.0]


def after(loads: list[float | None]) -> HabitState:
    state = HabitState()
    for load in loads:
        state = add_day(state, load)
    return state


def test_session_load() -> None:
    assert session_load(6, 60) == 360
    with pytest.raises(AnalysisError, match="cannot be"):
        session_load(11, 60)


@pytest.mark.parametrize(
    ("days", "acute", "chronic", "ratio"), [(1, 375.0, 320.69, 1.1693), (7, 559.955, 418.080, 1.33935)]
)
def test_averages_of_a_step(days: int, acute: float, chronic: float, ratio: float) -> None:
    told = habit(after([300.0] * 28 + [600.0] * days))
    assert told.acute == pytest.approx(acute, rel=1e-5)
    assert told.chronic == pytest.approx(chronic, rel=1e-4)
    assert told.week_against_usual == pytest.approx(ratio, rel=1e-4)


def test_averages_follow_the_closed_form() -> None:
    for k in range(1, 20):
        told = habit(after([300.0] * 28 + [600.0] * k))
        assert told.acute == pytest.approx(600 - 300 * 0.75**k)
        assert told.chronic == pytest.approx(600 - 300 * (27 / 29) ** k)


def test_averages_of_a_cycle() -> None:
    told = habit(after(list(WEEK) * 4))
    assert (told.acute, told.chronic) == (pytest.approx(232.58, abs=0.01), pytest.approx(271.82, abs=0.01))
    assert told.week_against_usual == pytest.approx(0.8556, abs=1e-4)
    assert told.week_on_week_share == pytest.approx(0.0)


def test_the_ratio_waits_for_four_weeks_and_unknown_days_are_told() -> None:
    told = habit(after([300.0] * 27))
    assert isinstance(told.week_against_usual, NotComputable)
    assert "27" in told.week_against_usual.needs
    told = habit(after([300.0] * 28 + [None]))
    assert told.missing_days == 1
    assert told.acute == pytest.approx(300.0)
    assert isinstance(told.week_on_week_share, NotComputable)
    assert isinstance(habit(after([0.0] * 30)).week_against_usual, NotComputable)
    assert isinstance(habit(HabitState()).acute, NotComputable)


def test_largest_jump() -> None:
    assert habit(after([300.0] * 28 + [450.0])).largest_jump_share == pytest.approx(0.5)
    assert isinstance(habit(after([300.0] * 20 + [450.0])).largest_jump_share, NotComputable)


def test_a_load_that_cannot_be_is_refused() -> None:
    for load in (-1.0, math.nan, math.inf):
        with pytest.raises(AnalysisError, match="cannot be"):
            add_day(HabitState(), load)


def test_monotony_and_strain() -> None:
    week = estimate_week(WEEK)
    assert not isinstance(week, NotComputable)
    assert (week.monotony, week.strain) == (pytest.approx(0.99949, rel=1e-4), pytest.approx(1799.07, rel=1e-4))
    assert not week.monotonous
    flat = estimate_week([300, 320, 310, 300, 330, 310, 300])
    assert not isinstance(flat, NotComputable)
    assert (flat.total, flat.monotonous) == (2170, True)
    assert (flat.monotony, flat.strain) == (pytest.approx(26.85, abs=0.01), pytest.approx(58_258, rel=1e-4))
    assert isinstance(estimate_week([300.0] * 7), NotComputable)
    assert isinstance(estimate_week([300.0, None, 1, 2, 3, 4, 5]), NotComputable)
    assert isinstance(estimate_week([300.0] * 6), NotComputable)


def loaded(acc_g: np.ndarray, cuts: list[int] | None = None) -> AccelLoadState:
    state = AccelLoadState()
    for part in np.split(acc_g * 9.80665, cuts or []):
        added = add_accel_load(state, 100.0, part)
        assert isinstance(added, AccelLoadState)
        state = added
    return state


def test_accelerometer_load() -> None:
    four = np.array([(0, 0, 1), (0.3, 0.4, 1), (0.3, 0.4, 1), (0, 0, 1)])
    assert loaded(four).load == pytest.approx(0.10)
    t = np.arange(1000) / 100
    wave = np.stack([0 * t, 0 * t, 1 + 0.5 * np.sin(2 * np.pi * t)], axis=1)
    assert loaded(wave).load == pytest.approx(1.9969, rel=1e-3)


@given(st.lists(st.integers(0, 40), max_size=5), st.lists(st.integers(0, 39), max_size=6, unique=True))
def test_accelerometer_load_is_the_same_for_any_cut(cuts: list[int], missing: list[int]) -> None:
    acc = np.random.default_rng(3).normal(size=(40, 3))
    acc[missing] = np.nan
    whole, parts = loaded(acc), loaded(acc, sorted(cuts))
    assert parts.load == pytest.approx(whole.load, abs=1e-9)
    assert parts.samples == whole.samples == 40 - len(missing)


def test_accelerometer_load_adds_nothing_across_a_gap() -> None:
    acc = np.array([(0, 0, 1.0), (np.nan, np.nan, np.nan), (0, 0, 5.0)])
    assert loaded(acc).load == 0.0
    answer = add_accel_load(AccelLoadState(), 60.0, acc)
    assert isinstance(answer, NotComputable)
    assert "100 Hz" in answer.needs


def test_trimp() -> None:
    men, women = TrimpCoefficients.MEN, TrimpCoefficients.WOMEN
    assert estimate_trimp(60, 150, 50, 190, men) == pytest.approx(108.095, rel=1e-4)
    assert estimate_trimp(60, 150, 50, 190, women) == pytest.approx(121.499, rel=1e-4)
    assert estimate_trimp(30, 140, 60, 200, men) == pytest.approx(32.87, abs=0.01)
    assert estimate_trimp(30, 140, 60, 200, women) == pytest.approx(38.28, abs=0.01)
    assert estimate_trimp(60, 40, 50, 190, men) == 0.0
    answer = estimate_trimp(60, None, 50, None, men)
    assert answer == NotComputable("TRIMP", "a heart-rate sensor and your maximal heart rate")
    with pytest.raises(AnalysisError, match="do not fit"):
        estimate_trimp(60, 150, 190, 190, men)


def test_rmssd() -> None:
    value = estimate_rmssd_s([0.800, 0.810, 0.790, 0.805, 0.795])
    assert not isinstance(value, NotComputable)
    assert value * 1000 == pytest.approx(14.361, rel=1e-4)
    assert math.log(value * 1000) == pytest.approx(2.6645, rel=1e-4)
    for unusable in (None, [], [0.8], [0.8, 0.01], [0.8, 3.0], [0.8, math.nan]):
        assert isinstance(estimate_rmssd_s(unusable), NotComputable)


def test_hrv_limit() -> None:
    month: list[float | None] = [4.2, 4.3, 4.25, 4.1, 4.35, 4.2, 4.15] * 4
    assert estimate_hrv_limit(month, HRV) == pytest.approx(4.1809, abs=5e-5)
    assert isinstance(estimate_hrv_limit(month[:20], HRV), NotComputable)
    assert estimate_hrv_week(month, HRV) == pytest.approx(4.2214, abs=5e-5)
    assert estimate_hrv_week([None, None, None, None, 4.0, 4.1, 4.2], HRV) == pytest.approx(4.1)
    assert isinstance(estimate_hrv_week([None] * 5 + [4.0, 4.1], HRV), NotComputable)
