"""`backstop export`, `import-athlete` and `erase`, as they are typed."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from coach.__main__ import main
from coach.config import load
from coach.instance import database_path
from coach.store.engine import migrate, open_store
from tests.coach.club import FakeClock, bending_chunks, found_club


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A storage folder with Ada in it."""
    folder = tmp_path / "here"
    monkeypatch.setenv("BACKSTOP_STORAGE__DIRECTORY", str(folder))
    folder.mkdir()
    with open_store(database_path(folder)) as store:
        migrate(store)
        club = found_club(store, FakeClock(), config=load())
        club.services.log.append(bending_chunks(1, 6, club.clock.utc_s()))
    return folder


def test_from_one_machine_to_another_and_gone_from_the_first(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "ada.zip"
    assert main(["export", "--athlete", "ada", "--to", str(path)]) == 0
    assert "1 recordings with 1500 samples" in capsys.readouterr().out
    assert path.stat().st_mode & 0o077 == 0
    assert main(["export", "--athlete", "Ada", "--to", str(path)]) == 2
    assert "not there" in capsys.readouterr().err
    monkeypatch.setenv("BACKSTOP_STORAGE__DIRECTORY", str(tmp_path / "there"))
    assert main(["import-athlete", str(path)]) == 0
    assert "Ada was taken in" in capsys.readouterr().out
    assert main(["import-athlete", str(path)]) == 2
    assert "here already" in capsys.readouterr().err
    again = tmp_path / "again.zip"
    assert main(["export", "--athlete", "Ada", "--to", str(again)]) == 0
    with zipfile.ZipFile(path) as one, zipfile.ZipFile(again) as other:
        assert one.namelist() == other.namelist()
        # The ledger says of each machine's owner that they took it along.
        differ = [name for name in one.namelist() if one.read(name) != other.read(name)]
        assert set(differ) <= {"manifest.json", "tables/ledger_entry.jsonl"}
        assert b"the owner of this machine" in one.read("tables/ledger_entry.jsonl")
    monkeypatch.setenv("BACKSTOP_STORAGE__DIRECTORY", str(here))
    assert main(["erase", "--athlete", "Ada"]) == 2
    assert "Nothing was erased" in capsys.readouterr().err
    assert main(["erase", "--athlete", "Ada", "--confirm", "Bea"]) == 2
    assert main(["erase", "--athlete", "Ada", "--confirm", "Ada"]) == 0
    assert "No row is left." in capsys.readouterr().out
    assert main(["export", "--athlete", "Ada", "--to", str(tmp_path / "no.zip")]) == 2
    assert not (tmp_path / "no.zip").exists()
    capsys.readouterr()
    assert main(["user", "list"]) == 0
    assert "Ada" not in capsys.readouterr().out


@pytest.mark.parametrize("text", [b"", b"no zip", b"PK\x03\x04"])
def test_what_is_no_export_is_one_sentence(
    here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: bytes
) -> None:
    (tmp_path / "a.zip").write_bytes(text)
    assert main(["import-athlete", str(tmp_path / "a.zip")]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "no export of Backstop" in said
    assert main(["import-athlete", str(tmp_path / "nothing.zip")]) == 2
    assert "cannot be read" in capsys.readouterr().err
