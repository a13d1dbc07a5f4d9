"""The simulated Polar sensors: their bytes against the vendor's, and the decoded stream against the motion."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.errors import Refused
from devices.profiles import PROFILES
from devices.profiles import polar_uuids as pmd
from devices.profiles.polar import VERITY_SENSE as VERITY_PROFILE
from devices.profiles.polar import PolarOptions, PolarPmd
from devices.profiles.polar_advertisement import decode_broadcast_heart, model_of
from devices.profiles.polar_uuids import Measurement, Op, Setting
from devices.profiles.types import Wish
from devices.sim import polar_frames
from devices.sim.polar import H10, OH1, VERITY_SENSE, VERITY_SENSE_MG, Polar
from devices.sim.polar_packing import Packer, Packing
from devices.sim.sig_frames import heart_rate, running
from tests.devices.profiles.vectors import VECTORS, Vector, reads
from tests.devices.sim.firmware_client import ADDRESS, FirmwareClient, streaming

G = 9.80665


def unpacked(payload: bytes, channels: int, bits: int) -> tuple[list[list[int]], list[polar_frames.Block]]:
    """Read a delta-coded payload bit by bit, as the document describes it: samples and blocks."""
    size = -(-bits // 8)
    sample = [int.from_bytes(payload[i * size : (i + 1) * size], "little", signed=True) for i in range(channels)]
    samples, blocks, at = [sample], [], channels * size
    while at < len(payload):
        width, count = payload[at], payload[at + 1]
        stream = int.from_bytes(payload[at + 2 : at + 2 + -(-width * count * channels // 8)], "little")
        for _ in range(count):
            sample = list(sample)
            for channel in range(channels):
                step = stream & ((1 << width) - 1)
                stream >>= width
                sample[channel] += step - ((step >> (width - 1)) << width)
                if bits == 32:
                    sample[channel] = (sample[channel] + 2**31) % 2**32 - 2**31
            samples.append(sample)
        blocks.append((width, count))
        at += 2 + -(-width * count * channels // 8)
    return samples, blocks


def framed(vector: Vector, payload: bytes) -> bytes:
    """Put the vector's own header values before a payload, by the twin's encoder."""
    if vector.context.get("payload_only"):
        return payload
    frame_type = vector.context["frame_type"] | (0x80 if vector.context["compressed"] else 0)
    stamp = vector.expected.get("timestamp_ns_last_sample", 101 if vector.number == 3 else 0)
    measurement = {"MAGNETOMETER": "MAG"}.get(vector.context["measurement"], vector.context["measurement"])
    return polar_frames.frame(Measurement[measurement], stamp, frame_type, payload)


class TestEveryVectorByteForByte:
    """The encoder reproduces each vector from its meaning."""

    @reads(1)
    def test_plain_acceleration(self, vector: Vector) -> None:
        samples = np.frombuffer(vector.data[10:], dtype="<i2").reshape(-1, 3)
        assert framed(vector, polar_frames.plain(samples, 2)) == vector.data

    @reads(25)
    def test_head_of_a_plain_frame(self, vector: Vector) -> None:
        payload = polar_frames.plain(np.array([vector.expected["sample_0_raw_int16"]]), 2)
        assert framed(vector, payload) == vector.data

    @reads(10)
    def test_electrocardiogram(self, vector: Vector) -> None:
        payload = polar_frames.plain(np.array(vector.expected["samples_microvolt"])[:, None], 3)
        assert framed(vector, payload) == vector.data

    @reads(11)
    def test_pulse_intervals(self, vector: Vector) -> None:
        """All but the unused bits of the flags, which the vendor's test sets as well."""
        beats = [
            (
                one["hr_bpm"],
                one["pp_ms"],
                one["pp_error_estimate_ms"],
                one["blocker_bit"] | one["skin_contact"] << 1 | one["skin_contact_supported"] << 2,
            )
            for one in vector.expected["samples"]
        ]
        mine, theirs = framed(vector, polar_frames.pulse_intervals(beats)), vector.data
        assert [at for at, pair in enumerate(zip(mine, theirs, strict=True)) if pair[0] != pair[1]] == [15]
        assert mine[15] == theirs[15] & 0x07

    @reads(2, 4, 5, 6, 8, 9, 12, 13, 14, 33)
    def test_delta_frames(self, vector: Vector) -> None:
        payload = vector.data if vector.context.get("payload_only") else vector.data[10:]
        bits = vector.context["resolution_bits"]
        samples, blocks = unpacked(payload, vector.context["channels"], bits)
        assert framed(vector, polar_frames.delta(np.array(samples), bits, blocks)) == vector.data
        assert [list(block) for block in blocks] == vector.context.get("delta_blocks", [list(b) for b in blocks])

    @reads(3, 7)
    def test_delta_frames_with_something_behind_the_last_bit(self, vector: Vector) -> None:
        """All but the unused bits of the last byte: 18 bits are used of 24, and the vendor's test fills the rest."""
        samples, blocks = unpacked(vector.data[10:], 3, 16)
        mine = framed(vector, polar_frames.delta(np.array(samples), 16, blocks))
        assert mine[:-1] == vector.data[:-1]
        assert mine[-1] & 0x03 == vector.data[-1] & 0x03

    @reads(26, 34, 35, 36, 37)
    def test_heads_of_delta_frames(self, vector: Vector) -> None:
        stated = {**vector.expected, **vector.derived}
        names = ("reference_sample", "reference_sample_mG", "reference_sample_raw")
        (reference,) = (stated[name] for name in names if name in stated)
        known = [reference, *(stated[name] for name in ("sample_1", "sample_2") if name in stated)]
        width, count = stated["delta_size_bits"], stated["delta_sample_count"]
        # What is not known of it stays at the last known sample.
        samples = np.array(known + [known[-1]] * (count + 1 - len(known)))
        payload = polar_frames.delta(samples, vector.context["resolution_bits"], [(width, count)])
        if vector.context.get("payload_only"):
            whole = payload
        else:
            # The sources of the heads without a stated time show their bytes only.
            stamp = int.from_bytes(vector.data[1:9], "little")
            assert stated.get("timestamp_ns_last_sample", stamp) == stamp
            frame_type = 0x80 | vector.context["frame_type"]
            whole = polar_frames.frame(Measurement[vector.context["measurement"]], stamp, frame_type, payload)
        assert whole.startswith(vector.data)

    @reads(15)
    def test_features(self, vector: Vector) -> None:
        """All but one bit: the document's sensor is older than SDK mode, which the simulated one has."""
        assert polar_frames.features((1, 2, 3, 5, 6), 0) == vector.data
        told = Polar(VERITY_SENSE, ADDRESS).read(pmd.PMD_CONTROL, 87)
        assert [at for at, one in enumerate(told) if one != vector.data[at]] == [2]

    @pytest.mark.parametrize(
        ("number", "model", "command"),
        [(16, H10, "0102"), (17, VERITY_SENSE, "0102"), (18, H10, "0100"), (19, OH1, "0101")],
    )
    def test_lists_of_settings(self, number: int, model: object, command: str) -> None:
        assert VECTORS[number].context["request_written"].replace(" ", "") == command
        (answer,) = Polar(model, ADDRESS).write(pmd.PMD_CONTROL, bytes.fromhex(command), 87)  # type: ignore[arg-type]
        assert answer.data == VECTORS[number].data

    @reads(27)
    def test_list_of_the_gyroscope(self, vector: Vector) -> None:
        names = {"sample_rates_hz": 0, "resolutions_bits": 1, "ranges": 2, "channels": 4}
        assert (
            polar_frames.settings((Setting(kind), vector.expected[name]) for name, kind in names.items()) == vector.data
        )

    @pytest.mark.parametrize(
        ("number", "model", "before"),
        [
            (20, H10, ()),
            (21, VERITY_SENSE, ()),
            (22, H10, (20,)),
            (23, VERITY_SENSE, ()),
            (24, VERITY_SENSE, (23,)),
        ],
    )
    def test_answers(self, number: int, model: object, before: tuple[int, ...]) -> None:
        sensor = Polar(model, ADDRESS)  # type: ignore[arg-type]
        for one in (*before, number):
            command = bytes.fromhex(VECTORS[one].context["request_written"])
            (answer,) = sensor.write(pmd.PMD_CONTROL, command, 87)
        assert answer.data == VECTORS[number].data

    def test_the_error_and_the_stop_by_the_device(self) -> None:
        assert polar_frames.answer(Op.GET_SETTINGS, Measurement.MAG, 7) == VECTORS[28].data
        assert polar_frames.stopped([Measurement.PPG, Measurement.ACC]) == VECTORS[29].data

    def test_advertisements(self) -> None:
        """The heart rate block of vector 30; what comes before it in 31 and 32 is unknown to all but the maker."""
        company = pmd.COMPANY_ID.to_bytes(2, "little")
        told = polar_frames.broadcast(True, True, 2, 0xB6, 0xAC)
        assert company + told == VECTORS[30].data
        assert VECTORS[31].data.startswith(VECTORS[32].data)

    @reads(38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50)
    def test_heart_rate(self, vector: Vector) -> None:
        expected = vector.expected
        contact = expected.get("sensor_contact", False) | expected.get("sensor_contact_supported", False) << 1
        if vector.number == 44:
            # A contact without a sensor for it, which nothing in the vector's meaning tells.
            contact = 1
        told = heart_rate(
            expected["hr_bpm"],
            expected.get("rr_1024", ()),
            contact,
            expected.get("energy_expended_kJ"),
            bool(vector.data[0] & 1),
        )
        assert told == vector.data

    @reads(51, 52)
    def test_running(self, vector: Vector) -> None:
        expected = vector.expected
        told = running(
            expected["speed_raw_1_256_m_per_s"],
            expected["cadence_per_min"],
            expected["running"],
            expected.get("stride_length_cm"),
            expected.get("total_distance_raw_0.1_m"),
        )
        assert told == vector.data


