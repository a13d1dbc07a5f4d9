"""Fast turns about the vertical: known turns counted on the right side, slow and small ones not, two sensors apart."""

from __future__ import annotations

import math
import os
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coach.analysis.exposure import MinuteRow
from coach.analysis.recording import analyse_recording
from coach.analysis.relative import LinePart, RelativeTurns, relative_turns
from coach.analysis.rotation import GAP, LINE_HZ, TurnState, YawLine, YawState, follow_turns, follow_yaw
from coach.analysis.types import AnalysisParams, TurnParams
from devices.types import Chunk, FloatArray
from tests.coach.analysis.motion import G, chunks, mounting

PARAMS = TurnParams()
RATE = 50.0


def turning(yaw_deg: FloatArray, rate: float, seed: int = 1, noise: bool = True) -> tuple[FloatArray, FloatArray]:
    """Return acc and gyr of a sensor, mounted at random, on a body that stands upright and turns by `yaw_deg`."""
    random, turn = np.random.default_rng(seed), mounting(seed)
    up = np.array([0.0, 0.0, 1.0])
    speed = np.gradient(np.radians(yaw_deg)) * rate
    acc, gyr = np.tile(turn @ up * G, (yaw_deg.size, 1)), speed[:, None] * (turn @ up)
    if noise:
        acc = acc + random.normal(scale=0.05, size=acc.shape)
        gyr = gyr + random.normal(scale=0.003, size=gyr.shape) + np.array([0.004, -0.003, 0.002])
    return acc, gyr


def steps(turns: list[tuple[float, float, float]], duration_s: float, rate: float) -> FloatArray:
    """Return a yaw that changes by raised cosines. turns: begin in s, degrees to the left, seconds that it takes.

    The fastest rate of one is pi/2 of its mean.
    """
    t = np.arange(round(duration_s * rate)) / rate
    yaw = np.zeros_like(t)
    for begin, degrees, seconds in turns:
        yaw += degrees / 2 * (1 - np.cos(np.pi * np.clip((t - begin) / seconds, 0, 1)))
    return yaw


def counted(rows: tuple[MinuteRow, ...]) -> list[tuple[int, int]]:
    return [(row.turns_left, row.turns_right) for row in rows]


def analysed(
    yaw: FloatArray, rate: float, place: str = "chest", seed: int = 1
) -> tuple[tuple[MinuteRow, ...], YawLine]:
    acc, gyr = turning(yaw, rate, seed)
    parts = [_at(part, 0.0) for part in chunks(acc, gyr, rate)]
    result = analyse_recording(place, parts, AnalysisParams())
    assert result.yaw_line is not None
    return result.minutes, result.yaw_line


def _at(part: Chunk, utc_s: float) -> Chunk:
    return Chunk(
        part.device_id,
        part.recording_id,
        part.seq,
        utc_s + part.start_index / part.rate_hz,
        part.start_index,
        part.rate_hz,
        part.acc_mps2,
        part.gyr_radps,
        part.gaps,
    )


@pytest.mark.parametrize("rate", [25.0, 59.94, 104.0])
@pytest.mark.parametrize("place", ["chest", "lower_back", "hip"])
def test_known_turns_are_counted_by_side_and_minute(rate: float, place: str) -> None:
    # Left 60 degrees in a second and back slowly, five times in the first minute; right 90, three times in the second.
    left = [(5.0 + 10 * n, 60.0, 1.0) for n in range(5)] + [(8.0 + 10 * n, -60.0, 5.0) for n in range(5)]
    right = [(62.0 + 16 * n, -90.0, 1.2) for n in range(3)] + [(66.0 + 16 * n, 90.0, 8.0) for n in range(3)]
    rows, _ = analysed(steps(left + right, 180.0, rate), rate, place)
    assert counted(rows) == [(5, 0), (0, 3), (0, 0)]


