"""From notifications to stored chunks to the integrity result: equal to what was injected, for each kind of product."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from coach.analysis.integrity import Integrity, IntegrityParams, IntegrityState, add_integrity, integrity
from devices.codec import decode_chunk, encode_chunk
from devices.types import Chunk, FloatArray, IntArray
from tests.devices.plain_product import WRAP, PlainProduct, Receiver, frame

NAN = np.full(3, np.nan)


@dataclass(frozen=True)
class Sent:
    """A notification: which samples it holds, of which sensor, and when it arrives."""

    index: IntArray
    sensor: str
    arrival_s: float


def rows_of(index: IntArray, rate_hz: float) -> tuple[FloatArray, FloatArray]:
    """Return acc and gyr of samples: acc x is the number, gyr a straight line in time."""
    acc = np.column_stack([index, index * 0.0, index * 0.0 + 9.8]).astype(float)
    gyr = np.column_stack([index / rate_hz, 1 - index / rate_hz, index * 0.0])
    return acc, gyr


def data_of(sent: Sent, product: PlainProduct, true_hz: float, first_tick: int) -> bytes:
    acc, gyr = rows_of(sent.index, true_hz)
    ticks = sent.index if product.ticks_per_s is None else first_tick + np.rint(sent.index / true_hz * 1e6).astype(int)
    if sent.sensor == "acc":
        gyr = np.full_like(gyr, np.nan)
    if sent.sensor == "gyr":
        acc = np.full_like(acc, np.nan)
    return frame(ticks % WRAP if product.ticks_per_s else ticks, acc, gyr)


def stored(receiver: Receiver) -> list[Chunk]:
    """Return the chunks as they come out of the store."""
    return [decode_chunk(encode_chunk(chunk)) for chunk in receiver.finish()]


def result_of(chunks: list[Chunk]) -> Integrity:
    state, at = IntegrityState(), 0
    for chunk in chunks:
        gap = np.full((chunk.start_index - at, 3), np.nan)
        state = add_integrity(IntegrityParams(), state, chunk.rate_hz, gap, gap, np.zeros(len(gap), dtype=bool))
        valid = np.isfinite(chunk.acc_mps2[:, 0])
        state = add_integrity(
            IntegrityParams(), state, chunk.rate_hz, chunk.acc_mps2, chunk.gyr_radps, valid, chunk.reception
        )
        at = chunk.start_index + len(chunk)
    return integrity(state)


def numbers_in(chunks: list[Chunk]) -> tuple[IntArray, IntArray]:
    """Return of each sample in the chunks its true number, and its place on the grid."""
    true, place = [], []
    for chunk in chunks:
        there = np.flatnonzero(np.isfinite(chunk.acc_mps2[:, 0]))
        true += np.rint(chunk.acc_mps2[there, 0]).astype(int).tolist()
        place += (chunk.start_index + there).tolist()
    return np.array(true), np.array(place)


def heard(
    product: PlainProduct,
    frames: list[tuple[Sent, bool, bool]],
    true_hz: float,
    first_tick: int,
    drain_s: float,
) -> list[Chunk]:
    """Return the stored chunks of frames in the order in which they come: (frame, whether damaged, whether twice).

    Arrivals rise, also where frames overtook each other.
    """
    receiver = Receiver(product, drain_s=drain_s)
    latest_s = 0.0
    for one, damaged, twice in frames:
        latest_s = max(latest_s, one.arrival_s)
        raw = data_of(one, product, true_hz, first_tick)
        receiver.feed([(latest_s, raw[:-1] if damaged else raw)] * (1 + twice))
    return stored(receiver)


@settings(max_examples=40, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(st.data())
def test_a_product_with_a_clock_loses_and_repeats_exactly_what_the_radio_did(data: st.DataObject) -> None:
    rate_hz = data.draw(st.sampled_from([25.0, 52.0, 60.0, 104.0, 208.0]))
    true_hz = rate_hz * (1 + data.draw(st.floats(-0.03, 0.03)))
    # The last: Polar's frames of more than a second.
    per_frame = data.draw(st.sampled_from([1, 2, 4, 8, 36]))
    frames = max(round(data.draw(st.floats(8.0, 20.0)) * rate_hz / per_frame), 12)
    sent = [
        Sent(np.arange(at * per_frame, (at + 1) * per_frame), "both", (at + 1) * per_frame / true_hz + 0.01)
        for at in range(frames)
    ]
    settled = max(round(2 * rate_hz / per_frame), 2)
    anywhere = st.integers(settled, frames - 3)
    runs = data.draw(st.lists(st.tuples(anywhere, st.integers(1, max(2, frames // 4))), max_size=3))
    lost = {at for first, count in runs for at in range(first, min(first + count, frames - 2))}
    damaged = data.draw(st.sets(anywhere, max_size=3)) - lost
    again = data.draw(st.sets(anywhere, max_size=4)) - lost - damaged
    order = [at for at in range(frames) if at not in lost]
    swapped = data.draw(st.sets(st.integers(settled, len(order) - 2), max_size=3))
    for at in sorted(swapped):
        # Frames that overtake each other follow each other.
        if order[at + 1] == order[at] + 1:
            order[at], order[at + 1] = order[at + 1], order[at]
    chunks = heard(
        PlainProduct(rate_hz),
        [(sent[at], at in damaged, at in again) for at in order],
        true_hz,
        first_tick=data.draw(st.sampled_from([0, 5_000_000, WRAP - 6_000_000] if per_frame < 36 else [5_000_000])),
        drain_s=data.draw(st.sampled_from([0.02, 0.3])),
    )
    arrived = np.concatenate([sent[at].index for at in sorted(set(order) - damaged)])
    true, place_on_grid = numbers_in(chunks)
    # Each sample once, at its own place: nothing dropped, doubled or moved, though the rate is off its promise.
    np.testing.assert_array_equal(np.sort(true), arrived)
    np.testing.assert_array_equal(place_on_grid, true)
    told = result_of(chunks)
    missing = int(arrived[-1]) + 1 - len(arrived)
    assert (told.received, told.lost, told.expected) == (len(arrived), missing, int(arrived[-1]) + 1)
    assert (told.duplicates, told.damaged) == (len(again) * per_frame, len(damaged))
    assert (told.late, told.unjoined, told.restarts) == (0, 0, 0)
    gaps = np.diff(arrived)[np.diff(arrived) > 1] - 1
    assert sorted(round(gap.duration_s * told.rate_hz) for gap in told.gaps) == sorted(gaps.tolist())
    assert told.rate_hz == pytest.approx(true_hz, rel=0.006)
    assert told.sampling_rate_hz == pytest.approx(true_hz, rel=0.001)
    assert told.limits_known


@pytest.mark.parametrize("ticks_per_s", [1_000_000, None])
@pytest.mark.parametrize("off", [0.0, 0.02])
def test_sensors_that_come_apart_are_joined_and_a_lost_partner_is_counted(ticks_per_s: int | None, off: float) -> None:
    """Polar's way (a clock, long frames) and MetaMotion's (no clock, short ones)."""
    rate_hz, per_frame = (52.0, 36) if ticks_per_s else (100.0, 3)
    true_hz = rate_hz * (1 + off)
    product = PlainProduct(rate_hz, ticks_per_s, separate=True)
    receiver = Receiver(product)
    frames = round(40 * rate_hz / per_frame)
    lost_gyr = {frames // 2} if ticks_per_s else set(range(frames // 2, frames // 2 + 20))
    for at in range(frames):
        index = np.arange(at * per_frame, (at + 1) * per_frame)
        done_s = (at + 1) * per_frame / true_hz
        receiver.feed([(done_s + 0.01, data_of(Sent(index, "acc", 0.0), product, true_hz, 7_000_000))])
        if at not in lost_gyr:
            receiver.feed([(done_s + 0.012, data_of(Sent(index, "gyr", 0.0), product, true_hz, 7_000_000))])
    chunks = stored(receiver)
    true, place = numbers_in(chunks)
    np.testing.assert_array_equal(true, np.arange(frames * per_frame))
    np.testing.assert_array_equal(place, true)
    gyr = np.concatenate([chunk.gyr_radps for chunk in chunks])
    _, expected = rows_of(true, true_hz)
    there = np.isfinite(gyr[:, 0])
    told = result_of(chunks)
    assert told.unjoined == np.count_nonzero(~there)
    if ticks_per_s:
        # A lost frame takes its own rows.
        assert told.unjoined == per_frame
        np.testing.assert_allclose(gyr[there], expected[there], atol=0.002)
    else:
        # Without a clock a sensor's pause of 0.6 s is found from its arrivals; times are good to some ms.
        assert told.unjoined == pytest.approx(20 * per_frame, abs=4)
        np.testing.assert_allclose(gyr[there], expected[there], atol=0.02)


def test_a_wearable_without_a_gyroscope_has_none_in_any_row_and_waits_for_none() -> None:
    product = PlainProduct(50.0, separate=True, gyr_limit_radps=None)
    receiver = Receiver(product)
    for at in range(500):
        receiver.feed([(at / 50 + 0.01, data_of(Sent(np.array([at]), "acc", 0.0), product, 50.0, 0))])
    # Nothing waits for a partner: the first chunk of 5 s is there a moment after its end.
    assert len(receiver.chunks) == 1
    chunks = stored(receiver)
    assert not any(chunk.has_gyroscope for chunk in chunks)
    told = result_of(chunks)
    assert (told.received, told.unjoined, told.gyr_clipped_share) == (500, 0, None)
    assert "clipping of the gyroscope" in [each.what for each in told.not_computable]


def test_a_restart_of_the_clock_is_counted_and_its_gap_is_as_long_as_utc_tells() -> None:
    product = PlainProduct(60.0)
    receiver = Receiver(product)
    for at in [*range(600), *range(900, 1500)]:
        ticks = np.array([round((at - (900 if at >= 900 else 0)) / 60 * 1e6) + (0 if at >= 900 else 800_000_000)])
        acc, gyr = rows_of(np.array([at]), 60.0)
        receiver.feed([(at / 60 + 0.01, frame(ticks, acc, gyr))])
    told = result_of(stored(receiver))
    assert told.restarts == 1
    assert (told.received, told.lost) == (1200, 300)
    assert [round(gap.duration_s * 60) for gap in told.gaps] == [300]


def test_a_new_recording_begins_at_zero_with_the_rate_that_is_known_by_then() -> None:
    product = PlainProduct(60.0)
    receiver = Receiver(product)
    for at in range(1200):
        if at == 700:
            receiver.intake.new_recording("second", receiver.host.now_s)
        receiver.feed([(at / 61.5 + 0.01, data_of(Sent(np.array([at]), "both", 0.0), product, 61.5, 0))])
    chunks = stored(receiver)
    first = [chunk for chunk in chunks if chunk.recording_id == "rec"]
    second = [chunk for chunk in chunks if chunk.recording_id == "second"]
    assert [chunk.seq for chunk in second] == list(range(len(second)))
    true, place = numbers_in(second)
    np.testing.assert_array_equal(true, np.arange(700, 1200))
    np.testing.assert_array_equal(place, np.arange(500))
    for part in (first, second):
        (rate_hz,) = {chunk.rate_hz for chunk in part}
        assert rate_hz == pytest.approx(61.5, abs=0.01)


@pytest.mark.parametrize("lost_at", [120, 1000])
def test_a_link_lost_for_seconds_is_one_gap_of_a_product_without_a_clock(lost_at: int) -> None:
    """Also if it is lost before the first seconds have shown the rate."""
    product = PlainProduct(100.0, None)
    receiver = Receiver(product)
    for at in range(3000):
        if lost_at <= at < lost_at + 800:
            continue
        if at == lost_at + 800:
            receiver.intake.end_session(receiver.host.now_s + 0.1)
            receiver.intake.flush(receiver.host.now_s + 5.0)
            receiver.begin_session()
        receiver.feed([(at / 100 + 0.01, data_of(Sent(np.array([at]), "both", 0.0), product, 100.0, 0))])
    chunks = stored(receiver)
    true, place = numbers_in(chunks)
    np.testing.assert_array_equal(place, true)
    told = result_of(chunks)
    assert (told.received, told.lost, told.duplicates, told.drift_ppm) == (2200, 800, 0, None)
    assert told.clock_uncertainty_s is not None
