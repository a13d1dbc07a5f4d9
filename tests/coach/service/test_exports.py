"""Everything of an athlete in one archive: one state, the same bytes; readable by others; back in and unchanged."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from garmin_fit_sdk import Decoder, Stream
from sqlalchemy import select

from coach.config import Config
from coach.csv_text import plain
from coach.errors import NoSuch, NotAllowed
from coach.exports.archive import MANIFEST
from coach.exports.signals import ACC, GYR
from coach.service import build_services
from coach.service.exports import Exports, write_archive
from coach.service.rerun import How
from coach.store import exporting
from coach.store.data_rules import RULES
from coach.store.engine import migrate
from coach.store.every_table import metadata
from coach.store.tables import chunk, stream
from devices.codec import decode_chunk
from tests.coach import exports_bids
from tests.coach.club import Club, FakeClock, bending_chunks, found_club
from tests.coach.service.test_days import MONDAY, THURSDAY_NOON, WEDNESDAY, analysed, at, bent, bytes_of
from tests.coach.whole_athlete import count, fill
from tests.databases import open_store

MARK = "MARKED"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Club]:
    """Ada, whose days were judged, with a row in every table. No test changes anything."""
    with open_store(tmp_path_factory.mktemp("whole") / "backstop.db") as store:
        migrate(store)
        club = found_club(store, FakeClock(THURSDAY_NOON))
        lossy = bending_chunks(14, 6, at(WEDNESDAY, 9), recording_id=f"bent-{WEDNESDAY}", lost=(3, 9))
        analysed(club, bent(MONDAY), lossy)
        assert fill(club.store, club.athlete_id, MARK) == []
        yield club


@pytest.fixture(scope="module")
def first(whole: Club, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Her archive."""
    return archive_of(whole, tmp_path_factory.mktemp("first"))


def archive_of(club: Club, folder: Path) -> Path:
    with open(folder / "a.zip", "wb") as file:
        club.services.exports.write(club.athlete, club.athlete_id, file)
    return folder / "a.zip"


@contextmanager
def empty_house(folder: Path, clock: FakeClock) -> Iterator[Club]:
    """Another Backstop in which nobody is."""
    with open_store(folder / "empty.db") as store:
        migrate(store)
        config = Config()
        services = build_services(store, config, clock)
        yield Club(store, services, clock, config, None, None, "", "")  # type: ignore[arg-type]


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


def test_every_table_that_leaves_has_a_row_and_every_row_is_there(whole: Club, first: Path) -> None:
    found = members(first)
    with whole.store.read() as tx:
        for table in metadata.sorted_tables:
            rule = RULES[table.name]
            name = f"tables/{table.name}.jsonl"
            assert (name in found) is rule.exported
            if rule.exported:
                rows = [json.loads(line) for line in found[name].splitlines()]
                assert rows, f"{table.name} is empty: the athlete of this test must have a row in it"
                assert rule.named or len(rows) == count(tx, table, whole.athlete_id)
                assert not set(rows[0]) & set(rule.hidden)
    secrets = ["password_hash", "calendar_token", "token_hash", "p256dh"]
    assert [each for each in secrets if any(each.encode() in data for data in found.values())] == []


def test_the_same_state_gives_the_same_bytes_but_for_one_time_stamp(whole: Club, first: Path, tmp_path: Path) -> None:
    one = members(first)
    whole.clock.forward(hours=5)
    other = members(archive_of(whole, tmp_path))
    assert list(one) == list(other)
    assert [name for name in one if one[name] != other[name]] == [MANIFEST]
    said, later = json.loads(one[MANIFEST]), json.loads(other[MANIFEST])
    assert said.pop("made_at") != later.pop("made_at")
    assert said == later


def test_an_export_goes_into_an_empty_backstop_with_nothing_changed(whole: Club, first: Path, tmp_path: Path) -> None:
    with empty_house(tmp_path, whole.clock) as there:
        taken = there.services.restoring.take_in(first)
        assert taken.athlete_id == whole.athlete_id
        with whole.store.read() as here_tx, there.store.read() as tx:
            for table in metadata.sorted_tables:
                if RULES[table.name].exported and RULES[table.name].path:
                    assert count(tx, table, whole.athlete_id) == count(here_tx, table, whole.athlete_id)
            second = io.BytesIO()
            write_archive(tx, whole.athlete_id, second, whole.clock.now + timedelta(hours=1))
        with zipfile.ZipFile(second) as file:
            again = {name: file.read(name) for name in file.namelist()}
        before = members(first)
        assert list(again) == list(before)
        assert [name for name in before if before[name] != again[name]] == [MANIFEST]
        assert json.loads(before[MANIFEST])["members"] == json.loads(again[MANIFEST])["members"]


