"""Rainflow counting against the standard's worked example and its rules read literally; the same for any cut."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coach.analysis.cycles import DEAD_BAND_DEG, Cycles, CycleState, add_cycles, count_cycles, histogram

Cycle = tuple[float, float, float]


def standard(values: list[float]) -> list[Cycle]:
    """Return (range, count, mean) by the standard's six rules, one reversal after the other. No product code."""
    level = [value for i, value in enumerate(values) if i == 0 or value != values[i - 1]]
    reversals = [
        value
        for i, value in enumerate(level)
        if i in (0, len(level) - 1) or (level[i - 1] < value) == (value > level[i + 1])
    ]
    points: list[float] = []
    cycles: list[Cycle] = []
    for reversal in reversals:  # rule 1
        points.append(reversal)
        while len(points) >= 3:  # rule 2
            latest, previous = abs(points[-1] - points[-2]), abs(points[-2] - points[-3])
            if latest < previous:  # rule 3a
                break
            mean = (points[-2] + points[-3]) / 2
            if len(points) == 3:  # rule 5: the previous range contains the starting point
                cycles.append((previous, 0.5, mean))
                del points[0]
            else:  # rule 4
                cycles.append((previous, 1.0, mean))
                del points[-3:-1]
    return cycles + [(abs(b - a), 0.5, (a + b) / 2) for a, b in pairwise(points)]  # rule 6


def listed(cycles: Cycles) -> list[Cycle]:
    return list(zip(cycles.ranges.tolist(), cycles.counts.tolist(), cycles.means.tolist(), strict=True))


def halves(cycles: list[Cycle]) -> Counter[tuple[float, float]]:
    """Return half cycles per (range, mean): where two are equal the standard may close either, once or in halves."""
    counts: Counter[tuple[float, float]] = Counter()
    for size, count, mean in cycles:
        counts[size, mean] += round(2 * count)
    return counts


def table(values: list[float]) -> dict[float, float]:
    counts: Counter[float] = Counter()
    for size, count, _ in listed(count_cycles(np.asarray(values, dtype=float))):
        counts[size] += count
    return dict(counts)


ASTM = [-2.0, 1, -3, 5, -1, 3, -4, 4, -2]
ASTM_CYCLES = [(3, 0.5, -0.5), (4, 0.5, -1), (4, 1.0, 1), (8, 0.5, 1), (9, 0.5, 0.5), (8, 0.5, 0), (6, 0.5, 1)]


def test_astm_worked_example() -> None:
    # T1: ASTM E1049-85 section 5.4.4, with the means of the standard's figure.
    assert standard(ASTM) == ASTM_CYCLES
    assert sorted(listed(count_cycles(np.array(ASTM)))) == sorted(ASTM_CYCLES)
    assert table(ASTM) == {3: 0.5, 4: 1.5, 6: 0.5, 8: 1.0, 9: 0.5}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 60, 0, 90, 0, 45, 0], {45: 1, 60: 1, 90: 1}),
        ([0, 60, 20, 90, 0, 45, 0], {40: 1, 45: 1, 90: 1}),
        ([0, 70] * 12 + [0], {70: 12}),
        ([0, 70] * 500 + [0], {70: 500}),
        ([0, 0, 60, 60, 60, 0, 0, 90, 90, 0, 45, 45, 0, 0], {45: 1, 60: 1, 90: 1}),
        ([5, 5, 5], {}),
        ([5], {}),
        ([], {}),
    ],
)
def test_further_examples(values: list[float], expected: dict[float, float]) -> None:
    assert table(values) == expected


@settings(max_examples=300, deadline=None)
@given(st.lists(st.integers(0, 12), max_size=400))
def test_many_ties_count_as_the_standard_says(values: list[int]) -> None:
    signal = [float(value) for value in values]
    assert halves(listed(count_cycles(np.array(signal)))) == halves(standard(signal))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", ["noise", "walk", "falling", "rising", "nested"])
def test_long_signals_count_as_the_standard_says(kind: str, seed: int) -> None:
    random = np.random.default_rng(seed)
    n = 3000
    signal = {
        "noise": random.normal(size=n),
        "walk": np.cumsum(random.normal(size=n)),
        "falling": np.where(np.arange(n) % 2, 1.0, -1.0) * np.arange(n, 0, -1),
        "rising": np.where(np.arange(n) % 2, 1.0, -1.0) * np.arange(1, n + 1),
        # Cycle within cycle within cycle: only the innermost is closed at any time.
        "nested": np.where(np.arange(n) % 2, 1.0, -1.0) * np.abs(np.arange(n) - n / 2 + 0.25),
    }[kind]
    signal = np.round(signal, 3)
    assert halves(listed(count_cycles(signal))) == halves(standard(signal.tolist()))


def test_reversals_within_the_dead_band_are_not_read() -> None:
    # A ripple of 0.8 degrees on the way up, at the top and at rest.
    signal = np.array([0, 0.8, 0, 30, 29.3, 60, 59.2, 60, 0, 0.8, 0.1], dtype=float)
    assert dict(histogram(add_cycles(CycleState(), signal)[0])) == {60.0: 1.0}


@settings(max_examples=200, deadline=None)
@given(
    values=st.lists(st.integers(0, 40).map(lambda k: k * 2.5), min_size=1, max_size=300),
    cuts=st.lists(st.integers(0, 300), max_size=8),
)
def test_any_cut_counts_the_same(values: list[float], cuts: list[int]) -> None:
    signal = np.asarray(values)
    state = CycleState()
    edges = sorted({0, len(values), *(cut for cut in cuts if cut < len(values))})
    found = []
    for a, b in pairwise(edges):
        state, points = add_cycles(state, signal[a:b])
        found.append(points)
    expected = Counter[float]()
    for size, count, _ in standard(values):
        if size >= DEAD_BAND_DEG:
            expected[float(round(size))] += count
    assert dict(histogram(state)) == dict(expected)
    one, points = add_cycles(CycleState(), signal)
    np.testing.assert_array_equal(np.concatenate(found), points)
    np.testing.assert_array_equal(one.residue, state.residue)


def test_residue_stays_small() -> None:
    random = np.random.default_rng(5)
    state = CycleState()
    for _ in range(50):
        state, _ = add_cycles(state, random.uniform(0, 90, size=1000))
    # Ranges of an open rest first only grow and then only fall, so it cannot grow with the length of the signal.
    assert len(state.residue) < 60
