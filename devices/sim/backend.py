"""The simulated wearables behind bleak's `backend=` hook: no bus, no radio, any operating system.

`sim_radio` makes a scanner and a client class that know exactly the wearables given to it; there is no registry.
The wearable's stream is pumped in the event loop that holds the client. Errors are those that bleak raises elsewhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

from bleak.args import SizedBuffer
from bleak.assigned_numbers import CharacteristicPropertyName
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient, NotifyCallback
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, AdvertisementDataCallback, BaseBleakScanner
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakDeviceNotFoundError,
    BleakError,
    BleakGATTProtocolError,
    BleakGATTProtocolErrorCode,
)

from devices.errors import Refused
from devices.radio import Radio
from devices.sim.gatt import AttError, Notifications
from devices.sim.wearable import SimWearable

_LOG = logging.getLogger(__name__)

ADVERTISING_S = 0.1
# Often enough that a frame waits no longer than one interval at 60 Hz, rarely enough to cost next to nothing.
PUMP_S = 0.01
# What one turn of the pump may deliver before others get the loop.
ROOM_FRAMES = 256
# A link of Bluetooth 4.2 with data length extension. Source: BlueZ's usual exchange.
MTU_BYTES = 247


class SimAdapter:
    """This machine's Bluetooth. `power` may be called from any thread; off ends every link and every search."""

    def __init__(self, wearables: Sequence[SimWearable] = ()) -> None:
        self.wearables = tuple(wearables)
        self.powered = True

    def power(self, on: bool) -> None:
        """Switch it."""
        self.powered = on
        if not on:
            for wearable in self.wearables:
                wearable.drop_link()

    def check(self) -> None:
        """Raise BleakBluetoothNotAvailableError while it is off."""
        if not self.powered:
            raise BleakBluetoothNotAvailableError(
                "The Bluetooth adapter is switched off.", BleakBluetoothNotAvailableReason.POWERED_OFF
            )


class _Scanner(BaseBleakScanner):
    adapter = SimAdapter()

    def __init__(
        self,
        detection_callback: AdvertisementDataCallback | None,
        service_uuids: list[str] | None,
        scanning_mode: str = "active",
        **kwargs: Any,
    ) -> None:
        super().__init__(detection_callback, service_uuids)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self.adapter.check()
        self.seen_devices = {}
        self._task = asyncio.create_task(self._listen())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _listen(self) -> None:
        while True:
            for wearable in self.adapter.wearables if self.adapter.powered else ():
                self._hear(wearable)
            await asyncio.sleep(ADVERTISING_S)

    def _hear(self, wearable: SimWearable) -> None:
        seen = wearable.advertisement()
        if seen is None or not self.is_allowed_uuid(list(seen.service_uuids)):
            return
        data = AdvertisementData(
            local_name=seen.name,
            manufacturer_data=dict(seen.manufacturer_data),
            service_data={},
            service_uuids=list(seen.service_uuids),
            tx_power=None,
            rssi=seen.rssi_dbm,
            platform_data=(),
        )
        device = self.create_or_update_device(seen.address, seen.address, seen.name, None, data)
        self.call_detection_callbacks(device, data)


