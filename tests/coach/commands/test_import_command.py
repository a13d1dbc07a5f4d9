"""`backstop import` and `backstop analyze` on other apps' files, as typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from coach.__main__ import main
from tests.coach.service.test_imports import bends, npz, phone_zip


@pytest.fixture
def phone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A phone's recording, beside the database of an athlete called Ada."""
    monkeypatch.chdir(tmp_path)
    assert main(["user", "add", "Ada", "--role", "athlete", "--time-zone", "Europe/Berlin"]) == 0
    return phone_zip(tmp_path / "walk.zip", *bends(60.0))


def test_look_then_import_then_refuse(phone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    to_ada = ["import", str(phone), "--athlete", "ada"]
    assert main([*to_ada, "--dry-run"]) == 2
    told = capsys.readouterr()
    assert "place not known, 60.0 s at 50 Hz, accelerometer and gyroscope, 100.0% covered, no gaps" in told.out
    assert "begins 2025-11-26 09:00:00 CET (from the file's own times)" in told.out
    assert "Say where the sensor “phone” was worn" in told.err
    placed = [*to_ada, "--place", "lower_back"]
    assert main([*placed, "--dry-run"]) == 0
    assert main(placed) == 0
    assert "imported for Ada, lower_back, 60.0 s" in capsys.readouterr().out
    assert main(placed) == 2
    assert "imported already, from" in capsys.readouterr().err


def test_a_wrong_file_does_not_stop_the_right_ones(
    phone: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut = tmp_path / "cut.zip"
    cut.write_bytes(phone.read_bytes()[:2000])
    assert main(["import", str(cut), str(phone), "--athlete", "Ada", "--place", "chest"]) == 2
    told = capsys.readouterr()
    assert "imported for Ada" in told.out
    assert len(told.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--place", "nose"], "with a place of"),
        (["--place", "chest", "--start", "soon"], "give it like"),
        (["--place", "chest", "--athlete", "Nobody"], "no athlete named Nobody"),
    ],
)
def test_wrong_options_are_a_sentence(
    phone: Path, capsys: pytest.CaptureFixture[str], more: list[str], says: str
) -> None:
    assert main(["import", str(phone), "--athlete", "Ada", *more]) == 2
    told = capsys.readouterr().err
    assert says in told
    assert len(told.splitlines()) == 1


def test_analyze_reads_what_import_reads(phone: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["analyze", "--json", str(phone), "--place", "lower_back"]) == 0
    of_phone = json.loads(capsys.readouterr().out)
    assert main(["analyze", "--json", str(npz(tmp_path / "same.npz", lower_back=bends(60.0)))]) == 0
    of_npz = json.loads(capsys.readouterr().out)
    assert of_phone["sensors"] == of_npz["sensors"]
    assert main(["analyze", str(phone), "--place", "knee"]) == 2
    assert "choose --place from phone" in capsys.readouterr().err
