"""The two minutes that a page gets when it opens: bounded, by the signal's own time, gaps kept, nothing twice."""

from __future__ import annotations

import random
from typing import Any

from coach.live import LiveFeed
from coach.recent import KEPT_S, RecentLine, RecentLines


def event(start_utc_s: float, count: int, rate_hz: float = 15.0, **more: Any) -> dict[str, Any]:
    values = [float(number) for number in range(count)]
    return {"kind": "signal", "start_utc_s": start_utc_s, "rate_hz": rate_hz, "inclination_deg": values, **more}


def points(events: list[dict[str, Any]]) -> list[float]:
    return [each["start_utc_s"] + k / each["rate_hz"] for each in events for k in range(len(each["inclination_deg"]))]


def test_two_minutes_are_kept_in_one_piece_however_they_arrive() -> None:
    chance = random.Random(5)
    line, at = RecentLine(), 0
    while at < 6000:
        count = chance.randint(1, 400)
        line.add(event(5000.0 + at / 15.0 + chance.uniform(-0.01, 0.01), count, bends=at))
        at += count
    kept = line.events()
    assert len(kept) == 1
    assert kept[0]["history"] is True
    assert abs(len(kept[0]["inclination_deg"]) - KEPT_S * 15) <= 1
    assert abs(points(kept)[-1] - (5000.0 + (at - 1) / 15.0)) < 0.05
    assert kept[0]["bends"] < at


def test_a_gap_stays_a_gap_and_what_is_too_old_goes() -> None:
    line = RecentLine()
    line.add(event(0.0, 150))
    line.add(event(60.0, 150))
    assert [each["start_utc_s"] for each in line.events()] == [0.0, 60.0]
    line.add(event(125.0, 15))
    assert [round(each["start_utc_s"], 3) for each in line.events()] == [6.0, 60.0, 125.0]
    line.add(event(1000.0, 15))
    assert [each["start_utc_s"] for each in line.events()] == [1000.0]


def test_memory_is_bounded_in_pieces_points_and_lines() -> None:
    line = RecentLine()
    for number in range(5000):
        line.add(event(number * 0.3, 2))
    assert len(line.events()) <= 240
    lines = RecentLines()
    for number in range(500):
        lines.add("a", event(0.0, 3000, wearable_id=str(number)))
    kept = lines.of(frozenset({"a"}))
    assert len(kept) == 64
    assert kept[-1]["wearable_id"] == "499"
    assert sum(len(each["inclination_deg"]) for each in kept) <= 64 * KEPT_S * 15


def test_a_clock_that_is_set_back_begins_the_line_anew() -> None:
    line = RecentLine()
    line.add(event(5000.0, 30))
    line.add(event(100.0, 30))
    assert [each["start_utc_s"] for each in line.events()] == [100.0]


def test_a_reader_gets_each_event_once_as_history_or_as_news() -> None:
    feed = LiveFeed()
    feed.publish("a1", event(10.0, 15))
    feed.publish("a2", event(10.0, 15))
    feed.publish("a1", {"kind": "plan"})
    with feed.subscribe("a1") as reader:
        feed.publish("a1", event(11.0, 15))
        assert [each["start_utc_s"] for each in reader.history] == [10.0]
        assert [each["start_utc_s"] for each in reader.get_batch(0)] == [11.0]
        # What one reader was given is its own.
        reader.history[0]["inclination_deg"].clear()
    with feed.subscribe("a1") as later:
        assert points(later.history)[:2] == [10.0, 10.0 + 1 / 15.0]
        assert len(points(later.history)) == 30
