"""Chunks as bytes: round trip, resend, size bounds, and any damage is one of two errors."""

from __future__ import annotations

import contextlib
import struct
import zlib
from dataclasses import replace

import numpy as np
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.codec import SAMPLES_MAX, decode_chunk, encode_chunk
from devices.errors import BadPacket, UnknownFormat
from devices.types import NO_RECEPTION, Chunk, Gap, Reception

ids = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


counts = st.integers(0, 2**32 - 1)
measured = st.none() | st.floats(-1e6, 1e6)
receptions = st.builds(
    Reception, counts, counts, counts, counts, counts, measured, measured, measured, measured, measured
)


@st.composite
def chunks(draw: st.DrawFn) -> Chunk:
    n = draw(st.integers(0, 400))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    scale = 10.0 ** draw(st.integers(-9, 6))
    acc, gyr = rng.normal(0, scale, (n, 3)), rng.uniform(-1, 1, (n, 3)) * draw(st.sampled_from([0.0, 1e-15, 1.0, 35.0]))
    gaps, at = [], 0
    for lead, count in draw(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 40)), max_size=6)):
        if at + lead + count > n:
            break
        gaps.append(Gap(at + lead, count))
        at += lead + count
        acc[at - count : at] = gyr[at - count : at] = np.nan
    # A wearable without a gyroscope, and rows whose partner never came.
    for first in draw(st.lists(st.integers(0, 400), max_size=4) | st.just([0])):
        gyr[first : first + draw(st.integers(1, 50) | st.just(400))] = np.nan
    start_utc_s, rate_hz = draw(st.floats(0, 4e9)), draw(st.floats(0.1, 2000))
    place = draw(st.integers(0, 2**32 - 1)), draw(st.integers(0, 2**53 - 1))
    reception = draw(receptions)
    return Chunk(draw(ids), draw(ids), place[0], start_utc_s, place[1], rate_hz, acc, gyr, tuple(gaps), reception)


@settings(max_examples=150, deadline=None)
@given(chunks())
def test_round_trip_within_half_an_lsb_and_a_resend_is_the_same_bytes(chunk: Chunk) -> None:
    data = encode_chunk(chunk)
    back = decode_chunk(data)
    for name in ("device_id", "recording_id", "seq", "start_utc_s", "start_index", "rate_hz", "gaps", "reception"):
        assert getattr(back, name) == getattr(chunk, name)
    for given_rows, rows in ((chunk.acc_mps2, back.acc_mps2), (chunk.gyr_radps, back.gyr_radps)):
        assert rows.shape == given_rows.shape
        np.testing.assert_array_equal(np.isnan(rows), np.isnan(given_rows))
        largest = np.nanmax(np.abs(given_rows), initial=0.0)
        # 15 bits hold the largest value, so one LSB is at most 2^-14 of it; 2^-40 is the finest LSB.
        half_lsb = max(largest * 2.0**-14, 2.0**-40) / 2
        assert np.nanmax(np.abs(rows - given_rows), initial=0.0) <= half_lsb
    assert encode_chunk(back) == data


def example(n: int = 50) -> Chunk:
    rng = np.random.default_rng(3)
    acc, gyr = rng.normal(0, 5, (n, 3)), rng.normal(0, 1, (n, 3))
    acc[4:9] = gyr[4:9] = np.nan
    return Chunk("C0:FF:EE:00:00:01", "r-1", 2, 1.8e9, 700, 60.0, acc, gyr, (Gap(4, 5),))


def sealed(content: bytes) -> bytes:
    return content + zlib.crc32(content).to_bytes(4, "little")


DATA = encode_chunk(example())


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_damage_is_a_bad_packet_or_an_unknown_format(data: st.DataObject) -> None:
    """Also with a checksum that fits, so that every check behind it is reached."""
    damaged = bytearray(DATA)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    damaged = damaged[: data.draw(st.integers(0, len(damaged)))] if data.draw(st.booleans()) else damaged
    with contextlib.suppress(BadPacket, UnknownFormat):
        assert bytes(damaged) == DATA or decode_chunk(bytes(damaged)) is None
    with contextlib.suppress(BadPacket, UnknownFormat):
        decode_chunk(sealed(bytes(damaged[:-4])))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_foreign_bytes(data: bytes) -> None:
    with pytest.raises((BadPacket, UnknownFormat)):
        decode_chunk(data)
    for version in (b"\x01", b"\x02"):
        with contextlib.suppress(BadPacket):
            decode_chunk(sealed(b"BSCK" + version + data))


