"""One contract of the chunk log, over a table in SQLite and in PostgreSQL, and over JetStream before PostgreSQL."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from coach.arrivals_worker import ArrivalsWorker
from coach.errors import ConfigError, Conflict, NotAllowed, StoreUnavailable
from coach.jetstream import streams
from coach.jetstream.line import NatsLine
from coach.jetstream_log import MOTION, JetStreamLog, partition_of
from coach.live import LiveFeed
from coach.log import TableChunkLog
from coach.service.arrivals import Arrivals, Arrived, Done
from coach.service.dead_letters import Stage
from coach.service.tokens import Shown, senders
from coach.store import recordings
from coach.store.engine import Store, migrate, open_store
from coach.web.metrics import WebMetrics
from coach.worker import Worker
from devices.codec import decode_chunk, encode_chunk
from tests.coach.club import START, Club, FakeClock, bending_chunks, found_club
from tests.servers import Nats

NOW_S = START.timestamp()
# s that a machine under load may take for what takes a moment.
WAIT_S = 30.0
PARTITIONS = 8


@dataclass
class Place:
    """A log with the worker behind it. settle: until nothing waits; behind_nats: whether chunks go through it first."""

    club: Club
    log: TableChunkLog
    settle: Callable[[], None]
    behind_nats: bool = False

    def rows(self, table: str, columns: str, order: str) -> list[tuple[Any, ...]]:
        with self.club.store.read() as tx:
            found = tx.exec_driver_sql(f"SELECT {columns} FROM {table} ORDER BY {order}").all()
        return [tuple(row) for row in found]

    def kept(self) -> list[str]:
        """Return the keys of all chunks that are stored, in the order of their recordings."""
        with self.club.store.read() as tx:
            ids = tx.exec_driver_sql("SELECT id FROM stream ORDER BY recording_id").scalars().all()
            rows = [row for each in ids for row in recordings.chunks_after(tx, each, -1, 100_000)]
        return [decode_chunk(bytes(row["blob"])).key for row in rows]

    def seen(self) -> list[tuple[Any, ...]]:
        """Return what was seen in the signal, without when and by which number."""
        columns = "start_index, start_utc_s, expected, covered, bends, line"
        return [(*row[:-1], bytes(row[-1])) for row in self.rows("feature", columns, "stream_id, start_index")]


def _table(store: Store) -> Place:
    migrate(store)
    club = found_club(store, FakeClock())
    worker = Worker(club.services, LiveFeed())
    return Place(club, club.services.log, lambda: _drained(worker))


def _drained(worker: Worker) -> None:
    worker.drain()


def _jetstream(url: str, line: NatsLine) -> tuple[Place, ArrivalsWorker]:
    store, clock = open_store(url), FakeClock()
    log = JetStreamLog(store, clock, line, PARTITIONS, senders)
    club = found_club(store, clock, log=log)
    services = club.services
    worker = Worker(services, LiveFeed())
    arrivals = ArrivalsWorker(log.taker(), services.arrivals, services.dead_letters, lambda _: None)

    def settle() -> None:
        end_s = time.monotonic() + WAIT_S
        while log.waiting() and time.monotonic() < end_s:
            arrivals.once(0.2)
        assert log.waiting() == 0
        worker.drain()

    return Place(club, log, settle, behind_nats=True), arrivals


@pytest.fixture(params=["sqlite", "postgresql", "jetstream"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "sqlite":
        with open_store(tmp_path / "backstop.db") as store:
            yield _table(store)
        return
    url = request.getfixturevalue("postgres_url")
    if request.param == "postgresql":
        with open_store(url) as store:
            yield _table(store)
        return
    nats: Nats = request.getfixturevalue("nats_server")
    with NatsLine(nats.url, "test") as line:
        place, arrivals = _jetstream(url, line)
        yield place
        arrivals.close()
        place.club.store.close()


def test_what_is_acknowledged_is_stored_analysed_and_known_when_it_comes_again(place: Place) -> None:
    chunks = bending_chunks(2, 6, NOW_S)
    keys = tuple(chunk.key for chunk in chunks)
    assert place.log.append(chunks) == keys
    assert place.log.append(chunks[3:5]) == keys[3:5]
    assert place.log.append_encoded([encode_chunk(chunks[7])], place.club.athlete_id) == keys[7:8]
    place.settle()
    assert place.log.append(chunks[:1]) == keys[:1]
    place.settle()
    assert place.kept() == list(keys)
    assert len(place.seen()) == len(chunks)
    assert place.rows("stream_state", "last_seq", "stream_id") == [(len(chunks) - 1,)]
    counts = place.log.counts
    assert (counts.stored + counts.known, counts.refused) == (len(chunks) + 4, 0)


def test_what_is_nobodys_or_not_this_athletes_or_no_chunk_is_refused(place: Place) -> None:
    good, bad = bending_chunks(0.2, 6, NOW_S)[:2]
    stranger = replace(good, device_id="C0:FF:EE:99:99:99")
    bad.acc_mps2[3] = float("nan")  # outside a gap
    assert place.log.append([stranger, bad, good]) == (good.key,)
    assert place.log.append_encoded([encode_chunk(good)], "somebody else") == ()
    token = place.club.services.tokens.issue(place.club.athlete, place.club.athlete_id, "laptop")
    blob = encode_chunk(good)
    mine, other = Shown.of(token), Shown.of("0123-nobody")
    told = place.log.append_together([([blob], mine), ([blob], other), ([b"no chunk"], mine)])
    assert told == [(good.key,), None, None]
    place.settle()
    assert place.kept() == [good.key]


def test_the_first_bytes_of_a_key_stay_and_the_others_are_not_lost_in_silence(place: Place) -> None:
    first, second = bending_chunks(0.2, 6, NOW_S)[:2]
    other = replace(first, acc_mps2=first.acc_mps2 + 1.0)
    assert place.log.append([first]) == (first.key,)
    place.log.append([other, second])
    place.settle()
    assert place.kept() == [first.key, second.key]
    blob = bytes(place.rows("chunk", "blob", "seq")[0][0])
    assert blob == encode_chunk(first)
    stuck = place.club.services.dead_letters.stuck()
    if place.behind_nats:  # the sender had its answer before the database was asked
        [letter] = stuck
        assert (letter.stage, letter.key, letter.athlete_name) == (Stage.NOT_STORED, first.key, "Ada")
        assert place.club.services.dead_letters.show(letter.id)[1] == encode_chunk(other)
    else:
        assert (place.log.counts.refused, stuck) == (1, ())


def test_chunks_out_of_order_and_late_ones_come_to_what_the_order_would_have_come_to(
    place: Place, tmp_path: Path
) -> None:
    chunks = bending_chunks(3, 6, NOW_S)
    order = [0, 2, 1, 3, *range(5, len(chunks)), 4]
    for number in order[:-1]:
        assert place.log.append([chunks[number]]) == (chunks[number].key,)
        place.settle()
    assert place.rows("stream_state", "last_seq", "stream_id") == [(3,)]  # 4 is waited for
    place.club.clock.forward(minutes=2)
    place.settle()
    assert place.rows("stream_state", "last_seq", "stream_id") == [(len(chunks) - 1,)]
    place.log.append([chunks[4]])
    place.settle()
    assert place.rows("set_aside", "reason", "chunk_id") == [(recordings.LATE,)]
    assert place.club.services.dead_letters.stuck() == ()  # it has its turn when the recording has ended
    for _ in range(2):  # the first time it is begun again, from all that is there
        place.club.services.motion.close_stale(place.club.clock.forward(hours=1))
        place.settle()
    with open_store(tmp_path / "other.db") as store:
        plain = _table(store)
        for chunk in chunks:
            plain.log.append([chunk])
        plain.settle()
        plain.club.services.motion.close_stale(plain.club.clock.forward(hours=1))
        assert place.seen() == plain.seen()
    assert place.rows("set_aside", "reason", "chunk_id") == []


def test_several_recordings_together_keep_each_its_own_order(place: Place) -> None:
    streams_of = [bending_chunks(1, 6, NOW_S, recording_id=f"rec{number}") for number in range(3)]
    for together in zip(*streams_of, strict=True):
        assert len(place.log.append(together)) == 3
    place.settle()
    assert place.kept() == [chunk.key for each in streams_of for chunk in each]
    assert len(place.seen()) == sum(map(len, streams_of))


@pytest.fixture
def nats_place(postgres_url: str, nats_server: Nats) -> Iterator[tuple[Place, ArrivalsWorker, NatsLine]]:
    with NatsLine(nats_server.url, "test") as line:
        place, arrivals = _jetstream(postgres_url, line)
        yield place, arrivals, line
        arrivals.close()
        place.club.store.close()


class Stalling(Arrivals):
    """As somebody who stalls after the commit, before the word that it is done."""

    def __init__(self, arrivals: Arrivals) -> None:
        self.stalled, self._handled = 1, arrivals

    def handle(self, arrived: Sequence[Arrived]) -> Done:
        done = self._handled.handle(arrived)
        if self.stalled:
            self.stalled -= 1
            raise StalledError
        return done


class StalledError(BaseException):
    """Whoever worked is gone."""


def _work(worker: ArrivalsWorker) -> None:
    while True:
        worker.once(1.0)


def test_what_is_handed_out_again_after_a_stall_has_no_second_effect(
    nats_place: tuple[Place, ArrivalsWorker, NatsLine], nats_server: Nats
) -> None:
    place, _, _ = nats_place
    chunks = bending_chunks(1, 6, NOW_S)
    place.log.append(chunks)
    with NatsLine(nats_server.url, "stalls") as other:
        assert isinstance(place.log, JetStreamLog)
        log = JetStreamLog(place.club.store, place.club.clock, other, PARTITIONS, senders)
        services = place.club.services
        stalling = ArrivalsWorker(log.taker(), Stalling(services.arrivals), services.dead_letters, lambda _: None)
        with pytest.raises(StalledError):
            _work(stalling)
        assert place.rows("stream_state", "last_seq", "stream_id") == [(0,)]
        stalling.close()  # its chunk is handed out again, to the one that works
    place.settle()
    assert place.kept() == [chunk.key for chunk in chunks]
    assert [row[0] for row in place.seen()] == [chunk.start_index for chunk in chunks]
    assert place.rows("stream_state", "last_seq, version", "stream_id") == [(len(chunks) - 1, len(chunks))]


def test_workers_that_are_ended_again_and_again_cost_a_sound_chunk_nothing(
    nats_place: tuple[Place, ArrivalsWorker, NatsLine],
) -> None:
    place, _, _ = nats_place
    chunks = bending_chunks(0.3, 6, NOW_S)
    place.log.append(chunks)
    for tries in range(1, 10):
        taker = place.log.taker()
        assert taker is not None
        assert [each.tries for each in taker.take(1, WAIT_S)] == [tries]
        taker.close()
    place.settle()
    assert place.kept() == [chunk.key for chunk in chunks]
    assert place.club.services.dead_letters.stuck() == ()


def test_a_chunk_that_ends_whoever_handles_it_is_a_dead_letter_after_some_of_them(
    nats_place: tuple[Place, ArrivalsWorker, NatsLine],
) -> None:
    place, _, _ = nats_place
    chunks = bending_chunks(0.3, 6, NOW_S)
    place.log.append(chunks)
    services = place.club.services

    def deadly(arrived: Sequence[Arrived]) -> Done:
        if any(chunk.seq == 1 for chunk, _ in arrived):
            raise StalledError
        return services.arrivals.handle(arrived)

    ended = 0
    while place.log.waiting() and ended < 20:
        taker = place.log.taker()
        assert taker is not None
        worker = ArrivalsWorker(taker, Defect(deadly), services.dead_letters, lambda _: None)
        try:
            while place.log.waiting():
                worker.once(0.1)
        except StalledError:
            ended += 1
        worker.close()
    assert ended == 6
    [letter] = services.dead_letters.stuck()
    assert (letter.stage, letter.tries) == (Stage.NOT_STORED, 7)
    assert "did not come back" in letter.reason
    assert place.kept() == [chunk.key for chunk in chunks if chunk.seq != 1]
    services.dead_letters.replay(None, letter.id)
    place.settle()
    assert place.kept() == [chunk.key for chunk in chunks]


def test_a_poisoned_chunk_becomes_a_dead_letter_and_its_partition_goes_on(
    nats_place: tuple[Place, ArrivalsWorker, NatsLine], monkeypatch: pytest.MonkeyPatch
) -> None:
    place, _, line = nats_place
    monkeypatch.setattr("coach.arrivals_worker._FAILED_AGAIN_S", 0.05)
    chunks = bending_chunks(0.3, 6, NOW_S)
    place.log.append(chunks[:1])
    subject = f"motion.{partition_of(place.club.athlete_id, PARTITIONS)}.{place.club.athlete_id}"
    nobody = f"motion.{partition_of('0' * 32, PARTITIONS)}.{'0' * 32}"
    poison = encode_chunk(chunks[1])[:-1]
    streams.store(line, [streams.Message(subject, "poison", poison), streams.Message(nobody, "stranger", b"x")])
    place.log.append(chunks[1:])
    place.settle()
    assert place.kept() == [chunk.key for chunk in chunks]
    dead = place.club.services.dead_letters
    [letter] = dead.stuck()
    assert (letter.stage, letter.tries, letter.size_bytes) == (Stage.NOT_STORED, 5, len(poison))
    assert "checksum" in letter.reason
    assert dead.show(letter.id)[1] == poison
    with pytest.raises(Conflict, match="It is no chunk"):
        dead.replay(None, letter.id)
    assert dead.stuck() == (letter,)


def test_a_dead_letter_that_can_be_stored_now_is_stored_by_its_replay(
    nats_place: tuple[Place, ArrivalsWorker, NatsLine],
) -> None:
    place, _, _ = nats_place
    chunks = bending_chunks(0.3, 6, NOW_S)
    place.log.append(chunks)
    services = place.club.services
    handle = services.arrivals.handle

    def refused(arrived: Sequence[Arrived]) -> Done:
        if any(chunk.seq == 1 for chunk, _ in arrived):
            raise OverflowError("a defect that the next version mends")
        return handle(arrived)

    taker = place.log.taker()
    assert taker is not None
    worker = ArrivalsWorker(taker, Defect(refused), services.dead_letters, lambda _: None)
    end_s = time.monotonic() + WAIT_S
    while not services.dead_letters.stuck() and time.monotonic() < end_s:
        worker.once(0.5)
    worker.close()
    [letter] = services.dead_letters.stuck()
    assert (letter.key, letter.tries) == (chunks[1].key, 5)
    assert "OverflowError: a defect" in letter.reason
    place.settle()
    assert chunks[1].key not in place.kept()
    with pytest.raises(NotAllowed):
        services.dead_letters.replay(place.club.coach, letter.id)
    services.dead_letters.replay(None, letter.id)
    place.settle()
    assert place.kept() == [chunk.key for chunk in chunks]
    assert services.dead_letters.stuck() == ()


def test_a_chunk_whose_statement_always_fails_is_a_dead_letter_and_the_others_go_on(
    nats_place: tuple[Place, ArrivalsWorker, NatsLine], monkeypatch: pytest.MonkeyPatch
) -> None:
    place, _, _ = nats_place
    monkeypatch.setattr("coach.arrivals_worker._FAILED_AGAIN_S", 0.05)
    with place.club.store.begin() as tx:
        tx.exec_driver_sql(
            "CREATE FUNCTION refuses() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "IF NEW.seq = 1 THEN RAISE EXCEPTION 'row is too big' USING ERRCODE = '54000'; END IF; RETURN NEW; END $$"
        )
        tx.exec_driver_sql("CREATE TRIGGER refuses BEFORE INSERT ON chunk FOR EACH ROW EXECUTE FUNCTION refuses()")
    chunks = bending_chunks(0.3, 6, NOW_S)
    place.log.append(chunks)
    place.settle()
    [letter] = place.club.services.dead_letters.stuck()
    assert (letter.stage, letter.key, letter.tries) == (Stage.NOT_STORED, chunks[1].key, 5)
    assert "row is too big" in letter.reason
    with place.club.store.begin() as tx:
        tx.exec_driver_sql("DROP TRIGGER refuses ON chunk")
    place.club.services.dead_letters.replay(None, letter.id)
    place.settle()
    assert place.kept() == [chunk.key for chunk in chunks]


@pytest.mark.parametrize("partitions", [PARTITIONS // 2, PARTITIONS * 2])
def test_a_process_with_another_number_of_partitions_refuses_and_strands_nothing(
    nats_place: tuple[Place, ArrivalsWorker, NatsLine], partitions: int
) -> None:
    place, _, line = nats_place
    chunks = bending_chunks(0.3, 6, NOW_S)
    place.log.append(chunks[:1])
    other = JetStreamLog(place.club.store, place.club.clock, line, partitions, senders)
    told = f"has {PARTITIONS} consumers, and storage.log_partitions is {partitions} here: .*docs/scaling.md"
    with pytest.raises(ConfigError, match=told):
        other.require_same_partitions()
    for use in (lambda: other.append(chunks[1:]), lambda: other.taker().take(1, 0.1)):
        with pytest.raises(StoreUnavailable, match=told):
            use()
    assert place.log.append(chunks) == tuple(chunk.key for chunk in chunks)
    place.settle()
    assert place.kept() == [chunk.key for chunk in chunks]


class Defect(Arrivals):
    """As a version with a defect."""

    def __init__(self, instead: Callable[[Sequence[Arrived]], Done]) -> None:
        self._instead = instead

    def handle(self, arrived: Sequence[Arrived]) -> Done:
        return self._instead(arrived)


def test_a_chunk_that_is_too_large_for_a_message_goes_into_the_table(
    nats_place: tuple[Place, ArrivalsWorker, NatsLine], monkeypatch: pytest.MonkeyPatch
) -> None:
    place, _, _ = nats_place
    chunks = bending_chunks(0.3, 6, NOW_S)
    monkeypatch.setattr(streams, "SIZE_MAX", streams.HEADERS_MAX + len(encode_chunk(chunks[1])) - 1)
    large = [len(encode_chunk(chunk)) > streams.SIZE_MAX - streams.HEADERS_MAX for chunk in chunks]
    assert any(large)
    for chunk in chunks:
        assert place.log.append([chunk]) == (chunk.key,)
    place.settle()
    assert place.kept() == [chunk.key for chunk in chunks]
    assert len(place.seen()) == len(chunks)


def test_without_a_server_nothing_is_acknowledged_and_afterwards_everything_is(
    nats_place: tuple[Place, ArrivalsWorker, NatsLine], nats_server: Nats
) -> None:
    place, _, line = nats_place
    chunks = bending_chunks(0.5, 6, NOW_S)
    place.log.append(chunks[:2])
    nats_server.kill()
    with pytest.raises(StoreUnavailable, match="NATS"):
        place.log.append(chunks[2:4])
    nats_server.start()
    assert line.wait_connected(WAIT_S)
    assert len(place.log.append(chunks[1:])) == len(chunks) - 1
    place.settle()
    assert place.kept() == [chunk.key for chunk in chunks]


def test_what_comes_after_nats_has_lost_its_disk_is_stored_in_order_by_the_worker_that_was_there(
    nats_place: tuple[Place, ArrivalsWorker, NatsLine], nats_server: Nats
) -> None:
    place, _, line = nats_place
    chunks = bending_chunks(1, 6, NOW_S)
    keys = [chunk.key for chunk in chunks]
    place.log.append(chunks[:3])
    place.settle()
    place.log.append(chunks[3:5])  # acknowledged, and lost; the worker may just have been given the first of them
    nats_server.kill()
    shutil.rmtree(nats_server.folder / "store")
    while line.connected:
        time.sleep(0.01)
    nats_server.start()
    assert line.wait_connected(WAIT_S)
    with pytest.raises(StoreUnavailable, match="NATS stores nothing now"):
        place.log.append(chunks[5:])  # there is no stream; whoever sends it does so again
    assert place.log.append(chunks[5:]) == tuple(keys[5:])
    place.settle()
    first = len(place.kept()) - len(keys[5:])
    assert first in (3, 4)
    assert place.kept() == keys[:first] + keys[5:]
    assert place.rows("stream_state", "last_seq", "stream_id") == [(first - 1,)]
    place.club.clock.forward(minutes=2)  # for so long what is missing is waited for
    place.settle()
    assert place.rows("stream_state", "last_seq", "stream_id") == [(len(chunks) - 1,)]
    assert place.log.append(chunks[3:5]) == tuple(keys[3:5])  # who has kept them may still send them
    place.settle()
    assert place.kept() == keys
    assert place.rows("set_aside", "reason", "chunk_id") == [(recordings.LATE,)] * (5 - first)
    assert place.club.services.dead_letters.stuck() == ()


def test_an_erased_athletes_chunks_are_forgotten_on_their_way(
    nats_place: tuple[Place, ArrivalsWorker, NatsLine],
) -> None:
    place, _, line = nats_place
    place.log.append(bending_chunks(0.3, 6, NOW_S))
    assert streams.waiting(line, MOTION) == place.log.waiting() > 0
    assert place.club.services.erasing.erase(None, place.club.athlete_id, "Ada").emptied
    assert streams.waiting(line, MOTION) == 0
    place.settle()
    assert place.kept() == []


def test_what_waits_in_nats_is_counted_until_a_worker_has_stored_it(
    nats_place: tuple[Place, ArrivalsWorker, NatsLine], nats_server: Nats
) -> None:
    place, _, line = nats_place
    machine = place.club.services.machine
    registry = WebMetrics(machine, LiveFeed()).registry
    lag, waits = "backstop_analysis_lag_seconds", "backstop_log_waiting_chunks"
    assert registry.get_sample_value(waits) is None  # one process has no log of that kind
    machine.attach_line(lambda: line.connected)
    chunks = bending_chunks(0.3, 6, NOW_S)
    place.log.append(chunks)
    place.club.clock.now = datetime.now(UTC) + timedelta(minutes=2)  # the server's clock is the machine's
    assert registry.get_sample_value(waits) == len(chunks)
    assert 120 <= registry.get_sample_value(lag) < 120 + WAIT_S * 4
    place.settle()
    assert (registry.get_sample_value(waits), registry.get_sample_value(lag)) == (0, 0)
    nats_server.kill()
    while line.connected:
        time.sleep(0.01)
    assert (registry.get_sample_value(waits), registry.get_sample_value(lag)) == (None, 0)
