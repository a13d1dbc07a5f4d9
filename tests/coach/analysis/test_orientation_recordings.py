"""Inclination against an optical reference and against bare vqf, on real recordings cut into chunks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from vqf import VQF

from coach.analysis.recording import analyse_recording
from coach.analysis.stream import AnalysisState, analyse, finish, new_state
from coach.analysis.types import AnalysisParams
from devices.files.npz import read_npz
from devices.types import FloatArray
from tests.coach.analysis.motion import chunks

PARAMS = AnalysisParams()
TRIALS = [
    "01_undisturbed_slow_rotation_A",
    "06_undisturbed_fast_rotation_A",
    "10_undisturbed_slow_translation_A",
    "15_undisturbed_fast_translation_A",
    "24_disturbed_tapping_A",
]


def inclination_error_deg(quat: FloatArray, truth: FloatArray) -> FloatArray:
    """Return 2 acos(sqrt(w^2 + z^2)) of quat * conj(truth), the data set's own definition."""
    w, x, y, z = (quat[:, k] for k in range(4))
    a, b, c, d = truth[:, 0], -truth[:, 1], -truth[:, 2], -truth[:, 3]
    ew = w * a - x * b - y * c - z * d
    ez = w * d + x * c - y * b + z * a
    return np.degrees(2 * np.arccos(np.minimum(np.sqrt(ew**2 + ez**2), 1.0)))


@pytest.mark.recordings
@pytest.mark.parametrize("trial", TRIALS)
def test_inclination_error_is_that_of_bare_vqf(
    recordings: Path, trial: str, figure: Callable[[str, object, str], None]
) -> None:
    path = recordings / "broad" / f"{trial}.npz"
    recording = read_npz(path)
    result = analyse_recording("imu", recording.chunks("imu"), PARAMS, keep_series=True)
    assert result.quat is not None
    with np.load(path) as content:
        truth, moving = content["truth_quat"].astype(float), content["truth_movement"]
        bare = VQF(1 / recording.rate_hz).updateBatch(
            np.ascontiguousarray(content["imu_gyr"], dtype=float), np.ascontiguousarray(content["imu_acc"], dtype=float)
        )["quat6D"]
    seen = moving & np.isfinite(truth).all(axis=1)
    rmse = float(np.sqrt(np.mean(inclination_error_deg(result.quat[seen], truth[seen]) ** 2)))
    bare_rmse = float(np.sqrt(np.mean(inclination_error_deg(bare[seen], truth[seen]) ** 2)))
    figure(f"inclination RMSE {trial}", round(rmse, 3), "deg")
    assert rmse == pytest.approx(bare_rmse, abs=1e-3)
    assert rmse < 2.0


@pytest.mark.recordings
@pytest.mark.parametrize("drop_s", [0.05, 0.5, 3.0])
def test_inclination_stays_right_after_gaps(
    recordings: Path, drop_s: float, figure: Callable[[str, object, str], None]
) -> None:
    """Gaps amid the fastest rotation: the filter restarts while the sensor moves."""
    path = recordings / "broad" / f"{TRIALS[1]}.npz"
    recording = read_npz(path)
    sensor, rate = recording.sensors["imu"], recording.rate_hz
    for start in np.arange(20, recording.duration_s - 10, 10):
        rows = slice(round(start * rate), round((start + drop_s) * rate))
        sensor.acc_mps2[rows], sensor.gyr_radps[rows] = np.nan, np.nan
    result = analyse_recording("imu", recording.chunks("imu"), PARAMS, keep_series=True)
    assert result.quat is not None
    with np.load(path) as content:
        truth, moving = content["truth_quat"].astype(float), content["truth_movement"]
    seen = moving & np.isfinite(truth).all(axis=1) & np.isfinite(result.quat[:, 0])
    rmse = float(np.sqrt(np.mean(inclination_error_deg(result.quat[seen], truth[seen]) ** 2)))
    figure(f"inclination RMSE, gaps of {drop_s} s each 10 s", round(rmse, 3), "deg")
    assert rmse < 4.0


@pytest.mark.recordings
@pytest.mark.parametrize(("name", "counted"), [("s1_e2_test", (20, 30)), ("s2_e2_test", (20, 30))])
def test_seated_trunk_bends(recordings: Path, name: str, counted: tuple[int, int]) -> None:
    """30 bends were made, ten of them small: those of less than 20 degrees are no repetition in this step."""
    recording = read_npz(recordings / "pted" / f"{name}.npz")
    result = analyse_recording("chest", recording.chunks("chest"), PARAMS)
    assert counted[0] <= len(result.repetitions) <= counted[1]
    first_block = [r for r in result.repetitions if r.start_s < 80]
    assert len(first_block) == 10
    assert all(r.start_s < r.peak_s < r.end_s for r in result.repetitions)


@pytest.mark.recordings
def test_real_recording_cut_into_odd_pieces_as_bytes(recordings: Path) -> None:
    recording = read_npz(recordings / "pted" / "s2_e2_test.npz")
    whole = analyse_recording("chest", recording.chunks("chest", 1e6), PARAMS, keep_series=True)
    state, found, angles = new_state("chest", PARAMS), [], []
    for chunk in recording.chunks("chest", 0.28):
        update = analyse(state, chunk)
        state = AnalysisState.from_bytes(update.state.to_bytes())
        found.extend(update.features.repetitions)
        angles.append(update.features.inclination_deg)
    update = finish(state)
    found.extend(update.features.repetitions)
    assert tuple(found) == whole.repetitions
    np.testing.assert_array_equal(np.concatenate([*angles, update.features.inclination_deg]), whole.inclination_deg)


@pytest.mark.recordings
def test_every_recording_gives_plausible_numbers(recordings: Path) -> None:
    """Any mounting, any rate: shares fall with the threshold, repetitions are in order and do not overlap."""
    for path in sorted(recordings.glob("*/*.npz"))[::6]:
        recording = read_npz(path)
        for place in recording.places:
            result = analyse_recording(place, recording.chunks(place, 60.0), PARAMS)
            shares = list(result.summary.posture.share_above.values())
            assert shares == sorted(shares, reverse=True), path
            assert result.summary.coverage_share == 1.0
            end = 0.0
            for repetition in result.repetitions:
                assert end <= repetition.start_s + 1e-9, path
                assert repetition.start_s <= repetition.peak_s <= repetition.end_s <= recording.duration_s, path
                assert repetition.rom_deg >= 20.0
                end = repetition.end_s
            # The class of 20 holds ranges from 19.5 to 20.5, of which some are repetitions.
            least, most = (sum(n for size, n in result.summary.cycles if size >= k) for k in (21, 20))
            assert least - 2 <= len(result.repetitions) <= most + 2, path


@pytest.mark.recordings
@pytest.mark.parametrize("name", ["s1_e2_test", "s2_e2_test"])
def test_seated_bends_for_twelve_minutes_are_repeated_bending(recordings: Path, name: str) -> None:
    recording = read_npz(recordings / "pted" / f"{name}.npz")
    sensor, rate = recording.sensors["chest"], recording.rate_hz
    times = int(np.ceil(720 * rate / recording.samples))
    acc, gyr = (np.tile(part, (times, 1))[: round(720 * rate)] for part in (sensor.acc_mps2, sensor.gyr_radps))
    (finding,) = analyse_recording("chest", chunks(acc.astype(float), gyr.astype(float), rate), PARAMS).findings
    assert finding.kind == "repeated_bending"
    assert finding.end_s - finding.start_s >= 600
    assert finding.because["values"]["rate_max_per_min"] > 4
