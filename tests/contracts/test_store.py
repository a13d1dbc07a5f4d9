"""What the store promises, on SQLite and on PostgreSQL; test_services_on_server.py has what is built on it."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa

from coach.errors import Conflict, InvalidInput, StoreUnavailable
from coach.service import build_services
from coach.service.exports import write_archive
from coach.store import erasing, recordings, signals
from coach.store.engine import Store, Tx, migrate, open_store
from coach.store.exporting import schema_version
from coach.store.rows import first_id_at, fresh_id_at
from coach.store.tables import athlete, event, feature
from coach.store.tables import chunk as chunk_table
from tests.coach.club import START, Club, bending_chunks
from tests.coach.whole_athlete import fill

NOW_S = START.timestamp()
EVENT = {"at": START, "actor": "test", "action": "did", "subject": "thing", "subject_id": "1", "why": "to see"}


def number_of(tx: Tx, table: sa.Table) -> int:
    return int(tx.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def at_once(*calls: Callable[[], object]) -> list[object]:
    """Call all of them in threads that begin together; return what each returned or raised."""
    barrier, answers = threading.Barrier(len(calls)), [None] * len(calls)

    def run(number: int) -> None:
        barrier.wait()
        try:
            answers[number] = calls[number]()  # type: ignore[call-overload]
        except Exception as error:  # noqa: BLE001 - the answer
            answers[number] = error  # type: ignore[call-overload]

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return list(answers)


def test_times_keep_their_instant_and_come_back_in_utc(store: Store) -> None:
    at = datetime(2026, 10, 25, 2, 30, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    with store.begin() as tx:
        tx.execute(event.insert().values(**{**EVENT, "at": at}))
    with store.read() as tx:
        found = tx.execute(sa.select(event.c.at)).scalar_one()
    assert (found, found.tzinfo) == (at, UTC)
    naive = at.replace(tzinfo=None)
    with pytest.raises(sa.exc.StatementError, match="no time zone"), store.begin() as tx:
        tx.execute(event.insert().values(**{**EVENT, "at": naive}))


def test_a_transaction_that_fails_leaves_nothing_and_one_in_it_only_itself(store: Store) -> None:
    def fail_after_a_write() -> None:
        with store.begin() as tx:
            tx.execute(event.insert().values(**EVENT))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_after_a_write()
    with store.begin() as tx:
        tx.execute(event.insert().values(**EVENT))
        with pytest.raises(sa.exc.IntegrityError), tx.begin_nested():
            tx.execute(event.insert().values(**EVENT, athlete_id="nobody"))
    with store.read() as tx:
        assert number_of(tx, event) == 1


def test_a_broken_key_is_a_conflict_that_repeats_no_value(store: Store, club: Club) -> None:
    with store.begin() as tx:
        row = tx.execute(sa.select(athlete)).mappings().one()
    with pytest.raises(Conflict) as caught, store.begin() as tx:
        tx.execute(athlete.insert().values(**{**row, "id": "another"}))
    assert "calendar_token" in str(caught.value)
    assert row["calendar_token"] not in str(caught.value)
    with pytest.raises(Conflict), store.begin() as tx:
        tx.execute(event.insert().values(**EVENT, athlete_id="nobody"))


def test_a_reader_sees_one_moment_whoever_writes_meanwhile(store: Store, club: Club) -> None:
    with store.read() as reader:
        before = number_of(reader, event)
        with store.begin() as tx:
            tx.execute(event.insert().values(**EVENT))
        assert number_of(reader, event) == before
    with store.read() as tx:
        assert number_of(tx, event) == before + 1


def test_ids_of_recordings_follow_their_time() -> None:
    ids = [fresh_id_at(START + timedelta(milliseconds=each)) for each in range(50)]
    assert ids == sorted(ids)
    assert len({*ids, *(fresh_id_at(START) for _ in range(50))}) == 100
    assert first_id_at(START) < ids[0] < first_id_at(START + timedelta(milliseconds=1)) < ids[1]
    assert {(len(each), each[12], each[16] in "89ab") for each in ids} == {(32, "7", True)}


SENDER = """
import sys
from coach.config import Config
from coach.service import build_services
from coach.store.engine import open_store
from devices.hostclock import SystemClock
from tests.coach.club import bending_chunks
with open_store(sys.argv[1]) as store:
    log = build_services(store, Config(), SystemClock()).log
    chunks = bending_chunks(4, 6, 1_790_000_000.0)
    print("ready", flush=True)
    sys.stdin.readline()
    for first in range(0, len(chunks), 3):
        for key in log.append(chunks[first : first + 3]):
            print(key, flush=True)
