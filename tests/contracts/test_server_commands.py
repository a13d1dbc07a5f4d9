"""Commands over a database on a server: the doctor looks at it, and what works on a file says the server's own way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from coach.__main__ import main
from coach.config import Config
from coach.service import build_services
from coach.service.erased_list import LIST, id_hash
from coach.store import months
from coach.store.engine import Store, open_store
from coach.store.tables import athlete, chunk
from tests.coach.club import Club, FakeClock, bending_chunks, found_club
from tests.contracts.test_store import number_of
from tests.servers import Postgres

Told = dict[str, dict[str, str]]


@pytest.fixture
def store(postgres: Postgres, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store on a server that the configuration names, with a password that nobody may repeat."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BACKSTOP_STORAGE__DIRECTORY", str(tmp_path / "var"))
    monkeypatch.setenv("BACKSTOP_STORAGE__DATABASE_URL", postgres_url.replace("backstop@", "backstop:geheim@"))
    (tmp_path / "var").mkdir(mode=0o700)
    return open_store(postgres_url)


@pytest.fixture
def club(store: Store, tmp_path: Path) -> Iterator[Club]:
    clock = FakeClock(datetime.now(UTC) - timedelta(minutes=1))
    club = found_club(store, clock, config=Config(storage={"directory": tmp_path / "var"}))  # type: ignore[arg-type]
    club.services.log.append(bending_chunks(1, 6, clock.utc_s() - 60))
    yield club
    store.close()


def examined(capsys: pytest.CaptureFixture[str]) -> Told:
    capsys.readouterr()
    main(["doctor", "--json"])
    text = capsys.readouterr().out
    assert "geheim" not in text
    return {line["part"]: line for line in json.loads(text)["lines"]}


def test_the_doctor_looks_at_the_server(club: Club, capsys: pytest.CaptureFixture[str]) -> None:
    told = examined(capsys)
    # The tests' own server does not wait for the disk: that is what is found wrong with it.
    assert told["database"]["state"] == "broken"
    assert "fsync is off" in told["database"]["says"]
    assert told["connections"]["state"] == "ok"
    assert told["server clock"]["state"] == "ok"
    assert told["schema"]["state"] == "ok"
    assert (told["months"]["state"], told["months"]["remedy"][:23]) == ("attention", "Start `backstop clock`:")
    assert told["chunks"]["says"] == "All 12 of the last 7 days fit their checksums."
    assert "pg_dump" in told["backups"]["says"]
    club.services.retention.make_months(datetime.now(UTC))
    with club.store.begin() as tx:
        tx.execute(sa.update(chunk).where(chunk.c.seq == 3).values(blob=b"damaged"))
    told = examined(capsys)
    assert told["months"]["state"] == "ok"
    assert str(months.AHEAD) in told["months"]["says"]
    assert told["chunks"]["state"] == "broken"
    assert "1 of 12" in told["chunks"]["says"]


def test_the_doctor_says_that_there_is_no_server_or_no_schema(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    name = postgres.create()
    for url, part, says in (
        ("postgresql://a:geheim@127.0.0.1:1/b", "database", "cannot be used now"),
        (postgres.url(name), "schema", "no tables yet"),
    ):
        monkeypatch.setenv("BACKSTOP_STORAGE__DATABASE_URL", url)
        told = examined(capsys)
        assert told[part]["state"] == "broken"
        assert says in told[part]["says"]
    postgres.drop(name)


@pytest.mark.parametrize(
    ("command", "way"), [(["backup", "--to", "copy.zip"], "pg_dump"), (["restore", "copy.zip"], "pg_restore")]
)
def test_copies_are_the_servers_own_way(
    club: Club, capsys: pytest.CaptureFixture[str], command: list[str], way: str
) -> None:
    assert main(command) == 2
    told = capsys.readouterr().err
    address = club.store.url.replace("+psycopg", "")
    assert way in told
    assert address in told
    assert "geheim" not in told
    assert len(told.strip().splitlines()) == 1


def test_the_clock_makes_no_copy_of_a_server_and_health_says_whose_it_is(club: Club, tmp_path: Path) -> None:
    config = Config(storage={"directory": tmp_path / "var"}, backup={"folder": str(tmp_path / "copies")})  # type: ignore[arg-type]
    machine = build_services(club.store, config, club.clock).machine
    assert not machine.make_backup(datetime.now(UTC))
    assert not (tmp_path / "copies").exists()
    assert "pg_dump" in machine.parts()[0].says
    assert machine.figures().database_bytes > 1_000_000


def test_who_was_erased_and_came_back_with_a_copy_is_erased_again_by_migrating(
    club: Club, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = json.dumps({"id_sha256": id_hash(club.athlete_id), "erased_at": club.clock.now.isoformat()})
    (tmp_path / "var" / LIST).write_text(line + "\n", encoding="utf-8")
    assert main(["migrate"]) == 0
    assert "1 athletes who were erased before are erased from it again." in capsys.readouterr().out
    with club.store.read() as tx:
        assert number_of(tx, athlete) == number_of(tx, chunk) == 0
