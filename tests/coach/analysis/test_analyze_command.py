"""`backstop analyze`: the document, the series, and one line for what is wrong."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coach.commands import analyze
from coach.errors import CoachError
from tests.coach.analysis.motion import bends, hinge
from tests.coach.profile_file import own_profile

RATE = 50.0


def command(*args: str | Path) -> int:
    """Run the command as the program does: a known error is a sentence and status 2."""
    parser = argparse.ArgumentParser()
    analyze.register(parser.add_subparsers())
    parsed = parser.parse_args(["analyze", *map(str, args)])
    try:
        return int(parsed.handler(parsed))
    except CoachError as error:
        print(f"backstop analyze: {error}", file=sys.stderr)
        return 2


def recording(path: Path, duration_s: float = 30.0, per_min: float = 6.0, **more: Any) -> Path:
    starts = np.arange(5.0, duration_s - 2, 60 / per_min).tolist()
    acc, gyr = hinge(bends(starts, duration_s, RATE), RATE)
    content = {"fs": RATE, "chest_acc": acc.astype(np.float32), "chest_gyr": gyr.astype(np.float32), **more}
    np.savez(path, **content)
    return path


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_one_document_per_file_and_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, two = recording(tmp_path / "one.npz"), recording(tmp_path / "two.npz", 720.0, 7.0)
    assert command(one, two, "--json") == 0
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert set(first) == {"file", "duration_s", "algorithm", "sensors", "findings", "not_computable"}
    assert first["file"] == str(one)
    assert first["duration_s"] == 30.0
    assert set(first["algorithm"]) == {"name", "version"}
    sensor = first["sensors"]["chest"]
    assert set(sensor) >= {"rate_hz", "coverage_share", "reference", "repetitions", "posture", "cycles", "quality"}
    assert sensor["quality"] == []
    assert sensor["reference"] == "first_2_still_seconds"
    assert sensor["coverage_share"] == 1.0
    assert [set(bend) for bend in sensor["bends"]] == [{"start_s", "peak_s", "end_s", "rom_deg"}] * 3
    assert set(sensor["posture"]["share_above_deg"]) == {"20", "30", "45", "60", "90"}
    assert all(set(c) == {"range_deg", "count"} for c in sensor["cycles"])
    assert {"repeated_bending", "lying", "direction"} == {item["what"] for item in first["not_computable"]}
    assert all(item["needs"] for item in first["not_computable"])
    (finding,) = second["findings"]
    assert set(finding) == {"kind", "statement", "grade", "because", "coverage_share"}
    assert finding["kind"] == "repeated_bending"
    assert set(finding["because"]) >= {"window", "values", "threshold", "source", "algorithm", "coverage_share"}


def test_a_person_gets_a_table_and_the_disclaimer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(recording(tmp_path / "a.npz", 720.0, 7.0)) == 0
    out = capsys.readouterr().out
    assert "You bent forward 84 times" in out
    assert "not a diagnosis" in out
    assert "nan" not in out


def test_nan_becomes_a_gap_with_its_coverage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    acc, gyr = hinge(np.zeros(500), RATE)
    acc[100:200] = np.nan
    hip = np.full((500, 3), np.nan)
    hip[:20] = acc[:20]
    path = recording(tmp_path / "a.npz", 10.0, chest_acc=acc, chest_gyr=gyr, hip_acc=hip, hip_gyr=gyr)
    assert command(path, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["sensors"]["chest"]["coverage_share"] == 0.8
    assert list(document["sensors"]) == ["chest"]
    assert {"what": "sensor", "needs": "1 s of data; it keeps 0.40 s", "place": "hip"} in document["not_computable"]


def test_one_second_is_enough(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(recording(tmp_path / "a.npz", 1.0), "--json") == 0
    assert json.loads(capsys.readouterr().out)["sensors"]["chest"]["reference"] == "first_settled_second"


def test_series(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    angle = bends([5.0, 11.0], 20.0, RATE)
    acc, gyr = hinge(angle, RATE)
    acc[800:850] = np.nan
    out = tmp_path / "series.out"
    assert command(recording(tmp_path / "a.npz", chest_acc=acc, chest_gyr=gyr), "--series", out, "--json") == 0
    with np.load(out) as series:
        assert set(series.files) == {"t_s", "chest_quat", "chest_inclination_deg"}
        np.testing.assert_allclose(series["t_s"], np.arange(1000) / RATE)
        assert series["chest_quat"].shape == (1000, 4)
        missing = np.isnan(series["chest_inclination_deg"])
        assert np.flatnonzero(missing).tolist() == list(range(800, 850))
        np.testing.assert_allclose(series["chest_inclination_deg"][~missing], angle[~missing], atol=1.5)
        w, x, y, z = series["chest_quat"][:800].T
        # The specific force of a sensor at rest, turned by the quaternion, points along z.
        vertical = 2 * (x * z - w * y) * acc[:800, 0] + 2 * (y * z + w * x) * acc[:800, 1]
        vertical += (1 - 2 * (x * x + y * y)) * acc[:800, 2]
        np.testing.assert_allclose(vertical, 9.81, atol=0.05)


def test_series_has_one_row_per_row_of_the_file(tmp_path: Path) -> None:
    acc, gyr = hinge(np.zeros(1000), RATE)
    there = np.r_[0:300, 500:1000]
    times = 40.0 + np.arange(1000) / RATE + np.random.default_rng(1).uniform(-0.004, 0.004, 1000)
    content: dict[str, Any] = {"t": times[there], "chest_acc": acc[there], "chest_gyr": gyr[there]}
    out = tmp_path / "series.npz"
    assert command(recording(tmp_path / "a.npz", **content), "--series", out) == 0
    with np.load(out) as series:
        np.testing.assert_allclose(series["t_s"], times[there] - times[0], atol=1e-9)
        assert series["chest_quat"].shape == (800, 4)
        assert np.isfinite(series["chest_inclination_deg"]).all()


def test_a_result_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("a full disk is at hand on Linux only")
    path = recording(tmp_path / "a.npz")
    with open("/dev/full", "w") as full:
        program = [sys.executable, "-m", "coach", "analyze", str(path)]
        done = subprocess.run(program, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "cannot be written" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="names there are text")
def test_a_name_that_is_no_text_is_printed_all_the_same(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    named = recording(tmp_path / "a.npz").rename(tmp_path / os.fsdecode(b"a-\xff.npz"))
    assert command(named) == 0
    assert command(named, "--json") == 0
    assert "a-" in capfd.readouterr().out


def test_series_of_two_files_or_over_the_recording_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = recording(tmp_path / "a.npz")
    before = path.read_bytes()
    assert command(path, path, "--series", tmp_path / "o.npz") == 2
    assert command(path, "--series", path) == 2
    assert command(path, "--series", tmp_path / "no" / "o.npz") == 2
    assert path.read_bytes() == before
    error = capsys.readouterr().err.splitlines()
    assert len(error) == 3
    assert "2 files" in error[0]
    assert "the recording itself" in error[1]
    assert "cannot be written" in error[2]


def test_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    acc, gyr = hinge(np.zeros(1500), RATE)
    path = recording(tmp_path / "a.npz", hip_acc=acc, hip_gyr=gyr)
    assert command(path, "--json", "--place", "hip") == 0
    document = json.loads(capsys.readouterr().out)
    assert list(document["sensors"]) == ["hip"]
    assert any(i["what"] == "repeated_bending" and "trunk" in i["needs"] for i in document["not_computable"])
    assert command(path, "--place", "knee") == 2
    assert (
        capsys.readouterr().err == f"backstop analyze: {path}: no sensor at 'knee'; choose --place from chest, hip.\n"
    )


def test_a_wrong_file_does_not_hide_the_right_ones(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = tmp_path / "text.npz"
    text.write_text("not an archive")
    short = recording(tmp_path / "short.npz", 0.5)
    good = recording(tmp_path / "good.npz")
    assert command(text, good, short, tmp_path / "none.npz", "--json") == 2
    out, err = capsys.readouterr()
    assert [json.loads(line)["file"] for line in out.splitlines()] == [str(good)]
    lines = err.splitlines()
    assert len(lines) == 3
    assert "not an .npz file" in lines[0]
    assert "no sensor keeps 1 s" in lines[1]
    assert "no such file" in lines[2]


def test_thresholds_come_from_the_profile(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = recording(tmp_path / "a.npz", 300.0, 6.0)
    assert command(path, "--json") == 0
    assert json.loads(capsys.readouterr().out)["findings"] == []
    profile = own_profile(tmp_path, "short", duration_min=2)
    assert command(path, "--json", "--profile", str(profile)) == 0
    (finding,) = json.loads(capsys.readouterr().out)["findings"]
    assert finding["because"]["threshold"]["min_duration_s"] == 120.0
