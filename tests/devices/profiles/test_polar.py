"""Polar: who is recognised, the talk of a start and a stop, what is refused and how it is said."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.errors import BadPacket, Disconnected, Refused
from devices.profiles import PROFILES, polar_control, recognise
from devices.profiles.polar import VERITY_SENSE, PolarOptions, PolarPmd
from devices.profiles.polar_advertisement import decode_broadcast_heart, model_of, told_on_air
from devices.profiles.polar_control import (
    decode_answer,
    decode_features,
    decode_settings,
    decode_stopped,
    start_command,
)
from devices.profiles.polar_uuids import COMPANY_ID, Measurement, Op, Setting, Status
from devices.profiles.types import Started, Wish
from devices.types import Advertisement
from tests.devices.profiles.vectors import VECTORS, Vector, reads

CONTROL, DATA = (f"fb005c8{digit}-02e7-f387-1cad-8acd2d8df0c8" for digit in "12")
H10, VERITY, OH1 = (PROFILES[family] for family in ("polar-h10", "polar-verity-sense", "polar-oh1"))
G = 9.80665


def seen(name: str, uuids: tuple[str, ...] = ()) -> Advertisement:
    return Advertisement("A0:9E:1A:00:00:01", name, uuids, {COMPANY_ID: b"\x33\0\0"}, -60)


class TestAdvertisement:
    @reads(30, 31, 32)
    def test_heart_block_within_manufacturer_data(self, vector: Vector) -> None:
        assert int.from_bytes(vector.data[:2], "little") == COMPANY_ID
        assert (decode_broadcast_heart(vector.data[2:]) is not None) == vector.expected["hr_block_present"]

    def test_its_fields(self) -> None:
        heart = decode_broadcast_heart(VECTORS[30].data[2:])
        # 2b: battery low, contact; 0b: clock; b6: fast average; ac: slow average, the one for display.
        assert heart is not None
        assert (heart.heart_rate_bpm, heart.contact, heart.battery_low) == (0xAC, True, True)
        three = decode_broadcast_heart(VECTORS[31].data[-3:])
        assert three is not None
        assert (three.heart_rate_bpm, three.contact, three.battery_low) == (0, True, True)

    def test_what_it_tells_people(self) -> None:
        def told(data: dict[int, bytes]) -> str:
            return told_on_air(Advertisement("A0:9E:1A:00:00:01", "Polar H10 12345678", (), data, -60))

        assert told({COMPANY_ID: VECTORS[30].data[2:]}) == "worn, 172 bpm, battery low: charge it or change it first"
        assert told({COMPANY_ID: VECTORS[31].data[2:]}) == "worn, battery low: charge it or change it first"
        assert told({COMPANY_ID: b"\x00\x0b\x48\x48"}) == "not on the skin"
        assert told({COMPANY_ID: VECTORS[32].data[2:]}) == told({}) == told({0x0886: b"\x02\x0b\x48"}) == ""

    @given(st.binary(max_size=40))
    def test_any_bytes(self, data: bytes) -> None:
        heart = decode_broadcast_heart(data)
        assert heart is None or 0 <= heart.heart_rate_bpm <= 255

    def test_models_by_name(self) -> None:
        assert recognise(seen("Polar H10 12345678")) is H10
        assert recognise(seen("Polar Sense 1234ABCD")) is VERITY
        assert recognise(seen("Polar OH1 1234ABCD")) is OH1
        assert model_of("Polar Loop Gen 2 1234ABCD") == "loop gen 2"
        for other in ("Polar H10", "Polar", "", "My Polar H10 12345678", "Polar Vantage V3 1234ABCD"):
            assert recognise(seen(other)) is None

    def test_another_polar_with_the_heart_service_is_a_heart_rate_strap(self) -> None:
        heart = ("0000180d-0000-1000-8000-00805f9b34fb",)
        assert recognise(seen("Polar H9 12345678", heart)) is PROFILES["heart-rate"]
        assert recognise(seen("Polar H10 12345678", heart)) is H10


@reads(15)
def test_features(vector: Vector) -> None:
    features = decode_features(vector.data)
    assert features.measurements == int(vector.expected["feature_bits"], 16)
    for name, measurement in (("ppg", 1), ("acc", 2), ("ppi", 3), ("gyro", 5), ("mag", 6), ("ecg", 0)):
        assert features.has(Measurement(measurement)) == vector.expected[name]
    assert not features.sdk_mode
    assert decode_features(b"\x0f\x6e\x02").sdk_mode
    with pytest.raises(BadPacket, match="begin with 0f"):
        decode_features(b"\xf0\x01\x02")


LISTED = {
    "sample_rates_hz": Setting.RATE_HZ,
    "resolutions_bits": Setting.RESOLUTION_BITS,
    "ranges_g": Setting.RANGE,
    "ranges": Setting.RANGE,
    "channels": Setting.CHANNELS,
}


@reads(16, 17, 18, 19, 27)
def test_lists_of_settings(vector: Vector) -> None:
    if vector.context.get("payload_only"):
        listed = decode_settings(vector.data)
    else:
        answer = decode_answer(vector.data)
        assert (answer.op, answer.status, answer.more) == (Op.GET_SETTINGS, Status.OK, False)
        assert Measurement(answer.measurement).name == vector.expected["measurement"]
        listed = decode_settings(answer.parameters)
    wanted = {kind: tuple(vector.expected[name]) for name, kind in LISTED.items() if name in vector.expected}
    assert listed == wanted


@reads(20, 21, 22, 23, 24, 28)
def test_answers(vector: Vector) -> None:
    answer, expected = decode_answer(vector.data), vector.expected
    assert answer.status == expected["status"]
    assert answer.more is bool(expected.get("more", False))
    if "request_written" in vector.context:
        request = bytes.fromhex(vector.context["request_written"])
        assert (answer.op, answer.measurement) == (request[0], request[1])
    else:
        assert (answer.op, answer.measurement) == (expected["op"], expected["measurement"])
    listed = decode_settings(answer.parameters)
    if "factor" in expected:
        assert listed[Setting.FACTOR] == pytest.approx((expected["factor"],), rel=1e-9)
        assert struct.pack("<f", listed[Setting.FACTOR][0]).hex() == vector.data[-4:].hex()
    else:
        # An H10 ends with one reserved byte, which is no list.
        assert listed == {}


@reads(29)
def test_a_stop_by_the_device(vector: Vector) -> None:
    stopped = [Measurement(one).name for one in decode_stopped(vector.data)]
    assert stopped == vector.expected["stopped_measurements"]
    assert decode_stopped(VECTORS[20].data) == ()
    with pytest.raises(BadPacket, match="no answer"):
        decode_answer(vector.data)


@reads(20, 21)
def test_start_commands(vector: Vector) -> None:
    """The settings of the document's example, whichever order they have in it."""
    written = bytes.fromhex(vector.context["request_written"])
    chosen = {kind: int(values[0]) for kind, values in decode_settings(written[2:]).items()}
    assert start_command(Measurement.ACC, chosen) == written


