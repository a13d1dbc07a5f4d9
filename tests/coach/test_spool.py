"""The spool: in order, bounded, on the disk when it says so, whole after a kill and after damage."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coach.errors import ConfigError, StoreUnavailable
from coach.spool import Spool, SpoolLog
from devices.codec import decode_chunk
from tests.coach.club import START, bending_chunks

LARGE = 10_000_000
RECORD = 12  # bytes around each blob


def drained(spool: Spool, count: int = 7) -> list[bytes]:
    found: list[bytes] = []
    while batch := spool.peek(count, LARGE):
        found += batch
        spool.drop(len(batch))
    return found


def blobs(count: int, size: int = 50) -> list[bytes]:
    return [f"{number:06d}".encode() + bytes(size) for number in range(count)]


def test_what_went_in_comes_out_in_order_across_restarts(tmp_path: Path) -> None:
    expected, found = blobs(500), []
    for number in range(0, 500, 50):
        spool = Spool(tmp_path, LARGE)
        assert spool.append(expected[number : number + 50]) == 50
        # Some of it is read before the next start.
        found += (batch := spool.peek(30, LARGE))
        spool.drop(len(batch))
        spool.close()
    spool = Spool(tmp_path, LARGE)
    assert spool.waiting == 500 - len(found)
    assert found + drained(spool) == expected
    assert spool.waiting == spool.bytes_used == spool.damaged_bytes == 0
    assert not list(tmp_path.glob("*.spool"))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("append"), st.lists(st.binary(max_size=300), min_size=1, max_size=6)),
            st.tuples(st.just("drop"), st.integers(1, 8)),
            st.tuples(st.just("restart"), st.none()),
        ),
        max_size=40,
    )
)
def test_it_is_a_queue_whatever_is_done_to_it(tmp_path_factory: pytest.TempPathFactory, steps: list) -> None:  # type: ignore[type-arg]
    folder = tmp_path_factory.mktemp("spool")
    # A small bound makes small segments, so that they begin and end all the time.
    spool, model = Spool(folder, 8_000), list[bytes]()
    for what, value in steps:
        if what == "append":
            model += value[: spool.append(value)]
        elif what == "drop":
            batch = spool.peek(value, LARGE)
            assert batch == model[: len(batch)]
            assert batch or not model
            spool.drop(len(batch))
            model = model[len(batch) :]
        else:
            spool.close()
            spool = Spool(folder, 8_000)
        assert spool.waiting == len(model)
        assert spool.bytes_used == sum(path.stat().st_size for path in folder.glob("*.spool")) <= 8_000
    assert drained(spool) == model
    spool.close()


def test_when_it_is_full_the_oldest_are_kept(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 20 * (RECORD + 56))
    everything = blobs(50)
    assert sum(spool.append([blob]) for blob in everything) == 20
    assert spool.full
    assert drained(spool) == everything[:20]
    assert spool.append(everything[:1]) == 1
    assert not spool.full


def test_a_batch_is_bounded_in_bytes_but_never_empty(tmp_path: Path) -> None:
    spool = Spool(tmp_path, LARGE)
    spool.append([bytes(1000)] * 10)
    assert [len(spool.peek(100, limit)) for limit in (1, 1000, 2500, LARGE)] == [1, 1, 2, 10]


@pytest.mark.parametrize("cut", [1, 5, 11, 12, 13, 60, 67])
def test_a_torn_end_costs_the_torn_record_only(tmp_path: Path, cut: int) -> None:
    spool = Spool(tmp_path, LARGE)
    spool.append(blobs(10))
    spool.close()
    (segment,) = tmp_path.glob("*.spool")
    os.truncate(segment, segment.stat().st_size - cut)
    again = Spool(tmp_path, LARGE)
    assert again.damaged_bytes == RECORD + 56 - cut
    again.append([b"after"])
    assert drained(again) == [*blobs(9), b"after"]


def test_damage_in_the_middle_costs_what_it_hit(tmp_path: Path) -> None:
    spool = Spool(tmp_path, LARGE)
    spool.append(blobs(10))
    spool.close()
    (segment,) = tmp_path.glob("*.spool")
    data = bytearray(segment.read_bytes())
    data[3 * (RECORD + 56) + 20] ^= 0xFF  # within the blob of number 3
    data[6 * (RECORD + 56) + 5] ^= 0xFF  # the length of number 6
    segment.write_bytes(data)
    expected = [blob for number, blob in enumerate(blobs(10)) if number not in {3, 6}]
    assert drained(Spool(tmp_path, LARGE)) == expected


def test_nothing_waits_behind_a_segment_that_is_gone_or_spoilt(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 8 * 10 * (RECORD + 56))  # ten records in a segment
    for blob in blobs(40):
        spool.append([blob])
    first, second, *_ = sorted(tmp_path.glob("*.spool"))
    first.unlink()
    second.write_bytes(b"\0" * second.stat().st_size)
    found = drained(spool)
    assert found == blobs(40)[-len(found) :]
    assert 15 < len(found) < 25
    assert spool.waiting == spool.bytes_used == 0
    assert spool.append([b"later"]) == 1
    assert drained(spool) == [b"later"]


@pytest.mark.parametrize("text", ["", "nonsense", "000000000001.spool x", "000000000009.spool 5", "\xff"])
def test_a_lost_cursor_sends_again_and_loses_nothing(tmp_path: Path, text: str) -> None:
    spool = Spool(tmp_path, LARGE)
    spool.append(blobs(10))
    spool.drop(len(spool.peek(4, LARGE)))
    spool.close()
    (tmp_path / "cursor").write_text(text, encoding="latin-1")
    again = Spool(tmp_path, LARGE)
    again.append([b"new"])
    assert drained(again) == [*blobs(10), b"new"]


def test_a_disk_that_takes_nothing_is_said_and_costs_nothing_older(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(tmp_path, LARGE)
    spool.append(blobs(3))
    real, calls = os.write, iter((5, None))

    def half(file: int, data: memoryview) -> int:
        room = next(calls)
        if room is None:
            raise OSError(28, "No space left on device")
        return real(file, data[:room])

    with monkeypatch.context() as full:
        full.setattr(os, "write", half)
        with pytest.raises(StoreUnavailable, match="make room"):
            spool.append([b"lost"])
    assert spool.append([b"later"]) == 1
    assert drained(spool) == [*blobs(3), b"later"]


def test_a_folder_that_cannot_be_used_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigError, match="--spool"):
        Spool(tmp_path / "file" / "spool", LARGE)


def test_chunks_are_acknowledged_as_far_as_there_is_room(tmp_path: Path) -> None:
    chunks = bending_chunks(0.5, 6, START.timestamp())
    log = SpoolLog(Spool(tmp_path / "a", LARGE))
    assert log.append(chunks) == tuple(chunk.key for chunk in chunks)
    assert log.arrived.is_set()
    small = Spool(tmp_path / "b", 1500)
    log = SpoolLog(small)
    kept = log.append(chunks)
    assert 0 < len(kept) < len(chunks)
    assert log.left_out == len(chunks) - len(kept)
    assert [decode_chunk(blob).key for blob in drained(small)] == list(kept)


WRITER = """
import sys
from pathlib import Path
from coach.spool import Spool
spool = Spool(Path(sys.argv[1]), 10_000_000)
for number in range(1_000_000):
    name = f"{sys.argv[2]}-{number}"
    spool.append([name.encode() + bytes(2000)])
    print(name, flush=True)
"""


def test_what_was_acknowledged_is_there_after_kill_9(tmp_path: Path) -> None:
    acknowledged: list[str] = []
    for run in range(3):
        command = [sys.executable, "-c", WRITER, str(tmp_path / "spool"), str(run)]
        writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        acknowledged.append(writer.stdout.readline().strip())
        time.sleep(0.05 + 0.03 * run)
        os.kill(writer.pid, signal.SIGKILL)
        acknowledged += [line.strip() for line in writer.stdout if line.endswith("\n")]
        writer.stdout.close()
        writer.wait()
    found = [blob[:-2000].decode() for blob in drained(Spool(tmp_path / "spool", LARGE))]
    assert len(acknowledged) > 6
    assert len(found) == len(set(found))
    # At most the one record of each run whose acknowledgement the kill cut off is there besides.
    assert [name for name in found if name in set(acknowledged)] == acknowledged
    assert len(found) - len(acknowledged) <= 3
