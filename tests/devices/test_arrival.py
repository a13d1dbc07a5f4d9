"""Products without a clock: numbers and times from arrivals alone, against a simulated truth."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from devices.chunker import Chunker, ChunkerParams
from devices.rows import Rows
from devices.timing import SampleTiming, TimingParams
from devices.types import Chunk, FloatArray, IntArray

START_UTC_S = 1_800_000_000.0
WRAP = 2**32


@dataclass
class Radio:
    """Truth: a sensor that takes samples at its own rate, and a link that hands them over at connection events.

    off: how much faster than promised the sensor is. per_packet: samples in a notification. lost: (start, s) within
    which nothing is sent, and nothing kept; held: (start, s) after which all that waited comes at once.
    """

    promised_hz: float = 100.0
    off: float = 0.0
    duration_s: float = 60.0
    interval_s: float = 0.03
    jitter_s: float = 0.003
    per_packet: int = 1
    lost: list[tuple[float, float]] = field(default_factory=list)
    held: list[tuple[float, float]] = field(default_factory=list)
    seed: int = 1

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.seed)
        n = int(self.duration_s * self.promised_hz * (1 + self.off)) // self.per_packet * self.per_packet
        self.taken_s: FloatArray = np.arange(n) / (self.promised_hz * (1 + self.off))
        packet = np.arange(n) // self.per_packet
        full_s = self.taken_s[packet * self.per_packet + self.per_packet - 1]
        phase_s = rng.uniform(0, self.interval_s)
        event_s = np.ceil((full_s + 0.001 - phase_s) / self.interval_s) * self.interval_s + phase_s
        again = self.interval_s * (rng.random(n // self.per_packet) < 0.05)
        arrival_s = event_s + (0.001 + rng.exponential(self.jitter_s, n // self.per_packet) + again)[packet]
        for start_s, length_s in self.held:
            waited = (full_s >= start_s) & (full_s < start_s + length_s)
            arrival_s[waited] = np.maximum(arrival_s[waited], start_s + length_s)
        sent = np.ones(n, dtype=bool)
        for start_s, length_s in self.lost:
            sent &= ~((full_s >= start_s) & (full_s < start_s + length_s))
        self.index: IntArray = np.flatnonzero(sent)
        self.arrival_s: FloatArray = np.maximum.accumulate(arrival_s)[sent]

    def rows(self) -> Rows:
        """Return what a decoder hands on: each sample's values tell its true number."""
        values = np.column_stack([self.index] * 3).astype(float)
        return Rows(np.arange(len(self.index)), values, -values)


def received(radio: Radio, every_s: float = 0.1, reconnect_at_s: float | None = None) -> tuple[list[Chunk], Chunker]:
    timing = SampleTiming(TimingParams(radio.promised_hz, None, WRAP))
    params = ChunkerParams("dev", radio.promised_hz, round(radio.promised_hz * 1000))
    chunker = Chunker(params, "rec", timing.clock.utc_s, rate_of=timing.measured_rate_hz)
    timing.begin_session(joined=True)
    rows, chunks = radio.rows(), []
    bounds = np.flatnonzero(np.diff(np.floor(radio.arrival_s / every_s))) + 1
    for start, end in pairwise([0, *bounds.tolist(), len(rows)]):
        if reconnect_at_s is not None and radio.arrival_s[start] >= reconnect_at_s:
            timing.begin_session(joined=True)
            reconnect_at_s = None
        ready = timing.take(rows.part(slice(start, end)), START_UTC_S + radio.arrival_s[start:end])
        chunks += chunker.push(ready, float(radio.arrival_s[start])).chunks
    chunks += chunker.push(timing.flush(), radio.duration_s).chunks
    return [*chunks, *chunker.flush().chunks], chunker


def samples(chunks: list[Chunk]) -> tuple[IntArray, IntArray, FloatArray]:
    """Return of each sample that the chunks hold: its true number, the number it was given, the time it was told."""
    true, given, told = [], [], []
    for chunk in chunks:
        there = np.flatnonzero(np.isfinite(chunk.acc_mps2[:, 0]))
        true.append(chunk.acc_mps2[there, 0].astype(np.int64))
        given.append(chunk.start_index + there)
        told.append(chunk.start_utc_s - START_UTC_S + there / chunk.rate_hz)
    return np.concatenate(true), np.concatenate(given), np.concatenate(told)