"""


def test_two_processes_that_append_the_same_store_each_chunk_once(club: Club) -> None:
    command = [sys.executable, "-c", SENDER, club.store.url]
    senders = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for sender in senders:
        assert sender.stdout is not None
        assert sender.stdout.readline() == "ready\n"
    for sender in senders:
        assert sender.stdin is not None
        sender.stdin.write("go\n")
        sender.stdin.flush()
    told = [sender.communicate(timeout=120)[0].split() for sender in senders]
    expected = [chunk.key for chunk in bending_chunks(4, 6, NOW_S)]
    assert told == [expected, expected]
    with club.store.read() as tx:
        (stream_id,) = recordings.ids_of_athlete(tx, club.athlete_id)
        assert [row["seq"] for row in recordings.chunks_after(tx, stream_id, -1, 100)] == list(range(48))
        assert recordings.get_stream(tx, stream_id)["max_seq"] == 47  # type: ignore[index]


def test_the_cursor_moves_for_one_of_two_workers(club: Club) -> None:
    club.services.log.append(bending_chunks(2, 6, NOW_S))
    (stream_id,) = club.services.motion.pending_streams()
    handled = at_once(*[lambda: club.services.motion.handle_pending(stream_id)] * 4)
    assert sorted(each.chunks for each in handled) == [0, 0, 0, 24]  # type: ignore[attr-defined]
    with club.store.read() as tx:
        assert number_of(tx, feature) == 24


def test_an_athlete_goes_from_either_database_into_the_other_and_is_erased(
    store: Store, club: Club, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Export, import, the numbers of rows that come next, erase."""
    club.services.log.append(bending_chunks(2, 6, NOW_S))
    for stream_id in club.services.motion.pending_streams():
        club.services.motion.handle_pending(stream_id)
    assert fill(store, club.athlete_id, "MARK") == []
    with (tmp_path / "first.zip").open("wb") as file:
        club.services.exports.write(club.athlete, club.athlete_id, file)
    there = tmp_path / "there.db" if store.dialect == "postgresql" else request.getfixturevalue("postgres_url")
    with open_store(there) as other:
        migrate(other)
        services = build_services(other, club.config, club.clock)
        services.restoring.take_in(tmp_path / "first.zip")
        again = io.BytesIO()
        with other.read() as tx:
            write_archive(tx, club.athlete_id, again, club.clock.now)
        assert members(again) == members(io.BytesIO((tmp_path / "first.zip").read_bytes()))
        more = bending_chunks(0.5, 6, NOW_S, recording_id="next")
        assert len(services.log.append(more)) == len(more)
        assert services.erasing.erase(None, club.athlete_id, "Ada").emptied
        with other.read() as tx:
            assert erasing.leftovers(tx, club.athlete_id) == {}
            assert number_of(tx, athlete) == number_of(tx, chunk_table) == 0


def members(archive: io.BytesIO) -> dict[str, str]:
    """Return the checksum of each member of an export."""
    with zipfile.ZipFile(archive) as file:
        found: dict[str, str] = json.loads(file.read("manifest.json"))["members"]
    return found


def test_what_no_database_can_keep_is_refused_in_an_import(club: Club) -> None:
    from coach.store.exporting import value_of

    for column, told in ((event.c.why, "a\0b"), (feature.c.bends, 2**31), (feature.c.start_index, 2**63)):
        with pytest.raises(InvalidInput):
            value_of(column, told)
    assert value_of(feature.c.start_index, 2**31) == 2**31


def test_sums_by_the_database_are_the_same_numbers(club: Club) -> None:
    club.services.log.append(bending_chunks(3, 6, NOW_S))
    for stream_id in club.services.motion.pending_streams():
        club.services.motion.handle_pending(stream_id)
    with club.store.read() as tx:
        rows = tx.execute(sa.select(feature)).mappings().all()
        thresholds = tuple(rows[0]["above"])
        pieces = signals.pieces_between(tx, club.athlete_id, ("chest",), NOW_S, NOW_S + 600, thresholds)
    assert sum(piece["bends"] for piece in pieces) == sum(row["bends"] for row in rows) > 0
    assert sum(piece["covered_s"] for piece in pieces) == sum(row["covered"] for row in rows) / rows[0]["rate_hz"] > 60
    assert any(piece[threshold] for piece in pieces for threshold in thresholds)
    for threshold in thresholds:
        above_s = sum(row["above"][threshold] / row["rate_hz"] for row in rows)
        assert sum(piece[threshold] for piece in pieces) == pytest.approx(above_s)


def test_a_database_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for where in (tmp_path / "folder", "postgresql://backstop:secret@127.0.0.1:1/none"):
        with open_store(where) as store, pytest.raises(StoreUnavailable, match="cannot be used now") as caught:
            migrate(store)
        assert "secret" not in str(caught.value)
        assert "\n" not in str(caught.value)
        assert caught.value.condition == "unreachable"


def test_the_schema_is_the_newest_after_migrating_twice(store: Store) -> None:
    migrate(store)
    with store.read() as tx:
        assert schema_version(tx) == max(each.name[1:5] for each in Path("coach/store/migrations/versions").glob("v0*"))
