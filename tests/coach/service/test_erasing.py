"""Erasing erases: no row, no byte in the database's files, the spool and the uploads; and a backup erases again."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import JSON, LargeBinary, String, cast, func, select

from coach.config import Config, Storage
from coach.errors import InvalidInput, NoSuch, NotAllowed, StoreUnavailable
from coach.instance import only_one
from coach.service.erased_list import LIST, erased_ids, id_hash
from coach.service.erasing import erase_again
from coach.service.types import Role
from coach.store import erasing
from coach.store.data_rules import RULES
from coach.store.engine import Store, migrate, open_store
from coach.store.erasure_tables import erasure
from coach.store.every_table import metadata
from coach.store.tables import event
from tests.coach.club import ADDRESS, Club, FakeClock, bending_chunks, found_club
from tests.coach.whole_athlete import count, fill

MARK, OTHERS = "MARKEDforERASING", "MARKEDtoSTAY"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Club]:
    """A Backstop in a folder of its own, with Ada, who has rows everywhere, and Bea, who stays."""
    with open_store(tmp_path / "backstop.sqlite3") as store:
        migrate(store)
        club = found_club(store, FakeClock(), config=Config(storage=Storage(directory=tmp_path)))
        club.services.log.append(bending_chunks(2, 6, club.clock.utc_s()))
        for stream in club.services.motion.pending_streams():
            club.services.motion.handle_pending(stream)
        bea = club.services.athletes.create("Bea", "UTC", club.coach.user_id)
        club.services.accounts.create_user("Bea", Role.ATHLETE, athlete_id=bea)
        assert fill(store, club.athlete_id, MARK) == []
        assert fill(store, bea, OTHERS) == []
        moved_about(store)
        left_around(tmp_path, club)
        yield club


def moved_about(store: Store) -> None:
    """Change texts so often and so much that rows move between pages and leave what they were behind."""
    for table in metadata.sorted_tables:
        texts = [
            column for column in table.c
            if isinstance(column.type, String) and not column.type.length and not column.foreign_keys
        ]  # fmt: skip
        for times in (40, 1, 90):
            for column in texts:
                name, more = column.name, f"replace(hex(zeroblob({times})), '00', '{MARK}')"
                with store.begin() as tx:
                    tx.exec_driver_sql(
                        f"UPDATE {table.name} SET {name} = {name} || {more} WHERE {name} LIKE '%{MARK}%'"
                    )


def left_around(directory: Path, club: Club) -> None:
    """What lies beside the database: a gateway's spool, an upload under way."""
    spool = directory / "gateway" / "server-1" / "spool"
    spool.mkdir(parents=True)
    (spool / "1.spool").write_bytes(MARK.encode() * 100)
    (spool.parent / "orders.json").write_text(json.dumps({"athlete_id": club.athlete_id, "athlete_name": MARK}))
    other = directory / "gateway" / "server-2"
    (other / "spool").mkdir(parents=True)
    (other / "spool" / "1.spool").write_bytes(OTHERS.encode())
    (other / "orders.json").write_text(json.dumps({"athlete_id": "f" * 32}))
    mine = hashlib.sha256(club.athlete.user_id.encode()).hexdigest()[:16]
    upload = directory / "uploads" / f"{mine}-{'0' * 32}"
    upload.mkdir(parents=True)
    (upload / "recording.csv").write_bytes(MARK.encode())


