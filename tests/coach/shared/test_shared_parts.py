"""What is kept of live blocks and told between processes, over a line within this process: bounds and odd words."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from coach.live import LiveSource
from coach.recent import KEPT_S
from coach.shared import blocks
from coach.shared.blocks import LiveBlock, RecentBlocks
from coach.shared.feed import SharedFeed
from coach.shared.telling import Telling
from coach.shared.tries import SharedTries
from coach.web.limit_memory import BoundedMemory
from devices.types import Chunk
from tests.coach.club import FakeClock


class Wire:
    """A line that hands on at once, and nothing while it is cut."""

    def __init__(self) -> None:
        self.connected = True
        self._handlers: list[tuple[str, Callable[[str, bytes], None]]] = []

    def publish(self, subject: str, data: bytes) -> None:
        for wanted, handler in self._handlers if self.connected else ():
            if wanted == subject:
                handler(subject, data)

    def subscribe(self, subject: str, handler: Callable[[str, bytes], None]) -> Callable[[], None]:
        self._handlers.append((subject, handler))
        return lambda: None


def block(start: int) -> LiveBlock:
    samples = np.arange(18.0).reshape(6, 3)
    source = LiveSource("strap", "ada", "chest", (0.0, 1.0, 0.0), None)
    return LiveBlock(source, Chunk("C0:01", "rec", start, 1.8e9 + start, start, 25.0, samples, samples / 10), 17.5)


def test_a_block_comes_through_as_it_was() -> None:
    sent, come = block(6), LiveBlock.decode(block(6).encode())
    assert (come.source, come.notified_utc_s, come.block.key) == (sent.source, 17.5, sent.block.key)
    assert come.block.acc_mps2 == pytest.approx(sent.block.acc_mps2, abs=0.01)


def test_two_minutes_are_kept_and_it_is_known_what_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeClock()
    recent, begun = RecentBlocks(clock.utc_s), clock.utc_s()
    assert recent.since("ada", "strap", begun - 1) is None
    assert recent.since("ada", "strap", begun) == []
    for number in range(200):
        recent.add("ada", "strap", block(6 * number).encode())
        recent.add("ada", "other", block(6 * number).encode())
        clock.forward(seconds=1)
    assert len(recent.of_athlete("ada")) == pytest.approx(2 * KEPT_S, abs=2)
    assert recent.since("ada", "strap", begun) is None
    kept = recent.since("ada", "strap", begun + 150)
    assert kept is not None
    assert [each.block.start_index for each in kept] == [6 * number for number in range(150, 200)]
    # Too much of everybody together: whoever was silent longest goes, and is known to be incomplete.
    monkeypatch.setattr(blocks, "_BYTES_MAX", 1000)
    recent.add("bo", "strap", block(0).encode())
    assert recent.of_athlete("ada") == []
    assert recent.since("ada", "strap", begun + 150) is None


def test_events_reach_the_others_once_and_lines_none_of_them(caplog: pytest.LogCaptureFixture) -> None:
    wire = Wire()
    one, two = (SharedFeed(Telling(wire)) for _ in range(2))
    at_one, at_two = one.subscribe("ada"), two.subscribe("ada")
    one.publish("ada", {"kind": "finding"})
    one.publish("ada", {"kind": "signal", "start_utc_s": 1.0, "rate_hz": 15.0, "inclination_deg": [1.0]})
    assert [each["kind"] for each in at_one.get_batch(0)] == ["finding", "signal"]
    assert [each["kind"] for each in at_two.get_batch(0)] == ["finding"]
    for odd in (b"", b"\xff", b"[]", b'{"by": "x"}', b'{"by": "x", "told": 3}', b'{"by": "x", "told": {}}'):
        wire.publish("shared.event", odd)
    assert len(caplog.records) == 12  # six at each
    assert at_two.get_batch(0) == []
    two.look_at("another", ["bo"])
    assert two.watched("bo")
    assert not two.watched_here("bo")
    assert not one.watched("bo")


def test_tries_are_counted_for_all_and_forgotten_where_they_are_too_old() -> None:
    wire = Wire()
    memories = [BoundedMemory(), BoundedMemory()]
    tries = [SharedTries([each], Telling(wire)) for each in memories]
    assert all(memories[0].acquire_entry("ada", 10, 60) for _ in range(6))
    assert memories[1].get_moving_window("ada", 10, 60)[1] == 0
    tries[0].say()
    assert memories[1].get_moving_window("ada", 10, 60)[1] == 6
    passed = [memories[1].acquire_entry("ada", 10, 60) for _ in range(6)]
    assert passed == [True] * 4 + [False] * 2
    tries[1].say()
    assert not memories[0].acquire_entry("ada", 10, 60)
    # While nothing is carried each counts for itself.
    wire.connected = False
    assert memories[0].acquire_entry("bo", 1, 60)
    tries[0].say()
    assert memories[1].acquire_entry("bo", 1, 60)
