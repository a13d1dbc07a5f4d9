"""How much of the time was recorded, and where it was not."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from devices.types import FloatArray, IntArray

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class CoverageState:
    """expected: samples on the grid so far. covered: those that carry a value."""

    expected: int = 0
    covered: int = 0


def add_coverage(state: CoverageState, expected: int, covered: int) -> CoverageState:
    """Count another run of the grid: its samples, and those of them that carry a value."""
    return CoverageState(state.expected + expected, state.covered + covered)


def coverage_share(state: CoverageState) -> float:
    """Return covered / expected, 0 for nothing."""
    return state.covered / state.expected if state.expected else 0.0


def valid_rows(acc_mps2: FloatArray, gyr_radps: FloatArray) -> BoolArray:
    """Return (n,) True where all six values of a row are finite. acc_mps2, gyr_radps: (n, 3)."""
    finite_acc, finite_gyr = np.isfinite(acc_mps2), np.isfinite(gyr_radps)
    if np.count_nonzero(finite_acc) + np.count_nonzero(finite_gyr) == finite_acc.size + finite_gyr.size:
        return np.ones(len(acc_mps2), dtype=bool)  # the usual case
    return _all_three(finite_acc) & _all_three(finite_gyr)


def finite_rows(values: FloatArray) -> BoolArray:
    """Return (n,) True where all three values of a row are finite. values: (n, 3)."""
    return _all_three(np.isfinite(values))


def _all_three(each: BoolArray) -> BoolArray:
    rows: BoolArray = each[:, 0] & each[:, 1] & each[:, 2]
    return rows


def runs(mask: BoolArray) -> list[tuple[int, int]]:
    """Return the runs of True as (first, end) with `end` one past the last."""
    if mask.size == 0:
        return []
    if mask.all():
        return [(0, mask.size)]
    edges: IntArray = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False])).astype(np.int8)))
    return list(zip(edges[0::2].tolist(), edges[1::2].tolist(), strict=True))


def runs_of(values: IntArray) -> list[tuple[int, int]]:
    """Return the runs of equal values as (first, end) with `end` one past the last."""
    if not values.size:
        return []
    edges = [0, *(np.flatnonzero(values[1:] != values[:-1]) + 1).tolist(), values.size]
    return list(pairwise(edges))