def gaps_of(index: IntArray) -> list[int]:
    return (np.diff(index)[np.diff(index) > 1] - 1).tolist()


@pytest.mark.parametrize("off", [-0.03, -0.01, 0.0, 0.02, 0.03])
def test_a_rate_off_by_three_per_cent_loses_and_doubles_nothing(off: float) -> None:
    radio = Radio(off=off, duration_s=120.0)
    chunks, chunker = received(radio)
    true, given_index, _ = samples(chunks)
    np.testing.assert_array_equal(given_index, true)
    assert (chunker.received, chunker.missing, chunker.duplicates, chunker.late) == (len(radio.index), 0, 0, 0)
    true_hz = 100.0 * (1 + off)
    # The recording's rate is fixed by its first three seconds; what was measured since is told with each chunk.
    assert chunks[0].rate_hz == pytest.approx(true_hz, rel=0.006)
    assert {chunk.rate_hz for chunk in chunks} == {chunks[0].rate_hz}
    # Without jitter: the chunks' starts lie on a line to a few ms, though notifications come in bursts 30 ms apart.
    late_ms = [1e3 * (chunk.start_utc_s - START_UTC_S - chunk.start_index / true_hz) for chunk in chunks[4:]]
    assert np.ptp(late_ms) < 5.0


# A simulated minute is read faster than it is shrunk.
@settings(max_examples=25, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(st.data())
def test_pauses_become_gaps_of_the_right_length_and_delays_do_not(data: st.DataObject) -> None:
    radio = Radio(
        promised_hz=data.draw(st.sampled_from([20.0, 50.0, 100.0, 200.0])),
        off=data.draw(st.floats(-0.03, 0.03)),
        interval_s=data.draw(st.sampled_from([0.0075, 0.015, 0.03, 0.05])),
        jitter_s=data.draw(st.floats(0.0005, 0.01)),
        per_packet=data.draw(st.sampled_from([1, 1, 3])),
        lost=[(20.0, data.draw(st.floats(0.5, 8.0))), (40.0, data.draw(st.floats(0.5, 2.0)))],
        held=[(32.0, data.draw(st.floats(0.1, 3.0))), (50.0, data.draw(st.floats(0.1, 3.0)))],
        seed=data.draw(st.integers(0, 999)),
    )
    chunks, chunker = received(radio, every_s=data.draw(st.sampled_from([0.02, 0.1, 0.25])))
    true, given_index, told_s = samples(chunks)
    np.testing.assert_array_equal(true, radio.index)  # each once, in order
    assert (chunker.received, chunker.duplicates, chunker.late) == (len(radio.index), 0, 0)
    found, expected = gaps_of(given_index), gaps_of(radio.index)
    assert len(found) == len(expected)
    # A pause is not a whole number of samples; the rate is still unsure by 0.3 %; and where packets keep step with the
    # connection's events, arrivals tell time to an event or two only.
    for one, other in zip(found, expected, strict=True):
        assert abs(one - other) <= 1 + 0.003 * other + 2 * radio.interval_s * radio.promised_hz
    assert chunker.missing == sum(found)
    # Within a chunk the recording's rate counts, measured over its first 3 s; the next one starts right again.
    assert (np.diff(told_s) > -0.1).all()


def test_the_pause_between_two_sessions_is_a_gap() -> None:
    radio = Radio(off=0.01, lost=[(20.0, 6.5)])
    chunks, _ = received(radio, reconnect_at_s=26.5)
    true, given_index, _ = samples(chunks)
    np.testing.assert_array_equal(true, radio.index)
    assert abs(gaps_of(given_index)[0] - gaps_of(radio.index)[0]) <= 1


def test_a_sample_that_came_twice_cannot_be_told_and_is_not_claimed_to_be() -> None:
    """Stated in docs/integrity.md: without a number or a time in the frame a duplicate is one sample more."""
    radio = Radio(duration_s=20.0)
    radio.index = np.insert(radio.index, 1000, radio.index[1000])
    radio.arrival_s = np.insert(radio.arrival_s, 1000, radio.arrival_s[1000])
    chunks, chunker = received(radio)
    assert chunker.received == len(radio.index)
    assert chunker.duplicates == 0
    assert sum(chunk.reception.duplicates for chunk in chunks) == 0
