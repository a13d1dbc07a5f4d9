"""`backstop doctor` over a healthy folder, over every trouble that it knows, and beside a Backstop that runs."""

from __future__ import annotations

import json
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from coach.__main__ import main
from coach.config import BackupSection, Config
from coach.instance import DATABASE
from coach.service.backups import Backups
from coach.spool import Spool
from coach.store.engine import migrate, open_store
from devices.hostclock import SystemClock
from tests.coach.club import START, FakeClock, bending_chunks, found_club
from tests.coach.commands.test_run_command import running
from tests.coach.notify.receivers import http_receiver, mail_server

Told = dict[str, dict[str, str]]
# Also the exit status.
RANK = {"ok": 0, "attention": 1, "broken": 2}


@pytest.fixture
def storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a club's database, its keys, and a backup of now."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "var"
    folder.mkdir(mode=0o700)
    clock = FakeClock(datetime.now(UTC) - timedelta(minutes=1))
    with open_store(folder / DATABASE) as store:
        migrate(store)
        club = found_club(store, clock, config=Config(storage={"directory": folder}))
        club.services.log.append(bending_chunks(1, 6, clock.utc_s() - 60))
    (folder / "session.key").write_text("k" * 64, encoding="ascii")
    for each in folder.iterdir():
        each.chmod(0o600)
    Backups(folder, BackupSection(), SystemClock()).make(tmp_path / "backups")
    monkeypatch.setenv("BACKSTOP_BACKUP__FOLDER", str(tmp_path / "backups"))
    return folder


def examined(capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, Told]:
    capsys.readouterr()
    status = main(["doctor", "--json", *options])
    document = json.loads(capsys.readouterr().out)
    lines = {}
    for line in document["lines"]:
        assert bool(line["remedy"]) == (line["state"] != "ok"), line
        # The worst line of a part speaks for it.
        if RANK[line["state"]] >= RANK[lines.get(line["part"], line)["state"]]:
            lines[line["part"]] = line
    assert status == RANK[document["state"]]
    return status, lines


