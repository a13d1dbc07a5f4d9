"""A message bus for one service on a private unix socket: handshake, match rules, routing and a bounded writer.

It does what a D-Bus daemon does for bleak and nothing more. Two names of dbus-fast are private,
`_private.unmarshaller.Unmarshaller` and `Message._marshall`; tests/contracts/test_dbus_fast_canary.py watches them.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections import deque
from collections.abc import Iterable
from typing import Any, Protocol

from dbus_fast import Message, MessageFlag, MessageType
from dbus_fast._private.unmarshaller import Unmarshaller
from dbus_fast.errors import InvalidMessageError

BUS_NAME = "org.freedesktop.DBus"
UNKNOWN_METHOD = "org.freedesktop.DBus.Error.UnknownMethod"
# A reader this far behind makes the wearables wait; about a thousand notifications.
QUEUE_BYTES = 256 * 1024
# A reader that takes nothing for so long has died without closing its socket; it is put out.
STALLED_S = 10.0
_READ_BYTES = 65536
# Longest line of the handshake that is not an attack.
_LINE_BYTES = 16384


class BusService(Protocol):
    """The one service on the bus."""

    def handle(self, connection: Connection, message: Message) -> None:
        """Answer a method call, at once or later, with `connection.reply` or `connection.fail`."""
        ...

    def gone(self, connection: Connection) -> None:
        """Hear that a client has left."""
        ...


class MatchRule:
    """One AddMatch rule. Raises ValueError for a key this bus does not understand, rather than match too much."""

    _KEYS = frozenset({"type", "sender", "interface", "member", "path", "path_namespace", "arg0path"})

    def __init__(self, text: str) -> None:
        pairs = (part.partition("=") for part in text.split(",") if part)
        self.parts = {key.strip(): value.strip("'") for key, _, value in pairs}
        if unknown := set(self.parts) - self._KEYS:
            raise ValueError(f"match rule key {', '.join(sorted(unknown))} is not understood")

    def matches(self, path: str, interface: str, member: str, arg0: str) -> bool:
        """Tell whether a signal is wanted."""
        parts = self.parts
        wanted = (("interface", interface), ("member", member), ("path", path), ("type", "signal"))
        if any(key in parts and parts[key] != value for key, value in wanted):
            return False
        space = parts.get("path_namespace")
        if space is not None and path != space and not path.startswith(space.rstrip("/") + "/"):
            return False
        below = parts.get("arg0path")
        return below is None or arg0 == below or (below.endswith("/") and arg0.startswith(below))


class _Feed:
    """Bytes that came in, in the form the unmarshaller reads a stream: None means nothing there yet."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def push(self, data: bytes) -> None:
        self._bytes += data

    def read(self, count: int) -> bytes | None:
        if not self._bytes:
            return None
        taken = bytes(self._bytes[:count])
        del self._bytes[:count]
        return taken

    def line(self) -> bytes | None:
        """Return the next line of the handshake without its end; a leading NUL is dropped."""
        if self._bytes[:1] == b"\0":
            del self._bytes[:1]
        end = self._bytes.find(b"\r\n")
        if end < 0:
            return None
        taken = bytes(self._bytes[:end])
        del self._bytes[: end + 2]
        return taken

    @property
    def waiting(self) -> int:
        return len(self._bytes)


class Connection:
    """One client of the bus."""

    def __init__(self, bus: MiniBus, sock: socket.socket, name: str) -> None:
        self.name = name
        self.rules: dict[str, MatchRule] = {}
        self.queued_bytes = 0
        self.closed = False
        self._bus = bus
        self._sock = sock
        self._feed = _Feed()
        self._reader: Any = None  # the unmarshaller, once the handshake is over
        self._queue: deque[memoryview] = deque()
        self._moved_at_s = 0.0
        bus.loop.add_reader(sock, self._readable)

    def wants(self, path: str, interface: str, member: str, arg0: str) -> bool:
        """Tell whether this client asked for such a signal."""
        return any(rule.matches(path, interface, member, arg0) for rule in self.rules.values())

    def send(self, data: bytes | bytearray) -> None:
        """Queue bytes and write what the socket takes now."""
        if self.closed:
            return
        idle = not self._queue
        self._queue.append(memoryview(data))
        self.queued_bytes += len(data)
        if idle:
            self._moved_at_s = self._bus.loop.time()
            self._writable()
            if self._queue and not self.closed:
                self._bus.loop.add_writer(self._sock, self._writable)

    def reply(self, call: Message, signature: str = "", body: list[Any] | None = None) -> None:
        """Answer a method call."""
        self._answer(call, Message.new_method_return(call, signature, body or []))

    def fail(self, call: Message, error: str, text: str) -> None:
        """Answer a method call with an error."""
        self._answer(call, Message.new_error(call, error, text))

    def close_if_stalled(self) -> None:
        """Put out a client that has taken nothing for a long time."""
        if self._queue and self._bus.loop.time() - self._moved_at_s > STALLED_S:
            self.close()

    def close(self) -> None:
        """Cut the connection; the service hears of it once."""
        if self.closed:
            return
        self.closed = True
        self._bus.loop.remove_reader(self._sock)
        self._bus.loop.remove_writer(self._sock)
        self._sock.close()
        self._queue.clear()
        self.queued_bytes = 0
        self._bus.left(self)

    def _answer(self, call: Message, message: Message) -> None:
        if not call.flags & MessageFlag.NO_REPLY_EXPECTED:
            self.send(self._bus.marshal(message))

    def _writable(self) -> None:
        try:
            while self._queue:
                sent = self._sock.send(self._queue[0])
                self.queued_bytes -= sent
                self._moved_at_s = self._bus.loop.time()
                if sent < len(self._queue[0]):
                    self._queue[0] = self._queue[0][sent:]
                else:
                    self._queue.popleft()
        except BlockingIOError:
            return
        except OSError:
            self.close()
            return
        self._bus.loop.remove_writer(self._sock)

    def _readable(self) -> None:
        try:
            data = self._sock.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            return
        self._feed.push(data)
        if self._reader is None:
            self._shake_hands()
        if self._reader is None:
            return
        try:
            self._read_messages()
        except (InvalidMessageError, IndexError, ValueError):
            # Not D-Bus: a daemon cuts such a client off too.
            self.close()

    def _shake_hands(self) -> None:
        while self._reader is None and (line := self._feed.line()) is not None:
            word = line.split(b" ")[0]
            if line.startswith(b"AUTH EXTERNAL"):
                # The folder's rights already keep other users out.
                self.send(b"OK " + self._bus.guid + b"\r\n")
            elif word == b"NEGOTIATE_UNIX_FD":
                self.send(b"AGREE_UNIX_FD\r\n")
            elif word == b"BEGIN":
                self._reader = Unmarshaller(stream=self._feed, negotiate_unix_fd=False)  # type: ignore[arg-type]
            else:
                self.send(b"REJECTED EXTERNAL\r\n")
        if self._reader is None and self._feed.waiting > _LINE_BYTES:
            self.close()

    def _read_messages(self) -> None:
        while not self.closed and (message := self._reader.unmarshall()) is not None:
            if message.message_type == MessageType.METHOD_CALL:
                self._bus.route(self, message)


