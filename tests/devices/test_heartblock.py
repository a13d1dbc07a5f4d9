"""Heart rate in blocks: every notification once and in order whatever the cuts, and the same bytes again."""

from __future__ import annotations

import zlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.errors import BadPacket, UnknownFormat
from devices.heartblock import HeartBlock, HeartGrouping, decode_heart, encode_heart, is_heart
from devices.types import HeartNow, HeartRateSample

START_UTC_S = 1_800_000_000.0
SAMPLES = st.builds(
    HeartRateSample,
    st.integers(0, 65535),
    st.lists(st.integers(0, 65535).map(lambda units: units / 1024), max_size=9).map(tuple),
    st.sampled_from([None, False, True]),
)


def told(blocks: list[HeartBlock]) -> list[tuple[float, int, int, tuple[float, ...]]]:
    found = []
    for block in blocks:
        ends = np.cumsum(block.beats["rr_count"], dtype=int)
        for beat, intervals in zip(block.beats.tolist(), np.split(block.rr_s, ends[:-1]), strict=True):
            found.append((*beat[:3], tuple(intervals.tolist())))
    return found


@given(
    st.lists(st.tuples(SAMPLES, st.floats(0, 9)), max_size=40),
    st.sets(st.integers(0, 39)),
    st.sets(st.integers(0, 39)),
)
def test_every_notification_is_kept_once_and_in_order(
    came: list[tuple[HeartRateSample, float]], silences: set[int], recordings: set[int]
) -> None:
    grouping = HeartGrouping("AA:BB", "rec", 5.0)
    cuts: list[HeartBlock | None] = []
    at_s, sent = 0.0, []
    for number, (sample, pause_s) in enumerate(came):
        at_s += pause_s
        cuts.append(grouping.take(sample, START_UTC_S + at_s, at_s))
        contact = {None: -1, False: 0, True: 1}[sample.contact]
        sent.append((START_UTC_S + at_s, sample.heart_rate_bpm, contact, sample.rr_s))
        assert grouping.newest == HeartNow(sample.heart_rate_bpm, sample.contact, START_UTC_S + at_s)
        if number in silences:
            assert grouping.cut_if_silent(at_s + 4.9) is None
            cuts.append(grouping.cut_if_silent(at_s + 5.0))
        if number in recordings:
            cuts.append(grouping.begin(f"rec{number}"))
    cuts += [grouping.finish(), grouping.finish()]
    blocks = [decode_heart(encode_heart(cut)) for cut in cuts if cut is not None]
    assert told(blocks) == sent
    assert len({block.key for block in blocks}) == len(blocks)
    assert all(np.ptp(block.beats["arrival_utc_s"]) < 5.0 for block in blocks)


def a_block() -> HeartBlock:
    grouping = HeartGrouping("AA:BB", "rec", 60.0)
    for second in range(5):
        grouping.take(HeartRateSample(70 + second, (0.8, 0.81), True), START_UTC_S + second, second)
    block = grouping.finish()
    assert block is not None
    return block


def test_a_block_codes_to_the_same_bytes_again() -> None:
    data = encode_heart(a_block())
    assert is_heart(data)
    assert encode_heart(decode_heart(data)) == data
    assert len(data) < 150


def test_a_clock_that_is_set_back_begins_another_block() -> None:
    grouping = HeartGrouping("AA:BB", "rec", 5.0)
    assert grouping.take(HeartRateSample(70, (), None), START_UTC_S, 0.0) is None
    assert grouping.take(HeartRateSample(70, (), None), START_UTC_S - 3600, 1.0) is not None


@given(st.integers(0, 120), st.integers(1, 255))
def test_a_changed_byte_is_noticed(at: int, change: int) -> None:
    data = bytearray(encode_heart(a_block()))
    data[at % len(data)] ^= change
    with pytest.raises((BadPacket, UnknownFormat)):
        decode_heart(bytes(data))


@given(st.binary(max_size=120))
def test_bytes_of_whoever_are_refused(noise: bytes) -> None:
    head = encode_heart(a_block())[:5]
    for data in (noise, head + noise, head + noise + zlib.crc32(head + noise).to_bytes(4, "little")):
        with pytest.raises((BadPacket, UnknownFormat)):
            decode_heart(data)


@pytest.mark.parametrize(
    ("field", "value"), [("arrival_utc_s", float("nan")), ("arrival_utc_s", -1.0), ("contact", 2), ("rr_count", 9)]
)
def test_what_no_sensor_tells_is_refused_without_the_values(field: str, value: float) -> None:
    block = a_block()
    beats = block.beats.copy()
    beats[field][0] = value
    with pytest.raises(BadPacket) as refused:
        encode_heart(replace(block, beats=beats))
    assert "7" not in str(refused.value)
