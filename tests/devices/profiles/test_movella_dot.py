"""Movella DOT: vectors of vendor and captures, damaged and foreign frames, the order of its start."""

from __future__ import annotations

import asyncio
import math
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.errors import Refused
from devices.profiles import PROFILES, profile_of, recognise
from devices.profiles.movella_dot import FREE_ACCELERATION, RateQuantitiesDecoder, decode_payload
from devices.profiles.types import Wish
from devices.types import Advertisement

DOT = PROFILES["movella-dot"]
CONTROL, MEASURE, MEDIUM = (f"1517{short}-4947-11e9-8646-d663bd873d93" for short in ("1002", "2001", "2003"))


def frame(ticks: int, acc: tuple[float, ...], gyr_degps: tuple[float, ...], padding: bytes = bytes(12)) -> bytes:
    """Mode 21 as the vendor's table of fields states it."""
    return struct.pack("<I6f", ticks, *acc, *gyr_degps) + padding


GOOD = frame(1143080408, (0.5, -9.75, 1.25), (90.0, -180.0, 0.0))


@pytest.mark.parametrize(
    ("frame_hex", "ticks", "acc"),
    [
        ("d8052244af9640406b2aa7405add14c000000000", 1143080408, [3.009197, 5.223928, -2.3260102]),
        ("f34622440da53c409c13a640f01009c000000000", 1143097075, [2.947574, 5.1898937, -2.1416588]),
    ],
)
def test_captured_free_acceleration(frame_hex: str, ticks: int, acc: list[float]) -> None:
    """Source: protobioengineering/xsens-dot-python-examples, printed notifications."""
    row = decode_payload(FREE_ACCELERATION, bytes.fromhex(frame_hex))[0]
    assert row["ticks"] == ticks
    np.testing.assert_array_equal(row["free_acc_mps2"], np.array(acc, dtype=np.float32))
    assert "20 bytes, not 40" in (RateQuantitiesDecoder().decode_many([bytes.fromhex(frame_hex)]).reason or "")


def test_mode_21_in_si_units() -> None:
    block = RateQuantitiesDecoder().decode_many([GOOD]).block
    assert block.ticks.tolist() == [1143080408]
    assert block.acc_mps2.tolist() == [[0.5, -9.75, 1.25]]
    np.testing.assert_allclose(block.gyr_radps, [[math.pi / 2, -math.pi, 0.0]], atol=1e-12)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        GOOD[:28],
        GOOD[:-1],
        GOOD + b"\0",
        frame(1, (math.nan, 0, 9.8), (0, 0, 0)),
        frame(1, (0, 0, 9.8), (0, -math.inf, 0)),
        frame(1, (0, 200.0, 9.8), (0, 0, 0)),
        frame(1, (0, 0, 9.8), (0, 0, -2300.0)),
        frame(1, (0, 0, 9.8), (0, 0, 0), padding=b"\x01" + bytes(11)),
    ],
)
def test_damaged_truncated_and_foreign_frames(data: bytes) -> None:
    decoded = RateQuantitiesDecoder().decode_many([data])
    assert (len(decoded.block.ticks), decoded.bad) == (0, (0,))
    assert "not used" in (decoded.reason or "")


def test_many_frames_keep_order_and_name_the_others() -> None:
    frames = [frame(i, (0, 0, 9.8), (i, 0, 0)) for i in range(6)]
    frames[1] = frames[1][:20]
    frames[4] = frame(4, (0, 0, math.nan), (0, 0, 0))
    decoded = RateQuantitiesDecoder().decode_many(frames)
    assert decoded.block.ticks.tolist() == [0, 2, 3, 5]
    assert decoded.frame_of.tolist() == [0, 2, 3, 5]
    assert decoded.bad == (1, 4)
    assert "20 bytes" in (decoded.reason or "")
    nothing = RateQuantitiesDecoder().decode_many([b"", b"x"])
    assert (len(nothing.block.ticks), nothing.bad) == (0, (0, 1))