@pytest.mark.parametrize("side", [1.0, -1.0])
@pytest.mark.parametrize("held_s", [0.0, 0.5, 2.0])
def test_a_turn_there_and_back_is_one_to_that_side(side: float, held_s: float) -> None:
    """Both ways are as fast: shovelling to the left is no turning to the right."""
    there = [(4.0 + 9 * n, 50.0 * side, 0.8) for n in range(6)]
    back = [(begin + 0.8 + held_s, -degrees, 0.8) for begin, degrees, _ in there]
    rows, _ = analysed(steps(there + back, 60.0, RATE), RATE)
    assert counted(rows) == [(6, 0) if side > 0 else (0, 6)]


def test_a_backswing_and_its_stroke_are_one() -> None:
    """Away by 50 degrees, at once through to the other side, and slowly back."""
    strokes = [(4.0 + 9 * n, -50.0, 0.9) for n in range(6)] + [(5.0 + 9 * n, 100.0, 0.5) for n in range(6)]
    back = [(6.0 + 9 * n, -50.0, 4.0) for n in range(6)]
    rows, _ = analysed(steps(strokes + back, 60.0, RATE), RATE)
    assert sum(map(sum, counted(rows))) == 6


def test_turning_from_one_side_to_the_other_counts_on_both() -> None:
    first, sweeps = [(5.0, 45.0, 0.7)], [(8.0 + 4 * n, -90.0 if n % 2 == 0 else 90.0, 1.0) for n in range(12)]
    rows, _ = analysed(steps(first + sweeps, 60.0, RATE), RATE)
    assert counted(rows) == [(7, 6)]


def test_small_turns_and_slow_ones_are_none() -> None:
    small = [(5.0 + 4 * n, 26.0 if n % 2 == 0 else -26.0, 0.4) for n in range(12)]
    slow = [(5.0 + 8 * n, 80.0 if n % 2 == 0 else -80.0, 3.0) for n in range(6)]  # 42 degrees a second at most
    for turns in (small, slow):
        rows, _ = analysed(steps(turns, 60.0, RATE), RATE)
        assert counted(rows) == [(0, 0)]


def test_a_pause_parts_two_turns_and_slow_turning_in_between_does_not_join_them() -> None:
    rows, _ = analysed(steps([(5.0, 45.0, 0.6), (6.5, 45.0, 0.6)], 60.0, RATE), RATE)
    assert counted(rows) == [(2, 0)]
    # Twice 25 degrees, fast, and 40 more at 8 degrees a second in between: none of them is a fast turn of 30.
    rows, _ = analysed(steps([(5.0, 25.0, 0.5), (5.5, 40.0, 8.0), (13.5, 25.0, 0.5)], 60.0, RATE), RATE)
    assert counted(rows) == [(0, 0)]


@pytest.mark.parametrize(("degrees", "times"), [(24.0, 0), (28.5, 0), (31.5, 1), (36.0, 1)])
@pytest.mark.parametrize("held_s", [0.0, 3.6, 20.0])
def test_near_misses_of_the_angle(degrees: float, times: int, held_s: float) -> None:
    """However long it is held: what the high-pass takes away in the meantime is no part of the way back."""
    each = 1.0 + held_s
    turns = [(5.0 + each * n, degrees if n % 2 == 0 else -degrees, 0.7) for n in range(2)]
    rows, _ = analysed(steps(turns, 58.0, RATE), RATE)
    # Whoever stays turned for long faces that way: turning from there is going away again.
    assert counted(rows) == [(times, times if held_s > 10.0 else 0)]


@pytest.mark.parametrize(("peak_degps", "times"), [(48.0, 0), (57.0, 0), (63.0, 1), (72.0, 1)])
def test_near_misses_of_the_rate(peak_degps: float, times: int) -> None:
    turns = [(5.0, 60.0, 60.0 * math.pi / 2 / peak_degps)]
    rows, _ = analysed(steps(turns, 58.0, RATE), RATE)
    assert counted(rows) == [(times, 0)]


