"""The order of the analysis, for one sensor: a state and a chunk in, a state and what it settled out.

A whole recording is the same function over all its chunks, and any other cutting of the stream gives the same numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from coach.analysis.activity import detect_activity, finish_activity
from coach.analysis.behind import Followed, due, pass_to, take, take_released, wait, wait_released
from coach.analysis.bends import finish_bends
from coach.analysis.collected import Collected
from coach.analysis.direction import find_forward
from coach.analysis.errors import AnalysisError
from coach.analysis.exposure import add_looks, begin_exposure
from coach.analysis.filters import low_pass
from coach.analysis.findings import bending_finding
from coach.analysis.followed import count_cycles, follow_bends, follow_posture, strained
from coach.analysis.frames import body_axes, in_body, inclination_deg, tilt_deg
from coach.analysis.integrity import DEFAULT_PARAMS, add_integrity
from coach.analysis.lying import finish_lying
from coach.analysis.motion_types import Motion
from coach.analysis.orientation import OrientationParams, estimate_orientation
from coach.analysis.posture import above_now, finish_posture, look_every
from coach.analysis.quality import add_coverage
from coach.analysis.reference import Released, finish_reference, settle_reference
from coach.analysis.rotation import follow_yaw, joined_lines
from coach.analysis.soundness import add_soundness
from coach.analysis.state import AnalysisState, new_state
from coach.analysis.statics import finish_statics
from coach.analysis.strain import BendingRun, detect_bending, finish_bending
from coach.analysis.summary import unsound
from coach.analysis.swing_types import PARAMS
from coach.analysis.swings import detect_swings, finish_swings
from coach.analysis.types import (
    ChangeKind,
    Features,
    FindingChange,
    ForwardFrom,
    Reference,
)
from coach.analysis.walking import find_upright
from coach.analysis.wearing import add_wearing, begin_wearing, worn_at
from devices.types import NO_RECEPTION, Chunk, FloatArray, Reception

__all__ = ["BLOCK", "AnalysisState", "Update", "analyse", "finish", "new_state", "provisional"]

# Rows worked on at a time: few enough to stay near the processor, many enough that a call costs little beside them.
BLOCK = 32768
# Own heuristic: a longer pause between two chunks is counted, but not returned as rows of nothing.
MAX_GAP_ROWS_S = 3600.0
# Own heuristic: a longer one is a mistake in the numbering, not a pause.
MAX_GAP_S = 30 * 86400.0


@dataclass(frozen=True, slots=True)
class Update:
    """state: to be kept for the next chunk. features: what was settled. changes: of findings, in order.

    bending: the stretches of repeated bending behind the changes. Of samples that cannot be what they say there are
    neither.
    """

    state: AnalysisState
    features: Features
    changes: tuple[FindingChange, ...]
    bending: tuple[tuple[ChangeKind, BendingRun], ...]


def analyse(state: AnalysisState, chunk: Chunk) -> Update:
    """Take the next chunk of the recording.

    Samples missing inside the chunk or between it and the one before are a gap. Returns the new state (the old one is
    unchanged), the features that this chunk settled and the findings that opened, changed or closed.
    Raises AnalysisError when the chunk does not follow (order, rate) or has the wrong shape.
    """
    state = _begun(state, chunk)
    gap = chunk.start_index - state.next_index
    collected = Collected(state)
    pause = gap > MAX_GAP_ROWS_S * state.rate_hz
    if pause:
        _catch_up(state, state.next_index - state.origin, collected)
    for count in _pieces(gap):
        nothing = np.full((count, 3), np.nan)
        _advance(state, nothing, nothing, NO_RECEPTION, collected)
    if pause:
        collected.drop_rows()
    for first in range(0, len(chunk), BLOCK):
        rows = slice(first, first + BLOCK)
        reception = NO_RECEPTION if first else chunk.reception
        _advance(state, chunk.acc_mps2[rows], chunk.gyr_radps[rows], reception, collected)
    return _update(state, collected)


def finish(state: AnalysisState) -> Update:
    """End the stream: settle what waited, emit what counted but was under way, close open findings."""
    state = state.copied()
    collected = Collected(state)
    if state.origin >= 0:
        state.reference, released = finish_reference(state.reference, state.rate_hz)
        _use(state, released, collected)
        state.bends, last = finish_bends(
            state.bends,
            state.rate_hz / look_every(state.rate_hz),
            state.late_s(state.next_index - state.origin),
        )
        collected.bends.extend(last)
        state.bends_count += len(last)
        state.activity, motion = finish_activity(
            state.params.motion, state.activity, state.rate_hz, state.gyroscope_from
        )
        collected.add_motion(state, motion)
        if state.params.swing is not None:
            kind, limit = PARAMS[state.params.swing], state.integrity.reception.gyr_limit_radps
            state.swings, swings = finish_swings(kind, state.place, state.swings, state.rate_hz, limit)
            collected.add_swings(state, swings)
        state.lying, lain = finish_lying(state.lying, state.rate_hz)
        state.statics, held = finish_statics(state.statics, state.rate_hz, state.glance_every)
        state.posture = finish_posture(state.posture)
        collected.lying.extend(lain)
        collected.add_holds(state, held)
        _catch_up(state, state.next_index - state.origin, collected)
        collected.finish_minutes(state)
    if state.bending is not None:
        state.bending, changes = finish_bending(state.params.bending, state.bending, state.rate_hz)
        collected.changes.extend(changes)
    return _update(state, collected)


def provisional(state: AnalysisState) -> Motion:
    """Tell the exercise that is not settled yet, up to the newest sample, as if the stream ended there."""
    if state.origin < 0:
        return Motion()
    return finish_activity(state.params.motion, state.activity, state.rate_hz, state.gyroscope_from)[1]


def _begun(state: AnalysisState, chunk: Chunk) -> AnalysisState:
    """Return a copy to work on. Raises AnalysisError for a chunk that does not follow."""
    shape = (len(chunk), 3)
    if chunk.acc_mps2.shape != shape or chunk.gyr_radps.shape != shape:
        raise AnalysisError(f"Chunk {chunk.key}: acc and gyr must both have the shape (n, 3); send them so.")
    if state.origin < 0:
        if not (math.isfinite(chunk.rate_hz) and chunk.rate_hz > 0.0):
            raise AnalysisError(f"Chunk {chunk.key}: a rate of {chunk.rate_hz} Hz cannot be; give samples per second.")
        state = state.copied()
        state.rate_hz = float(chunk.rate_hz)
        state.origin = state.next_index = state.released = chunk.start_index
        state.exposure = begin_exposure(chunk.start_utc_s)
        if state.wearing is not None:
            state.wearing = begin_wearing(chunk.start_utc_s)
        return state
    if chunk.rate_hz != state.rate_hz:
        raise AnalysisError(
            f"Chunk {chunk.key}: the rate changed from {state.rate_hz:g} to {chunk.rate_hz:g} Hz; "
            "begin a new recording for a new rate."
        )
    if chunk.start_index < state.next_index:
        raise AnalysisError(
            f"Chunk {chunk.key}: it starts at sample {chunk.start_index}, but {state.next_index} comes next; "
            "give each chunk once and in order."
        )
    if chunk.start_index - state.next_index > MAX_GAP_S * state.rate_hz:
        raise AnalysisError(
            f"Chunk {chunk.key}: it starts {(chunk.start_index - state.next_index) / state.rate_hz / 86400:.0f} days "
            "after the one before; begin a new recording after a pause that long."
        )
    return state.copied()


def _pieces(count: int) -> list[int]:
    whole, rest = divmod(max(count, 0), BLOCK)
    return [BLOCK] * whole + ([rest] if rest else [])


def _advance(
    state: AnalysisState, acc: FloatArray, gyr: FloatArray, reception: Reception, collected: Collected
) -> None:
    """Run everything that needs no reference over the next samples, then the rest over what is released."""
    start = state.next_index - state.origin
    searching = state.reference.upright is None
    state.orientation, oriented = estimate_orientation(
        OrientationParams(), state.orientation, state.rate_hz, acc, gyr, aged=searching
    )
    if state.gyroscope_from < 0 and state.orientation.vqf is not None:
        state.gyroscope_from = start + int(np.argmax(oriented.valid & np.isfinite(gyr).all(axis=1)))
    state.integrity = add_integrity(DEFAULT_PARAMS, state.integrity, state.rate_hz, acc, gyr, oriented.valid, reception)
    looks = slice(-start % state.sound_every, oriented.valid.size, state.sound_every)
    seen = np.concatenate((acc[looks], gyr[looks], oriented.up[:, looks].T), axis=1)
    state.soundness = add_soundness(state.soundness, seen if oriented.whole else seen[oriented.valid[looks]])
    if state.on_trunk and state.walking.upright is None and state.reference.source is not Reference.CALIBRATION:
        first, every = -start % state.glance_every, state.glance_every
        at = np.arange(start + first, start + oriented.valid.size, every)
        state.walking = find_upright(state.walking, state.rate_hz, start, acc, at, oriented.up[:, first::every])
    if state.wearing is not None:
        state.behind = wait(state.behind, state.rate_hz, start, acc, gyr, oriented.up)
    state.reference, released = settle_reference(
        state.params.reference, state.reference, state.rate_hz, start, oriented
    )
    state.activity, motion = detect_activity(
        state.params.motion, state.activity, state.rate_hz, acc, oriented.quat, oriented.up, state.gyroscope_from
    )
    collected.add_motion(state, motion)
    if state.params.swing is not None:
        kind, limit = PARAMS[state.params.swing], state.integrity.reception.gyr_limit_radps
        state.swings, swings = detect_swings(kind, state.place, state.swings, state.rate_hz, gyr, oriented.up, limit)
        collected.add_swings(state, swings)
    state.next_index += oriented.valid.size
    _use(state, released, collected)
    if not collected.paused:
        _catch_up(state, due(state.behind, state.rate_hz, state.next_index - state.origin), collected)
    collected.add_minutes(state)


def _catch_up(state: AnalysisState, until: int, collected: Collected) -> None:
    """Work on what waits of the samples up to `until`: how it was worn, turning, and all that follows a release."""
    if until > state.behind.done:
        if state.wearing is None:
            state.behind = pass_to(state.behind, until)
        else:
            state.behind, seen, turn_radps = take(state.behind, state.rate_hz, until)
            calibrated = state.reference.upright if state.reference.source is Reference.CALIBRATION else None
            bowed = state.forward if state.forward_from is ForwardFrom.BOW else None
            state.wearing = add_wearing(state.wearing, state.rate_hz, seen, calibrated, bowed)
            _follow_yaw(state, seen.start, turn_radps, collected)
    first, end = state.behind.spent, min(state.behind.done, state.released - state.origin)
    if end > first:
        state.behind, piece = take_released(state.behind, state.rate_hz, end)
        _spend(state, first, piece, collected)


def _follow_yaw(state: AnalysisState, start: int, turn_radps: FloatArray, collected: Collected) -> None:
    """Follow turns about the vertical, where they are followed and from where the gyroscope began."""
    if state.yaw is None or state.gyroscope_from < 0:
        return
    first = max(state.gyroscope_from - start, 0)
    state.yaw, line, turns = follow_yaw(state.params.turn, state.yaw, state.rate_hz, start + first, turn_radps[first:])
    collected.add_yaw(state, line, turns)


def _use(state: AnalysisState, released: Released, collected: Collected) -> None:
    """Run everything that needs the reference over samples that are released."""
    if state.on_trunk and state.forward is None and state.reference.upright is not None:
        glances = slice(-released.start % state.glance_every, released.valid.size, state.glance_every)
        axes = body_axes(state.reference.upright, None)
        up = in_body(released.up[:, glances], axes)
        tilt = tilt_deg(up, inclination_deg(up))
        glance_s = state.glance_every / state.rate_hz
        state.direction, place, forward = find_forward(state.direction, glance_s, axes, tilt)
        if forward is not None:
            first = glances.start + place * glances.step
            _use_rows(state, released.rows(0, first), collected)
            state.forward, state.forward_from = forward, ForwardFrom.BENDS
            state.forward_since = released.start + first
            released = released.rows(first, released.valid.size)
    _use_rows(state, released, collected)


def _use_rows(state: AnalysisState, released: Released, collected: Collected) -> None:
    n, valid = released.valid.size, released.valid
    if not n:
        return
    axes = body_axes(state.reference.upright or (0.0, 0.0, 1.0), state.forward)  # before it is known all is NaN
    up = in_body(released.up, axes)
    inclination = inclination_deg(up)
    state.low_pass, smooth = low_pass(state.low_pass, state.rate_hz, inclination, valid, released.whole)
    look = look_every(state.rate_hz)
    looks = slice(-released.start % look, n, look)
    angles = smooth[None, looks]
    if state.forward is not None:
        angles = tilt_deg(up[:, looks], smooth[looks])
    rose = state.lying.rose
    modes = follow_posture(state, released, up, looks, angles, collected)
    found, piece = follow_bends(state, released, looks, angles, modes, rose)
    state.behind = wait_released(state.behind, smooth, piece)
    collected.bends.extend(found)
    state.bends_count += len(found)
    covered = n if released.whole else int(np.count_nonzero(valid))
    state.coverage = add_coverage(state.coverage, n, covered)
    collected.add_rows(state.released, released.quat, inclination, covered)
    state.released += n


def _spend(state: AnalysisState, start: int, piece: Followed, collected: Collected) -> None:
    """Count cycles, minutes and repeated bending of released samples. start: number of the first."""
    present, look = ~np.isnan(piece.smooth_deg), look_every(state.rate_hz)
    looks = slice(-start % look, present.size, look)
    count_cycles(state, start, piece.smooth_deg, piece.modes)
    state.exposure = add_looks(
        state.exposure,
        state.rate_hz,
        np.arange(start + looks.start, start + present.size, look),
        piece.smooth_deg[looks],
        None if present.all() else present[looks],
        piece.modes,
        [cycle.index for cycle in piece.counted],
    )
    if state.bending is None:
        return
    counted = strained(state, start, piece)
    if state.wearing is not None and len(state.wearing.spans):
        worn = worn_at(state.wearing, np.arange(start, start + present.size) / state.rate_hz)
        if worn is not None:  # what a loose sensor does is no bending, and its time was not looked at
            present, counted = present & worn, [cycle for cycle in counted if worn[cycle.index - start]]
    state.bending, changes = detect_bending(state.params.bending, state.bending, state.rate_hz, present, counted)
    collected.changes.extend(changes)


def _update(state: AnalysisState, collected: Collected) -> Update:
    look = look_every(state.rate_hz) if state.rate_hz else 1
    above = above_now(state.params.posture_thresholds_deg, collected.posture, state.posture)
    features = Features(
        start_index=collected.start if collected.start >= 0 else max(state.released, 0),
        rate_hz=state.rate_hz,
        inclination_deg=_one(collected.inclination, np.empty(0)),
        quat=_one(collected.quat, np.empty((0, 4))),
        bends=tuple(collected.bends),
        expected=collected.expected,
        covered=collected.covered,
        above={threshold: looks * look for threshold, looks in above.items()},
        lying=tuple(collected.lying),
        static_holds=tuple(collected.static_holds),
        motion=collected.motion,
        swings=tuple(collected.swings),
        minutes=tuple(collected.minutes),
        yaw_line=joined_lines(collected.yaw),
    )
    if collected.changes and unsound(state):
        return Update(state, features, (), ())  # of samples that cannot be what they say nothing is found
    changes = tuple(
        FindingChange(kind, bending_finding(state.params.bending, state.place, state.rate_hz, run))
        for kind, run in collected.changes
    )
    return Update(state, features, changes, tuple(collected.changes))


def _one(parts: list[FloatArray], nothing: FloatArray) -> FloatArray:
    if not parts:
        return nothing
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
