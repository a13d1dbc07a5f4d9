"""Chunks cut from samples: length, gaps, order, duplicates, restarts, live blocks; the calls' cuts do not matter."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.chunker import Chunker, ChunkerParams
from devices.rows import Rows
from devices.types import Chunk, Gap, IntArray

RATE_HZ = 60.0
TICKS_PER_S = 1_000_000
FIRST_TICK = 5_000


def utc_of(tick: int) -> float:
    return 1.8e9 + tick / TICKS_PER_S


def chunker(duration_s: float = 1.0, live_s: float = 0.25) -> Chunker:
    return Chunker(ChunkerParams("dev", RATE_HZ, TICKS_PER_S, duration_s, live_s), "rec", utc_of)


def ticks_of(index: IntArray, step_us: float = TICKS_PER_S / RATE_HZ) -> IntArray:
    return FIRST_TICK + np.rint(index * step_us).astype(np.int64)


def push(
    target: Chunker, index: list[int] | IntArray, now_s: float = 0.0, restarts: tuple[int, ...] = ()
) -> list[Chunk]:
    """Push samples whose values tell their index."""
    at = np.asarray(index, dtype=np.int64)
    acc = np.column_stack([at, at + 0.25, at + 0.5]).astype(float)
    return list(target.push(Rows(ticks_of(at), acc, -acc, restarts), now_s).chunks)


def seen(chunks: list[Chunk]) -> list[int]:
    """Return the indices of the samples that the chunks hold, checking that each lies where its number says."""
    found: list[int] = []
    end = 0
    for seq, chunk in enumerate(chunks):
        assert (chunk.seq, chunk.key) == (seq, f"dev-rec-{seq}")
        assert chunk.start_index >= end
        end = chunk.start_index + len(chunk)
        there = ~np.isnan(chunk.acc_mps2).any(axis=1)
        for gap in chunk.gaps:
            assert not there[gap.start : gap.start + gap.count].any()
        assert chunk.missing == np.count_nonzero(~there)
        index = chunk.start_index + np.flatnonzero(there)
        np.testing.assert_array_equal(chunk.acc_mps2[there, 0], index)
        np.testing.assert_array_equal(chunk.gyr_radps[there], -chunk.acc_mps2[there])
        assert chunk.start_utc_s == pytest.approx(utc_of(int(ticks_of(np.array(chunk.start_index)))), abs=1e-6)
        found += index.tolist()
    return found


def test_unbroken_samples_fill_chunks_of_one_length() -> None:
    target = chunker()
    chunks = [chunk for at in range(0, 250, 10) for chunk in push(target, list(range(at, at + 10)), now_s=at)]
    chunks += target.flush().chunks
    assert [len(chunk) for chunk in chunks] == [60, 60, 60, 60, 10]
    assert seen(chunks) == list(range(250))
    assert (target.received, target.missing, target.duplicates, target.late) == (250, 0, 0, 0)


def test_a_gap_within_a_chunk_is_rows_of_nan() -> None:
    target = chunker()
    push(target, [*range(10), *range(25, 60)])
    (chunk,) = target.flush().chunks
    assert (len(chunk), chunk.gaps) == (60, (Gap(10, 15),))
    assert target.missing == 15


def test_a_gap_beyond_the_chunk_ends_it_and_the_next_starts_behind() -> None:
    target = chunker()
    chunks = push(target, [*range(70), *range(130, 140), *range(100_000, 100_010)])
    chunks += target.flush().chunks
    assert [(c.start_index, len(c), c.gaps) for c in chunks] == [
        (0, 60, ()),
        (60, 10, ()),
        (130, 10, ()),
        (100_000, 10, ()),
    ]
    assert target.missing == 60 + 99_860


def test_duplicates_are_dropped_and_counted_and_order_is_restored_within_a_chunk() -> None:
    target = chunker()
    push(target, [0, 1, 1, 2, 5, 4, 3, 2, 6])
    push(target, [6, 7])
    chunks = list(target.flush().chunks)
    assert seen(chunks) == list(range(8))
    assert (target.duplicates, target.received) == (3, 8)
    push(target, [3, 8])
    assert target.flush().chunks[0].start_index == 8
    assert target.late == 1


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 400), min_size=1, max_size=250), st.lists(st.integers(1, 40), min_size=1), st.booleans())
def test_cuts_between_calls_change_no_chunk(index: list[int], sizes: list[int], in_order: bool) -> None:
    index = sorted(index) if in_order else index
    whole = chunker()
    expected = push(whole, index)
    expected += whole.flush().chunks
    parts, got, at = chunker(), [], 0
    while at < len(index):
        size = sizes[at % len(sizes)]
        got += push(parts, index[at : at + size], now_s=at / 7)
        at += size
    got += parts.flush().chunks
    assert [(c.seq, c.start_index, c.gaps, c.start_utc_s) for c in got] == [
        (c.seq, c.start_index, c.gaps, c.start_utc_s) for c in expected
    ]
    for one, other in zip(got, expected, strict=True):
        np.testing.assert_array_equal(one.acc_mps2, other.acc_mps2)
    assert parts.received + parts.duplicates + parts.late == len(index)
    if in_order:
        # The grid begins at the first sample.
        assert sum(len(c) - c.missing for c in got) == len(set(index))
        assert parts.missing == index[-1] - index[0] + 1 - len(set(index))


def test_a_clock_that_counts_16667_us_never_slips_a_sample() -> None:
    """As the product does at 60 Hz: 20 ppm off the grid, a whole sample every 14 minutes."""
    target = chunker(duration_s=5.0)
    chunks: list[Chunk] = []
    rows = np.zeros((600, 3))
    for at in range(0, 120_000, 600):
        ticks = ticks_of(np.arange(at, at + 600), step_us=16_667)
        chunks += target.push(Rows(ticks, rows, rows), now_s=at).chunks
    chunks += target.flush().chunks
    assert (target.received, target.missing, target.duplicates) == (120_000, 0, 0)
    assert {len(chunk) for chunk in chunks} == {300}


def test_a_restart_goes_on_with_the_gap_that_utc_tells() -> None:
    target = chunker()
    push(target, list(range(30)))
    # The clock says that 2.004 s have passed: the new grid is a quarter sample off the old one.
    ticks = ticks_of(np.arange(29, 60))[1:] - ticks_of(np.array(30)) + ticks_of(np.array(29)) + 2_004_000
    rows = np.zeros((30, 3))
    chunks = [*target.push(Rows(ticks, rows, rows, (0,)), now_s=9.0).chunks, *target.flush().chunks]
    assert [(c.start_index, len(c), c.missing) for c in chunks] == [(0, 30, 0), (29 + 120, 30, 0)]
    assert target.missing == 119
    assert chunks[1].start_utc_s == utc_of(int(ticks[0]))


def test_a_new_recording_begins_at_zero() -> None:
    target = chunker()
    ended = push(target, list(range(100)))
    ended += target.new_recording("calibration").chunks
    assert [chunk.recording_id for chunk in ended] == ["rec", "rec"]
    push(target, list(range(100, 130)))
    (chunk,) = target.flush().chunks
    assert (chunk.recording_id, chunk.seq, chunk.start_index, len(chunk)) == ("calibration", 0, 0, 30)
    assert chunk.acc_mps2[0, 0] == 100


def test_live_blocks_follow_real_time_and_hold_everything_once() -> None:
    target = chunker(duration_s=5.0)
    rows = np.zeros((3, 3))
    live: list[Chunk] = []
    # 20 times faster than real time: 1,200 samples a second, 3 at a time, for 2 s.
    for at in range(0, 2400, 3):
        live += target.push(Rows(ticks_of(np.arange(at, at + 3)), rows, rows), now_s=at / 1200).live
    live += target.flush().live
    assert len(live) <= 2.0 / 0.25 + 2
    assert [block.seq for block in live] == list(range(len(live)))
    assert live[0].start_index == 0
    assert all(b.start_index == a.start_index + len(a) for a, b in pairwise(live))
    assert sum(len(block) for block in live) == 2400


def test_a_live_block_shows_short_gaps_and_begins_anew_behind_long_ones() -> None:
    target = chunker()
    push(target, [])
    push(target, [0, 1, 2, 10, 11, 5000, 5001])
    first, second = target.flush().live
    assert (first.start_index, len(first), first.gaps) == (0, 12, (Gap(3, 7),))
    assert (second.start_index, len(second)) == (5000, 2)
