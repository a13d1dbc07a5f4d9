"""Inclination against an optical reference and against bare vqf, on real recordings cut into chunks."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from vqf import VQF

from coach.analysis.findings import TRUNK_PLACES
from coach.analysis.frames import up_direction
from coach.analysis.recording import analyse_recording
from coach.analysis.stream import AnalysisState, analyse, finish, new_state
from coach.analysis.summary import ACCELEROMETER_ERROR_DEG, ACCELEROMETER_ON_TRUNK_ERROR_DEG
from coach.analysis.tilt import TiltState, estimate_tilt, tilt_delay_s
from coach.analysis.types import AnalysisParams, OrientationFrom
from devices.files.npz import read_npz
from devices.types import FloatArray
from tests.coach.analysis.motion import chunks

PARAMS = AnalysisParams()


def rows_of(recordings: Path, folder: str) -> list[dict[str, str]]:
    with (recordings / folder / "index.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def inclination_error_deg(quat: FloatArray, truth: FloatArray) -> FloatArray:
    """Return 2 acos(sqrt(w^2 + z^2)) of quat * conj(truth), the data set's own definition."""
    w, x, y, z = (quat[:, k] for k in range(4))
    a, b, c, d = truth[:, 0], -truth[:, 1], -truth[:, 2], -truth[:, 3]
    ew = w * a - x * b - y * c - z * d
    ez = w * d + x * c - y * b + z * a
    return np.degrees(2 * np.arccos(np.minimum(np.sqrt(ew**2 + ez**2), 1.0)))


def rms(values: Sequence[float] | FloatArray) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def optical(path: Path) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return acc, gyr, the optical quaternion and where it is known and the sensor moves."""
    with np.load(path) as content:
        acc, gyr = (np.ascontiguousarray(content[f"imu_{name}"], dtype=float) for name in ("acc", "gyr"))
        truth = content["truth_quat"].astype(float)
        return acc, gyr, truth, content["truth_movement"] & np.isfinite(truth).all(axis=1)


@pytest.mark.recordings
def test_inclination_error_is_that_of_bare_vqf(recordings: Path, figure: Callable[[str, object, str], None]) -> None:
    """Over all hand-moved recordings with an optical truth, cut into chunks of 5 s."""
    ours, bare = [], []
    for row in rows_of(recordings, "broad"):
        path = recordings / "broad" / row["file"]
        acc, gyr, truth, seen = optical(path)
        recording = read_npz(path)
        result = analyse_recording("imu", recording.chunks("imu"), PARAMS, keep_series=True)
        assert result.quat is not None
        filtered = VQF(1 / recording.rate_hz).updateBatch(gyr, acc)["quat6D"]
        ours.append(rms(inclination_error_deg(result.quat[seen], truth[seen])))
        bare.append(rms(inclination_error_deg(filtered[seen], truth[seen])))
        figure(f"inclination RMSE {row['trial']}", round(ours[-1], 3), "deg")
        assert ours[-1] < 2.0
    figure("inclination RMSE over all", round(float(np.mean(ours)), 3), "deg")
    assert ours == pytest.approx(bare, abs=1e-3)


@pytest.mark.recordings
@pytest.mark.parametrize("drop_s", [0.05, 0.5, 3.0])
def test_inclination_stays_right_after_gaps(
    recordings: Path, drop_s: float, figure: Callable[[str, object, str], None]
) -> None:
    """Gaps amid fast rotation: the filter restarts while the sensor moves."""
    row = next(r for r in rows_of(recordings, "broad") if "fast_rotation" in r["trial"])
    path = recordings / "broad" / row["file"]
    recording = read_npz(path)
    sensor, rate = recording.sensors["imu"], recording.rate_hz
    for start in np.arange(20, recording.duration_s - 10, 10):
        rows = slice(round(start * rate), round((start + drop_s) * rate))
        sensor.acc_mps2[rows], sensor.gyr_radps[rows] = np.nan, np.nan
    result = analyse_recording("imu", recording.chunks("imu"), PARAMS, keep_series=True)
    assert result.quat is not None
    _, _, truth, seen = optical(path)
    seen &= np.isfinite(result.quat[:, 0])
    rmse = rms(inclination_error_deg(result.quat[seen], truth[seen]))
    figure(f"inclination RMSE, gaps of {drop_s} s each 10 s", round(rmse, 3), "deg")
    assert rmse < 4.0


def tilt_errors_deg(recordings: Path, trunk: bool) -> list[float]:
    """Return the error of the accelerometer's tilt against VQF with the gyroscope, per sensor and recording."""
    errors = []
    for folder in ("pted", "gait", "fullbody", "gym", "spar"):
        for row in rows_of(recordings, folder):
            recording = read_npz(recordings / folder / row["file"])
            for place in recording.places:
                if (place in TRUNK_PLACES) is not trunk:
                    continue
                sensor, rate = recording.sensors[place], recording.rate_hz
                acc, gyr = (np.array(part, dtype=float, order="C") for part in (sensor.acc_mps2, sensor.gyr_radps))
                late = round(tilt_delay_s(rate) * rate)
                told = up_direction(estimate_tilt(TiltState(), rate, acc)[1])[:, late:]
                truth = up_direction(VQF(1 / rate).updateBatch(gyr, acc)["quat6D"])[:, : told.shape[1]]
                angle = np.degrees(np.arccos(np.clip((told * truth).sum(axis=0), -1, 1)))
                errors.append(rms(angle[round(3 * rate) :]))
    return errors


