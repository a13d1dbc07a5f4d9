"""Streams: stored once, handed to one at a time, in order, until somebody says that it is done."""

from __future__ import annotations

import shutil
import signal
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from coach.errors import StoreUnavailable
from coach.jetstream.line import NatsLine
from coach.jetstream.streams import Consumer, Message, OtherNumber, Stream, forget, make_stream, store, waiting
from coach.jetstream.taking import Delivery, Taker
from tests.servers import Nats

# s that a machine under load may take for what takes a moment.
WAIT_S = 20.0
WORK = Stream("WORK", ("work.>",), 0.0, 120.0)
# A second until a message of somebody silent is handed out again: the shortest that a test can tell from none.
CONSUMERS = tuple(Consumer(f"work-{number}", f"work.{number}.>", 1, 1.0) for number in range(4))


@pytest.fixture
def line(nats_server: Nats) -> Iterator[NatsLine]:
    with NatsLine(nats_server.url, "test") as line:
        yield line


def messages(of_each: int, since: int = 0) -> list[Message]:
    return [
        Message(f"work.{part}.x", f"{part}-{number}", b"%d %d" % (part, number))
        for number in range(since, since + of_each)
        for part in range(len(CONSUMERS))
    ]


def taken(taker: Taker, least: int) -> list[Delivery]:
    found: list[Delivery] = []
    end_s = time.monotonic() + WAIT_S
    while len(found) < least and time.monotonic() < end_s:
        found += taker.take(least - len(found), 1.0)
    assert len(found) >= least
    return found


def until_nothing_waits(line: NatsLine) -> None:
    end_s = time.monotonic() + WAIT_S
    while waiting(line, WORK) and time.monotonic() < end_s:
        time.sleep(0.05)
    assert waiting(line, WORK) == 0


def numbers(deliveries: list[Delivery]) -> dict[int, list[int]]:
    found: defaultdict[int, list[int]] = defaultdict(list)
    for each in deliveries:
        part, number = map(int, each.data.split())
        found[part].append(number)
    return dict(found)


def test_every_message_is_handed_out_once_and_in_order_to_two_who_take(line: NatsLine, nats_server: Nats) -> None:
    patient = tuple(replace(each, ack_wait_s=30.0) for each in CONSUMERS)  # a machine under load may stall for a second
    make_stream(line, WORK, patient)
    assert all(store(line, messages(30)))
    assert all(store(line, messages(30)))  # known by their keys
    assert waiting(line, WORK) == 120
    with NatsLine(nats_server.url, "other") as other:
        one, two = Taker(line, WORK, patient), Taker(other, WORK, patient)
        seen: list[Delivery] = []
        by: list[int] = []
        end_s = time.monotonic() + WAIT_S
        while len(seen) < 120 and time.monotonic() < end_s:
            for taker in (one, two):
                batch = taker.take(100, 0.05)
                assert len({each.consumer for each in batch}) == len(batch)  # of each consumer one at a time
                seen += batch
                by.append(len(batch))
                for each in batch:
                    each.done()
        assert numbers(seen) == {part: list(range(30)) for part in range(4)}
        assert {each.tries for each in seen} == {1}
        assert any(by[::2])
        assert any(by[1::2])
        one.close()
        two.close()
    until_nothing_waits(line)


def test_what_nobody_ended_is_handed_out_again_and_what_follows_waits(line: NatsLine) -> None:
    make_stream(line, WORK, CONSUMERS)
    store(line, messages(2))
    one, two = Taker(line, WORK, CONSUMERS), Taker(line, WORK, CONSUMERS)
    held = taken(one, 4)
    assert numbers(held) == {part: [0] for part in range(4)}
    assert two.take(4, 1.5) == []  # they are worked on: the server is told so before it hands them to somebody else
    held[0].again(0.1)
    [back] = taken(two, 1)
    assert (back.data, back.tries) == (held[0].data, 2)
    one.close()  # gives back the three others
    assert {each.data: each.tries for each in taken(two, 3)} == {each.data: 2 for each in held[1:]}
    two.close()


def test_what_is_on_its_way_to_one_who_leaves_is_handed_to_the_next_at_once(line: NatsLine, nats_server: Nats) -> None:
    patient = tuple(replace(each, ack_wait_s=600.0) for each in CONSUMERS)
    make_stream(line, WORK, patient)
    store(line, messages(200))
    seen: list[Delivery] = []
    for _ in range(12):
        with NatsLine(nats_server.url, "many") as own:
            taker = Taker(own, WORK, patient)
            for _ in range(8):
                for each in taken(taker, 1):
                    seen.append(each)
                    each.done()  # which asks for the next
            taker.close()
    taker = Taker(line, WORK, patient)
    while len(seen) < 800:
        for each in taken(taker, 1):
            seen.append(each)
            each.done()
    taker.close()
    assert numbers(seen) == {part: list(range(200)) for part in range(4)}


def test_a_server_that_is_killed_loses_nothing_that_it_acknowledged(line: NatsLine, nats_server: Nats) -> None:
    make_stream(line, WORK, CONSUMERS)
    assert all(store(line, messages(20)))
    taker = Taker(line, WORK, CONSUMERS)
    for each in taken(taker, 4):
        each.done()
    held = taken(taker, 4)
    nats_server.kill()
    for each in held:
        each.done()  # said into the void, and again as soon as somebody listens
    while line.connected:
        time.sleep(0.01)
    with pytest.raises(StoreUnavailable, match=r"does not answer"):
        store(line, messages(1, 90), 0.5)
    assert taker.take(4, 0.2) == []
    nats_server.start()
    assert line.wait_connected(WAIT_S)
    assert all(store(line, messages(1, 20)))
    seen: list[Delivery] = []
    while not {each.data for each in messages(19, 2)} <= {each.data for each in seen}:
        for each in taken(taker, 1):
            seen.append(each)
            each.done()
    # What was done in the last moment may come again; nothing is missing, and nothing is before its turn.
    for part, found in numbers(seen).items():
        assert sorted(set(found)) == found, part
        assert set(found) >= set(range(2, 21))
    taker.close()