@pytest.mark.parametrize("data", [b"\x00\x01", b"\x00\x02\x34\x00", b"\x63\x01\x00", b"\x00\x00", b"\x05\x01\x00\x00"])
def test_damaged_lists_of_settings(data: bytes) -> None:
    with pytest.raises(BadPacket, match="cannot be read"):
        decode_settings(data)


class Sensor:
    """A control point as the document describes it, from a script of answers; notes what was asked in which order.

    answers: command (hex, or its beginning) -> indications (hex). A command without an entry is answered with status 0.
    """

    def __init__(self, features: str, answers: dict[str, list[str]] | None = None) -> None:
        self.features = bytes.fromhex(features)
        self.answers = dict(answers or {})
        self.asked: list[str] = []
        self.indicate: Callable[[Any, bytearray], Any] | None = None
        self.notify: Callable[[Any, bytearray], Any] | None = None
        self.services = self

    def get_characteristic(self, specifier: Any) -> Any | None:
        return None

    async def read_gatt_char(self, char_specifier: Any) -> bytearray:
        assert char_specifier == CONTROL
        return bytearray(self.features)

    async def write_gatt_char(self, char_specifier: Any, data: bytes, response: bool | None = None) -> None:
        assert (char_specifier, response) == (CONTROL, True)
        assert self.indicate is not None, "a command before the indications are on gets no answer"
        self.asked.append(data.hex())
        known = max((one for one in self.answers if data.hex().startswith(one)), key=len, default=None)
        said = self.answers[known] if known is not None else [f"f0{data.hex()[:4].ljust(4, '0')}0000"]
        for answer in said:
            self.indicate(None, bytearray.fromhex(answer))

    async def start_notify(self, char_specifier: Any, callback: Callable[[Any, bytearray], Any]) -> None:
        if char_specifier == CONTROL:
            assert self.indicate is None
            self.indicate = callback
        else:
            assert char_specifier == DATA
            self.notify = callback
            self.asked.append("notify")

    async def stop_notify(self, char_specifier: Any) -> None:
        assert char_specifier == CONTROL
        self.indicate = None


