"""The migrated schema is the one that the code supposes; SQLite is set as promised."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config as AlembicConfig
from alembic.migration import MigrationContext

from coach.errors import Conflict, StoreUnavailable
from coach.store.engine import MIGRATIONS, Store, migrate, open_store
from coach.store.every_table import metadata
from coach.store.tables import event

EVENT = {
    "at": datetime(2026, 11, 24, tzinfo=UTC),
    "actor": "test",
    "action": "did",
    "subject": "thing",
    "subject_id": "1",
    "why": "to see",
}


def add_event(store: Store, at: datetime) -> None:
    with store.begin() as tx:
        tx.execute(event.insert().values(**{**EVENT, "at": at}))


def test_migrated_schema_equals_the_metadata(tmp_path: Path) -> None:
    with open_store(tmp_path / "deep" / "backstop.db") as store:
        migrate(store)
        migrate(store)  # up to date is no work
        with store.read() as tx:
            assert compare_metadata(MigrationContext.configure(tx), metadata) == []
            found = set(sa.inspect(tx).get_table_names())
    assert found == set(metadata.tables) | {"alembic_version"}


def test_a_database_of_the_first_version_is_brought_up_to_date_and_old_tokens_end(tmp_path: Path) -> None:
    with open_store(tmp_path / "a.db") as store:
        config = AlembicConfig()
        config.set_main_option("script_location", str(MIGRATIONS))
        with store.begin() as tx:
            config.attributes["connection"] = tx
            command.upgrade(config, "0001")
        values = "'t1', 'hash', 'chunks', 'a1', 'old', '2026-11-01 00:00:00'"
        athlete = "'a1', 'Ada', 'UTC', '07:00', '18:00', '[]', '', 0, 0, 0, 'c', '2026-11-01 00:00:00'"
        with store.begin() as tx:
            tx.exec_driver_sql(f"INSERT INTO athlete VALUES ({athlete})")
            columns = "id, token_hash, scope, athlete_id, label, created_at"
            tx.exec_driver_sql(f"INSERT INTO api_token ({columns}) VALUES ({values})")
        migrate(store)
        with store.read() as tx:
            assert compare_metadata(MigrationContext.configure(tx), metadata) == []
            assert tx.exec_driver_sql("SELECT label, revoked_at IS NOT NULL FROM api_token").all() == [("old", 1)]


def test_what_is_told_to_be_kept_commits_full_and_what_is_derived_normal(tmp_path: Path) -> None:
    with open_store(tmp_path / "a.db") as store:
        with store.begin() as tx:
            assert tx.exec_driver_sql("PRAGMA synchronous").scalar() == 2
            assert tx.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        with store.begin_derived() as tx:
            assert tx.exec_driver_sql("PRAGMA synchronous").scalar() == 1
            assert tx.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_times_keep_their_instant_and_naive_ones_are_refused(tmp_path: Path) -> None:
    at = datetime(2026, 10, 25, 2, 30, tzinfo=timezone(timedelta(hours=2)))
    with open_store(tmp_path / "a.db") as store:
        migrate(store)
        add_event(store, at)
        with store.read() as tx:
            found = tx.execute(sa.select(event.c.at)).scalar_one()
        assert found == at
        assert found.tzinfo is UTC
        with pytest.raises(sa.exc.StatementError, match="no time zone"):
            add_event(store, datetime(2026, 10, 25, 2, 30))  # noqa: DTZ001 - the naive one is the point


def test_a_failed_transaction_leaves_nothing(tmp_path: Path) -> None:
    with open_store(tmp_path / "a.db") as store:
        migrate(store)

        def fail_after_a_write() -> None:
            with store.begin() as tx:
                tx.execute(event.insert().values(**EVENT))
                raise RuntimeError

        with pytest.raises(RuntimeError):
            fail_after_a_write()
        with store.read() as tx:
            assert tx.execute(sa.select(sa.func.count()).select_from(event)).scalar_one() == 0


def test_foreign_files_and_newer_databases_get_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(b"this is a text, not a database, and it is long enough to be read as one. " * 20)
    with open_store(tmp_path / "a.db") as store, pytest.raises(StoreUnavailable, match="cannot be used now"):
        migrate(store)
    with open_store(tmp_path / "b.db") as store:
        migrate(store)
        with store.begin() as tx:
            tx.exec_driver_sql("UPDATE alembic_version SET version_num = 'from-the-future'")
        with pytest.raises(StoreUnavailable, match="newer Backstop"):
            migrate(store)
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreUnavailable, match="cannot be made"):
        open_store(tmp_path / "file" / "c.db")


def test_a_broken_constraint_is_a_conflict(tmp_path: Path) -> None:
    with open_store(tmp_path / "a.db") as store:
        migrate(store)
        with pytest.raises(Conflict), store.begin() as tx:
            tx.execute(event.insert().values(**EVENT, athlete_id="nobody"))
