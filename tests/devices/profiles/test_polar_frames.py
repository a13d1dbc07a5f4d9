"""Polar's data frames: every vector of the vendor's tests and documents and of captures; damage; the rule of times."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.errors import BadPacket
from devices.profiles.polar_decoder import TICK_WRAP, PmdDecoder, Stream
from devices.profiles.polar_frames import (
    acceleration_mps2,
    angular_rate_radps,
    decode_delta,
    decode_plain,
    electrocardiogram_uv,
    heart_samples,
    magnetic_field_gauss,
    photoplethysmogram,
    pulse_intervals,
    sample_times_ns,
    split_frame,
)
from devices.profiles.polar_uuids import Measurement
from tests.devices.profiles.vectors import VECTORS, Vector, reads

G = 9.80665
# Frame type 0x80 in g: what the vendor's document gives as the factor at 8 g.
FACTOR_8_G = 0.000244


def raw(vector: Vector) -> list[list[int]]:
    """Decode the samples of a frame, or of a payload alone, without a unit."""
    context = vector.context
    payload = vector.data if context.get("payload_only") else split_frame(vector.data).payload
    if context.get("compressed", True):
        return decode_delta(payload, context["channels"], context["resolution_bits"]).tolist()
    return decode_plain(payload, context["channels"], context["resolution_bits"] // 8).tolist()


def as_bits(samples: list[list[int]]) -> list[list[str]]:
    return [[f"{value & 0xFFFFFFFF:08x}" for value in sample] for sample in samples]


@reads(1, 2, 12, 13, 14, 33)
def test_samples_and_their_number(vector: Vector) -> None:
    samples, expected, derived = raw(vector), vector.expected, vector.derived
    count = expected.get("sample_count") or expected["delta_sample_count"] + 1
    # Vector 33 announces 42 differences in its first block; 50 samples are in all of it.
    assert len(samples) == derived.get("sample_count", count) >= count
    for asserted in expected.get("raw_samples_asserted", []):
        assert samples[asserted["index"]] == asserted.get("v", [asserted.get(axis) for axis in "xyz"])
    for asserted in expected.get("samples_mG_asserted", []):
        assert samples[asserted["index"]] == [asserted[axis] for axis in "xyz"]
    for asserted in expected.get("bit_patterns_asserted", []):
        assert as_bits(samples)[asserted["index"]] == asserted["v"]
    if "reference_sample" in expected:
        assert samples[0] == expected["reference_sample"]
    if "raw_samples_first_3" in derived:
        assert samples[:3] == derived["raw_samples_first_3"]
    if "raw_sample_last" in derived:
        assert samples[-1] == derived["raw_sample_last"]
    if "bit_patterns_last" in derived:
        assert as_bits(samples)[-1] == derived["bit_patterns_last"]


@reads(1, 2, 3)
def test_acceleration_in_si_units(vector: Vector) -> None:
    frame = split_frame(vector.data)
    assert (frame.measurement, frame.kind) == (Measurement.ACC, vector.context["frame_type"])
    mg = acceleration_mps2(frame, vector.context["factor"]) / G * 1000
    scale = vector.context["factor"] * 1000 if frame.kind == 0 else 1
    np.testing.assert_allclose(mg, np.array(raw(vector)) * scale, rtol=1e-12)
    assert np.abs(mg).max() < vector.expected.get("all_samples_within_range_mG", 8000)
    if "samples_mG" in vector.expected:
        np.testing.assert_allclose(mg, vector.expected["samples_mG"], rtol=1e-12)
        # Without a factor in the start answer these samples are mg as well.
        np.testing.assert_array_equal(acceleration_mps2(frame, None), acceleration_mps2(frame, 1.0))


@reads(4, 5, 6)
def test_angular_rate_in_si_units(vector: Vector) -> None:
    frame = split_frame(vector.data)
    assert frame.measurement == Measurement.GYRO
    rate = angular_rate_radps(frame, vector.context["factor"])
    np.testing.assert_allclose(np.degrees(rate), vector.expected["samples_deg_per_s"], rtol=1e-7)
    if "bit_patterns_hex" in vector.expected:
        assert as_bits(decode_delta(frame.payload, 3, 32).tolist()) == vector.expected["bit_patterns_hex"]


@reads(7, 8, 9)
def test_magnetic_field(vector: Vector) -> None:
    frame = split_frame(vector.data)
    assert frame.measurement == Measurement.MAG
    field, calibration = magnetic_field_gauss(frame, vector.context["factor"])
    if calibration is None:
        assert vector.expected["calibration_status"] == "not available"
        np.testing.assert_array_equal(field, vector.expected["samples_times_factor"])
    else:
        assert calibration.tolist() == vector.expected["calibration_status"]
        np.testing.assert_allclose(field, vector.expected["samples_gauss"], atol=vector.expected["tolerance"])


@reads(10)
def test_electrocardiogram(vector: Vector) -> None:
    assert electrocardiogram_uv(split_frame(vector.data)).tolist() == vector.expected["samples_microvolt"]


@reads(11)
def test_pulse_intervals(vector: Vector) -> None:
    frame = split_frame(vector.data)
    for row, one, beat in zip(pulse_intervals(frame), vector.expected["samples"], heart_samples(frame), strict=True):
        assert [int(row["bpm"]), int(row["interval_ms"]), int(row["error_ms"])] == [
            one["hr_bpm"],
            one["pp_ms"],
            one["pp_error_estimate_ms"],
        ]
        flags = one["blocker_bit"] | one["skin_contact"] << 1 | one["skin_contact_supported"] << 2
        assert row["flags"] & 0x07 == flags
        assert beat.heart_rate_bpm == one["hr_bpm"]
        # An interval that the device itself calls invalid is none.
        assert beat.rr_s == (() if one["blocker_bit"] else (one["pp_ms"] / 1000,))
        assert beat.contact == (bool(one["skin_contact"]) if one["skin_contact_supported"] else None)


@reads(33)
def test_photoplethysmogram(vector: Vector) -> None:
    light = photoplethysmogram(split_frame(vector.data))
    assert light.shape == (50, 4)
    assert light[0].tolist() == vector.expected["reference_sample"]


@reads(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 25, 26, 33)
def test_time_stamp_of_the_last_sample(vector: Vector) -> None:
    expected = vector.expected.get("timestamp_ns_last_sample", 101)
    assert split_frame(vector.data).timestamp_ns == expected


@reads(25)
def test_head_of_a_plain_frame(vector: Vector) -> None:
    assert decode_plain(split_frame(vector.data).payload, 3, 2).tolist() == [vector.expected["sample_0_raw_int16"]]


@reads(26, 34, 35, 36, 37)
def test_head_of_a_delta_frame(vector: Vector) -> None:
    """Only the head is known: completed by differences of zero it is a frame whose known samples come out."""
    context, stated = vector.context, {**vector.expected, **vector.derived}
    payload = vector.data if context.get("payload_only") else split_frame(vector.data).payload
    channels, bits = context["channels"], context["resolution_bits"]
    with pytest.raises(BadPacket, match="does not fit"):
        decode_delta(payload, channels, bits)
    width, count = stated["delta_size_bits"], stated["delta_sample_count"]
    head = channels * -(-bits // 8)
    samples = decode_delta(payload.ljust(head + 2 + -(-width * count * channels // 8), b"\0"), channels, bits)
    assert len(samples) == 1 + count
    names = ("reference_sample", "reference_sample_mG", "reference_sample_raw")
    (reference,) = (stated[name] for name in names if name in stated)
    assert samples[0].tolist() == reference
    for number in (1, 2):
        if f"sample_{number}" in stated:
            assert samples[number].tolist() == stated[f"sample_{number}"]


def test_gravity_is_9_81_in_a_captured_head() -> None:
    """Vector 34: firmware that gives no factor; at rest its reference is one g."""
    (reference,) = decode_delta(split_frame(VECTORS[34].data).payload[:6], 3, 16)
    assert np.linalg.norm(reference) == pytest.approx(1000, rel=0.02)


def frame(measurement: int, timestamp_ns: int, frame_type: int, payload: bytes) -> bytes:
    return struct.pack("<BQB", measurement, timestamp_ns, frame_type) + payload


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        bytes(5),
        bytes(7),
        # One block header cut, one that announces more than there is, one of no samples, one too wide.
        bytes(6) + b"\x08",
        bytes(6) + b"\x08\x02" + bytes(5),
        bytes(6) + b"\x08\x00",
        bytes(6) + b"\x00\x00",
        bytes(6) + b"\x21\x01" + bytes(13),
        # A byte too many begins a block that does not fit.
        bytes(6) + b"\x08\x02" + bytes(7),
        # 32767 + 1 leaves 16 bits.
        b"\xff\x7f" + bytes(4) + b"\x02\x01\x01",
    ],
)
def test_damaged_delta_payloads(payload: bytes) -> None:
    with pytest.raises(BadPacket, match="not used"):
        decode_delta(payload, 3, 16)


def test_sums_of_32_bits_wrap() -> None:
    """Differences of float patterns are added as whole numbers modulo 2^32."""
    payload = b"\xff\xff\xff\x7f" + bytes(8) + b"\x02\x01\x01"
    assert decode_delta(payload, 3, 32).tolist() == [[2**31 - 1, 0, 0], [-(2**31), 0, 0]]


def test_a_block_of_no_width_has_no_samples() -> None:
    assert decode_delta(bytes(6) + b"\x00\x05", 3, 16).tolist() == [[0, 0, 0]]


@pytest.mark.parametrize("frame_type", [0x03, 0x82, 0x7F])
def test_unknown_frame_types(frame_type: int) -> None:
    for read in (lambda f: acceleration_mps2(f, 1.0), lambda f: angular_rate_radps(f, 1.0), photoplethysmogram):
        with pytest.raises(BadPacket, match="not known"):
            read(split_frame(frame(2, 1, frame_type, bytes(6))))


def test_a_delta_frame_in_units_of_a_factor_needs_one() -> None:
    one = split_frame(frame(2, 1, 0x80, bytes(6)))
    with pytest.raises(BadPacket, match="needs the factor"):
        acceleration_mps2(one, None)
    with pytest.raises(BadPacket, match="needs the factor"):
        angular_rate_radps(one, None)


def test_no_pattern_that_is_no_number() -> None:
    not_a_number = frame(5, 1, 0x81, struct.pack("<3f", 1.0, float("nan"), 2.0))
    with pytest.raises(BadPacket, match="no angular rate"):
        angular_rate_radps(split_frame(not_a_number), None)


class TestTimes:
    """Source of the numbers: the rule as documented, worked out by hand."""

    @reads(3)
    def test_vendor_example(self, vector: Vector) -> None:
        previous = vector.context["previous_frame_timestamp_ns"]
        assert sample_times_ns(101, 2, 1.0, previous).tolist() == vector.expected["timestamps_ns"]

    def test_first_frame_goes_back_in_steps_of_the_rate(self) -> None:
        assert sample_times_ns(10**18, 3, 1e9 / 52).tolist() == [10**18 - 38461538, 10**18 - 19230769, 10**18]

    def test_later_frames_are_spread_evenly_and_end_exactly(self) -> None:
        assert sample_times_ns(1_000, 3, 1.0, 0).tolist() == [333, 667, 1_000]

    def stream(self, rate_hz: float = 50.0) -> PmdDecoder:
        return PmdDecoder({Measurement.ACC: Stream(1e9 / rate_hz, 8 * G)})

    def at(self, timestamp_ns: int, count: int = 10) -> bytes:
        return frame(2, timestamp_ns, 1, struct.pack("<3h", 0, 0, 1000) * count)

    def test_a_clock_that_is_a_little_off_is_followed(self) -> None:
        """0.5 % slower than nominal: the second frame's samples fill the time between the two stamps."""
        block = self.stream().decode_many([self.at(10**18), self.at(10**18 + 201_000_000)]).block
        assert np.diff(block.ticks)[10:].tolist() == [20_100_000] * 9

    def test_a_lost_frame_does_not_stretch_the_next(self) -> None:
        """By the rule alone its ten samples would be spread over the time of twenty."""
        frames = [self.at(10**18), self.at(10**18 + 400_000_000)]
        ticks = self.stream().decode_many(frames).block.ticks
        assert np.diff(ticks)[9:].tolist() == [220_000_000, *[20_000_000] * 9]

    def test_a_frame_that_comes_twice_has_the_same_times_twice(self) -> None:
        one, two = self.at(10**18), self.at(10**18 + 201_000_000)
        decoder = self.stream()
        ticks = decoder.decode_many([one, two, two]).block.ticks
        assert ticks[20:].tolist() == ticks[10:20].tolist()
        assert decoder.decode_many([two]).block.ticks.tolist() == ticks[10:20].tolist()

    def test_a_clock_that_begins_anew(self) -> None:
        """An H10 that was off is in the year 2019 again."""
        early = 599_616_000_000_000_000
        ticks = self.stream().decode_many([self.at(10**18), self.at(early)]).block.ticks
        assert ticks[-1] == early
        assert np.diff(ticks[10:]).tolist() == [20_000_000] * 9

    def test_before_the_clock_s_beginning_ticks_wrap(self) -> None:
        ticks = self.stream().decode_many([self.at(0, count=2)]).block.ticks
        assert ticks.tolist() == [TICK_WRAP - 20_000_000, 0]

    def test_a_time_that_cannot_be(self) -> None:
        decoded = self.stream().decode_many([self.at(2**62), self.at(2**64 - 1), self.at(2**62 - 1)])
        assert decoded.bad == (0, 1)
        assert "2146" in (decoded.reason or "")
        assert decoded.block.ticks[-1] == 2**62 - 1


