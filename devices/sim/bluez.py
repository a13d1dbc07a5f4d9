"""The simulated wearables as the objects of a Bluetooth daemon: adapter, devices, services, characteristics.

It shows what bleak's BlueZ backend looks at and answers what it calls. Source: the daemon's D-Bus documentation
(org.bluez.Adapter, .Device, .GattService, .GattCharacteristic) and bleak 3.1's use of it. What is asked of devices is
in bluezlinks.py, of characteristics in bluezattributes.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from dbus_fast import Message, Variant

from devices.sim.bluezattributes import UNKNOWN_OBJECT, Attributes
from devices.sim.bluezlinks import FAILED, NOT_READY, Links
from devices.sim.bluezobjects import ADAPTER_PATH, DEVICE, MTU_BYTES, Properties, SeenDevice, adapter_properties
from devices.sim.minibus import QUEUE_BYTES, UNKNOWN_METHOD, Connection, MiniBus
from devices.sim.valuesignal import CHARACTERISTIC, PROPERTIES, ValueSignals
from devices.sim.wearable import SimWearable
from devices.types import Advertisement

_ADAPTER = "org.bluez.Adapter1"
_OBJECTS = "org.freedesktop.DBus.ObjectManager"
_ADVERTISING_S = 0.1
_PUMP_S = 0.01
_ROOM_FRAMES = 256
# A notification of the largest size with the message around it.
_MESSAGE_BYTES = MTU_BYTES + 256


class BlueZ:
    """The daemon. Lives in one event loop; `start` and `close` and every call belong to it."""

    def __init__(self, wearables: Sequence[SimWearable], keep_links: bool) -> None:
        self.bus = MiniBus(self)
        self.devices = {device.path: device for device in map(SeenDevice, wearables)}
        self.powered = True
        self._dead = False
        self._keep_links = keep_links
        self._searching: set[Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._links, self._attributes = Links(self), Attributes(self)
        self._calls: dict[tuple[str, str], Callable[[Connection, Message], None]] = {
            (_OBJECTS, "GetManagedObjects"): lambda who, call: who.reply(call, "a{oa{sa{sv}}}", [self._all_objects()]),
            (_ADAPTER, "SetDiscoveryFilter"): lambda who, call: who.reply(call),
            (_ADAPTER, "StartDiscovery"): self._start_discovery,
            (_ADAPTER, "StopDiscovery"): self._stop_discovery,
            (_ADAPTER, "RemoveDevice"): self._links.remove,
            (DEVICE, "Connect"): self._links.connect,
            (DEVICE, "Disconnect"): self._links.disconnect,
            (DEVICE, "Pair"): self._links.pair,
            (DEVICE, "CancelPairing"): self._links.cancel_pairing,
            (PROPERTIES, "Set"): self._links.set_property,
            (CHARACTERISTIC, "ReadValue"): self._attributes.read,
            (CHARACTERISTIC, "WriteValue"): self._attributes.write,
            (CHARACTERISTIC, "StartNotify"): self._attributes.start_notify,
            (CHARACTERISTIC, "StopNotify"): self._attributes.stop_notify,
        }

    def start(self, path: str) -> None:
        """Take clients on a unix socket at `path`, advertise and pump. Raises OSError."""
        self.bus.listen(path)
        self.spawn(self._advertise())
        self.spawn(self._pump())

    def close(self) -> None:
        """Cut every client, stop, and let every wearable go."""
        self.bus.close()
        for task in list(self._tasks):
            task.cancel()
        for device in self.devices.values():
            if device.connected:
                device.wearable.close_link()

    def die(self) -> None:
        """Crash: nothing is answered or told any more, while the bus lives and the links stand."""
        self._dead = True

    def revive(self) -> None:
        """Come back as a new process: it knows no search, no device and no link, and the wearables are free."""
        for device in self.devices.values():
            if device.connecting is not None:
                device.connecting.cancel()
            if device.connected:
                device.wearable.close_link()
            device.forget_link()
            device.connecting = device.connect_call = None
            device.properties = {}
        self._searching.clear()
        self._dead = False

    def power(self, on: bool) -> None:
        """Switch the adapter; off ends every search and every link."""
        if on == self.powered:
            return
        self.powered = on
        if not on:
            self._searching.clear()
            for device in self.devices.values():
                self._links.cancel(device)
                self._links.down(device)
        news = {"Powered": Variant("b", on), "Discovering": Variant("b", bool(self._searching))}
        self.bus.emit(ADAPTER_PATH, PROPERTIES, "PropertiesChanged", "sa{sv}as", [_ADAPTER, news, []])

    def handle(self, connection: Connection, message: Message) -> None:
        """Answer a method call."""
        if self._dead or message.destination != "org.bluez":
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
        for device in self.devices.values():
            for path in list(device.listeners):
                self._attributes.unsubscribe(device, path, connection)
            if device.connect_call is not None and device.connect_call[0] is connection:
                self._links.cancel(device)
            if device.owner is connection and device.connected and not self._keep_links:
                self._links.down(device)

    # Advertising

    async def _advertise(self) -> None:
        while True:
            if self._searching and not self._dead:
                for device in self.devices.values():
                    seen = device.wearable.advertisement()
                    if seen is not None and not device.connected:
                        self._see(device, seen)
            self.bus.sweep()
            await asyncio.sleep(_ADVERTISING_S)

    def _see(self, device: SeenDevice, seen: Advertisement) -> None:
        if device.properties:
            heard = device.advertised(seen)
            self.changed(device, {k: v for k, v in heard.items() if k == "RSSI" or device.properties.get(k) != v})
        else:
            device.properties = device.first_seen(seen)
            self.added(device.path, {DEVICE: device.properties})

    def _start_discovery(self, connection: Connection, call: Message) -> None:
        if not self.powered:
            connection.fail(call, *NOT_READY)
            return
        self._searching.add(connection)
        connection.reply(call)

    def _stop_discovery(self, connection: Connection, call: Message) -> None:
        if not self.powered:
            connection.fail(call, *NOT_READY)
        elif connection not in self._searching:
            connection.fail(call, FAILED, "No discovery started")
        else:
            self._searching.discard(connection)
            connection.reply(call)

    # Notifications

    async def _pump(self) -> None:
        while True:
            busy = False
            for device in self.devices.values():
                if device.connected and not self._dead:
                    busy |= self.pump(device)
            await asyncio.sleep(0 if busy else _PUMP_S)

    def pump(self, device: SeenDevice) -> bool:
        """Send what is due as far as every listener has room; tell whether more may be waiting."""
        bus = self.bus
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

    def known(self, connection: Connection, call: Message) -> SeenDevice | None:
        """Return the device that a call is for; None, and the call answered, where there is none."""
        device = self.devices.get(call.path or "")
        if device is None or not device.properties:
            connection.fail(call, UNKNOWN_OBJECT, f"There is no object {call.path}")
            return None
        return device

    def changed(self, device: SeenDevice, news: Properties) -> None:
        """Keep and tell new properties of a device."""
        device.properties.update(news)
        self.bus.emit(device.path, PROPERTIES, "PropertiesChanged", "sa{sv}as", [DEVICE, news, []])

    def added(self, path: str, interfaces: dict[str, Properties]) -> None:
        """Tell of a new object."""
        self.bus.emit("/", _OBJECTS, "InterfacesAdded", "oa{sa{sv}}", [path, interfaces])

    def removed(self, path: str, *interfaces: str) -> None:
        """Tell that an object is gone."""
        self.bus.emit("/", _OBJECTS, "InterfacesRemoved", "oas", [path, list(interfaces)])

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something beside; it is cancelled with the daemon."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _all_objects(self) -> dict[str, dict[str, Properties]]:
        objects = {ADAPTER_PATH: {_ADAPTER: adapter_properties(self.powered, bool(self._searching))}}
        for device in self.devices.values():
            if device.properties:
                objects[device.path] = {DEVICE: device.properties}
            if device.connected:
                objects.update(device.gatt_objects())
        return objects
