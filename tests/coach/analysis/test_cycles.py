"""Rainflow counting against the standard's worked example, and the same answer for any cut."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coach.analysis.cycles import CycleState, add_cycles, count_cycles, histogram


def table(values: list[float]) -> dict[float, float]:
    counts: Counter[float] = Counter()
    for size, count, _ in count_cycles(np.asarray(values, dtype=float)):
        counts[size] += count
    return dict(counts)


def test_astm_worked_example() -> None:
    # T1: ASTM E1049-85 section 5.4.4, with the order and the means of the standard's figure.
    cycles = count_cycles(np.array([-2, 1, -3, 5, -1, 3, -4, 4, -2], dtype=float))
    assert cycles == [
        (3, 0.5, -0.5),
        (4, 0.5, -1),
        (4, 1.0, 1),
        (8, 0.5, 1),
        (9, 0.5, 0.5),
        (8, 0.5, 0),
        (6, 0.5, 1),
    ]
    assert sum(count for _, count, _ in cycles) == 4.0


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 60, 0, 90, 0, 45, 0], {45: 1, 60: 1, 90: 1}),
        ([0, 60, 20, 90, 0, 45, 0], {40: 1, 45: 1, 90: 1}),
        ([0, 70] * 12 + [0], {70: 12}),
        ([0, 0, 60, 60, 60, 0, 0, 90, 90, 0, 45, 45, 0, 0], {45: 1, 60: 1, 90: 1}),
        ([5, 5, 5], {}),
        ([5], {}),
        ([], {}),
    ],
)
def test_further_examples(values: list[float], expected: dict[float, float]) -> None:
    assert table(values) == expected


def test_reversals_within_the_dead_band_are_not_read() -> None:
    # A ripple of 0.8 degrees on the way up, at the top and at rest.
    signal = np.array([0, 0.8, 0, 30, 29.3, 60, 59.2, 60, 0, 0.8, 0.1], dtype=float)
    assert dict(histogram(add_cycles(CycleState(), signal))) == {60.0: 1.0}


@settings(max_examples=200, deadline=None)
@given(
    values=st.lists(st.integers(0, 40).map(lambda k: k * 2.5), min_size=1, max_size=60),
    cuts=st.lists(st.integers(0, 60), max_size=8),
)
def test_any_cut_counts_the_same(values: list[float], cuts: list[int]) -> None:
    signal = np.asarray(values)
    state = CycleState()
    edges = sorted({0, len(values), *(cut for cut in cuts if cut < len(values))})
    for a, b in pairwise(edges):
        state = add_cycles(state, signal[a:b])
    whole = Counter[float]()
    for size, count, _ in count_cycles(signal, dead_band=1.0):
        whole[float(round(size))] += count
    assert dict(histogram(state)) == dict(whole)


def test_residue_stays_small() -> None:
    random = np.random.default_rng(5)
    state = CycleState()
    for _ in range(50):
        state = add_cycles(state, random.uniform(0, 90, size=1000))
    # Ranges of an unpaired rest only fall, so it cannot grow with the length of the signal.
    assert len(state.residue) < 60
