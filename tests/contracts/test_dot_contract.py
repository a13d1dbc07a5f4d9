"""The bytes of a simulated DOT over both ways: bleak's own BlueZ backend, and bleak's `backend=` hook.

Only bleak's public interface is used; what is compared with comes from the motion and from the vendor's layout.
"""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from bleak.exc import BleakError, BleakGATTProtocolError

from devices.sim.motions import bows, lifting
from tests.contracts.ways import ADDRESS, Open, quick_wearable, run, until

BATTERY_LEVEL = "00002a19-0000-1000-8000-00805f9b34fb"
MANUFACTURER = "00002a29-0000-1000-8000-00805f9b34fb"
HEART_RATE = "00002a37-0000-1000-8000-00805f9b34fb"
DEVICE_INFO, DEVICE_CONTROL, MEASURE, STREAM, DOT_BATTERY = (
    f"1517{short}-4947-11e9-8646-d663bd873d93" for short in ("1001", "1002", "2001", "2003", "3001")
)
START, STOP = bytes((1, 1, 21)), bytes((1, 0, 21))


async def start(client: Any, into: list[bytes]) -> None:
    await client.start_notify(STREAM, lambda _, data: into.append(bytes(data)))
    await client.write_gatt_char(MEASURE, START, response=True)


async def stop(client: Any) -> None:
    await client.write_gatt_char(MEASURE, STOP, response=True)
    await asyncio.sleep(0.1)


def ticks_of(frames: list[bytes]) -> np.ndarray:
    return np.array([struct.unpack_from("<I", frame)[0] for frame in frames], dtype=np.int64)


def mode_21(tick: int, acc_mps2: np.ndarray, gyr_radps: np.ndarray) -> bytes:
    """The vendor's layout, written out here once more."""
    return struct.pack("<I3f3f12x", tick, *acc_mps2, *np.degrees(gyr_radps))


def test_scan_shows_name_company_and_strength(way: Open) -> None:
    there = way(quick_wearable())

    async def work() -> None:
        seen = await there.discover(0.3)
        device, advertised = seen[ADDRESS]
        assert device.name == "Movella DOT"
        assert advertised.local_name == "Movella DOT"
        assert list(advertised.manufacturer_data) == [2182]
        assert -90 < advertised.rssi < -30

    run(work())


def test_standard_and_vendor_values_are_read(way: Open) -> None:
    there = way(quick_wearable(battery_share=0.42))

    async def work() -> None:
        async with there.linked() as client:
            assert await client.read_gatt_char(BATTERY_LEVEL) == bytes((42,))
            assert await client.read_gatt_char(DOT_BATTERY) == bytes((42, 0))
            assert await client.read_gatt_char(MANUFACTURER) == b"Movella"
            about = await client.read_gatt_char(DEVICE_INFO)
            assert len(about) == 34
            assert about[:6] == bytes.fromhex("010000eeffc0")
            assert len(await client.read_gatt_char(DEVICE_CONTROL)) == 32
            assert "notify" in client.services.get_characteristic(STREAM).properties
            with pytest.raises(BleakGATTProtocolError):
                await client.read_gatt_char(STREAM)

    run(work())


def test_frames_equal_the_motion_in_order(way: Open) -> None:
    there = way(quick_wearable())
    frames: list[bytes] = []

    async def work() -> None:
        async with there.linked() as client:
            await client.write_gatt_char(MEASURE, START, response=True)
            await asyncio.sleep(0.1)
            assert there.wearable.truth.frames_sent == 0, "sent without a subscription"
            await start(client, frames)
            await until(lambda: len(frames) >= 400)
            await stop(client)
            told = len(frames)
            await asyncio.sleep(0.1)
            assert len(frames) == told, "sent after the stop"
            assert await client.read_gatt_char(MEASURE) == STOP

    run(work())
    truth = there.wearable.truth
    np.testing.assert_array_equal(ticks_of(frames), truth.ticks_sent)
    acc, gyr = lifting(7).samples(0, len(frames), 60.0)
    assert frames == [mode_21(tick, a, g) for tick, a, g in zip(truth.ticks_sent, acc, gyr, strict=True)]