def test_a_biased_gyroscope_turns_nobody() -> None:
    acc, gyr = turning(np.zeros(round(600 * RATE)), RATE, noise=False)
    acc += np.random.default_rng(0).normal(scale=0.02, size=acc.shape)
    gyr += np.radians(2.0) * (mounting(1) @ np.array([0.0, 0.0, 1.0]))
    result = analyse_recording("chest", chunks(acc, gyr, RATE), AnalysisParams())
    assert result.yaw_line is not None
    assert sum(left + right for left, right in counted(result.minutes)) == 0
    # A constant rate ends at rate / (2 pi corner): 2 deg/s at 0.01 Hz are 31.8 degrees, reached without haste.
    assert result.yaw_line.tenths[-1] / 10 == pytest.approx(2 / (2 * math.pi * 0.01), rel=0.05)


def test_the_line_is_the_high_passed_yaw() -> None:
    t = np.arange(round(400 * RATE)) / RATE
    yaw = 20 * np.sin(2 * np.pi * t / 4)
    acc, gyr = turning(yaw, RATE, noise=False)
    acc += np.random.default_rng(0).normal(scale=0.02, size=acc.shape)
    line = analyse_recording("chest", chunks(acc, gyr, RATE), AnalysisParams()).yaw_line
    assert line is not None
    assert (line.start_s, line.rate_hz, line.tenths.dtype) == (0.08, 10.0, np.int16)  # of each five samples the last
    # First order at f / corner = 25: its gain is 1 / sqrt(1 + 1/25^2), its lead atan(1/25).
    expected = 20 / math.sqrt(1 + 1 / 625) * np.sin(2 * np.pi * t[4::5] / 4 + math.atan(1 / 25))
    late = slice(2000, None)
    np.testing.assert_allclose(line.tenths[late] / 10, expected[late], atol=0.4)


def test_places_off_the_trunk_and_wearables_without_a_gyroscope_have_no_line() -> None:
    acc, gyr = turning(steps([(5.0, 60.0, 1.0)], 30.0, RATE), RATE)
    for place, rates in (("wrist_left", gyr), ("chest", np.full_like(gyr, np.nan))):
        result = analyse_recording(place, chunks(acc, rates, RATE), AnalysisParams())
        assert result.yaw_line is None
        assert set(counted(result.minutes)) == {(0, 0)}


def test_a_few_lost_samples_are_bridged_and_a_gap_is_a_gap() -> None:
    acc, gyr = turning(steps([(5.0, 60.0, 1.0), (25.0, 60.0, 1.0)], 60.0, RATE), RATE)
    for first, last in ((5.4, 5.5), (25.1, 26.2)):
        acc[round(first * RATE) : round(last * RATE)] = gyr[round(first * RATE) : round(last * RATE)] = np.nan
    result = analyse_recording("chest", chunks(acc, gyr, RATE), AnalysisParams())
    assert sum(left for left, _ in counted(result.minutes)) == 1
    assert result.yaw_line is not None
    gaps = np.flatnonzero(result.yaw_line.tenths == GAP) / 10
    assert (gaps.min(), gaps.max()) == pytest.approx((25.3, 26.1), abs=0.11)


def parts_of(line: YawLine, utc_s: float, every: int = 50) -> list[LinePart]:
    return [
        LinePart(utc_s + line.start_s + first / line.rate_hz, line.rate_hz, line.tenths[first : first + every])
        for first in range(0, line.tenths.size, every)
    ]


def against(trunk: FloatArray, pelvis: FloatArray, later_s: float = 0.0) -> RelativeTurns:
    """The pelvis at another rate, another mounting and another start."""
    other = 104.0
    t = np.arange(round((trunk.size / RATE - later_s) * other)) / other + later_s
    one = analysed(trunk, RATE)[1]
    two = analysed(np.interp(t, np.arange(pelvis.size) / RATE, pelvis), other, "hip", seed=4)[1]
    return relative_turns(PARAMS, parts_of(one, 6000.0), parts_of(two, 6000.0 + later_s)[::-1])


def test_turning_the_whole_body_is_none_of_the_trunk_against_the_pelvis() -> None:
    body = steps([(5.0 + 8 * n, 90.0, 1.0) for n in range(13)], 120.0, RATE)
    found = against(body, body, 0.37)
    assert (found.left.tolist(), found.right.tolist()) == ([0, 0], [0, 0])
    assert found.start_utc_s.tolist() == [6000.0, 6060.0]
    assert found.seen_s == pytest.approx([59.6, 60.0], abs=0.25)


