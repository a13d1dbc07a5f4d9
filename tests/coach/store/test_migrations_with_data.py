"""A database of any earlier schema, with rows in every table, comes forward: each row is there, and pages show it.

In each old schema lie two kinds of rows. Those of a club that lived by the services of today, as far as the old tables
had room for them: their pages are opened afterwards. And for every table a row that is made of nothing but the types of
its columns, of an athlete whom nobody looks at.
"""

from __future__ import annotations

import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config as AlembicConfig
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from coach.config import Config
from coach.live import LiveFeed
from coach.service import build_services
from coach.service.types import Role
from coach.store.engine import MIGRATIONS, migrate, open_store
from coach.store.every_table import metadata
from coach.web import create_app
from programs.types import Answer
from tests.coach.store.test_editions_migration import at_schema
from tests.coach.web.conftest import ADDRESS, StandingClock, _pair, analyse_all, standing_then_bending

Row = dict[str, Any]
Rows = dict[str, list[Row]]

# What a migration changes on purpose: the last schema before it, table and columns. Everything else stays as it was.
CHANGED: list[tuple[str, str, set[str]]] = [
    # Tokens of before gateways had a way of their own end.
    ("0001", "api_token", {"revoked_at"}),
    # A key told findings of one recording apart, then those of an athlete.
    ("0004", "finding", {"key"}),
    # The number of changes of a session is guessed from its state.
    ("0008", "planned_session", {"sequence"}),
]
# Tables that are gone: the last schema with them, and where what they said is now.
GONE = {"care_sharing": ("0016", "consent")}

# Where services read everybody's rows, what is made up has to be one of the values that there are.
MEANT = {
    ("user_account", "role"): "athlete",
    ("user_account", "language"): "en",
    ("user_account", "units"): "metric",
}


def revisions() -> list[str]:
    config = AlembicConfig()
    config.set_main_option("script_location", str(MIGRATIONS))
    return [each.revision for each in ScriptDirectory.from_config(config).walk_revisions()][::-1]


REVISIONS = revisions()


@dataclass(frozen=True)
class Column:
    name: str
    kind: str
    not_null: bool
    key: bool
    default: Any


def tables_of(connection: sqlite3.Connection) -> list[str]:
    """Each table after those that its rows name."""
    names = [name for (name,) in connection.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT IN ('alembic_version', 'sqlite_sequence')"
    )]  # fmt: skip
    needs = {
        name: {row[2] for row in connection.execute(f"PRAGMA foreign_key_list('{name}')")} - {name} for name in names
    }
    ordered: list[str] = []
    while len(ordered) < len(names):
        free = sorted(name for name in names if name not in ordered and needs[name] <= set(ordered))
        assert free, "tables name each other in a circle"
        ordered += free
    return ordered


def columns_of(connection: sqlite3.Connection, table: str) -> list[Column]:
    return [
        Column(name, kind.upper(), bool(not_null), bool(key), default)
        for _, name, kind, not_null, default, key in connection.execute(f"PRAGMA table_info('{table}')")
    ]


