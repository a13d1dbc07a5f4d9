"""Minutes of exposure: known shares, events in the right minute, and the same minutes however the stream is cut."""

from __future__ import annotations

import os
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coach.analysis.exposure import (
    DISPLACED,
    EMPTY_MINUTES,
    LOOSE,
    THRESHOLDS_DEG,
    Column,
    ExposureState,
    MinuteRow,
    add_events,
    add_looks,
    begin_exposure,
    finish_minutes,
    settle_minutes,
)
from coach.analysis.frames import Vector
from coach.analysis.lying import FREE, LYING, PENDING
from coach.analysis.stream import AnalysisState, analyse, finish, new_state
from coach.analysis.swing_types import SwingKind
from coach.analysis.types import AnalysisParams, ReferenceParams
from devices.types import Chunk, FloatArray
from tests.coach.analysis.motion import bends, body_axis, chunks, hinge, mounting, upright_axis, worn

RATE = 50.0
PARAMS = AnalysisParams()


def minutes(
    parts: list[Chunk],
    params: AnalysisParams = PARAMS,
    upright: Vector | None = None,
    front: Vector | None = None,
    as_bytes: bool = False,
    place: str = "chest",
) -> list[MinuteRow]:
    state, rows = new_state(place, params, upright, front), []
    for part in parts:
        update = analyse(state, part)
        state = AnalysisState.from_bytes(update.state.to_bytes()) if as_bytes else update.state
        rows += update.features.minutes
    return [*rows, *finish(state).features.minutes]


def starting(parts: list[Chunk], utc_s: float) -> list[Chunk]:
    return [replace(part, start_utc_s=utc_s + part.start_index / part.rate_hz) for part in parts]


def cosine(rate: float, duration_s: float) -> FloatArray:
    return 35 * (1 - np.cos(2 * np.pi * np.arange(round(duration_s * rate)) / rate / 5))


@pytest.mark.parametrize("rate", [25.0, 59.94, 100.0, 285.714])
def test_shares_and_bends_of_a_known_angle_are_in_every_minute(rate: float) -> None:
    # T9: the shares follow from the angle by hand: 1 - arccos((35 - threshold) / 35) / pi.
    acc, gyr = hinge(cosine(rate, 240.0), rate)
    rows = minutes(starting(chunks(acc, gyr, rate), 6000.0), upright=upright_axis())
    assert [row.number for row in rows] == [0, 1, 2, 3]
    for row in rows:
        assert row.start_s == 60.0 * row.number
        assert row.expected_s == pytest.approx(60.0, abs=0.05)
        assert row.covered_s == row.expected_s
        shares = {each: seconds / row.covered_s for each, seconds in row.above_s.items()}
        assert shares == pytest.approx({20: 0.6410, 30: 0.5456, 45: 0.4078, 60: 0.2468, 90: 0.0}, abs=0.005)
        assert row.bends == 12
        assert (row.lying_s, row.dose, row.loose_s, row.displaced_s) == (0, 0, 0, 0)


def test_minutes_are_those_of_utc() -> None:
    acc, gyr = hinge(np.zeros(round(150 * RATE)), RATE)
    rows = minutes(starting(chunks(acc, gyr, RATE), 1_700_000_000.0))  # 20 s into a minute
    assert [row.start_s for row in rows] == [0.0, 40.0, 100.0]
    assert [row.expected_s for row in rows] == pytest.approx([40.0, 60.0, 50.0], abs=1e-9)


def test_a_bend_is_counted_in_the_minute_in_which_it_comes_down() -> None:
    angle = bends([20.0, 50.0, 118.0, 130.0], 200.0, RATE)
    acc, gyr = hinge(angle, RATE)
    assert [row.bends for row in minutes(starting(chunks(acc, gyr, RATE), 0.0))] == [2, 1, 1, 0]


def test_a_gap_is_expected_and_not_covered() -> None:
    acc, gyr = hinge(np.zeros(round(180 * RATE)), RATE, noise=True)
    acc[round(70 * RATE) : round(100 * RATE)] = np.nan
    gyr[round(70 * RATE) : round(100 * RATE)] = np.nan
    rows = minutes(starting(chunks(acc, gyr, RATE), 0.0))
    assert [row.expected_s for row in rows] == pytest.approx([60, 60, 60], abs=1e-9)
    assert [row.covered_s for row in rows] == pytest.approx([60, 30, 60], abs=0.05)


