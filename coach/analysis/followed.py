"""What needs the pose that counts as upright: posture, lying, static holds, cycles and bends, over released samples."""

from __future__ import annotations

import numpy as np

from coach.analysis.behind import Followed
from coach.analysis.bends import BendState, Counted, detect_bends, finish_bends
from coach.analysis.collected import Collected
from coach.analysis.cycles import add_cycles
from coach.analysis.lying import AGAIN_S, FREE, LYING, PENDING, Glances, detect_lying
from coach.analysis.posture import add_posture, look_every
from coach.analysis.quality import BoolArray, runs, runs_of
from coach.analysis.reference import Released
from coach.analysis.state import AnalysisState
from coach.analysis.statics import add_statics
from coach.analysis.types import Bend, BendParams, ForwardFrom, Reference
from devices.types import FloatArray, IntArray

# Own heuristic: whoever leans back further than this bends forward from there on; beyond it nobody stands.
BACK_DEG = 20.0


def follow_posture(
    state: AnalysisState,
    released: Released,
    up: FloatArray,
    looks: slice,
    angles: FloatArray,
    collected: Collected,
) -> IntArray | None:
    """Follow lying, static holds and exposure at looks. Returns what the trunk did at each look, None for FREE.

    up: (3, n) in the body's axes. angles: (1 or 3, m) inclination, and where the front is known flexion and lean.
    """
    n, every = released.valid.size, state.glance_every
    glances = slice(-released.start % every, n, every)
    modes = None
    if state.on_trunk:
        before = state.lying.mode
        at = np.arange(released.start + glances.start, released.start + n, every)
        # Each glance is one of the looks.
        first, step = (glances.start - looks.start) // looks.step, every // looks.step
        glanced = angles[:, first::step]
        if state.reference.source is Reference.CALIBRATION:
            upright = up[2, glances]
        else:
            upright = _walking_cosine(state, released.up[:, glances], at)
        sight = Glances(at, upright, glanced)
        state.lying, decided, lain = detect_lying(state.lying, state.rate_hz, sight)
        state.statics, held = add_statics(state.statics, state.rate_hz, every, at, glanced[0], decided)
        collected.lying.extend(lain)
        collected.add_holds(state, held)
        if decided is not None:  # at each look that of the newest glance
            modes = np.concatenate(((before,), decided))[(np.arange(angles.shape[1]) - first) // step + 1]
    state.posture = add_posture(state.params.posture_thresholds_deg, state.posture, angles, modes, released.whole)
    return modes


def count_cycles(state: AnalysisState, start: int, smooth_deg: FloatArray, modes: IntArray | None) -> None:
    """Count cycles of what is not lying: what was counted while it was not yet decided is taken back.

    start: number of the first sample. smooth_deg: (n,), NaN where missing. modes: (m,) at their looks, None for FREE.
    """
    there = ~np.isnan(smooth_deg)
    if modes is None and state.exposure.mode == FREE:
        state.cycles, _ = add_cycles(state.cycles, smooth_deg if there.all() else smooth_deg[there])
        return
    look = look_every(state.rate_hz)
    if modes is None:
        modes = np.full(len(range(-start % look, smooth_deg.size, look)), FREE)
    # Up to the first look there is what was at the newest before.
    modes, edge = np.concatenate(((state.exposure.mode,), modes)), -start % look - look
    for first, end in runs_of(modes):
        mode, rows = int(modes[first]), slice(max(edge + first * look, 0), max(edge + end * look, 0))
        if mode == PENDING and state.cycles_before is None:
            state.cycles_before = state.cycles
        elif mode == LYING and state.cycles_before is not None:
            state.cycles, state.cycles_before = state.cycles_before, None
        elif mode == FREE:
            state.cycles_before = None
        if mode != LYING:
            state.cycles, _ = add_cycles(state.cycles, smooth_deg[rows][there[rows]])


def _walking_cosine(state: AnalysisState, up: FloatArray, at: IntArray) -> FloatArray:
    """Return the cosine of the angle from the pose of walking, (m,), NaN where it is not known. up: in sensor axes."""
    if state.walking.upright is None:
        return np.full(at.size, np.nan)
    x, y, z = state.walking.upright
    cosine: FloatArray = up[0] * x + up[1] * y + up[2] * z
    cosine[at < state.walking.known_from] = np.nan
    return cosine


def follow_bends(
    state: AnalysisState, released: Released, looks: slice, angles: FloatArray, modes: IntArray | None, rose: int
) -> tuple[list[Bend], Followed]:
    """Follow the bends at each look: forward where a bow told the front, else the inclination. Lying down is none.

    modes: (m,) at the looks, None for FREE. rose: glance at which the newest lying before these samples had ended, -1
    for none. Returns the bends that ended, and what repeated bending and the minutes wait for, but for the samples.
    """
    # A front that a bow has told lets a lean to the side, or back, be none of the bends.
    bent = np.maximum(angles[1], -BACK_DEG) if state.forward_from is ForwardFrom.BOW else angles[0]
    start = released.start + looks.start
    lies = None if modes is None and rose < 0 else _lately(state, start, bent.size, modes, rose)
    present = None if released.whole else released.valid[looks]
    state.bends, found, counted = _bends_up(state.params.bend, state.bends, state, bent, present, lies, start)
    own = state.strain_bends is not None
    return found, Followed(np.empty(0), modes, bent if own else None, lies if own else None, tuple(counted))


def strained(state: AnalysisState, start: int, piece: Followed) -> list[Counted]:
    """Return the cycles of repeated bending. start: number of the piece's first sample."""
    if state.strain_bends is None or piece.bent_deg is None:
        return list(piece.counted)
    own, present = BendParams(state.params.bending.min_range_deg), ~np.isnan(piece.bent_deg)
    first = start + -start % look_every(state.rate_hz)
    there = None if present.all() else present
    state.strain_bends, _, counted = _bends_up(own, state.strain_bends, state, piece.bent_deg, there, piece.lies, first)
    return counted


def _lately(state: AnalysisState, start: int, count: int, modes: IntArray | None, rose: int) -> BoolArray | None:
    """Return at which of so many looks the trunk lies or has lain a moment ago, None for none of them.

    Who has just risen may lie down again: a sit-up beyond the vertical is no bend. start: sample of the first look.
    """
    look = look_every(state.rate_hz)
    at = start + look * np.arange(count)
    lying = np.zeros(count, dtype=bool) if modes is None else modes == LYING
    never = -(AGAIN_S + 1.0) * state.rate_hz
    last = np.maximum.accumulate(np.where(lying, at, rose - look if rose >= 0 else never))
    lately: BoolArray = at - last <= AGAIN_S * state.rate_hz
    return lately if lately.any() else None


def _bends_up(
    params: BendParams,
    kept: BendState,
    state: AnalysisState,
    angle: FloatArray,
    present: BoolArray | None,
    lies: BoolArray | None,
    start: int,
) -> tuple[BendState, list[Bend], list[Counted]]:
    """Follow looks at which the trunk does not lie. A bend does not span lying: getting up and down again is none.

    present, lies: (n,), None for everywhere and nowhere; who has just risen counts as lying still.
    """
    if lies is None:
        return _bends(params, kept, state, angle, present, start)
    found: list[Bend] = []
    counted: list[Counted] = []
    look = look_every(state.rate_hz)
    for first, end in runs_of(lies.astype(np.int64)):
        at = start + first * look
        if lies[first]:
            _, more = finish_bends(kept, state.rate_hz / look, state.late_s(at))
            kept, found = BendState(), [*found, *more]
            continue
        there = None if present is None else present[first:end]
        kept, more, cycles = _bends(params, kept, state, angle[first:end], there, at)
        found.extend(more)
        counted.extend(cycles)
    return kept, found, counted


def _bends(
    params: BendParams,
    kept: BendState,
    state: AnalysisState,
    angle: FloatArray,
    present: BoolArray | None,
    start: int,
) -> tuple[BendState, list[Bend], list[Counted]]:
    """Follow looks at an angle. present: (n,) where one is there, None for all. start: sample number of the first."""
    found: list[Bend] = []
    counted: list[Counted] = []
    look = look_every(state.rate_hz)
    spans = ([(0, angle.size)] if angle.size else []) if present is None else runs(present)
    turn = -((start - state.gyroscope_from) // look)
    if turn > 0:  # the delay changes where the gyroscope begins
        spans = [part for a, b in spans for part in ((a, min(b, turn)), (max(a, turn), b)) if part[0] < part[1]]
    for first, end in spans:
        late_s = state.late_s(start + first * look)
        kept, more, cycles = detect_bends(
            params, kept, state.rate_hz / look, late_s, angle[first:end], start // look + first
        )
        found.extend(more)
        counted.extend(Counted(cycle.index * look, cycle.range_deg) for cycle in cycles)
    return kept, found, counted