def hexed(number: int) -> str:
    return VECTORS[number].data.hex()


# As the vendor's document shows them (figures 2 to 6); the gyroscope's list is of the same form.
H10_ANSWERS = {"0102": [hexed(16)], "0202": [hexed(20)]}
GYRO_LIST = "f0010500000001340001011000020 1d007040103".replace(" ", "")
VERITY_ANSWERS = {
    "0102": [hexed(17)],
    "0105": [GYRO_LIST],
    "0202": [hexed(21)],
    "0205": ["f0020500000501295c8f3d"],
    "06": ["f00600000000"],
}
SDK_ANSWERS = {
    "0402": ["f0040200000005 1a0034006800d000a001 01011000 020402000400 08001000 040103".replace(" ", "")],
    "0405": ["f0040500000005 1a0034006800d000a001 01011000 0204fa00f401e803d007 040103".replace(" ", "")],
}


def start(profile: PolarPmd | Any, sensor: Sensor, wish: Wish, sink: Callable[[bytes], None] | None = None) -> Started:
    return asyncio.run(profile.start(sensor, wish, sink or (lambda data: None)))


class TestStart:
    def test_h10(self) -> None:
        sensor = Sensor("0f05", H10_ANSWERS)
        sensor.features += b"\0"
        started = start(H10, sensor, Wish(200.0))
        # The document's example in the order of the list: rate, resolution, range.
        assert sensor.asked == ["0102", "notify", "0202" + "0001c800" + "01011000" + "02010800", "05"]
        assert (started.rate_hz, started.acc_limit_mps2, started.gyr_limit_radps) == (200.0, 8 * G, None)
        assert dict(started.settings)["acceleration range"] == "8 g"
        assert started.frame_s == 0.18
        block = started.decoder.decode_many([VECTORS[1].data]).block
        assert block.acc_mps2[0].tolist() == pytest.approx([-9e-3 * G, -1e-3 * G, 999e-3 * G])

    def test_verity_sense_and_its_factors(self) -> None:
        sensor = Sensor("0f6e02", VERITY_ANSWERS)
        started = start(VERITY, sensor, Wish(52.0))
        assert sensor.asked[:3] == ["06", "0102", "0105"]
        assert sensor.asked[3] == "notify"
        assert sensor.asked[4] == VECTORS[21].context["request_written"].replace(" ", "").lower()
        assert sensor.asked[5] == "0205" + "00013400" + "01011000" + "0201d007" + "040103"
        told = dict(started.settings)
        assert told["acceleration factor"] == "0.000244 g"
        assert told["angular rate factor"] == "0.07 deg/s"
        assert "mode" not in told
        acc = started.decoder.decode_many([VECTORS[2].data]).block.acc_mps2[0] / G
        assert acc.tolist() == pytest.approx([0.46482, 6.679744, -7.144808], rel=1e-6)

    def test_newer_firmware_gives_no_factor_and_sends_mg(self) -> None:
        sensor = Sensor("0f6e02", {**VERITY_ANSWERS, "0202": ["f002020000"]})
        started = start(VERITY, sensor, Wish(52.0))
        assert "acceleration factor" not in dict(started.settings)
        acc = started.decoder.decode_many([VECTORS[3].data]).block.acc_mps2 / G * 1000
        assert acc[0].tolist() == pytest.approx([-15, 20, 1008])

    @pytest.mark.parametrize("wish", [Wish(208.0), Wish(52.0, acc_range_g=16), Wish(52.0, gyr_range_degps=500)])
    def test_sdk_mode_for_other_rates_and_ranges(self, wish: Wish) -> None:
        sensor = Sensor("0f6e02", {**VERITY_ANSWERS, **SDK_ANSWERS})
        started = start(VERITY, sensor, wish)
        # Streams are stopped before: the mode cannot be switched while one runs.
        assert sensor.asked[:6] == ["06", "0302", "0305", "0209", "0402", "0405"]
        assert started.acc_limit_mps2 == 16 * G
        assert "no heart rate" in dict(started.settings)["mode"]

    def test_sdk_mode_left_on_is_switched_off(self) -> None:
        sensor = Sensor("0f6e02", {**VERITY_ANSWERS, "06": ["f0060000000 1".replace(" ", "")]})
        start(VERITY, sensor, Wish(52.0))
        assert sensor.asked[:4] == ["06", "0302", "0305", "0309"]

    def test_oh1_lists_another_rate_than_it_streams(self) -> None:
        listed = "f00102000000018700010110000201080004 0103".replace(" ", "")
        sensor = Sensor("0f0e00", {"0102": [listed], "0202": ["f002020000"]})
        started = start(OH1, sensor, Wish(50.0))
        assert sensor.asked[-2].startswith("020200018700")
        assert started.rate_hz == 50.0

    def test_an_answer_in_parts(self) -> None:
        """The second part has a head of its own, which is no part of the list."""
        parts = [hexed(16)[:8] + "01" + hexed(16)[10:24], "f00102000 0".replace(" ", "") + hexed(16)[24:]]
        sensor = Sensor("0f0500", {**H10_ANSWERS, "0102": parts})
        assert start(H10, sensor, Wish(25.0)).rate_hz == 25.0

    def test_an_answer_to_something_else_is_passed_over(self) -> None:
        late = ["f003020000", "ff", "f00105000000", hexed(16)]
        assert start(H10, Sensor("0f0500", {**H10_ANSWERS, "0102": late}), Wish(25.0)).rate_hz == 25.0

    def test_a_stream_left_running_is_stopped_and_started(self) -> None:
        sensor = Sensor("0f0500", H10_ANSWERS)
        sensor.answers["0202"] = ["f002020600"]
        with pytest.raises(Refused, match="so already"):
            start(H10, sensor, Wish(25.0))
        assert [one[:4] for one in sensor.asked] == ["0102", "noti", "0202", "0302", "0202"]

    def test_pulse_intervals_on_demand(self) -> None:
        profile = PolarPmd(VERITY_SENSE, PolarOptions(pulse_intervals=True))
        sensor = Sensor("0f6e02", VERITY_ANSWERS)
        started = start(profile, sensor, Wish(52.0))
        assert sensor.asked[-1] == "0203"
        assert dict(started.settings)["pulse intervals"] == "streamed"
        assert len(started.decoder.decode_many([VECTORS[11].data]).heart) == 2
        sensor = Sensor("0f6e02", {**VERITY_ANSWERS, "0203": ["f002030c00"]})
        assert dict(start(profile, sensor, Wish(52.0)).settings)["pulse intervals"] == "refused with status 12"
        # Without the option they are foreign.
        plain = start(VERITY, Sensor("0f6e02", VERITY_ANSWERS), Wish(52.0))
        assert plain.decoder.decode_many([VECTORS[11].data]).bad == (0,)


