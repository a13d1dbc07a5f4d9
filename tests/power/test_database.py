"""The power goes at any moment of taking, analysing and entering: what was acknowledged is there, nothing is half done,
and the findings come out as if nothing had happened."""

from __future__ import annotations

import hashlib
import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from coach.config import Config
from coach.instance import database_path
from coach.live import LiveFeed
from coach.log import pack
from coach.service import build_services
from coach.store.engine import migrate, open_store
from coach.worker import Worker
from devices.codec import encode_chunk
from tests.coach.club import START, FakeClock, bending_chunks
from tests.power.cuts import Cut, Journal
from tests.power.disk import Kind
from tests.power.ingest import people
from tests.power.shim import Shim
from tests.scenarios.test_killed import findings_of

# Ten minutes of bending: enough for a finding.
MINUTES = 10.0
# Numbers of chunks at which a sync fails.
FAILS_AT = "2 5 8 11 14 17 20"
# What must hold of any state of the database, as a question that finds what contradicts it.
HALF_DONE = (
    "select s.id from stream s left join chunk c on c.stream_id = s.id group by s.id having s.max_seq <> max(c.seq)",
    "select s.id from stream s join chunk c on c.stream_id = s.id group by s.id having count(*) <> s.max_seq + 1",
    "select s.id from stream s left join stream_state t on t.stream_id = s.id where t.stream_id is null",
    "select s.id from stream s join stream_state t on t.stream_id = s.id where t.last_seq > s.max_seq",
    "select stream_id from stream_state where (last_seq >= 0) <> (state is not null)",
)


@dataclass(frozen=True, slots=True)
class Story:
    """A journal, the packed chunks that went in, the findings of a run that nobody disturbed."""

    journal: Journal
    blobs: tuple[bytes, ...]
    undisturbed: list[str]


def played(folder: Path) -> Story:
    """Run the process twice, a restart between, and once without a shim, for the findings."""
    blobs = tuple(encode_chunk(each) for each in bending_chunks(MINUTES, 8, START.timestamp() - 3600.0))
    half = len(blobs) // 2
    journal = journal_of(folder, blobs, [(0, half), (half, len(blobs))])
    return Story(journal, blobs, recomputed(folder / "undisturbed", blobs))


def journal_of(
    folder: Path, blobs: tuple[bytes, ...], runs: list[tuple[int, int]], *planted: str, sync_fails: str = ""
) -> Journal:
    """Return what processes did that took these chunks, run by run. sync_fails: at which of them syncs fail."""
    root = folder / "cut"
    root.mkdir(parents=True)
    (folder / "chunks").write_bytes(pack(blobs))
    shim = Shim(folder, root)
    for first, end in runs:
        told = [str(root), str(folder / "chunks"), str(first), str(end), *planted]
        shim.run("ingest.py", *told, POWER_NOW=str(START.timestamp()), POWER_SYNC_FAILS=sync_fails)
    return Journal.read(root, shim.journal)


def short() -> tuple[bytes, ...]:
    """Return two minutes of chunks."""
    return tuple(encode_chunk(each) for each in bending_chunks(2.0, 8, START.timestamp() - 3600.0))


def recomputed(folder: Path, blobs: tuple[bytes, ...]) -> list[str]:
    """Go on as Backstop does after a start, with every chunk sent again; return the findings."""
    with open_store(database_path(folder)) as store:
        migrate(store)
        services = build_services(store, Config(), FakeClock())
        _, athlete_id = people(services)
        assert len(services.log.append_encoded(blobs)) == len(blobs)
        Worker(services, LiveFeed()).drain()
        return findings_of(services, athlete_id)


def wrong_with(cut: Cut) -> str | None:
    """Tell what is wrong with the database that a cut left, asked of SQLite itself; None for nothing."""
    path = database_path(cut.folder)
    chance = random.Random(cut.at)
    if chance.random() < 0.5:  # the index of the log lives in memory: anything may lie in its file
        Path(f"{path}-shm").write_bytes(chance.randbytes(32_768))
    else:
        Path(f"{path}-shm").unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as found:
        try:
            return wrong_in(found, cut.marks)
        except sqlite3.DatabaseError as error:
            return f"the database cannot be read: {error}"