def test_what_is_wrong_is_said() -> None:
    with pytest.raises(UnknownFormat, match="no chunk"):
        decode_chunk(b"PK\x03\x04" + bytes(80))
    with pytest.raises(UnknownFormat, match="update Backstop"):
        decode_chunk(DATA[:4] + b"\x03" + DATA[5:])
    with pytest.raises(BadPacket, match="cut off"):
        decode_chunk(DATA[:30])
    with pytest.raises(BadPacket, match="checksum"):
        decode_chunk(DATA[:-5] + b"\0" + DATA[-4:])


# Written by the first version of this file, before there was a second layout.
VERSION_1 = bytes.fromhex(
    "4253434b0103000000000010b061bfda41dc050000000000000000000000004e400800000001000000f4f311032b00000044343a32323a43443a"
    "30303a30303a3037722d39020000000200000028b52ffd2048150100b80000c01848181818c8d0000c240c0c0c04080c240c0c0c0400400cdc4d6"
    "98d03b0a229da20"
)


def test_a_chunk_of_the_first_layout_is_still_read() -> None:
    chunk = decode_chunk(VERSION_1)
    assert (chunk.key, chunk.start_utc_s, chunk.start_index) == ("D4:22:CD:00:00:07-r-9-3", 1_795_000_000.25, 1500)
    assert (chunk.rate_hz, chunk.gaps, chunk.reception) == (60.0, (Gap(2, 2),), NO_RECEPTION)
    values = np.arange(24).reshape(8, 3).astype(float)
    values[2:4] = np.nan
    np.testing.assert_allclose(chunk.acc_mps2, values * 0.5 - 4)
    np.testing.assert_allclose(chunk.gyr_radps, values * 0.125)
    # Stored anew it is of the second layout, and the same chunk.
    again = encode_chunk(chunk)
    assert again[4] == 2
    assert decode_chunk(again).gaps == chunk.gaps


def test_a_wearable_without_a_gyroscope_costs_no_bytes_for_it() -> None:
    full = example(300)
    without = replace(full, gyr_radps=np.full((300, 3), np.nan))
    back = decode_chunk(encode_chunk(without))
    assert np.isnan(back.gyr_radps).all()
    assert not back.has_gyroscope
    assert len(encode_chunk(without)) < 0.6 * len(encode_chunk(full))


def test_a_body_that_unpacks_to_more_is_not_unpacked() -> None:
    """A frame of a few bytes that claims, or hides, far more than the header states."""
    header = struct.Struct("<IdqdIIbbBBI")
    for body in (
        zstandard.ZstdCompressor().compress(bytes(50_000_000)),
        zstandard.ZstdCompressor(write_content_size=False).compress(bytes(50_000_000)),
    ):
        content = b"BSCK\x01" + header.pack(0, 0.0, 0, 60.0, 300, 0, 0, 0, 0, 0, len(body)) + body
        with pytest.raises(BadPacket, match="300 samples"):
            decode_chunk(sealed(content))
    content = b"BSCK\x01" + header.pack(0, 0.0, 0, 60.0, SAMPLES_MAX + 1, 0, 0, 0, 0, 0, 0)
    with pytest.raises(BadPacket, match=f"more than {SAMPLES_MAX}"):
        decode_chunk(sealed(content))


def test_chunks_that_no_link_makes_are_not_coded() -> None:
    good = example()
    nan = good.acc_mps2.copy()
    nan[20, 1] = np.nan
    half = good.gyr_radps.copy()
    half[20, 1] = np.nan

    def with_(**changes: object) -> Chunk:
        fields = {name: getattr(good, name) for name in Chunk.__dataclass_fields__} | changes
        return Chunk(**fields)

    for wrong in (
        with_(acc_mps2=nan),
        with_(gaps=(Gap(4, 5), Gap(8, 1))),
        with_(gaps=(Gap(48, 3),)),
        with_(gaps=(Gap(4, 0),)),
        with_(rate_hz=float("nan")),
        with_(rate_hz=1e-300),
        with_(rate_hz=1e300),
        with_(start_utc_s=float("nan")),
        with_(start_utc_s=1e18),
        with_(start_index=2**62),
        with_(start_index=-1),
        with_(seq=-1),
        with_(gyr_radps=half),
        with_(reception=Reception(late=-1)),
        with_(reception=Reception(drift_ppm=float("nan"))),
        with_(device_id="x" * 201),
        with_(device_id="\ud800"),
        with_(acc_mps2=good.acc_mps2 * 1e30),
    ):
        with pytest.raises(BadPacket):
            encode_chunk(wrong)
