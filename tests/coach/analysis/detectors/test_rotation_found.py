"""Repeated rotation of a day: near misses, one sensor or two, and what lost minutes leave open."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from coach.analysis.detectors.rotation_found import ONE_SENSOR, THRESHOLDS, TWO_SENSORS, detect
from coach.analysis.detectors.types import Day, Kind, Outcome
from coach.analysis.types import Grade
from tests.coach.analysis.detectors.posture_days import OWN, START, day, limits, minutes, past, placed

LIMITS = limits(Kind.REPEATED_ROTATION)


def test_its_limits_are_those_it_declares() -> None:
    assert set(THRESHOLDS) == set(OWN[Kind.REPEATED_ROTATION])


@pytest.mark.parametrize(
    ("first", "last", "per_min", "found"),
    [
        (30, 60, 3.2, False),  # 0.8 times the rate
        (30, 60, 4.0, False),  # as often, not more
        (30, 60, 4.8, True),  # 1.2 times
        (30, 42, 4.8, True),
        (30, 38, 4.8, False),  # 8 of 10 minutes: 38 turns
        (30, 40, 4.1, True),  # 41 turns in exactly ten minutes
        (110, 120, 4.8, True),  # at the end of the day
        (0, 10, 4.8, True),
    ],
)
def test_near_misses(first: int, last: int, per_min: float, found: bool) -> None:
    turns = placed(120, (first, last, per_min))
    left = turns // 2
    answer = detect(LIMITS, day(minutes(120, turns_left=left, turns_right=turns - left)), [])
    assert answer.outcome is (Outcome.FOUND if found else Outcome.NONE)


def test_it_is_found_with_its_evidence() -> None:
    turns = placed(120, (30, 50, 6.0), (80, 95, 5.0))
    answer = detect(LIMITS, day(minutes(120, turns_left=turns // 3, turns_right=turns - turns // 3)), [])
    assert answer.statement == (
        "You turned fast, by 30 degrees or more, 195 times in 35 min in 2 stretches, 5.6 times a minute. "
        "More than 4 a minute for 10 minutes counts as repeated rotation."
    )
    assert [((each.start_utc_s - START) / 60, (each.end_utc_s - START) / 60) for each in answer.windows] == [
        (30.0, 50.0),
        (80.0, 95.0),
    ]
    assert answer.values["turns_left"] == 20 * 2 + 15 * 1
    assert answer.values["turns_right"] == 20 * 4 + 15 * 4
    assert (answer.values["rate_max_per_min"], answer.flags[0].value) == (6.0, 6.0)
    assert answer.values["turns_per_h"] == 97.5
    assert (answer.grade, answer.flags[0].threshold) == (Grade.AMBER, LIMITS["rate_per_min"])


def test_one_sensor_says_what_it_cannot_tell() -> None:
    trunk = minutes(120, turns_left=placed(120, (30, 50, 6.0)))
    one, two = detect(LIMITS, day(trunk), []), detect(LIMITS, day(trunk, turns_from_two=True), [])
    assert (one.limits, two.limits) == (ONE_SENSOR, TWO_SENSORS)
    assert "whole body" in one.limits[0]
    assert two.statement.startswith("You turned your trunk against your pelvis fast,")


def test_habits_of_one_and_of_two_sensors_are_kept_apart() -> None:
    trunk = minutes(120, turns_left=placed(120, (30, 50, 6.0)))
    history = [past(back, turns_per_h=10.0 + back % 3, turns_from_two=True) for back in range(1, 15)]
    two = detect(LIMITS, day(trunk, turns_from_two=True), history)
    assert (two.grade, two.learning_day) == (Grade.RED, None)
    one = detect(LIMITS, day(trunk), history)
    assert (one.grade, one.learning_day, one.baseline) == (Grade.AMBER, 1, None)


def test_a_pause_in_the_recording_does_not_shorten_a_window() -> None:
    """Five minutes at 5 a minute before and after two hours off are 25 turns in ten minutes each, not 50."""
    numbers = [*range(60), *range(180, 240)]
    turns = placed(120, (55, 65, 5.0))
    assert detect(LIMITS, day(minutes(120, numbers, turns_left=turns)), []).outcome is Outcome.NONE


@pytest.mark.parametrize(
    ("today", "needs"),
    [
        (day(None), "a trunk sensor (chest, upper back or lower back)"),
        (day(minutes(0)), "a trunk sensor (chest, upper back or lower back)"),
        (day(minutes(100, covered_s=42.0)), "80 % of the time with data; it has 70 %"),
        (day(minutes(59), over=False), "1 h with the sensor on; so far 59 min"),
        (
            day(minutes(100, covered_s=42.0, loose_s=10.0)),
            "a sensor that sits firmly; it moved on its own for 17 min of 1 h 40 min",
        ),
    ],
)
def test_what_a_day_lacks_is_said(today: Day, needs: str) -> None:
    answer = detect(LIMITS, today, [])
    assert (answer.outcome, answer.needs) == (Outcome.NOT_ENOUGH, needs)


@pytest.mark.parametrize(("lost_share", "outcome"), [(0.02, 1), (0.1, 1), (0.19, 0), (0.3, 0)])
def test_rates_are_of_covered_time_and_what_it_hides_is_left_open(lost_share: float, outcome: int) -> None:
    """4.8 a minute: with a tenth lost, 43 of 48 turns in ten minutes are more than 40; with a fifth, 38 are not."""
    seen = 1.0 - lost_share
    trunk = minutes(120, covered_s=60.0 * seen, turns_left=placed(120, (30, 60, 4.8 * seen)))
    answer = detect(LIMITS, day(trunk), [])
    assert answer.outcome is (Outcome.FOUND if outcome else Outcome.NOT_ENOUGH)
    if outcome:
        assert answer.values["rate_max_per_min"] == pytest.approx(4.8, rel=0.03)
        assert answer.coverage_share == pytest.approx(seen)
    sound = minutes(120, covered_s=60.0 * seen, turns_left=placed(120, (30, 60, 3.2 * seen)))
    assert detect(LIMITS, day(sound), []).outcome is (Outcome.NONE if lost_share < 0.2 else Outcome.NOT_ENOUGH)


def test_a_long_loss_beside_a_few_turns_is_no_doubt() -> None:
    lost = np.where((np.arange(120) >= 40) & (np.arange(120) < 55), 60.0, 0.0)
    trunk = minutes(120, covered_s=60.0 - lost, turns_left=placed(120, (30, 40, 1.0)))
    assert detect(LIMITS, day(trunk), []).outcome is Outcome.NONE


@drawn(
    st.lists(st.integers(0, 9), min_size=70, max_size=70),
    st.lists(st.sampled_from([0.0, 0.5, 0.95, 1.0]), min_size=70, max_size=70),
)
def test_lost_time_finds_no_turning(turns: list[int], kept: list[float]) -> None:
    """By brute force: more than 40 turns in ten minutes in a row. Turns stay seen while time is lost."""
    truth = max(sum(turns[first : first + 10]) for first in range(61)) > 40
    whole = detect(LIMITS, day(minutes(70, turns_left=turns)), [])
    assert whole.outcome is (Outcome.FOUND if truth else Outcome.NONE)
    part = detect(LIMITS, day(minutes(70, turns_left=turns, covered_s=60.0 * np.array(kept))), [])
    assert truth or part.outcome is not Outcome.FOUND


@drawn(
    st.lists(st.integers(0, 9), min_size=70, max_size=70),
    st.lists(st.integers(0, 3), min_size=70, max_size=70),
    st.integers(0, 300),
)
def test_more_turns_never_lower_the_grade(turns: list[int], more: list[int], usual: int) -> None:
    order = [Grade.GREEN, Grade.AMBER, Grade.RED]
    history = [past(back, turns_per_h=float(usual + back % 4)) for back in range(1, 15)]
    some = detect(LIMITS, day(minutes(70, turns_left=turns)), history)
    with_more = detect(LIMITS, day(minutes(70, turns_left=turns, turns_right=more)), history)
    assert order.index(with_more.grade) >= order.index(some.grade)
