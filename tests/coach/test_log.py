"""The chunk log: idempotent, durable before it acknowledges, group commit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from coach.errors import InvalidInput, StoreUnavailable
from coach.log import TableChunkLog, pack, unpack
from coach.service import build_services
from coach.service.tokens import Holder
from coach.store import recordings
from coach.store.engine import migrate, open_store
from devices.codec import SAMPLES_MAX, decode_chunk, encode_chunk
from devices.types import Chunk, Gap
from tests.coach.club import ADDRESS, START, Club, FakeClock, bending_chunks, found_club

NOW_S = START.timestamp()


def stored_keys(club: Club) -> list[str]:
    with club.store.read() as tx:
        stream_ids = tx.exec_driver_sql("SELECT id FROM stream").scalars().all()
        rows = [row for each in stream_ids for row in recordings.chunks_after(tx, each, -1, 100_000)]
    return [decode_chunk(row["blob"]).key for row in rows]


def test_append_is_idempotent_and_says_what_is_stored(club: Club) -> None:
    chunks = bending_chunks(1, 6, NOW_S)
    keys = tuple(chunk.key for chunk in chunks)
    log = club.services.log
    assert log.append(chunks) == keys
    assert log.append(chunks[3:5]) == keys[3:5]
    assert stored_keys(club) == list(keys)
    assert (log.counts.stored, log.counts.known, log.counts.refused) == (12, 2, 0)


def test_a_known_key_with_other_bytes_is_refused_and_the_first_one_stays(club: Club) -> None:
    first, second = bending_chunks(0.2, 6, NOW_S)[:2]
    other = replace(first, acc_mps2=first.acc_mps2 + 1.0)
    log = club.services.log
    assert log.append([first]) == (first.key,)
    assert log.append([other, second]) == (second.key,)
    assert log.counts.refused == 1
    with club.store.read() as tx:
        stream = recordings.find_stream(tx, first.device_id, first.recording_id)
        assert stream is not None
        kept = recordings.chunks_after(tx, stream["id"], -1, 1)[0]
    np.testing.assert_allclose(decode_chunk(kept["blob"]).acc_mps2, first.acc_mps2, atol=1e-3)


def test_one_append_may_hold_a_chunk_twice(club: Club) -> None:
    first, second = bending_chunks(0.2, 6, NOW_S)[:2]
    other = replace(first, acc_mps2=first.acc_mps2 + 1.0)
    log = club.services.log
    assert log.append([first, first, other, second]) == (first.key, first.key, second.key)
    assert (log.counts.stored, log.counts.known, log.counts.refused) == (2, 1, 1)
    assert stored_keys(club) == [first.key, second.key]


def lose_streams(club: Club) -> None:
    with club.store.begin() as tx:
        for table in ("chunk", "stream_state", "stream"):
            tx.exec_driver_sql(f"DELETE FROM {table}")


def test_a_stream_that_is_gone_from_the_database_is_looked_up_anew(club: Club) -> None:
    first, second = bending_chunks(0.2, 6, NOW_S)[:2]
    log = club.services.log
    log.append([first])
    lose_streams(club)
    assert log.append([second]) == (second.key,)
    assert stored_keys(club) == [second.key]
    assert log.counts.stored == 2


def test_a_chunk_that_was_given_up_is_put_back_into_a_recording_that_is_gone_meanwhile(club: Club) -> None:
    first, second = bending_chunks(0.2, 6, NOW_S)[:2]
    log = club.services.log
    log.append([first])
    lose_streams(club)
    log.put_back(encode_chunk(second))
    assert stored_keys(club) == [second.key]


def test_unknown_wearables_and_chunks_that_cannot_be_coded_are_refused(club: Club) -> None:
    good, bad = bending_chunks(0.2, 6, NOW_S)[:2]
    stranger = replace(good, device_id="C0:FF:EE:99:99:99")
    bad.acc_mps2[3] = np.nan  # NaN outside a gap
    assert club.services.log.append([stranger, bad, good]) == (good.key,)
    assert club.services.log.counts.refused == 2
    assert stored_keys(club) == [good.key]


def test_nothing_is_acknowledged_when_the_commit_fails(club: Club, tmp_path: Path) -> None:
    chunk = bending_chunks(0.1, 6, NOW_S)[0]
    with open_store(tmp_path / "empty.db") as broken:  # no tables
        log = TableChunkLog(broken, FakeClock())
        with pytest.raises(StoreUnavailable):
            log.append([chunk])
        migrate(broken)
        club_there = found_club(broken, FakeClock())
        assert log.append([chunk]) == (chunk.key,)
        assert stored_keys(club_there) == [chunk.key]


def test_many_senders_at_once_lose_and_double_nothing(club: Club) -> None:
    streams = [bending_chunks(2, 6, NOW_S, recording_id=f"rec{number}") for number in range(6)]
    answers: dict[str, int] = {}
    lock = threading.Lock()

    def send(chunks: list[Chunk]) -> None:
        for chunk in chunks:
            for key in club.services.log.append([chunk]):
                with lock:
                    answers[key] = answers.get(key, 0) + 1

    threads = [threading.Thread(target=send, args=(streams[number % 6],)) for number in range(12)]  # each twice
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = sorted(chunk.key for stream in streams for chunk in stream)
    assert sorted(stored_keys(club)) == expected
    assert answers == dict.fromkeys(expected, 2)


def test_a_post_of_chunks_that_unpack_to_gigabytes_is_refused_before_they_do(club: Club) -> None:
    nothing = np.full((SAMPLES_MAX, 3), np.nan)
    blobs = [
        encode_chunk(Chunk(ADDRESS, "rec", seq, NOW_S, 0, 60.0, nothing, nothing, (Gap(0, SAMPLES_MAX),)))
        for seq in range(5)
    ]
    assert sum(map(len, blobs)) < 1000
    with pytest.raises(InvalidInput, match="send fewer at a time"):
        club.services.ingest.receive(Holder("token", club.athlete_id, "laptop", True), pack(blobs * 1000))
    assert club.services.log.counts.stored == 0
    assert len(club.services.ingest.receive(Holder("token", club.athlete_id, "laptop", True), pack(blobs[:4]))) == 4


def test_the_body_of_a_post_goes_there_and_back_and_damage_is_told() -> None:
    blobs = [b"one", b"twenty" * 20]
    assert unpack(pack(blobs)) == blobs
    assert unpack(b"") == []
    for damaged in (pack(blobs)[:-1], b"\x00\x00", b"\x00\x00\x00\x00"):
        with pytest.raises(ValueError, match="cut off or empty"):
            unpack(damaged)


def test_ingest_takes_only_the_tokens_own_wearables(club: Club) -> None:
    services = club.services
    chunks = bending_chunks(0.2, 6, NOW_S, lost=(1,))
    body = pack([encode_chunk(chunk) for chunk in chunks])
    token = Holder("t", club.athlete_id, "laptop", True)
    assert services.ingest.receive(token, body) == tuple(chunk.key for chunk in chunks)
    assert services.ingest.receive(token, body) == tuple(chunk.key for chunk in chunks)
    assert len(stored_keys(club)) == len(chunks)
    other = services.athletes.create("Bo", "UTC")
    stranger = Holder("s", other, "laptop", True)
    assert services.ingest.receive(stranger, body) == ()
    foreign = pack([encode_chunk(bending_chunks(0.1, 6, NOW_S, recording_id="foreign")[0])])
    assert services.ingest.receive(stranger, foreign) == ()
    with club.store.read() as tx:
        assert recordings.find_stream(tx, chunks[0].device_id, "foreign") is None
    for damaged in (body[:-3], b"\x00\x00\x00\x05hello", body[:40] + b"\xff" + body[41:]):
        with pytest.raises(InvalidInput):
            services.ingest.receive(token, damaged)


def test_a_late_chunk_is_kept_and_set_aside(club: Club) -> None:
    chunks = bending_chunks(0.5, 6, NOW_S)
    club.services.log.append([chunks[0], *chunks[2:]])
    stream = club.services.motion.pending_streams()[0]
    assert club.services.motion.handle_pending(stream).chunks == 1  # the hole is waited for
    club.clock.forward(seconds=120)
    assert club.services.motion.handle_pending(stream).chunks == len(chunks) - 2
    assert club.services.log.append([chunks[1]]) == (chunks[1].key,)
    assert club.services.motion.pending_streams() == ()
    with club.store.read() as tx:
        (aside,) = recordings.set_aside_rows(tx)
    assert (aside["seq"], aside["device_id"]) == (1, chunks[1].device_id)


def test_gaps_survive_the_store(club: Club) -> None:
    chunk = bending_chunks(0.1, 6, NOW_S, lost=(0,))[0]
    club.services.log.append([chunk])
    with club.store.read() as tx:
        stream = recordings.find_stream(tx, chunk.device_id, chunk.recording_id)
        assert stream is not None
        row = recordings.chunks_after(tx, stream["id"], -1, 1)[0]
    assert row["missing"] == chunk.missing > 0
    assert decode_chunk(row["blob"]).gaps == (Gap(25, 75),)


SENDER = """
import sys
from coach.config import Config
from coach.service import build_services
from coach.store.engine import open_store
from devices.hostclock import SystemClock
from tests.coach.club import bending_chunks
with open_store(sys.argv[1]) as store:
    log = build_services(store, Config(), SystemClock()).log
    for chunk in bending_chunks(60, 6, 1_790_000_000.0):
        for key in log.append([chunk]):
            print(key, flush=True)
