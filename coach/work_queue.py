"""The queue of athlete-days that are to be analysed anew: who does which. What is done, the rows say."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol

from coach.store import reanalysis
from coach.store.engine import Store
from coach.store.reanalysis import Item
from devices.hostclock import HostClock

# s that an item may be held without a word. Own choice: a batch of chunks takes a twentieth of a second.
HOLD_S = 60.0


class Taken(Protocol):
    """An item that was handed to this process, and to no other until it was ended or held for too long."""

    @property
    def item(self) -> Item:
        """Return which one."""
        ...

    def hold(self) -> None:
        """Say that it is worked on: it is not handed to others for another while."""
        ...

    def done(self) -> None:
        """Take it off the queue, once its row says what became of it."""
        ...

    def failed(self, again_s: float) -> None:
        """Give it back; it is handed to somebody again after so many s."""
        ...


class WorkQueue(Protocol):
    """Hand items out, each to one at a time. An item whose taker died is handed out again."""

    def put(self, items: Sequence[Item]) -> None:
        """Have items whose rows wait handed out; again is no error. Raises StoreUnavailable."""
        ...

    def take(self, timeout_s: float) -> Taken | None:
        """Return the next item, None when there is none in time. Raises StoreUnavailable."""
        ...

    def held(self) -> int:
        """Return how many items are in the queue, also those that were taken. Raises StoreUnavailable."""
        ...

    def close(self) -> None:
        """Give back what was taken and not ended, as far as that is quick."""
        ...


class TableQueue:
    """The queue on one machine, or on several over one database: the rows themselves."""

    def __init__(self, store: Store, clock: HostClock, hold_s: float = HOLD_S) -> None:
        self._store, self._clock, self._hold_s = store, clock, hold_s

    def put(self, items: Sequence[Item]) -> None:
        """Do nothing: a row that waits is in the queue."""

    def take(self, timeout_s: float) -> Taken | None:
        """See WorkQueue; does not wait."""
        with self._store.read() as tx:
            if not reanalysis.any_waiting(tx):
                return None  # who looks for nothing must not wait for the writers' turn
        with self._store.begin_derived() as tx:
            item = reanalysis.take(tx, self._after(0.0), self._after(self._hold_s))
        return None if item is None else _TakenRow(self, item)

    def held(self) -> int:
        """See WorkQueue; whether there are any, as a number."""
        with self._store.read() as tx:
            return int(reanalysis.any_waiting(tx))

    def close(self) -> None:
        """Do nothing: nothing is kept here."""

    def hold(self, item: Item, for_s: float | None = None) -> None:
        """Hold a row from now on for a while, None for the usual."""
        with self._store.begin_derived() as tx:
            reanalysis.hold(tx, item, self._after(self._hold_s if for_s is None else for_s))

    def _after(self, by_s: float) -> datetime:
        return datetime.fromtimestamp(self._clock.utc_s() + by_s, UTC)


class _TakenRow:
    def __init__(self, queue: TableQueue, item: Item) -> None:
        self._queue, self.item = queue, item

    def hold(self) -> None:
        self._queue.hold(self.item)

    def done(self) -> None:
        """Do nothing: a row that waits no more is not in the queue."""

    def failed(self, again_s: float) -> None:
        self._queue.hold(self.item, again_s)
