"""The web server: one gunicorn worker with threads, made for pages and open event streams side by side.

Why this server and these settings: docs/decisions/0002-server.md.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import logging
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from gunicorn.http.errors import (
    ExpectationFailed,
    InvalidResponseHeader,
    InvalidResponseHeaderName,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
    UnsupportedTransferCoding,
)
from gunicorn.workers.gthread import ThreadWorker

from coach.config import Web
from coach.errors import AlreadyRunning, ConfigError
from coach.web.admission import SPARE_THREADS
from coach.web.headers import FIXED
from coach.web.house import house_of
from coach.web.pacing import PacedSocket
from coach.web.short_way import IN_FRONT
from coach.web.signal_lane import BEGINNING, Sender, SignalLane

# Own choice: loading the app includes the database's migrations, on a slow disk a matter of seconds.
BOOT_TIMEOUT_S = 120
# Own choice: longest wait for pages that are still being made when the server stops.
STOP_TIMEOUT_S = 10
# Own choice: a predecessor that is just ending gives the address free within this time.
PATIENCE_S = 2.0
# Own bounds: the longest address is a push by path; browsers send two dozen headers, the cookies in one of them.
REQUEST_LINE_BYTES, HEADERS_MAX, HEADER_BYTES = 4094, 64, 8190
# s that one thread keeps Python to itself while another wants it, a tenth of the usual. Whoever commits for many gives
# it back at each statement, and all wait for it. Own choice.
SWITCH_S = 0.0005
# Linux: ask the kernel for a signal when the parent dies. Source: prctl(2), PR_SET_PDEATHSIG.
PR_SET_PDEATHSIG = 1


# What a client may get wrong before there is a request; everything else is ours.
STATUS_OF_UNREADABLE: dict[type[BaseException], int] = {
    InvalidResponseHeader: 500,
    InvalidResponseHeaderName: 500,
    LimitRequestLine: 414,
    LimitRequestHeaders: 431,
    UnsupportedTransferCoding: 501,
    ExpectationFailed: 417,
    ParseException: 400,
}


def unreadable(status: int) -> bytes:
    """Return an answer with the headers of every answer and one sentence."""
    what = b"This request could not be read, so nothing was changed.\n"
    head = {
        **FIXED,
        "Cache-Control": "no-store",
        "Connection": "close",
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Length": str(len(what)),
    }
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{name}: {value}" for name, value in head.items())]
    return "\r\n".join([*lines, "", ""]).encode() + what


class StreamWorker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's threaded worker that waits for no client without end, and that tells open event streams to end."""

    _lane: SignalLane | None = None

    def run(self) -> None:
        """Serve until told to end."""
        if isinstance(self.wsgi, Flask) and IN_FRONT in self.wsgi.extensions:
            # From the storing thread as well: what concerns a connection is done by the main thread.
            short_way, admission = self.wsgi.extensions[IN_FRONT]
            self._lane = SignalLane(
                short_way,
                admission,
                give_back=lambda sender, data: self.method_queue.defer(self._serve_usually, sender, data),
                watch=lambda sender: self.method_queue.defer(self._watch, sender),
                close=lambda sender: self.method_queue.defer(self._hang_up, sender),
            )
        super().run()
        if self._lane is not None:
            self._lane.stop()

    def on_client_socket_readable(self, conn: Any, client: socket.socket) -> None:
        """Hand what a gateway posts to the lane, everything else to the threads."""
        if not self._is_signal(conn):
            super().on_client_socket_readable(conn, client)
            return
        self.keepalived_conns.remove(conn)
        self._adopt(conn, client)

    def on_pending_socket_readable(self, conn: Any, client: socket.socket) -> None:
        """The same for the first that comes on a connection."""
        if not self._is_signal(conn):
            super().on_pending_socket_readable(conn, client)
            return
        self.pending_conns.remove(conn)
        self._adopt(conn, client)

    def _is_signal(self, conn: Any) -> bool:
        if self._lane is None or not self.alive:
            return False
        try:
            return bool(conn.sock.recv(len(BEGINNING), socket.MSG_PEEK) == BEGINNING)
        except OSError:
            return False

    def _adopt(self, conn: Any, client: socket.socket) -> None:
        self.poller.unregister(client)
        if self._lane is not None:
            sender = self._lane.adopt(conn)
            self._watch(sender)
            self._on_signal(sender, client)

    def _watch(self, sender: Sender) -> None:
        self.poller.register(sender.conn.sock, selectors.EVENT_READ, partial(self._on_signal, sender))

    def _on_signal(self, sender: Sender, client: socket.socket) -> None:
        if self._lane is None or not self._lane.readable(sender):
            self.poller.unregister(client)

    def _unwatch(self, sender: Sender) -> None:
        with contextlib.suppress(KeyError, ValueError, OSError):
            self.poller.unregister(sender.conn.sock)

    def _serve_usually(self, sender: Sender, data: bytes) -> None:
        self._unwatch(sender)
        sender.conn.init()
        sender.conn.parser.unreader.unread(data)
        self.enqueue_req(sender.conn)

    def _hang_up(self, sender: Sender) -> None:
        self._unwatch(sender)
        self.nr_conns -= 1
        sender.conn.close()

    def murder_keepalived(self, force: bool = False) -> None:
        """Close connections on which nothing comes, gateways' too."""
        super().murder_keepalived(force)
        for sender in self._lane.over(force or not self.alive) if self._lane is not None else ():
            self._hang_up(sender)

    def enqueue_req(self, conn: Any) -> None:
        if not isinstance(conn.sock, PacedSocket):
            conn.sock = PacedSocket.of(conn.sock)
        if self._lane is not None and self.alive and not conn.initialized and not conn.data_ready:
            # Nothing was read of it: it takes no thread until there is something.
            conn.set_timeout()
            self.pending_conns.append(conn)
            self.poller.register(conn.sock, selectors.EVENT_READ, partial(self.on_pending_socket_readable, conn))
            return
        conn.sock.begin_request()
        super().enqueue_req(conn)

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: BaseException) -> None:
        """Answer what is no request that the app could see; neither the log nor the answer repeats any of it."""
        status = next((status for kind, status in STATUS_OF_UNREADABLE.items() if isinstance(exc, kind)), 500)
        tell = self.log.error if status == 500 else self.log.info
        tell("A request could not be read: %s.", type(exc).__name__)
        with contextlib.suppress(OSError):
            client.sendall(unreadable(status))

    def handle_exit(self, sig: int, frame: Any) -> None:
        self._end_streams()
        super().handle_exit(sig, frame)

    def handle_quit(self, sig: int, frame: Any) -> None:
        # Ctrl-C reaches this process and its parent at once; ending in order is quick enough for both.
        self.handle_exit(sig, frame)

    def is_parent_alive(self) -> bool:
        alive = bool(super().is_parent_alive())
        if not alive:
            self._end_streams()
        return alive

    def _end_streams(self) -> None:
        app = self.app.callable
        if isinstance(app, Flask):
            house_of(app).stopping.set()


