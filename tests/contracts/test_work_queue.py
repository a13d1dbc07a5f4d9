"""One contract of the queue of athlete-days, over the table (on both databases) and over a JetStream work queue."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from coach.config import Config
from coach.jetstream.line import NatsLine
from coach.jetstream.reanalysis import JetStreamQueue
from coach.service.reanalysis_types import DayState, Part, RunState, Why
from coach.store import reanalysis as rows
from coach.store.engine import Store, migrate, open_store
from coach.store.reanalysis import Item
from coach.work_queue import TableQueue, Taken, WorkQueue
from devices.hostclock import SystemClock
from tests.coach.club import found_club

# s that an item may be held without a word: short, so that a test can wait for it.
HOLD_S = 1.0
# s to wait for what must come. Generous: the machine may be busy.
LONG_S = 30.0
FIRST = date(2026, 10, 1)


@dataclass
class Ground:
    """A store with a run of some days, and how to make one more taker of its queue."""

    store: Store
    make: Callable[[], tuple[WorkQueue, Callable[[], None]]]
    athlete_id: str
    deaths: dict[int, Callable[[], None]] = field(default_factory=dict)

    def queue(self) -> WorkQueue:
        """Return one more queue, as another process would have."""
        queue, die = self.make()
        self.deaths[id(queue)] = die
        return queue

    def die(self, queue: WorkQueue) -> None:
        """Let a taker fall silent, as a killed process does."""
        self.deaths.pop(id(queue))()

    def days(self, count: int) -> list[Item]:
        """Begin a run of so many athlete-days; return them in order."""
        now = datetime.now(UTC)
        run = {
            "id": "r" * 32, "why": Why.ASKED, "asked_by": None, "athlete_id": None, "since": None,
            "algorithm_version": "1", "begun_at": now, "works_until": None, "ended_at": None,
            "state": RunState.RUNNING,
        }  # fmt: skip
        items = [Item(run["id"], self.athlete_id, Part.SIGNAL, FIRST + timedelta(days=n)) for n in range(count)]
        of_all = {
            "makes": "1", "state": DayState.WAITING, "planned_at": now, "tries": 0, "taken_until": None,
            "recordings": 0, "gone": 0, "chunks": 0, "days": 0, "took_s": None, "reason": None, "ended_at": None,
            "stream_ids": [],
        }  # fmt: skip
        with self.store.begin() as tx:
            rows.add_run(tx, run, [{**each._asdict(), **of_all} for each in items])
        return items

    def done(self, taken: Taken) -> None:
        """End an item as a worker does: its row first."""
        with self.store.begin() as tx:
            assert rows.finish(tx, taken.item, {"state": DayState.DONE, "ended_at": datetime.now(UTC)})
        taken.done()


@pytest.fixture(params=["table-sqlite", "table-postgresql", "jetstream"])
def ground(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ground]:
    with ExitStack() as open_now:
        if request.param == "table-postgresql":
            store = open_now.enter_context(open_store(request.getfixturevalue("postgres_url")))
        else:
            store = open_now.enter_context(open_store(tmp_path / "backstop.db"))
            migrate(store)
        athlete_id = found_club(store, SystemClock(), config=Config()).athlete_id  # type: ignore[arg-type]
        if request.param != "jetstream":
            yield Ground(store, lambda: (TableQueue(store, SystemClock(), HOLD_S), lambda: None), athlete_id)
            return
        server = request.getfixturevalue("nats_server")

        def over_a_line_of_its_own() -> tuple[WorkQueue, Callable[[], None]]:
            line = open_now.enter_context(NatsLine(server.url, "test"))
            assert line.wait_connected(LONG_S)
            return JetStreamQueue(line, HOLD_S), line.close

        yield Ground(store, over_a_line_of_its_own, athlete_id)


def taken_from(queue: WorkQueue, timeout_s: float = LONG_S) -> Taken:
    """Return what comes in time."""
    end_s = time.monotonic() + timeout_s
    while time.monotonic() < end_s:
        taken = queue.take(0.2)
        if taken is not None:
            return taken
        time.sleep(0.05)
    raise AssertionError("nothing was handed out")


def test_each_item_goes_to_one_taker_in_order_and_is_gone_when_it_is_done(ground: Ground) -> None:
    items, first, second = ground.days(6), ground.queue(), ground.queue()
    assert first.held() == 0 or isinstance(first, TableQueue)
    first.put(items)
    first.put(items)  # again is no error, and not twice the work
    assert first.held() > 0
    seen: list[Item] = []
    for _ in range(3):
        ours, theirs = taken_from(first), taken_from(second)
        assert ours.item != theirs.item
        seen += [ours.item, theirs.item]
        ground.done(ours)
        ground.done(theirs)
    assert sorted(seen) == items
    assert first.take(0.5) is None
    assert second.take(0.5) is None
    until_empty(first)


def until_empty(queue: WorkQueue) -> None:
    end_s = time.monotonic() + LONG_S
    while queue.held():
        assert time.monotonic() < end_s
        time.sleep(0.05)


def test_an_item_that_is_held_stays_and_one_whose_taker_died_is_handed_out_again(ground: Ground) -> None:
    (item,), worker, other = ground.days(1), ground.queue(), ground.queue()
    worker.put([item])
    held = taken_from(worker)
    end_s = time.monotonic() + 2.5 * HOLD_S
    while time.monotonic() < end_s:
        held.hold()
        assert other.take(0.1) is None
    ground.die(worker)
    again = taken_from(other)
    assert again.item == item
    ground.done(again)
    until_empty(other)


def test_an_item_that_failed_is_handed_out_again_after_a_while(ground: Ground) -> None:
    (item,), worker, other = ground.days(1), ground.queue(), ground.queue()
    worker.put([item])
    began_s = time.monotonic()
    taken_from(worker).failed(1.5)
    again = taken_from(other)
    assert again.item == item
    assert time.monotonic() - began_s >= 1.4
    ground.done(again)
    until_empty(other)


def test_what_is_closed_is_handed_to_others(ground: Ground) -> None:
    (item,), worker, other = ground.days(1), ground.queue(), ground.queue()
    worker.put([item])
    taken_from(worker)
    worker.close()
    ground.die(worker)
    assert taken_from(other).item == item


def test_a_run_that_was_stopped_hands_out_nothing_from_the_table(ground: Ground) -> None:
    (item,), queue = ground.days(1), ground.queue()
    queue.put([item])
    with ground.store.begin() as tx:
        assert rows.end_run(tx, item.run_id, RunState.STOPPED, datetime.now(UTC))
    taken = queue.take(1.0)
    # JetStream knows nothing of runs: the row says it, to whoever takes the item (test_reanalysis.py).
    assert (taken is None) is isinstance(queue, TableQueue)