"""


@pytest.mark.proof
def test_what_was_acknowledged_is_there_after_kill_9(club: Club, full_or_quick) -> None:  # type: ignore[no-untyped-def]
    path = club.store.url.removeprefix("sqlite:///")
    acknowledged: set[str] = set()
    for number in range(full_or_quick(20, 3)):
        sender = subprocess.Popen([sys.executable, "-c", SENDER, path], stdout=subprocess.PIPE, text=True)
        assert sender.stdout is not None
        acknowledged.add(sender.stdout.readline().strip())
        time.sleep(0.02 * number)
        os.kill(sender.pid, signal.SIGKILL)
        # The last line may be cut by the kill; a cut key is no acknowledgement.
        acknowledged |= {line.strip() for line in sender.stdout if line.endswith("\n")}
        sender.stdout.close()
        sender.wait()
    keys = stored_keys(club)
    assert len(acknowledged) > 3
    assert acknowledged <= set(keys)
    assert len(keys) == len(set(keys))
    assert keys == [f"C0:FF:EE:00:00:01-rec-{seq}" for seq in range(len(keys))]  # order kept, no hole


def test_a_second_process_sees_the_services_at_once(club: Club) -> None:
    with open_store(club.store.url) as other:
        assert build_services(other, club.config, club.clock).athletes.get(club.coach, club.athlete_id).name == "Ada"
