"""The simulated wearables as the objects of a Bluetooth daemon: adapter, devices, services, characteristics.

It shows what bleak's BlueZ backend looks at and answers what it calls. Source: the daemon's D-Bus documentation
(org.bluez.Adapter, .Device, .GattService, .GattCharacteristic) and bleak 3.1's use of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from dbus_fast import Message, Variant

from devices.errors import Refused
from devices.sim.bluezobjects import ADAPTER_PATH, MTU_BYTES, Properties, SeenDevice, adapter_properties
from devices.sim.gatt import AttCode, AttError
from devices.sim.minibus import QUEUE_BYTES, UNKNOWN_METHOD, Connection, MiniBus
from devices.sim.valuesignal import CHARACTERISTIC, PROPERTIES, ValueSignals
from devices.sim.wearable import SimWearable
from devices.types import Advertisement

_ADAPTER, _DEVICE = "org.bluez.Adapter1", "org.bluez.Device1"
_OBJECTS = "org.freedesktop.DBus.ObjectManager"
_FAILED, _IN_PROGRESS = "org.bluez.Error.Failed", "org.bluez.Error.InProgress"
_UNKNOWN_OBJECT = "org.freedesktop.DBus.Error.UnknownObject"
_CANCELED = "br-connection-canceled"
_ADVERTISING_S = 0.1
_PUMP_S = 0.01
# The reply to Connect goes one way and the news of it another: without this the reply can be there first.
_SETTLE_S = 0.02
_ROOM_FRAMES = 256
# A notification of the largest size with the message around it.
_MESSAGE_BYTES = MTU_BYTES + 256

_ATT_ERRORS = {
    AttCode.INSUFFICIENT_AUTHENTICATION: ("org.bluez.Error.NotPermitted", "Not paired"),
    AttCode.READ_NOT_PERMITTED: ("org.bluez.Error.NotPermitted", "Read not permitted"),
    AttCode.WRITE_NOT_PERMITTED: ("org.bluez.Error.NotPermitted", "Write not permitted"),
    AttCode.REQUEST_NOT_SUPPORTED: ("org.bluez.Error.NotSupported", "Operation is not supported"),
    AttCode.INVALID_LENGTH: ("org.bluez.Error.InvalidArguments", "Invalid Length"),
}


class BlueZ:
    """The daemon. Lives in one event loop; `start` and `close` and every call belong to it."""

    def __init__(self, wearables: Sequence[SimWearable], keep_links: bool) -> None:
        self.dead = False
        self._bus = MiniBus(self)
        self._keep_links = keep_links
        self._devices = {device.path: device for device in map(SeenDevice, wearables)}
        self._searching: set[Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._calls: dict[tuple[str, str], Callable[[Connection, Message], None]] = {
            (_OBJECTS, "GetManagedObjects"): lambda who, call: who.reply(call, "a{oa{sa{sv}}}", [self._all_objects()]),
            (_ADAPTER, "SetDiscoveryFilter"): lambda who, call: who.reply(call),
            (_ADAPTER, "StartDiscovery"): self._start_discovery,
            (_ADAPTER, "StopDiscovery"): self._stop_discovery,
            (_ADAPTER, "RemoveDevice"): self._remove_device,
            (_DEVICE, "Connect"): self._connect,
            (_DEVICE, "Disconnect"): self._disconnect,
            (_DEVICE, "Pair"): self._pair,
            (PROPERTIES, "Set"): lambda who, call: who.reply(call),
            (CHARACTERISTIC, "ReadValue"): self._read,
            (CHARACTERISTIC, "WriteValue"): self._write,
            (CHARACTERISTIC, "StartNotify"): self._start_notify,
            (CHARACTERISTIC, "StopNotify"): self._stop_notify,
        }

    def start(self, path: str) -> None:
        """Take clients on a unix socket at `path`, advertise and pump. Raises OSError."""
        self._bus.listen(path)
        self._spawn(self._advertise())
        self._spawn(self._pump())

    def close(self) -> None:
        """Cut every client, stop, and let every wearable go."""
        self._bus.close()
        for task in list(self._tasks):
            task.cancel()
        for device in self._devices.values():
            if device.connected:
                device.wearable.close_link()

    def handle(self, connection: Connection, message: Message) -> None:
        """Answer a method call."""
        if self.dead or message.destination != "org.bluez":
            text = f"The name {message.destination} was not provided by any .service files"
            connection.fail(message, "org.freedesktop.DBus.Error.ServiceUnknown", text)
            return
        answer = self._calls.get((message.interface or "", message.member or ""))
        if answer is None:
            connection.fail(message, UNKNOWN_METHOD, f"{message.interface}.{message.member} is not simulated")
        else:
            answer(connection, message)

    def gone(self, connection: Connection) -> None:
        """Release what a client held: its search, its subscriptions and, unless links are kept, its links."""
        self._searching.discard(connection)
        for device in self._devices.values():
            for path in list(device.listeners):
                self._unsubscribe(device, path, connection)
            if device.connect_call is not None and device.connect_call[0] is connection:
                self._cancel_connect(device)
            if device.owner is connection and device.connected and not self._keep_links:
                self._down(device)

    # Advertising and connecting

    async def _advertise(self) -> None:
        while True:
            if self._searching and not self.dead:
                for device in self._devices.values():
                    seen = device.wearable.advertisement()
                    if seen is not None and not device.connected:
                        self._see(device, seen)
            self._bus.sweep()
            await asyncio.sleep(_ADVERTISING_S)

    def _see(self, device: SeenDevice, seen: Advertisement) -> None:
        if device.properties:
            heard = device.advertised(seen)
            self._changed(device, {k: v for k, v in heard.items() if k == "RSSI" or device.properties.get(k) != v})
        else:
            device.properties = device.first_seen(seen)
            self._added(device.path, {_DEVICE: device.properties})

    def _start_discovery(self, connection: Connection, call: Message) -> None:
        self._searching.add(connection)
        connection.reply(call)

    def _stop_discovery(self, connection: Connection, call: Message) -> None:
        if connection not in self._searching:
            connection.fail(call, _FAILED, "No discovery started")
            return
        self._searching.discard(connection)
        connection.reply(call)

    def _remove_device(self, connection: Connection, call: Message) -> None:
        device = self._devices.get(call.body[0])
        if device is None or not device.properties:
            connection.fail(call, "org.bluez.Error.DoesNotExist", "Does Not Exist")
            return
        if device.connected:
            self._down(device)
        device.properties = {}
        self._removed(device.path, _DEVICE)
        connection.reply(call)

    def _connect(self, connection: Connection, call: Message) -> None:
        device = self._known(connection, call)
        if device is None:
            return
        if device.connecting is not None:
            connection.fail(call, _IN_PROGRESS, "Operation already in progress")
        elif device.connected:
            connection.reply(call)
        elif (delay_s := device.wearable.answer_connect()) is None:
            connection.fail(call, _FAILED, _CANCELED)
        else:
            device.connect_call = (connection, call)
            device.connecting = self._spawn(self._bring_up(device, connection, call, delay_s))

    async def _bring_up(self, device: SeenDevice, connection: Connection, call: Message, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        # A wearable out of reach answers nothing: the caller gives up and cancels.
        while device.wearable.advertisement() is None:
            await asyncio.sleep(_ADVERTISING_S)
        loop = asyncio.get_running_loop()
        try:
            device.wearable.open_link(lambda: _call_soon(loop, self._down, device))
        except Refused:
            device.connecting = device.connect_call = None
            connection.fail(call, _FAILED, _CANCELED)
            return
        self._up(device, connection)
        await self._bus.drained()
        await asyncio.sleep(_SETTLE_S)
        device.connecting = device.connect_call = None
        if device.connected:
            connection.reply(call)
        else:
            connection.fail(call, _FAILED, _CANCELED)

    def _up(self, device: SeenDevice, owner: Connection) -> None:
        device.owner = owner
        self._changed(device, {"Connected": Variant("b", True)})
        device.uuids = device.characteristics()
        device.paths = {uuid: path for path, uuid in device.uuids.items()}
        for path, interfaces in device.gatt_objects().items():
            self._added(path, interfaces)
        uuids = [service.uuid for service in device.wearable.table]
        self._changed(device, {"UUIDs": Variant("as", uuids), "ServicesResolved": Variant("b", True)})

    def _down(self, device: SeenDevice) -> None:
        """Show that the link is gone, whoever ended it."""
        if not device.connected:
            return
        device.wearable.close_link()
        objects = list(device.gatt_objects().items())
        device.uuids, device.paths, device.listeners, device.owner = {}, {}, {}, None
        for path, interfaces in reversed(objects):
            self._removed(path, *interfaces)
        self._changed(device, {"ServicesResolved": Variant("b", False), "Connected": Variant("b", False)})

    def _disconnect(self, connection: Connection, call: Message) -> None:
        device = self._known(connection, call)
        if device is None:
            return
        self._cancel_connect(device)
        self._down(device)
        connection.reply(call)

    def _cancel_connect(self, device: SeenDevice) -> None:
        if device.connecting is None or device.connect_call is None:
            return
        device.connecting.cancel()
        connection, call = device.connect_call
        device.connecting = device.connect_call = None
        connection.fail(call, _FAILED, _CANCELED)

    def _pair(self, connection: Connection, call: Message) -> None:
        device = self._known(connection, call)
        if device is not None:
            self._changed(device, {"Paired": Variant("b", True)})
            connection.reply(call)

    # Attributes

    def _read(self, connection: Connection, call: Message) -> None:
        found = self._attribute(connection, call)
        if found is None:
            return
        device, uuid = found
        try:
            value = device.wearable.read(uuid)
        except AttError as error:
            _fail_att(connection, call, error)
            return
        # The daemon also publishes what it read, which a listener cannot tell from a notification.
        self._bus.emit(
            call.path or "",
            PROPERTIES,
            "PropertiesChanged",
            "sa{sv}as",
            [CHARACTERISTIC, {"Value": Variant("ay", value)}, []],
        )
        connection.reply(call, "ay", [value])

    def _write(self, connection: Connection, call: Message) -> None:
        found = self._attribute(connection, call)
        if found is None:
            return
        device, uuid = found
        kind = call.body[1].get("type")
        try:
            device.wearable.write(uuid, bytes(call.body[0]))
        except AttError as error:
            # A write command has no answer over the air, so its failure cannot be told.
            if kind is None or kind.value != "command":
                _fail_att(connection, call, error)
                return
        connection.reply(call)

    def _start_notify(self, connection: Connection, call: Message) -> None:
        found = self._attribute(connection, call)
        if found is None:
            return
        device, uuid = found
        path = call.path or ""
        try:
            device.wearable.subscribe(uuid, True)
        except AttError as error:
            _fail_att(connection, call, error)
            return
        device.listeners.setdefault(path, set()).add(connection)
        connection.reply(call)

    def _stop_notify(self, connection: Connection, call: Message) -> None:
        found = self._attribute(connection, call)
        if found is None:
            return
        self._unsubscribe(found[0], call.path or "", connection)
        self._spawn(self._reply_when_drained(connection, call))

    async def _reply_when_drained(self, connection: Connection, call: Message) -> None:
        # bleak forgets its callback with the reply; what was sent before must be there first.
        await self._bus.drained()
        await asyncio.sleep(_SETTLE_S)
        connection.reply(call)

    def _unsubscribe(self, device: SeenDevice, path: str, connection: Connection) -> None:
        listeners = device.listeners.get(path)
        if listeners is None or connection not in listeners:
            return
        listeners.discard(connection)
        if not listeners:
            del device.listeners[path]
            if path in device.uuids:
                device.wearable.subscribe(device.uuids[path], False)

    async def _pump(self) -> None:
        while True:
            busy = False
            for device in self._devices.values():
                if device.connected and not self.dead:
                    busy |= self._pump_device(device)
            await asyncio.sleep(0 if busy else _PUMP_S)

    def _pump_device(self, device: SeenDevice) -> bool:
        """Send what is due as far as every listener has room; tell whether more may be waiting."""
        bus = self._bus
        listeners = bus.listeners(device.path + "/", PROPERTIES, "PropertiesChanged", CHARACTERISTIC)
        behind = max((one.queued_bytes for one in listeners), default=0)
        room = min(_ROOM_FRAMES, max(0, QUEUE_BYTES - behind) // _MESSAGE_BYTES)
        parts = device.wearable.take(room)
        for part in parts:
            path = device.paths.get(part.uuid)
            if path is not None and listeners:
                signals = device.signals.setdefault(path, ValueSignals(path))
                bus.send_all(listeners, signals.marshal(part, bus.serials(len(part))))
        return room > 0 and sum(len(part) for part in parts) >= room

    # The tree

    def _all_objects(self) -> dict[str, dict[str, Properties]]:
        objects = {ADAPTER_PATH: {_ADAPTER: adapter_properties(bool(self._searching))}}
        for device in self._devices.values():
            if device.properties:
                objects[device.path] = {_DEVICE: device.properties}
            if device.connected:
                objects.update(device.gatt_objects())
        return objects

    def _known(self, connection: Connection, call: Message) -> SeenDevice | None:
        device = self._devices.get(call.path or "")
        if device is None or not device.properties:
            connection.fail(call, _UNKNOWN_OBJECT, f"There is no object {call.path}")
            return None
        return device

    def _attribute(self, connection: Connection, call: Message) -> tuple[SeenDevice, str] | None:
        path = call.path or ""
        for device in self._devices.values():
            if path in device.uuids:
                return device, device.uuids[path]
        connection.fail(call, _UNKNOWN_OBJECT, f"There is no object {path}")
        return None

    def _changed(self, device: SeenDevice, news: Properties) -> None:
        device.properties.update(news)
        self._bus.emit(device.path, PROPERTIES, "PropertiesChanged", "sa{sv}as", [_DEVICE, news, []])

    def _added(self, path: str, interfaces: dict[str, Properties]) -> None:
        self._bus.emit("/", _OBJECTS, "InterfacesAdded", "oa{sa{sv}}", [path, interfaces])

    def _removed(self, path: str, *interfaces: str) -> None:
        self._bus.emit("/", _OBJECTS, "InterfacesRemoved", "oas", [path, list(interfaces)])

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _call_soon(loop: asyncio.AbstractEventLoop, work: Callable[[SeenDevice], None], device: SeenDevice) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(work, device)


def _fail_att(connection: Connection, call: Message, error: AttError) -> None:
    generic = (_FAILED, f"Operation failed with ATT error: 0x{int(error.code):02x}")
    connection.fail(call, *_ATT_ERRORS.get(error.code, generic))
