"""Backups: one moment whoever writes, checked before they count, and what a damaged one does."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import threading
import zipfile
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from coach import backup_file
from coach.config import BackupSection, Config
from coach.errors import AlreadyRunning, Conflict, InvalidInput, StoreUnavailable
from coach.instance import DATABASE, hold
from coach.service import from_backup
from coach.service.backups import Backups, kept_in
from coach.store import snapshot
from coach.store.engine import Store, migrate, open_store
from tests.coach.club import START, Club, FakeClock, bending_chunks, found_club
from tests.coach.store.test_editions_migration import at_schema

NOW = datetime(2026, 11, 26, tzinfo=UTC)


def everything(connection: sqlite3.Connection) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, whatever tables there are."""
    return {name: connection.execute(f'SELECT * FROM "{name}" ORDER BY rowid').fetchall() for name in
            snapshot.tables(connection)}  # fmt: skip


def content_of(database: Path) -> dict[str, list[tuple[Any, ...]]]:
    with closing(sqlite3.connect(database)) as connection:
        return everything(connection)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "var").mkdir()
    return tmp_path / "var"


@pytest.fixture
def kept_club(folder: Path) -> Club:
    """A club whose database lies where a Backstop keeps it, with two minutes of signal and the keys."""
    store = open_store(folder / DATABASE)
    migrate(store)
    club = found_club(store, FakeClock(), config=Config(storage={"directory": folder}))
    club.services.log.append(bending_chunks(2, 6, START.timestamp() - 120))
    for name in ("session.key", "vapid.key"):
        (folder / name).write_text(name * 8, encoding="ascii")
    return club


def backups_of(club: Club, storage: Path, **settings: Any) -> Backups:
    return Backups(storage, BackupSection(**settings), club.clock)


def test_a_backup_brings_everything_back(kept_club: Club, folder: Path, tmp_path: Path) -> None:
    made = backups_of(kept_club, folder).make(tmp_path / "b")
    assert made.path.name == "backstop-20261124T140000Z.zip"
    assert made.path.stat().st_mode & 0o077 == 0
    assert made.manifest.rows["chunk"] == 24
    assert [path.name for path in (tmp_path / "b").iterdir()] == [made.path.name]
    new = tmp_path / "new"
    new.mkdir()
    restored = from_backup.restore(made.path, new, NOW)
    assert restored.aside is None
    assert {path.name for path in new.iterdir()} == {DATABASE, "session.key", "vapid.key"}
    assert content_of(new / DATABASE) == content_of(folder / DATABASE)
    assert (new / "vapid.key").read_text(encoding="ascii") == "vapid.key" * 8
    assert [path.name for path in new.iterdir() if path.stat().st_mode & 0o077] == []


def test_steps_of_a_copy_are_of_one_moment_while_others_write(kept_club: Club, folder: Path, tmp_path: Path) -> None:
    """Another connection commits between all steps; without one transaction the copy would begin anew each time."""
    connection = sqlite3.connect(folder / DATABASE, isolation_level=None)
    with closing(connection):
        connection.execute("CREATE TABLE ballast (bytes BLOB)")
        for _ in range(5):
            connection.execute("INSERT INTO ballast VALUES (randomblob(9000000))")
        done, commits = threading.Event(), [0]

        def write() -> None:
            with closing(sqlite3.connect(folder / DATABASE, isolation_level=None, timeout=10)) as writer:
                while not done.is_set():
                    writer.execute("UPDATE athlete SET name = name || 'x'")
                    commits[0] += 1

        thread = threading.Thread(target=write)
        seen: list[dict[str, list[tuple[Any, ...]]]] = []
        before = [0]

        def same_moment(opened: sqlite3.Connection) -> None:
            seen.append(everything(opened))
            before.append(commits[0])

        thread.start()
        try:
            made = backups_of(kept_club, folder).make(tmp_path / "b", also=same_moment, pause_s=0.05)
        finally:
            done.set()
            thread.join()
    assert before[-1] > 20  # commits that the copy did not hinder, nor they it
    new = tmp_path / "new"
    new.mkdir()
    from_backup.restore(made.path, new, NOW)
    assert content_of(new / DATABASE) == seen[0]


def test_erased_rows_are_in_no_page_of_a_backup(kept_club: Club, folder: Path, tmp_path: Path) -> None:
    secret = "what nobody should find again " * 2000
    with closing(sqlite3.connect(folder / DATABASE)) as connection, connection:
        connection.execute("UPDATE athlete SET sport = ?", (secret,))
    with closing(sqlite3.connect(folder / DATABASE)) as connection, connection:
        connection.execute("UPDATE athlete SET sport = ''")
    kept_club.store.close()
    made = backups_of(kept_club, folder).make(tmp_path / "b")
    with zipfile.ZipFile(made.path) as archive:
        assert secret[:29].encode() not in archive.read(DATABASE)


