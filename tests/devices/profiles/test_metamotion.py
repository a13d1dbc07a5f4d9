"""MetaMotion: its start on each chip, read-back, what a crashed program left, stop, battery; round trips."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.errors import NoAnswer, Refused
from devices.profiles import dialogue, recognise
from devices.profiles import metamotion_codes as mm
from devices.profiles.metamotion import MetaMotion
from devices.profiles.metamotion_frames import decode_battery, decode_fusion, decode_triples
from devices.profiles.types import Started, Wish
from devices.sim import metamotion as sim
from devices.types import Advertisement, FloatArray
from tests.devices.profiles.twin_client import TwinClient
from tests.devices.profiles.vectors import Vector, reads

ADDRESS = "C0:FF:EE:00:00:01"
PROFILE = MetaMotion()
QUIET = ["030100", "03020001", "130100", "13020001"]


def started(client: TwinClient, wish: Wish) -> tuple[Started, list[bytes]]:
    heard: list[bytes] = []
    return asyncio.run(PROFILE.start(client, wish, heard.append)), heard


def test_recognise_by_service_or_name() -> None:
    def seen(name: str, *services: str) -> Advertisement:
        return Advertisement(ADDRESS, name, services, {}, -60)

    for one in (seen("MetaWear"), seen("", mm.SERVICE), seen("Left thigh", mm.SERVICE)):
        assert PROFILE.recognise(one)
        known = recognise(one)
        assert known is not None
        assert known.family == "metamotion"
    assert not PROFILE.recognise(seen("Movesense 123"))


@pytest.mark.parametrize(
    ("board", "config", "subscribe"),
    [
        (sim.MetaMotion, ["0303a803", "0383", "13032800", "1383"], ["030400", "030501", "130400", "130501"]),
        (sim.MetaMotionR, ["0303280c", "0383", "13032800", "1383"], ["030400", "031c01", "130500", "130701"]),
    ],
)
def test_the_start_of_each_chip(board: type[sim.MetaMotion], config: list[str], subscribe: list[str]) -> None:
    """The vendor's bytes, in the vendor's order: configure, subscribe, enable, start."""
    client = TwinClient(board(ADDRESS))
    start, heard = started(client, Wish(100.0))
    assert client.written == [
        *QUIET,
        *("190100", "150100"),
        *("0380", "1380"),
        *config,
        *subscribe,
        *("03020100", "13020100", "130101", "030101"),
    ]
    assert start.rate_hz == client.firmware.rate_hz == 100.0
    assert dict(start.settings)["samples per notification"] == "3"
    assert (start.acc_limit_mps2, start.gyr_limit_radps) == pytest.approx(client.firmware.ranges, rel=2e-3)
    assert start.frame_s == pytest.approx(0.03)
    assert heard == []
    client.feel(np.ones((7, 3)), np.zeros((7, 3)))
    decoded = start.decoder.decode_many(heard)
    assert (len(heard), decoded.bad) == (4, ())
    assert len(decoded.block.ticks) == 12


def test_a_board_that_does_not_pack_sends_single_samples() -> None:
    client = TwinClient(sim.MetaMotion(ADDRESS, revision=0))
    start, heard = started(client, Wish(50.0))
    assert client.written[12:14] == ["030401", "130401"]
    assert start.frame_s == 0.0
    client.feel(np.ones((2, 3)), np.zeros((2, 3)))
    assert [len(one) for one in heard] == [8] * 4
    assert start.decoder.decode_many(heard).block.ticks.tolist() == [0, 0, 1, 1]
    with pytest.raises(Refused, match="choose a lower rate"):
        started(TwinClient(sim.MetaMotion(ADDRESS, revision=0)), Wish(100.0))


def test_what_is_refused() -> None:
    with pytest.raises(Refused, match="25, 50, 100, 200 Hz"):
        started(TwinClient(sim.MetaMotion(ADDRESS)), Wish(60.0))
    with pytest.raises(Refused, match="2, 4, 8, 16 g"):
        started(TwinClient(sim.MetaMotion(ADDRESS)), Wish(50.0, acc_range_g=3))
    with pytest.raises(Refused, match="125, 250, 500, 1000, 2000 deg/s"):
        started(TwinClient(sim.MetaMotion(ADDRESS)), Wish(50.0, gyr_range_degps=245))


def test_another_accelerometer_is_refused_by_name() -> None:
    class Bma255(sim.MetaMotion):
        def _answer(self, module: int, register: int, battery_percent: int) -> bytes | None:
            answer = super()._answer(module, register, battery_percent)
            return b"\x03\x80\x03\x02" if (module, register) == (3, 0) else answer

    with pytest.raises(Refused, match=r"accelerometer that Backstop does not know \(kind 3\)"):
        started(TwinClient(Bma255(ADDRESS)), Wish(50.0))


def test_settings_that_do_not_take_are_refused() -> None:
    class Stubborn(sim.MetaMotion):
        def _configure(self, sensor: object, conf: int, range_byte: int) -> None:
            """Keep what there is: 100 Hz, 2 g."""

    with pytest.raises(Refused, match=r"keeps other settings \(a8 00\) than were set \(a7 03\)"):
        started(TwinClient(Stubborn(ADDRESS)), Wish(50.0))


def test_a_board_without_a_voice_ends_the_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    class Mute(sim.MetaMotion):
        def _answer(self, module: int, register: int, battery_percent: int) -> bytes | None:
            return None

    monkeypatch.setattr(dialogue, "ANSWER_S", 0.05)
    with pytest.raises(NoAnswer, match="does not answer command 03 80"):
        started(TwinClient(Mute(ADDRESS)), Wish(50.0))


def test_the_stream_of_a_lost_link_is_not_taken_for_new() -> None:
    """The board goes on measuring; who listens again hears it before its own start."""
    board = sim.MetaMotion(ADDRESS)
    started(TwinClient(board), Wish(100.0, acc_range_g=2))
    board.link_lost()
    client = TwinClient(board)
    heard: list[bytes] = []

    async def again() -> Started:
        assert await PROFILE.read_battery_share(client) == 0.6
        client.feel(np.full((9, 3), 5.0), np.zeros((9, 3)))
        start = await PROFILE.start(client, Wish(50.0), heard.append)
        client.feel(np.full((6, 3), 5.0), np.zeros((6, 3)))
        return start

    start = asyncio.run(again())
    block = start.decoder.decode_many(heard).block
    assert block.ticks.tolist() == [0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5]
    np.testing.assert_allclose(block.acc_mps2[:3], 5.0, atol=0.005)


def test_routes_are_removed_only_where_something_comes_unasked() -> None:
    forget = ["0908", "0a05", "0b0a"]
    client = TwinClient(sim.MetaMotion(ADDRESS))
    started(client, Wish(100.0))
    assert not set(forget) & set(client.written)
    haunted = TwinClient(sim.MetaMotion(ADDRESS))
    haunted.also = lambda _data: None if "0908" in haunted.written else bytes.fromhex("09030012345678")
    start, heard = started(haunted, Wish(100.0))
    assert [one for one in haunted.written if one in forget] == forget
    assert ("left by another program", "its routes were removed") in start.settings
    assert heard == []


@pytest.mark.parametrize("board", [sim.MetaMotion, sim.MetaMotionR])
def test_stop_ends_all_there_is(board: type[sim.MetaMotion]) -> None:
    client = TwinClient(board(ADDRESS))

    async def run() -> None:
        await PROFILE.start(client, Wish(100.0), lambda _data: None)
        assert client.firmware.measuring
        client.written.clear()
        await PROFILE.stop(client)

    asyncio.run(run())
    assert not client.firmware.measuring
    assert client.written[:4] == QUIET
    single, packed = (0x05, 0x07) if board is sim.MetaMotionR else (0x04, 0x05)
    assert client.written[-2:] == [f"13{single:02x}00", f"13{packed:02x}00"]


def test_battery_beside_the_stream_and_a_board_that_does_not_tell() -> None:
    client = TwinClient(sim.MetaMotion(ADDRESS), battery_percent=99)
    heard: list[bytes] = []

    async def run() -> float | None:
        start = await PROFILE.start(client, Wish(100.0), heard.append)
        client.feel(np.ones((3, 3)), np.ones((3, 3)))
        share = await PROFILE.read_battery_share(client)
        assert start.decoder.decode_many(heard).bad == ()
        return share

    assert asyncio.run(run()) == 0.99


@reads(64, 65, 66, 67, 68, 69, 70, 71, 80)
def test_the_twin_encodes_the_sensor_vectors(vector: Vector) -> None:
    """From the values, that is; its own streams use the same function's layout with headers in front."""
    lsb = next(value for name, value in vector.context.items() if name.startswith("lsb_per_"))
    raw = np.rint(decode_triples(vector.data, lsb) * lsb).astype("<i2")
    assert sim.frame(vector.context["module"], vector.context["register"], raw) == vector.data


