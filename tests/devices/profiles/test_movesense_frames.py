"""Movesense: both vectors, block layout, packets in two parts, statuses of either byte order; whatever comes."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.errors import BadPacket
from devices.profiles.movesense_frames import (
    HEART,
    IMU,
    MovesenseDecoder,
    MovesenseOptions,
    decode_heart,
    decode_samples,
    decode_status,
)
from tests.devices.profiles.vectors import Vector, reads

PLAIN = MovesenseOptions()
Samples = list[tuple[float, float, float]]


def imu(tick_ms: int, acc: Samples, gyr_degps: Samples) -> bytes:
    """Payload of IMU6 in blocks, as four clients read it."""
    return struct.pack("<I", tick_ms) + b"".join(struct.pack("<3f", *one) for one in (*acc, *gyr_degps))


def packet(number: int, samples: int = 4, step_ms: int = 77) -> bytes:
    acc = [(0.5 * number, float(i), 9.75) for i in range(samples)]
    return imu(1000 + step_ms * number, acc, [(float(i), -90.0, 0.25 * number) for i in range(samples)])


def parts(payload: bytes, size: int = 158) -> list[bytes]:
    """The notifications that carry a payload: 02 first, 03 for what does not fit."""
    room = size - 2
    heads = [2] + [3] * ((len(payload) - 1) // room)
    return [bytes((head, IMU)) + payload[i * room : (i + 1) * room] for i, head in enumerate(heads)]


@reads(85)
def test_one_sensor_vector(vector: Vector) -> None:
    assert vector.data[:2] == bytes((2, vector.context["reference"]))
    tick_ms, samples = decode_samples(vector.data[2:], 1)
    assert tick_ms == vector.expected["timestamp_ms"]
    assert samples[0].tolist() == vector.expected["samples"]


@reads(86)
def test_nine_axes_vector(vector: Vector) -> None:
    assert vector.data[:2] == bytes((2, vector.context["reference"]))
    for interleaved in (False, True):  # equal for one sample
        tick_ms, samples = decode_samples(vector.data[2:], 3, interleaved)
        assert tick_ms == vector.expected["timestamp_ms"]
        assert samples[:, 0].tolist() == [vector.expected[name] for name in ("acc", "gyro", "magn")]


@pytest.mark.parametrize("size", [0, 3, 4, 27, 29, 4 + 24 * 33])
def test_samples_of_another_length(size: int) -> None:
    with pytest.raises(BadPacket, match="not used"):
        decode_samples(bytes(size), 2)


def test_the_layout_and_the_marked_sample_are_settings() -> None:
    payload = struct.pack("<I12f", 5000, *range(12))
    blocks = MovesenseDecoder(26.0, PLAIN).decode_many([b"\x02\x01" + payload]).block
    assert blocks.acc_mps2.tolist() == [[0, 1, 2], [3, 4, 5]]
    np.testing.assert_allclose(np.degrees(blocks.gyr_radps), [[6, 7, 8], [9, 10, 11]])
    assert blocks.ticks.tolist() == [5000, 5038]
    other = MovesenseDecoder(26.0, MovesenseOptions(interleaved=True, time_marks="last"))
    mixed = other.decode_many([b"\x02\x01" + payload]).block
    assert mixed.acc_mps2.tolist() == [[0, 1, 2], [6, 7, 8]]
    np.testing.assert_allclose(np.degrees(mixed.gyr_radps), [[3, 4, 5], [9, 10, 11]])
    assert mixed.ticks.tolist() == [4962, 5000]


def test_the_time_wraps() -> None:
    block = MovesenseDecoder(52.0, PLAIN).decode_many(
        [b"\x02\x01" + imu(2**32 - 20, [(0, 0, 9.8)] * 4, [(0, 0, 0)] * 4)]
    )
    assert block.block.ticks.tolist() == [2**32 - 20, 2**32 - 1, 18, 38]


def test_a_packet_in_two_parts() -> None:
    first, second = parts(packet(1, 8))
    assert (len(first), len(second)) == (158, 2 + 196 - 156)
    decoder = MovesenseDecoder(104.0, PLAIN)
    waits = decoder.decode_many([first])
    assert (len(waits.block.ticks), waits.bad) == (0, ())
    done = decoder.decode_many([second, *parts(packet(2, 8))])
    assert done.bad == ()
    assert done.frame_of.tolist() == [0] * 8 + [2] * 8
    np.testing.assert_allclose(done.block.acc_mps2[:, 0], [0.5] * 8 + [1.0] * 8)
    np.testing.assert_allclose(np.degrees(done.block.gyr_radps[:, 2]), [0.25] * 8 + [0.5] * 8)


def test_a_continuation_that_never_comes_is_bad() -> None:
    decoder = MovesenseDecoder(104.0, PLAIN)
    lone, _ = parts(packet(1, 8))
    decoded = decoder.decode_many([*parts(packet(0, 8)), lone, *parts(packet(2, 8))])
    assert decoded.bad == (2,)
    assert decoded.frame_of.tolist() == [1] * 8 + [4] * 8
    assert "ended after 156 bytes" in (decoded.reason or "")
    decoder.decode_many([lone])
    later = decoder.decode_many(parts(packet(3, 8)))
    assert later.bad == (-1,)  # of the call before
    assert later.frame_of.tolist() == [1] * 8


def test_a_packet_that_lost_whole_samples_is_bad() -> None:
    """In blocks its gyroscope would be read from the accelerometer's last samples."""
    decoder = MovesenseDecoder(52.0, PLAIN)
    cut = (b"\x02\x01" + packet(1))[:-24]
    decoded = decoder.decode_many([b"\x02\x01" + packet(0), cut, b"\x02\x01" + packet(2)])
    assert decoded.bad == (1,)
    assert decoded.frame_of.tolist() == [0] * 4 + [2] * 4


