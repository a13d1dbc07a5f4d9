"""The queue of athlete-days that are to be analysed anew, as a work queue of JetStream."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import date
from typing import TypeVar

from coach.errors import StoreUnavailable
from coach.jetstream.line import NatsLine
from coach.jetstream.streams import Consumer, Message, Stream, make_stream, store, waiting
from coach.jetstream.taking import Delivery, Taker
from coach.store.reanalysis import Item
from coach.work_queue import HOLD_S, Taken

Answer = TypeVar("Answer")
# s. A run that nobody has worked on for so long is put into the queue anew, from its rows. Own choice: two weeks.
_MAX_AGE_S = 14 * 86_400.0
# s in which an item that is put twice is one. Own choice: as long as several may find the queue empty at once; what a
# server has lost with its disk can be put again after it.
_DUPLICATES_S = 10.0
# Items that are handed out at one time. Own choice: more than there are workers.
_IN_FLIGHT = 1000
STREAM = Stream("REANALYSE", ("reanalyse.>",), _MAX_AGE_S, _DUPLICATES_S)


class JetStreamQueue:
    """A WorkQueue over a line to NATS. One item at a time is taken; the taker says by itself that it is worked on."""

    def __init__(self, line: NatsLine, hold_s: float = HOLD_S) -> None:
        self._line = line
        self._consumers = (Consumer("reanalyse", "reanalyse.>", _IN_FLIGHT, hold_s),)
        self._taker: Taker | None = None
        self._made = False

    def put(self, items: Sequence[Item]) -> None:
        """See WorkQueue. What the server did not acknowledge is put again by the next one who finds it empty."""
        messages = [Message(f"reanalyse.{each.part}", _key(each), _coded(each)) for each in items]
        self._with_stream(lambda: store(self._line, messages))

    def take(self, timeout_s: float) -> Taken | None:
        """See WorkQueue."""
        if self._taker is None:
            self._taker = Taker(self._line, STREAM, self._consumers)
        found = self._taker.take(1, timeout_s, gather_s=0.0)
        return _TakenMessage(found[0]) if found else None

    def held(self) -> int:
        """See WorkQueue."""
        return self._with_stream(lambda: waiting(self._line, STREAM))

    def close(self) -> None:
        """Have what was taken handed to others at once."""
        if self._taker is not None:
            self._taker.close()

    def _with_stream(self, ask: Callable[[], Answer]) -> Answer:
        """Ask of the stream, which is made first; also again, when the server has lost it with its disk."""
        if not self._made:
            make_stream(self._line, STREAM, self._consumers)
            self._made = True
        try:
            return ask()
        except StoreUnavailable:
            self._made = False
            raise


class _TakenMessage:
    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery
        run_id, athlete_id, part, local_date = json.loads(delivery.data)
        self.item = Item(run_id, athlete_id, part, date.fromisoformat(local_date))

    def hold(self) -> None:
        """Do nothing: the taker tells the server."""

    def done(self) -> None:
        self._delivery.done()

    def failed(self, again_s: float) -> None:
        self._delivery.again(again_s)


def _key(item: Item) -> str:
    return f"{item.run_id}-{item.athlete_id}-{item.part}-{item.local_date.isoformat()}"


def _coded(item: Item) -> bytes:
    return json.dumps([item.run_id, item.athlete_id, item.part, item.local_date.isoformat()]).encode()