@reads(72, 73, 74, 75, 76, 77, 78)
def test_the_twin_encodes_the_fusion_vectors(vector: Vector) -> None:
    told = decode_fusion(vector.data)
    scale = {"corrected acceleration": 1000.0, "gravity": 9.80665, "linear acceleration": 9.80665}.get(told.name, 1.0)
    values = (np.array(told.values) * scale).astype("<f4")
    tail = b"" if told.accuracy is None else bytes((told.accuracy,))
    assert sim.frame(vector.context["module"], vector.context["register"], values) + tail == vector.data


@reads(79)
def test_the_twin_encodes_the_battery_vector(vector: Vector) -> None:
    share, volt = decode_battery(vector.data)
    assert sim.battery_answer(round(100 * share), round(1000 * volt)) == vector.data
    assert sim.MetaMotion(ADDRESS).write(mm.COMMAND, b"\x11\x8c", 99)[0].data == vector.data


@reads(64, 65, 66, 67, 68, 69, 80)
def test_the_twins_stream_reproduces_the_sensor_vectors(vector: Vector) -> None:
    """The whole way: a board of that chip, range and form of notification measures the values."""
    context = vector.context
    board = sim.MetaMotion(ADDRESS) if "BMI270" in vector.device else sim.MetaMotionR(ADDRESS)
    acc, module = "range_g" in context, context["module"]
    ranges = mm.ACC_RANGES[board.chips[0]] if acc else mm.GYR_RANGES
    range_byte = ranges[context["range_g"] if acc else context["range_dps"]]
    for command in ((3, 0x28, range_byte), (context["register"], 1), (2, 1, 0), (1, 1)):
        board.write(mm.COMMAND, bytes((module, *command)), 50)
    unit = 9.80665 if acc else np.pi / 180
    lsb = next(value for name, value in context.items() if name.startswith("lsb_per_"))
    values = decode_triples(vector.data, lsb) * unit
    n = np.arange(len(values))
    (sent,) = board.encode(n, n * 10_000, values, values)
    assert sent.payloads.tobytes() == vector.data


