"""Backups are taken while a Backstop of its own process runs and chunks are stored from here too; each is brought back
into an empty folder. The export of what came back equals, byte for byte, the export taken at the moment of the backup.
"""

from __future__ import annotations

import io
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from coach.config import BackupSection, Config
from coach.instance import DATABASE
from coach.service import build_services, from_backup
from coach.service.backups import Backups
from coach.service.exports import write_archive
from coach.service.types import Role
from coach.store import snapshot
from coach.store.engine import Store, Tx, open_store
from devices.hostclock import SystemClock
from tests.coach.club import bending_chunks
from tests.coach.commands.test_run_command import running

NOW = datetime(2026, 11, 26, tzinfo=UTC)
# Wearables that hand in chunks of a second, each this often: as many as 120 live ones would.
WEARABLES = 6
PAUSE_S = 0.05

Exports = dict[str, bytes]
Rows = dict[str, list[tuple[Any, ...]]]


@contextmanager
def over(snapshot_: sqlite3.Connection) -> Iterator[Tx]:
    """The same read transaction, as the export's queries want it."""
    engine = sa.create_engine("sqlite://", creator=lambda: snapshot_, poolclass=sa.StaticPool)
    # SQLAlchemy ends with a rollback whatever it finds open, also when it has looked at its first connection: the
    # snapshot would be over, and the export of a later moment.
    engine.dialect.do_rollback = lambda _: None  # type: ignore[method-assign]
    with engine.connect() as tx:
        yield tx


def exports(tx: Tx) -> Exports:
    found = {}
    for athlete_id in tx.execute(sa.text("SELECT id FROM athlete ORDER BY id")).scalars().all():
        out = io.BytesIO()
        write_archive(tx, athlete_id, out, NOW)
        found[athlete_id] = out.getvalue()
    return found


def rows(connection: sqlite3.Connection) -> Rows:
    return {name: connection.execute(f'SELECT * FROM "{name}" ORDER BY rowid').fetchall() for name in
            snapshot.tables(connection)}  # fmt: skip


class Load:
    """Wearables of an athlete of their own, and a diary that is written into, from this process."""

    def __init__(self, store: Store) -> None:
        self.stored = 0
        self._services = build_services(store, Config(), SystemClock())
        self._stopping = threading.Event()
        athlete_id = self._services.athletes.create("Load", "Europe/Oslo", None)
        user_id = self._services.accounts.create_user("Load", Role.ATHLETE, athlete_id=athlete_id)
        person = self._services.accounts.identity(user_id)
        assert person is not None
        self._addresses = [f"C0:FF:EE:00:01:{number:02d}" for number in range(WEARABLES)]
        for number, address in enumerate(self._addresses):
            self._services.wearables.add(person, athlete_id, address, "movella-dot", f"Strap {number}", "chest")
        self._threads = [threading.Thread(target=self._send, args=(address,)) for address in self._addresses]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _send(self, address: str) -> None:
        start = time.time() - 86_400
        for recording in range(100):
            for chunk in bending_chunks(10, 6, start + 600 * recording, f"load-{recording}", address, chunk_s=1.0):
                if self._stopping.wait(PAUSE_S):
                    return
                assert self._services.log.append([chunk]) == (chunk.key,)
                self.stored += 1


def chunks_in(database: Path) -> int:
    with closing(sqlite3.connect(database, timeout=10)) as connection:
        return int(connection.execute("SELECT count(*) FROM chunk").fetchone()[0])


@pytest.mark.proof
def test_a_backup_under_load_is_the_export_of_its_moment(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    full_or_quick: Callable[[int, int], int],
    figure: Callable[[str, object, str], None],
) -> None:
    storage = tmp_path / "var"
    database = storage / DATABASE
    rounds = full_or_quick(10, 2)
    backups = Backups(storage, BackupSection(), SystemClock())
    during: list[int] = []
    took_s: list[float] = []
    with ExitStack() as stack:
        stack.enter_context(running("--port", "0", "--storage", str(storage), guard_s=900.0))
        load = stack.enter_context(Load(stack.enter_context(open_store(database))))
        while load.stored < 200:
            time.sleep(0.05)
        for number in range(rounds):
            seen: list[tuple[Exports, Rows]] = []

            def of_this_moment(opened: sqlite3.Connection, seen: list[tuple[Exports, Rows]] = seen) -> None:
                with over(opened) as tx:
                    seen.append((exports(tx), rows(opened)))

            begun_s = time.monotonic()
            made = backups.make(tmp_path / f"{number}.zip", also=of_this_moment, folder=False)
            took_s.append(time.monotonic() - begun_s)
            during.append(chunks_in(database) - made.manifest.rows["chunk"])
            new = tmp_path / f"new{number}"
            new.mkdir()
            from_backup.restore(made.path, new, NOW)
            with open_store(new / DATABASE) as store, store.read() as tx:
                again = exports(tx)
            with closing(sqlite3.connect(new / DATABASE)) as connection:
                rows_again = rows(connection)
            ((then, rows_then),) = seen
            assert len(again) == 2  # the simulated athlete and the one of the load
            assert again == then
            assert rows_again == rows_then
    # There was a load: others stored chunks between the moment of each backup and its end.
    assert min(during) > 0
    figure("backups under load that equal the export of their moment", f"{rounds} of {rounds}", "")
    figure("chunks stored while a backup was made, least", min(during), "")
    figure("a backup took, longest", round(max(took_s), 2), "s")