@given(st.lists(st.one_of(st.binary(max_size=50), st.binary(min_size=40, max_size=40)), max_size=8))
def test_any_bytes_are_samples_or_counted(frames: list[bytes]) -> None:
    decoded = RateQuantitiesDecoder().decode_many(frames)
    assert sorted([*decoded.bad, *decoded.frame_of.tolist()]) == list(range(len(frames)))
    assert np.isfinite(decoded.block.acc_mps2).all()
    assert np.isfinite(decoded.block.gyr_radps).all()
    assert (decoded.reason is None) == (decoded.bad == ())


def test_recognise_by_company_or_name() -> None:
    def seen(name: str, company: int | None) -> Advertisement:
        return Advertisement("D4:CA:6E:00:00:01", name, (), {} if company is None else {company: b"\0"}, -60)

    assert recognise(seen("", 0x0886)) is DOT
    assert recognise(seen("Xsens DOT", None)) is DOT
    assert recognise(seen("Movella DOT 3", None)) is DOT
    assert recognise(seen("Some watch", 0x006B)) is None
    with pytest.raises(Refused, match="movella-dot"):
        profile_of("none-such")


class Registers:
    """The two registers a start touches, and what was asked of them in which order."""

    def __init__(self, measuring: bool = False, sticks_at_hz: int | None = None) -> None:
        self.asked: list[str] = []
        self.control = bytearray(32)
        self.control[0] = 0x3F
        self.control[7:16] = b"\x08My strap"
        struct.pack_into("<H", self.control, 24, 60)
        self.measuring = measuring
        self.sticks_at_hz = sticks_at_hz
        self.services = self

    def get_characteristic(self, specifier: Any) -> Any | None:
        return None

    async def read_gatt_char(self, char_specifier: Any) -> bytearray:
        return self.control if char_specifier == CONTROL else bytearray((1, self.measuring, 21))

    async def write_gatt_char(self, char_specifier: Any, data: bytes, response: bool | None = None) -> None:
        assert response is True
        self.asked.append(f"{char_specifier[4:8]} {data.hex() if char_specifier == MEASURE else data[0]}")
        if char_specifier == CONTROL:
            assert not self.measuring
            assert data[7:16] == b"\x08My strap"
            (rate,) = struct.unpack_from("<H", data, 24)
            struct.pack_into("<H", self.control, 24, self.sticks_at_hz or rate)
        else:
            self.measuring = bool(data[1])

    async def start_notify(self, char_specifier: Any, callback: Callable[[Any, bytearray], Any]) -> None:
        assert char_specifier == MEDIUM
        self.asked.append("notify")

    async def stop_notify(self, char_specifier: Any) -> None:
        raise AssertionError


def test_start_sets_the_rate_then_subscribes_then_starts() -> None:
    registers = Registers()
    assert asyncio.run(DOT.start(registers, Wish(30.0), lambda data: None)).rate_hz == 30.0
    assert registers.asked == ["1002 16", "notify", "2001 010115"]


def test_a_wearable_left_measuring_is_stopped_first() -> None:
    registers = Registers(measuring=True)
    asyncio.run(DOT.start(registers, Wish(60.0), lambda data: None))
    assert registers.asked == ["2001 010015", "1002 16", "notify", "2001 010115"]
    asyncio.run(DOT.stop(registers))
    assert registers.asked[-1] == "2001 010015"


def test_a_rate_the_product_lacks_is_refused() -> None:
    with pytest.raises(Refused, match="10, 12, 15, 20, 30, 60 Hz"):
        asyncio.run(DOT.start(Registers(), Wish(50.0), lambda data: None))
    with pytest.raises(Refused, match="stays at 60 Hz"):
        asyncio.run(DOT.start(Registers(sticks_at_hz=60), Wish(30.0), lambda data: None))
