"""Was the sensor on a body? Three rules over the accelerometer, on line, cut-independent, cheap.

The signal is summed up in cells of 30 s on the recording's own grid: count, sums, squares, extremes. The values are
rounded to 1/256 m/s^2 (0.4 mg) first, so that the sums are whole numbers and come out the same however the stream is
cut. No rule can tell a person who keeps quite still from a thing on a table: each says what it saw, not what it was.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from devices.types import FloatArray

BoolArray = NDArray[np.bool_]

_MG_MPS2 = 9.80665e-3
# Resolution of the sums; far below the noise of any wearable's accelerometer (own choice).
_STEPS_PER_MPS2 = 256.0
# A cell is count, 3 sums, 3 sums of squares, 3 largest, 3 largest of the negated values.
_FIELDS = 13
_SUMS = 7


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

    judged: steps that could be judged, flagged: those inside a window that met the rule.
    """

    ring: FloatArray = field(default_factory=_empty_ring)
    fresh: int = 0
    judged: int = 0
    flagged: int = 0


@dataclass(frozen=True, slots=True)
class NonwearState:
    """cell, step: (13,) sums of the cell `cell_id` and of the long rule's step `step_id`, both open.

    worn: (3,) sum of the unit directions of gravity over the `worn_cells` that moved. loose_run: cells in a row that
    lay still and turned; loose: such cells in all; loose_first: the first of them, -1 before.
    """

    cell_id: int = 0
    cell: FloatArray = field(default_factory=_empty_cell)
    step_id: int = 0
    step: FloatArray = field(default_factory=_empty_cell)
    long: WindowState = field(default_factory=WindowState)
    short: WindowState = field(default_factory=WindowState)
    short_id: int = -1
    worn: tuple[float, float, float] = (0.0, 0.0, 0.0)
    worn_cells: int = 0
    loose_run: int = 0
    loose: int = 0
    loose_first: int = -1


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
    params: NonwearParams, state: NonwearState, rate_hz: float, start: int, acc_mps2: FloatArray, valid: BoolArray
) -> NonwearState:
    """Take the next rows. start: number of the first one in the stream; acc_mps2 (n, 3); valid (n,): it arrived."""
    size = max(round(params.cell_s * rate_hz), 1)
    steps = np.multiply(acc_mps2.T, _STEPS_PER_MPS2, order="C")
    if valid.all():
        first = start // size
        bounds = np.maximum(np.arange(first, (start + len(valid) - 1) // size + 1) * size - start, 0)
        ids = range(first, first + len(bounds))
    else:
        at = np.flatnonzero(valid)
        if not at.size:
            return state
        steps = steps[:, at]
        cells = (at + start) // size
        bounds = np.flatnonzero(np.diff(cells, prepend=-1))
        ids = cells[bounds].tolist()
    np.rint(steps, out=steps)
    summed = _summed(steps, bounds)
    for cell_id, cell in zip(ids, summed, strict=True):
        if cell_id != state.cell_id:
            state = _close(params, state, size)
            state = replace(state, cell_id=cell_id, cell=cell)
        else:
            state = replace(state, cell=_merged(state.cell, cell))
    return state


def nonwear(params: NonwearParams, state: NonwearState, rate_hz: float, samples: int) -> Nonwear:
    """Say what was seen in the first `samples` of the stream; a cell or step that is not over is not judged."""
    size, per_step = max(round(params.cell_s * rate_hz), 1), round(params.long_step_s / params.cell_s)
    if samples >= (state.cell_id + 1) * size:
        state = replace(_close(params, state, size), cell=_empty_cell())
        if samples >= (state.step_id + 1) * size * per_step:
            state = _close_step(params, state, size * per_step, state.step_id + 1)
    long, short = state.long, state.short
    per_window = round(params.long_window_s / params.long_step_s)
    enough_long = long.judged >= per_window
    enough_short = short.judged >= round(params.short_window_s / params.cell_s)
    cell_s = size / rate_hz if rate_hz else params.cell_s
    return Nonwear(
        long.flagged / long.judged if enough_long else None,
        short.flagged / short.judged if enough_short else None,
        state.loose * cell_s,
        state.loose_first * cell_s if state.loose_first >= 0 else None,
    )


def _summed(steps: FloatArray, bounds: NDArray[np.int64]) -> FloatArray:
    """Return one cell (13,) per bound of steps (3, n)."""
    out = np.empty((len(bounds), _FIELDS))
    out[:, 0] = np.diff(bounds, append=steps.shape[1])
    out[:, 1:4] = np.add.reduceat(steps, bounds, axis=1).T
    out[:, 7:10] = np.maximum.reduceat(steps, bounds, axis=1).T
    out[:, 10:13] = -np.minimum.reduceat(steps, bounds, axis=1).T
    np.square(steps, out=steps)
    out[:, 4:7] = np.add.reduceat(steps, bounds, axis=1).T
    return out


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


def _close(params: NonwearParams, state: NonwearState, size: int) -> NonwearState:
    """Judge the open cell and hand it to the rules."""
    if not state.cell[0]:
        return state
    per_step = round(params.long_step_s / params.cell_s)
    step_id = state.cell_id // per_step
    if step_id != state.step_id:
        state = _close_step(params, state, size * per_step, step_id)
    state = replace(state, step=_merged(state.step, state.cell))
    if state.cell[0] < params.known_share * size:
        return replace(state, short=replace(state.short, ring=_empty_ring(), fresh=0), short_id=-1, loose_run=0)
    values = state.cell.tolist()
    sd, spread = _spread_mg(values)
    state = _note_loose(params, state, values, sd)
    short = state.short
    if state.short_id + 1 != state.cell_id:
        short = replace(short, ring=_empty_ring(), fresh=0)
    if sum(each >= params.range_mg for each in spread) > 3 - params.axes:
        # No window that holds this cell can meet the rule.
        short = WindowState(short.ring[:0], 0, short.judged + 1, short.flagged)
    else:
        short = _pushed(params, short, state.cell, round(params.short_window_s / params.cell_s))
    return replace(state, short=short, short_id=state.cell_id)


def _close_step(params: NonwearParams, state: NonwearState, size: int, next_id: int) -> NonwearState:
    long = state.long
    known = state.step[0] >= params.known_share * size
    if known:
        long = _pushed(params, long, state.step, round(params.long_window_s / params.long_step_s))
    if not known or next_id != state.step_id + 1:
        long = replace(long, ring=_empty_ring(), fresh=0)
    return replace(state, step_id=next_id, step=_empty_cell(), long=long)


def _pushed(params: NonwearParams, window: WindowState, step: FloatArray, length: int) -> WindowState:
    """Move the window on by one step, and flag the whole of it if it meets the rule."""
    ring = np.concatenate((window.ring[-(length - 1) :], step[None])) if length > 1 else step[None]
    fresh, flagged = min(window.fresh + 1, length), window.flagged
    if len(ring) == length:
        whole = np.concatenate((ring[:, :_SUMS].sum(axis=0), ring[:, _SUMS:].max(axis=0)))
        if _still_axes(params, whole.tolist()) >= params.axes:
            flagged, fresh = flagged + fresh, 0
    return WindowState(ring, fresh, window.judged + 1, flagged)


def _note_loose(params: NonwearParams, state: NonwearState, cell: list[float], sd: list[float]) -> NonwearState:
    """Follow where gravity points while the sensor is moved about, and notice when it lies still elsewhere."""
    length = math.sqrt(cell[1] ** 2 + cell[2] ** 2 + cell[3] ** 2)
    if not length:
        return state
    if max(sd) >= params.sd_mg:
        worn = state.worn
        worn = (worn[0] + cell[1] / length, worn[1] + cell[2] / length, worn[2] + cell[3] / length)
        return replace(state, worn=worn, worn_cells=state.worn_cells + 1, loose_run=0)
    if max(sd) >= params.loose_sd_mg or state.worn_cells < params.loose_cells:
        return replace(state, loose_run=0)
    along = sum(w * c for w, c in zip(state.worn, cell[1:4], strict=True))
    usual = math.sqrt(sum(w * w for w in state.worn))
    if along >= math.cos(math.radians(params.loose_turned_deg)) * usual * length:
        return replace(state, loose_run=0)
    run = state.loose_run + 1
    if run < params.loose_cells:
        return replace(state, loose_run=run)
    first = state.loose_first if state.loose_first >= 0 else state.cell_id - run + 1
    return replace(
        state, loose_run=run, loose=state.loose + (run if run == params.loose_cells else 1), loose_first=first
    )
