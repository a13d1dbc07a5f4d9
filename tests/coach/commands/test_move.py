"""`backstop move` as an owner calls it: every table, the extremes of every kind of value, killed, cut off, wrongly."""

from __future__ import annotations

import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import JSON, select

from coach.__main__ import main
from coach.config import Config
from coach.errors import StoreUnavailable
from coach.instance import DATABASE, only_one
from coach.live import LiveFeed
from coach.service import build_services
from coach.store import moving
from coach.store.checksums import sum_of
from coach.store.engine import Store, migrate, open_store
from coach.store.every_table import metadata
from coach.store.tables import event
from coach.web import create_app
from programs.types import Answer
from tests.coach.store.test_editions_migration import at_schema
from tests.coach.store.test_migrations_with_data import put_made_up
from tests.coach.web.conftest import ADDRESS, StandingClock, _pair, analyse_all, standing_then_bending
from tests.coach.whole_athlete import fill
from tests.servers import Postgres, free_port

ROOT = Path(__file__).parents[3]
# What the kinds of columns can hold at their ends; each in a row that `put_made_up` has made.
EXTREMES = (
    "UPDATE feature SET start_utc_s = 5e-324, rate_hz = 1.7976931348623157e308, line_start_utc_s = -0.0, "
    "line_rate_hz = 0.1 + 0.2, expected = 2147483647, covered = -2147483648, start_index = -9223372036854775808, "
    "line = x'', placement = '" + "\U0001f600" * 40 + "' WHERE id = 1000000",
    # A bare number, null that is a value, and no value.
    "UPDATE feature SET above = '0.30000000000000004', repetitions = 'null', strokes = NULL WHERE id = 1000000",
    "UPDATE athlete SET times = '{\"é\": [1e300, -0.0, \"\\u0000\\ud800\"]}', born_on = '0001-01-01', "
    "wake = '23:59:59.999999' WHERE id LIKE 'x%' OR id LIKE 'athlete%'",
    "UPDATE event SET at = '0001-01-01 00:00:00.000001', why = 'ß\u2028\uffff' || char(9) || char(13, 10) || '\\N' "
    "WHERE id = 1000000",
)
# Ends itself by SIGKILL after so many statements, rows that were handed over, or ends of transactions.
KILLED = """
import os, signal, sys
import psycopg
from sqlalchemy import Engine, event
from coach.__main__ import main
from coach.store import moving
moving._PIECE_ROWS = 30
what, left = sys.argv[1], [int(sys.argv[2])]
def one(*_):
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
copied = moving._copy
def begin(*args):
    if what == "statements":
        event.listen(Engine, "after_cursor_execute", one)
    elif what == "transactions":
        event.listen(Engine, "commit", one)
    else:
        write_row = psycopg.Copy.write_row
        psycopg.Copy.write_row = lambda self, row: (one(), write_row(self, row))[1]
    moving._copy = copied
    return copied(*args)
moving._copy = begin
sys.exit(main(["move", "--to", sys.argv[3], "--storage", sys.argv[4]]))
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A storage folder in whose database every table has rows: two people's life, two more rows of every kind."""
    folder = tmp_path_factory.mktemp("whole")
    live_there(folder)
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        put_made_up(connection)
        for statement in EXTREMES:
            assert connection.execute(statement).rowcount == 1, statement
        connection.commit()
        empty = [
            name for name in metadata.tables if connection.execute(f'SELECT 1 FROM "{name}"').fetchone() is None
        ]  # fmt: skip
    assert empty == []
    return folder


def live_there(folder: Path) -> None:
    """Let a coach and an athlete live by the services, and give another athlete a row of everything."""
    clock = StandingClock()
    with open_store(folder / DATABASE) as store:
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
        _, zed = _pair(services, "Lou", "Zed")
        fill(store, zed.athlete_id, "zed")
        with store.begin() as tx:
            tx.execute(event.insert(), [
                {"at": clock.now, "actor": "test", "action": "did", "subject": "thing", "subject_id": str(number),
                 "why": "x" * (number % 50)} for number in range(400)
            ])  # fmt: skip


