"""The traffic light: T21, the order of the rules, what follows."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.errors import ProgramError
from programs.pain import Advice, SessionPain, Step, Zone, advise, baseline, may_load, zone

DAY = date(2026, 11, 24)


def of(during: float | None, after: float | None, morning: float | None, base: float = 2, **other: object) -> Zone:
    return zone(SessionPain(during, after, morning, base, **other))  # type: ignore[arg-type]


def days(*zones: Zone, every: int = 2) -> list[tuple[date, Zone]]:
    return [(date.fromordinal(DAY.toordinal() + every * i), one) for i, one in enumerate(zones)]


def test_t21_two_green_sessions_progress_after_the_second() -> None:
    green = of(2, 2, 2)
    assert green is Zone.GREEN
    assert advise(days(green)).step is Step.HOLD
    assert advise(days(green, green)).step is Step.PROGRESS


def test_t21_amber_holds() -> None:
    amber = of(4, 4, 2)
    assert amber is Zone.AMBER
    assert advise(days(Zone.GREEN, amber)).step is Step.HOLD


def test_t21_six_regresses_whatever_follows() -> None:
    for after, morning in ((None, None), (0, 0), (2, None)):
        assert of(6, after, morning) is Zone.RED
    assert advise(days(Zone.GREEN, Zone.RED)).step is Step.REGRESS


def test_t21_a_morning_well_above_the_baseline_regresses() -> None:
    assert of(5, 5, 5) is Zone.RED


def test_t21_a_missing_morning_holds_and_never_progresses() -> None:
    held = of(0, 0, None)
    assert held is Zone.HOLD
    assert advise(days(Zone.GREEN, Zone.GREEN, held)).step is Step.HOLD


@pytest.mark.parametrize(
    ("session", "expected"),
    [
        ((5, 5, 2), Zone.AMBER),
        ((5.5, 0, 2), Zone.RED),
        ((0, 5.5, 2), Zone.RED),
        ((2, 2, 3), Zone.AMBER),  # one above the baseline is not red, and not green
        ((2, 2, 3.5), Zone.RED),
        ((3, 2, 2), Zone.AMBER),
        ((None, 2, 2), Zone.AMBER),  # not told is never green
        ((2, None, 2), Zone.AMBER),
    ],
)
def test_the_edges_of_the_zones(session: tuple[float | None, float | None, float | None], expected: Zone) -> None:
    assert of(*session) is expected


def test_a_stop_sign_comes_first_and_a_weekly_rise_is_red() -> None:
    assert of(9, 9, 9, stop_sign=True) is Zone.STOP
    assert advise(days(Zone.GREEN, Zone.STOP)).step is Step.TRIAGE
    assert of(0, 0, 0, weekly_medians=(1, 2)) is Zone.RED
    assert of(0, 0, 0, weekly_medians=(1, 1.5)) is Zone.GREEN


def test_the_first_rule_that_matches_decides() -> None:
    assert of(9, 9, None, stop_sign=True) is Zone.STOP  # before red and before the missing morning
    assert of(6, 0, None) is Zone.RED  # before the missing morning
    assert of(1, 1, 1, weekly_medians=(2, 3)) is Zone.RED  # before green
    assert of(4, 4, None) is Zone.HOLD  # before amber
    assert of(2, 2, None) is Zone.HOLD  # never green without its morning


def test_one_green_session_is_not_enough_and_an_amber_one_between_begins_anew() -> None:
    assert advise(days(Zone.GREEN, Zone.AMBER, Zone.GREEN)).step is Step.HOLD
    assert advise(days(Zone.AMBER, Zone.GREEN, Zone.GREEN)).step is Step.PROGRESS
    assert advise(days(Zone.GREEN, Zone.HOLD, Zone.GREEN)).step is Step.HOLD


def test_two_reds_within_seven_days_suggest_a_clinician() -> None:
    assert advise(days(Zone.RED, Zone.RED, every=6)) == Advice(Step.REGRESS, see_clinician=True)
    assert advise(days(Zone.RED, Zone.RED, every=7)) == Advice(Step.REGRESS, see_clinician=False)
    assert advise(days(Zone.RED, Zone.GREEN, Zone.RED)).see_clinician
    assert advise([]) == Advice(Step.HOLD, see_clinician=False)


def test_the_baseline_is_the_median_of_the_last_seven_with_at_least_three() -> None:
    assert baseline([], 4) == 4
    assert baseline([1, 1], 4) == 4
    assert baseline([1, 3, 2], 4) == 2
    assert baseline([9, 9, 9, 1, 1, 1, 1, 2, 2, 2], 4) == 1
    assert may_load(4.5)
    assert not may_load(5)


pain_value = st.none() | st.integers(0, 10)


@given(st.lists(st.tuples(pain_value, pain_value, pain_value, st.integers(0, 10), st.booleans()), max_size=12))
def test_progress_needs_two_mornings_known_and_calm(
    history: list[tuple[int | None, int | None, int | None, int, bool]],
) -> None:
    zones = [of(d, a, m, b, stop_sign=s) for d, a, m, b, s in history]
    if advise(days(*zones)).step is Step.PROGRESS:
        for during, after, morning, base, stop in history[-2:]:
            assert not stop
            assert None not in (during, after, morning)
            assert max(during or 0, after or 0) <= 2
            assert (morning or 0) <= base


@pytest.mark.parametrize("wrong", [-1, 11])
def test_a_pain_outside_the_scale_is_named(wrong: int) -> None:
    with pytest.raises(ProgramError, match=str(wrong)):
        of(wrong, 0, 0)
    with pytest.raises(ProgramError, match=str(wrong)):
        baseline([wrong], 0)