def test_backups_are_made_when_due_and_kept_for_their_days(kept_club: Club, folder: Path, tmp_path: Path) -> None:
    clock, place = kept_club.clock, tmp_path / "backups"
    backups = backups_of(kept_club, folder, folder=str(place), every_h=24, keep_days=3)
    place.mkdir()
    (place / "notes.zip").write_text("somebody's own file", encoding="utf-8")
    made = 0
    for _ in range(8 * 24):
        made += backups.make_due(clock.now) is not None
        clock.forward(hours=1)
    assert made == 8
    # The last one was made 24 h ago; those made more than 3 days before it are gone.
    assert [each.made_at for each in kept_in(place)] == [START + timedelta(days=day) for day in (4, 5, 6, 7)]
    assert (place / "notes.zip").exists()
    # A clock that was ahead has left backups of the future: the next one is made all the same.
    clock.now = START + timedelta(days=3, hours=1)
    assert backups.make_due(clock.now) is not None
    assert backups.make_due(clock.now) is None


def test_without_a_folder_none_is_due(kept_club: Club, folder: Path) -> None:
    assert backups_of(kept_club, folder).make_due(kept_club.clock.now) is None


def test_the_newest_stays_however_old(kept_club: Club, folder: Path, tmp_path: Path) -> None:
    backups = backups_of(kept_club, folder, keep_days=1)
    old = backups.make(tmp_path / "b")
    kept_club.clock.forward(days=400)
    new = backups.make(tmp_path / "b")
    assert new.removed == (old.path,)
    assert [each.path for each in kept_in(tmp_path / "b")] == [new.path]


def test_one_at_a_time_and_none_over_another(kept_club: Club, folder: Path, tmp_path: Path) -> None:
    backups = backups_of(kept_club, folder)
    with hold(folder / "backup.lock", AlreadyRunning), pytest.raises(AlreadyRunning, match="wait for it"):
        backups.make(tmp_path / "b")
    backups.make(tmp_path / "mine.zip", folder=False)
    with pytest.raises(InvalidInput, match="is there already"):
        backups.make(tmp_path / "mine.zip", folder=False)


def test_what_a_killed_backup_left_is_swept(kept_club: Club, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "b" / ".backup-abc").mkdir(parents=True)
    (tmp_path / "b" / ".backup-abc" / DATABASE).write_bytes(b"half")
    made = backups_of(kept_club, folder).make(tmp_path / "b")
    assert list((tmp_path / "b").iterdir()) == [made.path]


def test_a_damaged_chunk_stops_a_backup_and_is_named(kept_club: Club, folder: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(folder / DATABASE)) as connection, connection:
        connection.execute(
            "UPDATE chunk SET blob = CAST(substr(blob, 1, length(blob) - 1) || x'00' AS BLOB) WHERE id = 20"
        )
    with pytest.raises(InvalidInput, match=r"Chunk 20 .*doctor --all"):
        backups_of(kept_club, folder).make(tmp_path / "b")
    assert list((tmp_path / "b").iterdir()) == []


