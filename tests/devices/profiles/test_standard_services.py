"""SIG services against the vectors of a vendor: polarofficial/polar-ble-sdk, BleHrClientTest."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.errors import BadPacket
from devices.profiles.standard import (
    decode_battery_share,
    decode_heart_rate,
)


@pytest.mark.parametrize(
    ("frame_hex", "bpm", "contact", "rr_ms"),
    [
        ("00ff", 255, None, []),
        ("007f", 127, None, []),
        ("018080", 32896, None, []),
        ("017f7f", 32639, None, []),
        ("0600", 0, True, []),
        ("0400", 0, False, []),
        ("0200", 0, None, []),
        ("0000", 0, None, []),
        ("090000ffff", 0, None, []),
        ("08007f80", 0, None, []),
        ("1000ffff", 0, None, [63999]),
        ("110000ffff7f80", 0, None, [63999, 32124]),
        ("1100000000", 0, None, [0]),
    ],
)
def test_heart_rate_vectors(frame_hex: str, bpm: int, contact: bool | None, rr_ms: list[int]) -> None:
    sample = decode_heart_rate(bytes.fromhex(frame_hex))
    assert (sample.heart_rate_bpm, sample.contact) == (bpm, contact)
    assert [round(rr * 1000) for rr in sample.rr_s] == rr_ms


@pytest.mark.parametrize("frame_hex", ["", "00", "01ff", "0900", "10003f", "100000000a", "0a0b0c", "08007f"])
def test_a_heart_rate_of_a_wrong_length_is_a_bad_packet(frame_hex: str) -> None:
    with pytest.raises(BadPacket):
        decode_heart_rate(bytes.fromhex(frame_hex))


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