class TestStream:
    """What a profile decodes from a twin, against the motion that the twin was given."""

    @pytest.mark.parametrize(
        ("product", "wish", "frame_bytes", "acc_step_mps2", "gyr_step_radps"),
        [
            ("polar-h10", Wish(200.0), 226, 1e-3 * G, None),
            ("polar-h10", Wish(25.0, acc_range_g=2), 226, 1e-3 * G, None),
            ("polar-oh1", Wish(50.0), 226, 1e-3 * G, None),
            ("polar-verity-sense", Wish(52.0), None, 2.44e-4 * G, np.radians(0.07)),
            ("polar-verity-sense", Wish(416.0, 4, 500), None, 1.22e-4 * G, np.radians(0.0175)),
            ("polar-verity-sense-mg", Wish(52.0), None, 1e-3 * G, np.radians(1e-4)),
            ("polar-verity-sense-mg", Wish(104.0), None, 1e-3 * G, np.radians(1e-4)),
        ],
    )
    def test_samples_are_the_motion_s(
        self, product: str, wish: Wish, frame_bytes: int | None, acc_step_mps2: float, gyr_step_radps: float | None
    ) -> None:
        client, started = streaming(product, product.removesuffix("-mg"), wish)
        client.measure(3_000, at_a_time=7)
        sizes = [len(data) for data in client.sent]
        assert max(sizes) <= 229
        assert frame_bytes is None or set(sizes) == {frame_bytes}
        decoded = started.decoder.decode_many(client.sent)
        assert decoded.bad == ()
        block = decoded.block
        acc = np.isfinite(block.acc_mps2).all(axis=1)
        count = int(acc.sum())
        assert count > 3_000 - 110
        # Within half a step of what is sent, and a hair for float32.
        assert np.abs(block.acc_mps2[acc] - client.acc_mps2[:count]).max() <= 0.501 * acc_step_mps2
        # Whole microseconds on the twin's side, and steps that are spread evenly.
        np.testing.assert_allclose(np.diff(block.ticks[acc]), 1e9 / wish.rate_hz, atol=1_500)
        if gyr_step_radps is None:
            assert acc.all()
        else:
            rates = block.gyr_radps[~acc]
            assert np.abs(rates - client.gyr_radps[: len(rates)]).max() <= 0.501 * gyr_step_radps

    def test_a_verity_sense_sends_every_one_to_two_seconds(self) -> None:
        client, _ = streaming("polar-verity-sense", wish=Wish(52.0))
        client.measure(52 * 60)
        counts = {kind: sum(data[0] == kind for data in client.sent) for kind in (2, 5)}
        assert all(30 <= count <= 60 for count in counts.values()), counts

    def test_the_clock_of_an_h10_that_was_off_begins_in_2019(self) -> None:
        client, started = streaming("polar-h10", wish=Wish(25.0))
        client.measure(36)
        ticks = started.decoder.decode_many(client.sent).block.ticks
        since_2019_s = (np.datetime64("2000-01-01") + ticks[-1].astype("timedelta64[ns]")) - np.datetime64("2019-01-01")
        assert since_2019_s == np.timedelta64(35 * 40, "ms")

    def test_a_power_off_drops_the_samples_of_an_unfinished_frame(self) -> None:
        client, _ = streaming("polar-h10", wish=Wish(50.0))
        client.measure(30)
        client.firmware.link_lost()
        assert not client.firmware.measuring
        client.measure(30)
        assert client.sent == []

    def test_pulse_intervals(self) -> None:
        profile = PolarPmd(VERITY_PROFILE, PolarOptions(pulse_intervals=True))
        client = FirmwareClient(Polar(VERITY_SENSE, ADDRESS))
        started = client.start(profile, Wish(52.0))
        assert dict(started.settings)["pulse intervals"] == "streamed"
        client.measure(52 * 30)
        decoded = started.decoder.decode_many(client.sent)
        assert decoded.bad == ()
        assert sum(sum(beat.rr_s) for _, beat in decoded.heart) == pytest.approx(30, abs=1.5)
        asyncio.run(profile.stop(client))
        assert not client.firmware.measuring


