"""Bouts that end otherwise than they began: two of four signs, each at its limit and around it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from coach.analysis.detectors.degrading import detect
from coach.analysis.detectors.types import Answer, Bout, Kind, Outcome
from coach.analysis.types import Grade
from tests.coach.analysis.detectors.shipped import day, limits, minutes

LIMITS = limits("general", Kind.DEGRADING_MOVEMENT)
STEADY = Bout(
    stream_id="s",
    start_utc_s=100.0,
    end_utc_s=400.0,
    movement="repetitions",
    count=40,
    signs=(),
    looked=4,
    velocity_loss_share=0.02,
    rom_loss_share=0.01,
    sparc_loss=0.0,
    duration_cv_ratio=1.0,
)


def answer(*bouts: Bout) -> Answer:
    return detect(LIMITS, day(bouts=bouts), [])


@pytest.mark.parametrize(("times", "outcome"), [(0.8, "none"), (1.0, "found"), (1.2, "found")])
def test_two_signs_at_their_limits(times: float, outcome: str) -> None:
    # 20 % of speed and 10 % of range.
    found = answer(replace(STEADY, velocity_loss_share=0.2 * times, rom_loss_share=0.1 * times))
    assert found.outcome == outcome


@pytest.mark.parametrize(
    "change",
    [
        {"velocity_loss_share": 0.9},
        {"rom_loss_share": 0.9},
        {"sparc_loss": 9.0},
        {"duration_cv_ratio": 9.0},
    ],
)
def test_one_sign_alone_is_nothing(change: dict[str, float]) -> None:
    assert answer(replace(STEADY, **change)).outcome is Outcome.NONE


def test_every_pair_of_signs_is_found() -> None:
    over = {"velocity_loss_share": 0.21, "rom_loss_share": 0.11, "sparc_loss": 0.31, "duration_cv_ratio": 1.6}
    for first in over:
        for second in set(over) - {first}:
            found = answer(replace(STEADY, **{first: over[first], second: over[second]}))
            assert (found.outcome, found.grade) == (Outcome.FOUND, Grade.AMBER)


def test_the_words_and_the_place_to_jump_to() -> None:
    found = answer(
        STEADY, replace(STEADY, start_utc_s=900.0, end_utc_s=1200.0, velocity_loss_share=0.26, sparc_loss=0.4)
    )
    assert found.statement == (
        "Towards the end of 40 repetitions they came 26 % slower and less smooth than at the beginning. "
        "Consider ending such a set earlier."
    )
    assert [(each.start_utc_s, each.end_utc_s, each.stream_id) for each in found.windows] == [(900.0, 1200.0, "s")]
    assert (found.values["bouts"], found.values["bouts_degraded"]) == (2, 1)


def test_repetitions_and_strokes_are_two_flags() -> None:
    worse = replace(STEADY, velocity_loss_share=0.3, rom_loss_share=0.2)
    found = answer(worse, replace(worse, movement="strokes", count=30))
    assert ([flag.name for flag in found.flags], found.grade) == (
        ["degrading_repetitions", "degrading_strokes"],
        Grade.RED,
    )
    assert answer(worse, replace(worse, start_utc_s=900.0)).grade is Grade.AMBER


def test_what_could_not_be_looked_for_is_not_guessed() -> None:
    found = answer(
        replace(STEADY, velocity_loss_share=0.9, rom_loss_share=None, sparc_loss=None, duration_cv_ratio=None)
    )
    assert found.outcome is Outcome.NOT_ENOUGH
    assert answer().outcome is Outcome.NOT_ENOUGH
    two = replace(STEADY, velocity_loss_share=0.9, rom_loss_share=0.9, sparc_loss=None, duration_cv_ratio=None)
    assert answer(two).outcome is Outcome.FOUND


@pytest.mark.parametrize(("covered_share", "outcome"), [(0.7, "not_enough"), (0.79, "not_enough"), (0.81, "found")])
@pytest.mark.parametrize("where", ["trunk", "strokes"])
def test_a_bout_of_which_too_much_was_lost_is_not_judged(covered_share: float, outcome: str, where: str) -> None:
    tired = replace(STEADY, velocity_loss_share=0.4, duration_cv_ratio=2.0)
    found = detect(LIMITS, day(bouts=(tired,), **{where: minutes(covered_share=covered_share)}), [])
    assert found.outcome == outcome
    assert (found.needs is None) == (outcome == "found")


def test_a_bout_of_a_sensor_that_came_loose_is_not_judged() -> None:
    tired = replace(STEADY, velocity_loss_share=0.4, duration_cv_ratio=2.0)
    slack = replace(minutes(), loose_s=np.array([*[0.0] * 59, 5.0]))
    found = detect(LIMITS, day(bouts=(tired,), trunk=slack), [])
    assert found.outcome is Outcome.NOT_ENOUGH
    assert "firmly" in (found.needs or "")