def test_damage_anywhere_in_the_file_is_found(kept_club: Club, folder: Path, tmp_path: Path) -> None:
    made = backups_of(kept_club, folder).make(tmp_path / "b")
    whole = made.path.read_bytes()
    draw = random.Random(5)
    with zipfile.ZipFile(made.path) as archive:
        infos = archive.infolist()
    hurt = tmp_path / "hurt.zip"
    for info in infos:
        # Behind the local header, within the packed bytes; the last ones only say that it is the end.
        begin = info.header_offset + 30 + len(info.filename) + 20
        for _ in range(6):
            at = begin + draw.randrange(max(1, info.compress_size - 24))
            hurt.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
            with pytest.raises(InvalidInput, match=r"damaged|no backup"):
                from_backup.check(hurt)
    for cut in (0, 10, len(whole) // 2, len(whole) - 1):
        hurt.write_bytes(whole[:cut])
        with pytest.raises(InvalidInput, match="no backup"):
            from_backup.check(hurt)
    assert from_backup.check(made.path).chunks == 24


def rewritten(path: Path, target: Path, change: dict[str, Any], more: dict[str, bytes] | None = None) -> Path:
    """Another backup with the parts of this one, and with a manifest that says something else."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w") as new:
        manifest = json.loads(old.read("manifest.json")) | change
        new.writestr("manifest.json", json.dumps(manifest))
        for name in old.namelist():
            if name != "manifest.json":
                new.writestr(name, old.read(name))
        for name, data in (more or {}).items():
            new.writestr(name, data)
    return target


def test_a_file_of_somebody_elses_is_refused_and_changes_nothing(kept_club: Club, folder: Path, tmp_path: Path) -> None:
    made = backups_of(kept_club, folder).make(tmp_path / "b")
    parts = {name: {"sha256": part.sha256, "bytes": part.bytes} for name, part in made.manifest.parts.items()}
    rows = dict(made.manifest.rows)
    out = backup_file.Part("0" * 64, 1)
    cases: list[tuple[dict[str, Any], str]] = [
        ({"parts": {**parts, "../out": {"sha256": out.sha256, "bytes": 1}}}, "other files"),
        ({"parts": {"session.key": parts["session.key"]}}, "other files"),
        ({"parts": {**parts, "session.key": {"sha256": "0" * 64, "bytes": 72}}}, "damaged"),
        ({"parts": {**parts, DATABASE: {**parts[DATABASE], "bytes": 5}}}, "damaged"),
        ({"rows": {**rows, "chunk": 25}}, "chunk"),
        ({"schema": "0001"}, "schema"),
        ({"format": 2}, "newer Backstop"),
        ({"rows": None}, "no backup"),
        ({"parts": "x"}, "no backup"),
        ({"made_at": "yesterday"}, "no backup"),
    ]
    new = tmp_path / "new"
    new.mkdir()
    for number, (change, says) in enumerate(cases):
        case = rewritten(made.path, tmp_path / f"{number}.zip", change, {"../out": b"x"})
        with pytest.raises(InvalidInput, match=says):
            from_backup.restore(case, new, NOW)
        assert list(new.iterdir()) == []
    assert not (tmp_path / "out").exists()
    for other in (tmp_path / "none.zip", tmp_path):
        with pytest.raises(InvalidInput, match="cannot be read"):
            from_backup.check(other)


def test_a_database_that_is_there_is_put_aside_whole(kept_club: Club, folder: Path, tmp_path: Path) -> None:
    made = backups_of(kept_club, folder).make(tmp_path / "b")
    kept_club.services.log.append(bending_chunks(1, 6, START.timestamp(), "later"))
    later = content_of(folder / DATABASE)
    with pytest.raises(Conflict, match="--replace"):
        from_backup.restore(made.path, folder, NOW)
    assert content_of(folder / DATABASE) == later
    kept_club.store.close()
    restored = from_backup.restore(made.path, folder, NOW, replace=True)
    assert restored.aside == folder / "before-restore-20261126T000000Z"
    assert content_of(restored.aside / DATABASE) == later
    assert len(later["chunk"]) == 36
    assert len(content_of(folder / DATABASE)["chunk"]) == 24
    assert not (folder / f"{DATABASE}-wal").exists()


def test_a_damaged_database_is_replaced_too(kept_club: Club, folder: Path, tmp_path: Path) -> None:
    made = backups_of(kept_club, folder).make(tmp_path / "b")
    kept_club.store.close()
    (folder / DATABASE).write_bytes(b"lightning struck here" * 1000)
    (folder / f"{DATABASE}-wal").write_bytes(b"and here" * 1000)
    restored = from_backup.restore(made.path, folder, NOW, replace=True)
    assert restored.aside is not None
    assert (restored.aside / DATABASE).read_bytes().startswith(b"lightning")
    assert len(content_of(folder / DATABASE)["chunk"]) == 24


def test_who_was_erased_since_stays_erased(kept_club: Club, folder: Path, tmp_path: Path) -> None:
    club, backups = kept_club, backups_of(kept_club, folder)
    made = backups.make(tmp_path / "b")
    other_id = club.services.athletes.create("Bo", "UTC", club.coach.user_id)
    club.services.erasing.erase(None, club.athlete_id, "Ada")
    club.store.close()
    club.clock.forward(hours=1)
    newer = backups.make(tmp_path / "b")
    # Into the same folder, and onto a new disk, where only the list beside the backups is left.
    new = tmp_path / "new"
    new.mkdir()
    for target in (folder, new):
        restored = from_backup.restore(made.path, target, NOW, replace=True)
        assert restored.erased_again == 1
        content = content_of(target / DATABASE)
        assert (content["athlete"], content["chunk"], content["wearable"]) == ([], [], [])
        assert b"Ada" not in (target / DATABASE).read_bytes()
    restored = from_backup.restore(newer.path, new, NOW + timedelta(hours=1), replace=True)
    assert restored.erased_again == 0
    assert [row[0] for row in content_of(new / DATABASE)["athlete"]] == [other_id]


def test_a_backup_of_an_older_schema_is_brought_forward(kept_club: Club, folder: Path, tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.mkdir()
    with open_store(old / DATABASE) as store:
        at_schema(store, "0004")
    made = Backups(old, BackupSection(), kept_club.clock).make(tmp_path / "b")
    assert made.manifest.schema == "0004"
    new = tmp_path / "new"
    new.mkdir()
    from_backup.restore(made.path, new, NOW)
    with open_store(new / DATABASE) as store, store.read() as tx:
        assert tx.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == head(kept_club.store)


def head(store: Store) -> str:
    with store.read() as tx:
        return str(tx.exec_driver_sql("SELECT version_num FROM alembic_version").scalar())


def test_no_room_and_no_database_are_sentences(tmp_path: Path) -> None:
    clock = FakeClock()
    (tmp_path / "empty").mkdir()
    with pytest.raises(StoreUnavailable, match="There is no database"):
        Backups(tmp_path / "empty", BackupSection(), clock).make(tmp_path / "b")
    place = tmp_path / "file"
    place.write_text("x", encoding="utf-8")
    with pytest.raises(StoreUnavailable, match="cannot be written"):
        Backups(tmp_path / "empty", BackupSection(), clock).make(place / "b")
    assert os.listdir(tmp_path / "b") == []
