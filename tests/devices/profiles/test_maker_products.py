"""Thingy:52, InfiniTime, Bangle.js and micro:bit, boards of one's own: bytes by hand from the documents, and twins.

No vector of a real device is known for any of them.
"""

from __future__ import annotations

import asyncio
import struct

import numpy as np
import pytest

from devices.errors import BadPacket, Refused
from devices.profiles import PROFILES, recognise
from devices.profiles import maker_uuids as maker
from devices.profiles.nordic_uart import LineDecoder, parse_line
from devices.profiles.subscribing import read_triple
from devices.profiles.thingy52 import decode_raw
from devices.profiles.types import Wish
from devices.sim.maker_products import SimThingy52
from devices.sim.products import make_firmware
from devices.types import Advertisement
from tests.devices.sim.firmware_client import ADDRESS, FirmwareClient, streaming

G = 9.80665


def seen(name: str, *uuids: str) -> Advertisement:
    return Advertisement(ADDRESS, name, uuids, {}, -60)


def test_recognised_by_service_or_name() -> None:
    assert recognise(seen("", maker.THINGY_CONFIGURATION)) is PROFILES["thingy52"]
    assert recognise(seen("InfiniTime")) is PROFILES["infinitime"]
    assert recognise(seen("Bangle.js a1b2")) is PROFILES["microbit"]
    assert recognise(seen("BBC micro:bit [tozit]")) is PROFILES["microbit"]
    assert recognise(seen("", maker.MICROBIT_SERVICE, maker.UART_SERVICE)) is PROFILES["microbit"]
    assert recognise(seen("My sketch", maker.UART_SERVICE)) is PROFILES["nordic-uart"]
    # The ring's service differs from the pipe in one group of digits.
    assert recognise(seen("R02_1234", "6e40fff0-b5a3-f393-e0a9-e50e24dcca9e")) is None


def test_thingy_bytes_by_the_firmware_s_fixed_point_formats() -> None:
    """6Q10 g, 11Q5 deg/s: 1 g is 0x0400, 90 deg/s is 0x0b40."""
    acc, gyr = decode_raw(bytes.fromhex("0004" + "00fc" + "0002" + "400b" + "c0f4" + "2000" + "000000000000"))
    np.testing.assert_allclose(acc, [[G, -G, G / 2]])
    np.testing.assert_allclose(gyr, [[np.pi / 2, -np.pi / 2, np.radians(1)]])
    for wrong in (b"", bytes(17), bytes(19), bytes(20)):
        with pytest.raises(BadPacket, match="not 18"):
            decode_raw(wrong)


def test_thingy_configuration_of_the_document() -> None:
    """100 Hz: `E8 03 F4 01 F4 01 64 00 01`, all else as the firmware has it by default."""
    client, _ = streaming("thingy52", wish=Wish(100.0))
    assert client.firmware.read(maker.THINGY_MOTION_CONFIG, 87) == bytes.fromhex("E803F401F401640001")


class Stubborn(SimThingy52):
    """A Thingy whose firmware takes the rate and keeps its own."""

    def write(self, uuid: str, data: bytes, battery_percent: int) -> tuple[()]:
        return ()


def test_a_rate_that_is_not_kept_is_refused() -> None:
    with pytest.raises(Refused, match="stays at 200 Hz though 50 Hz was set"):
        FirmwareClient(Stubborn(ADDRESS)).start(PROFILES["thingy52"], Wish(50.0))


@pytest.mark.parametrize(("per_g", "raw"), [(maker.INFINITIME_PER_G, 1024), (maker.MICROBIT_PER_G, 1000)])
def test_one_g(per_g: float, raw: int) -> None:
    acc, gyr = read_triple(per_g, "watch")(struct.pack("<3h", raw, -raw, 0))
    np.testing.assert_allclose(acc, [[G, -G, 0]])
    assert np.isnan(gyr).all()
    with pytest.raises(BadPacket, match="A notification of a watch has 5 bytes, not 6; not used"):
        read_triple(per_g, "watch")(bytes(5))


def test_a_bangle_has_no_period_and_a_micro_bit_has() -> None:
    _, started = streaming("bangle-js", "microbit", Wish(12.5))
    assert started.settings == ()
    with pytest.raises(Refused, match=r"does not let its rate be set: choose 12\.5 Hz"):
        streaming("bangle-js", "microbit", Wish(50.0))
    client, started = streaming("microbit", wish=Wish(50.0))
    assert client.firmware.read(maker.MICROBIT_PERIOD, 87) == b"\x14\x00"
    assert started.settings == (("rate", "50 Hz"),)


