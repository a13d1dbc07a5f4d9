"""WitMotion: its start, rates that do not take, a battery that may not answer, stop; round trips over any cut."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.errors import NoAnswer, Refused
from devices.profiles import dialogue, recognise, witmotion
from devices.profiles import witmotion_codes as wit
from devices.profiles.types import Started, Wish
from devices.profiles.witmotion import WitMotion, WitMotionOptions
from devices.profiles.witmotion_frames import WitMotionDecoder, decode_motion, decode_registers
from devices.sim import witmotion as sim
from devices.types import Advertisement, FloatArray
from tests.devices.profiles.test_witmotion_frames import CAPTURED
from tests.devices.profiles.twin_client import TwinClient
from tests.devices.profiles.vectors import Vector, reads

ADDRESS = "C0:FF:EE:00:00:03"
# No radio, no serial line behind it: nothing to wait for.
AT_ONCE = WitMotionOptions(rate_settles_s=0.0, write_pause_s=0.0)
PROFILE = WitMotion(AT_ONCE)
LEVEL = np.tile([0.0, 0.0, 9.80665], (40, 1))


def started(client: TwinClient, wish: Wish, profile: WitMotion = PROFILE) -> tuple[Started, list[bytes]]:
    heard: list[bytes] = []
    return asyncio.run(profile.start(client, wish, heard.append)), heard


def test_recognise_by_service_or_name() -> None:
    def seen(name: str, *services: str) -> Advertisement:
        return Advertisement(ADDRESS, name, services, {}, -60)

    for one in (seen("WT901BLE67"), seen("WT901BLE68"), seen("WT9011DCL"), seen("", wit.SERVICE)):
        known = recognise(one)
        assert known is not None
        assert known.family == "witmotion"
    # The same number on the SIG's base is another service, of many a cheap toy.
    assert not PROFILE.recognise(seen("Toy", "0000ffe5-0000-1000-8000-00805f9b34fb"))
    assert not PROFILE.recognise(seen("WTW-Lamp"))


def test_the_start() -> None:
    client = TwinClient(sim.WitMotion(ADDRESS, 10.0))
    start, heard = started(client, Wish(50.0))
    assert client.written == ["ffaa270300", "ffaa6988b5", "ffaa030800", "ffaa270300", "ffaa6988b5", "ffaa240100"]
    assert start.rate_hz == client.firmware.rate_hz == 50.0
    assert (start.acc_limit_mps2, start.gyr_limit_radps) == pytest.approx(client.firmware.ranges, rel=1e-4)
    client.feel(LEVEL[:5], np.zeros((5, 3)))
    assert [len(one) for one in heard] == [40, 40]  # two frames at 50 Hz, as seen
    decoded = start.decoder.decode_many(heard)
    assert (decoded.bad, decoded.block.ticks.tolist()) == ((), [0, 1, 2, 3])
    assert client.firmware._algorithm == 1  # type: ignore[attr-defined]


def test_what_it_sends_before_its_rate_is_set_is_not_used() -> None:
    sensor = sim.WitMotionCut(ADDRESS, 100.0)
    client = TwinClient(sensor)
    heard: list[bytes] = []

    async def run() -> Started:
        assert await PROFILE.read_battery_share(client) == 0.6
        client.feel(LEVEL[:17], np.zeros((17, 3)))  # fills whole pieces, so that answers need not wait
        start = await PROFILE.start(client, Wish(20.0), heard.append)
        client.feel(LEVEL[:17], np.zeros((17, 3)))
        return start

    decoded = asyncio.run(run()).decoder.decode_many(heard)
    assert decoded.bad == ()
    assert len(decoded.block.ticks) == 17


def test_a_rate_that_is_set_already_loses_nothing_of_what_came_before() -> None:
    """As after a lost link: the sensor kept its rate, and streams while it is still asked about its battery."""
    client = TwinClient(sim.WitMotion(ADDRESS, 50.0))
    heard: list[bytes] = []

    async def run() -> Started:
        assert await PROFILE.read_battery_share(client) == 0.6
        client.feel(LEVEL[:7], np.zeros((7, 3)))
        start = await PROFILE.start(client, Wish(50.0), heard.append)
        client.feel(LEVEL[:3], np.zeros((3, 3)))
        return start

    decoded = asyncio.run(run()).decoder.decode_many(heard)
    assert decoded.bad == ()
    assert decoded.block.ticks.tolist() == list(range(10))
    assert "ffaa030800" not in client.written


@pytest.mark.parametrize(
    ("kept", "said"), [(0x09, "stays at 100 Hz though 50 Hz"), (0x0A, "stays at rate code 10 though")]
)
def test_a_rate_that_does_not_take_is_refused(kept: int, said: str) -> None:
    class Stubborn(sim.WitMotion):
        def _answer(self, register: int, battery_percent: int) -> bytes:
            return sim.encode_registers(register, (kept,))

    with pytest.raises(Refused, match=said):
        started(TwinClient(Stubborn(ADDRESS)), Wish(50.0))


def test_what_is_refused() -> None:
    with pytest.raises(Refused, match="10, 20, 50, 100, 200 Hz"):
        started(TwinClient(sim.WitMotion(ADDRESS)), Wish(60.0))
    with pytest.raises(Refused, match="fixed at 16 g"):
        started(TwinClient(sim.WitMotion(ADDRESS)), Wish(50.0, acc_range_g=8))
    with pytest.raises(Refused, match="fixed at 2000 deg/s"):
        started(TwinClient(sim.WitMotion(ADDRESS)), Wish(50.0, gyr_range_degps=500))
    assert started(TwinClient(sim.WitMotion(ADDRESS)), Wish(50.0, 16, 2000))[0].rate_hz == 50.0


class Mute(sim.WitMotion):
    def write(self, uuid: str, data: bytes, battery_percent: int) -> tuple[()]:
        return ()


def test_a_sensor_without_a_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialogue, "ANSWER_S", 0.05)
    monkeypatch.setattr(witmotion, "_MAYBE_S", 0.05)
    with pytest.raises(NoAnswer, match="does not answer command ff aa 27 03 00"):
        started(TwinClient(Mute(ADDRESS)), Wish(50.0))
    assert asyncio.run(PROFILE.read_battery_share(TwinClient(Mute(ADDRESS)))) is None


@pytest.mark.parametrize("percent", [5, 10, 15, 20, 30, 40, 50, 60, 75, 90, 100])
def test_battery_by_the_vendors_table(percent: int) -> None:
    client = TwinClient(sim.WitMotion(ADDRESS), battery_percent=percent)
    assert asyncio.run(PROFILE.read_battery_share(client)) == percent / 100
    unasked = WitMotion(WitMotionOptions(battery=False))
    assert asyncio.run(unasked.read_battery_share(client)) is None


def test_stop_ends_the_stream_but_not_the_rate() -> None:
    client = TwinClient(sim.WitMotion(ADDRESS))
    heard: list[bytes] = []

    async def run() -> None:
        await PROFILE.start(client, Wish(50.0), heard.append)
        await PROFILE.stop(client)

    asyncio.run(run())
    heard.clear()
    client.feel(LEVEL, LEVEL)
    assert heard == []
    asyncio.run(run())  # and begins again on the same connection
    client.firmware.link_lost()
    assert client.firmware.rate_hz == 50.0


@reads(63)
def test_the_twin_encodes_the_register_vector(vector: Vector) -> None:
    register, values = decode_registers(vector.data)
    assert sim.encode_registers(register, values) == vector.data
    command = bytes.fromhex(vector.context["request_written"][:14])
    (answer,) = sim.WitMotion(ADDRESS).write(wit.COMMAND, command, 50)
    assert (answer.uuid, answer.data) == (vector.characteristic, vector.data)


def test_the_twin_encodes_the_captured_frame() -> None:
    told = decode_motion(CAPTURED)
    assert sim.encode_motion(told.acc_mps2, told.gyr_radps, told.angle_deg).tobytes() == CAPTURED


@given(
    st.sampled_from([sim.WitMotion, sim.WitMotionCut]),
    st.sampled_from(PROFILE.rates_offered_hz),
    st.integers(0, 60),
    st.booleans(),
    st.sampled_from([1, 3, 16]),
    st.integers(0, 2**32 - 1).map(np.random.default_rng),
)
def test_round_trip(
    sensor: type[sim.WitMotion], rate_hz: float, count: int, dated: bool, calls: int, rng: np.random.Generator
) -> None:
    """What the twin measured is what the profile reads, within half a step, wherever notifications cut the frames."""
    client = TwinClient(sensor(ADDRESS, dated=dated))
    profile = WitMotion(replace(AT_ONCE, frame_bytes=28 if dated else 20))
    start, heard = started(client, Wish(rate_hz), profile)
    limits = client.firmware.ranges
    acc: FloatArray = rng.uniform(-0.999, 0.999, (count, 3)) * limits[0]
    gyr: FloatArray = rng.uniform(-0.999, 0.999, (count, 3)) * limits[1]
    at = 0
    while at < count:
        step = int(rng.integers(1, 9))
        client.feel(acc[at : at + step], gyr[at : at + step])
        at += step
    told = [start.decoder.decode_many(heard[i : i + calls]) for i in range(0, len(heard), calls)]
    assert all(one.bad == () for one in told)
    n = sum(len(one.block.ticks) for one in told)
    # What does not fill a notification is still on the sensor.
    if sensor is sim.WitMotionCut:
        assert n == count * (size := 28 if dated else 20) // 17 * 17 // size
    else:
        each = max(1, round(rate_hz / 25))
        assert n == count // each * each
    none = np.empty((0, 3))
    half_step = (start.acc_limit_mps2 or 0) / 32767 * 0.51
    np.testing.assert_allclose(np.concatenate([none, *(one.block.acc_mps2 for one in told)]), acc[:n], atol=half_step)
    half_turn = (start.gyr_limit_radps or 0) / 32767 * 0.51
    np.testing.assert_allclose(np.concatenate([none, *(one.block.gyr_radps for one in told)]), gyr[:n], atol=half_turn)


def test_full_scale_and_beyond_is_full_scale() -> None:
    beyond = np.array([[1e3, -1e3, 0.0]])
    block = WitMotionDecoder().decode_many([sim.encode_motion(beyond, beyond, beyond).tobytes()]).block
    np.testing.assert_allclose(block.acc_mps2[0] / 9.80665, [16, -16, 0], atol=1e-3)
    np.testing.assert_allclose(np.degrees(block.gyr_radps[0]), [2000, -2000, 0], atol=0.1)
