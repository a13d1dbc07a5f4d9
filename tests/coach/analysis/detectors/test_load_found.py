"""Load against the own habit, by the published worked example and its closed form."""

from __future__ import annotations

import pytest

from coach.analysis.detectors.load_found import detect
from coach.analysis.detectors.types import Answer, Kind, Outcome
from coach.analysis.types import Grade
from tests.coach.analysis.detectors.shipped import MONDAY, day, entered, limits, past

LIMITS = limits("general", Kind.LOAD_ABOVE_HABIT)


def answer(loads: list[float | None]) -> Answer:
    """The answer on the last of these days."""
    history = [past(MONDAY - back, load=load) for back, load in enumerate(reversed(loads[:-1]), start=1)]
    return detect(LIMITS, day(entered=entered(load=loads[-1])), history)


def rise_of(load: float) -> float:
    """Williams 2017 in closed form: 28 days of 300, then 7 of `load`; acute over chronic, less 1."""
    acute = load - (load - 300) * 0.75**7
    chronic = load - (load - 300) * (27 / 29) ** 7
    return acute / chronic - 1


def load_for(rise: float) -> float:
    low, high = 300.0, 3000.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if rise_of(middle) < rise else (low, middle)
    return low


def test_a_doubled_week_is_34_percent_above_the_habit() -> None:
    """T11: 559.955 / 418.080 = 1.33935."""
    found = answer([300.0] * 28 + [600.0] * 7)
    assert found.outcome is Outcome.FOUND
    assert found.statement == "Your load this week is 34 % above your 4-week habit. Consider an easier day."
    assert found.values["rise_share"] == pytest.approx(0.33935, abs=5e-5)
    assert (found.values["acute"], found.values["habit"]) == pytest.approx((559.955, 418.080), abs=1e-3)
    # Seven days alike have no monotony, so there is one flag.
    assert (found.grade, found.values["monotony"]) == (Grade.AMBER, None)


@pytest.mark.parametrize(("times", "outcome"), [(0.8, "none"), (0.99, "none"), (1.01, "found"), (1.2, "found")])
def test_near_the_limit(times: float, outcome: str) -> None:
    load = load_for(0.3 * times)
    assert answer([300.0] * 28 + [load] * 7).outcome == outcome


def test_a_monotonous_week_is_a_second_flag() -> None:
    # Mean 620, sample SD 21.6: monotony 28.7. The first four weeks have rest days.
    month = [400.0, 0.0, 500.0, 300.0, 0.0, 600.0, 0.0] * 4
    found = answer([*month, 600.0, 620.0, 640.0, 600.0, 620.0, 640.0, 650.0])
    assert [flag.name for flag in found.flags] == ["above_habit", "monotony"]
    assert found.grade is Grade.RED


def test_a_monotonous_week_at_the_habit_is_no_finding_of_this_kind() -> None:
    found = answer([300.0, 310.0, 290.0, 300.0, 310.0, 290.0, 305.0] * 5)
    assert found.outcome is Outcome.NONE
    assert found.values["monotony"] > 2


def test_before_four_weeks_no_habit_is_told() -> None:
    found = answer([300.0] * 20 + [900.0] * 7)
    assert (found.outcome, found.needs) == (
        Outcome.NOT_ENOUGH,
        "28 days with a known load, days of rest included; so far 27",
    )
    assert answer([300.0] * 21 + [900.0] * 7).outcome is Outcome.FOUND


def test_a_day_that_nobody_entered_is_not_a_day_of_rest() -> None:
    loads: list[float | None] = [300.0] * 28 + [600.0] * 7
    loads[10] = loads[17] = None
    found = answer(loads)
    # The newest 28 days lack one of the two.
    assert found.values["missing_days"] == 2
    assert found.values["rise_share"] == pytest.approx(0.33935, abs=5e-5)
    assert answer([*loads[:-1], None]).outcome is Outcome.NOT_ENOUGH


def test_without_any_load_there_is_no_ratio() -> None:
    assert answer([0.0] * 30).outcome is Outcome.NOT_ENOUGH


def test_the_words_speak_of_no_ratio_and_no_danger() -> None:
    for loads in ([300.0] * 28 + [600.0] * 7, [300.0] * 35, [300.0] * 28 + [100.0] * 7):
        said = " ".join((answer(loads).statement, answer(loads).would_change, *answer(loads).limits)).lower()
        assert not [word for word in ("ratio", "sweet", "danger", "risk", "injur", "safe") if word in said]
