"""Was the sensor on a body? Three rules over the accelerometer, on line, cut-independent, cheap.

The signal is summed up in cells of 30 s on the recording's own grid: count, sums, squares, extremes. The values are
rounded to 1/256 m/s^2 (0.4 mg) first, so that the sums are whole numbers and come out the same however the stream is
cut. No rule can tell a person who keeps quite still from a thing on a table: each says what it saw, not what it was.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from coach.analysis.quality import BoolArray
from devices.types import FloatArray

_MG_MPS2 = 9.80665e-3
# Resolution of the sums; far below the noise of any wearable's accelerometer (own choice).
_STEPS_PER_MPS2 = 256.0
# A cell is count, 3 sums, 3 sums of squares, 3 largest, 3 largest of the negated values.
_FIELDS = 13
_SUMS = 7
# Own choice: of fewer cells each is summed up by itself.
_MANY = 4


@dataclass(frozen=True, slots=True)
class NonwearParams:
    """A window is non-wear if on `axes` of 3 axes the standard deviation is below sd_mg and the range below range_mg.

    Source of these, of long_window_s and long_step_s, and of flagging the whole window: GGIR's non-wear detection of
    2023. short_window_s: the same for sessions of minutes, moved on by a cell (own heuristic). known_share: least
    share of samples that a cell or step must hold to be judged (own choice). loose_*: own heuristic, docs/integrity.md.
    """

    sd_mg: float = 13.0
    range_mg: float = 50.0
    axes: int = 2
    long_window_s: float = 3600.0
    long_step_s: float = 900.0
    short_window_s: float = 300.0
    cell_s: float = 30.0
    known_share: float = 0.5
    loose_sd_mg: float = 5.0
    loose_turned_deg: float = 40.0
    loose_cells: int = 2


def _empty_cell() -> FloatArray:
    cell = np.zeros(_FIELDS)
    cell[_SUMS:] = -np.inf
    return cell


def _empty_ring() -> FloatArray:
    return np.empty((0, _FIELDS))


@dataclass(frozen=True, slots=True)
class WindowState:
    """One rule's sliding window. ring: (k, 13) its newest steps. fresh: how many of them no window has flagged yet.

    judged: steps that could be judged, flagged: those inside a window that met the rule. last_id: number of the newest.
    """

    ring: FloatArray = field(default_factory=_empty_ring)
    fresh: int = 0
    judged: int = 0
    flagged: int = 0
    last_id: int = -1


@dataclass(frozen=True, slots=True)
class JudgedState:
    """What the rules keep of closed cells. step: (13,) sums of the long rule's open step `step_id`, of the cells that
    did not move; step_moved: whether one did, which rules out every window that holds the step.

    worn: (3,) sum of the unit directions of gravity over the `worn_cells` that moved. loose_run: cells in a row that
    lay still and turned; loose: such cells in all; loose_first: the first of them, -1 before.
    """

    step_id: int = 0
    step: FloatArray = field(default_factory=_empty_cell)
    step_moved: bool = False
    long: WindowState = field(default_factory=WindowState)
    short: WindowState = field(default_factory=WindowState)
    worn: tuple[float, float, float] = (0.0, 0.0, 0.0)
    worn_cells: int = 0
    loose_run: int = 0
    loose: int = 0
    loose_first: int = -1


@dataclass(frozen=True, slots=True)
class NonwearState:
    """cell: (13,) sums of the open cell `cell_id`. judged: what the cells before it have told."""

    cell_id: int = 0
    cell: FloatArray = field(default_factory=_empty_cell)
    judged: JudgedState = field(default_factory=JudgedState)


@dataclass(frozen=True, slots=True)
class Nonwear:
    """share_long, share_short: of the time that could be judged, None when no window was complete.

    loose_s: time lying still and turned after having been worn; loose_since_s: when it began, s from the first sample.
    """

    share_long: float | None
    share_short: float | None
    loose_s: float
    loose_since_s: float | None


def add_nonwear(
    params: NonwearParams,
    state: NonwearState,
    rate_hz: float,
    start: int,
    acc_mps2: FloatArray,
    valid: BoolArray | None,
) -> NonwearState:
    """Take the next rows, acc_mps2 (n, 3). start: number of the first; valid: (n,) which arrived, None for all."""
    size = max(round(params.cell_s * rate_hz), 1)
    steps = np.multiply(acc_mps2.T, _STEPS_PER_MPS2, order="C")
    if valid is None:
        ids: Sequence[int] = range(start // size, (start + len(acc_mps2) - 1) // size + 1)
        bounds = [0, *(cell_id * size - start for cell_id in ids[1:])]
    else:
        at = np.flatnonzero(valid)
        if not at.size:
            return state
        steps = steps[:, at]
        cells = (at + start) // size
        bounds = np.flatnonzero(np.diff(cells, prepend=-1)).tolist()
        ids = cells[bounds].tolist()
    np.rint(steps, out=steps)
    summed = _cells(steps, bounds, size if valid is None else 0)
    if ids[0] == state.cell_id:
        summed[0] = _merged(state.cell, summed[0])
        if len(ids) == 1:
            return NonwearState(state.cell_id, summed[0], state.judged)
    judge = _Judge(params, state.judged, size)
    if ids[0] != state.cell_id:
        judge.close(state.cell_id, state.cell)
    for cell_id, cell in zip(ids[:-1], summed[:-1], strict=True):
        judge.close(cell_id, cell)
    return NonwearState(ids[-1], summed[-1], judge.state())


def nonwear(params: NonwearParams, state: NonwearState, rate_hz: float, samples: int) -> Nonwear:
    """Say what was seen in the first `samples` of the stream; a cell or step that is not over is not judged."""
    size, per_step = max(round(params.cell_s * rate_hz), 1), round(params.long_step_s / params.cell_s)
    judged = state.judged
    if samples >= (state.cell_id + 1) * size:
        judge = _Judge(params, judged, size)
        judge.close(state.cell_id, state.cell)
        if samples >= (judge.step_id + 1) * size * per_step:
            judge.close_step()
        judged = judge.state()
    long, short = judged.long, judged.short
    per_window = round(params.long_window_s / params.long_step_s)
    enough_long = long.judged >= per_window
    enough_short = short.judged >= round(params.short_window_s / params.cell_s)
    cell_s = size / rate_hz if rate_hz else params.cell_s
    return Nonwear(
        long.flagged / long.judged if enough_long else None,
        short.flagged / short.judged if enough_short else None,
        judged.loose * cell_s,
        judged.loose_first * cell_s if judged.loose_first >= 0 else None,
    )


def _cells(steps: FloatArray, bounds: list[int], size: int) -> list[FloatArray]:
    """Return the cells (13,) that begin at these places of the steps (3, n). size: of all but the ends, 0 for any."""
    edges = [*bounds, steps.shape[1]]
    if not size or len(bounds) < _MANY:
        return [_summed(steps[:, first:end]) for first, end in pairwise(edges)]
    inner = steps[:, edges[1] : edges[-2]].reshape(3, -1, size)
    cells = np.empty((inner.shape[1], _FIELDS))
    cells[:, 0] = size
    cells[:, 1:4] = inner.sum(axis=2).T
    cells[:, 4:7] = np.vecdot(inner, inner).T
    cells[:, 7:10] = inner.max(axis=2).T
    cells[:, 10:13] = -inner.min(axis=2).T
    return [_summed(steps[:, : edges[1]]), *cells, _summed(steps[:, edges[-2] :])]


def _summed(steps: FloatArray) -> FloatArray:
    """Return one cell (13,) of steps (3, n), n >= 1."""
    cell = np.empty(_FIELDS)
    cell[0] = steps.shape[1]
    steps.sum(axis=1, out=cell[1:4])
    np.vecdot(steps, steps, out=cell[4:7])
    steps.max(axis=1, out=cell[7:10])
    np.negative(steps.min(axis=1), out=cell[10:13])
    return cell


def _merged(one: FloatArray, other: FloatArray) -> FloatArray:
    both = one + other
    np.maximum(one[_SUMS:], other[_SUMS:], out=both[_SUMS:])
    return both


def _spread_mg(cell: list[float]) -> tuple[list[float], list[float]]:
    """Return the standard deviation and the range of each axis."""
    n = cell[0]
    mg = _STEPS_PER_MPS2 * _MG_MPS2
    sd = [math.sqrt(max(cell[4 + i] / n - (cell[1 + i] / n) ** 2, 0.0)) / mg for i in range(3)]
    return sd, [(cell[7 + i] + cell[10 + i]) / mg for i in range(3)]


def _still_axes(params: NonwearParams, cell: list[float]) -> int:
    sd, spread = _spread_mg(cell)
    return sum(s < params.sd_mg and r < params.range_mg for s, r in zip(sd, spread, strict=True))


class _Judge:
    """Hands closed cells to the rules; the parts of the state that change, unpacked for as long as one call takes."""

    def __init__(self, params: NonwearParams, state: JudgedState, size: int) -> None:
        self._params, self._size = params, size
        self._per_step = round(params.long_step_s / params.cell_s)
        self._most_mps2 = params.range_mg * _MG_MPS2 * _STEPS_PER_MPS2
        self.step_id, self._step, self._step_moved = state.step_id, state.step, state.step_moved
        self._long, self._short = state.long, state.short
        self._worn, self._worn_cells = state.worn, state.worn_cells
        self._loose = (state.loose_run, state.loose, state.loose_first)

    def state(self) -> JudgedState:
        """Return what came of it."""
        return JudgedState(
            self.step_id,
            self._step,
            self._step_moved,
            self._long,
            self._short,
            self._worn,
            self._worn_cells,
            *self._loose,
        )

    def close(self, cell_id: int, cell: FloatArray) -> None:
        """Judge a cell that is over."""
        values: list[float] = cell.tolist()
        if not values[0]:
            return
        if cell_id // self._per_step != self.step_id:
            self.close_step()
            self.step_id = cell_id // self._per_step
        wide = sum(values[7 + axis] + values[10 + axis] >= self._most_mps2 for axis in range(3))
        # No window that holds such a cell can meet a rule: it needs not be summed up any further.
        moved = wide > 3 - self._params.axes
        known = values[0] >= self._params.known_share * self._size
        self._step_moved |= moved
        if moved:
            self._step = self._step.copy()
            self._step[0] += values[0]
        else:
            self._step = _merged(self._step, cell)
        if known:
            self._note_loose(cell_id, values, moved)
            self._short = self._moved_on(
                self._short, cell_id, cell, moved, self._params.short_window_s / self._params.cell_s
            )

    def close_step(self) -> None:
        """Judge the long rule's step that is over."""
        if self._step[0] >= self._params.known_share * self._size * self._per_step:
            length = self._params.long_window_s / self._params.long_step_s
            self._long = self._moved_on(self._long, self.step_id, self._step, self._step_moved, length)
        self._step, self._step_moved = _empty_cell(), False

    def _moved_on(self, window: WindowState, step_id: int, step: FloatArray, moved: bool, steps: float) -> WindowState:
        """Move a rule's window on by one step, and flag the whole of it if it meets the rule."""
        length = round(steps)
        judged, flagged = window.judged + 1, window.flagged
        if moved:
            return WindowState(window.ring[:0], 0, judged, flagged, step_id)
        if window.last_id + 1 != step_id:
            window = replace(window, ring=_empty_ring(), fresh=0)
        ring = np.concatenate((window.ring[max(len(window.ring) + 1 - length, 0) :], step[None]))
        fresh = min(window.fresh + 1, length)
        if len(ring) == length:
            whole = np.concatenate((ring[:, :_SUMS].sum(axis=0), ring[:, _SUMS:].max(axis=0)))
            if _still_axes(self._params, whole.tolist()) >= self._params.axes:
                flagged, fresh = flagged + fresh, 0
        return WindowState(ring, fresh, judged, flagged, step_id)

    def _note_loose(self, cell_id: int, cell: list[float], moved: bool) -> None:
        """Follow where gravity points while the sensor is moved about; notice when it lies still elsewhere."""
        p = self._params
        run, loose, first = self._loose
        length = math.sqrt(cell[1] ** 2 + cell[2] ** 2 + cell[3] ** 2)
        if moved and length:
            x, y, z = self._worn
            self._worn = (x + cell[1] / length, y + cell[2] / length, z + cell[3] / length)
            self._worn_cells += 1
        if moved or not length or self._worn_cells < p.loose_cells or max(_spread_mg(cell)[0]) >= p.loose_sd_mg:
            self._loose = (0, loose, first)
            return
        along = sum(w * c for w, c in zip(self._worn, cell[1:4], strict=True))
        usual = math.sqrt(sum(w * w for w in self._worn))
        if along >= math.cos(math.radians(p.loose_turned_deg)) * usual * length:
            self._loose = (0, loose, first)
            return
        run += 1
        if run == p.loose_cells:
            first = first if first >= 0 else cell_id - run + 1
            loose += run
        elif run > p.loose_cells:
            loose += 1
        self._loose = (run, loose, first)
