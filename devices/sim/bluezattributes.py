"""The simulated daemon's attributes: ReadValue, WriteValue, StartNotify, StopNotify.

A request to a wearable out of reach is not answered until it is back, or until the link is given up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from dbus_fast import Message, Variant

from devices.sim.bluezlinks import FAILED, SETTLE_S, Daemon
from devices.sim.bluezobjects import SeenDevice
from devices.sim.gatt import AttCode, AttError
from devices.sim.minibus import Connection
from devices.sim.valuesignal import CHARACTERISTIC, PROPERTIES

UNKNOWN_OBJECT = "org.freedesktop.DBus.Error.UnknownObject"
# Source: the daemon's src/gatt-client.c.
_ATT_ERRORS = {
    AttCode.INSUFFICIENT_AUTHENTICATION: ("org.bluez.Error.NotPermitted", "Not paired"),
    AttCode.READ_NOT_PERMITTED: ("org.bluez.Error.NotPermitted", "Read not permitted"),
    AttCode.WRITE_NOT_PERMITTED: ("org.bluez.Error.NotPermitted", "Write not permitted"),
    AttCode.REQUEST_NOT_SUPPORTED: ("org.bluez.Error.NotSupported", "Operation is not supported"),
    AttCode.INVALID_LENGTH: ("org.bluez.Error.InvalidArguments", "Invalid Length"),
}
_LOOK_S = 0.01
_LOST = (FAILED, "Not connected")

Request = Callable[[SeenDevice, str, Connection, Message], None]


class Attributes:
    """Answers the calls on characteristics."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon

    def read(self, connection: Connection, call: Message) -> None:
        """Answer ReadValue."""
        self._ask(self._read, connection, call)

    def write(self, connection: Connection, call: Message) -> None:
        """Answer WriteValue."""
        self._ask(self._write, connection, call)

    def start_notify(self, connection: Connection, call: Message) -> None:
        """Answer StartNotify."""
        self._ask(self._start_notify, connection, call)

    def stop_notify(self, connection: Connection, call: Message) -> None:
        """Answer StopNotify once what was sent before has arrived."""
        found = self._find(connection, call)
        if found is None:
            return
        self._daemon.pump(found[0])
        self.unsubscribe(found[0], call.path or "", connection)
        self._daemon.spawn(self._reply_when_drained(connection, call))

    def unsubscribe(self, device: SeenDevice, path: str, connection: Connection) -> None:
        """Forget one listener; the last one switches the notifications off."""
        listeners = device.listeners.get(path)
        if listeners is None or connection not in listeners:
            return
        listeners.discard(connection)
        if not listeners:
            del device.listeners[path]
            if path in device.uuids:
                device.wearable.subscribe(device.uuids[path], False)

    def _ask(self, request: Request, connection: Connection, call: Message) -> None:
        found = self._find(connection, call)
        if found is None:
            return
        if found[0].wearable.reachable:
            _answer(request, *found, connection, call)
        else:
            self._daemon.spawn(self._ask_later(request, *found, connection, call))

    async def _ask_later(
        self, request: Request, device: SeenDevice, uuid: str, connection: Connection, call: Message
    ) -> None:
        while device.connected and not device.wearable.reachable:
            await asyncio.sleep(_LOOK_S)
        if device.connected:
            _answer(request, device, uuid, connection, call)
        else:
            connection.fail(call, *_LOST)

    def _read(self, device: SeenDevice, uuid: str, connection: Connection, call: Message) -> None:
        value = device.wearable.read(uuid)
        # The daemon also publishes what it read, which a listener cannot tell from a notification.
        news = [CHARACTERISTIC, {"Value": Variant("ay", value)}, []]
        self._daemon.bus.emit(call.path or "", PROPERTIES, "PropertiesChanged", "sa{sv}as", news)
        connection.reply(call, "ay", [value])

    def _write(self, device: SeenDevice, uuid: str, connection: Connection, call: Message) -> None:
        kind = call.body[1].get("type")
        try:
            device.wearable.write(uuid, bytes(call.body[0]))
        except AttError:
            # A write command has no answer over the air, so its failure cannot be told.
            if kind is None or kind.value != "command":
                raise
        # What was sent before the answer arrives before it, as over the air.
        self._daemon.pump(device)
        connection.reply(call)

    def _start_notify(self, device: SeenDevice, uuid: str, connection: Connection, call: Message) -> None:
        device.wearable.subscribe(uuid, True)
        device.listeners.setdefault(call.path or "", set()).add(connection)
        connection.reply(call)

    async def _reply_when_drained(self, connection: Connection, call: Message) -> None:
        # bleak forgets its callback with the reply; what was sent before must be there first.
        await self._daemon.bus.drained()
        await asyncio.sleep(SETTLE_S)
        connection.reply(call)

    def _find(self, connection: Connection, call: Message) -> tuple[SeenDevice, str] | None:
        path = call.path or ""
        for device in self._daemon.devices.values():
            if path in device.uuids:
                return device, device.uuids[path]
        connection.fail(call, UNKNOWN_OBJECT, f"There is no object {path}")
        return None


def _answer(request: Request, device: SeenDevice, uuid: str, connection: Connection, call: Message) -> None:
    try:
        request(device, uuid, connection, call)
    except AttError as error:
        generic = (FAILED, f"Operation failed with ATT error: 0x{int(error.code):02x}")
        connection.fail(call, *_ATT_ERRORS.get(error.code, generic))
