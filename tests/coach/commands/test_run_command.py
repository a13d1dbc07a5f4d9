"""`backstop run`, `user` and `migrate` as an owner calls them, mostly with something wrong."""

from __future__ import annotations

import os
import re
import socket
import sqlite3
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from coach.__main__ import main

RUN = [sys.executable, "-m", "coach", "run", "--host", "127.0.0.1"]


@contextmanager
def running(*options: str, guard_s: float = 60.0) -> Iterator[str]:
    """Start `backstop run`; yield what it printed up to its last line; end it in order.

    guard_s: after this long it is killed, so that nothing hangs.
    """
    process = subprocess.Popen(
        [*RUN, *options], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    guard = threading.Timer(guard_s, process.kill)
    guard.start()
    try:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if "Ctrl-C" in line:
                break
        yield said
        process.terminate()
        assert process.wait(30) == 0
        rest = process.stdout.read()
        assert "Traceback" not in rest, rest
    finally:
        guard.cancel()
        process.kill()
        process.wait(10)
        if process.stdout is not None:
            process.stdout.close()


def refused(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    """Return the one sentence that a command answers to wrong input."""
    assert main(list(argv)) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    lines = printed.err.strip().splitlines()
    assert len(lines) == 1, printed.err
    return lines[0]


def test_a_second_start_on_the_same_database_says_so_and_history_is_analysed_beside_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with running("--port", "0", "--storage", str(tmp_path), "--no-simulate") as said:
        assert "nobody coaches here yet" in said
        assert "sign in once as the owner Owner" in said
        second = subprocess.run(
            [*RUN, "--port", "0", "--storage", str(tmp_path)],
            capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        monkeypatch.setenv("BACKSTOP_STORAGE__DIRECTORY", str(tmp_path))
        assert main(["rerun"]) == 0
        assert "Nobody is there whose recordings could be analysed" in capsys.readouterr().out
    assert second.returncode == 2
    told = second.stderr.rstrip("\n")
    assert "\n" not in told
    assert "already uses the folder" in told
    assert str(tmp_path) in told


def test_it_starts_again_and_knows_everybody(tmp_path: Path) -> None:
    for _ in range(2):
        with running("--port", "0", "--storage", str(tmp_path)) as said:
            links = re.findall(r"as the (coach|athlete) .*?(http\S+)", said)
            assert sorted(who for who, _ in links) == ["athlete", "coach"]
            with urllib.request.urlopen(dict(links)["coach"], timeout=10) as page:
                assert page.status == 200
            # The link was for one time.
            with pytest.raises(urllib.error.HTTPError) as gone:
                urllib.request.urlopen(dict(links)["coach"], timeout=10)
            with gone.value:
                assert gone.value.code == 403


def test_a_port_in_use_is_a_sentence(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [*RUN, "--port", str(port), "--storage", str(tmp_path)],
            capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    assert done.returncode == 2
    assert str(port) in done.stderr
    assert "Traceback" not in done.stderr


def test_wrong_input_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "99999" in refused(capsys, "run", "--port", "99999", "--storage", str(tmp_path))
    assert "none.toml" in refused(capsys, "run", "--config", str(tmp_path / "none.toml"))
    file = tmp_path / "a file"
    file.write_text("x", encoding="utf-8")
    assert "a file" in refused(capsys, "run", "--storage", str(file))
    nowhere = refused(capsys, "run", "--host", "999.1.1.1", "--storage", str(tmp_path / "s"), "--no-simulate")
    assert "'999.1.1.1' (--host or web.host)" in nowhere
    assert "Errno" not in nowhere
    monkeypatch.setenv("BACKSTOP_SIMULATE__MOTION", "flying")
    assert "flying" in refused(capsys, "run", "--storage", str(tmp_path / "s"))
    monkeypatch.setenv("BACKSTOP_SIMULATE__MOTION", "desk")
    monkeypatch.setenv("BACKSTOP_SIMULATE__RATE_HZ", "50")
    assert "60" in refused(capsys, "run", "--storage", str(tmp_path / "s"))


@pytest.mark.parametrize(
    ("argv", "names"),
    [
        ([], "COMMAND"),
        (["fly"], "fly"),
        (["run", "--port", "x"], "--port"),
        (["user", "add"], "--role"),
        (["analyze"], "FILE"),
    ],
)
def test_a_wrong_command_line_is_one_sentence(argv: list[str], names: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(argv)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert names in said
    assert said.count("\n") == 1


def test_a_damaged_database_is_said_and_left_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    database = tmp_path / "backstop.sqlite3"
    database.write_bytes(b"this is no database, but it is somebody's file " * 100)
    before = database.read_bytes()
    assert "backstop.sqlite3" in refused(capsys, "run", "--storage", str(tmp_path))
    assert database.read_bytes() == before


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'id = "own', "cannot be read"),
        (b"\xff\xd8\xff\xe0", "is no text"),
        (b'id = "own"\n', "the key name is missing"),
    ],
)
def test_a_broken_profile_of_ones_own_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, content: bytes, says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "own.toml").write_bytes(content)
    monkeypatch.setenv("BACKSTOP_PROFILES__FOLDER", str(tmp_path / "own"))
    for command in (["run", "--no-simulate"], ["rerun"], ["user", "list"]):
        said = refused(capsys, *command)
        assert "own.toml" in said
        assert says in said
        assert "codec" not in said


def test_people_are_made_on_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["user", "add", "Ida", "--role", "coach"]) == 0
    assert main(["user", "add", "Ben", "--role", "athlete", "--coach", "Ida", "--time-zone", "Europe/Oslo"]) == 0
    assert main(["user", "link", "ben"]) == 0
    said = capsys.readouterr().out
    assert len(re.findall(r"http://127\.0\.0\.1:8000/enter/\S+", said)) == 3
    assert main(["user", "list"]) == 0
    assert capsys.readouterr().out.split() == ["athlete", "Ben", "coach", "Ida"]
    assert "taken" in refused(capsys, "user", "add", "Ben", "--role", "athlete")
    assert "Mars/Base" in refused(capsys, "user", "add", "Zoe", "--role", "athlete", "--time-zone", "Mars/Base")
    assert "Nobody" in refused(capsys, "user", "add", "Zoe", "--role", "athlete", "--coach", "Nobody")
    assert "--sport" in refused(capsys, "user", "add", "Zoe", "--role", "coach", "--sport", "golf")
    assert "Zoe" in refused(capsys, "user", "link", "Zoe")
    assert main(["migrate"]) == 0
    assert "up to date" in capsys.readouterr().out