class TestRefusals:
    def test_a_rate_that_is_not_offered(self) -> None:
        with pytest.raises(Refused, match="25, 50, 100, 200 Hz"):
            start(H10, Sensor("0f0500", H10_ANSWERS), Wish(60.0))

    def test_a_rate_or_range_that_is_not_listed(self) -> None:
        fewer = {**H10_ANSWERS, "0102": ["f00102000000 0132000101100002020200 0400".replace(" ", "")]}
        with pytest.raises(Refused, match="does not offer 25 Hz; choose one of 50 Hz"):
            start(H10, Sensor("0f0500", fewer), Wish(25.0))
        with pytest.raises(Refused, match="does not offer 16 g; choose one of 2, 4, 8 g"):
            start(H10, Sensor("0f0500", H10_ANSWERS), Wish(25.0, acc_range_g=16))

    def test_a_sensor_or_mode_that_the_firmware_lacks(self) -> None:
        with pytest.raises(Refused, match="no angular rate: update its firmware"):
            start(VERITY, Sensor("0f0e02", VERITY_ANSWERS), Wish(52.0))
        with pytest.raises(Refused, match="no SDK mode"):
            start(VERITY, Sensor("0f6e00", VERITY_ANSWERS), Wish(104.0))

    @pytest.mark.parametrize("status", [*range(1, 15), 99])
    def test_every_status_is_a_sentence_with_what_to_do(self, status: int) -> None:
        sensor = Sensor("0f0500", {**H10_ANSWERS, "0202": [f"f00202{status:02x}00"]})
        with pytest.raises(Refused, match=r"^Polar H10 does not start acceleration: [a-z].*[;:] .*\.$"):
            start(H10, sensor, Wish(25.0))

    @reads(28)
    def test_the_vendor_s_error_answer(self, vector: Vector) -> None:
        sensor = Sensor("0f0500", {"0102": [vector.data.hex().replace("f00106", "f00102")]})
        with pytest.raises(Refused, match="list its settings of acceleration: it does not have this resolution"):
            start(H10, sensor, Wish(25.0))

    def test_a_start_that_answers_with_other_settings(self) -> None:
        sensor = Sensor("0f0500", {**H10_ANSWERS, "0202": ["f002020000" + "00016400"]})
        with pytest.raises(Refused, match="with 25 but with 100"):
            start(H10, sensor, Wish(25.0))

    def test_a_start_that_starts_nothing(self) -> None:
        """Acceleration is idle (02) or recorded on the device only (82); online (42), or both (c2), is as wanted."""
        for told in ("02", "82"):
            sensor = Sensor("0f0500", {**H10_ANSWERS, "05": ["f005000000" + told + "40"]})
            with pytest.raises(Refused, match="does not stream acceleration though it said so"):
                start(H10, sensor, Wish(25.0))
        for told in ("f00500000042", "f005000000c2", "f005000000", "f005000100"):
            start(H10, Sensor("0f0500", {**H10_ANSWERS, "05": [told]}), Wish(25.0))

    @pytest.mark.parametrize("factor", ["0000c07f", "00000000", "000080bf"])
    def test_a_factor_that_is_none(self, factor: str) -> None:
        sensor = Sensor("0f6e02", {**VERITY_ANSWERS, "0202": ["f0020200000501" + factor]})
        with pytest.raises(BadPacket, match="factor"):
            start(VERITY, sensor, Wish(52.0))


