"""The live feed and the live line: bounded, never waiting, saying what the worker will say."""

from __future__ import annotations

import math
import threading
import time

import numpy as np
import pytest

from coach.analysis.types import AnalysisParams
from coach.live import LiveAnalysis, LiveFeed, LiveSource, TooManyReaders
from devices.types import Chunk
from tests.coach.club import RATE_HZ, bending_chunks

SOURCE = LiveSource("w1", "a1", "chest", None)


def signals_of(blocks: list[Chunk], at_once: int) -> list[dict[str, object]]:
    feed = LiveFeed()
    live = LiveAnalysis(feed, lambda _: AnalysisParams())
    events: list[dict[str, object]] = []
    with feed.subscribe("a1") as reader:
        for first in range(0, len(blocks), at_once):
            for number, block in enumerate(blocks[first : first + at_once]):
                live.push(SOURCE, block, 1000.0 + first + number)
            live.work()
            events += reader.get_batch(0)
    return events


def line(events: list[dict[str, object]]) -> tuple[np.ndarray, np.ndarray]:
    times = [t for event in events for t in event["t_utc_s"]]  # type: ignore[attr-defined]
    values = [math.nan if v is None else v for event in events for v in event["inclination_deg"]]  # type: ignore[attr-defined]
    return np.array(times), np.array(values)


def test_the_line_is_thin_and_the_same_however_blocks_queue_up() -> None:
    blocks = bending_chunks(2, 6, 5000.0, chunk_s=0.24)
    each, many = signals_of(blocks, 1), signals_of(blocks, 40)
    for a, b in zip(line(each), line(many), strict=True):
        np.testing.assert_allclose(a, b)
    at, values = line(each)
    assert len(at) <= 120 * 15
    assert np.all(np.diff(at) > 0)
    assert np.nanmax(values) == pytest.approx(50, abs=2)
    assert np.diff(at).max() <= 2 / RATE_HZ + 0.001
    assert each[-1]["bends"] == many[-1]["bends"]
    assert each[-1]["bends"] in {10, 11}
    assert each[-1]["repetitions"] == many[-1]["repetitions"]
    assert each[-1]["repetitions"] in {11, 12}
    assert each[-1]["notified_utc_s"] == many[-1]["notified_utc_s"] == 1000.0 + len(blocks) - 1
    assert each[-1]["reference"] == "first_2_still_seconds"


def test_a_gap_is_told_and_stays_a_gap() -> None:
    blocks = bending_chunks(1, 6, 5000.0, chunk_s=0.24)
    events = signals_of(blocks[:100] + blocks[120:], 5)
    assert [event["gap"] for event in events].count(True) == 1
    at, values = line(events)
    lost = (at > 5000.0 + 100 * 0.24) & (at < 5000.0 + 120 * 0.24 - 0.1)
    assert np.isnan(values[lost]).all()


def test_a_block_that_cannot_be_analysed_does_not_end_the_line() -> None:
    blocks = bending_chunks(1, 6, 5000.0, chunk_s=0.24)
    broken = Chunk("d", "rec", 0, 0.0, 0, RATE_HZ, np.zeros((5, 2)), np.zeros((5, 3)))
    events = signals_of([*blocks[:60], broken, *blocks[60:]], 1)
    assert line(events)[0][-1] > 5050


def test_feeds_drop_the_oldest_and_never_wait() -> None:
    feed = LiveFeed()
    reader = feed.subscribe(["a1", "a2"])
    for number in range(100):
        feed.publish("a1", {"kind": "finding", "number": number})
    feed.publish("other", {"kind": "finding", "number": 1000})
    batch = reader.get_batch(0)
    assert [event["number"] for event in batch] == list(range(36, 100))
    assert reader.dropped == 36
    assert reader.get_batch(0.01) == []
    feed.publish("a2", {"kind": "plan"})
    assert reader.get_batch(0) == [{"kind": "plan", "athlete_id": "a2"}]


def test_there_is_a_place_for_so_many_readers_and_closing_frees_it() -> None:
    feed = LiveFeed(readers_max=2)
    first, second = feed.subscribe("a"), feed.subscribe("a")
    with pytest.raises(TooManyReaders):
        feed.subscribe("b")
    first.close()
    first.close()
    with feed.subscribe("b"):
        assert feed.watched("b")
    assert not feed.watched("b")
    assert feed.readers == 1
    waiting = threading.Thread(target=lambda: second.get_batch(30))
    waiting.start()
    feed.close()
    waiting.join(5)
    assert not waiting.is_alive()
    assert second.closed


def test_a_waiting_reader_hears_at_once() -> None:
    feed = LiveFeed()
    with feed.subscribe("a") as reader:
        threading.Timer(0.05, lambda: feed.publish("a", {"kind": "link"})).start()
        start = time.monotonic()
        assert reader.get_batch(30)[0]["kind"] == "link"
        assert time.monotonic() - start < 20


def test_the_thread_works_and_ends() -> None:
    feed = LiveFeed()
    live = LiveAnalysis(feed, lambda _: AnalysisParams())
    before = set(threading.enumerate())
    live.start()
    live.start()
    with feed.subscribe("a1") as reader:
        for block in bending_chunks(0.3, 6, 5000.0, chunk_s=0.24):
            live.push(SOURCE, block, 1.0)
        assert reader.get_batch(20)[0]["kind"] == "signal"
    live.close()
    live.close()
    assert set(threading.enumerate()) <= before