def test_an_athlete_gets_a_profile_and_a_date_of_birth_on_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["user", "add", "Ben", "--role", "athlete", "--sport", "Softball", "--born", "2014-03-09"]) == 0
    capsys.readouterr()
    assert main(["user", "change", "ben", "--born", "2014-03-08"]) == 0
    assert capsys.readouterr().out == "Ben: profile baseball, born 2014-03-08.\n"
    assert main(["user", "change", "ben", "--profile", "desk"]) == 0
    assert capsys.readouterr().out == "Ben: profile desk, born 2014-03-08.\n"
    assert main(["user", "add", "Cy", "--role", "athlete", "--sport", "golf", "--profile", "desk"]) == 0
    capsys.readouterr()
    assert "choose one of baseball, desk" in refused(capsys, "user", "change", "Ben", "--profile", "chess")
    assert "YYYY-MM-DD" in refused(capsys, "user", "change", "Ben", "--born", "yesterday")
    assert "--profile or --born" in refused(capsys, "user", "change", "Ben")
    assert "no athlete named Nobody" in refused(capsys, "user", "change", "Nobody", "--profile", "golf")
    assert "--born" in refused(capsys, "user", "add", "Zoe", "--role", "coach", "--born", "2014-03-09")


def test_what_is_stored_is_for_its_owner_only(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        storage = tmp_path / "shared"
        storage.mkdir(mode=0o755)
        with running("--port", "0", "--storage", str(storage), "--no-simulate"):
            readable = [path.name for path in storage.iterdir() if path.stat().st_mode & 0o077]
        assert readable == []
    finally:
        os.umask(before)


def test_a_database_of_a_newer_backstop_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["migrate"]) == 0
    capsys.readouterr()
    connection = sqlite3.connect(tmp_path / "var" / "backstop.sqlite3")
    with connection:
        connection.execute("update alembic_version set version_num = 'from the future'")
    connection.close()
    assert "newer Backstop" in refused(capsys, "migrate")
