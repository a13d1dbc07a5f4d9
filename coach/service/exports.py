"""Everything of one athlete in one archive: rows without loss, and beside them what other programs and people open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Any, BinaryIO

import numpy as np

from coach.errors import InvalidInput, NoSuch, NotAllowed
from coach.exports import sheets
from coach.exports.archive import Archive, json_bytes
from coach.exports.bids import DataSet
from coach.exports.fit import session_file
from coach.exports.signals import Block, HeartWriter, MotionTsvWriter, Recording, SignalWriter, blocks
from coach.service.ground import Ground
from coach.service.permission import require_athlete, speaks_for
from coach.service.plain import exercises_from_plain
from coach.service.types import Identity
from coach.store import exporting
from coach.store.engine import Tx
from devices.codec import decode_chunk
from devices.errors import DeviceError
from devices.heartblock import BEATS, RR
from devices.types import Chunk
from programs.exercises import shelf_of

NOT_YOURS = "Only the athlete, or who stands in for them, takes everything of theirs along."


@dataclass(frozen=True, slots=True)
class Exported:
    """What an archive holds. rows: by table. unreadable_chunks: kept as they are, but in no signal file."""

    rows: dict[str, int]
    recordings: int
    samples: int
    sessions: int
    unreadable_chunks: int


class Exports:
    """Write archives. One snapshot of the database each: what comes meanwhile is in the next one."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def athlete_named(self, name: str) -> str:
        """Return the id of an athlete, by name or id, for the owner of the machine. Raises NoSuch, InvalidInput."""
        wanted = name.strip().casefold()
        with self._ground.store.read() as tx:
            everybody = exporting.athletes(tx)
        found = [athlete_id for athlete_id, known in everybody if wanted in (known.strip().casefold(), athlete_id)]
        if not found:
            raise NoSuch(f"There is no athlete {name}: see `backstop user list`.")
        if len(found) > 1:
            raise InvalidInput(f"{len(found)} athletes are named {name}: give the id, one of {', '.join(found)}.")
        return found[0]

    def may(self, by: Identity, athlete_id: str) -> bool:
        """Tell whether `by` may take everything of an athlete along. Raises NoSuch for who may see nothing."""
        with self._ground.store.read() as tx:
            require_athlete(tx, by, athlete_id)
            return speaks_for(tx, by, athlete_id)

    def bytes_about(self, by: Identity, athlete_id: str) -> int:
        """Return about how many bytes an archive will have. Raises NoSuch, NotAllowed."""
        with self._ground.store.read() as tx:
            self._check(tx, by, athlete_id)
            return _about(tx, athlete_id)

    def write(self, by: Identity | None, athlete_id: str, out: BinaryIO) -> Exported:
        """Write the archive of everything of an athlete. by: None for the owner of the machine, who has its files.

        Raises NoSuch, NotAllowed (who does not speak for them).
        """
        with self._ground.store.read() as tx:
            if by is not None:
                self._check(tx, by, athlete_id)
            return write_archive(tx, athlete_id, out, self._ground.now())

    def _check(self, tx: Tx, by: Identity, athlete_id: str) -> None:
        require_athlete(tx, by, athlete_id)
        if not speaks_for(tx, by, athlete_id):
            raise NotAllowed(NOT_YOURS)


def _about(tx: Tx, athlete_id: str) -> int:
    # The chunks, and the same samples as Parquet and as packed text; measured: 6 times the chunks.
    return 7 * exporting.blob_bytes(tx, athlete_id) + 1_000_000