class _Client(BaseBleakClient):
    adapter = SimAdapter()

    def __init__(
        self,
        address_or_ble_device: BLEDevice | str,
        services: set[str] | None = None,
        *,
        disconnected_callback: Callable[[], None] | None = None,
        timeout: float = 30.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(address_or_ble_device, disconnected_callback=disconnected_callback, timeout=timeout)
        self._requested = services
        self._wearable = next((one for one in self.adapter.wearables if one.address == self.address), None)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._callbacks: dict[str, NotifyCallback] = {}
        self._pump: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        return "" if self._wearable is None else self._wearable.name

    @property
    def mtu_size(self) -> int:
        return MTU_BYTES

    @property
    def is_connected(self) -> bool:
        return self.services is not None

    async def connect(self, pair: bool, **kwargs: Any) -> None:
        if self.is_connected:
            raise BleakError("Client is already connected")
        self.adapter.check()
        self._loop = asyncio.get_running_loop()
        wearable = self._wearable
        if wearable is None:
            raise BleakDeviceNotFoundError(self.address, f"Device with address {self.address} was not found.")
        async with asyncio.timeout(kwargs.get("timeout", self._timeout)):
            delay_s = wearable.answer_connect()
            if delay_s is None:
                raise BleakError(f"The simulated wearable {self.address} refused the connection.")
            await asyncio.sleep(delay_s)
            # A wearable out of reach answers nothing: the caller's time runs out.
            while wearable.advertisement() is None:
                await asyncio.sleep(ADVERTISING_S)
            self.adapter.check()
        try:
            wearable.open_link(self._on_loss_from_any_thread)
        except Refused as error:
            raise BleakError(str(error)) from error
        self.services = _service_collection(wearable, self._requested)
        self._pump = asyncio.create_task(self._run_pump(wearable))
        if pair:
            try:
                await self.pair()
            except BleakError:
                await self.disconnect()
                raise

    async def disconnect(self) -> None:
        if not self.is_connected:
            return
        self._link().close_link()
        self._down()

    async def pair(self, *args: Any, **kwargs: Any) -> None:
        """Pair with the linked wearable. Raises BleakError if it refuses."""
        wearable = await self._answering()
        if not wearable.reach.bonded and not wearable.pair():
            raise BleakError(f"The simulated wearable {self.address} refused the pairing: Authentication Failed")

    async def unpair(self) -> None:
        """Forget the bond, and end the link."""
        if self._wearable is not None:
            self._wearable.unpair()
        await self.disconnect()

    async def read_gatt_char(
        self, characteristic: BleakGATTCharacteristic, *, use_cached: bool = False, **kwargs: Any
    ) -> bytearray:
        wearable = await self._answering()
        with _att_errors():
            return bytearray(wearable.read(characteristic.uuid))

    async def write_gatt_char(self, characteristic: BleakGATTCharacteristic, data: SizedBuffer, response: bool) -> None:
        wearable = await self._answering()
        try:
            with _att_errors():
                wearable.write(characteristic.uuid, bytes(data))
        except BleakGATTProtocolError:
            # A write command has no answer over the air, so its failure cannot be told.
            if response:
                raise
        # What was sent before the answer arrives before it, as over the air.
        self._pump_once(wearable)

    async def read_gatt_descriptor(
        self, descriptor: BleakGATTDescriptor, *, use_cached: bool = False, **kwargs: Any
    ) -> bytearray:
        raise BleakError("The simulated wearables show no descriptors.")

    async def write_gatt_descriptor(self, descriptor: BleakGATTDescriptor, data: SizedBuffer) -> None:
        raise BleakError("The simulated wearables show no descriptors.")

    async def start_notify(
        self, characteristic: BleakGATTCharacteristic, callback: NotifyCallback, **kwargs: Any
    ) -> None:
        # bleak also passes `cb=` (arguments for another platform), which is why this is named `callback`.
        wearable = await self._answering()
        self._callbacks[characteristic.uuid] = callback
        with _att_errors():
            wearable.subscribe(characteristic.uuid, True)

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        self._pump_once(self._link())
        with _att_errors():
            self._link().subscribe(characteristic.uuid, False)
        self._callbacks.pop(characteristic.uuid, None)

    def _link(self) -> SimWearable:
        if self._wearable is None or not self.is_connected:
            raise BleakError("Not connected")
        return self._wearable

    async def _answering(self) -> SimWearable:
        """Return the linked wearable once it is in reach: a request is not answered before, nor refused."""
        while not self._link().reachable:
            await asyncio.sleep(PUMP_S)
        return self._link()

    async def _run_pump(self, wearable: SimWearable) -> None:
        while self.is_connected:
            full = self._pump_once(wearable)
            await asyncio.sleep(0 if full else PUMP_S)

    def _pump_once(self, wearable: SimWearable) -> bool:
        """Deliver what is due; tell whether more may be waiting."""
        batch = wearable.take(ROOM_FRAMES)
        for part in batch:
            callback = self._callbacks.get(part.uuid)
            if callback is not None:
                _deliver(callback, part)
        return sum(len(part) for part in batch) >= ROOM_FRAMES

    def _on_loss_from_any_thread(self) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._down)

    def _down(self) -> None:
        """Clean up and tell, once, whichever side ended the link."""
        if not self.is_connected:
            return
        self.services = None
        self._callbacks.clear()
        if self._pump is not None:
            self._pump.cancel()
            self._pump = None
        if self._disconnected_callback is not None:
            self._disconnected_callback()


@contextlib.contextmanager
def _att_errors() -> Iterator[None]:
    """Turn the wearable's ATT answers into bleak's."""
    try:
        yield
    except AttError as error:
        raise BleakGATTProtocolError(BleakGATTProtocolErrorCode(int(error.code))) from error


def _deliver(callback: NotifyCallback, part: Notifications) -> None:
    for payload in part.payloads():
        try:
            callback(bytearray(payload))
        except Exception:  # noqa: BLE001 - as on BlueZ: a callback that raises is logged, the stream goes on
            _LOG.exception("A notification callback raised an error.")


def _service_collection(wearable: SimWearable, requested: set[str] | None) -> BleakGATTServiceCollection:
    services = BleakGATTServiceCollection()
    for row in wearable.table:
        if requested is not None and row.uuid not in requested:
            continue
        service = BleakGATTService(row, row.handle, row.uuid)
        services.add_service(service)
        for one in row.characteristics:
            words = cast("list[CharacteristicPropertyName]", list(one.properties))
            services.add_characteristic(
                BleakGATTCharacteristic(one, one.handle, one.uuid, words, lambda: MTU_BYTES - 3, service)
            )
    return services


def sim_radio(wearables: Sequence[SimWearable], adapter: SimAdapter | None = None) -> Radio:
    """Return a radio on which exactly these wearables are in reach; `adapter` lets a test switch it off."""
    adapter = adapter or SimAdapter()
    adapter.wearables = tuple(wearables)
    for one in wearables:
        one.meet(adapter.wearables)
    return Radio(
        scanner_backend=type("SimScanner", (_Scanner,), {"adapter": adapter}),
        client_backend=type("SimClient", (_Client,), {"adapter": adapter}),
    )
