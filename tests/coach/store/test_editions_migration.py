"""A database of schema 0004 that holds findings is brought up to date, and every finding stays readable."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config as AlembicConfig
from alembic.migration import MigrationContext
from alembic.operations import Operations

from coach.store import findings
from coach.store.engine import MIGRATIONS, Store, migrate, open_store
from coach.store.every_table import metadata
from coach.store.migrations.versions import v0005_findings_with_editions

AT = "'2026-11-01 09:00:00'"
BECAUSE = {"window": {"start_s": 30.0}, "values": {"bends": 84}}
ATHLETE = "'a1', 'Ada', 'UTC', '07:00', '18:00', '[]', '', 0, 0, 0, 'c', " + AT
WEARABLE = (
    "INSERT INTO wearable (id, athlete_id, address, family, name, placement, simulated, created_at)"
    f" VALUES ('w1', 'a1', 'C0', 'movella-dot', 'Strap', 'chest', 0, {AT})"
)
STREAM = (
    "INSERT INTO stream (id, device_id, recording_id, athlete_id, wearable_id, placement, rate_hz, max_seq,"
    " last_received_at, live, created_at)"
    f" VALUES ('{{0}}', 'C0', '{{0}}', 'a1', 'w1', 'chest', 60.0, 3, {AT}, 1, {AT})"
)


def at_schema(store: Store, revision: str) -> None:
    config = AlembicConfig()
    config.set_main_option("script_location", str(MIGRATIONS))
    with store.begin() as tx:
        config.attributes["connection"] = tx
        command.upgrade(config, revision)


def old_finding(finding_id: str, stream_id: str, key: str, state: str) -> dict[str, Any]:
    return {
        "id": finding_id, "athlete_id": "a1", "stream_id": stream_id, "key": key, "kind": "repeated_bending",
        "placement": "chest", "statement": f"You bent {finding_id}.", "grade": "amber", "state": state,
        "started_at": "2026-11-01 09:00:30", "ended_at": "2026-11-01 09:15:00", "coverage_share": 0.97,
        "because": json.dumps(BECAUSE), "created_at": "2026-11-01 09:10:00", "updated_at": "2026-11-01 09:15:00",
    }  # fmt: skip


@pytest.fixture
def upgraded(tmp_path: Path) -> Store:
    store = open_store(tmp_path / "a.db")
    at_schema(store, "0004")
    with store.begin() as tx:
        tx.exec_driver_sql(f"INSERT INTO athlete VALUES ({ATHLETE})")
        tx.exec_driver_sql(WEARABLE)
        for stream_id in ("s1", "s2"):
            tx.exec_driver_sql(STREAM.format(stream_id))
        # The same key in two streams: it told findings of one stream apart, not those of an athlete.
        for number, (stream_id, state) in enumerate((("s1", "closed"), ("s2", "open"))):
            values = old_finding(f"{number}" * 32, stream_id, "repeated_bending-30", state)
            names = ", ".join(values)
            tx.exec_driver_sql(
                f"INSERT INTO finding ({names}) VALUES ({', '.join('?' * len(values))})", tuple(values.values())
            )
    migrate(store)
    return store


def test_findings_of_before_stay_as_those_of_edition_1(upgraded: Store) -> None:
    with upgraded as store, store.read() as tx:
        assert compare_metadata(MigrationContext.configure(tx), metadata) == []
        closed, still_open = (findings.get(tx, digit * 32) for digit in "01")
        assert closed is not None
        assert still_open is not None
        assert len(findings.of_athlete(tx, "a1", 10)) == 2
        edition = findings.get_edition(tx, "1")
        assert edition is not None
        assert (edition["algorithm_version"], edition["parameters"]) == ("1", {})
    start, end = datetime(2026, 11, 1, 9, 0, 30, tzinfo=UTC), datetime(2026, 11, 1, 9, 15, tzinfo=UTC)
    for row, closed_at in ((closed, end), (still_open, None)):
        assert row["edition"] == "1"
        assert (row["opened_at"], row["changed_at"], row["closed_at"]) == (start, end, closed_at)
        assert row["superseded_by"] is None
        assert row["because"] == BECAUSE
        assert row["statement"] == f"You bent {row['id']}."
    assert closed["key"] != still_open["key"]


def test_a_newer_edition_leaves_them_readable(upgraded: Store) -> None:
    now = datetime(2026, 11, 2, tzinfo=UTC)
    with upgraded as store:
        with store.begin() as tx:
            values = {
                "id": "2-abc", "algorithm_name": "backstop", "algorithm_version": "2", "profile_id": "general",
                "profile_version": "1", "parameters": {}, "created_at": now,
            }  # fmt: skip
            findings.add_edition(tx, values)
            findings.add_edition(tx, values)  # known is no error
            day = (datetime(2026, 11, 1, tzinfo=UTC), now)
            assert set(findings.supersede(tx, "a1", "2-abc", *day, now)) == {"0" * 32, "1" * 32}
        with store.read() as tx:
            assert findings.of_athlete(tx, "a1", 10) == []
            old = findings.get(tx, "0" * 32)
            assert old is not None
            assert old["superseded_by"] == "2-abc"
            assert old["because"] == BECAUSE


def test_the_statements_are_those_of_postgresql_too() -> None:
    """Compiled only: whether a server takes them is asked where there is one."""
    written = StringIO()
    options = {"as_sql": True, "output_buffer": written, "target_metadata": metadata}
    context = MigrationContext.configure(dialect_name="postgresql", opts=options)
    with Operations.context(context):
        v0005_findings_with_editions.upgrade()
    sql = written.getvalue()
    assert "CREATE TABLE exposure" in sql
    assert "ALTER TABLE finding DROP CONSTRAINT uq_finding_stream_id_key" in sql
    assert "_alembic_tmp" not in sql  # what only SQLite needs
