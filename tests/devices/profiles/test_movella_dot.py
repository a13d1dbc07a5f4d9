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
from devices.profiles.movella_dot import DotOptions, MovellaDot
from devices.profiles.movella_dot_payloads import MODES, PayloadDecoder, decode_payload
from devices.profiles.types import Wish
from devices.types import Advertisement
from tests.devices.profiles.vectors import Vector, reads

DOT = PROFILES["movella-dot"]
CONTROL, MEASURE, HEADING = (f"1517{short}-4947-11e9-8646-d663bd873d93" for short in ("1002", "2001", "2006"))


def mode_21() -> PayloadDecoder:
    return PayloadDecoder(MODES[21])


def frame(ticks: int, acc: tuple[float, ...], gyr_degps: tuple[float, ...], padding: bytes = bytes(12)) -> bytes:
    """Mode 21 as the vendor's table of fields states it."""
    return struct.pack("<I6f", ticks, *acc, *gyr_degps) + padding


GOOD = frame(1143080408, (0.5, -9.75, 1.25), (90.0, -180.0, 0.0))


@reads(53, 54)
def test_captured_free_acceleration(vector: Vector) -> None:
    (row,) = decode_payload(MODES[vector.context["payload_mode"]], vector.data)
    assert row["ticks"] == vector.expected["timestamp_us"]
    expected = np.array(vector.expected["free_acceleration_m_per_s2"], dtype=np.float32)
    np.testing.assert_array_equal(row["free_acc_mps2"], expected)
    assert "20 bytes, not 40" in (mode_21().decode_many([vector.data]).reason or "")


# Each mode as the vendor's table of fields states it, written without our layouts.
_Q, _FREE, _GYR, _ACC, _EULER = (
    (0.5, -0.5, 0.5, -0.5),
    (1.0, -2.0, 3.0),
    (90.0, -180.0, 1.0),
    (0, -9.5, 1),
    (10, -20, 179),
)
AS_DOCUMENTED: dict[int, tuple[bytes, dict[str, tuple[float, ...]]]] = {
    2: (
        struct.pack("<I4f3fHBB", 7, *_Q, *_FREE, 0x201, 3, 4),
        {"quaternion_wxyz": _Q, "free_acc_mps2": _FREE, "status": (0x201,), "acc_clips": (3,), "gyr_clips": (4,)},
    ),
    3: (struct.pack("<I4f3f", 7, *_Q, *_FREE), {"quaternion_wxyz": _Q, "free_acc_mps2": _FREE}),
    4: (struct.pack("<I3f", 7, *_EULER), {"euler_deg": _EULER}),
    5: (struct.pack("<I4f", 7, *_Q), {"quaternion_wxyz": _Q}),
    6: (struct.pack("<I3f", 7, *_FREE), {"free_acc_mps2": _FREE}),
    7: (
        struct.pack("<I3f3fHBB", 7, *_EULER, *_FREE, 8, 0, 1),
        {"euler_deg": _EULER, "free_acc_mps2": _FREE, "status": (8,), "acc_clips": (0,), "gyr_clips": (1,)},
    ),
    16: (struct.pack("<I3f3f", 7, *_EULER, *_FREE), {"euler_deg": _EULER, "free_acc_mps2": _FREE}),
    18: (
        struct.pack("<I4f3f3h", 7, *_Q, *_FREE, 4096, -1, 2),
        {"delta_quaternion_wxyz": _Q, "delta_velocity_mps": _FREE, "mag_counts": (4096, -1, 2)},
    ),
    19: (struct.pack("<I4f3f", 7, *_Q, *_FREE), {"delta_quaternion_wxyz": _Q, "delta_velocity_mps": _FREE}),
    20: (
        struct.pack("<I3f3f3h", 7, *_ACC, *_GYR, 5, -6, 7),
        {"acc_mps2": _ACC, "gyr_degps": _GYR, "mag_counts": (5, -6, 7)},
    ),
    21: (struct.pack("<I3f3f", 7, *_ACC, *_GYR), {"acc_mps2": _ACC, "gyr_degps": _GYR}),
    22: (
        struct.pack("<I3f3f3f", 7, *_EULER, *_FREE, *_GYR),
        {"euler_deg": _EULER, "free_acc_mps2": _FREE, "gyr_degps": _GYR},
    ),
    23: (
        struct.pack("<I3f3f3h", 7, *_EULER, *_FREE, 5, -6, 7),
        {"euler_deg": _EULER, "free_acc_mps2": _FREE, "mag_counts": (5, -6, 7)},
    ),
    24: (struct.pack("<I4f3f", 7, *_Q, *_GYR), {"quaternion_wxyz": _Q, "gyr_degps": _GYR}),
    26: (
        struct.pack("<I4f3f3f", 7, *_Q, *_ACC, *_GYR),
        {"quaternion_wxyz": _Q, "acc_mps2": _ACC, "gyr_degps": _GYR},
    ),
}
PADDED = {"15172004": 20, "15172003": 40, "15172002": 63}