def test_a_stream_that_changes_its_packets_for_good_is_believed() -> None:
    decoder = MovesenseDecoder(52.0, PLAIN)
    for other in (2, 6):  # fewer and more samples than before
        decoder.decode_many([b"\x02\x01" + packet(0)] * 3)
        decoded = decoder.decode_many([b"\x02\x01" + packet(i, other) for i in range(1, 6)])
        assert len(decoded.bad) == 2
        assert len(decoded.block.ticks) == 3 * other
        np.testing.assert_array_equal(decoded.block.acc_mps2[:, 2], 9.75)


def test_a_split_at_a_whole_sample_is_understood_from_the_second_packet_on() -> None:
    """An MTU that cuts after whole samples makes the first part look complete."""
    decoder = MovesenseDecoder(104.0, PLAIN)
    told = [decoder.decode_many(parts(packet(i, 8), 2 + 4 + 24 * 6)) for i in range(4)]
    assert [one.bad for one in told] == [(1,), (), (), ()]
    assert [len(one.block.ticks) for one in told] == [6, 8, 8, 8]


def test_a_signalling_nan_is_bad_in_silence() -> None:
    """It warns when it is converted; every notification of a stranger would."""
    signalling = bytes.fromhex("0100807f")
    wrong = b"\x02\x01" + bytes(4) + signalling + bytes(20)
    beat = bytes((2, HEART)) + signalling
    assert MovesenseDecoder(13.0, PLAIN).decode_many([wrong, beat]).bad == (0, 1)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 400.0])
def test_impossible_values_are_bad(value: float) -> None:
    decoder = MovesenseDecoder(13.0, PLAIN)
    wrong = b"\x02\x01" + imu(1, [(0, value, 9.8)], [(0, 0, 0)])
    spun = b"\x02\x01" + imu(1, [(0, 0, 9.8)], [(0, value * 10, 0)])
    assert decoder.decode_many([wrong, spun, b"\x02\x01" + packet(1, 1)]).bad == (0, 1)