def write_archive(tx: Tx, athlete_id: str, out: BinaryIO, now: datetime) -> Exported:
    """Write the archive of an athlete; nobody is asked. The same state gives the same bytes but for `made_at`."""
    archive = Archive(out)
    archive.add("README.txt", _README)
    rows = {name: _table(archive, tx, name, athlete_id) for name in exporting.table_names()}
    _sheets(archive, tx, athlete_id)
    signals = _Signals(archive, tx, athlete_id)
    signals.write()
    sessions = _sessions(archive, tx, athlete_id)
    _files(archive, tx, athlete_id)
    told = Exported(rows, signals.recordings, signals.samples, sessions, signals.unreadable)
    facts: dict[str, Any] = {
        "made_at": now.isoformat(),
        "backstop": version("backstop"),
        "schema": exporting.schema_version(tx),
        "athlete_id": athlete_id,
        "rows": rows,
    }
    archive.close(facts)
    return told


def _table(archive: Archive, tx: Tx, name: str, athlete_id: str) -> int:
    count = 0
    with archive.member(f"tables/{name}.jsonl") as member:
        for count, row in enumerate(exporting.plain_rows(tx, name, athlete_id), start=1):  # noqa: B007 - the last one
            member.write(json_bytes(row) + b"\n")
    for column in exporting.beside(name):
        with archive.member(f"tables/{name}.{column}.bin", packed=False) as member:
            for blob in exporting.blobs(tx, name, column, athlete_id):
                member.write(blob)
    return count


def _sheets(archive: Archive, tx: Tx, athlete_id: str) -> None:
    outcomes = {each["session_id"]: each for each in exporting.plain_rows(tx, "session_outcome", athlete_id)}
    sessions = (
        {
            **{name: value for name, value in outcomes.get(row["id"], {}).items() if name != "recorded_by"},
            **row,
            "exercises": [each["exercise_id"] for each in row["exercises"]],
        }
        for row in exporting.plain_rows(tx, "planned_session", athlete_id)
    )
    for name, columns, rows in (
        ("findings", sheets.FINDINGS, exporting.plain_rows(tx, "finding", athlete_id)),
        ("pain", sheets.PAIN, exporting.plain_rows(tx, "checkin", athlete_id)),
        ("sessions", sheets.SESSIONS, sessions),
        ("tests", sheets.TESTS, exporting.plain_rows(tx, "assessment_trial", athlete_id)),
    ):
        ordered = sorted(rows, key=lambda row: (str(row.get(_TIME_OF[name]) or ""), row["id"]))
        with archive.member(f"sheets/{name}.csv") as member:
            sheets.write_sheet(member, columns, ordered)


_TIME_OF = {"findings": "opened_at", "pain": "at", "sessions": "due_at", "tests": "started_at"}


class _Signals:
    """Write the samples of every recording, once as Parquet and once as Motion-BIDS."""

    def __init__(self, archive: Archive, tx: Tx, athlete_id: str) -> None:
        self._archive, self._tx, self._athlete_id = archive, tx, athlete_id
        self._unreadable: Counter[str] = Counter()
        self.recordings = 0
        self.samples = 0

    @property
    def unreadable(self) -> int:
        return sum(self._unreadable.values())

    def write(self) -> None:
        """Write them."""
        data_set = DataSet(self._archive, self._athlete_id)
        for onset_utc_s, recording in self._recordings():
            self._parquet(f"signals/{recording.placement}-{recording.stream_id}.parquet", recording)
            self._bids(data_set, recording, onset_utc_s)
            self.recordings += 1
        data_set.close()
        self._hearts()

    def _recordings(self) -> list[tuple[float, Recording]]:
        found = []
        for row in exporting.plain_rows(self._tx, "stream", self._athlete_id):
            recording = Recording(row["id"], row["device_id"], row["recording_id"], row["placement"], row["rate_hz"])
            first = next(self._chunks(recording), None)
            if first is not None:
                found.append((first.start_utc_s, recording))
        return sorted(found, key=lambda each: (each[0], each[1].stream_id))

    def _chunks(self, recording: Recording) -> Iterator[Chunk]:
        unreadable = 0
        for blob in exporting.signal(self._tx, recording.stream_id):
            try:
                yield decode_chunk(blob)
            except DeviceError:
                unreadable += 1
        self._unreadable[recording.stream_id] = unreadable

    def _parquet(self, name: str, recording: Recording) -> None:
        with self._archive.member(name, packed=False) as member:
            writer = SignalWriter(member, recording)
            for block in blocks(self._chunks(recording)):
                self.samples += len(block.index)
                writer.put(block)
            writer.close()

    def _bids(self, data_set: DataSet, recording: Recording, onset_utc_s: float) -> None:
        run = data_set.place(recording, onset_utc_s)
        samples, last_utc_s = 0, onset_utc_s
        with self._archive.member(data_set.motion_path(run)) as member:
            writer = MotionTsvWriter(member, onset_utc_s)
            for block in blocks(self._chunks(recording)):
                samples, last_utc_s = samples + len(block.index), _end(block)
                writer.put(block)
        data_set.describe(run, recording, samples, last_utc_s - onset_utc_s)

    def _hearts(self) -> None:
        found = exporting.hearts(self._tx, self._athlete_id)
        first = next(found, None)
        if first is None:
            return
        with self._archive.member("signals/heart_rate.parquet", packed=False) as member:
            writer = HeartWriter(member)
            for row in (first, *found):
                beats, rr_s = np.frombuffer(row["beats"], BEATS), np.frombuffer(row["rr_s"], RR)
                writer.put(row["device_id"], row["recording_id"], beats, rr_s)
            writer.close()