class MiniBus:
    """The bus: takes clients, answers for the daemon's own name and hands the rest to the service."""

    def __init__(self, service: BusService) -> None:
        self.loop = asyncio.get_running_loop()
        self.guid = secrets.token_hex(16).encode()
        self.connections: list[Connection] = []
        self._service = service
        self._serial = 0
        self._clients = 0
        self._listener: socket.socket | None = None

    def listen(self, path: str) -> None:
        """Take clients on a unix socket at `path`."""
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.setblocking(False)
        self._listener.bind(path)
        self._listener.listen(128)
        self.loop.add_reader(self._listener, self._accept, self._listener)

    def close(self) -> None:
        """Cut every client and stop listening."""
        if self._listener is not None:
            self.loop.remove_reader(self._listener)
            self._listener.close()
            self._listener = None
        for connection in list(self.connections):
            connection.close()

    def marshal(self, message: Message) -> bytearray:
        """Return the message's bytes under the next serial."""
        message.serial = self.serials(1)
        return message._marshall(False)

    def serials(self, count: int) -> int:
        """Return the first of `count` serials in a row; never 0."""
        if self._serial + count > 0xFFFFFFFF:
            self._serial = 0
        first = self._serial + 1
        self._serial += count
        return first

    def emit(self, path: str, interface: str, member: str, signature: str, body: list[Any]) -> None:
        """Send a signal to the clients that asked for it."""
        wanted = self.listeners(path, interface, member, body[0])
        if not wanted:
            return
        message = Message(
            path=path,
            interface=interface,
            member=member,
            message_type=MessageType.SIGNAL,
            signature=signature,
            body=body,
        )
        self.send_all(wanted, self.marshal(message))

    def listeners(self, path: str, interface: str, member: str, arg0: str) -> list[Connection]:
        """Return the clients that asked for such a signal."""
        return [one for one in self.connections if one.wants(path, interface, member, arg0)]

    def send_all(self, wanted: Iterable[Connection], data: bytes | bytearray) -> None:
        """Send the same bytes to several clients."""
        for connection in wanted:
            connection.send(data)

    async def drained(self) -> None:
        """Wait until everything queued has been written, or its reader was put out."""
        while any(connection.queued_bytes for connection in self.connections):
            await asyncio.sleep(0.002)
            self.sweep()

    def sweep(self) -> None:
        """Put out the clients that have stalled."""
        for connection in list(self.connections):
            connection.close_if_stalled()

    def left(self, connection: Connection) -> None:
        """Forget a client."""
        self.connections.remove(connection)
        self._service.gone(connection)

    def route(self, connection: Connection, message: Message) -> None:
        """Hand a method call to whom it is for."""
        if message.destination == BUS_NAME:
            self._own(connection, message)
        else:
            self._service.handle(connection, message)

    def _accept(self, listener: socket.socket) -> None:
        try:
            sock, _ = listener.accept()
        except BlockingIOError:
            return
        sock.setblocking(False)
        self._clients += 1
        self.connections.append(Connection(self, sock, f":1.{self._clients}"))

    def _own(self, connection: Connection, call: Message) -> None:
        if call.member == "Hello":
            connection.reply(call, "s", [connection.name])
        elif call.member == "AddMatch":
            try:
                connection.rules[call.body[0]] = MatchRule(call.body[0])
            except ValueError as error:
                connection.fail(call, "org.freedesktop.DBus.Error.MatchRuleInvalid", str(error))
            else:
                connection.reply(call)
        elif call.member == "RemoveMatch":
            connection.rules.pop(call.body[0], None)
            connection.reply(call)
        elif call.member in ("GetNameOwner", "NameHasOwner"):
            known = call.body == ["org.bluez"]
            if call.member == "NameHasOwner":
                connection.reply(call, "b", [known])
            elif known:
                connection.reply(call, "s", [":1.0"])
            else:
                connection.fail(call, "org.freedesktop.DBus.Error.NameHasNoOwner", "The name has no owner")
        else:
            connection.fail(call, UNKNOWN_METHOD, f"This bus does not know {call.member}")