def verity(factor: float | None = FACTOR_8_G) -> PmdDecoder:
    return PmdDecoder(
        {
            Measurement.ACC: Stream(1e9 / 52, 8 * G, factor),
            Measurement.GYRO: Stream(1e9 / 52, np.radians(2000), 0.07),
            Measurement.PPI: Stream(0.0, 0.0),
        }
    )


def test_sensors_come_in_rows_of_their_own() -> None:
    frames = [VECTORS[2].data, frame(5, 10**9, 0x80, struct.pack("<3h", 1000, 0, -1000)), VECTORS[11].data, b"\x02"]
    decoded = verity().decode_many(frames)
    assert decoded.frame_of.tolist() == [0] * 57 + [1]
    assert np.isfinite(decoded.block.acc_mps2).all(axis=1).tolist() == [True] * 57 + [False]
    assert np.isfinite(decoded.block.gyr_radps).all(axis=1).tolist() == [False] * 57 + [True]
    np.testing.assert_allclose(decoded.block.gyr_radps[-1], np.radians([70.0, 0.0, -70.0]))
    assert [(at, beat.heart_rate_bpm) for at, beat in decoded.heart] == [(2, 128), (2, 0)]
    assert decoded.bad == (3,)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (frame(1, 1, 0, bytes(12)), "not asked for"),
        (frame(14, 1, 0, bytes(12)), "not asked for"),
        (frame(2, 1, 1, struct.pack("<3h", 0, 9000, 0)), "full scale"),
        (frame(2, 1, 1, b""), "no sample"),
        (frame(3, 0, 0, bytes(7)), "no pulse intervals"),
    ],
)
def test_foreign_and_damaged_frames_are_counted(data: bytes, why: str) -> None:
    decoded = verity().decode_many([data])
    assert (decoded.bad, len(decoded.block.ticks), decoded.heart) == ((0,), 0, ())
    assert why in (decoded.reason or "")