@pytest.mark.parametrize("number", AS_DOCUMENTED)
def test_every_mode_as_documented(number: int) -> None:
    mode, (packed, expected) = MODES[number], AS_DOCUMENTED[number]
    rows: list[Any] = []
    data = packed.ljust(PADDED[mode.uuid[:8]], b"\0")
    decoded = PayloadDecoder(mode, on_rows=rows.append).decode_many([data, data[:-1], data])
    assert decoded.bad == (1,)
    assert len(rows[0]) == 2
    assert rows[0]["ticks"].tolist() == [7, 7]
    assert set(rows[0].dtype.names) == {"ticks", *expected}
    for name, values in expected.items():
        np.testing.assert_array_equal(np.atleast_1d(rows[0][name][1]), values)
    has_samples = "acc_mps2" in expected
    assert len(decoded.block.ticks) == 2 * has_samples
    if has_samples:
        np.testing.assert_allclose(decoded.block.gyr_radps[1], np.radians(_GYR), rtol=1e-6)
        assert decoded.block.acc_mps2[1].tolist() == list(_ACC)
        assert decoded.frame_of.tolist() == [0, 2]


def test_the_modes_are_those_of_the_vendors_table() -> None:
    assert sorted(MODES) == sorted(AS_DOCUMENTED)
    with pytest.raises(Refused, match="no payload mode 17"):
        MovellaDot(DotOptions(mode=17))


def test_what_cannot_be_is_not_used_in_the_fused_modes_either() -> None:
    long, short = MODES[26], MODES[4]
    for values in ((0.5, 0.5, 0.5, 0.9), (math.nan, 0, 0, 1)):
        data = struct.pack("<I4f3f3f", 7, *values, *_ACC, *_GYR).ljust(63, b"\0")
        assert "quaternion" in (PayloadDecoder(long).decode_many([data]).reason or "")
    data = struct.pack("<I3f", 7, 1e9, 0, 0).ljust(20, b"\0")
    assert PayloadDecoder(short).decode_many([data]).bad == (0,)


def test_mode_26_gives_no_samples_where_its_acceleration_lacks_gravity() -> None:
    packed = AS_DOCUMENTED[26][0].ljust(63, b"\0")
    started = asyncio.run(
        MovellaDot(DotOptions(mode=26, mode_26_has_gravity=False)).start(
            Registers(subscribes="2002"), Wish(60.0), lambda data: None
        )
    )
    decoded = started.decoder.decode_many([packed])
    assert (len(decoded.block.ticks), decoded.bad) == (0, ())


def test_mode_21_in_si_units() -> None:
    block = mode_21().decode_many([GOOD]).block
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
    decoded = mode_21().decode_many([data])
    assert (len(decoded.block.ticks), decoded.bad) == (0, (0,))
    assert "not used" in (decoded.reason or "")


def test_many_frames_keep_order_and_name_the_others() -> None:
    frames = [frame(i, (0, 0, 9.8), (i, 0, 0)) for i in range(6)]
    frames[1] = frames[1][:20]
    frames[4] = frame(4, (0, 0, math.nan), (0, 0, 0))
    decoded = mode_21().decode_many(frames)
    assert decoded.block.ticks.tolist() == [0, 2, 3, 5]
    assert decoded.frame_of.tolist() == [0, 2, 3, 5]
    assert decoded.bad == (1, 4)
    assert "20 bytes" in (decoded.reason or "")
    nothing = mode_21().decode_many([b"", b"x"])
    assert (len(nothing.block.ticks), nothing.bad) == (0, (0, 1))


