"""Sets of repetitions in a stretch: axes, chains along them, and the best of what overlaps. Source: own heuristic."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from coach.analysis.axes import WINDOWS_S, Cells
from coach.analysis.chains import Chain, find_chains
from coach.analysis.motion_types import MotionParams, Stretch
from coach.analysis.quality import BoolArray
from coach.analysis.turning import follow
from devices.types import FloatArray, IntArray

# All own heuristics. A turn counts from one deviation of the window on: 0.35 of a sine's range, half of a held one's.
TURN_DEVIATIONS = 1.0
# A window that moves less than this share of the smallest ROM is not looked at.
QUIET_SHARE = 0.35
# Two windows ask the same when their axes are that close and their deviations within that factor.
SAME_AXIS, SAME_DEVIATION = 0.97, 1.3
# A window is done with when that share of it belongs to sets; two sets overlap by no more than that share.
DONE_SHARE, OVERLAP_SHARE = 0.6, 0.2
# A window's axis that close to the set's own needs no second look.
ITS_OWN_AXIS = 0.998
# The set's own axis replaces the window's unless it makes the chain lighter than that share.
REFINED_SHARE = 0.8
MIN_STRETCH_S = 2.0
# Bounds the work: that many axes are followed in one look; the straightest come first.
MOST_ASKED = 12


def find_sets(params: MotionParams, stretch: Stretch, busy: list[tuple[int, int, int]] | None = None) -> list[Chain]:
    """Return the chains of repetitions in a stretch, in order of time, none overlapping another.

    busy: (first, end, …) samples that are known to be something else.
    """
    count = stretch.quat.shape[0]
    if count < MIN_STRETCH_S * stretch.rate_hz:
        return []
    taken = np.zeros(count, dtype=np.bool_)
    for start, stop, _ in busy or ():
        taken[start:stop] = True
    other, cells = taken.copy(), Cells(stretch.quat, stretch.rate_hz)
    found: list[Chain] = []
    for axis, deviation in _asking(params, cells, taken):
        for chain in _heaviest(_along(params, stretch, axis, deviation), taken.copy()):
            better = _refined(params, stretch, cells, chain, taken)
            found.extend(better)
            for each in better:
                taken[each.span[0] : each.span[1] + 1] = True
    chosen = _heaviest(found, other)
    return sorted(chosen, key=lambda chain: chain.span[0])


def _asking(params: MotionParams, cells: Cells, taken: BoolArray) -> Iterator[tuple[FloatArray, float]]:
    """Yield the axis of each window worth a look, and the deviation along it. taken: as it is by then."""
    asked: list[tuple[FloatArray, float]] = []
    for seconds in WINDOWS_S:
        windows = cells.windows(seconds)
        windows = windows[_undone(windows, taken)]
        if not windows.size:
            continue
        edges, axes, deviations = cells.axes(windows, QUIET_SHARE * params.min_rom_deg)
        open_ = deviations > QUIET_SHARE * params.min_rom_deg
        for axis, deviation in asked:
            open_ &= ~_same(axes, deviations, axis, deviation)
        while open_.any():
            place = int(open_.argmax())
            if len(asked) >= MOST_ASKED:
                return
            axis, deviation = axes[place], float(deviations[place])
            asked.append((axis, deviation))
            before = np.count_nonzero(taken)
            yield axis, deviation
            open_ &= ~_same(axes, deviations, axis, deviation)
            if np.count_nonzero(taken) > before:
                open_ &= _undone(edges, taken)


def _undone(windows: IntArray, taken: BoolArray) -> BoolArray:
    """Return which windows (w, 2) do not belong to sets yet."""
    sums = np.zeros(taken.size + 1, dtype=np.int64)
    np.cumsum(taken, out=sums[1:])
    undone: BoolArray = sums[windows[:, 1]] - sums[windows[:, 0]] <= DONE_SHARE * (windows[:, 1] - windows[:, 0])
    return undone


def _same(axes: FloatArray, deviations: FloatArray, axis: FloatArray, deviation: float) -> BoolArray:
    """Return which windows ask the same as one that was asked."""
    same: BoolArray = np.abs(axes @ axis) > SAME_AXIS
    same &= (deviations < SAME_DEVIATION * deviation) & (deviations > deviation / SAME_DEVIATION)
    return same


def _along(params: MotionParams, stretch: Stretch, axis: FloatArray, deviation: float) -> list[Chain]:
    course = follow(stretch, axis, TURN_DEVIATIONS * deviation)
    return [] if course is None else find_chains(params, course)


def _refined(params: MotionParams, stretch: Stretch, cells: Cells, chain: Chain, taken: BoolArray) -> list[Chain]:
    """Look again along the chain's own axis; also finds what the window's axis mixed with it."""
    first, last = chain.span
    axis, deviation = cells.axis(first, last)
    if abs(float(axis @ chain.course.axis)) > ITS_OWN_AXIS:
        return [chain]
    again = _along(params, stretch, axis, deviation)
    half = 0.5 * (last - first)
    same = [c.weight for c in again if min(c.span[1], last) - max(c.span[0], first) > half]
    if max(same, default=0.0) <= REFINED_SHARE * chain.weight:
        return [chain]
    return _heaviest(again, taken.copy())


def _heaviest(chains: Iterable[Chain], taken: BoolArray) -> list[Chain]:
    chosen: list[Chain] = []
    for chain in sorted(chains, key=lambda chain: -chain.weight):
        first, last = chain.span
        if np.count_nonzero(taken[first:last]) <= OVERLAP_SHARE * (last - first):
            taken[first : last + 1] = True
            chosen.append(chain)
    return chosen
