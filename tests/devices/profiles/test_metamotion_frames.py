"""MetaMotion: every vector of the vendor's tests and the captured one; rows of one sensor each; whatever comes."""

from __future__ import annotations

import struct
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.errors import BadPacket
from devices.profiles import metamotion_codes as mm
from devices.profiles.metamotion_frames import (
    MetaMotionDecoder,
    Setting,
    decode_battery,
    decode_fusion,
    decode_triples,
)
from tests.devices.profiles.vectors import Vector, reads

G = 9.80665
MMR = Setting(mm.ACC_BMI160, mm.GYR_BMI160, 8, 1000)
MMS = Setting(mm.ACC_BMI270, mm.GYR_BMI270, 8, 1000)
# What the vendor's signals mean on the wire: module and register of accelerometer and gyroscope, one and three samples.
HEADS = {"R": ("0304", "031c", "1305", "1307"), "S": ("0304", "0305", "1304", "1305")}


def lsb_per_unit(vector: Vector) -> float:
    return float(next(value for name, value in vector.context.items() if name.startswith("lsb_per_")))


@reads(64, 65, 66, 67, 68, 69, 70, 71, 80)
def test_sensor_vectors(vector: Vector) -> None:
    assert vector.data[0] == vector.context["module"]
    assert vector.data[1] == vector.context["register"]
    (expected,) = vector.expected.values()
    decoded = decode_triples(vector.data, lsb_per_unit(vector))
    assert len(decoded) == vector.context.get("samples_per_packet", 1)
    np.testing.assert_allclose(decoded, np.atleast_2d(expected), atol=vector.context.get("tolerance", 1e-12))


@reads(64, 65, 66, 67, 68, 69, 80)
def test_sensor_vectors_in_a_stream(vector: Vector) -> None:
    """The same, in SI units, from a board of the chip and with the range that the vector was made with."""
    context = vector.context
    chips = (mm.ACC_BMI270, mm.GYR_BMI270) if "BMI270" in vector.device else (mm.ACC_BMI160, mm.GYR_BMI160)
    setting = Setting(*chips, context.get("range_g", 8), context.get("range_dps", 1000))
    decoded = MetaMotionDecoder(setting).decode_many([vector.data])
    assert decoded.bad == ()
    (expected,) = vector.expected.values()
    is_acc = "range_g" in context
    told, other = (decoded.block.acc_mps2, decoded.block.gyr_radps)[:: 1 if is_acc else -1]
    unit = G if is_acc else np.pi / 180
    np.testing.assert_allclose(told / unit, np.atleast_2d(expected), atol=context.get("tolerance", 1e-9))
    assert np.isnan(other).all()
    assert decoded.block.ticks.tolist() == list(range(context.get("samples_per_packet", 1)))
    assert decoded.frame_of.tolist() == [0] * len(told)


@reads(72, 73, 74, 75, 76, 77, 78)
def test_fusion_vectors(vector: Vector) -> None:
    told = decode_fusion(vector.data)
    expected = dict(vector.expected)
    assert told.accuracy == expected.pop("accuracy", None)
    stated = [part for value in expected.values() for part in (value if isinstance(value, list) else [value])]
    np.testing.assert_allclose(told.values, stated, atol=vector.context["tolerance"])
    for wrong in (vector.data[:-1], vector.data + b"\0", b"\x19\x0b" + vector.data[2:], b""):
        with pytest.raises(BadPacket, match="not used"):
            decode_fusion(wrong)


@reads(79)
def test_battery_vector(vector: Vector) -> None:
    share, volt = decode_battery(vector.data)
    assert share == vector.derived["charge_percent"] / 100
    assert volt == pytest.approx(vector.derived["voltage_mV"] / 1000)
    for wrong in ("118c65ffff", "118c6334", "118d633410", ""):
        with pytest.raises(BadPacket):
            decode_battery(bytes.fromhex(wrong))


@pytest.mark.parametrize("data", ["", "03", "0304", "030400000000", "0304000000000000000000000000", "03041122334455"])
def test_triples_of_another_length(data: str) -> None:
    with pytest.raises(BadPacket, match="8 or 20 bytes"):
        decode_triples(bytes.fromhex(data), 1.0)