MOTION = st.integers(0, 2**32 - 1).map(np.random.default_rng)


@given(
    st.sampled_from([sim.MetaMotion, sim.MetaMotionR]),
    st.sampled_from(PROFILE.rates_offered_hz),
    st.sampled_from([2, 4, 8, 16]),
    st.sampled_from([125, 250, 500, 1000, 2000]),
    st.integers(0, 40),
    MOTION,
)
def test_round_trip(
    board: type[sim.MetaMotion], rate_hz: float, acc_g: int, gyr_degps: int, count: int, rng: np.random.Generator
) -> None:
    """What the twin measured is what the profile reads, within half a step, over all rates and ranges."""
    client = TwinClient(board(ADDRESS))
    start, heard = started(client, Wish(rate_hz, acc_g, gyr_degps))
    assert client.firmware.ranges == pytest.approx((acc_g * 9.80665, np.radians(gyr_degps)))
    acc: FloatArray = rng.uniform(-0.99, 0.99, (count, 3)) * acc_g * 9.80665
    gyr: FloatArray = rng.uniform(-0.99, 0.99, (count, 3)) * np.radians(gyr_degps)
    at = 0
    while at < count:
        step = int(rng.integers(1, 9))
        client.feel(acc[at : at + step], gyr[at : at + step])
        at += step
    block = start.decoder.decode_many(heard).block
    full = count // 3 * 3
    for told, true, limit in (
        (block.acc_mps2, acc, start.acc_limit_mps2),
        (block.gyr_radps, gyr, start.gyr_limit_radps),
    ):
        rows = np.isfinite(told).all(axis=1)
        assert block.ticks[rows].tolist() == list(range(full))
        assert limit is not None
        np.testing.assert_allclose(told[rows], true[:full], atol=0.51 * limit / 32767)