def rows_of(connection: sqlite3.Connection, table: str) -> list[Row]:
    cursor = connection.execute(f'SELECT * FROM "{table}"')
    names = [each[0] for each in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def made_up(table: str, column: Column) -> Any:
    """A value of nothing but the column's type."""
    if (table, column.name) in MEANT:
        return MEANT[table, column.name]
    kind = column.kind
    if length := re.match(r"VARCHAR\((\d+)\)", kind):
        return f"{table}.{column.name}"[: int(length[1])].rjust(4, "x")
    for begin, value in (
        ("DATETIME", "2026-10-01 08:30:00.000000"), ("DATE", "2026-10-01"), ("TIME", "07:30:00.000000"),
        ("JSON", "[]"), ("BLOB", b"\x01\x02"), ("BOOLEAN", 1), ("DOUBLE", 2.5), ("FLOAT", 2.5), ("BIGINT", 7),
        ("INTEGER", 7), ("TEXT", f"{table}.{column.name}"),
    ):  # fmt: skip
        if kind.startswith(begin):
            return value
    raise AssertionError(f"{table}.{column.name} has a type that nothing is made up for: {kind}")


def insert(connection: sqlite3.Connection, table: str, row: Row) -> None:
    names = ", ".join(f'"{name}"' for name in row)
    connection.execute(f'INSERT INTO "{table}" ({names}) VALUES ({", ".join("?" * len(row))})', tuple(row.values()))


def put_made_up(connection: sqlite3.Connection) -> None:
    made: dict[str, Row] = {}
    for table in tables_of(connection):
        row = {column.name: made_up(table, column) for column in columns_of(connection, table)}
        for _, _, parent, own, theirs, *_ in connection.execute(f"PRAGMA foreign_key_list('{table}')"):
            row[own] = made[parent][theirs] if parent in made else None
        if "id" in row and row["id"] == 7:
            row["id"] = 1_000_000  # numbered: beyond what the club has
        insert(connection, table, row)
        made[table] = row


def put_club(connection: sqlite3.Connection, donor: sqlite3.Connection) -> None:
    there = set(tables_of(donor))
    for table in tables_of(connection):
        parents = {own: (parent, theirs) for _, _, parent, own, theirs, *_ in
                   connection.execute(f"PRAGMA foreign_key_list('{table}')")}  # fmt: skip
        # Edition 1 is made by a migration.
        known = {row["id"] for row in rows_of(connection, table)} if table == "edition" else set()
        for row in rows_of(donor, table) if table in there else []:
            if known and row["id"] in known:
                continue
            old: Row = {}
            for column in columns_of(connection, table):
                value = row.get(column.name)
                if value is None and column.not_null:
                    if column.default is not None and column.name not in row:
                        continue
                    value = made_up(table, column)
                    if column.name in parents:
                        parent, theirs = parents[column.name]
                        value = rows_of(connection, parent)[0][theirs]
                old[column.name] = value
            insert(connection, table, old)


@pytest.fixture(scope="module")
def donor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A club that lived by the services of today: a coach, an athlete with findings, a program, outcomes, a diary."""
    path = tmp_path_factory.mktemp("donor") / "donor.db"
    clock = StandingClock()
    with open_store(path) as store:
        migrate(store)
        services = build_services(store, Config(), clock)
        kim, ada = _pair(services, "Kim", "Ada")
        services.wearables.add(ada.identity, ada.athlete_id, ADDRESS, "movella-dot", "Chest strap", "chest")
        services.log.append(standing_then_bending())
        analyse_all(services)
        services.triage.answer(ada.identity, ada.athlete_id, dict.fromkeys(
            (question.id for question in services.triage.questions()), Answer.NO), 30)  # fmt: skip
        proposal = services.plans.replan(ada.athlete_id)
        assert proposal is not None
        services.plans.accept(proposal.plan_id, kim.identity)
        clock.forward(days=3)
        assert services.plans.release_due(clock.now)
        services.plans.close_stale(clock.now)
        services.questionnaires.answer_everyday(ada.identity, ada.athlete_id, [], "key")
    return path


@pytest.fixture(scope="module")
def stations(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """An empty database of each schema, made by its migrations."""
    folder = tmp_path_factory.mktemp("stations")
    found = {}
    with open_store(folder / "way.db") as store:
        for revision in REVISIONS:
            at_schema(store, revision)
            with closing(sqlite3.connect(folder / "way.db")) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            found[revision] = shutil.copy(folder / "way.db", folder / f"{revision}.db")
    return found


def filled(revision: str, stations: dict[str, Path], donor: Path, folder: Path) -> tuple[Path, Rows]:
    """A database of a schema with rows in every table, and these rows."""
    path = shutil.copy(stations[revision], folder / "backstop.sqlite3")
    with closing(sqlite3.connect(path)) as connection, closing(sqlite3.connect(donor)) as club:
        with connection:
            put_club(connection, club)
            put_made_up(connection)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        rows = {table: rows_of(connection, table) for table in tables_of(connection)}
    assert [table for table, found in rows.items() if not found] == []
    return path, rows


def lost(revision: str, before: Rows, after: Rows, keys: dict[str, list[str]]) -> list[str]:
    """What was in a row before and is not there now, but for what a migration changes on purpose."""
    wrong = []
    for table, rows in before.items():
        if table not in after:
            last, successor = GONE[table]
            if not (revision <= last and len(after[successor]) >= len(rows)):
                wrong.append(f"the table {table} is gone")
            continue
        free = {name for last, changed, names in CHANGED if changed == table and revision <= last for name in names}
        left = {tuple(row[name] for name in keys[table]): row for row in after[table]}
        for row in rows:
            found = left.get(tuple(row[name] for name in keys[table]))
            if found is None:
                wrong.append(f"a row of {table} is gone: {[row[name] for name in keys[table]]}")
                continue
            wrong += [
                f"{table}.{name}: {row[name]!r} became {found[name]!r}"
                for name in row
                if name in found and name not in free and found[name] != row[name]
            ]
    return wrong


@pytest.mark.parametrize("revision", REVISIONS)
def test_every_row_of_every_schema_comes_forward(
    revision: str, stations: dict[str, Path], donor: Path, tmp_path: Path
) -> None:
    path, before = filled(revision, stations, donor, tmp_path)
    with open_store(path) as store:
        migrate(store)
        with store.read() as tx:
            assert compare_metadata(MigrationContext.configure(tx), metadata) == []
            keys = {name: inspect(tx).get_pk_constraint(name)["constrained_columns"] for name in metadata.tables}
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            after = {table: rows_of(connection, table) for table in tables_of(connection)}
        assert lost(revision, before, after, keys) == []


@pytest.mark.proof
def test_pages_show_what_came_forward(
    stations: dict[str, Path], donor: Path, tmp_path: Path, full_or_quick: Callable[[int, int], int]
) -> None:
    """Every schema in full; quickly the first one, whose way is the longest."""
    for revision in REVISIONS[: full_or_quick(len(REVISIONS), 1)]:
        folder = tmp_path / revision
        folder.mkdir()
        path, _ = filled(revision, stations, donor, folder)
        with open_store(path) as store:
            migrate(store)
        assert [seen for seen in pages_of(path, folder) if seen[2] >= 500] == []


def pages_of(path: Path, folder: Path) -> list[tuple[str, str, int]]:
    """Open every page without an argument, and those of the athlete's own things, as coach and as athlete."""
    clock, seen = StandingClock(), []
    clock.forward(days=3, hours=1)
    with open_store(path) as store:
        services = build_services(store, Config(storage={"directory": folder}), clock)
        app = create_app(services, LiveFeed(3), Config(storage={"directory": folder}), "k" * 32, clock=clock)
        app.testing = False
        people = {user.name: user for user in services.accounts.users() if user.name in ("Kim", "Ada")}
        ada_id = people["Ada"].athlete_id
        assert ada_id is not None
        assert people["Kim"].role is Role.COACH
        findings = services.findings.for_athlete(ada_id)
        plan = services.plans.active(ada_id)
        assert findings
        assert plan is not None
        (wearable,) = services.wearables.for_athlete(ada_id)
        known = {
            "athlete_id": ada_id, "finding_id": findings[0].finding_id, "plan_id": plan.plan_id,
            "wearable_id": wearable.wearable_id, "day": "2026-11-24",
        }  # fmt: skip
        for person in people.values():
            client = app.test_client()
            client.get(f"/enter/{services.accounts.issue_sign_in_link(person.user_id)}")
            for rule in app.url_map.iter_rules():
                if "GET" not in (rule.methods or ()) or rule.endpoint in ("static", "live.events"):
                    continue
                if not rule.arguments <= set(known) or "stream" in rule.endpoint:
                    continue
                values = {name: known[name] for name in rule.arguments}
                with app.test_request_context():
                    address = app.url_for(rule.endpoint, **values)
                answer = client.get(address)
                seen.append((person.name, address, answer.status_code))
                answer.close()
    assert sum(status == 200 for _, _, status in seen) > 40, seen
    return seen


@pytest.mark.parametrize("statements", [5, 150])
def test_a_migration_that_is_killed_leaves_the_old_schema_and_begins_anew(
    statements: int, stations: dict[str, Path], donor: Path, tmp_path: Path
) -> None:
    path, before = filled("0004", stations, donor, tmp_path)
    script = (
        "import os, signal, sys\n"
        "from sqlalchemy import Engine, event\n"
        "from coach.store.engine import migrate, open_store\n"
        "left = [int(sys.argv[2])]\n"
        "@event.listens_for(Engine, 'after_cursor_execute')\n"
        "def count(*_):\n"
        "    left[0] -= 1\n"
        "    if left[0] == 0:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "migrate(open_store(sys.argv[1]))\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path), str(statements)], timeout=120)
    assert done.returncode == -signal.SIGKILL
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("0004",)]
        assert {table: rows_of(connection, table) for table in tables_of(connection)} == before
    with open_store(path) as store:
        migrate(store)
        with store.read() as tx:
            assert compare_metadata(MigrationContext.configure(tx), metadata) == []
