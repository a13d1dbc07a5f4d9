"""Holds against known edges: physiotherapy's five seconds, what is short of them, and what is none."""

from __future__ import annotations

import numpy as np
import pytest

from coach.analysis.motion_types import Motion, MotionParams
from coach.analysis.recording import analyse_recording
from coach.analysis.types import AnalysisParams
from tests.coach.analysis.limb import limb, repeated, strokes
from tests.coach.analysis.motion import chunks

RATE = 50.0
STILL = [(4.0, 0.0)]


def told(angle: np.ndarray[tuple[int], np.dtype[np.float64]], noise_share: float = 0.0, **params: float) -> Motion:
    acc, gyr = limb(angle, RATE, lever_m=0.2, noise_share=noise_share)
    return analyse_recording("chest", chunks(acc, gyr, RATE), AnalysisParams(motion=MotionParams(**params))).motion


@pytest.mark.parametrize("rom_deg", [12.0, 40.0, 110.0])
def test_edges_of_ten_holds(rom_deg: float) -> None:
    motion = told(strokes(RATE, *STILL, *repeated(10, 1.0, 5.0, 1.0, 1.0, rom_deg), *STILL))
    assert len(motion.repetitions) == len(motion.holds) == 10
    for number, hold in enumerate(motion.holds):
        assert hold.on_target
        assert hold.start_s == pytest.approx(5.0 + 8.0 * number, abs=0.3)
        assert hold.end_s == pytest.approx(10.0 + 8.0 * number, abs=0.3)
        assert hold.duration_s == pytest.approx(5.0, abs=0.5)
        assert hold.sway_deg < 1.0


def test_sway_is_told_apart_from_a_quiet_hold() -> None:
    angle = strokes(RATE, *STILL, *repeated(6, 1.0, 5.0, 1.0, 1.0, 50.0), *STILL)
    t = np.arange(angle.size) / RATE
    swaying = angle + 1.5 * np.sin(2 * np.pi * 0.8 * t) * (angle > 49.0)
    quiet, shaky = told(angle).holds, told(swaying).holds
    assert len(quiet) == len(shaky) == 6
    # 1.5 deg of a sine are 1.06 deg RMS.
    assert np.median([hold.sway_deg for hold in shaky]) == pytest.approx(1.06, abs=0.25)
    assert np.median([hold.sway_deg for hold in quiet]) < 0.5


def test_fast_and_low_repetitions_after_held_ones_are_no_holds_on_target() -> None:
    held = repeated(10, 1.0, 5.0, 1.0, 1.0, 60.0)
    fast = repeated(10, 0.8, 0.4, 0.8, 0.4, 60.0)
    low = repeated(10, 1.0, 5.0, 1.0, 1.0, 30.0)
    motion = told(strokes(RATE, *STILL, *held, (20.0, 0.0), *fast, (20.0, 0.0), *low, *STILL), noise_share=0.02)
    assert len(motion.repetitions) == 30
    assert [hold.number_of_set for hold in motion.holds if hold.on_target] == [1] * 10
    short = [hold for hold in motion.holds if not hold.on_target]
    assert [hold.number_of_set for hold in short] == [3] * 10
    assert np.mean([hold.reached_share for hold in short]) == pytest.approx(0.5, abs=0.03)


def test_another_exercise_has_its_own_target() -> None:
    one = strokes(RATE, *STILL, *repeated(5, 1.0, 4.0, 1.0, 1.0, 60.0), (20.0, 0.0))
    other = strokes(RATE, *repeated(5, 1.0, 4.0, 1.0, 1.0, 25.0), *STILL)
    parts = [limb(one, RATE), limb(other, RATE, axis=np.array([0.0, 1.0, 0.0]))]
    acc, gyr = (np.concatenate(pair) for pair in zip(*parts, strict=True))
    motion = analyse_recording("chest", chunks(acc, gyr, RATE), AnalysisParams()).motion
    assert [hold.on_target for hold in motion.holds] == [True] * 10


def test_how_long_a_hold_must_be_can_be_asked_for() -> None:
    angle = strokes(RATE, *STILL, *repeated(6, 1.0, 3.0, 1.0, 1.0, 50.0), *STILL)
    assert len(told(angle).holds) == 6
    assert told(angle, hold_s=4.0).holds == ()
