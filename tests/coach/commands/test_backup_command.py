"""`backstop backup` and `restore` as an owner calls them: beside a running Backstop, killed, without room, wrongly."""

from __future__ import annotations

import resource
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from coach.__main__ import main
from coach.instance import DATABASE, KEY_FILES
from coach.store.engine import migrate, open_store
from tests.coach.commands.test_run_command import refused, running

# What else may lie in the storage folder, and why no backup holds it.
NOT_KEPT = {
    "backstop.lock": "who runs now",
    "backup.lock": "who makes a backup now",
    f"{DATABASE}-wal": "it is in the copy",
    f"{DATABASE}-shm": "it is made anew",
    "uploads": "files that wait for a yes; their owner has them",
}
BACKUP = [sys.executable, "-m", "coach", "backup"]


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A storage folder whose copy takes a while."""
    storage = tmp_path / "var"
    storage.mkdir()
    with open_store(storage / DATABASE) as store:
        migrate(store)
    with closing(sqlite3.connect(storage / DATABASE)) as connection, connection:
        connection.execute("CREATE TABLE ballast (bytes BLOB)")
        connection.executemany("INSERT INTO ballast VALUES (randomblob(?))", [(9_000_000,)] * 8)
    return storage


def test_a_running_backstop_is_backed_up_and_comes_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    storage, new = tmp_path / "var", tmp_path / "new"
    with running("--port", "0", "--storage", str(storage), guard_s=300.0):
        # It runs: nothing is replaced under it, whatever the file.
        assert "already uses the folder" in refused(
            capsys, "restore", "any.zip", "--storage", str(storage), "--replace"
        )
        there = {path.name for path in storage.iterdir()}
        assert there - {DATABASE, *KEY_FILES} <= set(NOT_KEPT), "a file without a rule: is it part of a backup?"
        done = subprocess.run(
            [*BACKUP, "--storage", str(storage), "--to", str(tmp_path / "b")],
            capture_output=True, text=True, timeout=120, cwd=Path(__file__).parents[3],
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "read back and checked" in done.stdout
        (backup,) = (tmp_path / "b").iterdir()
    assert main(["restore", "--check", str(backup)]) == 0
    assert "is whole" in capsys.readouterr().out
    assert "--replace" in refused(capsys, "restore", str(backup), "--storage", str(storage))
    assert main(["restore", str(backup), "--storage", str(new)]) == 0
    told = capsys.readouterr().out
    assert "is as it was at" in told
    assert "withdrawn, revoked or ended since stands again" in told
    for name in KEY_FILES:
        assert (new / name).read_bytes() == (storage / name).read_bytes()
    with running("--port", "0", "--storage", str(new), guard_s=300.0) as said:
        assert "sign in once as the athlete" in said
    assert main(["restore", str(backup), "--storage", str(new), "--replace"]) == 0
    assert "is kept in" in capsys.readouterr().out


def test_a_backup_that_is_killed_leaves_no_file_that_looks_like_one(large: Path, tmp_path: Path) -> None:
    folder = tmp_path / "b"
    process = subprocess.Popen(
        [*BACKUP, "--storage", str(large), "--to", str(folder)],
        cwd=Path(__file__).parents[3],
        stdout=subprocess.DEVNULL,
    )
    until_s = time.monotonic() + 60
    while not list(folder.glob(f".backup-*/{DATABASE}")):
        assert time.monotonic() < until_s
        assert process.poll() is None
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    assert list(folder.glob("*.zip")) == []
    assert main(["backup", "--storage", str(large), "--to", str(folder)]) == 0
    assert [path.suffix for path in folder.iterdir()] == [".zip"]


@pytest.mark.parametrize("mb", [5, 60])
def test_without_room_nothing_is_left_and_one_sentence_is_said(large: Path, tmp_path: Path, mb: int) -> None:
    """A limit on the size of files stands in for the full disk."""
    done = subprocess.run(
        [*BACKUP, "--storage", str(large), "--to", str(tmp_path / "b")],
        capture_output=True, text=True, timeout=120, cwd=Path(__file__).parents[3],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (mb * 1_000_000, mb * 1_000_000)),
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "make room" in done.stderr
    assert list((tmp_path / "b").iterdir()) == []


def test_wrong_input_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "--to" in refused(capsys, "backup")
    assert "There is no database" in refused(capsys, "backup", "--to", str(tmp_path / "b"), "--storage", str(tmp_path))
    assert "cannot be read" in refused(capsys, "restore", str(tmp_path / "none.zip"))
    (tmp_path / "text.zip").write_text("no zip", encoding="utf-8")
    for options in ([], ["--check"]):
        assert "is no backup" in refused(capsys, "restore", str(tmp_path / "text.zip"), *options)
    assert list((tmp_path / "var").glob("*.sqlite3")) == []