class TestControl:
    def test_rates_and_ranges_are_read_back(self) -> None:
        client, started = streaming("polar-verity-sense", wish=Wish(208.0, 16, 250))
        assert (client.firmware.rate_hz, client.firmware.ranges) == (208.0, (16 * G, np.radians(250)))
        assert (started.acc_limit_mps2, started.gyr_limit_radps) == client.firmware.ranges
        assert ("acceleration factor", "0.000488 g") in started.settings

    def test_stop_leaves_nothing_running_and_no_sdk_mode(self) -> None:
        client, _ = streaming("polar-verity-sense", wish=Wish(104.0))
        sensor = client.firmware
        assert isinstance(sensor, Polar)
        assert (sensor.measuring, sensor.sdk_mode) == (True, True)
        assert sensor.each_second(7, 3) == ()
        asyncio.run(PROFILES["polar-verity-sense"].stop(client))
        assert (sensor.measuring, sensor.sdk_mode) == (False, False)
        assert len(sensor.each_second(7, 3)) == 1

    def test_sdk_mode_cannot_be_switched_while_a_stream_runs(self) -> None:
        client, _ = streaming("polar-verity-sense", wish=Wish(52.0))
        (answer,) = client.firmware.write(pmd.PMD_CONTROL, b"\x02\x09", 87)
        assert answer.data[3] == 12

    def test_a_start_over_a_stream_that_a_dead_program_left(self) -> None:
        client, _ = streaming("polar-verity-sense", wish=Wish(52.0))
        again = FirmwareClient(client.firmware)
        assert again.start(PROFILES["polar-verity-sense"], Wish(416.0)).rate_hz == 416.0
        once_more = FirmwareClient(client.firmware)
        assert once_more.start(PROFILES["polar-verity-sense"], Wish(52.0)).rate_hz == 52.0

    def test_wrong_settings_have_their_own_status(self) -> None:
        for command, status in (
            ("0202 00012400 01011000 02010800", 8),
            ("0202 0001c800 01010e00 02010800", 7),
            ("0202 0001c800 01011000 02011000", 9),
            ("0202 0001", 5),
            ("0202 00021900c800 01011000 02010800", 5),
            ("0205", 2),
            ("0200", 3),
            ("0302", 6),
            ("0209", 3),
            ("7702", 1),
        ):
            (answer,) = Polar(H10, ADDRESS).write(pmd.PMD_CONTROL, bytes.fromhex(command), 87)
            assert answer.data[3] == status, command

    def test_a_rate_it_does_not_have(self) -> None:
        with pytest.raises(Refused, match="25, 50, 100, 200 Hz"):
            Polar(H10, ADDRESS, 60.0)

    def test_what_is_on_the_air(self) -> None:
        sensor = Polar(H10, ADDRESS)
        assert model_of(sensor.name) == "h10"
        sensor.read(pmd.PMD_CONTROL, 5)
        heart = decode_broadcast_heart(sensor.company_data())
        assert heart is not None
        assert (heart.battery_low, heart.contact) == (True, True)
        assert 70 <= heart.heart_rate_bpm <= 110

    def test_its_own_end_of_streams(self) -> None:
        client, _ = streaming("polar-verity-sense", wish=Wish(52.0))
        sensor = client.firmware
        assert isinstance(sensor, Polar)
        client.measure(300)
        before = len(client.sent)
        sensor.end_streams([Measurement.GYRO])
        assert sensor.measuring
        said, _heart = sensor.each_second(7, 6)
        assert said.data == b"\x01\x05"
        client.tell(said.uuid, said.data)
        client.measure(300)
        assert len(client.sent) == before
        assert len(sensor.each_second(7, 7)) == 1


