"""Take from a stream: what several consumers hand over within some milliseconds is one batch."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Sequence

from nats.aio.client import Client
from nats.aio.msg import Msg

from coach.jetstream.line import NatsLine
from coach.jetstream.streams import Consumer, Stream, is_there, make_stream

# s that the server keeps a question for work open. Own choice: one question per consumer and this long is nothing.
_OPEN_S = 20.0
# s beyond, after which a question counts as lost and is asked again. Own choice.
_LOST_S = 5.0
# s between two looks at what is under way, at most, and as a share of the time until a message is handed out again. Own
# choices.
_LOOK_S, _LOOK_SHARE = 1.0, 1 / 10
# Share of the time until a message is handed out again, at which the server is told that it is worked on; and how
# often: whoever holds one for longer is stuck, and somebody else shall try. Own choices: ten minutes of the usual 30 s.
_TELL_SHARE, _TELL_TIMES = 1 / 3, 60
# s in which a server says what was on its way to one who takes no more. Own choice.
_LEAVE_S = 3.0
# s within which it sends what it was asked for and has. Own choice.
_SOON_S = 0.25
# s for which what comes next is gathered into the same batch. Own choice.
GATHER_S = 0.01
_NEXT = json.dumps({"batch": 1, "expires": int(_OPEN_S * 1e9)}).encode()
_DONE, _AGAIN, _WORKED_ON = b"+ACK", b'-NAK {"delay":%d}', b"+WPI"


class Delivery:
    """One message, handed to this process. tries: how often it was handed out, this time included. stored_utc_s: since
    when it is in the stream.

    Either `done` or `again` ends it; when neither comes, nor `close` of its taker, the server hands it out again after
    the consumer's `ack_wait_s`. Until then the server is told now and then that it is worked on.
    """

    __slots__ = (
        "_end", "began_s", "connection", "consumer", "data", "most", "number", "over", "reply", "stored_us",
        "stored_utc_s", "subject", "told", "tries",
    )  # fmt: skip

    def __init__(
        self,
        message: Msg,
        consumer: int,
        told: Sequence[str],
        end: Callable[[Delivery, bytes], None],
        connection: int = 0,
    ) -> None:
        """consumer: its number. told: tries, its number in the stream, another one, and when it was stored in ns. end:
        says what became of it. connection: over which it came, counted."""
        self.subject, self.data, self.reply = message.subject, message.data, message.reply
        self.consumer, self._end = consumer, end
        self.tries, self.number, self.stored_us = int(told[0]), int(told[1]), int(told[3]) // 1000
        self.stored_utc_s, self.connection = self.stored_us / 1e6, connection
        self.began_s, self.over = time.monotonic(), False
        self.told, self.most = 0, _TELL_TIMES  # how often the server was told that it is worked on, and is at most

    def done(self) -> None:
        """Have the message removed, and the consumer's next one sent.

        Nothing is waited for, and the word may get lost: whoever handles a message must know one that was handled.
        """
        self._over(_DONE)

    def again(self, delay_s: float = 0.0) -> None:
        """Have the message handed out again, to anybody, after a while."""
        self._over(_AGAIN % int(delay_s * 1e9))

    def _over(self, word: bytes) -> None:
        if not self.over:
            self.over = True
            self._end(self, word)


class Taker:
    """Ask each consumer of a stream for one message at a time, and hand them out in batches.

    Any number of processes may take from the same consumers; so may several takers of one process. It goes on by itself
    when the server goes and comes.
    """

    def __init__(self, line: NatsLine, stream: Stream, consumers: Sequence[Consumer]) -> None:
        self._line, self._stream, self._consumers = line, stream, tuple(consumers)
        self._numbers = {each.name: number for number, each in enumerate(self._consumers)}
        self._look_s = min(_LOOK_S, *(each.ack_wait_s * _LOOK_SHARE for each in self._consumers))
        self._inbox = f"{line.inbox}.{uuid.uuid4().hex}"
        self._there = threading.Condition()
        self._ready: deque[Delivery] = deque()
        self._woken = False
        self._closed = False
        # Below: only on the line's thread. When each consumer was asked for the message that has not come, and what has
        # come and is not over; the newest that was done, whose word may not have reached a server that went.
        self._asked_s: list[float | None] = [None] * len(self._consumers)
        self._held: dict[int, Delivery] = {}
        self._newest_done: dict[int, Delivery] = {}
        self._connection = 0  # counted
        self._listening: Callable[..., None] | None = None
        self._made = False

    def take(self, most: int, timeout_s: float, gather_s: float = GATHER_S) -> list[Delivery]:
        """Return up to `most` messages, of each consumer in order; none when none came in time, or after `wake`.

        Raises StoreUnavailable while the server is away at the first time; later it is silent until it is back.
        """
        if not self._made:
            make_stream(self._line, self._stream, self._consumers)
            self._made = True
            self._begin()
        with self._there:
            self._there.wait_for(lambda: self._ready or self._woken, timeout_s)
            if self._ready and not self._woken and gather_s:
                self._there.wait_for(lambda: len(self._ready) >= most or self._woken, gather_s)
            self._woken = False
            return [self._ready.popleft() for _ in range(min(most, len(self._ready)))]

    def wake(self) -> None:
        """Have `take` return at once with what there is, be it nothing."""
        with self._there:
            self._woken = True
            self._there.notify_all()

    def hold(self) -> None:
        """Have the server told for longer that what has come is worked on: whoever takes it waits, and is not stuck."""
        self._line.call(self._hold_all)

    def close(self) -> None:
        """Take no more; what was not ended, and what is on its way, is handed to others at once."""
        self._closed = True
        self.wake()
        left = threading.Event()
        self._line.call(lambda: self._leave(left.set))
        if self._line.connected:
            left.wait(_LEAVE_S)

    def _begin(self) -> None:
        if self._listening is None:
            self._listening = self._line.hear(f"{self._inbox}.*", self._hear)
            self._line.on_connected(self._connected)
            self._line.call(self._connected)
            self._line.call(self._look)

    def _connected(self) -> None:
        """Say again what may not have been heard, and ask anew: what was asked went with the connection."""
        self._connection += 1
        for delivery in self._newest_done.values():
            self._say(delivery, _DONE)
        self._asked_s = [None] * len(self._consumers)
        self._ask_all()

    def _ask_all(self) -> None:
        """Ask every consumer that owes nothing, or whose answer is overdue."""
        if self._closed:
            return
        lost_s = time.monotonic() - _OPEN_S - _LOST_S
        for number, asked_s in enumerate(self._asked_s):
            if number not in self._held and (asked_s is None or asked_s < lost_s):
                self._ask(number)

    def _ask(self, number: int) -> None:
        self._asked_s[number] = time.monotonic()
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{self._stream.name}.{self._consumers[number].name}"
        self._line.send(subject, _NEXT, f"{self._inbox}.{number}")

    def _hear(self, message: Msg) -> None:
        tokens = message.reply.split(".")
        if tokens[:2] != ["$JS", "ACK"]:
            self._hear_status(message)
            return
        # $JS.ACK.stream.consumer.tries…; newer servers say domain and account before the stream.
        name, *told = tokens[3:] if len(tokens) < 11 else tokens[5:]
        number = self._numbers[name]
        delivery = Delivery(message, number, told, self._ended, self._connection)
        if self._closed:
            delivery.again()
            return
        self._asked_s[number] = None
        self._newest_done.pop(number, None)
        self._held[number] = delivery
        with self._there:
            self._ready.append(delivery)
            self._there.notify_all()

    def _hear_status(self, message: Msg) -> None:
        """Nothing came in time: ask again. Or the stream is gone, with the disk it was on: make it anew."""
        status = (message.headers or {}).get("Status", "")
        number = int(message.subject.rpartition(".")[2])
        self._asked_s[number] = None
        if status == "503":
            self._made = False
            self._connection += 1  # what came before is of another stream than what comes
        elif status == "408":
            self._ask_all()

    def _ended(self, delivery: Delivery, word: bytes) -> None:
        self._line.call(lambda: self._tell_end(delivery, word))

    def _tell_end(self, delivery: Delivery, word: bytes) -> None:
        number = delivery.consumer
        if self._held.get(number) is delivery:
            del self._held[number]
        if word == _DONE:
            self._newest_done[number] = delivery
            current = delivery.connection == self._connection
            if current and not self._closed and self._asked_s[number] is None and number not in self._held:
                self._asked_s[number] = time.monotonic()
                self._line.send(delivery.reply, b"+NXT " + _NEXT, f"{self._inbox}.{number}")
                return
        self._say(delivery, word)
        self._ask_all()

    def _say(self, delivery: Delivery, word: bytes) -> None:
        """Tell the server what becomes of a message. Words name it by its number: of what came over an earlier
        connection it is asked first whether the number still stands for it. If not, nothing is said."""
        connection = self._connection
        if delivery.connection == connection:
            self._line.send(delivery.reply, word)
            return

        async def if_same(client: Client) -> None:
            same = await is_there(client, self._stream, delivery.number, delivery.stored_us)
            if same and connection == self._connection:
                delivery.connection = connection
                self._line.send(delivery.reply, word)

        self._line.begin(if_same)

    def _look(self) -> None:
        """Now and then: ask what was not asked, and say what is worked on."""
        if self._closed:
            return
        now_s = time.monotonic()
        self._ask_all()
        for number, delivery in self._held.items():
            due_s = (delivery.told + 1) * self._consumers[number].ack_wait_s * _TELL_SHARE
            if now_s - delivery.began_s >= due_s and delivery.told < delivery.most:
                delivery.told += 1
                self._say(delivery, _WORKED_ON)
        self._line.call(self._look, self._look_s)

    def _hold_all(self) -> None:
        for delivery in self._held.values():
            delivery.most = delivery.told + _TELL_TIMES

    def _leave(self, then: Callable[[], None]) -> None:
        for delivery in list(self._held.values()):
            delivery.again()
        if self._listening is None:
            then()
            return
        # What a server is asked for with a word about another message it sends soon, also to one who hears no more.
        end = self._listening
        self._line.call(lambda: end(then), _SOON_S)
