"""What only the simulated Bluetooth daemon can go through: dead clients, a dead daemon, several wearables."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from devices.hostclock import ScaledClock
from devices.sim.motions import lifting
from devices.sim.wearable import SimWearable

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="bleak talks to a Bluetooth daemon on Linux only")

STREAM = "15172003-4947-11e9-8646-d663bd873d93"
MEASURE = "15172001-4947-11e9-8646-d663bd873d93"
BATTERY_LEVEL = "00002a19-0000-1000-8000-00805f9b34fb"


def wearables(count: int, speed: float = 10.0) -> list[SimWearable]:
    clock = ScaledClock.starting_now(1.8e9, speed)
    return [
        SimWearable(address=f"C0:FF:EE:00:01:{number:02X}", motion=lifting(number), clock=clock)
        for number in range(count)
    ]


async def until(condition: Callable[[], bool], timeout_s: float = 5.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.005)


async def cut_off(client: Any) -> None:
    """Do what a killed process does: its socket closes and nobody says goodbye."""
    bus = client._backend._bus
    bus._sock.shutdown(socket.SHUT_RDWR)
    with contextlib.suppress(EOFError, OSError):
        await bus.wait_for_disconnect()
    # The dead do not say goodbye when their loop ends either.
    if client._backend._disconnect_monitor_event is not None:
        client._backend._disconnect_monitor_event.set()
    await asyncio.sleep(0.1)


def test_five_wearables_at_once_keep_their_streams_apart() -> None:
    from bleak import BleakClient, BleakScanner

    from devices.sim.bus import SimBus

    five = wearables(5)
    frames: dict[str, list[bytes]] = {one.address: [] for one in five}

    async def listen(device: Any) -> None:
        async with BleakClient(device) as client:
            await client.start_notify(STREAM, lambda _, data: frames[device.address].append(bytes(data)))
            await client.write_gatt_char(MEASURE, bytes((1, 1, 21)), response=True)
            await until(lambda: len(frames[device.address]) >= 300)
            await client.stop_notify(STREAM)

    async def work() -> None:
        found = await BleakScanner.discover(timeout=0.4)
        assert len(found) == 5
        await asyncio.gather(*(listen(device) for device in found))

    with SimBus(five).running():
        asyncio.run(work())
    for one in five:
        ticks = [int.from_bytes(frame[:4], "little") for frame in frames[one.address]]
        np.testing.assert_array_equal(ticks, one.truth.ticks_sent)


@pytest.mark.parametrize("keep_links", [False, True])
def test_a_client_that_dies_leaves_its_link_as_asked(keep_links: bool) -> None:
    from bleak import BleakClient, BleakScanner

    from devices.sim.bus import SimBus

    (one,) = wearables(1)

    async def work() -> None:
        device = await BleakScanner.find_device_by_name("Movella DOT", timeout=3)
        client = BleakClient(device)
        await client.connect()
        assert one.connected
        await cut_off(client)
        assert one.connected is keep_links

    with SimBus([one], keep_links=keep_links).running():
        asyncio.run(work())
    assert not one.connected, "closing the bus lets every wearable go"


def test_a_daemon_that_dies_is_silent_and_tells_nobody() -> None:
    from bleak import BleakClient, BleakScanner
    from bleak.exc import BleakDBusError

    from devices.sim.bus import SimBus

    (one,) = wearables(1)
    bus = SimBus([one])
    frames: list[bytes] = []

    async def work() -> None:
        device = await BleakScanner.find_device_by_name("Movella DOT", timeout=3)
        client = BleakClient(device)
        await client.connect()
        await client.start_notify(STREAM, lambda _, data: frames.append(bytes(data)))
        await client.write_gatt_char(MEASURE, bytes((1, 1, 21)), response=True)
        await until(lambda: len(frames) > 10)
        bus.die()
        await asyncio.sleep(0.1)
        heard = len(frames)
        await asyncio.sleep(0.2)
        assert len(frames) == heard
        assert client.is_connected
        with pytest.raises(BleakDBusError, match="ServiceUnknown"):
            await client.read_gatt_char(BATTERY_LEVEL)
        bus.revive()
        with pytest.raises(BleakDBusError, match="UnknownObject"):
            await client.read_gatt_char(BATTERY_LEVEL)
        # Nobody told the old client; only a new search shows the wearable again, and free.
        again = await BleakScanner.find_device_by_name("Movella DOT", timeout=3)
        async with BleakClient(again) as fresh:
            assert await fresh.read_gatt_char(BATTERY_LEVEL) == bytes((87,))
        assert one.truth.connects == 2
        await cut_off(client)

    with bus.running():
        asyncio.run(work())


def test_the_socket_is_private_and_goes_away_and_the_environment_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    from devices.sim.bus import SimBus

    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/before")
    with SimBus(wearables(1)).running() as bus:
        folder = Path(bus.address.removeprefix("unix:path=")).parent
        assert folder.stat().st_mode & 0o777 == 0o700
        assert os.environ["DBUS_SYSTEM_BUS_ADDRESS"] == bus.address
    assert os.environ["DBUS_SYSTEM_BUS_ADDRESS"] == "unix:path=/before"
    assert not folder.exists()
    assert bus.address == ""
    bus.close()


def test_strangers_on_the_socket_do_no_harm() -> None:
    from bleak import BleakScanner

    from devices.sim.bus import SimBus

    with SimBus(wearables(1)).running() as bus:
        path = bus.address.removeprefix("unix:path=")
        for noise in (
            b"GET / HTTP/1.1\r\n\r\n",
            b"\0AUTH EXTERNAL 30\r\nBEGIN\r\n" + b"\xff" * 64,
            b"\0" + b"x" * 40_000,
        ):
            with socket.socket(socket.AF_UNIX) as stranger:
                stranger.connect(path)
                try:
                    stranger.sendall(noise)
                except OSError:
                    continue
        found = asyncio.run(BleakScanner.discover(timeout=0.3))
        assert len(found) == 1


def test_a_reader_that_never_reads_is_put_out(monkeypatch: pytest.MonkeyPatch) -> None:
    from bleak import BleakClient, BleakScanner

    from devices.sim import minibus
    from devices.sim.bus import SimBus

    monkeypatch.setattr(minibus, "STALLED_S", 0.5)
    (one,) = wearables(1, speed=60.0)
    frames: list[bytes] = []

    async def work(stuck: socket.socket) -> None:
        device = await BleakScanner.find_device_by_name("Movella DOT", timeout=3)
        async with BleakClient(device) as client:
            await client.start_notify(STREAM, lambda _, data: frames.append(bytes(data)))
            await client.write_gatt_char(MEASURE, bytes((1, 1, 21)), response=True)
            await until(lambda: len(frames) > 6000, 12.0)
            await client.stop_notify(STREAM)

    from dbus_fast import Message

    rules = "type=signal,interface=org.freedesktop.DBus.Properties,member=PropertiesChanged"
    ask = Message(
        destination="org.freedesktop.DBus",
        path="/org/freedesktop/DBus",
        interface="org.freedesktop.DBus",
        member="AddMatch",
        signature="s",
        body=[rules],
        serial=1,
    )
    with SimBus([one]).running() as bus, socket.socket(socket.AF_UNIX) as stuck:
        stuck.connect(bus.address.removeprefix("unix:path="))
        stuck.sendall(b"\0AUTH EXTERNAL 30\r\nBEGIN\r\n" + bytes(ask._marshall(False)))
        asyncio.run(work(stuck))
    ticks = [int.from_bytes(frame[:4], "little") for frame in frames]
    np.testing.assert_array_equal(ticks, one.truth.ticks_sent)
    assert set(np.diff(ticks)) <= {16666, 16667}, "it waited for the stuck reader and lost nothing"


def test_a_kept_link_can_be_taken_over() -> None:
    from bleak import BleakAdapter, BleakClient, BleakScanner

    from devices.sim.bus import SimBus

    (one,) = wearables(1)

    async def die() -> None:
        device = await BleakScanner.find_device_by_name("Movella DOT", timeout=3)
        client = BleakClient(device)
        await client.connect()
        await client.start_notify(STREAM, lambda _, data: None)
        await client.write_gatt_char(MEASURE, bytes((1, 1, 21)), response=True)
        await cut_off(client)

    async def take_over() -> None:
        assert await BleakScanner.discover(timeout=0.3) == [], "what is linked does not advertise"
        adapter = await BleakAdapter.get()
        (device,) = await adapter.get_connected_devices(["15172000-4947-11e9-8646-d663bd873d93"])
        frames: list[bytes] = []
        async with BleakClient(device) as client:
            assert await client.read_gatt_char(MEASURE) == bytes((1, 1, 21)), "it still measures"
            await client.start_notify(STREAM, lambda _, data: frames.append(bytes(data)))
            await until(lambda: len(frames) > 30)
        assert not one.connected

    with SimBus([one], keep_links=True).running():
        asyncio.run(die())
        asyncio.run(take_over())
    assert one.truth.connects == 1


def test_a_bus_that_cannot_be_opened_is_a_sentence_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from devices.errors import NoRadio
    from devices.sim.bus import SimBus

    # A socket's name has room for some 100 bytes.
    deep = tmp_path / ("x" * 120)
    deep.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(deep))
    with pytest.raises(NoRadio, match=r"path too long.*set TMPDIR"):
        SimBus(wearables(1)).start()
    assert list(deep.iterdir()) == []
    monkeypatch.setattr("tempfile.tempdir", str(deep / "nowhere"))
    with pytest.raises(NoRadio, match="set TMPDIR"):
        SimBus(wearables(1)).start()
