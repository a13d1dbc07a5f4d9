"""Samples at the end of a sensor's range: by the stated full scale, or by flat tops when none is stated."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from coach.analysis.quality import BoolArray, runs
from devices.types import FloatArray

# A value counts as at full scale from here on: int16 ends one step below it, and storing rounds by 2^-15 (own choice).
_AT_LIMIT = 0.999
# So many equal values in a row at the highest (lowest) value of an axis are a flat top (own heuristic).
_FLAT_RUN = 3
_SIDES = 6


@dataclass(frozen=True, slots=True)
class ClippingState:
    """received: rows with a value. clipped: those with a value at the stated full scale.

    Without one, for each axis and sign (x+ y+ z+ x- y- z-): extreme: the highest value so far; flat: samples at it in
    runs of three or more; run: length of the run that the last row belongs to.
    """

    received: int = 0
    clipped: int = 0
    extreme: tuple[float, ...] = (-math.inf,) * _SIDES
    flat: tuple[int, ...] = (0,) * _SIDES
    run: tuple[int, ...] = (0,) * _SIDES


def add_clipping(
    state: ClippingState, values: FloatArray, limit: float | None, least: float, finite: BoolArray | None
) -> ClippingState:
    """Take the next rows, values (n, 3). limit: full scale, in the values' unit, None if not known.

    least: the smallest full scale that any product has; lower values are no flat top. finite: (n,), None for all.
    """
    received = len(values) if finite is None else int(np.count_nonzero(finite))
    state = ClippingState(state.received + received, state.clipped, state.extreme, state.flat, state.run)
    if not received:
        return replace(state, run=(0,) * _SIDES) if any(state.run) else state
    if finite is None:
        highest, lowest = float(values.max()), float(values.min())
    else:
        highest, lowest = float(values[finite].max()), float(values[finite].min())
    threshold = least if limit is None else _AT_LIMIT * limit
    if highest < threshold and -lowest < threshold:
        return replace(state, run=(0,) * _SIDES) if any(state.run) else state
    if limit is not None:
        with np.errstate(invalid="ignore"):
            at_limit = (np.abs(values) >= threshold).any(axis=1)
        return replace(state, clipped=state.clipped + int(np.count_nonzero(at_limit)))
    return _flat_tops(state, values, least, finite)


def clipped_share(state: ClippingState) -> float | None:
    """Return clipped / received, None for nothing received."""
    if not state.received:
        return None
    return min((state.clipped + sum(state.flat)) / state.received, 1.0)


def _flat_tops(state: ClippingState, values: FloatArray, least: float, finite: BoolArray | None) -> ClippingState:
    columns = np.ascontiguousarray(values.T)
    if finite is not None:
        columns[:, ~finite] = np.nan
        ends = (np.nanmax(columns, axis=1), -np.nanmin(columns, axis=1))
    else:
        ends = (columns.max(axis=1), -columns.min(axis=1))
    extreme, flat, run = list(state.extreme), list(state.flat), list(state.run)
    for side, end in enumerate((*ends[0].tolist(), *ends[1].tolist())):
        if end < max(extreme[side], least):
            run[side] = 0
            continue
        if end > extreme[side]:
            extreme[side], flat[side], run[side] = end, 0, 0
        column = columns[side % 3]
        at_end = column == (end if side < 3 else -end)
        more, run[side] = _in_runs(at_end, run[side])
        flat[side] += more
    return replace(state, extreme=tuple(extreme), flat=tuple(flat), run=tuple(run))


def _in_runs(at_end: BoolArray, carried: int) -> tuple[int, int]:
    """Return how many samples belong to runs of three or more, and the length of the run at the end.

    carried: length of the run that ended with the sample before; its samples are counted already if it is long enough.
    """
    total, last = 0, 0
    for first, end in runs(at_end):
        before = carried if first == 0 else 0
        length = before + end - first
        if length >= _FLAT_RUN:
            total += end - first + (before if before < _FLAT_RUN else 0)
        last = length if end == len(at_end) else 0
    return total, last