def changed(storage: Path, *statements: str) -> None:
    with closing(sqlite3.connect(storage / DATABASE)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def test_a_healthy_folder_is_told_so_line_by_line(storage: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, lines = examined(capsys, "--all")
    # What this machine has or lacks by itself is not of the folder.
    here = {"adapter", "versions"}
    assert {part: line["state"] for part, line in lines.items() if part not in here} == dict.fromkeys(
        ("database", "schema", "chunks", "disk", "clock", "time zones", "permissions", "spool", "backups"), "ok"
    )
    assert lines["chunks"]["says"] == "All 12 ever stored fit their checksums."
    assert "Python" in lines["versions"]["says"]
    main(["doctor"])
    said = capsys.readouterr().out
    assert len([line for line in said.splitlines() if line.startswith("ok ")]) >= 9


def damage_chunk(storage: Path) -> None:
    changed(
        storage, "UPDATE chunk SET blob = CAST(substr(blob, 1, 40) || x'ff' || substr(blob, 42) AS BLOB) WHERE id = 3"
    )


def damage_page(storage: Path) -> None:
    with closing(sqlite3.connect(storage / DATABASE)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        (page,) = connection.execute(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'ix_feature_athlete_time'"
        ).fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    with (storage / DATABASE).open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * 64)


def damage_backup(storage: Path) -> None:
    (path,) = (storage.parent / "backups").glob("*.zip")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)


def age_backup(storage: Path) -> None:
    (path,) = (storage.parent / "backups").glob("*.zip")
    path.rename(path.with_name(f"backstop-{datetime.now(UTC) - timedelta(days=4):%Y%m%dT%H%M%SZ}.zip"))


def tear_spool(storage: Path) -> None:
    folder = storage / "gateway" / "server-1" / "spool"
    spool = Spool(folder, 1_000_000)
    spool.append([b"a chunk", b"another"])
    spool.close()
    with next(folder.glob("*.spool")).open("ab") as file:
        file.write(b"BSRC torn")


def jump(storage: Path) -> None:
    ahead = datetime.now(UTC) + timedelta(days=400)
    changed(storage, f"UPDATE event SET at = '{ahead:%Y-%m-%d %H:%M:%S.%f}'")


@pytest.mark.parametrize(
    ("trouble", "part", "state", "says", "remedy"),
    [
        (damage_chunk, "chunks", "broken", "1 of 12 ever stored are damaged: 3", "disk"),
        (damage_page, "database", "broken", "damaged", "backstop restore"),
        (
            lambda s: changed(s, "PRAGMA foreign_keys=OFF", "UPDATE stream SET wearable_id = 'none'"),
            "database",
            "broken",
            "a row of stream names one of wearable",
            "backstop restore",
        ),
        (
            lambda s: (s / DATABASE).write_bytes(b"something else" * 1000),
            "database",
            "broken",
            "not a database",
            "restore",
        ),
        (
            lambda s: changed(s, "UPDATE alembic_version SET version_num = '9999'"),
            "schema",
            "broken",
            "newer",
            "Install",
        ),
        (
            lambda s: changed(s, "UPDATE alembic_version SET version_num = '0004'"),
            "schema",
            "attention",
            "0004",
            "start",
        ),
        (lambda s: (s / "session.key").chmod(0o644), "permissions", "attention", "session.key", "chmod -R go-rwx"),
        (lambda s: (s / DATABASE).chmod(0o640), "permissions", "broken", DATABASE, "chmod -R go-rwx"),
        (jump, "clock", "broken", "it jumped", "restart Backstop"),
        (
            lambda s: changed(s, "UPDATE athlete SET time_zone = 'Mars/Base'"),
            "time zones",
            "broken",
            "Mars/Base",
            "tzdata",
        ),
        (damage_backup, "backups", "broken", "damaged", "backstop backup"),
        (age_backup, "backups", "broken", "96 h old", "log"),
        (
            lambda s: next((s.parent / "backups").glob("*.zip")).unlink(),
            "backups",
            "broken",
            "none in",
            "backstop backup",
        ),
        (
            lambda s: (s / "before-restore-20261101T000000Z").mkdir(),
            "backups",
            "attention",
            "before a restore",
            "Remove",
        ),
        (tear_spool, "spool", "attention", "2 chunks wait for server-1", "torn end"),
        (lambda s: (s / DATABASE).unlink(), "database", "attention", "There is none", "backstop run"),
    ],
)
def test_each_trouble_is_found_and_has_its_remedy(
    storage: Path, capsys: pytest.CaptureFixture[str], trouble: Callable[[Path], Any], part: str, state: str, says: str,
    remedy: str,
) -> None:  # fmt: skip
    trouble(storage)
    status, lines = examined(capsys, "--all")
    assert (lines[part]["state"], status) == (state, max(status, RANK[state]))
    assert says in lines[part]["says"]
    assert remedy in lines[part]["remedy"]


def test_old_chunks_are_left_out_unless_all_are_asked_for(storage: Path, capsys: pytest.CaptureFixture[str]) -> None:
    damage_chunk(storage)
    changed(storage, f"UPDATE chunk SET received_at = '{START - timedelta(days=300):%Y-%m-%d %H:%M:%S.%f}'")
    assert examined(capsys)[1]["chunks"]["says"] == "All 0 of the last 7 days fit their checksums."
    assert examined(capsys, "--all")[1]["chunks"]["state"] == "broken"


def test_a_secret_in_a_file_that_others_read(storage: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = storage.parent / "config.toml"
    file.write_text('[mail]\npassword = "hunter2"\n', encoding="utf-8")
    file.chmod(0o644)
    line = examined(capsys)[1]["permissions"]
    assert (line["state"], "mail.password" in line["says"], "chmod 600" in line["remedy"]) == ("broken", True, True)
    assert "hunter2" not in str(line)
    file.chmod(0o600)
    assert examined(capsys)[1]["permissions"]["state"] == "ok"


def test_a_disk_that_takes_nothing(storage: Path) -> None:
    """A limit on the size of files stands in for the full disk: the probe cannot be written."""
    done = subprocess.run(
        [sys.executable, "-m", "coach", "doctor", "--json", "--storage", str(storage)],
        capture_output=True, text=True, timeout=120, cwd=Path(__file__).parents[3],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)),
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    (line, *_) = [each for each in json.loads(done.stdout)["lines"] if each["part"] == "disk"]
    assert line["state"] == "broken"
    assert "Nothing can be written" in line["says"]


def test_beside_a_backstop_that_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with running("--port", "0", "--storage", str(tmp_path / "var"), guard_s=300.0):
        _, lines = examined(capsys, "--storage", str(tmp_path / "var"))
        assert lines["database"]["state"] == lines["chunks"]["state"] == lines["permissions"]["state"] == "ok"


def test_the_network_is_knocked_at_when_asked_for(
    storage: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not {"mail", "webhook"} & set(examined(capsys)[1])
    monkeypatch.setenv("BACKSTOP_MAIL__HOST", "127.0.0.1")
    monkeypatch.setenv("BACKSTOP_MAIL__TLS", "none")
    monkeypatch.setenv("BACKSTOP_MAIL__SENDER", "coach@example.org")
    with mail_server() as mails, http_receiver() as hooks:
        changed(
            storage,
            "INSERT INTO webhook_target (athlete_id, url, secret, created_at) "
            f"SELECT id, '{hooks.url}/a-secret-path', 'x', created_at FROM athlete",
        )
        monkeypatch.setenv("BACKSTOP_MAIL__PORT", str(mails.port))
        lines = examined(capsys, "--network")[1]
        assert lines["mail"]["state"] == "ok"
        assert lines["webhook"]["state"] == "attention"  # this machine is not allowed
        monkeypatch.setenv("BACKSTOP_REMINDERS__PRIVATE_TARGETS", "true")
        assert examined(capsys, "--network")[1]["webhook"]["state"] == "ok"
        assert (mails.mails, hooks.received) == ([], [])
    lines = examined(capsys, "--network")[1]
    assert (lines["mail"]["state"], lines["webhook"]["state"]) == ("broken", "attention")
    assert "a-secret-path" not in str(lines)
