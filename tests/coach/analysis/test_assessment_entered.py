"""Entered forces and counts, and the speed of repetitions at a load."""

from __future__ import annotations

import numpy as np
import pytest

from coach.analysis.assessment_entered import Way, assess_speed, enter_force, enter_repetitions
from coach.analysis.assessment_types import AssessmentTest, TrialOutcome
from coach.analysis.errors import AnalysisError
from coach.analysis.motion_types import Repetition
from coach.analysis.recording import analyse_recording
from coach.analysis.types import AnalysisParams
from tests.coach.analysis.limb import limb, strokes
from tests.coach.analysis.motion import chunks

SPEED = AssessmentTest.REPETITION_SPEED_LEFT
RATE = 50.0


def repetition(up_s: float, down_s: float, rom_deg: float = 60.0, whole: bool = True) -> Repetition:
    return Repetition(1, 0.0, up_s, up_s + down_s, rom_deg, up_s, 0.0, down_s, 100.0, whole)


def test_the_best_of_three_forces_in_newton() -> None:
    found = enter_force(AssessmentTest.DYNAMOMETER_BACK, [50.0, 55.0, 52.0], "kg")
    assert (found.outcome, found.unit) == (TrialOutcome.ENTERED, "N")
    assert found.value == pytest.approx(55.0 * 9.80665)
    assert found.error == pytest.approx(9.80665 * np.std([50.0, 55.0, 52.0], ddof=1))
    assert found.counts
    assert enter_force(AssessmentTest.DYNAMOMETER_BACK, [300.0], "N").error is None


@pytest.mark.parametrize(
    ("values", "unit"), [([], "N"), ([1.0] * 4, "N"), ([0.0], "N"), ([-3.0], "N"), ([float("nan")], "N"), ([5.0], "st")]
)
def test_forces_that_cannot_be_are_refused(values: list[float], unit: str) -> None:
    with pytest.raises(AnalysisError):
        enter_force(AssessmentTest.DYNAMOMETER_BACK, values, unit)


def test_counts_and_loads_that_cannot_be_are_refused() -> None:
    left = AssessmentTest.REPETITIONS_LEG_LEFT
    assert enter_repetitions(left, 12, "single leg squat", 0.0).value == 12.0
    for count, exercise, load_kg in ((0, "squat", 0.0), (501, "squat", 0.0), (5, " ", 0.0), (5, "squat", -1.0)):
        with pytest.raises(AnalysisError):
            enter_repetitions(left, count, exercise, load_kg)
    with pytest.raises(AnalysisError, match="not taken so"):
        enter_repetitions(AssessmentTest.EXTENSOR, 5, "squat", 0.0)


def test_the_best_mean_rate_of_the_lifting_way() -> None:
    done = [repetition(1.0, 2.0), repetition(0.8, 1.5), repetition(0.9, 2.0), repetition(0.4, 0.4, whole=False)]
    up = assess_speed(SPEED, done, "curl", 10.0, Way.THERE)
    assert (up.outcome, up.unit, up.load_kg, up.exercise) == (TrialOutcome.MEASURED, "deg/s", 10.0, "curl")
    assert up.value == pytest.approx(75.0)
    assert up.error == pytest.approx(np.std([60.0, 60.0 / 0.9, 75.0], ddof=1))
    assert assess_speed(SPEED, done, "curl", 10.0, Way.BACK).value == pytest.approx(40.0)
    few = assess_speed(SPEED, done[:2], "curl", 10.0, Way.THERE)
    assert (few.outcome, few.value) == (TrialOutcome.NOT_COMPUTABLE, None)
    assert few.needs == "3 whole repetitions (there were 2)"


def test_the_speed_of_a_measured_set() -> None:
    # Raised by 60 degrees in 1.2 s, lowered in 2 s; a smooth stroke moves in all of its time.
    parts = [part for _ in range(6) for part in ((1.2, 60.0), (2.0, 0.0), (1.0, 0.0))]
    acc, gyr = limb(strokes(RATE, (3.0, 0.0), *parts, (4.0, 0.0)), RATE)
    motion = analyse_recording("wrist_left", chunks(acc, gyr, RATE), AnalysisParams()).motion
    assert len(motion.repetitions) == 6
    found = assess_speed(SPEED, motion.repetitions, "curl", 10.0, Way.THERE)
    assert found.value == pytest.approx(60.0 / 1.2, rel=0.15)
    assert found.value > assess_speed(SPEED, motion.repetitions, "curl", 10.0, Way.BACK).value  # type: ignore[operator]


def test_a_dynamometer_that_shows_pounds_is_kept_in_newtons() -> None:
    # 1 lbf is 4.4482216152605 N by definition.
    trial = enter_force(AssessmentTest.DYNAMOMETER_BACK, [100.0], "lb")
    assert trial.value == pytest.approx(444.82216152605, rel=1e-9)
