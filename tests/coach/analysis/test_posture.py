"""Exposure, excursions and static holds against answers known from the angle alone."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coach.analysis.lying import FREE, LYING, PENDING
from coach.analysis.posture import PostureState, add_posture, exposure, finish_posture
from coach.analysis.recording import RecordingResult, analyse_recording
from coach.analysis.statics import StaticState, add_statics, finish_statics, longest_hold_s, static_dose
from coach.analysis.types import AnalysisParams, ForwardFrom
from devices.types import FloatArray
from tests.coach.analysis.motion import body_axis, chunks, hinge, upright_axis, worn

PARAMS = AnalysisParams()
THRESHOLDS = PARAMS.posture_thresholds_deg
RATE = 50.0


def whole(angle: FloatArray, rate: float = RATE) -> RecordingResult:
    return analyse_recording("chest", chunks(*hinge(angle, rate), rate), PARAMS, upright=upright_axis())


def calibrated(flexion: FloatArray, lean: FloatArray, seed: int = 1, bow: bool = True) -> RecordingResult:
    acc, gyr = worn(flexion, lean, RATE, seed, noise=True)
    upright, front = body_axis(seed, up=1.0), body_axis(seed, front=1.0)
    return analyse_recording("chest", chunks(acc, gyr, RATE), PARAMS, upright, front if bow else None)


def swings(depth_deg: float, period_s: float, duration_s: float) -> FloatArray:
    t = np.arange(round(duration_s * RATE)) / RATE
    return depth_deg / 2 * (1 - np.cos(2 * np.pi * t / period_s))


def eased(*steps: tuple[float, float]) -> FloatArray:
    """Return an angle that stays at each (angle_deg, duration_s) in turn, with a raised cosine of 2 s between them."""
    parts, before = [], steps[0][0]
    ease = (1 - np.cos(np.pi * np.arange(round(2 * RATE)) / (2 * RATE))) / 2
    for angle, duration in steps:
        parts += [before + (angle - before) * ease, np.full(round(duration * RATE), angle)]
        before = angle
    return np.concatenate(parts)


@pytest.mark.parametrize("rate", [25.0, 60.0, 100.0, 285.714])
def test_excursions_and_percentiles_of_a_known_angle(rate: float) -> None:
    t = np.arange(round(120 * rate)) / rate
    told = whole(35 * (1 - np.cos(2 * np.pi * t / 5)), rate).summary.posture
    # Each of the 24 swings passes 20, 30, 45 and 60 once; at 720 an hour.
    assert told.excursions_per_h == pytest.approx({20: 720, 30: 720, 45: 720, 60: 720, 90: 0}, rel=1e-3)
    assert told.covered_s == pytest.approx(120, abs=0.05)
    # The median of a raised cosine is its middle; 10 % of the time lies below 35 (1 - cos(0.1 pi)).
    assert told.percentiles_deg[50] == pytest.approx(35, abs=1.5)
    assert told.percentiles_deg[10] == pytest.approx(35 * (1 - math.cos(0.1 * math.pi)), abs=1.5)
    assert told.percentiles_deg[90] == pytest.approx(35 * (1 + math.cos(0.1 * math.pi)), abs=1.5)


def test_an_excursion_ends_ten_degrees_below_its_threshold() -> None:
    shallow = whole(np.concatenate([eased((0, 4), (25, 3), (12, 3), (25, 3), (12, 3), (25, 3), (0, 3))]))
    assert shallow.summary.posture.excursions_per_h[20.0] * shallow.summary.duration_s / 3600 == pytest.approx(1)
    deep = whole(np.concatenate([eased((0, 4), (25, 3), (8, 3), (25, 3), (8, 3), (25, 3), (0, 3))]))
    assert deep.summary.posture.excursions_per_h[20.0] * deep.summary.duration_s / 3600 == pytest.approx(3)


def passes(values: list[float], threshold: float) -> int:
    """Count by the definition, one value after the other. No product code."""
    high, count = False, 0
    for value in values:
        if not high and value >= threshold:
            high, count = True, count + 1
        elif high and value < threshold - 10:
            high = False
    return count


@settings(max_examples=150, deadline=None)
@given(
    # Never a whole degree: there the two sides differ by who owns the edge.
    values=st.lists(st.floats(-120, 120).map(lambda v: round(v, 1) + 0.05) | st.just(math.nan), max_size=120),
    cuts=st.lists(st.integers(0, 120), max_size=6),
)
def test_any_cut_counts_by_the_definition(values: list[float], cuts: list[int]) -> None:
    state = PostureState()
    for part in np.split(np.array(values), sorted(cut for cut in cuts if cut < len(values))):
        state = add_posture(THRESHOLDS, state, part[None], None)
    there = [value for value in values if value == value]
    for side, sign in ((0, 1), (1, -1)):
        told = exposure(THRESHOLDS, state, 1.0, 0, side)
        for threshold in THRESHOLDS if there else ():
            share = sum(sign * value >= threshold for value in there) / len(there)
            exact = sum(sign * value > threshold for value in there) / len(there)
            assert told.share_above[threshold] in (pytest.approx(share), pytest.approx(exact))
            expected = passes([sign * value for value in there], threshold) / len(there) * 3600
            assert told.excursions_per_h[threshold] == pytest.approx(expected)


@settings(max_examples=100, deadline=None)
@given(
    stretches=st.lists(
        st.tuples(st.sampled_from([FREE, PENDING, LYING]), st.lists(st.floats(0, 110), min_size=1, max_size=9)),
        max_size=12,
    ),
    cuts=st.lists(st.integers(0, 100), max_size=6),
)
def test_what_turns_out_to_be_lying_is_not_counted(stretches: list[tuple[int, list[float]]], cuts: list[int]) -> None:
    # The trunk is never lying without having been undecided before.
    stretches = [item for i, item in enumerate(stretches) if item[0] != LYING or (i and stretches[i - 1][0] == PENDING)]
    values = np.array([v for _, part in stretches for v in part])
    modes = np.array([mode for mode, part in stretches for _ in part], dtype=np.int64)
    kept: list[float] = []
    waiting: list[float] = []
    for mode, part in stretches:
        if mode == PENDING:
            waiting += part
            continue
        kept += (waiting if mode == FREE else []) + (part if mode == FREE else [])
        waiting = []
    kept += waiting
    state, edges = PostureState(), sorted({0, len(values), *(cut for cut in cuts if cut < len(values))})
    for a, b in pairwise(edges):
        state = add_posture(THRESHOLDS, state, values[None, a:b], modes[a:b])
    told = exposure(THRESHOLDS, finish_posture(state), 1.0)
    assert told.covered_s == len(kept)
    for threshold, share in told.share_above.items():
        assert share == pytest.approx(sum(value >= threshold for value in kept) / len(kept))


def test_longest_holds_of_the_standard() -> None:
    # T10, and the worked values beside it.
    assert longest_hold_s(40.0) == pytest.approx(150.0)
    assert longest_hold_s(30.0) == pytest.approx(3.25 * 60)
    assert longest_hold_s(20.0) == 240.0
    assert longest_hold_s(60.0) == longest_hold_s(75.0) == 60.0
    assert longest_hold_s(19.9) == math.inf
    assert static_dose(40.0, 150.0) == pytest.approx(1.0)


def test_static_holds_of_a_known_angle() -> None:
    angle = eased((0, 5), (40, 150), (0, 5), (25, 2), (0, 5), (70, 20), (0, 5), (15, 30), (0, 5))
    result = whole(angle)
    # 25 degrees for 2 s is too short, 15 degrees needs no limit. The ways there and back add less than a second each.
    first, second = result.static_holds
    assert (first.start_s, first.end_s) == (pytest.approx(9.0, abs=1.0), pytest.approx(159.0, abs=1.0))
    assert first.angle_deg == pytest.approx(40.0, abs=0.5)
    assert first.dose == pytest.approx(1.0, abs=0.02)
    assert not first.beyond
    assert second.end_s - second.start_s == pytest.approx(20.0, abs=1.5)
    assert second.beyond
    held = result.summary.static
    assert held.count == 2
    assert held.dose == pytest.approx(first.dose + second.dose)
    assert held.longest_s == first.end_s - first.start_s
    assert held.beyond_60_s == second.end_s - second.start_s
    assert held.duration_s == pytest.approx(170.0, abs=3.0)


def test_a_hold_is_over_when_the_angle_leaves_ten_degrees() -> None:
    angles = np.array([40.0] * 20 + [44, 46, 48, 49.9] * 5 + [51.0] * 20 + [0.0])
    at = np.arange(angles.size) * 12
    state, ended = add_statics(StaticState(), 50.0, 12, at, angles, None)
    assert [(hold.start_s, hold.end_s) for hold in ended] == [
        (0.0, pytest.approx(9.6)),
        (pytest.approx(9.6), pytest.approx(14.4)),
    ]
    assert ended[0].angle_deg == pytest.approx((40.0 * 20 + (44 + 46 + 48 + 49.9) * 5) / 40)
    assert finish_statics(state, 50.0, 12)[1] == []


@settings(max_examples=150, deadline=None)
@given(
    steps=st.lists(st.tuples(st.sampled_from([0, 18, 24, 30, 36, 64, 80, math.nan]), st.integers(1, 40)), max_size=12),
    cuts=st.lists(st.integers(0, 400), max_size=8),
)
def test_any_cut_finds_the_same_holds(steps: list[tuple[float, int]], cuts: list[int]) -> None:
    angles = np.array([angle for angle, count in steps for _ in range(count)], dtype=float)
    at = np.arange(angles.size) * 6
    one, found = add_statics(StaticState(), 25.0, 6, at, angles, None)
    state, more = StaticState(), []
    edges = sorted({0, angles.size, *(cut for cut in cuts if cut < angles.size)})
    for a, b in pairwise(edges):
        state, ended = add_statics(state, 25.0, 6, at[a:b], angles[a:b], None)
        more += ended
    assert more == found
    assert finish_statics(state, 25.0, 6) == finish_statics(one, 25.0, 6)


def test_a_lean_to_the_side_is_no_bend_once_a_bow_told_the_front() -> None:
    still = np.zeros(round(5 * RATE))
    bends = np.concatenate([still, swings(50.0, 5.0, 800.0)])
    for seed in (1, 2, 3):
        aside = calibrated(0.0 * bends, bends, seed)
        told = aside.summary.direction
        assert told is not None
        assert told.source is ForwardFrom.BOW
        assert aside.findings == ()
        # The share of a raised cosine of 50 degrees above 20: 1 - arccos((25 - 20) / 25) / pi.
        expected = (1 - math.acos(5 / 25) / math.pi) * 800 / 805
        assert told.right.share_above[20.0] == pytest.approx(expected, abs=0.01)
        assert told.left.share_above[20.0] == told.forward.share_above[20.0] == told.backward.share_above[20.0] == 0
        assert aside.summary.posture.share_above[20.0] == pytest.approx(expected, abs=0.01)
        assert len(calibrated(0.0 * bends, bends, seed, bow=False).findings) == 1
    ahead = calibrated(bends, 0.0 * bends)
    assert len(ahead.findings) == 1
    assert ahead.summary.direction is not None
    assert ahead.summary.direction.forward.share_above[20.0] == pytest.approx(expected, abs=0.01)
    assert ahead.summary.direction.right.share_above[20.0] == 0


def test_the_four_directions_are_told_apart() -> None:
    pause = np.zeros(round(4 * RATE))
    bend, nothing = swings(40.0, 4.0, 20.0), np.zeros(round(20 * RATE))
    flexion = np.concatenate([pause, bend, nothing, -bend, nothing, pause])
    lean = np.concatenate([pause, nothing, bend, nothing, -bend, pause])
    told = calibrated(flexion, lean, 4).summary.direction
    assert told is not None
    for side in (told.forward, told.backward, told.left, told.right):
        assert side.share_above[20.0] == pytest.approx(0.5 * 20 / 88, abs=0.01)
        assert side.excursions_per_h[20.0] * 88 / 3600 == pytest.approx(5)


@pytest.mark.parametrize("seed", range(3))
def test_the_front_comes_from_the_bends_when_there_was_no_bow(seed: int) -> None:
    pause, bend = np.zeros(round(5 * RATE)), swings(50.0, 4.0, 60.0)
    flexion = np.concatenate([pause, bend, pause, 0.0 * bend])
    lean = np.concatenate([pause, 0.05 * bend, pause, bend])
    told = calibrated(flexion, lean, seed + 1, bow=False).summary.direction
    assert told is not None
    assert told.source is ForwardFrom.BENDS
    assert 10.0 < told.known_since_s < 40.0
    # From then on: the rest of the bends, and then a minute to the right.
    left_of_bends = 65.0 - told.known_since_s
    assert told.forward.covered_s == pytest.approx(130.0 - told.known_since_s, abs=0.1)
    over = 1 - math.acos(5 / 25) / math.pi
    assert told.right.share_above[20.0] * told.right.covered_s == pytest.approx(60 * over, abs=1.0)
    assert told.forward.share_above[20.0] * told.forward.covered_s == pytest.approx(left_of_bends * over, abs=1.5)


def test_rocking_in_every_direction_tells_no_front() -> None:
    bend = swings(50.0, 4.0, 60.0)
    pause = np.zeros(round(5 * RATE))
    turns = np.arange(pause.size + 3 * bend.size) // round(4 * RATE) * 1.3  # each bend another way
    angle = np.concatenate([pause, bend, bend, bend])
    result = calibrated(angle * np.cos(turns), angle * np.sin(turns), bow=False)
    assert result.summary.direction is None
    assert any(item.what == "direction" and "bow" in item.needs for item in result.summary.not_computable)
