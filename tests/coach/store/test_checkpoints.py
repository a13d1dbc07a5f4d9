"""The log beside the database stays small though somebody always writes."""

from __future__ import annotations

import threading
from pathlib import Path

from sqlalchemy import text

from coach.store import engine
from coach.store.engine import open_store


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
