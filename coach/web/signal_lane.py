"""The lane of signal: connections that post chunks, read by the server's own loop, stored by one thread for all.

A gateway says the same with each post, but for the chunks and their number of bytes. So the first post of a connection
is read like any request; later ones have to begin with the same bytes. Whatever else comes, and whatever is refused,
goes back to the threads that serve every request, with all that was read, and is answered there.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple

from gunicorn.http import get_parser, wsgi
from gunicorn.http.errors import ParseException
from werkzeug.http import http_date

from coach.errors import CoachError
from coach.web.admission import STORED, Admission
from coach.web.short_way import ShortWay

_log = logging.getLogger(__name__)
# How every post of chunks begins.
BEGINNING = f"POST {STORED} ".encode()
# Bytes of one post: a dozen chunks of 5 s. Own choice: larger ones go the usual way, so that the buffers of all
# connections together stay small.
BYTES_MAX = 64 * 1024
# s for which a begun post is waited for. Own choice, as pacing.GRACE_S.
_GRACE_S = 20.0
# s for which a connection stays open without a post. Own choice: longer than the pause between chunks of a minute.
_IDLE_S = 75.0
# What a proxy in front adds, whose connections carry posts of many, and what wants an answer before its body.
_OF_OTHERS = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_FORWARDED", "HTTP_VIA", "HTTP_EXPECT")
# Where a request says how many bytes follow.
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,6})\r\n", re.IGNORECASE)


class Unusual(Exception):
    """Something else came than a post like the one before."""


class _Head(NamedTuple):
    """What a connection's posts begin with, before and after the number of bytes, and its token."""

    before: bytes
    after: bytes
    token: str


@dataclass(slots=True, eq=False)
class Sender:
    """One connection. busy: its post is being stored, and answered by the storing thread."""

    conn: Any
    seen_s: float
    buffer: bytearray = field(default_factory=bytearray)
    head: _Head | None = None
    busy: bool = False
    parked: bool = False  # more came meanwhile: to be read when the answer is out

    def take(self) -> bytes | None:
        """Return the body of a whole post; None while it is not all there. Raises Unusual."""
        if self.head is None:
            return None
        start = len(self.head.before)
        if not self.buffer.startswith(self.head.before[: len(self.buffer)]):
            raise Unusual
        at = self.buffer.find(b"\r", start)
        if at < 0:
            return None
        digits = bytes(self.buffer[start:at])
        end = at + len(self.head.after)
        if not digits.isdigit() or len(digits) > 6 or not self.head.after.startswith(self.buffer[at:end]):
            raise Unusual
        whole = end + int(digits)
        if len(self.buffer) > whole or int(digits) > BYTES_MAX:
            raise Unusual
        if len(self.buffer) < whole:
            return None
        body = bytes(self.buffer[end:])
        self.buffer.clear()
        return body


class _Post(NamedTuple):
    sender: Sender
    head: _Head
    body: bytes

    def whole(self) -> bytes:
        """Return it as it was sent."""
        return b"".join((self.head.before, b"%d" % len(self.body), self.head.after, self.body))