@pytest.mark.parametrize("keeps", ["nothing", "its stream"])
def test_a_word_about_what_a_server_has_lost_is_not_taken_for_one_about_what_came_since(
    keeps: str, line: NatsLine, nats_server: Nats, tmp_path: Path
) -> None:
    """keeps: of its disk. With its stream it gives the number of what it has lost anew, as after a power cut."""
    disk, kept = nats_server.folder / "store", tmp_path / "kept"
    make_stream(line, WORK, CONSUMERS)
    nats_server.end(signal.SIGTERM)
    shutil.copytree(disk, kept) if keeps == "its stream" else kept.mkdir()
    nats_server.start()
    taker = Taker(line, WORK, CONSUMERS[:1])
    assert line.wait_connected(WAIT_S)
    lost = Message("work.0.x", "lost", b"0 1")
    assert store(line, [lost]) == ["stored"]
    [held] = taken(taker, 1)
    nats_server.kill()
    shutil.rmtree(disk)
    kept.rename(disk)
    while line.connected:
        time.sleep(0.01)
    nats_server.start()
    assert line.wait_connected(WAIT_S)
    make_stream(line, WORK, CONSUMERS)
    assert store(line, [Message("work.0.x", "new", b"0 2")]) == ["stored"]
    other = Taker(line, WORK, CONSUMERS[:1])
    [new] = taken(other, 1)
    assert (new.data, new.number) == (b"0 2", held.number)
    held.done()
    other.close()  # without a word that it is done: it has to come again
    [new] = taken(taker, 1)
    assert (new.data, new.tries) == (b"0 2", 2)
    new.done()
    until_nothing_waits(line)
    taker.close()


def test_a_word_about_what_is_still_there_reaches_a_server_that_started_anew(line: NatsLine, nats_server: Nats) -> None:
    make_stream(line, WORK, CONSUMERS)
    assert store(line, messages(1)[:1]) == ["stored"]
    taker = Taker(line, WORK, CONSUMERS)
    [held] = taken(taker, 1)
    nats_server.kill()
    while line.connected:
        time.sleep(0.01)
    nats_server.start()
    assert line.wait_connected(WAIT_S)
    held.done()
    until_nothing_waits(line)
    taker.close()


def test_what_waits_under_a_subject_can_be_forgotten_and_a_missing_stream_is_said(line: NatsLine) -> None:
    with pytest.raises(StoreUnavailable, match="NATS stores nothing now"):
        store(line, messages(1))
    make_stream(line, WORK, CONSUMERS)
    assert all(store(line, messages(2)))
    forget(line, WORK, "work.2.x")
    assert waiting(line, WORK) == 6
    taker = Taker(line, WORK, CONSUMERS)
    assert set(numbers(taken(taker, 3))) == {0, 1, 3}
    began_s = time.monotonic()
    taker.wake()
    assert taker.take(1, WAIT_S) == []
    assert time.monotonic() - began_s < WAIT_S
    taker.close()


@pytest.mark.parametrize("others", [CONSUMERS[:3], (*CONSUMERS, Consumer("work-4", "work.4.>", 1, 1.0))])
def test_whoever_counts_a_streams_consumers_otherwise_is_refused_and_changes_nothing(
    line: NatsLine, others: tuple[Consumer, ...]
) -> None:
    counted = replace(WORK, counted_by="storage.parts")
    for made_by in (WORK, counted):  # before anybody said the number in the stream, and after
        make_stream(line, made_by, CONSUMERS)
        for asks in (lambda: make_stream(line, counted, others), lambda: Taker(line, counted, others).take(1, 0.1)):
            with pytest.raises(OtherNumber, match=f"has 4 consumers, and storage.parts is {len(others)} here"):
                asks()
        make_stream(line, counted, CONSUMERS)
        assert all(store(line, messages(1)))


def test_of_two_who_make_a_stream_at_once_with_two_numbers_one_is_refused(line: NatsLine, nats_server: Nats) -> None:
    counted = replace(WORK, counted_by="storage.parts")
    with NatsLine(nats_server.url, "other") as other, ThreadPoolExecutor() as pool:
        assert other.wait_connected(WAIT_S)
        tries = [pool.submit(make_stream, each, counted, CONSUMERS[:n]) for each, n in ((line, 2), (other, 4))]
        refused = [each.exception() for each in tries]
    assert sorted(type(each) for each in refused if each is not None) == [OtherNumber]


def test_three_addresses_of_one_server_are_no_cluster(nats_server: Nats) -> None:
    port = nats_server.port
    with NatsLine(f"{nats_server.url},nats://localhost:{port},nats://127.0.0.2:{port}", "three") as line:
        make_stream(line, WORK, CONSUMERS)
        make_stream(line, WORK, CONSUMERS)
        assert store(line, messages(1)) == ["stored"] * 4


def test_two_who_make_the_same_stream_at_once_both_have_it(line: NatsLine, nats_server: Nats) -> None:
    counted = replace(WORK, counted_by="storage.parts")
    with NatsLine(nats_server.url, "other") as other, ThreadPoolExecutor() as pool:
        assert other.wait_connected(WAIT_S)
        for each in [pool.submit(make_stream, each, counted, CONSUMERS) for each in (line, other)]:
            each.result()
