"""The log beside the database stays small though somebody always writes."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from coach.store import engine
from coach.store.engine import Store, open_store


def test_the_log_stays_small_while_two_write_and_one_reads(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with open_store(path) as store, open_store(path) as other:
        with store.begin() as tx:
            tx.execute(text("create table note (what text)"))
        over = threading.Event()

        def write() -> None:
            while not over.is_set():
                with other.begin_derived() as tx:
                    tx.execute(text("insert into note values (:what)"), {"what": "y" * 20_000})

        def read() -> None:
            while not over.is_set():
                with store.read() as tx:
                    tx.execute(text("select count(*) from note")).scalar()

        threads = [threading.Thread(target=each) for each in (write, read)]
        for each in threads:
            each.start()
        try:
            for _ in range(700):
                with store.begin_derived() as tx:
                    tx.execute(text("insert into note values (:what)"), {"what": "x" * 20_000})
        finally:
            over.set()
            for each in threads:
                each.join()
        written = path.stat().st_size
        assert written > 14_000_000
        # A log that never began anew would be larger than what was written.
        assert Path(f"{path}-wal").stat().st_size < 2 * engine._LOG_PAGES * engine._PAGE_BYTES


def test_of_the_threads_of_a_process_one_checkpoints_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two that follow on each other, with a commit between them, are what SQLite before 3.51.3 may be damaged by."""
    begun, go_on = threading.Event(), threading.Event()
    calls: list[int] = []
    real = Store._checkpoint

    def slow(store: Store, tx: Connection) -> None:
        calls.append(1)
        begun.set()
        go_on.wait(10)
        real(store, tx)

    monkeypatch.setattr(Store, "_checkpoint", slow)
    monkeypatch.setattr(engine, "_CHECKPOINT_COMMITS", 3)
    with open_store(tmp_path / "b.db") as store:

        def commit(times: int) -> None:
            for _ in range(times):
                with store.begin_derived() as tx:
                    tx.exec_driver_sql("CREATE TABLE IF NOT EXISTS t (a)")

        first = threading.Thread(target=commit, args=(3,))
        first.start()
        assert begun.wait(10)
        commit(5)
        assert len(calls) == 1
        go_on.set()
        first.join(10)
        commit(2)
        assert len(calls) == 1
        commit(1)
        assert len(calls) == 2
