"""What the radio and its service can do to a link, over both ways: each fault, what a central sees, and its end."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise

import pytest
from bleak.exc import BleakBluetoothNotAvailableError, BleakDBusError, BleakError, BleakGATTProtocolError

from devices.sim.reach import Elsewhere, Pairing
from tests.contracts.ways import ADDRESS, Open, Way, quick_wearable, run, until

BATTERY_LEVEL = "00002a19-0000-1000-8000-00805f9b34fb"
CONTROL, STREAM = (f"1517{short}-4947-11e9-8646-d663bd873d93" for short in ("2001", "2003"))
START = bytes((1, 1, 21))


async def streaming(client: object, frames: list[bytes]) -> None:
    await client.start_notify(STREAM, lambda _, data: frames.append(bytes(data)))  # type: ignore[attr-defined]
    await client.write_gatt_char(CONTROL, START, response=True)  # type: ignore[attr-defined]
    await until(lambda: len(frames) > 20)


def wants_pairing(error: BleakError) -> bool:
    """Tell whether a central can see that pairing is missing: the daemon's word, or the code over the air."""
    if isinstance(error, BleakGATTProtocolError):
        return int(error.code) == 5
    return isinstance(error, BleakDBusError) and error.dbus_error == "org.bluez.Error.NotPermitted"


async def see_that_pairing_is_wanted(client: object) -> None:
    with pytest.raises(BleakError) as told:
        await client.read_gatt_char(CONTROL)  # type: ignore[attr-defined]
    assert wants_pairing(told.value)


def test_own_services_want_pairing_until_paired_and_again_after_forgetting(way: Open) -> None:
    there = way(quick_wearable())
    there.wearable.want_pairing(Pairing.NEEDED)

    async def work() -> None:
        frames: list[bytes] = []
        async with there.linked() as client:
            await client.read_gatt_char(BATTERY_LEVEL)
            await see_that_pairing_is_wanted(client)
            with pytest.raises(BleakError) as told:
                await client.start_notify(STREAM, lambda *_: None)
            assert wants_pairing(told.value)
            await client.pair()
            await client.pair()
            await streaming(client, frames)
        async with there.linked() as client:
            await streaming(client, frames)
            await client.unpair()
        async with there.linked() as client:
            await see_that_pairing_is_wanted(client)

    run(work())


def test_a_refused_pairing_is_told_and_the_link_stands(way: Open) -> None:
    there = way(quick_wearable())
    there.wearable.want_pairing(Pairing.REFUSED)

    async def work() -> None:
        async with there.linked() as client:
            with pytest.raises(BleakError, match="Authentication Failed"):
                await client.pair()
            assert client.is_connected
            await see_that_pairing_is_wanted(client)
            there.wearable.want_pairing(Pairing.NEEDED)
            await client.pair()
            await client.read_gatt_char(CONTROL)

    run(work())


def test_pairing_as_part_of_the_connect(way: Open) -> None:
    there = way(quick_wearable())
    there.wearable.want_pairing(Pairing.REFUSED)

    async def work() -> None:
        client = there.client(await there.find())
        with pytest.raises(BleakError, match="Authentication Failed"):
            await client._backend.connect(True)
        assert not there.wearable.connected
        there.wearable.want_pairing(Pairing.NEEDED)
        client = there.client(await there.find())
        await client._backend.connect(True)
        await client.read_gatt_char(CONTROL)
        await client.disconnect()

    run(work())


@pytest.mark.parametrize("state", [Elsewhere.HIDDEN, Elsewhere.REFUSING])
def test_held_by_another_central(way: Open, state: Elsewhere) -> None:
    there = way(quick_wearable())
    lost: list[bool] = []

    async def work() -> None:
        device = await there.find()
        async with there.client(device, lambda _: lost.append(True)) as client:
            there.wearable.bond_elsewhere(state)
            await until(lambda: bool(lost))
            assert not client.is_connected
        assert (await there.find(0.3) is None) == (state == Elsewhere.HIDDEN)
        began_s = time.monotonic()
        with pytest.raises((BleakError, TimeoutError)) as told:
            await there.client(device, timeout_s=0.5).connect()
        waited = time.monotonic() - began_s >= 0.5
        assert waited == isinstance(told.value, TimeoutError) == (state == Elsewhere.HIDDEN)
        if there.over_bus and state == Elsewhere.REFUSING:
            assert "le-connection-abort-by-remote" in str(told.value)
        there.wearable.bond_elsewhere(Elsewhere.NO)
        async with there.linked() as client:
            assert client.is_connected

    run(work())


def test_out_of_reach_nothing_is_answered_until_the_link_is_given_up(way: Open) -> None:
    # 10 s of the wearable's clock are half a second.
    there = way(quick_wearable(speed=20.0))
    lost: list[bool] = []

    async def work() -> None:
        frames: list[bytes] = []
        async with there.linked(lambda _: lost.append(True)) as client:
            await streaming(client, frames)
            there.wearable.leave_reach(supervision_s=10.0)
            await asyncio.sleep(0.05)
            heard, began_s = len(frames), time.monotonic()
            with pytest.raises((BleakError, EOFError)):
                await client.read_gatt_char(BATTERY_LEVEL)
            assert time.monotonic() - began_s > 0.3
            await until(lambda: bool(lost))
            assert len(frames) == heard
        assert await there.find(0.3) is None
        there.wearable.come_back()
        async with there.linked() as client:
            await streaming(client, frames)

    run(work())
    counts = there.wearable.truth.sensors["acc"]
    assert counts.unsent > 0
    assert counts.produced == counts.sent + counts.unsent