def frame(head: str, *samples: tuple[int, int, int]) -> bytes:
    return bytes.fromhex(head) + b"".join(struct.pack("<3h", *sample) for sample in samples)


@pytest.mark.parametrize("chip", ["R", "S"])
@pytest.mark.parametrize("packed", [False, True])
def test_rows_of_one_sensor_each_numbered_per_sensor(chip: str, packed: bool) -> None:
    acc_head, gyr_head = HEADS[chip][packed], HEADS[chip][2 + packed]
    n = 3 if packed else 1
    first = [(i, 0, 4096) for i in range(n)]
    decoder = MetaMotionDecoder(MMR if chip == "R" else MMS)
    frames = [frame(acc_head, *first), frame(gyr_head, *first), b"", frame(acc_head, *first)]
    frames.insert(1, bytes.fromhex("118c633410"))
    decoded = decoder.decode_many(frames)
    assert decoded.bad == (3,)
    assert decoded.frame_of.tolist() == [0] * n + [2] * n + [4] * n
    assert decoded.block.ticks.tolist() == [*range(n), *range(n), *range(n, 2 * n)]
    np.testing.assert_allclose(decoded.block.acc_mps2[:n, 2], G)
    assert np.isnan(decoded.block.acc_mps2[n : 2 * n]).all()
    np.testing.assert_allclose(decoded.block.gyr_radps[n : 2 * n, 2], np.radians(4096 / 32.8))
    assert np.isnan(decoded.block.gyr_radps[:n]).all()
    assert decoder.decode_many([frame(gyr_head, *first)]).block.ticks.tolist() == list(range(n, 2 * n))


def test_register_5_of_the_gyroscope_means_another_thing_on_each_chip() -> None:
    one, three = frame("1305", (1, 2, 3)), frame("1305", (1, 2, 3), (4, 5, 6), (7, 8, 9))
    assert MetaMotionDecoder(MMR).decode_many([one, three]).bad == (1,)
    assert MetaMotionDecoder(MMS).decode_many([one, three]).bad == (0,)
    assert MetaMotionDecoder(MMR).decode_many([frame("0305", (1, 2, 3), (4, 5, 6), (7, 8, 9))]).bad == (0,)


@given(
    st.sampled_from(["R", "S"]),
    st.lists(st.tuples(st.sampled_from([0, 1, 2, 3]), st.integers(-32768, 32767)), max_size=12),
    st.lists(st.integers(0, 12), max_size=4),
)
def test_any_cut_into_calls_gives_the_same(chip: str, told: list[tuple[int, int]], cuts: list[int]) -> None:
    frames = [frame(HEADS[chip][kind], *[(value, 0, 0)] * (3 if kind % 2 else 1)) for kind, value in told]
    setting = MMR if chip == "R" else MMS
    whole = MetaMotionDecoder(setting).decode_many(frames)
    decoder = MetaMotionDecoder(setting)
    bounds = [0, *sorted(min(cut, len(frames)) for cut in cuts), len(frames)]
    parts = [decoder.decode_many(frames[a:b]).block for a, b in pairwise(bounds)]
    np.testing.assert_array_equal(np.concatenate([part.ticks for part in parts]), whole.block.ticks)
    np.testing.assert_array_equal(np.concatenate([part.acc_mps2 for part in parts]), whole.block.acc_mps2)
    np.testing.assert_array_equal(np.concatenate([part.gyr_radps for part in parts]), whole.block.gyr_radps)
    assert whole.bad == ()


@given(st.sampled_from([MMR, MMS]), st.lists(st.one_of(st.binary(max_size=24), st.binary(min_size=20, max_size=20))))
def test_any_bytes_are_samples_answers_or_counted(setting: Setting, frames: list[bytes]) -> None:
    decoded = MetaMotionDecoder(setting).decode_many(frames)
    told = set(decoded.frame_of.tolist())
    for i, one in enumerate(frames):
        answers = len(one) > 2 and one[0] in (0x03, 0x11, 0x13) and one[1] >= 0x80
        assert (i in told) + (i in decoded.bad) + answers == 1
        assert i not in told or len(one) in (8, 20)
    assert (decoded.reason is None) == (decoded.bad == ())
    has_acc = np.isfinite(decoded.block.acc_mps2).all(axis=1)
    assert (has_acc ^ np.isfinite(decoded.block.gyr_radps).all(axis=1)).all()