def test_turning_the_trunk_alone_counts_whatever_the_body_does() -> None:
    there = [(4.0 + 6 * n, 45.0, 0.8) for n in range(18)]
    twist = steps(there + [(begin + 1.0, -degrees, 0.8) for begin, degrees, _ in there], 120.0, RATE)
    body = steps([(7.0 + 8 * n, -120.0, 1.5) for n in range(13)], 120.0, RATE)
    assert counted(analysed(twist + body, RATE)[0]) != [(10, 0), (8, 0)]
    found = against(twist + body, body, 0.37)
    assert list(zip(found.left.tolist(), found.right.tolist(), strict=True)) == [(10, 0), (8, 0)]


def test_without_the_other_sensor_nothing_is_told() -> None:
    line = analysed(steps([(5.0, 60.0, 1.0)], 30.0, RATE), RATE)[1]
    assert relative_turns(PARAMS, parts_of(line, 0.0), []).seen_s.size == 0
    apart = relative_turns(PARAMS, parts_of(line, 0.0), parts_of(line, 86400.0))
    assert apart.seen_s.size == 0


@pytest.mark.proof
@settings(max_examples=1000 if os.environ.get("PROOF") else 60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    rate=st.sampled_from([7.0, 25.0, 59.94, 104.0]),
    cuts=st.lists(st.integers(1, 2999), max_size=40),
    gaps=st.lists(st.tuples(st.integers(0, 2999), st.integers(1, 60)), max_size=6),
)
def test_any_cut_gives_the_same_line_and_turns(
    seed: int, rate: float, cuts: list[int], gaps: list[tuple[int, int]]
) -> None:
    random = np.random.default_rng(seed)
    gyr = np.cumsum(random.normal(scale=0.4, size=(3000, 3)), axis=0)
    gyr -= np.linspace(0, 1, 3000)[:, None] * gyr[-1]
    for first, count in gaps:
        gyr[first : first + count] = np.nan
    turning_radps = 0.6 * gyr[:, 0] + 0.8 * gyr[:, 2]

    def run(edges: list[int]) -> tuple[list[int], list[object]]:
        state, values, turns = YawState(), [], []
        for first, last in pairwise(edges):
            state, line, found = follow_yaw(PARAMS, state, rate, first, turning_radps[first:last])
            values += line.tenths.tolist() if line else []
            turns += found
        return values, turns

    assert run([0, 3000]) == run(sorted({0, 3000, *cuts}))


def test_turns_of_a_line_agree_with_walking_over_it_value_by_value() -> None:
    # The rule in plain words, one value after another.
    random = np.random.default_rng(3)
    for _ in range(60):
        pace = np.repeat(random.choice([-9, -5, -2, -0.8, 0, 0.8, 2, 5, 9], size=200), random.integers(1, 9, size=200))
        pace[random.integers(0, pace.size, size=3)] = np.nan
        yaw = np.nancumsum(np.nan_to_num(pace)) + random.uniform(-40, 40)
        expected, way, angle, fastest, told, began, ended = [], 0, 0.0, 0.0, False, 0, -1000
        for number, step in enumerate(pace.tolist()):
            now = 1 if step >= 1 else -1 if step <= -1 else 0
            if now != way:
                ended = number if told else ended
                way, angle, fastest, told, began = now, 0.0, 0.0, False, number
            angle, fastest = angle + abs(step), max(fastest, abs(step))
            away, apart = way * yaw[number] >= 0.45 * angle, began - ended >= 5
            if way and not told and angle >= 30 and fastest >= 6 and away and apart:
                told = True
                expected.append((number, way > 0))
        cut = pace.size // 3
        state, found = follow_turns(PARAMS, TurnState(), LINE_HZ, pace[:cut], yaw[:cut])
        found += follow_turns(PARAMS, state, LINE_HZ, pace[cut:], yaw[cut:], cut)[1]
        assert [(turn.index, turn.left) for turn in found] == expected
        assert len(expected) > 3
