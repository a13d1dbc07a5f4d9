"""One radio, several links: one scan that all share, and one connect at a time, which nobody holds for long."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bleak import BleakAdapter, BleakClient, BleakScanner
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from devices.errors import NoRadio, NotFound
from devices.finishing import finish
from devices.radio import Radio
from devices.radio_errors import FOREIGN, no_radio
from devices.types import Advertisement

_LOG = logging.getLogger(__name__)
# Starting or stopping a scan is one answer of the Bluetooth service; without one in this time it is dead.
_ANSWER_S = 10.0
# A scan outlives the restart of the service that ran it and hears nothing more. One that has heard nobody at all for
# this long is begun anew, which also tells whether the service is there (own heuristic).
_DEAF_S = 2.0
# Where no scan could be started, the radio is not asked again for this long, however many links want to know: each
# question is a connection to the Bluetooth service (own heuristic).
_GONE_S = 1.0
# A connect that takes longer makes room for another that waits: a wearable that does not answer shall not keep those
# away that do (own heuristic; a connect to a wearable in reach takes well under a second).
_FAIR_S = 1.5
_LOOK_S = 0.1
# A backend keeps the time of a connect by itself; the outer limit is for one that does not.
_LATE_S = 3.0

_Heard = Callable[[BLEDevice, AdvertisementData], None]


@dataclass(frozen=True, slots=True)
class Found:
    """A wearable fresh from the air. rssi_dbm is None if it was found connected already; name may be empty."""

    device: BLEDevice
    rssi_dbm: int | None
    name: str = ""


class GaveWay(Exception):
    """A connect that took its time was ended for another one that waits; it may be tried again at once."""


class Airtime:
    """The shared use of one radio by the links of a hub. Lives on the hub's loop."""

    def __init__(self, radio: Radio) -> None:
        self.radio = radio
        # Several connects at once make BlueZ fail now and then; one after the other they succeed.
        self._connecting = asyncio.Lock()
        self._wanting = 0
        self._switching = asyncio.Lock()
        self._scanner: BleakScanner | None = None
        self._heard_s = 0.0
        self._listeners: set[_Heard] = set()
        self._gone_until_s = 0.0
        self._gone = ""

    async def find(self, address: str, service_uuids: tuple[str, ...], timeout_s: float) -> Found:
        """Return the wearable as heard now, or as the system holds it. Raises NotFound after `timeout_s`, NoRadio.

        A program that was killed leaves its wearable connected, and then it advertises to nobody; those that have one
        of `service_uuids` are looked through first.
        """
        held = await self._connected(address, service_uuids)
        if held is not None:
            return Found(held, None, held.name or "")
        found = await self._next_heard(address, 0.0, timeout_s)
        if found is None:
            raise NotFound(
                f"Wearable {address} was not heard within {timeout_s:g} s: switch it on, bring it closer, and close "
                "other apps that use it."
            )
        return found

    async def rest(self, address: str, least_s: float, most_s: float) -> bool:
        """Wait `most_s`, or until the wearable advertises after `least_s`; tell whether it did. Raises NoRadio."""
        return await self._next_heard(address, least_s, most_s) is not None

    async def connect(self, client: BleakClient, timeout_s: float) -> None:
        """Connect, one client at a time. Raises what bleak raises, TimeoutError, and GaveWay."""
        self._wanting += 1
        try:
            await self._connecting.acquire()
        finally:
            self._wanting -= 1
        attempt = asyncio.ensure_future(client.connect())
        try:
            begun_s = time.monotonic()
            while not attempt.done():
                await asyncio.wait((attempt,), timeout=_LOOK_S)
                passed_s = time.monotonic() - begun_s
                if attempt.done():
                    break
                if passed_s > timeout_s + _LATE_S:
                    raise TimeoutError
                if self._wanting and passed_s > _FAIR_S:
                    raise GaveWay
            await attempt
        finally:
            await finish(_ended(attempt))
            self._connecting.release()

    async def collect(self, duration_s: float) -> list[Advertisement]:
        """Return the newest advertisement of each device heard within `duration_s`, strongest first. Raises NoRadio."""
        heard: dict[str, Advertisement] = {}

        def listen(device: BLEDevice, data: AdvertisementData) -> None:
            name = data.local_name or device.name or ""
            heard[device.address] = Advertisement(
                device.address, name, tuple(data.service_uuids), dict(data.manufacturer_data), data.rssi
            )

        async with self._listening(listen):
            await asyncio.sleep(duration_s)
        return sorted(heard.values(), key=lambda one: -one.rssi_dbm)

    @asynccontextmanager
    async def borrowed(
        self, address: str, service_uuids: tuple[str, ...], timeout_s: float
    ) -> AsyncIterator[BleakClient]:
        """Find and connect a wearable that no link holds, for a few questions. Raises NotFound, NoRadio, FOREIGN."""
        found = await self.find(address, service_uuids, timeout_s)
        client = BleakClient(found.device, timeout=timeout_s, backend=self.radio.client_backend)
        try:
            while not client.is_connected:
                with contextlib.suppress(GaveWay):
                    await self.connect(client, timeout_s)
            yield client
        finally:
            await finish(client.disconnect())

    async def _next_heard(self, address: str, least_s: float, most_s: float) -> Found | None:
        """Return the first that is heard of a wearable after `least_s` from now, None after `most_s`."""
        heard: asyncio.Future[Found] = asyncio.get_running_loop().create_future()
        begun_s = time.monotonic()

        def listen(device: BLEDevice, data: AdvertisementData) -> None:
            if device.address.upper() != address.upper() or heard.done():
                return
            if time.monotonic() - begun_s >= least_s:
                heard.set_result(Found(device, data.rssi, data.local_name or device.name or ""))

        async with self._listening(listen):
            while (left_s := begun_s + most_s - time.monotonic()) > 0:
                await asyncio.wait((heard,), timeout=min(left_s, _DEAF_S))
                if heard.done():
                    return heard.result()
                await self._renew_if_deaf()
        return None

    @asynccontextmanager
    async def _listening(self, listener: _Heard) -> AsyncIterator[None]:
        async with self._switching:
            if self._scanner is None:
                self._scanner, self._heard_s = await self._started(), time.monotonic()
            self._listeners.add(listener)
        try:
            yield
        finally:
            self._listeners.discard(listener)
            await finish(self._stop_if_nobody_listens())

    async def _renew_if_deaf(self) -> None:
        async with self._switching:
            if time.monotonic() - self._heard_s > _DEAF_S:
                await finish(self._stop_scan())
                self._scanner, self._heard_s = await self._started(), time.monotonic()

    async def _stop_if_nobody_listens(self) -> None:
        async with self._switching:
            if not self._listeners:
                await self._stop_scan()

    async def _stop_scan(self) -> None:
        scanner, self._scanner = self._scanner, None
        if scanner is not None:
            await _stopped(scanner)

    def _is_gone(self) -> bool:
        return time.monotonic() < self._gone_until_s

    async def _started(self) -> BleakScanner:
        if self._is_gone():
            raise NoRadio(self._gone)
        scanner = BleakScanner(self._on_heard, backend=self.radio.scanner_backend)
        try:
            async with asyncio.timeout(_ANSWER_S):
                await scanner.start()
        except FOREIGN as error:
            # Whatever keeps a scan from starting, the radio cannot be used now.
            gone = no_radio(error)
            self._gone, self._gone_until_s = str(gone), time.monotonic() + _GONE_S
            raise gone from error
        except asyncio.CancelledError:
            await _stopped(scanner)
            raise
        return scanner

    def _on_heard(self, device: BLEDevice, data: AdvertisementData) -> None:
        self._heard_s = time.monotonic()
        for listener in tuple(self._listeners):
            listener(device, data)

    async def _connected(self, address: str, service_uuids: tuple[str, ...]) -> BLEDevice | None:
        if self.radio.scanner_backend is not None or self._is_gone():
            return None
        try:
            async with asyncio.timeout(_ANSWER_S):
                adapter = await BleakAdapter.get()
                devices = await adapter.get_connected_devices(list(service_uuids))
        except (*FOREIGN, NotImplementedError) as error:
            # The scan that follows says what is wrong with the radio.
            _LOG.debug("Connected devices could not be listed: %r", error)
            return None
        return next((one for one in devices if one.address.upper() == address.upper()), None)


async def _stopped(scanner: BleakScanner) -> None:
    try:
        async with asyncio.timeout(_ANSWER_S):
            await scanner.stop()
    except FOREIGN as error:
        # The scan ends with the service that ran it.
        _LOG.debug("A scan could not be stopped: %r", error)


async def _ended(attempt: asyncio.Future[None]) -> None:
    """Cancel what still runs, and wait until it has; its outcome is told by whoever awaited it."""
    attempt.cancel()
    await asyncio.wait((attempt,))