def test_rate_is_set_by_device_control_and_read_back(way: Open) -> None:
    there = way(quick_wearable())
    frames: list[bytes] = []

    async def work() -> None:
        async with there.linked() as client:
            control = await client.read_gatt_char(DEVICE_CONTROL)
            assert struct.unpack_from("<H", control, 24) == (60,)
            unmarked = bytes(control[:24]) + struct.pack("<H", 30) + bytes(control[26:])
            await client.write_gatt_char(DEVICE_CONTROL, unmarked, response=True)
            assert struct.unpack_from("<H", await client.read_gatt_char(DEVICE_CONTROL), 24) == (60,)
            await client.write_gatt_char(DEVICE_CONTROL, b"\x10" + unmarked[1:], response=True)
            assert struct.unpack_from("<H", await client.read_gatt_char(DEVICE_CONTROL), 24) == (30,)
            for refused in (25, 120, 0):
                wrong = b"\x10" + unmarked[1:24] + struct.pack("<H", refused) + unmarked[26:]
                with pytest.raises(BleakGATTProtocolError, match="Not Allowed"):
                    await client.write_gatt_char(DEVICE_CONTROL, wrong, response=True)
            with pytest.raises(BleakGATTProtocolError, match="Length"):
                await client.write_gatt_char(DEVICE_CONTROL, b"\x10", response=True)
            with pytest.raises(BleakGATTProtocolError, match="Not Allowed"):
                await client.write_gatt_char(MEASURE, bytes((1, 1, 17)), response=True)
            await start(client, frames)
            await until(lambda: len(frames) >= 60)
            with pytest.raises(BleakGATTProtocolError):
                await client.write_gatt_char(DEVICE_CONTROL, b"\x10" + unmarked[1:], response=True)

    run(work())
    assert set(np.diff(ticks_of(frames))) <= {33333, 33334}


def test_link_loss_is_told_and_leaves_a_gap(way: Open) -> None:
    there = way(quick_wearable())
    frames: list[bytes] = []
    lost: list[int] = []

    async def work() -> None:
        async with there.linked(lambda _: lost.append(len(frames))) as client:
            await start(client, frames)
            await until(lambda: len(frames) > 100)
            there.wearable.drop_link()
            await until(lambda: bool(lost))
            assert not client.is_connected
        await asyncio.sleep(0.2)
        async with there.linked() as client:
            assert await client.read_gatt_char(MEASURE) == STOP
            await client.write_gatt_char(MEASURE, START, response=True)
            await asyncio.sleep(0.1)
            assert len(frames) == lost[0], "a new link sent without a new subscription"
            await start(client, frames)
            await until(lambda: len(frames) > lost[0] + 100)
            await stop(client)

    run(work())
    ticks = ticks_of(frames)
    truth = there.wearable.truth
    np.testing.assert_array_equal(ticks, truth.ticks_sent)
    assert truth.connects == 2
    assert len(lost) == 1
    steps = np.diff(ticks)
    gap = np.flatnonzero(steps > 16667)
    assert list(gap) == [lost[0] - 1], "one gap, where the link was lost"
    # 0.3 s of real time at 20 times the speed, 60 samples a second.
    assert steps[gap[0]] > 0.3 * 20e6
    acc, gyr = lifting(7).samples(0, 1 + int(truth.numbers_sent[-1]), 60.0)
    after = int(truth.numbers_sent[lost[0]])
    assert frames[lost[0]] == mode_21(int(ticks[lost[0]]), acc[after], gyr[after]), "the motion went on meanwhile"


def test_disconnect_and_connect_again(way: Open) -> None:
    there = way(quick_wearable())

    async def work() -> None:
        client = there.client(await there.find())
        for _ in range(3):
            await client.connect()
            assert client.is_connected
            await client.disconnect()
            assert not client.is_connected
            await client.disconnect()
        with pytest.raises(BleakError):
            await client.read_gatt_char(BATTERY_LEVEL)

    run(work())
    assert there.wearable.truth.connects == 3


def test_out_of_reach_is_not_found_and_back_is(way: Open) -> None:
    there = way(quick_wearable())

    async def work() -> None:
        device = await there.find()
        there.wearable.stop_advertising()
        assert await there.find(0.3) is None
        with pytest.raises(TimeoutError):
            await there.client(device, timeout_s=0.3).connect()
        there.wearable.start_advertising()
        assert await there.find() is not None

    run(work())


def test_slow_and_refused_connects(way: Open) -> None:
    there = way(quick_wearable())

    async def work() -> None:
        device = await there.find()
        there.wearable.slow_connect(5.0)
        with pytest.raises(TimeoutError):
            await there.client(device, timeout_s=0.3).connect()
        there.wearable.slow_connect(0.05)
        there.wearable.refuse_connects(2)
        for _ in range(2):
            with pytest.raises(BleakError):
                await there.client(device).connect()
        async with there.client(device) as client:
            assert client.is_connected

    run(work())


