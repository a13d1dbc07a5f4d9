"""One thread that keeps many HTTP connections busy: cheap enough to share two cores with the server it measures."""

from __future__ import annotations

import heapq
import itertools
import re
import selectors
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_RETRY = re.compile(rb"\r\nretry-after: *(\d+)", re.IGNORECASE)
_READ_BYTES = 262_144


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. status 0: the connection was lost before it was whole. retry_after_s: as told, or None."""

    status: int
    body: bytes
    retry_after_s: float | None = None


class Exchange:
    """Timers and sockets of one thread. Times are of time.perf_counter."""

    def __init__(self) -> None:
        self.selector = selectors.DefaultSelector()
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._number = itertools.count()

    def at(self, when_s: float, what: Callable[[], None]) -> None:
        """Call `what` at a time."""
        heapq.heappush(self._due, (when_s, next(self._number), what))

    def run(self, until: Callable[[], bool]) -> None:
        """Work until `until()`, which is asked after each turn."""
        while not until():
            now = time.perf_counter()
            while self._due and self._due[0][0] <= now:
                heapq.heappop(self._due)[2]()
                now = time.perf_counter()
            wait_s = min(self._due[0][0] - now, 0.1) if self._due else 0.1
            for key, _ in self.selector.select(max(0.0, wait_s)):
                key.data()


class Connection:
    """A kept-alive connection with one request under way at most; made anew when the server has closed it."""

    def __init__(self, exchange: Exchange, address: tuple[str, int], source: str = "127.0.0.1") -> None:
        self._exchange, self._address, self._source = exchange, address, source
        self._socket: socket.socket | None = None
        self._got = bytearray()
        self._end: int | None = None
        self._then: Callable[[Answer], None] | None = None
        self._fresh = False
        self._request = b""

    @property
    def busy(self) -> bool:
        """Tell whether an answer is waited for."""
        return self._then is not None

    def ask(self, request: bytes, then: Callable[[Answer], None]) -> None:
        """Send a request; `then` gets its answer. Requests here are far smaller than a socket's buffer."""
        self._request, self._then = request, then
        if self._socket is None:
            self._connect()
        self._send()

    def close(self) -> None:
        """Close it, whatever is under way."""
        if self._socket is not None:
            self._exchange.selector.unregister(self._socket)
            self._socket.close()
            self._socket = None
        self._got.clear()
        self._end = None

    def _connect(self) -> None:
        self._socket = socket.create_connection(self._address, timeout=30, source_address=(self._source, 0))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.setblocking(False)
        self._exchange.selector.register(self._socket, selectors.EVENT_READ, self._readable)
        self._fresh = True

    def _send(self) -> None:
        assert self._socket is not None
        try:
            sent = self._socket.send(self._request)
            assert sent == len(self._request), "a request larger than the socket's buffer"
        except (BrokenPipeError, ConnectionResetError):
            self._lost()

    def _readable(self) -> None:
        assert self._socket is not None
        try:
            data = self._socket.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except ConnectionResetError:
            data = b""
        if not data:
            self._lost()
            return
        self._got += data
        if self._end is None and (head := self._got.find(b"\r\n\r\n")) >= 0:
            found = _LENGTH.search(self._got, 0, head + 2)
            self._end = head + 4 + (int(found.group(1)) if found else 0)
        if self._end is not None and len(self._got) >= self._end:
            self._answered()

    def _answered(self) -> None:
        head = self._got.index(b"\r\n\r\n")
        told = _RETRY.search(self._got, 0, head + 2)
        retry_after_s = float(told.group(1)) if told else None
        answer = Answer(int(self._got[9:12]), bytes(self._got[head + 4 : self._end]), retry_after_s)
        closing = b"\r\nconnection: close" in self._got[:head].lower()
        del self._got[: self._end]
        self._end, self._fresh = None, False
        then, self._then = self._then, None
        if closing:
            self.close()
        if then is not None:
            then(answer)

    def _lost(self) -> None:
        fresh, then = self._fresh, self._then
        self.close()
        if then is None:
            return  # an idle connection that the server has closed
        if fresh:
            self._then = None
            then(Answer(0, b""))
        else:
            # It was closed while idle, in the moment of sending: what every client does then.
            self._connect()
            self._send()


class Listener:
    """An open event stream; counts the events that arrive, and how often it was refused or ended."""

    def __init__(self, exchange: Exchange, address: tuple[str, int], request: bytes, source: str) -> None:
        self.events = self.refused = self.ended = 0
        self._exchange, self._address, self._request, self._source = exchange, address, request, source
        self._head = bytearray()
        self._open()

    def _open(self) -> None:
        self._head.clear()
        self._socket = socket.create_connection(self._address, timeout=30, source_address=(self._source, 0))
        self._socket.sendall(self._request)
        self._socket.setblocking(False)
        self._exchange.selector.register(self._socket, selectors.EVENT_READ, self._readable)

    def _readable(self) -> None:
        try:
            data = self._socket.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except ConnectionResetError:
            data = b""
        if len(self._head) < 12:
            self._head += data[:12]
            if len(self._head) >= 12 and bytes(self._head[9:12]) != b"200":
                self.refused += 1
        self.events += data.count(b"data:")
        if not data:
            self.ended += 1
            self._exchange.selector.unregister(self._socket)
            self._socket.close()
            self._exchange.at(time.perf_counter() + 1.0, self._open)
