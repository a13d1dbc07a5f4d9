"""Along which axes a stretch moves: principal axes of windows of three lengths, longest first.

A window of 24 s holds three slow repetitions with a hold, one of 6 s as many fast ones; windows that reach into other
movement get an axis of their own, but others do not. Source: own heuristic.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from coach.analysis.turning import CHORD_DEG
from devices.types import FloatArray, IntArray

WINDOWS_S = (24, 12, 6)
_CELL_S = 3.0
# Keeps the straightness of perfect rest a number.
_TINY = 1e-12


def windows(quat: FloatArray, rate_hz: float) -> tuple[IntArray, FloatArray, FloatArray]:
    """Return first and end index of each window (w, 2), its principal axis (w, 4), the deviation along it in deg.

    The longest windows come first; of one length, those that move most along a single axis.
    """
    count = quat.shape[0]
    cell = round(_CELL_S * rate_hz)
    if count < 2 * cell:
        cell = max(count // 2, 1)
    cells = count // cell
    parts = quat[: cells * cell].reshape(cells, cell, 4)
    sums = np.concatenate((np.zeros((1, 4)), parts.sum(axis=1).cumsum(axis=0)))
    squares = np.matmul(parts.transpose(0, 2, 1), parts).cumsum(axis=0)
    squares = np.concatenate((np.zeros((1, 4, 4)), squares))
    edges = _cells(cells)
    first, end = edges[:, 0], edges[:, 1]
    samples = ((end - first) * cell)[:, None]
    mean = (sums[end] - sums[first]) / samples
    spread = (squares[end] - squares[first]) / samples[:, :, None] - mean[:, :, None] * mean[:, None, :]
    values, vectors = np.linalg.eigh(spread)
    straight = values[:, 3] / np.maximum(values.sum(axis=1), _TINY)
    best = np.lexsort((-straight, first - end))
    return edges[best] * cell, vectors[best, :, 3], CHORD_DEG * np.sqrt(np.maximum(values[best, 3], 0.0))


@lru_cache(maxsize=256)
def _cells(count: int) -> IntArray:
    """Return first and end cell of each window, the longest first; the last of each length ends at the end."""
    edges: list[tuple[int, int]] = []
    for seconds in WINDOWS_S:
        length = min(int(seconds // _CELL_S), count)
        starts = list(range(0, count - length + 1, max(length // 2, 1)))
        edges.extend((start, start + length) for start in (*starts, count - length))
    return np.array(list(dict.fromkeys(edges)), dtype=np.int64)


def principal_axis(quat: FloatArray) -> tuple[FloatArray, float]:
    """Return the principal axis (4,) of poses (n, 4) and the deviation along it in deg."""
    centred = quat - quat.mean(axis=0)
    values, vectors = np.linalg.eigh(centred.T @ centred / quat.shape[0])
    return vectors[:, 3], CHORD_DEG * float(np.sqrt(max(values[3], 0.0)))