def _end(block: Block) -> float:
    return float(block.utc_s[-1])


def _sessions(archive: Archive, tx: Tx, athlete_id: str) -> int:
    """Write a FIT file for each session that was done; return how many."""
    done = {
        each["session_id"]: each
        for each in exporting.plain_rows(tx, "session_outcome", athlete_id)
        if each["outcome"] == "done"
    }
    count = 0
    for row in exporting.plain_rows(tx, "planned_session", athlete_id):
        outcome = done.get(row["id"])
        if outcome is None:
            continue
        shelf = shelf_of(exercises_from_plain(row["exercises"]))
        categories = {exercise_id: each.category.value for exercise_id, each in shelf.items()}
        names = {exercise_id: each.name for exercise_id, each in shelf.items()}
        times = {
            "due_at": datetime.fromisoformat(row["due_at"]),
            "recorded_at": datetime.fromisoformat(outcome["recorded_at"]),
        }
        name = f"sessions/{row['local_date']}-{row['id']}.fit"
        archive.add(name, session_file({**row, **times}, categories, names), packed=False)
        count += 1
    return count


def _files(archive: Archive, tx: Tx, athlete_id: str) -> None:
    """Write uploaded files once more, under names that a person finds."""
    have = (row for row in exporting.plain_rows(tx, "imaging", athlete_id) if row["file"] is not None)
    for row, blob in zip(have, exporting.blobs(tx, "imaging", "file", athlete_id), strict=True):
        # By what the file was found to be, never by the name that it came with.
        ending = _ENDINGS.get(row["media_type"], "bin")
        archive.add(f"files/{row['taken_on']}-{row['id']}.{ending}", blob, packed=False)


_ENDINGS = {"application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg", "text/plain": "txt"}


_README = b"""Everything that Backstop keeps of one athlete.

tables/     every row, one JSON object a line; bytes of signal and files beside them (.bin). Without loss: another
            Backstop takes it back with `backstop import-athlete FILE`.
sheets/     findings, pain, sessions and tests, for a spreadsheet. A text that looks like a formula has an apostrophe
            before it.
signals/    one Parquet file per recording: acceleration in m/s2 with gravity (acc_*_mps2) and angular rate in rad/s
            (gyr_*_radps) in the sensor's axes, null where nothing arrived; and heart rate.
bids/       the same samples as a Motion-BIDS data set.
sessions/   sessions that were done, as FIT. Sets are as the program asked for them; nobody timed them.
files/      files that were uploaded.
manifest.json  what was made when, with sizes and SHA-256.

Left out: passwords, keys and tokens, which let somebody in and are of no use elsewhere.
"""