@given(st.data())
def test_any_samples_fit_their_frames_and_come_back(data: st.DataObject) -> None:
    """Steps of any size: no frame is larger than a notification, and nothing is lost or changed."""
    packing, scale = data.draw(st.sampled_from([(Packing.DELTA, 0.000244), (Packing.DELTA_MG, 1e-3)]))
    seed, size = data.draw(st.integers(0, 2**32 - 1)), data.draw(st.sampled_from([1, 10, 1_000, 8_000, 32_767]))
    counts = np.random.default_rng(seed).integers(-size, size, (400, 3), endpoint=True)
    packer, made, at = Packer(packing, Measurement.ACC, scale), [], 0
    while at < 400:
        n = data.draw(st.integers(1, 150))
        rows = slice(at, min(400, at + n))
        indices = np.arange(rows.start, rows.stop)
        made += packer.push(indices, indices * 10, counts[rows] * scale * G)
        at = rows.stop
    assert all(len(coded) <= 229 for coded, _, _ in made)
    ends = [(first, end) for _, first, end in made]
    assert all(before[1] == after[0] for before, after in pairwise(ends))
    back = [sample for coded, _, _ in made for sample in unpacked(coded[10:], 3, 16)[0]]
    np.testing.assert_array_equal(back, counts[: len(back)])
    assert ends == [] or ends[-1][1] == len(back) > 400 - 105


def test_verity_models_differ_in_what_they_answer() -> None:
    for model, ends in ((VERITY_SENSE, bytes.fromhex("050140da7f39")), (VERITY_SENSE_MG, b"\0")):
        command = bytes.fromhex(VECTORS[21].context["request_written"])
        (answer,) = Polar(model, ADDRESS).write(pmd.PMD_CONTROL, command, 87)
        assert answer.data.endswith(ends)