def test_back_in_reach_before_the_link_is_given_up(way: Open) -> None:
    there = way(quick_wearable(speed=20.0))

    async def work() -> None:
        frames: list[bytes] = []
        async with there.linked() as client:
            await streaming(client, frames)
            there.wearable.leave_reach(supervision_s=100.0)
            answer = asyncio.ensure_future(client.read_gatt_char(BATTERY_LEVEL))
            await asyncio.sleep(0.1)
            assert not answer.done()
            heard = len(frames)
            there.wearable.come_back()
            assert await answer == bytes((87,))
            await until(lambda: len(frames) > heard + 20)

    run(work())
    assert there.wearable.truth.connects == 1


def test_an_adapter_that_is_switched_off_ends_links_and_searches(way: Open) -> None:
    there = way(quick_wearable())
    lost: list[bool] = []

    async def work() -> None:
        device = await there.find()
        async with there.client(device, lambda _: lost.append(True)):
            there.power(False)
            await until(lambda: bool(lost))
            assert not there.wearable.connected
        with pytest.raises(BleakBluetoothNotAvailableError):
            await there.find(0.3)
        with pytest.raises(BleakError):
            await there.client(device, timeout_s=1.0).connect()
        there.power(True)
        await asyncio.sleep(0.05)  # the news has to arrive
        async with there.linked() as again:
            assert again.is_connected

    run(work())


def test_an_empty_battery_ends_the_link_and_a_charged_one_is_found(way: Open) -> None:
    there = way(quick_wearable())
    lost: list[bool] = []

    async def work() -> None:
        told: list[bytes] = []
        async with there.linked(lambda _: lost.append(True)) as client:
            await client.start_notify(BATTERY_LEVEL, lambda _, data: told.append(bytes(data)))
            there.wearable.set_battery(0.03)
            await until(lambda: told == [b"\x03"])
            there.wearable.set_battery(0.0)
            await until(lambda: bool(lost))
        assert await there.find(0.3) is None
        there.wearable.set_battery(1.0)
        assert await there.find() is not None

    run(work())


@pytest.mark.parametrize("kind", ["duplicate", "reorder", "delay"])
def test_copies_swaps_and_delays_arrive_as_the_truth_says(way: Open, kind: str) -> None:
    there = way(quick_wearable())
    frames: list[bytes] = []

    async def work() -> None:
        async with there.linked() as client:
            if kind == "delay":
                there.wearable.delay_frames(5.0)
            else:
                there.wearable.faults.set(kind, 7)
            await client.start_notify(STREAM, lambda _, data: frames.append(bytes(data)))
            await client.write_gatt_char(CONTROL, START, response=True)
            await until(lambda: len(frames) >= 300)
            there.wearable.go_silent(True)
            await asyncio.sleep(0.1)

    run(work())
    truth = there.wearable.truth
    ticks = [int.from_bytes(frame[:4], "little") for frame in frames]
    assert len(frames) == truth.frames_sent + truth.frames_duplicated
    copies = sum(a == b for a, b in pairwise(ticks))
    swaps = sum(a > b for a, b in pairwise(ticks))
    assert copies == truth.frames_duplicated
    assert swaps == truth.frames_reordered
    assert (copies > 30, swaps > 30) == (kind == "duplicate", kind == "reorder")
    assert truth.sensors["acc"].unsent >= (0 if kind != "delay" else 250), "what a delay held back is lost in silence"


@pytest.mark.parametrize("way", ["bluez"], indirect=True)
def test_the_daemons_own_words_for_bonds(way: Open) -> None:
    there = way(quick_wearable())
    there.wearable.want_pairing(Pairing.NEEDED)
    run(ask_the_daemon(there))
    assert not there.wearable.connected
    assert not there.wearable.reach.bonded


async def ask_the_daemon(there: Way) -> None:
    from dbus_fast import BusType, Message, MessageType, Variant
    from dbus_fast.aio import MessageBus

    await there.find()
    path = "/org/bluez/hci0/dev_" + ADDRESS.replace(":", "_")
    bus = await MessageBus(bus_type=BusType.SYSTEM).connect()

    async def call(where: str, interface: str, member: str, signature: str = "", *body: object) -> str:
        message = Message("org.bluez", where, interface, member, signature=signature, body=list(body))
        reply = await bus.call(message)
        assert reply is not None
        return "" if reply.message_type == MessageType.METHOD_RETURN else str(reply.error_name)

    async def shown(name: str) -> bool:
        reply = await bus.call(Message("org.bluez", "/", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects"))
        assert reply is not None
        return bool(reply.body[0][path]["org.bluez.Device1"][name].value)

    device, adapter, properties = "org.bluez.Device1", "org.bluez.Adapter1", "org.freedesktop.DBus.Properties"
    assert await call(path, device, "CancelPairing") == "org.bluez.Error.DoesNotExist"
    assert await call(path, properties, "Set", "ssv", device, "Trusted", Variant("b", True)) == ""
    assert await shown("Trusted")
    # Pair connects first; while the wearable is out of reach it waits, and can be given up.
    there.wearable.stop_advertising()
    waiting = asyncio.ensure_future(call(path, device, "Pair"))
    await asyncio.sleep(0.05)
    assert await call(path, device, "Pair") == "org.bluez.Error.InProgress"
    assert await call(path, device, "CancelPairing") == ""
    assert await waiting == "org.bluez.Error.AuthenticationCanceled"
    there.wearable.start_advertising()
    assert await call(path, device, "Pair") == ""
    assert (await shown("Paired"), await shown("Bonded"), await shown("Connected")) == (True, True, True)
    assert await call(path, device, "Pair") == "org.bluez.Error.AlreadyExists"
    assert await call("/org/bluez/hci0", adapter, "RemoveDevice", "o", path) == ""
    assert await call("/org/bluez/hci0", adapter, "RemoveDevice", "o", path) == "org.bluez.Error.DoesNotExist"
    bus.disconnect()