@pytest.mark.recordings
@pytest.mark.parametrize(
    ("trunk", "stated"), [(True, ACCELEROMETER_ON_TRUNK_ERROR_DEG), (False, ACCELEROMETER_ERROR_DEG)]
)
def test_without_a_gyroscope_the_error_is_the_stated_one(
    recordings: Path, trunk: bool, stated: tuple[float, float], figure: Callable[[str, object, str], None]
) -> None:
    errors = tilt_errors_deg(recordings, trunk)
    figure(f"tilt against VQF, {'trunk' if trunk else 'limbs'}", round(rms(errors), 2), "deg")
    figure("its worst recording", round(max(errors), 2), "deg")
    assert rms(errors) < 2.0 * stated[0]
    assert max(errors) < 2.0 * stated[1]


@pytest.mark.recordings
def test_tilt_of_a_hand_moved_box_is_far_worse_than_vqf(
    recordings: Path, figure: Callable[[str, object, str], None]
) -> None:
    """The whole analysis without its gyroscope against the optical truth: said to be worse, and it is."""
    errors = []
    for row in rows_of(recordings, "broad"):
        path = recordings / "broad" / row["file"]
        recording = read_npz(path)
        recording.sensors["imu"].gyr_radps[:] = np.nan
        result = analyse_recording("imu", recording.chunks("imu"), PARAMS, keep_series=True)
        assert result.summary.orientation is OrientationFrom.ACCELEROMETER
        assert result.quat is not None
        _, _, truth, seen = optical(path)
        errors.append(rms(inclination_error_deg(result.quat[seen], truth[seen])))
    figure("tilt against the optical truth, not corrected for its delay", round(rms(errors), 1), "deg")
    assert 5.0 < rms(errors) < 40.0


def seated_bends(recordings: Path) -> list[Path]:
    """Return the recordings of thirty seated bends of the trunk."""
    rows = rows_of(recordings, "pted")
    return [recordings / "pted" / r["file"] for r in rows if r["exercise"] == "e2" and r["reps"] == "30"]


@pytest.mark.recordings
def test_seated_trunk_bends(recordings: Path) -> None:
    """30 bends were made, ten of them small: those of less than 20 degrees are no bend here."""
    for path in seated_bends(recordings):
        result = analyse_recording("chest", read_npz(path).chunks("chest"), PARAMS)
        bends = sum(count for size, count in result.summary.cycles if size >= 20)
        assert 18 <= bends <= 31, path


@pytest.mark.recordings
def test_real_recording_cut_into_odd_pieces_as_bytes(recordings: Path) -> None:
    recording = read_npz(seated_bends(recordings)[-1])
    whole = analyse_recording("chest", recording.chunks("chest", 1e6), PARAMS, keep_series=True)
    state, found, angles = new_state("chest", PARAMS), [], []
    for chunk in recording.chunks("chest", 0.28):
        update = analyse(state, chunk)
        state = AnalysisState.from_bytes(update.state.to_bytes())
        found.extend(update.features.bends)
        angles.append(update.features.inclination_deg)
    update = finish(state)
    found.extend(update.features.bends)
    assert tuple(found) == whole.bends
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
            for repetition in result.bends:
                assert end <= repetition.start_s + 1e-9, path
                assert repetition.start_s <= repetition.peak_s <= repetition.end_s <= recording.duration_s, path
                assert repetition.rom_deg >= 20.0
                end = repetition.end_s
            # The class of 20 holds ranges from 19.5 to 20.5, of which some are repetitions.
            least, most = (sum(n for size, n in result.summary.cycles if size >= k) for k in (21, 20))
            assert least - 2 <= len(result.bends) <= most + 2, path


@pytest.mark.recordings
def test_seated_bends_for_twelve_minutes_are_repeated_bending(recordings: Path) -> None:
    for path in seated_bends(recordings):
        recording = read_npz(path)
        sensor, rate = recording.sensors["chest"], recording.rate_hz
        times = int(np.ceil(720 * rate / recording.samples))
        acc, gyr = (np.tile(part, (times, 1))[: round(720 * rate)] for part in (sensor.acc_mps2, sensor.gyr_radps))
        (finding,) = analyse_recording("chest", chunks(acc.astype(float), gyr.astype(float), rate), PARAMS).findings
        assert finding.kind == "repeated_bending"
        assert finding.end_s - finding.start_s >= 600
        assert finding.because["values"]["rate_max_per_min"] > 4
