"""Who was erased is on a list of every process, so that a dump that is brought back erases them again anywhere."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from coach.__main__ import main
from coach.config import Config
from coach.presence import Presence
from coach.service import Services, build_services
from coach.service.erased_list import LIST, Said, erased_ids, id_hash, said_beside, write
from coach.store.engine import Store, open_store
from coach.store.tables import athlete, chunk
from tests.coach.club import Club, FakeClock, bending_chunks, found_club
from tests.contracts.test_store import number_of
from tests.scenarios.house import wait_for
from tests.servers import Postgres, find_binary


def settings(folder: Path) -> Config:
    return Config(storage={"directory": folder})  # type: ignore[arg-type]


@pytest.fixture
def club(postgres_url: str, tmp_path: Path) -> Iterator[Club]:
    """A club over a server; of this process, the storage folder is `web-1`."""
    clock = FakeClock(datetime.now(UTC) - timedelta(minutes=5))
    with open_store(postgres_url) as store:
        club = found_club(store, clock, config=settings(tmp_path / "web-1"))
        club.services.log.append(bending_chunks(1, 6, clock.utc_s() - 60))
        yield club


def another(club: Club, folder: Path) -> Services:
    """Return the services of another process over the same database."""
    return build_services(club.store, settings(folder), club.clock)


def people_in(store: Store) -> tuple[int, int]:
    with store.read() as tx:
        return number_of(tx, athlete), number_of(tx, chunk)


def migrated(folder: Path, url: str, monkeypatch: pytest.MonkeyPatch, *more: str) -> None:
    monkeypatch.setenv("BACKSTOP_STORAGE__DIRECTORY", str(folder))
    monkeypatch.setenv("BACKSTOP_STORAGE__DATABASE_URL", url)
    assert main(["migrate", *more]) == 0


def test_a_dump_that_is_brought_back_erases_again_by_the_list_of_a_process_that_erased_nobody(
    club: Club, postgres: Postgres, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dump, other = tmp_path / "night.dump", tmp_path / "worker-1"
    plain = postgres_url.replace("+psycopg", "")
    pg_dump, pg_restore = (find_binary(name, "postgresql-client") for name in ("pg_dump", "pg_restore"))
    subprocess.run([pg_dump, "--format=custom", f"--file={dump}", plain], check=True)
    assert club.services.erasing.erase(club.athlete, club.athlete_id, "Ada").emptied
    presence = Presence(club.store, club.clock, "worker", each_minute=another(club, other).erasing.keep_list)
    presence.start()
    wait_for((other / LIST).exists, 60, "the list of the other process")
    presence.close()
    assert erased_ids(other) == {id_hash(club.athlete_id)}
    for folder, more in ((other, []), (tmp_path / "new-machine", ["--erased", str(other / LIST)])):
        name = postgres.create()
        back = postgres.url(name)
        subprocess.run([pg_restore, f"--dbname={back.replace('+psycopg', '')}", dump], check=True)
        with open_store(back) as store:
            assert people_in(store) == (1, 12)
            migrated(folder, back, monkeypatch, *more)
            assert people_in(store) == (0, 0)
        postgres.drop(name)


def test_who_comes_back_at_one_process_is_erased_by_no_list_of_another(
    club: Club, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, export = tmp_path / "web-2", tmp_path / "mine.zip"
    with open(export, "wb") as file:
        club.services.exports.write(club.athlete, club.athlete_id, file)
    club.services.erasing.erase(club.athlete, club.athlete_id, "Ada")
    services = another(club, other)
    assert services.erasing.keep_list() == 1
    assert services.erasing.keep_list() == 0, "each thing once"
    old = tmp_path / "of-before.jsonl"
    old.write_bytes((other / LIST).read_bytes())
    club.clock.forward(minutes=1)
    club.services.restoring.take_in(export)
    for folder, more in ((tmp_path / "web-3", ["--erased", str(old)]), (other, [])):
        migrated(folder, postgres_url, monkeypatch, *more)
        assert people_in(club.store) == (1, 12)
    assert services.erasing.keep_list() == 1
    assert erased_ids(other) == set()
    club.clock.forward(minutes=1)
    club.services.erasing.erase(None, club.athlete_id, "Ada")
    assert services.erasing.keep_list() == 1
    assert erased_ids(other) == {id_hash(club.athlete_id)}


def test_of_what_lists_say_of_one_athlete_the_newest_counts_in_any_order(tmp_path: Path) -> None:
    """What a database says that was brought back is older than the list, and changes nothing on it."""
    at = datetime(2026, 11, 24, tzinfo=UTC)
    lines = [{"id_sha256": "a", "taken_in_at": str(at + timedelta(1))}, {"id_sha256": "a", "erased_at": str(at)}]
    (tmp_path / LIST).write_text("".join(f"{json.dumps(each)}\n" for each in lines), encoding="ascii")
    assert erased_ids(tmp_path) == set()
    assert write(tmp_path, {"a": Said(at, False), "b": Said(at, False)}) == 1
    assert said_beside(tmp_path) == {"a": Said(at + timedelta(1), True), "b": Said(at, False)}
    assert write(tmp_path, {"a": Said(at + timedelta(2), False)}) == 1
    assert erased_ids(tmp_path) == {"a", "b"}