def test_spoilt_and_foreign_frames_arrive_as_they_are(way: Open) -> None:
    there = way(quick_wearable())
    frames: list[bytes] = []

    async def work() -> None:
        async with there.linked() as client:
            there.wearable.truncate_every(10)
            there.wearable.corrupt_every(7)
            there.wearable.foreign_every(25)
            await start(client, frames)
            await until(lambda: len(frames) >= 500)
            await stop(client)

    run(work())
    truth = there.wearable.truth
    assert {len(frame) for frame in frames} == {40, 17, 13}
    assert sum(len(frame) == 17 for frame in frames) == truth.frames_foreign > 10
    values = [np.frombuffer(frame, "<f4", 6, 4) for frame in frames if len(frame) == 40]
    absurd = [not np.all(np.abs(value) < 1e4) for value in values]
    assert sum(absurd) + sum(len(frame) == 13 for frame in frames) == truth.frames_damaged > 100
    whole = [frame for frame in frames if len(frame) == 40]
    intact = [frame for frame, wrong in zip(whole, absurd, strict=True) if not wrong]
    np.testing.assert_array_equal(ticks_of(intact), truth.ticks_sent)


def test_silence_sends_nothing_and_nothing_later(way: Open) -> None:
    there = way(quick_wearable())
    frames: list[bytes] = []

    async def work() -> None:
        async with there.linked() as client:
            await start(client, frames)
            await until(lambda: len(frames) > 50)
            there.wearable.go_silent(True)
            await asyncio.sleep(0.1)
            heard = len(frames)
            await asyncio.sleep(0.2)
            assert len(frames) == heard
            assert client.is_connected
            there.wearable.go_silent(False)
            await until(lambda: len(frames) > heard + 50)
            await stop(client)

    run(work())
    assert sum(np.diff(ticks_of(frames)) > 16667) == 1


def test_heart_rate_comes_once_a_second_with_rr(way: Open) -> None:
    there = way(quick_wearable(speed=50.0))
    beats: list[bytes] = []

    async def work() -> None:
        async with there.linked() as client:
            await client.start_notify(HEART_RATE, lambda _, data: beats.append(bytes(data)))
            await until(lambda: len(beats) >= 25)
            await client.stop_notify(HEART_RATE)

    run(work())
    assert all(beat[0] == 0x16 and 60 <= beat[1] <= 120 for beat in beats)
    rr_s = sum(sum(value for (value,) in struct.iter_unpack("<H", beat[2:])) for beat in beats) / 1024
    assert abs(rr_s - len(beats)) < 2, "RR intervals fill the time they were told for"


def test_tick_counter_wraps_at_32_bits(way: Open) -> None:
    there = way(quick_wearable(uptime_s=2**32 / 1e6 - 4.0))
    frames: list[bytes] = []

    async def work() -> None:
        async with there.linked() as client:
            await start(client, frames)
            await until(lambda: len(frames) >= 500)
            await stop(client)

    run(work())
    steps = np.diff(ticks_of(frames))
    assert np.count_nonzero(steps < 0) <= 1
    assert set(steps % 2**32) <= {16666, 16667}


def test_a_motion_with_an_end_switches_off(way: Open) -> None:
    class Short:
        duration_s = 3.0
        samples = staticmethod(bows(1).samples)

    there = way(quick_wearable(motion=Short()))
    frames: list[bytes] = []
    lost: list[bool] = []

    async def work() -> None:
        async with there.linked(lambda _: lost.append(True)) as client:
            await start(client, frames)
            await until(lambda: bool(lost))
        assert await there.find(0.3) is None

    run(work())
    assert len(frames) == 180
    assert there.wearable.ended.is_set()


def test_a_fast_clock_loses_nothing(way: Open, figure: Callable[..., None]) -> None:
    # 45 times real time at 60 Hz: 2,700 frames a second for about two seconds.
    there = way(quick_wearable(speed=45.0))
    frames: list[bytes] = []

    async def work() -> None:
        async with there.linked() as client:
            await start(client, frames)
            await until(lambda: len(frames) >= 5400, 30.0)
            await stop(client)

    run(work())
    truth = there.wearable.truth
    np.testing.assert_array_equal(ticks_of(frames), truth.ticks_sent)
    assert set(np.diff(truth.ticks_sent)) <= {16666, 16667}
    figure("frames lost at 2,700 a second", truth.frames_sent - len(frames), f"of {truth.frames_sent}")


def test_a_slow_reader_makes_the_wearable_wait(way: Open) -> None:
    there = way(quick_wearable(speed=60.0))
    frames: list[bytes] = []

    async def work() -> None:
        async with there.linked() as client:
            await start(client, frames)
            for _ in range(3):
                await asyncio.sleep(0.05)
                # The reader's loop stands still while 1,400 frames fall due.
                time.sleep(0.4)
            await until(lambda: len(frames) >= 4000, 20.0)
            await stop(client)

    run(work())
    np.testing.assert_array_equal(ticks_of(frames), there.wearable.truth.ticks_sent)
    assert set(np.diff(ticks_of(frames))) <= {16666, 16667}