def test_findings_follow_from_what_was_taken_in(club: Club, tmp_path: Path) -> None:
    """Taken in, the recordings say the same when they are analysed anew."""
    club.clock.now = THURSDAY_NOON
    analysed(club, bent(MONDAY))
    said = bytes_of(club)
    assert [each.kind for each in club.services.findings.for_athlete(club.athlete_id)] == ["repeated_bending"]
    with empty_house(tmp_path, club.clock) as there:
        there.services.restoring.take_in(archive_of(club, tmp_path))
        moved = Club(
            there.store, there.services, club.clock, there.config, club.coach, club.athlete, club.athlete_id, ""
        )
        assert bytes_of(moved) == said
        view = moved.services.rerun.run(club.athlete_id)
        assert view.recordings == 1
        assert [each.how for each in view.findings] == [How.SAME]
        assert bytes_of(moved) == said


def test_parquet_holds_each_sample_exactly_and_gaps_as_null(whole: Club, first: Path) -> None:
    found = members(first)
    with whole.store.read() as tx:
        row = tx.execute(select(stream).where(stream.c.recording_id == f"bent-{WEDNESDAY}")).mappings().one()
        stored = tx.execute(select(chunk.c.blob).where(chunk.c.stream_id == row["id"]).order_by(chunk.c.seq)).scalars()
        chunks = [decode_chunk(bytes(each)) for each in stored]
    table = pq.read_table(io.BytesIO(found[f"signals/{row['placement']}-{row['id']}.parquet"]))
    for names, which in ((ACC, "acc_mps2"), (GYR, "gyr_radps")):
        stacked = np.concatenate([getattr(each, which) for each in chunks])
        for axis, name in enumerate(names):
            column = table[name]
            assert column.null_count == int(np.isnan(stacked[:, axis]).sum()) > 0
            values = column.to_numpy().astype(np.float64)
            assert np.array_equal(values, stacked[:, axis], equal_nan=True)
    onset = table["time_utc"][0].as_py().timestamp()
    assert onset == pytest.approx(at(WEDNESDAY, 9), abs=1e-6)
    assert table.schema.metadata[b"placement"].decode() == row["placement"]
    assert table["index"].to_pylist() == list(range(len(table)))


def test_done_sessions_are_fit_files_that_the_makers_own_reader_takes(whole: Club, first: Path) -> None:
    found = members(first)
    (data,) = [each for name, each in found.items() if name.endswith(".fit")]
    assert Decoder(Stream.from_byte_array(bytearray(data))).check_integrity()
    messages, errors = Decoder(Stream.from_byte_array(bytearray(data))).read()
    assert errors == []
    sets = messages["set_mesgs"]
    # Two sets of 6 and 4 holds of 10 s, each side.
    assert [(each["repetitions"], each["duration"]) for each in sets] == [(6, 60.0), (6, 60.0), (4, 40.0), (4, 40.0)]
    assert {each["category"] for each in sets} == {"core"}
    assert messages["workout_step_mesgs"][0]["wkt_step_name"] == "Bird-dog"
    assert len(messages["session_mesgs"]) == len(messages["activity_mesgs"]) == 1


def test_sheets_hold_what_was_said_and_no_formula(whole: Club, first: Path) -> None:
    found = members(first)
    for name in ("findings", "pain", "sessions", "tests"):
        rows = list(csv.DictReader(io.StringIO(found[f"sheets/{name}.csv"].decode(), newline="")))
        assert rows
        cells = [cell for row in rows for cell in row.values()]
        assert [cell for cell in cells if cell[:1] in "=+@" and cell] == []
    with whole.store.read() as tx:
        notes = {row["note"] for row in exporting.plain_rows(tx, "checkin", whole.athlete_id)}
    pain = csv.DictReader(io.StringIO(found["sheets/pain.csv"].decode(), newline=""))
    assert {plain(row["note"]) for row in pain} == notes
    assert any(note.startswith("=") for note in notes)


def test_nobody_takes_along_what_is_not_theirs(whole: Club) -> None:
    exports: Exports = whole.services.exports
    other = whole.services.athletes.create("Bea", "UTC")
    with pytest.raises(NotAllowed):
        exports.write(whole.coach, whole.athlete_id, io.BytesIO())
    for who in (whole.athlete, whole.coach):
        with pytest.raises(NoSuch):
            exports.write(who, other, io.BytesIO())


def test_the_motion_bids_folder_is_as_its_specification_asks(whole: Club, first: Path) -> None:
    files = {name.removeprefix("bids/"): data for name, data in members(first).items() if name.startswith("bids/")}
    assert list(exports_bids.faults(files)) == []
    (monday,) = [name for name in files if f"ses-{MONDAY:%Y%m%d}" in name and name.endswith("_motion.tsv")]
    (told,) = [json.loads(data) for name, data in files.items() if name == monday.replace(".tsv", ".json")]
    rows = files[monday].decode().splitlines()
    assert len(rows) == 14 * 60 * 25
    assert (told["SamplingFrequency"], told["RecordingDuration"]) == (25.0, pytest.approx(14 * 60 - 0.04))
    (lossy,) = [data for name, data in files.items() if f"ses-{WEDNESDAY:%Y%m%d}" in name and "_motion.tsv" in name]
    assert lossy.count(b"n/a\tn/a\tn/a\tn/a\tn/a\tn/a\t") == 2 * 3 * 25
    assert list(exports_bids.faults({**files, "sub-x/motion.tsv": b""})) != []