class SignalLane:
    """Stores what the connections post. give_back(sender, bytes), watch(sender): called on any thread."""

    def __init__(
        self,
        short_way: ShortWay,
        admission: Admission,
        give_back: Callable[[Sender, bytes], None],
        watch: Callable[[Sender], None],
        close: Callable[[Sender], None],
    ) -> None:
        """give_back: to the usual threads, with what was read. watch: read it again. close: it is over."""
        self._short_way, self._admission = short_way, admission
        self._give_back, self._watch, self._close = give_back, watch, close
        self._posts: SimpleQueue[_Post | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self.senders: set[Sender] = set()
        self._turn = threading.Lock()  # between reading on and having answered

    def adopt(self, conn: Any) -> Sender:
        """Take a connection over from the usual threads."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._store, name="signal-lane", daemon=True)
            self._thread.start()
        sender = Sender(conn, time.monotonic())
        self.senders.add(sender)
        return sender

    def readable(self, sender: Sender) -> bool:
        """Read what came; return False where nothing shall be read any more, or not until the answer is out."""
        if sender not in self.senders:
            return False
        with self._turn:
            if sender.busy:
                sender.parked = True
                return False
        try:
            data = sender.conn.sock.recv(BYTES_MAX)
        except BlockingIOError:
            return True
        except OSError:
            data = b""
        if not data:
            self.leave(sender)
            self._close(sender)
            return False
        if not sender.buffer:
            sender.seen_s = time.monotonic()
        sender.buffer += data
        try:
            if sender.head is None:
                sender.head = self._learn(sender)
            body = sender.take()
        except Unusual:
            self._return(sender, bytes(sender.buffer))
            return False
        if body is not None and sender.head is not None:
            sender.busy = True
            self._posts.put(_Post(sender, sender.head, body))
        return True

    def _learn(self, sender: Sender) -> _Head | None:
        """Return what the posts of a connection begin with, read as any request is; None while it is not all there."""
        end = sender.buffer.find(b"\r\n\r\n") + 4
        if end < 4:
            if len(sender.buffer) > BYTES_MAX:
                raise Unusual
            return None
        head, conn = bytes(sender.buffer[:end]), sender.conn
        try:
            request = next(get_parser(conn.cfg, iter([head]), conn.client))
            _, environ = wsgi.create(request, conn.sock, conn.client, conn.server, conn.cfg)
        except (ParseException, StopIteration, OSError, ValueError):
            raise Unusual from None
        found = list(_LENGTH.finditer(head))
        shown = self._short_way.shown(environ)
        if shown is None or len(found) != 1 or request.should_close() or request.version != (1, 1):
            raise Unusual
        if any(name in environ for name in _OF_OTHERS) or not self._short_way.may_guess(environ):
            raise Unusual
        return _Head(head[: found[0].start(1)], head[found[0].end(1) :], shown[0])

    def leave(self, sender: Sender) -> None:
        """Look after a connection no more."""
        self.senders.discard(sender)

    def over(self, stopping: bool) -> list[Sender]:
        """Return, and leave, the connections on which nothing comes any more."""
        now = time.monotonic()
        ended = [
            each
            for each in list(self.senders)
            if not each.busy and (stopping or now - each.seen_s > (_GRACE_S if each.buffer else _IDLE_S))
        ]
        self.senders.difference_update(ended)
        return ended

    def stop(self) -> None:
        """Let the storing thread end after what it has."""
        self._posts.put(None)
        if self._thread is not None:
            self._thread.join(10.0)

    def _store(self) -> None:
        while True:
            some = [self._posts.get()]
            try:
                while len(some) < 256:
                    some.append(self._posts.get_nowait())
            except Empty:
                pass
            posts = [each for each in some if each is not None]
            if posts:
                self._answer(posts)
            if len(posts) < len(some):
                return

    def _answer(self, posts: Sequence[_Post]) -> None:
        date = f"Date: {http_date()}\r\n"
        for post, answer in zip(posts, self._stored(posts), strict=True):
            if answer is None:
                self._return(post.sender, post.whole())
            else:
                self._send(post.sender, _as_bytes(*answer, date))

    def _send(self, sender: Sender, answer: bytes) -> None:
        sender.seen_s = time.monotonic()
        with self._turn:
            sender.busy, parked = False, sender.parked
            sender.parked = False
        try:
            whole = sender.conn.sock.send(answer) == len(answer)
        except OSError:
            whole = False
        if not whole:  # a client that takes not even a kilobyte
            self.leave(sender)
            self._close(sender)
        elif parked:
            self._watch(sender)

    def _stored(self, posts: Sequence[_Post]) -> Sequence[tuple[list[tuple[str, str]], bytes] | None]:
        try:
            if not self._admission.is_behind():
                return self._short_way.stored_together([(post.head.token, post.body) for post in posts])
        except CoachError:
            pass  # each is tried by itself, and told
        except Exception:  # noqa: BLE001 - the thread must outlive a defect; each is tried by itself, and told
            _log.exception("posts of %d gateways could not be stored together", len(posts))
        return [None] * len(posts)

    def _return(self, sender: Sender, data: bytes) -> None:
        self.leave(sender)
        self._give_back(sender, data)


def _as_bytes(head: Iterable[tuple[str, str]], body: bytes, date: str) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in head)
    return f"HTTP/1.1 200 OK\r\n{date}Connection: keep-alive\r\n{lines}\r\n".encode("latin-1") + body