def test_a_long_pause_is_told_for_an_hour_and_left_out_after_it() -> None:
    acc, gyr = hinge(np.zeros(round(240 * 25.0)), 25.0, noise=True)
    first, second = chunks(acc, gyr, 25.0, [round(120 * 25.0)])
    away = round((2 + 24 * 60) * 60 * 25.0)
    later = replace(second, start_index=away, start_utc_s=1000.0 + away / 25.0)
    rows = minutes(starting([first, later], 0.0))
    assert [row.number for row in rows] == [0, 1, *range(2, 2 + EMPTY_MINUTES), 1442, 1443]
    assert all(row.expected_s == 60.0 for row in rows)
    assert sum(row.covered_s for row in rows) == pytest.approx(240.0, abs=0.1)


def test_lying_is_no_posture_also_before_it_was_known() -> None:
    upright_s, lying_s = 90.0, 150.0
    flexion = np.concatenate((np.zeros(round(upright_s * RATE)), np.full(round(lying_s * RATE), 85.0)))
    width = round(RATE)
    smooth = np.convolve(
        np.pad(flexion, (width // 2, width - width // 2 - 1), mode="edge"), np.ones(width) / width, "valid"
    )
    # Who lies breathes: what does not even do that has been taken off (wearing.py).
    smooth += 1.5 * np.sin(2 * np.pi * 0.25 * np.arange(smooth.size) / RATE)
    acc, gyr = worn(smooth, np.zeros_like(smooth), RATE, noise=True)
    rows = minutes(starting(chunks(acc, gyr, RATE), 0.0), upright=body_axis(1, up=1.0), front=body_axis(1, front=1.0))
    assert [row.lying_s for row in rows] == pytest.approx([0.0, 30.0, 60.0, 60.0], abs=0.8)
    assert all(row.above_s[60] < 0.4 for row in rows)
    assert sum(row.dose for row in rows) == 0.0


def test_the_dose_of_a_hold_is_in_the_minute_in_which_it_ends() -> None:
    # ISO 11226: at 40 degrees the longest hold is 150 s, so that 75 s are half of one.
    angle = np.zeros(round(180 * RATE))
    angle[round(20 * RATE) : round(95 * RATE)] = 40.0
    width = round(0.5 * RATE)
    angle = np.convolve(angle, np.ones(width) / width, "same")
    acc, gyr = hinge(angle, RATE)
    rows = minutes(starting(chunks(acc, gyr, RATE), 0.0), upright=upright_axis())
    assert [row.dose for row in rows] == pytest.approx([0.0, 0.5, 0.0], abs=0.01)


def test_what_is_wrong_with_the_units_tells_nothing_but_that_it_was_recorded() -> None:
    acc, gyr = hinge(cosine(RATE, 240.0), RATE)
    rows = minutes(starting(chunks(acc / 9.81, gyr, RATE), 0.0))
    assert [row.expected_s for row in rows] == pytest.approx([60.0] * 4, abs=1e-9)
    assert all(row.covered_s == row.bends == row.above_s[20] == 0 for row in rows)


def test_seconds_that_were_not_worn_well_are_moved_with_all_that_happened_in_them() -> None:
    at = np.arange(60 * 25)
    state = add_looks(begin_exposure(0.0), 25.0, at, np.full(at.size, 50.0), None, None, [10, 25 * 30, 25 * 50])
    state = add_events(state, Column.TURNS_LEFT, [5.0, 30.5, 50.5])
    codes = np.zeros(60, dtype=np.uint8)
    codes[20:40], codes[45:55] = LOOSE, DISPLACED
    _, rows = settle_minutes(state, 25.0, 1 / 25.0, at.size, codes)
    (row,) = rows
    assert (row.expected_s, row.covered_s, row.loose_s, row.displaced_s) == pytest.approx((60, 30, 20, 10))
    assert row.above_s[45] == pytest.approx(30)
    assert (row.bends, row.turns_left) == (1, 1)


def test_what_is_undecided_waits_and_counts_as_what_it_turns_out_to_be() -> None:
    at, angle = np.arange(100 * 25), np.full(100 * 25, 70.0)
    pending = np.full(at.size, PENDING)
    waiting = add_looks(begin_exposure(0.0), 25.0, at, angle, None, pending, [50])
    after, more = np.arange(at.size, at.size + 25), np.full(25, 70.0)
    for mode, lain, above, bent in ((LYING, 60.0, 0.0, 0), (FREE, 0.0, 60.0, 1)):
        state = add_looks(waiting, 25.0, after, more, None, np.full(25, mode), [])
        row = settle_minutes(state, 25.0, 1 / 25.0, 60 * 25)[1][0]
        assert (row.lying_s, row.above_s[60], row.bends) == pytest.approx((lain, above, bent))
    ended = finish_minutes(waiting, 25.0, 1 / 25.0, at.size)[1]
    assert [row.above_s[60] for row in ended] == pytest.approx([60.0, 40.0])


def test_no_trunk_is_undecided_for_longer_than_half_an_hour() -> None:
    # Bent by 75 degrees and swinging by 12: never still enough to be lying, never up.
    t = np.arange(round(45 * 60 * 25.0)) / 25.0
    angle = np.where(t < 5, 15 * t, 75.0) + np.where(t < 5, 0.0, 6 * np.sin(2 * np.pi * (t - 5) / 8))
    acc, gyr = hinge(angle, 25.0)
    state, newest, late = new_state("chest", PARAMS, upright_axis()), -1, 0
    for part in starting(chunks(acc, gyr, 25.0), 0.0):
        update = analyse(state, part)
        state = update.state
        newest = max([newest, *(row.number for row in update.features.minutes)])
        late = max(late, int((part.start_index + len(part)) / 25.0 / 60) - 1 - newest)
    assert 25 < late <= 34
    assert len(state.to_bytes()) < 200_000


@pytest.mark.proof
@settings(max_examples=600 if os.environ.get("PROOF") else 25, deadline=None)
@given(
    seed=st.integers(0, 1000),
    rate=st.sampled_from([25.0, 59.94, 100.0]),
    begins=st.sampled_from([0.0, 1_700_000_000.0, 1_700_000_017.31, 1_700_000_039.9997]),
    cuts=st.lists(st.integers(1, 12000), max_size=30),
    gaps=st.lists(st.tuples(st.integers(0, 12000), st.integers(1, 900)), max_size=3),
    known=st.booleans(),
    gyroscope=st.sampled_from(["all along", "never", "from 7 s on"]),
)
def test_any_cut_gives_the_same_minutes(
    seed: int,
    rate: float,
    begins: float,
    cuts: list[int],
    gaps: list[tuple[int, int]],
    known: bool,
    gyroscope: str,
) -> None:
    """Bending, lying, holding, turning, swinging: exactly the same rows, with the state as bytes in between."""
    random = np.random.default_rng(seed)
    acc, gyr = _life(random, rate, seed % 5 + 1)
    for start, count in gaps:
        acc[start : start + count] = np.nan
        gyr[start : start + count] = np.nan
    gyr[: {"all along": 0, "never": len(gyr), "from 7 s on": round(7 * rate)}[gyroscope]] = np.nan
    params = replace(
        PARAMS, swing=SwingKind.GOLF, reference=ReferenceParams(search_s=float(random.choice([4.0, 300.0])))
    )
    upright = body_axis(seed % 5 + 1, up=1.0) if known else None
    one = minutes(starting(chunks(acc, gyr, rate, []), begins), params, upright)
    cut = minutes(starting(chunks(acc, gyr, rate, cuts), begins), params, upright, as_bytes=True)
    assert one == cut
    assert sum(row.expected_s for row in one) == pytest.approx(len(acc) / rate, abs=0.1)
    assert all(later.number == row.number + 1 for row, later in pairwise(one))


def _life(random: np.random.Generator, rate: float, seed: int) -> tuple[FloatArray, FloatArray]:
    """Return twelve thousand samples of poses, bends, exercise and bursts of turning."""
    count, pieces = 12000, []
    while sum(len(piece) for piece in pieces) < count:
        pose = random.choice([0.0, 0.0, 35.0, 50.0, 85.0, -85.0])
        t = np.arange(round(random.uniform(5, 45) * rate)) / rate
        swing = random.choice([0.0, 3.0, 15.0, 25.0])
        pieces.append(pose + swing * (1 - np.cos(2 * np.pi * t / random.uniform(2, 6))))
    width = round(rate)
    smooth = np.convolve(np.concatenate(pieces), np.ones(width) / width, "same")[:count]
    acc, gyr = worn(smooth, np.zeros(count), rate, seed, noise=True)
    for _ in range(6):
        first = int(random.integers(0, count - width))
        burst = np.exp(-(((np.arange(width) - width / 2) / (0.07 * rate)) ** 2)) * random.choice([-9.0, 9.0])
        gyr[first : first + width] += burst[:, None] * (mounting(seed) @ np.array([0.0, 0.0, 1.0]))
    return acc, gyr


def test_thresholds_and_columns_fit() -> None:
    size = len(THRESHOLDS_DEG)
    assert Column.ABOVE + size == Column.BENDS
    assert Column.HELD_ABOVE + size == Column.HELD_BENDS
    assert ExposureState().counts.shape == (Column.HELD_BENDS + 1, 0)