@pytest.mark.parametrize("product", ["thingy52", "infinitime", "microbit", "nordic-uart", "heart-rate"])
def test_no_range_can_be_set(product: str) -> None:
    profile = PROFILES[product]
    with pytest.raises(Refused, match="does not let a range be set"):
        FirmwareClient(make_firmware(product, ADDRESS)).start(profile, Wish(profile.rates_offered_hz[0], acc_range_g=4))


@pytest.mark.parametrize(
    ("product", "acc_step_mps2", "gyr_step_radps"),
    [
        ("thingy52", G / 1024, np.radians(1 / 32)),
        ("infinitime", G / 1024, None),
        ("microbit", G / 1000, None),
        ("bangle-js", G / 1000, None),
        ("nordic-uart", 1e-4 * G, np.radians(0.01)),
    ],
)
def test_the_twin_s_motion_comes_out(product: str, acc_step_mps2: float, gyr_step_radps: float | None) -> None:
    family = "microbit" if product == "bangle-js" else product
    client, started = streaming(product, family)
    client.measure(500)
    decoded = started.decoder.decode_many(client.sent)
    assert decoded.bad == ()
    block = decoded.block
    # A line that was begun before the link is passed over.
    first = 1 if product == "nordic-uart" else 0
    assert len(block.ticks) == 500 - first
    assert np.abs(block.acc_mps2 - client.acc_mps2[first:]).max() <= 0.51 * acc_step_mps2
    if gyr_step_radps is None:
        assert np.isnan(block.gyr_radps).all()
    else:
        assert np.abs(block.gyr_radps - client.gyr_radps[first:]).max() <= 0.51 * gyr_step_radps
    rate_hz = client.firmware.rate_hz
    expected = np.arange(first, 500) * 1000 / rate_hz if product == "nordic-uart" else np.arange(500)
    np.testing.assert_allclose(block.ticks, expected, atol=1)
    asyncio.run(PROFILES[family].stop(client))


class TestLines:
    def test_the_convention(self) -> None:
        assert parse_line(b"1234,0.5,-1,0.25,10,-20.5,0\r").tolist() == [1234, 0.5, -1, 0.25, 10, -20.5, 0]
        assert parse_line(b" 5, 0,0,1, 0,0,0, 12,13,14").tolist() == [5, 0, 0, 1, 0, 0, 0]

    @pytest.mark.parametrize(
        "line",
        [
            b"",
            b"t_ms,ax,ay,az,gx,gy,gz",
            b"1,2,3",
            b"1,0,0,1,0,0,0,5",
            b"-1,0,0,1,0,0,0",
            b"1.5,0,0,1,0,0,0",
            b"4294967296,0,0,1,0,0,0",
            b"1,nan,0,1,0,0,0",
            b"1,0,0,inf,0,0,0",
            b"1,0,0,9.81e3,0,0,0",
            b"1,0,0,1,5000,0,0",
            b"1,0,0,1,0,0,\xff",
            b"1,,0,1,0,0,0",
        ],
    )
    def test_what_is_no_line(self, line: bytes) -> None:
        with pytest.raises(BadPacket, match="is no line"):
            parse_line(line)

    def test_lines_span_notifications(self) -> None:
        """The first end of a line is waited for; each sample belongs to the notification that ended its line."""
        decoder = LineDecoder()
        decoded = decoder.decode_many([b"3,1,0,0,0\n10,0,0", b",1,0,0,0\n20,0,0,1,0,0,90\n", b"bad\n30,0,"])
        assert decoded.block.ticks.tolist() == [10, 20]
        assert decoded.frame_of.tolist() == [1, 1]
        assert decoded.bad == (2,)
        np.testing.assert_allclose(decoded.block.gyr_radps[1], [0, 0, np.pi / 2])
        after = decoder.decode_many([b"0,1,0,0,0\n"])
        assert after.block.ticks.tolist() == [30]

    def test_a_pipe_that_sends_no_lines(self) -> None:
        """What has no end is given up, and waits for the next end before it is read again."""
        decoder = LineDecoder()
        decoded = decoder.decode_many([bytes(150), bytes(150), b"0,0,1,0,0,0\n", b"40,0,0,1,0,0,0\n"])
        assert decoded.bad == (1,)
        assert decoded.block.ticks.tolist() == [40]
