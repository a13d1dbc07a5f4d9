"""The SIG services, and the two families that have nothing else, against the vectors of a vendor's tests."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.errors import BadPacket, Refused
from devices.profiles import PROFILES, recognise
from devices.profiles import sig_uuids as sig
from devices.profiles.standard import decode_battery_share, decode_heart_rate, decode_running
from devices.profiles.types import Wish
from devices.types import Advertisement
from tests.devices.profiles.vectors import VECTORS, Vector, reads

HEART, RUNNING = PROFILES["heart-rate"], PROFILES["running-speed"]


@reads(38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50)
def test_heart_rate_vectors(vector: Vector) -> None:
    sample, expected = decode_heart_rate(vector.data), vector.expected
    assert sample.heart_rate_bpm == expected["hr_bpm"]
    assert sample.energy_kj == expected.get("energy_expended_kJ")
    assert [round(rr * 1024) for rr in sample.rr_s] == expected.get("rr_1024", [])
    assert [round(rr * 1000) for rr in sample.rr_s] == expected.get("rr_ms", [])
    if expected.get("sensor_contact_supported"):
        assert sample.contact is expected["sensor_contact"]
    else:
        assert sample.contact is None


@reads(51, 52)
def test_running_vectors(vector: Vector) -> None:
    sample, expected = decode_running(vector.data), vector.expected
    assert sample.speed_mps == expected["speed_raw_1_256_m_per_s"] / 256
    assert sample.speed_mps == vector.derived.get("speed_m_per_s", sample.speed_mps)
    assert (sample.cadence_spm, sample.running) == (expected["cadence_per_min"], expected["running"])
    if "stride_length_cm" in expected:
        assert sample.stride_m == pytest.approx(expected["stride_length_cm"] / 100)
        assert sample.distance_m == pytest.approx(expected["total_distance_raw_0.1_m"] / 10)
    else:
        assert (sample.stride_m, sample.distance_m) == (None, None)


@pytest.mark.parametrize("frame_hex", ["", "00", "01ff", "0900", "10003f", "100000000a", "0a0b0c", "08007f"])
def test_a_heart_rate_of_a_wrong_length_is_a_bad_packet(frame_hex: str) -> None:
    with pytest.raises(BadPacket):
        decode_heart_rate(bytes.fromhex(frame_hex))


@pytest.mark.parametrize("frame_hex", ["", "00", "000a00", "000a001400", "010a0014", "030a00140000", "020a0014000000"])
def test_a_running_value_of_a_wrong_length_is_a_bad_packet(frame_hex: str) -> None:
    with pytest.raises(BadPacket, match="not the length"):
        decode_running(bytes.fromhex(frame_hex))


def test_battery() -> None:
    assert decode_battery_share(b"\x57") == 0.87
    for wrong in (b"", b"\x65", b"\x00\x01"):
        with pytest.raises(BadPacket, match="0 to 100 %"):
            decode_battery_share(wrong)


@given(st.binary(max_size=30))
def test_any_bytes_are_decoded_or_a_bad_packet(data: bytes) -> None:
    with contextlib.suppress(BadPacket):
        assert 0.0 <= decode_battery_share(data) <= 1.0
    with contextlib.suppress(BadPacket):
        sample = decode_heart_rate(data)
        # The widest that the wire can say: 16 bits of bpm, and of 1/1024 s for each interval.
        assert 0 <= sample.heart_rate_bpm <= 0xFFFF
        assert all(0.0 <= interval_s <= 0xFFFF / 1024 for interval_s in sample.rr_s)
        assert 2 * len(sample.rr_s) <= len(data)
    with contextlib.suppress(BadPacket):
        running = decode_running(data)
        assert 0 <= running.speed_mps < 256
        assert len(data) == 4 + 2 * (running.stride_m is not None) + 4 * (running.distance_m is not None)


def seen(*uuids: str, name: str = "") -> Advertisement:
    return Advertisement("C0:00:00:00:00:01", name, uuids, {}, -60)


def test_recognised_by_their_service_unless_another_family_is() -> None:
    assert recognise(seen(sig.HEART_RATE_SERVICE)) is HEART
    assert recognise(seen(sig.RUNNING_SPEED_SERVICE)) is RUNNING
    assert recognise(seen(sig.BATTERY_SERVICE)) is None
    # A watch that has both is a heart rate strap that runs; a Movella DOT with a strap is a DOT.
    assert recognise(seen(sig.RUNNING_SPEED_SERVICE, sig.HEART_RATE_SERVICE)) is HEART
    assert recognise(seen(sig.HEART_RATE_SERVICE, name="Movella DOT")) is PROFILES["movella-dot"]


class Listener:
    """A connected product with some characteristics."""

    def __init__(self, *uuids: str) -> None:
        self.uuids = uuids
        self.callbacks: dict[str, Callable[[Any, bytearray], Any]] = {}
        self.services = self

    def get_characteristic(self, specifier: Any) -> Any | None:
        return specifier if specifier in self.uuids else None

    async def read_gatt_char(self, char_specifier: Any) -> bytearray:
        raise AssertionError

    async def write_gatt_char(self, char_specifier: Any, data: bytes, response: bool | None = None) -> None:
        raise AssertionError

    async def start_notify(self, char_specifier: Any, callback: Callable[[Any, bytearray], Any]) -> None:
        self.callbacks[char_specifier] = callback

    async def stop_notify(self, char_specifier: Any) -> None:
        del self.callbacks[char_specifier]


def test_a_strap_gives_heart_rate_and_no_samples() -> None:
    client, taken = Listener(sig.HEART_RATE_MEASUREMENT), []
    started = asyncio.run(HEART.start(client, Wish(1.0), taken.append))
    client.callbacks[sig.HEART_RATE_MEASUREMENT](None, bytearray(VECTORS[49].data))
    decoded = started.decoder.decode_many([*taken, b"\x10", VECTORS[46].data])
    assert [(at, beat.heart_rate_bpm, len(beat.rr_s), beat.energy_kj) for at, beat in decoded.heart] == [
        (0, 0, 2, None),
        (2, 0, 0, 65535),
    ]
    assert (decoded.bad, len(decoded.block.ticks)) == ((1,), 0)
    assert "not the length" in (decoded.reason or "")
    asyncio.run(HEART.stop(client))
    assert client.callbacks == {}


def test_a_pod_gives_running_and_no_samples() -> None:
    client, taken = Listener(sig.RUNNING_SPEED_MEASUREMENT), []
    started = asyncio.run(RUNNING.start(client, Wish(1.0), taken.append))
    client.callbacks[sig.RUNNING_SPEED_MEASUREMENT](None, bytearray(VECTORS[51].data))
    decoded = started.decoder.decode_many(taken)
    assert [(at, one.cadence_spm) for at, one in decoded.running] == [(0, 86)]
    assert (decoded.heart, decoded.bad, len(decoded.block.ticks)) == ((), (), 0)


def test_what_cannot_be_started() -> None:
    with pytest.raises(Refused, match="choose one of 1 Hz"):
        asyncio.run(HEART.start(Listener(sig.HEART_RATE_MEASUREMENT), Wish(50.0), lambda data: None))
    with pytest.raises(Refused, match="lacks the characteristic 00002a53"):
        asyncio.run(RUNNING.start(Listener(), Wish(1.0), lambda data: None))


def test_both_say_that_they_carry_no_motion() -> None:
    for profile in (HEART, RUNNING):
        assert "no motion samples" in profile.cannot[0]
        assert not {"acc", "gyr"} & set(profile.sensors)
