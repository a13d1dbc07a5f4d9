"""Hip and thoracic rotation: by formula on a plain hinge, and against the truth of the simulated turns."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from coach.analysis.assessment_types import AssessmentTest, Trial, TrialOutcome
from coach.analysis.errors import AnalysisError
from coach.analysis.rotation_rom import measure_rotation
from devices.sim import mobility
from devices.sim.synthetic import SyntheticMotion
from devices.types import FloatArray
from tests.coach.analysis.limb import strokes
from tests.coach.analysis.motion import hinge

SIMULATED = {
    AssessmentTest.HIP_INTERNAL_ROTATION_LEFT: (mobility.hip_internal_left, "ankle_left"),
    AssessmentTest.HIP_INTERNAL_ROTATION_RIGHT: (mobility.hip_internal_right, "ankle_right"),
    AssessmentTest.THORACIC_ROTATION_LEFT: (mobility.thoracic_left, "chest"),
    AssessmentTest.THORACIC_ROTATION_RIGHT: (mobility.thoracic_right, "upper_back"),
}
HIP = AssessmentTest.HIP_EXTERNAL_ROTATION_RIGHT
RATE = 50.0


def simulated(test: AssessmentTest, seed: int, rate_hz: float, loss: float = 0.02) -> tuple[SyntheticMotion, Trial]:
    make, place = SIMULATED[test]
    motion = make(seed)
    acc, gyr = motion.samples(0, round(62.0 * rate_hz), rate_hz)
    lost = np.random.default_rng(seed).random(len(acc)) < loss
    acc[lost], gyr[lost] = np.nan, np.nan
    x, y, z = motion.upright_in_sensor().tolist()
    return motion, measure_rotation(test, place, rate_hz, acc, gyr, (x, y, z))


@pytest.mark.proof
@pytest.mark.parametrize("test", list(SIMULATED))
def test_simulated_turns(
    test: AssessmentTest, full_or_quick: Callable[[int, int], int], figure: Callable[[str, object, str], None]
) -> None:
    errors = []
    for seed in range(full_or_quick(40, 6)):
        motion, trial = simulated(test, seed, (25.0, 50.0, 100.0)[seed % 3])
        true = np.median([bend.rom_deg for bend in motion.truth(62.0)])
        assert trial.outcome is TrialOutcome.MEASURED, trial.statement
        assert len(trial.evidence["roms_deg"]) == 5
        assert trial.value is not None
        errors.append(trial.value - true)
    figure(f"largest error of the range, {test.value}", round(float(np.abs(errors).max()), 2), "deg")
    assert np.abs(errors).max() < 2.0


def turns(*roms_deg: float) -> FloatArray:
    parts = [part for rom in roms_deg for part in ((1.2, rom), (0.5, rom), (1.2, 0.0), (1.0, 0.0))]
    return strokes(RATE, (3.0, 0.0), *parts, (2.0, 0.0))


def of_hinge(angle_deg: FloatArray, test: AssessmentTest = HIP, place: str = "ankle_right") -> Trial:
    acc, gyr = hinge(angle_deg, RATE, noise=True)
    return measure_rotation(test, place, RATE, acc, gyr)


def test_the_median_and_its_error() -> None:
    trial = of_hinge(turns(30.0, 34.0, 31.0, 33.0))
    assert trial.value == pytest.approx(32.0, abs=1.0)
    assert trial.error == pytest.approx(1.2533 * np.std([30.0, 34.0, 31.0, 33.0], ddof=1) / 2.0, abs=0.4)
    assert trial.counts


def test_only_the_first_five_and_no_odd_one() -> None:
    assert of_hinge(turns(30.0, 30.0, 30.0, 30.0, 30.0, 38.0, 38.0, 38.0)).value == pytest.approx(30.0, abs=1.0)
    assert of_hinge(turns(30.0, 30.0, 60.0, 30.0)).value == pytest.approx(30.0, abs=1.0)


@pytest.mark.parametrize(
    ("angle_deg", "needs"),
    [
        (turns(30.0, 30.0), "3 turns of at least 8 degrees (there were 2)"),
        (turns(4.0, 4.0, 4.0), "3 turns of at least 8 degrees (there were 0)"),
        (turns(30.0, -30.0, 30.0, -30.0, 30.0, -30.0), "turns to one side only"),
        (20.0 * np.sin(2 * np.pi * 0.5 * np.arange(1000) / RATE), "stillness before the first turn"),
    ],
)
def test_what_is_no_such_test_has_no_number(angle_deg: FloatArray, needs: str) -> None:
    trial = of_hinge(angle_deg)
    assert (trial.outcome, trial.value) == (TrialOutcome.NOT_COMPUTABLE, None)
    assert trial.needs is not None
    assert needs in trial.needs


def test_the_wrong_side_is_told() -> None:
    motion = mobility.thoracic_left(2)
    acc, gyr = motion.samples(0, round(62.0 * RATE), RATE)
    x, y, z = motion.upright_in_sensor().tolist()
    trial = measure_rotation(AssessmentTest.THORACIC_ROTATION_RIGHT, "chest", RATE, acc, gyr, (x, y, z))
    assert trial.outcome is TrialOutcome.NOT_COMPUTABLE
    assert "turns to the right" in (trial.needs or "")


def test_upright_gravity_does_not_show_a_turn() -> None:
    motion = mobility.hip_internal_left(2)
    acc, gyr = motion.samples(0, round(62.0 * RATE), RATE)
    x, y, z = motion.upright_in_sensor().tolist()
    trial = measure_rotation(AssessmentTest.THORACIC_ROTATION_LEFT, "chest", RATE, acc, gyr, (x, y, z))
    assert "a level trunk" in (trial.needs or "")


def test_place_calibration_and_losses() -> None:
    motion = mobility.thoracic_left(1)
    acc, gyr = motion.samples(0, round(62.0 * RATE), RATE)
    x, y, z = motion.upright_in_sensor().tolist()
    thoracic = AssessmentTest.THORACIC_ROTATION_LEFT
    assert "calibration" in (measure_rotation(thoracic, "chest", RATE, acc, gyr).needs or "")
    assert "chest" in (measure_rotation(thoracic, "hip", RATE, acc, gyr, (x, y, z)).needs or "")
    acc[::3] = np.nan
    assert "80% of the samples" in (measure_rotation(thoracic, "chest", RATE, acc, gyr, (x, y, z)).needs or "")
    none = np.empty((0, 3))
    assert measure_rotation(thoracic, "chest", RATE, none, none, (x, y, z)).outcome is TrialOutcome.NOT_COMPUTABLE
    with pytest.raises(AnalysisError, match="no rotation"):
        measure_rotation(AssessmentTest.EXTENSOR, "chest", RATE, acc, gyr)