def files_with(directory: Path, *texts: str) -> dict[str, list[str]]:
    """Return which of the texts each file of a folder has, by every byte of it."""
    found = {}
    for path in sorted(directory.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            if has := [text for text in texts if text.encode() in data]:
                found[path.name] = has
    return found


def cells_with(store: Store, *texts: str) -> list[str]:
    """Return the columns of all tables in which one of the texts stands."""
    found = []
    with store.read() as tx:
        for table in metadata.sorted_tables:
            for column in table.c:
                if isinstance(column.type, String | JSON | LargeBinary):
                    for text in texts:
                        cell = func.instr(cast(column, String), text) > 0
                        if tx.execute(select(func.count()).select_from(table).where(cell)).scalar_one():
                            found.append(f"{table.name}.{column.name}")
    return found


def rows_of(store: Store, athlete_id: str) -> dict[str, int]:
    with store.read() as tx:
        return {table.name: count(tx, table, athlete_id) for table in metadata.sorted_tables if RULES[table.name].path}


def traces(club: Club) -> tuple[str, ...]:
    return (MARK, club.athlete_id, club.athlete.user_id, ADDRESS, club.wearable_id)


def test_nothing_of_the_erased_is_left_anywhere_and_nothing_of_others_is_gone(house: Club, tmp_path: Path) -> None:
    (bea,) = [
        row.athlete.athlete_id for row in house.services.athletes.roster(house.coach) if row.athlete.name == "Bea"
    ]
    before = rows_of(house.store, bea)
    assert min(rows_of(house.store, house.athlete_id).values()) > 0
    assert len(cells_with(house.store, MARK)) > 100
    assert {"backstop.sqlite3-wal", "1.spool", "orders.json", "recording.csv"} <= set(files_with(tmp_path, MARK))
    told: list[str] = []
    house.services.links.listen(told.append)
    with house.store.read() as tx:
        others = [each for each in erasing.wearable_ids(tx, house.athlete_id) if each != house.wearable_id]
    done = house.services.erasing.erase(house.athlete, house.athlete_id, "ada")
    assert done.emptied
    assert done.scrubbed
    assert cells_with(house.store, *traces(house)) == []
    assert files_with(tmp_path, *traces(house)) == {}
    assert sorted(told) == sorted([house.wearable_id, *others])
    assert set(rows_of(house.store, house.athlete_id).values()) == {0}
    assert rows_of(house.store, bea) == before
    assert cells_with(house.store, OTHERS) != []
    assert "1.spool" in files_with(tmp_path, OTHERS)
    assert house.services.accounts.identity(house.athlete.user_id) is None
    with pytest.raises(NoSuch):
        house.services.athletes.get(house.coach, house.athlete_id)
    assert house.services.log.append(bending_chunks(1, 6, house.clock.utc_s(), recording_id="later")) == ()


def test_what_stays_says_that_somebody_was_erased_and_not_who(house: Club, tmp_path: Path) -> None:
    done = house.services.erasing.erase(None, house.athlete_id, "Ada")
    with house.store.read() as tx:
        (kept,) = tx.execute(select(event).where(event.c.action == "erased")).mappings()
        (row,) = tx.execute(select(erasure)).mappings()
    assert (kept["actor"], kept["subject_id"], kept["athlete_id"]) == ("owner", done.erasure_id, None)
    assert (row["whose"], row["asked_by"], row["id_hash"]) == (None, "owner", id_hash(house.athlete_id))
    assert row["emptied_at"] == row["scrubbed_at"] == house.clock.now
    assert [json.loads(line).keys() for line in (tmp_path / LIST).read_text().splitlines()] == [
        {"id_sha256", "erased_at"}
    ]


def test_a_database_of_before_erases_again_whom_the_list_beside_it_names(house: Club, tmp_path: Path) -> None:
    with (
        closing(sqlite3.connect(tmp_path / "backstop.sqlite3")) as live,
        closing(sqlite3.connect(tmp_path / "old")) as old,
    ):
        live.backup(old)
    house.services.erasing.erase(house.athlete, house.athlete_id, "Ada")
    assert "old" in files_with(tmp_path, MARK)
    with open_store(tmp_path / "old") as store:
        assert erase_again(store, tmp_path, house.clock.now) == 1
        assert cells_with(store, *traces(house)) == []
        assert cells_with(store, OTHERS) != []
        assert erase_again(store, tmp_path, house.clock.now) == 0
    assert files_with(tmp_path, *traces(house)) == {}


def test_what_was_interrupted_goes_on(house: Club, tmp_path: Path) -> None:
    """The doors are shut at once; whoever comes next deletes the rest."""
    with house.store.begin() as tx:
        erasing.begin(tx, house.athlete_id, id_hash(house.athlete_id), "athlete", house.clock.now)
    with house.store.begin() as tx:
        assert erasing.delete_some(tx, house.athlete_id)
        assert erasing.is_under_way(tx, house.athlete_id)
        left = erasing.leftovers(tx, house.athlete_id)
    assert {"checkin", "chunk", "finding"} <= set(left)
    assert not {"api_token", "push_subscription", "webhook_target", "sign_in_link", "coach_athlete"} & set(left)
    fresh = house.services.accounts.identity(house.athlete.user_id)
    assert fresh is None or fresh.epoch > house.athlete.epoch
    assert house.services.erasing.go_on() == 1
    assert house.services.erasing.go_on() == 0
    assert cells_with(house.store, *traces(house)) == []


def test_a_large_database_is_overwritten_at_once_and_written_anew_at_night(
    house: Club, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coach.service.erasing._AT_ONCE_BYTES", 0)
    done = house.services.erasing.erase(house.athlete, house.athlete_id, "Ada")
    assert (done.emptied, done.scrubbed) == (True, False)
    assert files_with(tmp_path, *traces(house)) == {}
    before = (tmp_path / "backstop.sqlite3").stat().st_size
    house.services.erasing.go_on(at_night=True)
    assert (tmp_path / "backstop.sqlite3").stat().st_size < before
    with house.store.read() as tx:
        assert erasing.under_way(tx) == []


def test_a_disk_that_fills_in_the_middle_leaves_doors_shut_and_the_rest_to_the_clock(
    house: Club, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:

        def full(*_: object) -> None:
            raise StoreUnavailable("The disk is full.")

        patched.setattr("coach.service.erasing.empty", full)
        done = house.services.erasing.erase(house.athlete, house.athlete_id, "Ada")
    assert (done.emptied, done.scrubbed) == (False, False)
    with pytest.raises(NoSuch):
        house.services.athletes.get(house.coach, house.athlete_id)
    assert house.services.erasing.go_on() == 1
    assert cells_with(house.store, *traces(house)) == []


def test_a_gateway_that_runs_is_not_robbed_of_its_folder(house: Club, tmp_path: Path) -> None:
    with only_one(tmp_path / "gateway" / "server-1"):
        house.services.erasing.erase(house.athlete, house.athlete_id, "Ada")
        assert (tmp_path / "gateway" / "server-1" / "spool" / "1.spool").exists()


def test_nobody_erases_what_is_not_theirs_or_by_a_slip(house: Club) -> None:
    before = rows_of(house.store, house.athlete_id)
    with pytest.raises(NotAllowed):
        house.services.erasing.erase(house.coach, house.athlete_id, "Ada")
    for who, athlete_id in ((house.athlete, "f" * 32), (house.coach, "f" * 32)):
        with pytest.raises(NoSuch):
            house.services.erasing.erase(who, athlete_id, "Ada")
    for name in ("", "Bea", "yes"):
        with pytest.raises(InvalidInput, match="nothing was erased"):
            house.services.erasing.erase(house.athlete, house.athlete_id, name)
    assert rows_of(house.store, house.athlete_id) == before


def test_who_comes_back_with_an_export_of_their_own_stays(house: Club, tmp_path: Path) -> None:
    path = tmp_path / "mine.zip"
    with open(path, "wb") as file:
        house.services.exports.write(house.athlete, house.athlete_id, file)
    house.services.erasing.erase(house.athlete, house.athlete_id, "Ada")
    assert erased_ids(tmp_path) == {id_hash(house.athlete_id)}
    house.services.restoring.take_in(path)
    assert erased_ids(tmp_path) == set()
    assert erase_again(house.store, tmp_path, house.clock.now) == 0
    assert house.services.athletes.get(house.coach, house.athlete_id).name == "Ada"