@pytest.fixture
def source(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path(shutil.copytree(whole, tmp_path / "var"))


@pytest.fixture
def target(postgres: Postgres, postgres_url: str) -> Iterator[Store]:
    with open_store(postgres_url) as store:
        yield store


def moved(url: str, source: Path, *more: str) -> int:
    return main(["move", "--to", url, "--storage", str(source), *more])


def every_row(store: Store) -> dict[str, list[Any]]:
    """All rows of all tables as Python has them, in the order of their keys; of JSON also whether there is a value."""
    found = {}
    with store.read() as tx:
        for table in metadata.tables.values():
            there = [column.is_(None) for column in table.c if isinstance(column.type, JSON)]
            keys = [list(table.c).index(column) for column in table.primary_key.columns]
            rows = [tuple(row) for row in tx.execute(select(*table.c, *there))]
            found[table.name] = sorted(rows, key=lambda row: [repr(row[key]) for key in keys])
    return found


def test_every_value_of_every_table_moves_and_the_service_over_it_is_the_same(
    source: Path, target: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert moved(target.url, source) == 0
    told = capsys.readouterr()
    assert f"All {len(metadata.tables)} tables are equal." in told.out
    assert 'database_url = "postgresql' in told.out
    # No terminal: a line now and then, and one at the end.
    assert re.search(r"^100 %  copied, [\d,]+ rows/s$", told.err, re.MULTILINE)
    assert "\r" not in told.err
    assert moved(target.url, source, "--check") == 0
    with open_store(source / DATABASE) as file:
        ours, theirs = every_row(file), every_row(target)
        for name, rows in ours.items():
            assert theirs[name] == rows, name
        with target.begin() as tx:
            # The database numbers on behind what was copied, and still refuses what names nothing.
            newest = max(row[0] for row in ours["event"])
            values = {"at": StandingClock().now, "actor": "a", "action": "b", "subject": "c", "subject_id": "d"}
            assert tx.execute(event.insert().values(**values, why="")).inserted_primary_key == (newest + 1,)
            tx.execute(event.delete().where(event.c.id == newest + 1))
        assert pages_of(file, tmp_path) == pages_of(target, tmp_path)
    for name, url in (("file", ""), ("server", target.url)):
        monkeypatch.setenv("BACKSTOP_STORAGE__DIRECTORY", str(source))
        monkeypatch.setenv("BACKSTOP_STORAGE__DATABASE_URL", url)
        assert main(["export", "--athlete", "Ada", "--to", str(tmp_path / f"{name}.zip")]) == 0
    with zipfile.ZipFile(tmp_path / "file.zip") as one, zipfile.ZipFile(tmp_path / "server.zip") as other:
        assert one.namelist() == other.namelist()
        differ = {name for name in one.namelist() if one.read(name) != other.read(name)}
    # When it was made, and that the export of the file was made before, and each of both.
    assert differ <= {"manifest.json", "tables/ledger_entry.jsonl"}


def pages_of(store: Store, folder: Path) -> dict[tuple[str, str], str]:
    """The pages of a coach and an athlete, without what every answer has of its own."""
    clock, seen = StandingClock(), {}
    clock.forward(days=3, hours=1)
    config = Config(storage={"directory": folder})
    services = build_services(store, config, clock)
    app = create_app(services, LiveFeed(3), config, "k" * 32, clock=clock)
    for person in services.accounts.users():
        if person.name not in ("Kim", "Ada"):
            continue
        client = app.test_client()
        client.get(f"/enter/{services.accounts.issue_sign_in_link(person.user_id)}")
        for path in ("/", "/me", "/athletes", "/findings", "/program", "/days", "/diary", "/report", "/account"):
            answer = client.get(path, follow_redirects=True)
            # Tokens and keys of forms, and of the answer's own scripts.
            own = r'nonce="[^"]*"|name="key" value="[^"]*"|[\w-]{40,}\.[\w-]{6}\.[\w-]{20,}'
            text = re.sub(own, "", answer.get_data(as_text=True))
            seen[person.name, path] = f"{answer.status_code} {text}"
    assert sum(page.startswith("200") for page in seen.values()) >= 8, {key: page[:3] for key, page in seen.items()}
    return seen


@pytest.mark.proof
def test_killed_twice_anywhere_it_goes_on_and_nothing_is_lost_or_there_twice(
    source: Path, postgres: Postgres, postgres_template: str, capsys: pytest.CaptureFixture[str],
    full_or_quick: Callable[[int, int], int],
) -> None:  # fmt: skip
    """While rows are handed over; in full also after any statement, and as a transaction ends."""
    ways = (("rows", 40, 300), ("statements", 3, 80), ("transactions", 3, 40))
    for what, least, most in ways[: full_or_quick(3, 1)]:
        name = postgres.create(postgres_template)
        with open_store(postgres.url(name)) as target:
            after = random.randint(least, most), random.randint(least, most)
            killed(what, after, source, target)
            assert moved(target.url, source) == 0, (what, after)
            assert "is there already: going on" in capsys.readouterr().out
            with open_store(source / DATABASE) as file:
                assert every_row(file) == every_row(target), (what, after)
            with target.read() as tx:
                assert tx.exec_driver_sql("SELECT to_regclass('backstop_move')").scalar() is None
        postgres.drop(name)


def killed(what: str, after: tuple[int, int], source: Path, target: Store) -> None:
    """Move, killed after so many of these, as often as there are numbers; between them nobody may start."""
    for each in after:
        done = subprocess.run(
            [sys.executable, "-c", KILLED, what, str(each), target.url, str(source)],
            cwd=ROOT, capture_output=True, timeout=300,
        )  # fmt: skip
        assert done.returncode == -signal.SIGKILL, (what, after, done.stderr.decode())
        # Whoever starts Backstop now would work on the half of a database.
        with pytest.raises(StoreUnavailable, match="backstop move"):
            migrate(target)


def test_a_lost_connection_is_a_sentence_and_the_next_one_goes_on(
    source: Path, target: Store, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    copied, left = moving._copy, [4]

    def cut_off(*args: Any) -> Any:
        left[0] -= 1
        if left[0] == 0:
            with psycopg.connect(target.url.replace("+psycopg", ""), autocommit=True) as other:
                other.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
        return copied(*args)

    monkeypatch.setattr(moving, "_copy", cut_off)
    monkeypatch.setattr(moving, "_PIECE_ROWS", 50)
    assert moved(target.url, source) == 2
    assert capsys.readouterr().err.count("\n") >= 1
    assert moved(target.url, source) == 0
    said = capsys.readouterr()
    assert "going on" in said.out
    assert "All" in said.out


def test_a_check_finds_what_differs_and_names_its_table(
    source: Path, target: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert moved(target.url, source) == 0
    for name, change in (
        ("stream", "UPDATE stream SET rate_hz = rate_hz * (1 + 2.3e-16) WHERE id = (SELECT min(id) FROM stream)"),
        ("event", "UPDATE event SET at = at + interval '1 microsecond' WHERE id = 7"),
        ("event", "UPDATE event SET why = why || ' ' WHERE id = 7"),
        ("chunk", "UPDATE chunk SET blob = set_byte(blob, 20, get_byte(blob, 20) # 1) WHERE id = 5"),
        ("feature", "UPDATE feature SET repetitions = '[null]' WHERE id = 1000000"),
        ("feature", "UPDATE feature SET strokes = 'null' WHERE id = 1000000"),
        ("event", "DELETE FROM event WHERE id = 8"),
    ):
        with target.begin() as tx:
            before = sum_of(tx, metadata.tables[name], lambda _: None)
            with tx.begin_nested() as undone:
                assert tx.exec_driver_sql(change.replace("%", "%%")).rowcount == 1, change
                assert sum_of(tx, metadata.tables[name], lambda _: None) != before, change
                undone.rollback()
    with target.begin() as tx:
        tx.exec_driver_sql("UPDATE stream SET placement = 'wrist' WHERE id = (SELECT max(id) FROM stream)")
    capsys.readouterr()
    assert moved(target.url, source, "--check") == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0].strip() for line in lines if "NOT EQUAL" in line] == ["stream"]
    assert any(line.startswith("1 tables differ") for line in lines)


def test_a_sum_is_of_the_values_and_not_of_how_they_are_written(source: Path) -> None:
    table = metadata.tables["athlete"]
    with open_store(source / DATABASE) as store:

        def sums(statement: str) -> str:
            with store.begin() as tx:
                tx.exec_driver_sql(statement)
                return sum_of(tx, table, lambda _: None).sha256

        one = sums("""UPDATE athlete SET times = '{"a": 1, "b": [2.50]}'""")
        assert sums("""UPDATE athlete SET times = '{ "b":[2.5],"a":1}'""") == one
        assert sums("""UPDATE athlete SET times = '{"b": [2.5], "a": true}'""") != one


UNFIT = (
    ("UPDATE event SET why = 'a' || char(0) || 'b' WHERE id = 7", "event.why of the row with id 7 holds the character"),
    ("UPDATE chunk SET samples = 2147483648 WHERE id = 5", "chunk.samples of the row with id 5 is 2147483648, beyond"),
    ("UPDATE event SET action = CAST(x'c328' AS TEXT) WHERE id = 7", "event.action of the row with id 7 is not UTF-8"),
    (
        "UPDATE feature SET above = '{\"a\": NaN}' WHERE id = 1000000",
        "feature.above of the row with id 1000000 is no J",
    ),
    ("UPDATE event SET actor = zeroblob(3) WHERE id = 7", "event.actor of the row with id 7 is b'"),
    ("UPDATE athlete SET sport = printf('%.*c', 101, 'x') WHERE name = 'Ada'", "has 101 characters, more than 100"),
    ("UPDATE event SET at = 'yesterday' WHERE id = 7", "event.at of the row with id 7 is 'yesterday'"),
    ("UPDATE stream SET rate_hz = 'fast' WHERE id = (SELECT min(id) FROM stream)", "stream.rate_hz of the row with id"),
    ("UPDATE user_account SET epoch = 2.5 WHERE name = 'Kim'", "user_account.epoch of the row with id"),
    ("UPDATE event SET subject_id = 'a' || char(0) WHERE id < 10", "event.subject_id: 6 more rows like these"),
)


def test_values_that_postgresql_cannot_take_are_named_and_nothing_is_copied(
    source: Path, target: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(sqlite3.connect(source / DATABASE)) as connection:
        for change, _ in UNFIT:
            assert connection.execute(change).rowcount >= 1, change
        connection.commit()
    said = refused(target.url, source, capsys)
    assert [named for _, named in UNFIT if named not in said] == []
    assert "nothing was copied" in said
    with target.read() as tx:
        assert tx.exec_driver_sql("SELECT count(*) FROM event").scalar() == 0


def refused(url: str, source: Path, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert moved(url, source) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1, said
    return said


def test_what_cannot_be_moved_is_refused_in_one_sentence(
    source: Path, postgres: Postgres, postgres_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    with only_one(source):
        assert "already uses the folder" in refused(postgres_url, source, capsys)
    for wrong in ("sqlite:///x.db", "postgresql://", "nonsense", "mysql://u@h/d", f"{source / DATABASE}"):
        assert "no address of a PostgreSQL" in refused(wrong, source, capsys)
    secret = f"postgresql://backstop:s3cr3t@127.0.0.1:{free_port()}/there"
    assert "s3cr3t" not in refused(secret, source, capsys)
    assert "does not exist" in refused(postgres.url("nowhere"), source, capsys)
    assert "no database in" in refused(postgres_url, tmp_path / "empty", capsys)
    with monkeypatch.context() as patch:
        patch.setenv("BACKSTOP_STORAGE__DATABASE_URL", postgres_url)
        assert "database_url is set" in refused(postgres_url, source, capsys)
    # An older schema, a strange table, a reference that leads nowhere.
    with open_store(tmp_path / "old" / DATABASE) as store:
        at_schema(store, "0024")
    assert "run `backstop migrate` first" in refused(postgres_url, tmp_path / "old", capsys)
    with closing(sqlite3.connect(source / DATABASE)) as connection:
        connection.execute("CREATE TABLE other (a)")
        assert "table other" in refused(postgres_url, source, capsys)
        connection.execute("DROP TABLE other")
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("UPDATE event SET athlete_id = 'nobody' WHERE id = 7")
        connection.commit()
        assert "damaged" in refused(postgres_url, source, capsys)


def test_only_a_database_that_nobody_has_used_is_moved_into(
    source: Path, target: Store, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with target.begin() as tx:
        tx.exec_driver_sql("CREATE TABLE guests (name text)")
    assert "guests" in refused(target.url, source, capsys)
    with target.begin() as tx:
        tx.exec_driver_sql("DROP TABLE guests")
        tx.execute(event.insert().values(
            at=StandingClock().now, actor="a", action="b", subject="c", subject_id="d", why=""))  # fmt: skip
    assert "its table event has rows" in refused(target.url, source, capsys)
    with target.begin() as tx:
        tx.execute(event.delete())
    monkeypatch.setattr(moving, "finish", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        moved(target.url, source)
    monkeypatch.undo()
    with closing(sqlite3.connect(source / DATABASE)) as connection, connection:
        connection.execute("UPDATE event SET why = 'later' WHERE id = 7")
    assert "part of a move from another file" in refused(target.url, source, capsys)
