"""Smoothness, velocity loss and signs of fatigue: published values, and cases made by hand."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from coach.analysis.fatigue import (
    FatigueParams,
    Repeats,
    Sign,
    alike,
    assess_session,
    assess_set,
    repeats_of,
    velocity_loss_share,
)
from coach.analysis.motion_types import Repetition
from coach.analysis.recording import analyse_recording
from coach.analysis.smoothness import estimate_dimensionless_jerk, estimate_log_jerk, estimate_sparc
from coach.analysis.types import AnalysisParams, NotComputable
from devices.files.npz import read_npz

GAUSSIAN = np.exp(-5 * np.arange(-1, 1, 0.01) ** 2)


def minimum_jerk_speed() -> np.ndarray:
    u = np.arange(0, 1, 0.01)
    return np.asarray(30 * u**2 * (1 - u) ** 2)


def test_sparc() -> None:
    assert estimate_sparc(GAUSSIAN, 100.0) == pytest.approx(-1.41403, abs=1e-5)
    once = minimum_jerk_speed()
    assert estimate_sparc(once, 100.0) == pytest.approx(-1.40583, abs=2e-3)
    twice = estimate_sparc(np.concatenate((once, once)), 100.0)
    assert twice == pytest.approx(-2.24455, abs=2e-2)


def test_jerk() -> None:
    assert estimate_dimensionless_jerk(GAUSSIAN, 100.0) == pytest.approx(-335.74684, rel=1e-5)
    assert estimate_log_jerk(GAUSSIAN, 100.0) == pytest.approx(-5.81636, rel=1e-5)


@pytest.mark.parametrize("speed", [np.zeros(50), np.ones(3), np.array([1.0, np.nan, 1, 1, 1, 1]), np.empty(0)])
def test_no_number_without_a_movement(speed: np.ndarray) -> None:
    for estimate in (estimate_sparc, estimate_dimensionless_jerk, estimate_log_jerk):
        assert isinstance(estimate(speed, 100.0), NotComputable)


def test_velocity_loss() -> None:
    assert velocity_loss_share([0.75, 0.80, 0.70, 0.62]) == pytest.approx(0.225)
    assert isinstance(velocity_loss_share([0.8]), NotComputable)
    assert isinstance(velocity_loss_share([0.0, 0.0]), NotComputable)


def repeats(
    count: int, speed_end: float = 1.0, rom_end: float = 1.0, sparc_end: float = 0.0, jitter: float = 0.02
) -> Repeats:
    share = np.linspace(0, 1, count)
    even = np.where(np.arange(count) % 2, 1.0, -1.0)
    late = np.arange(count) >= count // 2
    return Repeats(
        2.0 * (1 + (speed_end - 1) * share),
        60.0 * (1 + (rom_end - 1) * share),
        -1.6 + sparc_end * share,
        3.0 * (1 + even * np.where(late, jitter, 0.02)),
    )


def test_an_even_set_shows_nothing() -> None:
    result = assess_set(FatigueParams(), repeats(12))
    assert not isinstance(result, NotComputable)
    assert (result.signs, result.flagged) == ((), False)


def test_one_sign_is_no_flag_and_two_are() -> None:
    one = assess_set(FatigueParams(), repeats(12, speed_end=0.7))
    assert not isinstance(one, NotComputable)
    assert (one.signs, one.flagged) == ((Sign.SLOWER,), False)
    assert one.velocity_loss_share == pytest.approx(0.3)
    two = assess_set(FatigueParams(), repeats(12, speed_end=0.7, rom_end=0.8))
    assert not isinstance(two, NotComputable)
    assert (two.signs, two.flagged) == ((Sign.SLOWER, Sign.SMALLER), True)
    other = assess_set(FatigueParams(), repeats(12, sparc_end=-0.9, jitter=0.1))
    assert not isinstance(other, NotComputable)
    assert (other.signs, other.flagged) == ((Sign.JERKIER, Sign.IRREGULAR), True)


def test_a_sign_that_cannot_be_seen_is_left_out() -> None:
    unknown = repeats(12)
    unknown.sparc[:] = np.nan
    result = assess_set(FatigueParams(), unknown)
    assert not isinstance(result, NotComputable)
    assert result.sparc_loss is None
    assert not result.flagged


def test_too_few_repetitions_are_said() -> None:
    assert assess_set(FatigueParams(), repeats(9)) == NotComputable(
        "signs of fatigue in a set", "10 repetitions (so far 9)"
    )
    answer = assess_session(FatigueParams(), repeats(24))
    assert isinstance(answer, NotComputable)
    assert answer.needs.startswith("25 repetitions")


def test_a_session_that_fades() -> None:
    result = assess_session(FatigueParams(), repeats(100, speed_end=0.7, rom_end=0.8))
    assert not isinstance(result, NotComputable)
    assert result.flagged
    assert result.rom_loss_share == pytest.approx(0.16, abs=0.02)


def repetition(number: int, rom_deg: float, up_s: float, sparc: float | None) -> Repetition:
    return Repetition(number, 0.0, up_s, 2 * up_s, rom_deg, up_s, 0.0, up_s, 90.0, sparc=sparc)


def test_signs_are_looked_for_in_detected_repetitions() -> None:
    fresh = [repetition(1, 60.0, 1.0, -1.5) for _ in range(5)]
    tired = [repetition(1, 50.0, 1.4, -1.9) for _ in range(5)]
    result = assess_set(FatigueParams(), repeats_of([*fresh, *tired]))
    assert not isinstance(result, NotComputable)
    assert result.signs == (Sign.SLOWER, Sign.SMALLER, Sign.JERKIER)
    assert result.velocity_loss_share == pytest.approx(1 - (50 / 1.4) / 60)
    unknown = assess_set(FatigueParams(), repeats_of([repetition(1, 60.0, 0.0, None)] * 10))
    assert not isinstance(unknown, NotComputable)
    assert unknown.sparc_loss is None


def test_sets_of_another_movement_are_left_out() -> None:
    curls = [[repetition(n, 120.0 + n, 1.0, -1.5)] * 8 for n in (1, 3)]
    raises = [[repetition(2, 70.0, 1.0, -1.5)] * 10]
    assert {each.number_of_set for each in alike([curls[0], raises[0], curls[1]])} == {1, 3}
    assert alike([]) == []


@pytest.mark.recordings
def test_real_repetitions_are_as_smooth_as_people_move(recordings: Path) -> None:
    """SPARC of reaching in healthy people is about -1.4 to -1.6; a slow, heavy or shaky stroke is lower."""
    with (recordings / "spar" / "index.csv").open() as file:
        path = recordings / "spar" / next(csv.DictReader(file))["file"]
    recording = read_npz(path)
    (place,) = recording.places
    motion = analyse_recording(place, recording.chunks(place), AnalysisParams()).motion
    told = [each.sparc for each in motion.repetitions if each.sparc is not None]
    assert len(told) >= 15
    assert -4.0 < float(np.median(told)) < -1.3
