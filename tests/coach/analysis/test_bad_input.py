"""Bad input: each kind gets its named result from `analyse` and `backstop analyze`, never a number that looks good."""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coach.analysis.recording import RecordingResult, analyse_recording
from coach.analysis.stream import analyse, finish, new_state
from coach.analysis.summary import summarise
from coach.analysis.types import AnalysisParams, Exposure, OrientationFrom, QualityFlag
from coach.commands import analyze
from coach.errors import CoachError
from devices.files.npz import read_npz
from devices.types import FloatArray
from tests.coach.analysis.motion import chunks, worn

PARAMS = AnalysisParams()
RATE = 50.0
Fault = Callable[[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]


def moving(duration_s: float = 120.0, seed: int = 1) -> tuple[FloatArray, FloatArray]:
    """Return acc and gyr of a trunk that bends, leans and is jolted now and then."""
    t = np.arange(round(duration_s * RATE)) / RATE
    flexion = np.where(t > 5, 30 * (1 - np.cos(2 * np.pi * (t - 5) / 4)), 0.0)
    lean = np.where(t > 5, 20 * np.sin(2 * np.pi * (t - 5) / 9), 0.0)
    acc, gyr = worn(flexion, lean, RATE, seed, noise=True)
    jolts = np.exp(-(((t % 7.0) - 3.5) ** 2) / 0.002)
    return acc * (1 + 1.5 * jolts[:, None]), gyr


def without(values: FloatArray, axis: int, value: float = 0.0) -> FloatArray:
    values = values.copy()
    values[:, axis] = value
    return values


def frozen(values: FloatArray) -> FloatArray:
    return np.repeat(values[:1], len(values), axis=0)


FATAL: list[tuple[str, Fault, QualityFlag]] = [
    ("acceleration in g", lambda acc, gyr: (acc / 9.81, gyr), QualityFlag.ACCELERATION_IN_G),
    ("acceleration without gravity", lambda acc, gyr: (acc * 0.01, gyr), QualityFlag.ACCELERATION_NOT_GRAVITY),
    ("acceleration in mg", lambda acc, gyr: (acc * 102, gyr), QualityFlag.ACCELERATION_NOT_GRAVITY),
    ("nothing but noughts", lambda acc, gyr: (acc * 0, gyr * 0), QualityFlag.ACCELERATION_NOT_GRAVITY),
    ("angular rate in deg/s", lambda acc, gyr: (acc, np.degrees(gyr)), QualityFlag.ANGULAR_RATE_IN_DEGREES),
    ("angular rate nineteen times too high", lambda acc, gyr: (acc, gyr * 19), QualityFlag.SENSORS_DISAGREE),
    ("constant signal", lambda acc, gyr: (frozen(acc), frozen(gyr)), QualityFlag.CONSTANT_SIGNAL),
    ("dead axis of the accelerometer", lambda acc, gyr: (without(acc, 1), gyr), QualityFlag.DEAD_AXIS),
    ("stuck axis of the accelerometer", lambda acc, gyr: (without(acc, 0, 19.6), gyr), QualityFlag.DEAD_AXIS),
    ("dead axis of the gyroscope", lambda acc, gyr: (acc, without(gyr, 0)), QualityFlag.DEAD_AXIS),
    ("half a second", lambda acc, gyr: (acc[:25], gyr[:25]), QualityFlag.TOO_SHORT),
    ("one sample", lambda acc, gyr: (acc[:1], gyr[:1]), QualityFlag.TOO_SHORT),
    ("infinite", lambda acc, gyr: (np.full_like(acc, np.inf), gyr), QualityFlag.TOO_SHORT),
    ("no number anywhere", lambda acc, gyr: (acc * np.nan, gyr * np.nan), QualityFlag.TOO_SHORT),
]


def analysed(acc: FloatArray, gyr: FloatArray) -> RecordingResult:
    return analyse_recording("chest", chunks(acc, gyr, RATE), PARAMS)


@pytest.mark.parametrize(("fault", "flag"), [row[1:] for row in FATAL], ids=[row[0] for row in FATAL])
def test_unsound_samples_are_named_and_nothing_is_told_of_them(fault: Fault, flag: QualityFlag) -> None:
    result = analysed(*fault(*moving()))
    summary = result.summary
    assert flag in {item.flag for item in summary.quality if item.fatal}
    assert summary.posture == Exposure()
    assert (
        summary.cycles
        == result.bends
        == result.motion.repetitions
        == result.findings
        == result.lying
        == result.static_holds
        == ()
    )
    assert summary.bends_count == summary.repetitions_count == summary.static.count == 0
    assert summary.lying is summary.direction is summary.inclination_error_deg is None
    assert {"posture", "cycles", "repetitions", "repeated_bending"} <= {item.what for item in summary.not_computable}
    assert all(item.needs.startswith("sound samples: ") for item in summary.not_computable)


def test_sound_samples_pass() -> None:
    result = analysed(*moving())
    assert result.summary.quality == ()
    assert result.summary.posture.share_above[20.0] > 0.3


def test_an_unsound_stream_opens_no_finding() -> None:
    acc, gyr = moving(900.0)
    state, changes = new_state("chest", PARAMS), 0
    for chunk in chunks(acc / 9.81, gyr, RATE):
        update = analyse(state, chunk)
        state, changes = update.state, changes + len(update.changes)
    assert changes + len(finish(state).changes) == 0
    assert any(item.flag is QualityFlag.ACCELERATION_IN_G for item in summarise(state).quality)


def test_a_movement_in_exactly_one_plane_is_told_but_not_refused() -> None:
    t = np.arange(round(120 * RATE)) / RATE
    theta = np.radians(35 * (1 - np.cos(2 * np.pi * t / 5)))
    zero = np.zeros_like(t)
    acc = 9.81 * np.stack([np.sin(theta), zero, np.cos(theta)], axis=1)
    gyr = np.stack([zero, -np.gradient(theta) * RATE, zero], axis=1)
    result = analyse_recording("chest", chunks(acc, gyr, RATE), PARAMS, upright=(0.0, 0.0, 1.0))
    assert [(item.flag, item.fatal) for item in result.summary.quality] == [(QualityFlag.DEAD_AXIS, False)]
    assert result.summary.posture.share_above[20.0] == pytest.approx(0.641, abs=0.005)


def test_a_frozen_hour_in_a_live_recording_is_told() -> None:
    acc, gyr = moving(600.0)
    acc[5000:15000], gyr[5000:15000] = acc[10], gyr[10]  # of a still moment
    (item,) = analysed(acc, gyr).summary.quality
    assert (item.flag, item.fatal) == (QualityFlag.CONSTANT_SIGNAL, False)
    assert "for 199 s" in item.what or "for 200 s" in item.what


def test_clipped_samples_and_gaps_are_told() -> None:
    acc, gyr = moving()
    (item,) = analysed(np.clip(acc, -19.6133, 19.6133), gyr).summary.quality
    assert (item.flag, item.fatal) == (QualityFlag.CLIPPED, False)
    acc[1000:3000] = np.nan
    (item,) = analysed(acc, gyr).summary.quality
    assert (item.flag, item.fatal) == (QualityFlag.GAPS, False)
    assert item.what.startswith("67% of the samples")


def test_a_wearable_without_a_gyroscope_says_how_far_off_it_is() -> None:
    acc, gyr = moving()
    result = analysed(acc, gyr * np.nan)
    assert result.summary.orientation is OrientationFrom.ACCELEROMETER
    assert result.summary.quality == ()
    assert result.summary.gyroscope_bias_degps is None
    error = result.summary.inclination_error_deg
    with_gyroscope = analysed(acc, gyr).summary.inclination_error_deg
    assert error is not None
    assert with_gyroscope is not None
    assert error > with_gyroscope
    arm = analyse_recording("wrist_left", chunks(acc, gyr * np.nan, RATE), PARAMS).summary.inclination_error_deg
    assert arm is not None
    assert arm > error


def test_the_bias_at_rest_is_found_and_told() -> None:
    zero = np.zeros(round(60 * RATE))
    acc, gyr = worn(zero, zero, RATE, noise=True)
    bias = analysed(acc, gyr).summary.gyroscope_bias_degps
    assert bias == pytest.approx(np.degrees([0.01, -0.008, 0.005]), abs=0.02)


def command(capsys: pytest.CaptureFixture[str], path: Path) -> dict[str, Any] | str:
    """Return what `backstop analyze` says: the document, or the sentence."""
    parser = argparse.ArgumentParser()
    analyze.register(parser.add_subparsers())
    parsed = parser.parse_args(["analyze", str(path), "--json"])
    try:
        status = parsed.handler(parsed)
    except CoachError as error:
        return str(error)
    out, err = capsys.readouterr()
    if status:
        assert status == 2
        assert err.count("\n") == 1
        return err
    document: dict[str, Any] = json.loads(out)
    return document


def saved(folder: Path, acc: FloatArray, gyr: FloatArray, **more: Any) -> Path:
    path = folder / "a.npz"
    np.savez(path, fs=RATE, chest_acc=acc.astype(np.float32), chest_gyr=gyr.astype(np.float32), **more)
    return path


SENTENCES = {
    "acceleration in g": "looks like g",
    "acceleration without gravity": "not in m/s^2 with gravity",
    "acceleration in mg": "not in m/s^2 with gravity",
    "nothing but noughts": "not in m/s^2 with gravity",
    "angular rate in deg/s": "deg/s",
    "half a second": "no sensor keeps 1 s",
    "one sample": "no sensor keeps 1 s",
    "infinite": "no sensor has a single sample",
    "no number anywhere": "no sensor has a single sample",
}


@pytest.mark.parametrize(("name", "fault", "flag"), FATAL, ids=[row[0] for row in FATAL])
def test_the_command_says_the_same(
    name: str, fault: Fault, flag: QualityFlag, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = command(capsys, saved(tmp_path, *fault(*moving())))
    if name in SENTENCES:
        assert isinstance(said, str)
        assert SENTENCES[name] in said
        return
    assert isinstance(said, dict)
    sensor = said["sensors"]["chest"]
    assert flag.value in {item["flag"] for item in sensor["quality"] if item["fatal"]}
    assert sensor["posture"]["share_above_deg"] == {}
    assert sensor["cycles"] == sensor["repetitions"] == said["findings"] == []


def test_jitter_and_empty_files_through_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    acc, gyr = moving()
    random = np.random.default_rng(2)
    even = np.arange(len(acc)) / RATE
    for spread, flags in ((0.1, []), (0.45, ["rate_jitter"])):
        times = even + random.uniform(-spread, spread, len(acc)) / RATE
        said = command(capsys, saved(tmp_path, acc, gyr, t=np.sort(times)))
        assert isinstance(said, dict)
        assert [item["flag"] for item in said["sensors"]["chest"]["quality"]] == flags
    assert "is empty" in str(command(capsys, saved(tmp_path, np.empty((0, 3)), np.empty((0, 3)))))
    nothing = tmp_path / "b.npz"
    nothing.write_bytes(b"")
    assert "not an .npz file" in str(command(capsys, nothing))


def test_a_file_without_an_angular_rate_is_one_without_a_gyroscope(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    acc, gyr = moving()
    said = command(capsys, saved(tmp_path, acc, gyr * np.nan))
    assert isinstance(said, dict)
    told = said["sensors"]["chest"]["orientation"]
    assert told["from"] == "accelerometer_only"
    assert told["inclination_error_rms_deg"] > 1.0


@pytest.mark.recordings
def test_every_real_recording_is_sound_and_each_fault_in_it_is_found(recordings: Path) -> None:
    """The same faults in real movement: all are named, and the recordings as they are pass."""
    faults = [
        row for row in FATAL if row[0] not in ("angular rate nineteen times too high", "acceleration without gravity")
    ]
    missed: list[tuple[str, str, str]] = []
    total = 0
    for index in sorted(recordings.glob("*/index.csv")):
        with index.open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))[::12]
        for row in rows:
            recording = read_npz(index.parent / row["file"])
            place = recording.places[0]
            acc, gyr = (
                part[: round(60 * recording.rate_hz)].astype(float)
                for part in (recording.sensors[place].acc_mps2, recording.sensors[place].gyr_radps)
            )
            summary = analyse_recording(place, chunks(acc, gyr, recording.rate_hz, []), PARAMS).summary
            assert not [item for item in summary.quality if item.fatal], row["file"]
            for name, fault, flag in faults:
                total += 1
                parts = chunks(*fault(acc, gyr), recording.rate_hz, [])
                found = {item.flag for item in analyse_recording(place, parts, PARAMS).summary.quality}
                expected = {flag, QualityFlag.SENSORS_DISAGREE} if "deg/s" in name else {flag}
                if not found & expected:
                    missed.append((row["file"], name, str(found)))
    assert total > 80
    assert len(missed) <= 0.03 * total, missed