def wrong_in(found: sqlite3.Connection, marks: dict[str, list[str]]) -> str | None:
    if (told := found.execute("pragma integrity_check").fetchall()) != [("ok",)]:
        return f"the database is damaged: {told[:3]}"
    if found.execute("pragma foreign_key_check").fetchall():
        return "a row points at nothing"
    if "ready" not in marks:
        return None
    keys = (
        "select s.device_id || '-' || s.recording_id || '-' || c.seq from chunk c join stream s on s.id = c.stream_id"
    )
    for what, question in (("chunk", keys), ("checkin", "select key from checkin")):
        stored = {key for (key,) in found.execute(question)}
        if lost := set(marks.get(what, ())) - stored:
            return f"{len(lost)} acknowledged by {what} are lost: {sorted(lost)[:3]}"
    half = [question for question in HALF_DONE if found.execute(question).fetchall()]
    return f"half done: {half}" if half else None


def state_of(folder: Path) -> str:
    """Return what the database says, whatever its pages look like: two cuts of one state need one recomputation."""
    digest = hashlib.sha256()
    with closing(sqlite3.connect(database_path(folder))) as found:
        for line in found.iterdump():
            digest.update(line.encode())
    return digest.hexdigest()


def checkpoints(journal: Journal) -> int:
    """Return how often the database itself was synced, which happens at a checkpoint only."""
    database, synced = set[tuple[int, int]](), 0
    for call in journal.calls:
        if call.kind is Kind.OPEN and call.path == str(database_path(Path(journal.root))):
            database.add((call.pid, call.fd))
        elif call.kind is Kind.CLOSE:
            database.discard((call.pid, call.fd))
        synced += call.kind is Kind.SYNC and (call.pid, call.fd) in database
    return synced


@pytest.mark.proof
def test_a_power_cut_loses_nothing_acknowledged_and_the_findings_come_out_the_same(
    tmp_path: Path, full_or_quick: Callable[[int, int], int], figure: Callable[[str, object, str], None]
) -> None:
    story = played(tmp_path)
    assert story.undisturbed, "the motion holds a pattern"
    journal = story.journal
    assert checkpoints(journal) >= 10
    random_ones, syncs = journal.moments(full_or_quick(500, 25), 7), journal.at_syncs()
    moments = sorted({*random_ones, *syncs[:: full_or_quick(1, max(1, len(syncs) // 15))]})
    # Every random cut is recomputed, unless one with the same rows was; in `make test` some of them.
    recompute = set(random_ones[:: full_or_quick(1, 5)])
    known: set[str] = set()
    for cut in journal.cuts(moments, 7):
        assert (wrong := wrong_with(cut)) is None, (cut.at, wrong)
        if cut.at in recompute and "ready" in cut.marks and (state := state_of(cut.folder)) not in known:
            known.add(state)
            assert recomputed(cut.folder, story.blobs) == story.undisturbed, cut.at
    figure("calls that changed a file, and syncs", f"{len(journal.calls)}, {journal.count(Kind.SYNC)}", "")
    figure("power cuts at random, and at syncs", f"{len(random_ones)}, {len(moments) - len(random_ones)}", "")
    figure("states whose findings were recomputed", len(known), "")


def test_a_database_that_does_not_sync_is_caught(tmp_path: Path) -> None:
    journal = journal_of(tmp_path, short(), [(0, 24)], "off")
    assert any(wrong_with(cut) for cut in journal.cuts(journal.moments(60, 7), 7))


@pytest.mark.proof
def test_after_a_sync_that_failed_nothing_is_acknowledged_that_a_power_cut_could_take(
    tmp_path: Path, full_or_quick: Callable[[int, int], int], figure: Callable[[str, object, str], None]
) -> None:
    journal = journal_of(tmp_path, short(), [(0, 24)], sync_fails=FAILS_AT)
    assert journal.count(Kind.SYNC_FAILED) >= 6
    for cut in journal.cuts(journal.moments(full_or_quick(500, 60), 7), 7):
        assert (wrong := wrong_with(cut)) is None, (cut.at, wrong)
    figure("syncs that failed", journal.count(Kind.SYNC_FAILED), "")


def test_a_log_that_is_trusted_after_its_sync_failed_is_caught(tmp_path: Path) -> None:
    journal = journal_of(tmp_path, short(), [(0, 24)], "trusting", sync_fails=FAILS_AT)
    assert any(wrong_with(cut) for cut in journal.cuts(range(1, len(journal.calls), 2), 7))
