"""One connection to NATS for a whole process, used from any thread.

A thread of its own runs an asyncio loop with the connection. A server that is away is looked for for ever; whoever
waits for one waits no longer than a bound and is told so by StoreUnavailable.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from coach.errors import StoreUnavailable

_log = logging.getLogger(__name__)
Answer = TypeVar("Answer")
# Called with subject and bytes, on the line's own thread.
Handler = Callable[[str, bytes], None]
# s for a server to answer, and until the next try. Own choice: a server that starts anew takes about one.
_CONNECT_S, _AGAIN_S = 2.0, 0.5
# s between two signs of life; two without an answer and the connection counts as dead. Own choice.
_PING_S = 5
# Messages that wait to be sent, above which new ones are dropped: they are told again anyway. Own choice.
_WAITING_MAX = 20_000
# s between two warnings of the same kind: a server that is away fails twice a second. Own choice.
_WARN_S = 60.0
# s beyond a question's own bound until its thread stops waiting for the loop. Own choice.
_SPARE_S = 1.0


class NatsLine:
    """Publish and subscribe, thread-safe. What is published while no server is there is lost: tell it again.

    For what must not be lost there are the streams of `coach.jetstream.streams`, which go over a line.
    """

    def __init__(self, urls: str, name: str) -> None:
        """urls: nats://TOKEN@HOST:4222, several with commas between; tls:// for TLS, whose authority the machine knows.

        name: of this process, for the server's lists, role-host-process.
        """
        self.urls, self._name = [each.strip() for each in urls.split(",") if each.strip()], name
        # Answers come here, which a server with a name for each role lets nobody else hear (deploy/nats-roles.conf).
        self.inbox = f"_INBOX.{name.partition('-')[0]}"
        self._loop = asyncio.new_event_loop()
        self._client = Client()
        self._thread: threading.Thread | None = None
        self._connected = threading.Event()
        self._stopping = asyncio.Event()
        self._waiting: deque[tuple[str, bytes]] = deque(maxlen=_WAITING_MAX)
        self._handlers: dict[int, tuple[str, Callable[[Msg], None]]] = {}
        self._subscribed: dict[int, Subscription | None] = {}  # None: about to be
        self._numbers = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._listeners: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        self._warned_s = -_WARN_S
        self._sending = asyncio.Lock()  # one sends what waits, so that the order is kept

    def start(self) -> None:
        """Begin to connect; returns at once. Again is no error."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="nats", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Send what waits and disconnect."""
        thread = self._thread
        if thread is not None:
            self.call(self._stopping.set)
            thread.join(_CONNECT_S + _SPARE_S)
            self._thread = None

    def __enter__(self) -> NatsLine:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def connected(self) -> bool:
        """Tell whether a server is there now."""
        return self._connected.is_set()

    def wait_connected(self, timeout_s: float) -> bool:
        """Wait until a server is there; tell whether one is."""
        return self._connected.wait(timeout_s)

    def on_connected(self, listener: Callable[[], None]) -> None:
        """Call `listener()` whenever a server is there, the first time and again, on the line's thread."""
        self._listeners.append(listener)

    def publish(self, subject: str, data: bytes) -> None:
        """Send to everybody who is subscribed now; never waits, order is kept. Lost while no server is there.

        subject: tokens with dots between (letters, digits, - and _). data: up to 1 MB, the servers' usual bound.
        """
        if self._thread is None:
            return
        with self._lock:
            first = not self._waiting
            self._waiting.append((subject, data))
        if first:
            self.call(self._send_waiting)

    def subscribe(self, subject: str, handler: Handler) -> Callable[[], None]:
        """Have `handler(subject, data)` called for what is published from now on, by this process too; return what
        ends that.

        subject: * stands for one token, > for the rest. handler: called on the line's thread, in order; it must not
        wait, for everything else on this line waits for it, and may publish. What it raises is logged. The
        subscription outlives servers that go and come.
        """
        return self.hear(subject, lambda message: handler(message.subject, message.data))

    def hear(self, subject: str, handler: Callable[[Msg], None]) -> Callable[..., None]:
        """As `subscribe`, with all that the library tells of a message; for this package.

        What ends it takes a function that is called when nothing can come any more: until then it is heard.
        """
        with self._lock:
            self._numbers += 1
            number = self._numbers
            self._handlers[number] = (subject, handler)
        self.call(lambda: self._begin(self._listen(number)))

        def end(then: Callable[[], None] | None = None) -> None:
            self._handlers.pop(number, None)
            self.call(lambda: self._begin(self._listen_no_more(number, then)))

        return end

    def ask(self, subject: str, data: bytes, timeout_s: float) -> bytes:
        """Return the answer to a question. Raises StoreUnavailable when there is none in time."""
        return self.run(lambda client: _asked(client, subject, data, timeout_s), timeout_s)

    def run(self, make: Callable[[Client], Coroutine[Any, Any, Answer]], timeout_s: float) -> Answer:
        """Run `make(client)` on the line's thread and return what it returns; for this package.

        Raises StoreUnavailable: no server, no answer in time, or whatever the library says.
        """
        if threading.current_thread() is self._thread:
            raise RuntimeError("a line's own thread must not wait for an answer")
        end_s = time.monotonic() + timeout_s
        if self._thread is None or not self._connected.wait(timeout_s):
            raise self.away()

        async def bounded() -> Answer:
            return await asyncio.wait_for(make(self._client), max(end_s - time.monotonic(), 0.01))

        future = asyncio.run_coroutine_threadsafe(bounded(), self._loop)
        try:
            return future.result(timeout_s + _SPARE_S)
        except StoreUnavailable:
            raise
        except Exception as error:
            future.cancel()
            raise self.away(error) from error

    def call(self, function: Callable[[], None], after_s: float = 0.0) -> None:
        """Call a function on the line's thread, soon or after a while; for this package. Not once it is closed."""
        if self._thread is not None:
            delayed = (lambda: self._loop.call_later(after_s, function)) if after_s else function
            with contextlib.suppress(RuntimeError):  # closed at this moment
                self._loop.call_soon_threadsafe(delayed)

    def send(self, subject: str, data: bytes, reply: str = "", headers: Mapping[str, str] | None = None) -> None:
        """Send now, from the line's thread only; for this package. Lost while no server is there."""
        self._begin(self._send(subject, data, reply, headers))

    def begin(self, make: Callable[[Client], Coroutine[Any, Any, None]]) -> None:
        """Begin `make(client)` and wait for nothing, from the line's thread only; for this package.

        What it raises is as good as a server that has just gone.
        """

        async def quietly() -> None:
            with contextlib.suppress(Exception):
                await make(self._client)

        self._begin(quietly())

    def away(self, why: BaseException | None = None) -> StoreUnavailable:
        """Return the error that says that no server answers."""
        told = f" ({type(why).__name__}: {why})" if why is not None and str(why) else ""
        hosts = ", ".join(each.split("@")[-1].rpartition("/")[2] for each in self.urls)
        return StoreUnavailable(f"NATS at {hosts} does not answer{told}: check storage.log_url and the server there.")

    async def _send(self, subject: str, data: bytes, reply: str, headers: Mapping[str, str] | None) -> None:
        # The library knows first that a server went, and would keep what is sent for the next one.
        if self._connected.is_set() and self._client.is_connected:
            with contextlib.suppress(Exception):  # as good as a server that has just gone
                await self._client.publish(subject, data, reply, dict(headers) if headers else None)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
            for task in asyncio.all_tasks(self._loop):
                task.cancel()
            self._loop.run_until_complete(asyncio.sleep(0))
        finally:
            self._connected.clear()
            self._loop.close()

    async def _serve(self) -> None:
        """Hold a connection until the line is closed. The library connects again by itself, but gives up for good when
        a server refuses: then with a new client."""
        stop = asyncio.create_task(self._stopping.wait())
        while not stop.done():
            self._client = Client()
            closed = asyncio.Event()
            connecting = asyncio.create_task(self._connect(self._client, closed))
            over = asyncio.create_task(closed.wait())
            await asyncio.wait((stop, over), return_when=asyncio.FIRST_COMPLETED)
            if stop.done():
                await self._take_leave()
            self._connected.clear()
            self._subscribed.clear()
            over.cancel()
            connecting.cancel()
            with contextlib.suppress(Exception):
                await asyncio.wait_for(self._client.close(), _CONNECT_S)
            await asyncio.wait((stop,), timeout=_AGAIN_S)

    async def _take_leave(self) -> None:
        if self._connected.is_set():
            with contextlib.suppress(Exception):
                await self._flush_waiting()
                await asyncio.wait_for(self._client.flush(), _SPARE_S)

    async def _connect(self, client: Client, closed: asyncio.Event) -> None:
        async def failed(error: Exception) -> None:
            self._warn(error)

        async def gone() -> None:
            self._connected.clear()

        async def over() -> None:
            closed.set()

        async def back() -> None:
            await self._listen_all()  # to what was asked for meanwhile; what was heard before, the library begins again
            self._there()

        try:
            await client.connect(
                servers=self.urls,
                name=self._name,
                inbox_prefix=self.inbox,
                error_cb=failed,
                disconnected_cb=gone,
                closed_cb=over,
                reconnected_cb=back,
                connect_timeout=int(_CONNECT_S),
                reconnect_time_wait=_AGAIN_S,  # type: ignore[arg-type]  # it only sleeps for it
                max_reconnect_attempts=-1,
                ping_interval=_PING_S,
                max_outstanding_pings=2,
            )
        except Exception as error:  # noqa: BLE001 - whatever the library says: it is tried again with a new client
            self._warn(error)
            closed.set()
            return
        await self._listen_all()
        self._there()

    def _there(self) -> None:
        self._warned_s = -_WARN_S
        self._connected.set()
        for listener in self._listeners:
            try:
                listener()
            except Exception:  # noqa: BLE001 - the line goes on whatever one listener does
                _log.exception("a listener to the line failed")

    def _warn(self, error: BaseException) -> None:
        now_s = time.monotonic()
        if now_s - self._warned_s >= _WARN_S:
            self._warned_s = now_s
            _log.warning("%s It is tried again.", self.away(error))

    def _send_waiting(self) -> None:
        self._begin(self._flush_waiting())

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)  # the loop itself only knows it weakly
        task.add_done_callback(self._tasks.discard)

    async def _flush_waiting(self) -> None:
        async with self._sending:
            while True:
                with self._lock:
                    if not self._waiting:
                        return
                    some = list(self._waiting)
                    self._waiting.clear()
                for subject, data in some:
                    await self._send(subject, data, "", None)

    async def _listen_all(self) -> None:
        for number in list(self._handlers):
            with contextlib.suppress(Exception):  # as good as a server that has just gone
                await self._listen(number)

    async def _listen(self, number: int) -> None:
        known = self._handlers.get(number)
        if known is None or number in self._subscribed or not (self._client.is_connected):
            return  # ended meanwhile, or done as soon as a server is there
        subject, handler = known

        async def hear(message: Msg) -> None:
            try:
                handler(message)
            except Exception:  # noqa: BLE001 - the line goes on whatever one handler does
                _log.exception("what came on %s could not be handled", message.subject)

        self._subscribed[number] = None
        self._subscribed[number] = await self._client.subscribe(subject, cb=hear)
        if number not in self._handlers:
            await self._listen_no_more(number)

    async def _listen_no_more(self, number: int, then: Callable[[], None] | None = None) -> None:
        subscription = self._subscribed.get(number)
        if subscription is not None:
            del self._subscribed[number]
            with contextlib.suppress(Exception):  # it went with the connection
                if then is None:
                    await subscription.unsubscribe()
                else:
                    await subscription.drain()  # type: ignore[no-untyped-call]
        if then is not None:
            then()


async def _asked(client: Client, subject: str, data: bytes, timeout_s: float) -> bytes:
    return bytes((await client.request(subject, data, timeout_s)).data)