class _Server(BaseApplication):  # type: ignore[misc]
    def __init__(self, make_app: Callable[[], Flask], settings: dict[str, Any]) -> None:
        self._make_app = make_app
        self._settings = settings
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._settings.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        return self._make_app()


class _Through(Logger):  # type: ignore[misc]
    """gunicorn's logger, whose lines go where all others go, in their form."""

    def setup(self, cfg: Any) -> None:
        """Take gunicorn's own way out away."""
        super().setup(cfg)
        for handler in self.error_log.handlers[:]:
            self.error_log.removeHandler(handler)
        self.error_log.propagate = True


def _die_with_parent(_: Any, worker: StreamWorker) -> None:
    """Let `kill -9` of the parent end the worker too, at once, so that nothing keeps the database's lock.

    Elsewhere than on Linux the worker sees it by itself within a second.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != worker.ppid:
        sys.exit(1)  # the parent died before the request was made


def listen(host: str, port: int, patience_s: float = PATIENCE_S) -> socket.socket:
    """Bind the address, once, before any process is forked; wait `patience_s` for a predecessor that is ending.

    Raises AlreadyRunning when somebody listens there, ConfigError when this machine has no such address.
    """
    give_up_s = time.monotonic() + patience_s
    while True:
        try:
            return _bind(host, port)
        except AlreadyRunning:
            if time.monotonic() >= give_up_s:
                raise
            time.sleep(0.1)


def _bind(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE | socket.AI_NUMERICSERV
        )[0]
        bound = socket.socket(family, kind, protocol)
    except OSError as error:
        raise ConfigError(
            f"The address {host!r} (--host or web.host) cannot be looked up ({error.strerror}): give one of this "
            "machine's, 127.0.0.1 for this machine alone, or 0.0.0.0 for all."
        ) from error
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(2048)
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRINUSE:
            raise AlreadyRunning(
                f"Port {port} is in use, perhaps by another Backstop. Stop that one, or set BACKSTOP_WEB__PORT=8001."
            ) from error
        raise ConfigError(
            f"Backstop cannot listen on {host}:{port} ({error.strerror}). Set web.host and web.port."
        ) from error
    return bound


def serve(
    make_app: Callable[[], Flask],
    web: Web,
    *,
    on_ready: Callable[[Flask, int], None] | None = None,
    on_stop: Callable[[], None] | None = None,
) -> int:
    """Serve until SIGTERM or Ctrl-C, and return the exit status.

    make_app runs in the serving process, after the fork: threads and connections belong there. on_ready(app, port)
    runs in that process once requests can be answered, on_stop() when it ends in order. If that process dies, it is
    started again by the same three calls. Raises AlreadyRunning, ConfigError.
    """
    bound = listen(web.host, web.port)
    port = int(bound.getsockname()[1])
    settings = _settings(web, bound)

    def post_worker_init(worker: StreamWorker) -> None:
        sys.setswitchinterval(SWITCH_S)
        if on_ready is not None:
            on_ready(worker.wsgi, port)

    def worker_exit(_: Any, worker: StreamWorker) -> None:
        # The parent calls this hook too, for a worker that was gone before it could be told to stop.
        if on_stop is not None and worker.pid == os.getpid():
            on_stop()

    settings |= {"post_worker_init": post_worker_init, "worker_exit": worker_exit}
    logging.captureWarnings(True)
    try:
        _Server(make_app, settings).run()
    except SystemExit as exit_:
        return exit_.code if isinstance(exit_.code, int) else 1
    return 0


def _settings(web: Web, bound: socket.socket) -> dict[str, Any]:
    """Return the server's settings; it takes the socket over."""
    threads = web.page_threads + web.ingest_threads + web.event_readers_max + SPARE_THREADS
    return {
        "bind": [f"fd://{bound.detach()}"],
        "worker_class": "coach.web.server.StreamWorker",
        # One process: the wearable's link, the live feed and the limits' counts live in it.
        "workers": 1,
        "threads": threads,
        "worker_connections": max(1000, 4 * threads),
        "timeout": BOOT_TIMEOUT_S,
        "graceful_timeout": STOP_TIMEOUT_S,
        "keepalive": 15,
        "control_socket_disable": True,
        "limit_request_line": REQUEST_LINE_BYTES,
        "limit_request_fields": HEADERS_MAX,
        "limit_request_field_size": HEADER_BYTES,
        # No access log: paths of sign-in links and calendar feeds carry secrets.
        "accesslog": None,
        "loglevel": "warning",
        "logger_class": _Through,
        "proc_name": "backstop",
        "post_fork": _die_with_parent,
    }
