"""Movesense: its start with new and old firmware, ranges it cannot set, a full table, heart rate, stop; round trips."""

from __future__ import annotations

import asyncio
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.errors import NoAnswer, Refused
from devices.profiles import movesense, recognise
from devices.profiles import movesense_codes as ms
from devices.profiles.movesense import Movesense
from devices.profiles.movesense_frames import MovesenseOptions, decode_samples
from devices.profiles.types import Started, Wish
from devices.sim import movesense as sim
from devices.types import Advertisement, FloatArray
from tests.devices.profiles.twin_client import TwinClient
from tests.devices.profiles.vectors import Vector, reads

ADDRESS = "C0:FF:EE:00:00:02"
PROFILE = Movesense()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some firmware answers nothing; here it need not be waited for as long as over a radio."""
    monkeypatch.setattr(movesense, "_MAYBE_S", 0.02)
    monkeypatch.setattr(movesense, "ANSWER_S", 0.1)


def started(client: TwinClient, wish: Wish) -> tuple[Started, list[bytes]]:
    heard: list[bytes] = []
    return asyncio.run(PROFILE.start(client, wish, heard.append)), heard


def test_recognise() -> None:
    def seen(name: str, services: tuple[str, ...] = (), company: int | None = None) -> Advertisement:
        return Advertisement(ADDRESS, name, services, {} if company is None else {company: b""}, -60)

    for one in (
        seen("Movesense 210330000123"),
        seen("", company=0x0C93),
        seen("", (ms.SERVICE,)),
        seen("Renamed", (ms.SERVICE,)),
        seen("", (ms.ADVERTISED[1],), 0x009F),
    ):
        known = recognise(one)
        assert known is not None
        assert known.family == "movesense"
    # A watch of the same maker carries its identifier and service as well.
    for other in (
        seen("Suunto 9", (ms.ADVERTISED[0],), 0x009F),
        seen("", company=0x009F),
        seen("", (ms.ADVERTISED[0],)),
    ):
        assert not PROFILE.recognise(other)


def test_the_start_with_current_firmware() -> None:
    client = TwinClient(sim.Movesense(ADDRESS))
    start, heard = started(client, Wish(104.0))
    assert [bytes.fromhex(one) for one in client.written] == [
        b"\x04\x04/Meas/Acc/Config\0",
        b"\x04\x05/Meas/Gyro/Config\0",
        b"\x02\x01",
        b"\x02\x02",
        b"\x01\x02/Meas/HR",
        b"\x01\x01/Meas/IMU6/104",
    ]
    assert dict(start.settings) == {
        "rate": "104 Hz",
        "acceleration range": "8 g",
        "angular rate range": "2000 deg/s",
        "heart rate": "asked for",
    }
    assert (start.acc_limit_mps2, start.gyr_limit_radps) == pytest.approx(client.firmware.ranges)
    client.feel(np.ones((17, 3)), np.zeros((17, 3)))
    decoded = start.decoder.decode_many(heard)
    assert decoded.bad == ()
    assert len(decoded.block.ticks) == 16
    assert sorted({len(one) for one in heard if one[0] != 1}) == [42, 158]


def test_the_start_with_the_sample_app() -> None:
    """It answers neither a read nor a subscription that went well: the first data tells."""
    sensor = sim.Movesense(ADDRESS, modern=False)
    client = TwinClient(sensor)
    told: list[Started] = []
    heard: list[bytes] = []

    async def run() -> None:
        task = asyncio.create_task(PROFILE.start(client, Wish(52.0), heard.append))
        while not sensor.measuring:
            await asyncio.sleep(0.001)
        client.feel(np.ones((4, 3)), np.zeros((4, 3)))
        told.append(await task)

    asyncio.run(run())
    assert dict(told[0].settings)["acceleration range"] == "not told by this firmware"
    assert told[0].acc_limit_mps2 is None
    assert len(told[0].decoder.decode_many(heard).block.ticks) == 4


def test_ranges_are_asked_for_unless_the_setting_says_no() -> None:
    client = TwinClient(sim.Movesense(ADDRESS))
    profile = Movesense(MovesenseOptions(ask_ranges=False))
    start = asyncio.run(profile.start(client, Wish(52.0), lambda _data: None))
    assert not any(bytes.fromhex(one)[0] == ms.GET for one in client.written)
    assert (start.acc_limit_mps2, start.gyr_limit_radps) == (None, None)


def test_silence_ends_the_attempt() -> None:
    with pytest.raises(NoAnswer, match="sends nothing"):
        started(TwinClient(sim.Movesense(ADDRESS, modern=False)), Wish(52.0))


def test_what_is_refused() -> None:
    with pytest.raises(Refused, match="13, 26, 52, 104, 208 Hz"):
        started(TwinClient(sim.Movesense(ADDRESS)), Wish(60.0))
    with pytest.raises(Refused, match="cannot be set to 16 g over this protocol, and it has 8 g"):
        started(TwinClient(sim.Movesense(ADDRESS)), Wish(52.0, acc_range_g=16))
    with pytest.raises(Refused, match="does not tell which it has"):
        started(TwinClient(sim.Movesense(ADDRESS, modern=False)), Wish(52.0, gyr_range_degps=2000))
    assert started(TwinClient(sim.Movesense(ADDRESS)), Wish(52.0, 8, 2000))[0].rate_hz == 52.0


def test_a_full_table_is_told() -> None:
    client = TwinClient(sim.Movesense(ADDRESS))
    for reference in (0x60, 0x61, 0x62, 0x63):
        client.firmware.write(ms.COMMAND, bytes((1, reference)) + b"/Meas/HR", 50)
    with pytest.raises(Refused, match=r"status 507\): end the other program"):
        started(client, Wish(52.0))


def test_a_rate_that_the_firmware_lacks_is_told() -> None:
    class Slow(sim.Movesense):
        def _subscribe(self, reference: int, path: str) -> bytes:
            return self._status(404) if path.endswith("208") else super()._subscribe(reference, path)

    with pytest.raises(Refused, match="does not give motion at 208 Hz"):
        started(TwinClient(Slow(ADDRESS)), Wish(208.0))


def test_a_sensor_without_heart_rate_still_streams() -> None:
    class NoHeart(sim.Movesense):
        def _subscribe(self, reference: int, path: str) -> bytes:
            return self._status(404) if path == ms.HEART_PATH else super()._subscribe(reference, path)

    start, _ = started(TwinClient(NoHeart(ADDRESS)), Wish(52.0))
    assert ("heart rate", "not given (status 404)") in start.settings


def test_heart_rate_beside_motion() -> None:
    client = TwinClient(sim.Movesense(ADDRESS))
    start, heard = started(client, Wish(52.0))
    for second in range(20):
        heard += [one.data for one in client.firmware.each_second(7, second)]
    decoded = start.decoder.decode_many(heard)
    assert decoded.bad == ()
    assert len(decoded.heart) >= 19
    beats = [rr_s for _, sample in decoded.heart for rr_s in sample.rr_s]
    # The simulated heart begins at 88 beats a minute and is a little faster after 20 s.
    assert sum(beats) == pytest.approx(20, abs=1)
    assert all(85 <= sample.heart_rate_bpm <= 100 for _, sample in decoded.heart)


def test_stop_and_a_lost_link_end_both_streams() -> None:
    client = TwinClient(sim.Movesense(ADDRESS))

    async def run() -> None:
        await PROFILE.start(client, Wish(52.0), lambda _data: None)
        assert client.firmware.measuring
        await PROFILE.stop(client)

    asyncio.run(run())
    assert not client.firmware.measuring
    assert client.firmware.each_second(7, 1) == ()
    again = TwinClient(sim.Movesense(ADDRESS))
    started(again, Wish(52.0))
    again.firmware.link_lost()
    assert not again.firmware.measuring


@pytest.mark.parametrize(
    ("modern", "more"), [(True, {"application": "gatt_sensordata_app"}), (False, {})], ids=["2.3", "sample app"]
)
def test_device_information_and_battery(modern: bool, more: dict[str, str]) -> None:
    client = TwinClient(sim.Movesense(ADDRESS, modern=modern), battery_percent=41)
    told = dict(asyncio.run(PROFILE.read_device_info(client)))
    assert told["manufacturer"] == "Movesense"
    assert told["serial number"] == client.firmware.name.split()[-1]
    assert told["firmware"] == "2.3.1-simulated"  # the standard text counts, not the application's version
    assert more.items() <= told.items()
    assert ("application" in told) == modern
    assert asyncio.run(PROFILE.read_battery_share(client)) == 0.41


@reads(85, 86)
def test_the_twin_encodes_the_vectors(vector: Vector) -> None:
    sensors = 1 if vector.number == 85 else 3
    tick_ms, samples = decode_samples(vector.data[2:], sensors)
    blocks = [samples[i : i + 1] for i in range(sensors)]
    told = sim.encode_packets(vector.context["reference"], np.array([tick_ms]), *blocks)
    assert told.tobytes() == vector.data


@given(
    st.sampled_from(PROFILE.rates_offered_hz),
    st.integers(0, 60),
    st.integers(0, 2**32 - 1).map(np.random.default_rng),
    st.sampled_from([1, 3, 16]),
)
def test_round_trip(rate_hz: float, count: int, rng: np.random.Generator, calls: int) -> None:
    """What the twin measured is what the profile reads, over all rates, at the time it was measured."""
    client = TwinClient(sim.Movesense(ADDRESS))
    start, heard = started(client, Wish(rate_hz))
    heard.clear()
    limits = client.firmware.ranges
    acc: FloatArray = rng.uniform(-1, 1, (count, 3)) * limits[0]
    gyr: FloatArray = rng.uniform(-1, 1, (count, 3)) * limits[1]
    at = 0
    while at < count:
        step = int(rng.integers(1, 9))
        client.feel(acc[at : at + step], gyr[at : at + step])
        at += step
    told = [start.decoder.decode_many(heard[i : i + calls]) for i in range(0, len(heard), calls)]
    assert all(one.bad == () for one in told)
    samples = {13.0: 1, 26.0: 2, 52.0: 4, 104.0: 8, 208.0: 8}[rate_hz]
    full = count // samples * samples
    none = np.empty((0, 3))
    np.testing.assert_allclose(
        np.concatenate([none, *(one.block.acc_mps2 for one in told)]), acc[:full], rtol=1e-6, atol=1e-9
    )
    np.testing.assert_allclose(
        np.concatenate([none, *(one.block.gyr_radps for one in told)]), gyr[:full], rtol=1e-6, atol=1e-9
    )
    ticks = np.concatenate([np.empty(0), *(one.block.ticks for one in told)])
    # The packet's time is cut to whole ms, and each sample's distance from it rounded.
    np.testing.assert_allclose(ticks, np.arange(full) * 1000 / rate_hz, atol=1.5)


def test_a_duplicated_and_a_late_packet_bear_their_own_time() -> None:
    """The clock sees from it which they are."""
    one, two = (
        b"\x02\x01" + struct.pack("<I24f", 1000 + 77 * i, *([0.0, 0.0, 9.75] * 4), *([0.0] * 12)) for i in (0, 1)
    )
    start, _ = started(TwinClient(sim.Movesense(ADDRESS)), Wish(52.0))
    block = start.decoder.decode_many([two, one, one]).block
    assert block.ticks.tolist() == [1077, 1096, 1115, 1135, *[1000, 1019, 1038, 1058] * 2]