@given(st.lists(st.one_of(st.binary(max_size=50), st.binary(min_size=40, max_size=40)), max_size=8))
def test_any_bytes_are_samples_or_counted(frames: list[bytes]) -> None:
    decoded = mode_21().decode_many(frames)
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

    def __init__(self, measuring: bool = False, sticks_at_hz: int | None = None, subscribes: str = "2003") -> None:
        self.subscribes = subscribes
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
        self.asked.append(f"{char_specifier[4:8]} {data[0] if char_specifier == CONTROL else data.hex()}")
        if char_specifier == HEADING:
            assert self.measuring
        elif char_specifier == CONTROL:
            assert not self.measuring
            assert data[7:16] == b"\x08My strap"
            (rate,) = struct.unpack_from("<H", data, 24)
            struct.pack_into("<H", self.control, 24, self.sticks_at_hz or rate)
        else:
            self.measuring = bool(data[1])

    async def start_notify(self, char_specifier: Any, callback: Callable[[Any, bytearray], Any]) -> None:
        assert char_specifier[4:8] == self.subscribes
        self.asked.append("notify")

    async def stop_notify(self, char_specifier: Any) -> None:
        raise AssertionError


def test_start_sets_the_rate_then_subscribes_then_starts() -> None:
    registers = Registers()
    assert asyncio.run(DOT.start(registers, Wish(30.0), lambda data: None)).rate_hz == 30.0
    assert registers.asked == ["1002 16", "notify", "2001 010115"]


def test_a_wearable_left_measuring_is_stopped_first() -> None:
    registers = Registers(measuring=True)
    asyncio.run(DOT.start(registers, Wish(30.0), lambda data: None))
    assert registers.asked == ["2001 010015", "1002 16", "notify", "2001 010115"]
    asyncio.run(DOT.stop(registers))
    assert registers.asked[-1] == "2001 010015"


def test_a_rate_that_is_set_already_is_not_written_again() -> None:
    registers = Registers()
    started = asyncio.run(DOT.start(registers, Wish(60.0), lambda data: None))
    assert registers.asked == ["notify", "2001 010115"]
    assert started.settings == (("rate", "60 Hz"), ("payload mode", "21 (rate quantities)"))
    assert started.acc_limit_mps2 == pytest.approx(16 * 9.80665)
    assert started.gyr_limit_radps == pytest.approx(math.radians(2000))


def test_another_mode_starts_on_its_own_characteristic() -> None:
    for number, short in ((20, "2003"), (26, "2002"), (5, "2004")):
        registers = Registers(subscribes=short)
        profile = MovellaDot(DotOptions(mode=number))
        asyncio.run(profile.start(registers, Wish(60.0), lambda data: None))
        asyncio.run(profile.stop(registers))
        assert registers.asked == ["notify", f"2001 0101{number:02x}", f"2001 0100{number:02x}"]
        assert profile.notify_uuids == (f"1517{short}-4947-11e9-8646-d663bd873d93",)


def test_the_heading_is_reset_and_reverted_while_measuring() -> None:
    registers = Registers(measuring=True)
    profile = MovellaDot(DotOptions(mode=4))
    asyncio.run(profile.reset_heading(registers))
    asyncio.run(profile.revert_heading(registers))
    assert registers.asked == ["2006 0100", "2006 0700"]


def test_a_rate_the_product_lacks_is_refused() -> None:
    with pytest.raises(Refused, match="10, 12, 15, 20, 30, 60 Hz"):
        asyncio.run(DOT.start(Registers(), Wish(50.0), lambda data: None))
    with pytest.raises(Refused, match="stays at 60 Hz"):
        asyncio.run(DOT.start(Registers(sticks_at_hz=60), Wish(30.0), lambda data: None))


@pytest.mark.proof
@pytest.mark.parametrize("number", MODES)
def test_anything_of_the_right_length_is_rows_or_counted(
    number: int, full_or_quick: Callable[[int, int], int], figure: Callable[[str, object, str], None]
) -> None:
    """Random bytes, and documented frames with some bytes changed; no other outcome, and no value that cannot be."""
    mode, count = MODES[number], full_or_quick(100_000, 2_000)
    size, rng = mode.layout.itemsize, np.random.default_rng(number)
    frames = np.tile(np.frombuffer(AS_DOCUMENTED[number][0].ljust(size, b"\0"), np.uint8), (count, 1))
    frames[: count // 2] = rng.integers(0, 256, (count // 2, size), dtype=np.uint8)
    changed = rng.integers(count // 2, count, count)
    frames[changed, rng.integers(0, size, count)] = rng.integers(0, 256, count, dtype=np.uint8)
    rows: list[Any] = []
    decoded = PayloadDecoder(mode, on_rows=rows.append).decode_many([row.tobytes() for row in frames])
    used = sum(map(len, rows))
    assert used + len(decoded.bad) == count
    assert used > 0
    for name in mode.fields:
        assert np.isfinite(rows[0][name]).all()
    assert np.isfinite(decoded.block.acc_mps2).all()
    assert len(decoded.block.ticks) in (0, used)
    figure(f"fuzzed frames of payload mode {number}", count, f"{used} of them possible")