def test_counts_at_the_end_of_their_bits_are_kept() -> None:
    """A gyroscope of 2000 deg/s with 0.07 deg/s per count reaches 2294 before it is clipped; that swing did happen."""
    block = verity().decode_many([frame(5, 10**9, 0x80, struct.pack("<3h", 32767, -32768, 0))]).block
    np.testing.assert_allclose(np.degrees(block.gyr_radps), [[2293.69, -2293.76, 0]])


@given(st.data())
def test_any_cut_into_calls_gives_the_same_samples(data: st.DataObject) -> None:
    frames = [
        frame(2, 10**18 + 20_000_000 * 10 * number, 1, struct.pack("<3h", number, 0, 1000) * 10) for number in range(8)
    ]
    cuts = sorted(data.draw(st.sets(st.integers(1, 7))))
    whole = PmdDecoder({Measurement.ACC: Stream(2e7, 8 * G)}).decode_many(frames).block
    decoder = PmdDecoder({Measurement.ACC: Stream(2e7, 8 * G)})
    parts = [decoder.decode_many(frames[a:b]).block for a, b in zip([0, *cuts], [*cuts, 8], strict=True)]
    np.testing.assert_array_equal(np.concatenate([part.ticks for part in parts]), whole.ticks)
    np.testing.assert_array_equal(np.concatenate([part.acc_mps2 for part in parts]), whole.acc_mps2)


def test_speed_of_decoding(figure: Callable[[str, object, str], None]) -> None:
    """Not a limit; the figure tells how far a Verity Sense at 416 Hz is from it."""
    decoder, data = verity(), VECTORS[2].data
    began = time.perf_counter()
    count = len(decoder.decode_many([data] * 200).block.ticks)
    figure("Polar delta samples decoded", round(count / (time.perf_counter() - began)), "per s")
    assert count == 200 * 57
