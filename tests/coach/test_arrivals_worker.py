"""Chunks that are handed over at a bad moment: none of them is taken for one that can never be stored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest
from nats.aio.msg import Msg

from coach.arrivals_worker import ArrivalsWorker
from coach.errors import StoreUnavailable
from coach.jetstream.taking import GATHER_S, Delivery, Taker
from coach.service.arrivals import Arrivals, Arrived, Done, Fate
from coach.service.dead_letters import DeadLetters, Letter
from devices.codec import encode_chunk
from tests.coach.club import START, bending_chunks

# Looks at a recording that somebody else holds: many more than a chunk has tries.
LOOKS = 20


class Once(Taker):
    """Hands over once what it was made with."""

    def __init__(self, deliveries: Sequence[Delivery]) -> None:
        self._left = list(deliveries)

    def give(self, deliveries: Sequence[Delivery]) -> None:
        self._left = list(deliveries)

    def take(self, most: int, timeout_s: float, gather_s: float = GATHER_S) -> list[Delivery]:
        taken, self._left = self._left, []
        return taken


class Held(Arrivals):
    """Chunks of a recording that somebody else holds for some looks, and what becomes of them then."""

    def __init__(self, looks: int, then: Fate) -> None:
        self._looks, self._then = looks, then

    def handle(self, arrived: Sequence[Arrived]) -> Done:
        self._looks -= 1
        return Done((Fate.HELD if self._looks >= 0 else self._then,) * len(arrived))


class Away(DeadLetters):
    """As while the database is away."""

    def __init__(self) -> None:
        pass

    def bury(self, letter: Letter) -> bool:
        raise StoreUnavailable("The database cannot be reached: try again in a moment.")


class Noting(DeadLetters):
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    def set_down(self, letter: Letter) -> bool:
        self.told.append(("set down", ""))
        return True

    def take_up(self, letter: Letter) -> None:
        self.told.append(("take up", ""))

    def bury(self, letter: Letter) -> bool:
        self.told.append(("bury", letter.reason))
        return True


def handed(told: list[bytes], count: int, tries: int = 1) -> list[Delivery]:
    """Return chunks of several partitions; told: hears what becomes of each. tries: how often they were handed out."""
    blob = encode_chunk(bending_chunks(0.3, 6, START.timestamp())[0])
    return [
        Delivery(
            Msg(cast("Any", None), f"motion.{number}.{number:032}", "", blob),
            number,
            (str(tries), "1", "1", "0"),
            lambda _, word: told.append(word),
        )
        for number in range(count)
    ]


def test_a_recording_that_is_held_for_long_costs_its_chunk_no_try(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coach.arrivals_worker._HELD_AGAIN_S", 0.0)
    told: list[bytes] = []
    worker = ArrivalsWorker(Once(handed(told, 1)), Held(LOOKS, Fate.DONE), Away(), lambda _: None)
    for _ in range(LOOKS):
        worker.once(0.0)
        assert told == []
    worker.once(0.0)
    assert told == [b"+ACK"]


class Failing(Arrivals):
    """Whose statements fail for one reason some times, with chunks one by one and together."""

    def __init__(self, condition: str, times: int) -> None:
        self._condition, self.left = condition, times

    def handle(self, arrived: Sequence[Arrived]) -> Done:
        self.left -= 1
        if self.left >= 0:
            raise StoreUnavailable("as it is", self._condition)
        return Done((Fate.DONE,) * len(arrived))


@pytest.mark.parametrize("condition", ["unreachable", "disk full", "busy", "read-only", "too many connections"])
def test_a_database_whose_trouble_passes_by_itself_is_waited_for(
    condition: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coach.arrivals_worker._AGAIN_S", 0.0)
    monkeypatch.setattr(Once, "hold", lambda _: None)
    told: list[bytes] = []
    worker = ArrivalsWorker(Once(handed(told, 2)), Failing(condition, LOOKS), Away(), lambda _: None)
    worker.once(0.0)
    assert told == [b"+ACK"] * 2


@pytest.mark.parametrize("condition", ["refused", "disk failing", "damaged"])
def test_a_statement_that_always_fails_is_a_failed_try_of_each_chunk(condition: str) -> None:
    told: list[bytes] = []
    # Together, then the first by itself; the second has no part in it.
    worker = ArrivalsWorker(Once(handed(told, 2)), Failing(condition, 2), Away(), lambda _: None)
    worker.once(0.0)
    assert [word[:4] for word in told] == [b"-NAK", b"+ACK"]


def test_what_nobody_is_at_after_something_went_wrong_is_given_back() -> None:
    told: list[bytes] = []
    worker = ArrivalsWorker(Once(handed(told, 3)), Held(0, Fate.OTHER_BYTES), Away(), lambda _: None)
    with pytest.raises(StoreUnavailable):
        worker.once(0.0)
    assert [word[:4] for word in told] == [b"-NAK"] * 3


def test_an_error_counts_and_being_handed_out_does_not() -> None:
    told: list[bytes] = []
    dead, taker = Noting(), Once([])
    worker = ArrivalsWorker(taker, Failing("refused", 5), dead, lambda _: None)
    for tries in range(9, 14):  # as after eight restarts
        assert [kind for kind, _ in dead.told] == ["set down", "take up"] * (tries - 9)
        taker.give(handed(told, 1, tries))
        worker.once(0.0)
    assert [word[:4] for word in told] == [b"-NAK"] * 4 + [b"+ACK"]
    assert dead.told[-3:] == [("set down", ""), ("bury", "StoreUnavailable: as it is"), ("take up", "")]


def test_the_errors_of_one_chunk_are_not_those_of_the_next() -> None:
    told: list[bytes] = []
    dead, taker = Noting(), Once([])
    worker = ArrivalsWorker(taker, Failing("refused", 8), dead, lambda _: None)
    for number in (1, 2):
        for _ in range(4):
            [delivery] = handed(told, 1)
            delivery.number = number
            taker.give([delivery])
            worker.once(0.0)
    assert [word[:4] for word in told] == [b"-NAK"] * 8
    assert dead.told == []


def test_a_database_that_is_away_is_said_seldom_and_once_when_it_is_back(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("coach.arrivals_worker._AGAIN_S", 0.0)
    monkeypatch.setattr(Once, "hold", lambda _: None)
    told: list[bytes] = []
    worker = ArrivalsWorker(Once(handed(told, 1)), Failing("unreachable", 200), Away(), lambda _: None)
    worker.once(0.0)
    lines = [record.getMessage().split(" s")[0] for record in caplog.records]
    assert told == [b"+ACK"]
    assert lines[0] == "storing chunks waits: as it is"
    assert lines[-1].startswith("storing chunks goes on after ")
    assert len(lines) < 10
