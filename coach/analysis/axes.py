"""Along which axes a stretch moves: principal axes of windows of three lengths.

A window of 24 s holds three slow repetitions with a hold, one of 6 s as many fast ones; windows that reach into other
movement get an axis of their own, but others do not. Source: own heuristic.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from coach.analysis.turning import CHORD_DEG
from devices.types import FloatArray, IntArray

# Longest first: an axis that explains more time is the better guess.
WINDOWS_S = (24, 12, 6)
_CELL_S = 3.0
# Keeps the straightness of perfect rest a number.
_TINY = 1e-12
# Own choice: far more than rounding changes a deviation by.
_HAIR = 0.999


class Cells:
    """Sums over cells of three seconds, from which the principal axis of any run of them is had at once."""

    def __init__(self, quat: FloatArray, rate_hz: float) -> None:
        cell = round(_CELL_S * rate_hz)
        if quat.shape[0] < 2 * cell:
            cell = max(quat.shape[0] // 2, 1)
        self.cell, self.count = cell, quat.shape[0] // cell
        parts = quat[: self.count * cell].reshape(self.count, cell, 4)
        self._sums, self._squares = np.zeros((self.count + 1, 4)), np.zeros((self.count + 1, 4, 4))
        np.cumsum(parts.sum(axis=1), axis=0, out=self._sums[1:])
        np.cumsum(np.matmul(parts.transpose(0, 2, 1), parts), axis=0, out=self._squares[1:])

    def windows(self, seconds: float) -> IntArray:
        """Return first and end index of each window (w, 2)."""
        return _windows(self.count, min(int(seconds // _CELL_S), self.count)) * self.cell

    def axes(self, windows: IntArray, least_deg: float) -> tuple[IntArray, FloatArray, FloatArray]:
        """Return windows (w, 2) anew, the axis of each (w, 4), and the deviation along it in deg.

        Those that move most along a single axis come first. Left out are some that deviate by less than least_deg.
        """
        edges = windows // self.cell
        spread = self._spread(edges[:, 0], edges[:, 1])
        # No axis deviates by more than all axes together.
        loud = np.trace(spread, axis1=1, axis2=2) * CHORD_DEG**2 > (_HAIR * least_deg) ** 2
        edges, spread = edges[loud], spread[loud]
        values, vectors = np.linalg.eigh(spread)
        best = np.argsort(-values[:, 3] / np.maximum(values.sum(axis=1), _TINY), kind="stable")
        return edges[best] * self.cell, vectors[best, :, 3], CHORD_DEG * np.sqrt(np.maximum(values[best, 3], 0.0))

    def axis(self, first: int, last: int) -> tuple[FloatArray, float]:
        """Return the axis (4,) of about the samples first to last, and the deviation along it in deg."""
        start = min(round(first / self.cell), self.count - 1)
        end = min(max(round(last / self.cell), start + 1), self.count)
        values, vectors = np.linalg.eigh(self._spread(np.array([start]), np.array([end]))[0])
        return vectors[:, 3], CHORD_DEG * float(np.sqrt(max(values[3], 0.0)))

    def _spread(self, first: IntArray, end: IntArray) -> FloatArray:
        samples = ((end - first) * self.cell)[:, None]
        mean = (self._sums[end] - self._sums[first]) / samples
        spread: FloatArray = (self._squares[end] - self._squares[first]) / samples[:, :, None]
        spread -= mean[:, :, None] * mean[:, None, :]
        return spread


@lru_cache(maxsize=256)
def _windows(count: int, length: int) -> IntArray:
    """Return first and end cell of windows half a window apart; the last one ends at the end."""
    starts = dict.fromkeys((*range(0, count - length + 1, max(length // 2, 1)), count - length))
    return np.array([(start, start + length) for start in starts], dtype=np.int64)
