"""Who appends and who analyses take the rows of a recording in one order, so that neither ends the other's work."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

import pytest

from coach.service.arrivals import Arrived, Fate
from coach.service.renewing import Renewing
from coach.store import recordings
from coach.store.engine import Store, Tx, open_store
from coach.store.server import was_overtaken
from devices.codec import encode_chunk
from tests.coach.club import START, Club, bending_chunks
from tests.contracts.test_store import at_once

NOW_S = START.timestamp()
_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


@pytest.fixture
def store(postgres_url: str) -> Iterator[Store]:
    with open_store(postgres_url) as opened:
        yield opened


@pytest.fixture
def overtaken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What PostgreSQL ended for somebody else's sake, also where it was repeated."""
    found: list[str] = []

    def noted(error: BaseException) -> bool:
        if was_overtaken(error):
            found.append(str(error))
        return was_overtaken(error)

    monkeypatch.setattr("coach.store.condition.was_overtaken", noted)
    return found


@pytest.fixture
def recording(club: Club) -> str:
    """A recording of twelve chunks without the fifth, analysed to its end."""
    chunks = bending_chunks(1, 6, NOW_S)
    club.services.log.append([*chunks[:5], *chunks[6:]])
    (stream_id,) = club.services.motion.pending_streams()
    club.clock.forward(hours=1)
    while club.services.motion.handle_pending(stream_id).chunks:
        pass
    return stream_id


@contextmanager
def half_appended(club: Club, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Append the fifth chunk as far as its recording's end is held, and its state is not. Yields what ends that."""
    reached, go_on, answers = threading.Event(), threading.Event(), []
    hold = recordings.hold_cursors

    def halting(tx: Tx, places: Collection[tuple[str, int]]) -> None:
        reached.set()
        assert go_on.wait(60)
        hold(tx, places)

    monkeypatch.setattr(recordings, "hold_cursors", halting)
    late = bending_chunks(1, 6, NOW_S)[5]
    appending = threading.Thread(target=lambda: answers.append(club.services.log.append([late])))
    appending.start()
    assert reached.wait(60)
    try:
        yield go_on.set
    finally:
        go_on.set()
        appending.join(60)
    assert answers == [(late.key,)]


def begins_again(club: Club, stream_id: str) -> object:
    return club.services.motion.begin_again(stream_id)


def settles(club: Club, stream_id: str) -> object:
    return club.services.motion.close_stale(club.clock.now)


def renews(club: Club, stream_id: str) -> object:
    return Renewing(club.services.motion._ground).renew(stream_id).chunks


@pytest.mark.parametrize("other", [begins_again, settles, renews])
def test_who_writes_state_and_recording_waits_for_an_append_and_neither_is_ended(
    store: Store,
    club: Club,
    recording: str,
    overtaken: list[str],
    monkeypatch: pytest.MonkeyPatch,
    other: Callable[[Club, str], object],
) -> None:
    done: list[object] = []
    with half_appended(club, monkeypatch) as end:
        waiting = threading.Thread(target=lambda: done.append(other(club, recording)))
        waiting.start()
        with store.apart() as looking:
            end_s = time.monotonic() + 60
            while not looking.exec_driver_sql(_WAITING).scalar_one() and time.monotonic() < end_s:
                time.sleep(0.02)
            assert looking.exec_driver_sql(_WAITING).scalar_one() == 1
        end()
        waiting.join(60)
    assert overtaken == []
    assert len(done) == 1
    club.clock.forward(hours=1)
    for _ in range(2):  # what came late is analysed with the rest at the end
        club.services.motion.close_stale(club.clock.now)
        while club.services.motion.handle_pending(recording).chunks:
            pass
    with store.read() as tx:
        assert not recordings.has_late(tx, recording)
        assert tx.exec_driver_sql("SELECT count(*) FROM feature WHERE chunk_id IS NOT NULL").scalar_one() == 12


def test_a_chunk_that_arrives_is_not_kept_waiting_by_an_append_to_its_recording(
    club: Club, recording: str, overtaken: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    chunk = bending_chunks(2, 6, NOW_S)[12]
    arrived = [Arrived(chunk, encode_chunk(chunk))]
    with half_appended(club, monkeypatch):
        assert club.services.arrivals.handle(arrived).fates == (Fate.HELD,)
    assert club.services.arrivals.handle(arrived).fates == (Fate.DONE,)
    assert overtaken == []


def test_workers_that_save_the_same_recordings_take_them_in_one_order(club: Club, overtaken: list[str]) -> None:
    """Each in another order, again and again: without one order PostgreSQL would end one of the two now and then."""
    for name in ("a", "b", "c", "d"):
        club.services.log.append(bending_chunks(1, 6, NOW_S, recording_id=name))
    ids = list(club.services.motion.pending_streams())
    for _ in range(3):
        answers = at_once(
            lambda: club.services.motion.handle_together(ids, 4),
            lambda: club.services.motion.handle_together(ids[::-1], 4),
        )
        assert not [each for each in answers if isinstance(each, Exception)]
    while club.services.motion.pending_streams():
        club.services.motion.handle_together(ids)
    assert overtaken == []