def test_no_answer_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polar_control, "_ANSWER_S", 0.02)
    with pytest.raises(Disconnected, match=r"did not answer 01 02 within 0\.02 s; the link is made anew"):
        start(H10, Sensor("0f0500", {"0102": []}), Wish(25.0))


def test_an_answer_without_an_end() -> None:
    with pytest.raises(BadPacket, match="more than 16 parts"):
        start(H10, Sensor("0f0500", {"0102": ["f001020001"] * 17}), Wish(25.0))


def test_a_stop_by_the_device_ends_what_is_passed_on() -> None:
    """The link then notices the silence and starts anew."""
    taken: list[bytes] = []
    sensor = Sensor("0f6e02", VERITY_ANSWERS)
    start(VERITY, sensor, Wish(52.0), taken.append)
    assert sensor.notify is not None
    assert sensor.indicate is not None
    sensor.notify(None, bytearray(b"one"))
    # Light and intervals are nobody's here.
    sensor.indicate(None, bytearray.fromhex("010103"))
    sensor.notify(None, bytearray(b"two"))
    sensor.indicate(None, bytearray(VECTORS[29].data))
    sensor.notify(None, bytearray(b"three"))
    assert taken == [b"one", b"two"]


def test_stop_ends_every_stream_and_the_mode() -> None:
    for profile, features, answers, wish, commands in (
        (H10, "0f0500", H10_ANSWERS, Wish(25.0), ["0302"]),
        (VERITY, "0f6e02", VERITY_ANSWERS, Wish(52.0), ["0302", "0305", "0309"]),
    ):
        sensor = Sensor(features, answers)
        start(profile, sensor, wish)
        before = len(sensor.asked)
        asyncio.run(profile.stop(sensor))
        assert sensor.asked[before:] == commands