def test_heart_rate_comes_in_the_same_stream() -> None:
    beat = bytes((2, HEART)) + struct.pack("<f2H", 71.6, 812, 830)
    decoded = MovesenseDecoder(52.0, PLAIN).decode_many([b"\x02\x01" + packet(0), beat, b"\x01\x02\xc8\x00"])
    ((at, sample),) = decoded.heart
    assert (at, sample.heart_rate_bpm, sample.rr_s, sample.contact) == (1, 72, (0.812, 0.83), None)
    assert decoded.bad == ()
    counted = decode_heart(struct.pack("<fB2H", 60.0, 2, 1000, 1001), count_byte=True)
    assert counted.rr_s == (1.0, 1.001)
    for wrong in (b"", bytes(3), bytes(5), struct.pack("<fH", float("nan"), 1), struct.pack("<fH", -1.0, 1)):
        with pytest.raises(BadPacket):
            decode_heart(wrong)
    assert MovesenseDecoder(52.0, PLAIN).decode_many([beat[:-1]]).bad == (0,)


@pytest.mark.parametrize(
    ("answer", "status"),
    [("0101c800", 200), ("010101fb", 507), ("0101fb01", 507), ("01019401", 404), ("01019401ffff", 404)],
)
def test_a_status_in_either_byte_order(answer: str, status: int) -> None:
    assert decode_status(bytes.fromhex(answer)) == status


@pytest.mark.parametrize("answer", ["", "01", "0101c8", "0201c800"])
def test_no_status(answer: str) -> None:
    with pytest.raises(BadPacket, match="no status"):
        decode_status(bytes.fromhex(answer))


@given(st.data())
def test_any_cut_into_calls_gives_the_same(data: st.DataObject) -> None:
    kinds = data.draw(st.lists(st.sampled_from(["whole", "lone", "orphan", "answer", "junk", "beat"]), max_size=12))
    frames: list[bytes] = []
    for i, kind in enumerate(kinds):
        first, second = parts(packet(i, 8))
        frames += {
            "whole": [first, second],
            "lone": [first],
            "orphan": [second],
            "answer": [b"\x01\x01\xc8\x00"],
            "junk": [b"\x07junk"],
            "beat": [bytes((2, HEART)) + struct.pack("<f", 70.0)],
        }[kind]
    whole = MovesenseDecoder(104.0, PLAIN).decode_many(frames)
    decoder = MovesenseDecoder(104.0, PLAIN)
    told = [decoder.decode_many([one]) for one in frames]
    np.testing.assert_array_equal(np.concatenate([t.block.ticks for t in told] or [[]]), whole.block.ticks)
    for name in ("acc_mps2", "gyr_radps"):
        joined = np.concatenate([getattr(t.block, name) for t in told] or [np.empty((0, 3))])
        np.testing.assert_array_equal(joined, getattr(whole.block, name))
    assert sum(len(t.bad) for t in told) == len(whole.bad)
    assert sum(len(t.heart) for t in told) == len(whole.heart)


@given(
    st.lists(
        st.one_of(
            st.binary(max_size=40),
            st.binary(max_size=200).map(lambda body: b"\x02\x01" + body),
            st.binary(max_size=200).map(lambda body: b"\x03\x01" + body),
            st.binary(max_size=12).map(lambda body: b"\x02\x02" + body),
        ),
        max_size=10,
    )
)
def test_any_bytes_never_raise_and_waiting_is_bounded(frames: list[bytes]) -> None:
    decoder = MovesenseDecoder(104.0, PLAIN)
    decoded = decoder.decode_many(frames)
    assert np.isfinite(decoded.block.acc_mps2).all()
    assert np.isfinite(decoded.block.gyr_radps).all()
    assert (decoded.reason is None) == (decoded.bad == ())
    assert set(decoded.frame_of.tolist()).isdisjoint(decoded.bad)
    assert len(decoded.block.ticks) == len(decoded.frame_of) == len(decoded.block.acc_mps2)
    # However many parts come, what waits is at most one packet of the longest.
    decoder.decode_many([b"\x02\x01" + bytes(150)] + [b"\x03\x01" + bytes(150)] * 50)
    assert decoder._pending is None or len(decoder._pending.payload) <= 4 + 24 * 32
