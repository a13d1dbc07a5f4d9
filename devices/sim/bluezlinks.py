"""The simulated daemon's links and bonds: Connect, Disconnect, Pair, CancelPairing, Trusted, RemoveDevice.

Source of calls and error names: the daemon's D-Bus documentation (org.bluez.Device, .Adapter) and its src/error.c.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from dbus_fast import Message, Variant

from devices.errors import Refused
from devices.sim.bluezobjects import DEVICE, Properties, SeenDevice
from devices.sim.minibus import Connection, MiniBus
from devices.sim.reach import Elsewhere

FAILED = "org.bluez.Error.Failed"
NOT_READY = ("org.bluez.Error.NotReady", "Resource Not Ready")
_IN_PROGRESS = ("org.bluez.Error.InProgress", "Operation already in progress")
_DOES_NOT_EXIST = ("org.bluez.Error.DoesNotExist", "Does Not Exist")
_ALREADY_EXISTS = ("org.bluez.Error.AlreadyExists", "Already Exists")
_PAIRING_FAILED = ("org.bluez.Error.AuthenticationFailed", "Authentication Failed")
_PAIRING_CANCELED = ("org.bluez.Error.AuthenticationCanceled", "Authentication Canceled")
_CANCELED = (FAILED, "br-connection-canceled")
# What a wearable that another central holds does to a newcomer.
_ABORTED = (FAILED, "le-connection-abort-by-remote")
# How often the daemon looks for a wearable it wants to connect to.
_LOOK_S = 0.1
# The reply to Connect goes one way and the news of it another: without this the reply can be there first.
SETTLE_S = 0.02


class Daemon(Protocol):
    """What links and attributes need of the daemon."""

    bus: MiniBus
    devices: dict[str, SeenDevice]
    powered: bool

    def known(self, connection: Connection, call: Message) -> SeenDevice | None: ...

    def changed(self, device: SeenDevice, news: Properties) -> None: ...

    def added(self, path: str, interfaces: dict[str, Properties]) -> None: ...

    def removed(self, path: str, *interfaces: str) -> None: ...

    def pump(self, device: SeenDevice) -> bool: ...

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]: ...


class Links:
    """Answers the calls on devices."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon

    def connect(self, connection: Connection, call: Message) -> None:
        """Answer Connect: at once for a refusal, later for the rest."""
        device = self._ready(connection, call)
        if device is None:
            return
        if device.connecting is not None:
            connection.fail(call, *_IN_PROGRESS)
        elif device.connected:
            connection.reply(call)
        else:
            self._dial(device, connection, call, pairs=False)

    def pair(self, connection: Connection, call: Message) -> None:
        """Answer Pair, which connects first where there is no link."""
        device = self._ready(connection, call)
        if device is None:
            return
        if device.properties["Paired"].value:
            connection.fail(call, *_ALREADY_EXISTS)
        elif device.connecting is not None:
            connection.fail(call, *_IN_PROGRESS)
        elif not device.connected:
            self._dial(device, connection, call, pairs=True)
        elif self._bond(device):
            connection.reply(call)
        else:
            connection.fail(call, *_PAIRING_FAILED)

    def cancel_pairing(self, connection: Connection, call: Message) -> None:
        """Answer CancelPairing: give up the Pair that waits for its link."""
        device = self._daemon.known(connection, call)
        if device is None:
            return
        if device.connect_call is None or device.connect_call[1].member != "Pair":
            connection.fail(call, *_DOES_NOT_EXIST)
            return
        self.cancel(device, _PAIRING_CANCELED)
        connection.reply(call)

    def disconnect(self, connection: Connection, call: Message) -> None:
        """Answer Disconnect; a Connect that waits is given up."""
        device = self._daemon.known(connection, call)
        if device is None:
            return
        self.cancel(device)
        self.down(device)
        connection.reply(call)

    def remove(self, connection: Connection, call: Message) -> None:
        """Answer RemoveDevice: end the link, forget the bond and the device."""
        device = self._daemon.devices.get(call.body[0])
        if device is None or not device.properties:
            connection.fail(call, *_DOES_NOT_EXIST)
            return
        self.cancel(device)
        self.down(device)
        device.wearable.unpair()
        device.properties = {}
        self._daemon.removed(device.path, DEVICE)
        connection.reply(call)

    def set_property(self, connection: Connection, call: Message) -> None:
        """Answer Properties.Set of a device: Trusted is kept and told."""
        device = self._daemon.known(connection, call)
        if device is None:
            return
        if call.body[1] == "Trusted":
            self._daemon.changed(device, {"Trusted": Variant("b", bool(call.body[2].value))})
        connection.reply(call)

    def cancel(self, device: SeenDevice, why: tuple[str, str] = _CANCELED) -> None:
        """Give up a connect that waits."""
        if device.connecting is None or device.connect_call is None:
            return
        device.connecting.cancel()
        connection, call = device.connect_call
        device.connecting = device.connect_call = None
        connection.fail(call, *why)

    def down(self, device: SeenDevice) -> None:
        """Show that the link is gone, whoever ended it."""
        if not device.connected:
            return
        device.wearable.close_link()
        objects = list(device.gatt_objects().items())
        device.forget_link()
        for path, interfaces in reversed(objects):
            self._daemon.removed(path, *interfaces)
        self._daemon.changed(device, {"ServicesResolved": Variant("b", False), "Connected": Variant("b", False)})

    def _ready(self, connection: Connection, call: Message) -> SeenDevice | None:
        device = self._daemon.known(connection, call)
        if device is not None and not self._daemon.powered:
            connection.fail(call, *NOT_READY)
            return None
        return device

    def _dial(self, device: SeenDevice, connection: Connection, call: Message, pairs: bool) -> None:
        delay_s = device.wearable.answer_connect()
        if delay_s is None:
            elsewhere = device.wearable.reach.elsewhere != Elsewhere.NO
            connection.fail(call, *(_ABORTED if elsewhere else _CANCELED))
            return
        device.connect_call = (connection, call)
        device.connecting = self._daemon.spawn(self._bring_up(device, connection, call, delay_s, pairs))

    async def _bring_up(
        self, device: SeenDevice, connection: Connection, call: Message, delay_s: float, pairs: bool
    ) -> None:
        await asyncio.sleep(delay_s)
        # A wearable out of reach answers nothing: the caller gives up and cancels.
        while device.wearable.advertisement() is None:
            await asyncio.sleep(_LOOK_S)
        loop = asyncio.get_running_loop()
        try:
            device.wearable.open_link(lambda: _call_soon(loop, self.down, device))
        except Refused:
            device.connecting = device.connect_call = None
            connection.fail(call, *_CANCELED)
            return
        self._up(device, connection)
        await self._daemon.bus.drained()
        await asyncio.sleep(SETTLE_S)
        device.connecting = device.connect_call = None
        if not device.connected:
            connection.fail(call, *_CANCELED)
        elif pairs and not self._bond(device):
            self.down(device)
            connection.fail(call, *_PAIRING_FAILED)
        else:
            connection.reply(call)

    def _bond(self, device: SeenDevice) -> bool:
        agreed = device.wearable.pair()
        if agreed:
            self._daemon.changed(device, {"Paired": Variant("b", True), "Bonded": Variant("b", True)})
        return agreed

    def _up(self, device: SeenDevice, owner: Connection) -> None:
        device.owner = owner
        self._daemon.changed(device, {"Connected": Variant("b", True)})
        device.uuids = device.characteristics()
        device.paths = {uuid: path for path, uuid in device.uuids.items()}
        for path, interfaces in device.gatt_objects().items():
            self._daemon.added(path, interfaces)
        uuids = [service.uuid for service in device.wearable.table]
        self._daemon.changed(device, {"UUIDs": Variant("as", uuids), "ServicesResolved": Variant("b", True)})


def _call_soon(loop: asyncio.AbstractEventLoop, work: Callable[[SeenDevice], None], device: SeenDevice) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(work, device)
