"""The log beside the database stays small though somebody always writes."""

from __future__ import annotations

import threading
import time
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


def test_the_log_stays_small_when_much_comes_at_once(tmp_path: Path) -> None:
    """Before: 200 commits of a gateway's backlog went by without a checkpoint, however large each was."""
    path = tmp_path / "much.db"
    longest = 0
    with open_store(path) as store:
        with store.begin() as tx:
            tx.execute(text("create table note (what text)"))
        for _ in range(120):
            with store.begin() as tx:
                tx.execute(text("insert into note values (:what)"), {"what": "x" * 1_000_000})
            longest = max(longest, Path(f"{path}-wal").stat().st_size)
        assert path.stat().st_size > 60_000_000
    assert longest < engine._LOG_BYTES + (engine._CHECKPOINT_SOON + 1) * 1_100_000


def test_of_the_threads_of_a_process_one_checkpoints_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two that follow on each other, with a commit between them, are what SQLite before 3.51.3 may be damaged by."""
    at_work: list[int] = []
    most, commits = 0, 0
    real = Store._checkpoint

    def slow(store: Store, tx: Connection) -> None:
        nonlocal most, commits
        at_work.append(1)
        most, before = max(most, len(at_work)), commits
        time.sleep(0.02)
        real(store, tx)
        assert commits == before, "nobody of this process wrote meanwhile"
        at_work.pop()
        told.append(1)

    told: list[int] = []
    monkeypatch.setattr(Store, "_checkpoint", slow)
    monkeypatch.setattr(engine, "_CHECKPOINT_COMMITS", 3)
    with open_store(tmp_path / "b.db") as store:

        def commit() -> None:
            nonlocal commits
            for _ in range(15):
                with store.begin_derived() as tx:
                    tx.exec_driver_sql("CREATE TABLE IF NOT EXISTS t (a)")
                    commits += 1

        threads = [threading.Thread(target=commit) for _ in range(4)]
        for each in threads:
            each.start()
        for each in threads:
            each.join(30)
    assert most == 1
    assert len(told) == 60 // 3
