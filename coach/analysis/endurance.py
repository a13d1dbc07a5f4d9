"""Timed holds of the trunk, watched by a wearable: when the pose was taken, when it was left, and how it was held.

`watch_hold` takes live blocks or stored chunks, cut anywhere, and tells how the hold stands; `finish_hold` gives the
trial. Battery: McGill, Childs and Liebenson 1999, APMR 80:941. Rules of start and end: HoldParams, own heuristics.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from coach.analysis.assessment_types import (
    SPECS,
    AssessmentTest,
    HoldParams,
    HoldPhase,
    HoldProgress,
    Method,
    Trial,
)
from coach.analysis.errors import AnalysisError
from coach.analysis.filters import LowPassState, low_pass
from coach.analysis.frames import Vector, body_axes, in_body
from coach.analysis.hold_course import Course, follow_hold
from coach.analysis.hold_looks import Looks, angle_deg
from coach.analysis.hold_start import find_start
from coach.analysis.hold_state import TARGETS, HoldState
from coach.analysis.hold_trial import Watched, not_computable, trial_of
from coach.analysis.orientation import OrientationParams, OrientationState, estimate_orientation
from coach.analysis.posture import look_every
from coach.analysis.tilt import tilt_delay_s
from devices.types import Chunk, FloatArray

__all__ = ["TARGETS", "HoldState", "begin_hold", "finish_hold", "hold_progress", "watch_hold"]

# Own heuristic: below this rate, a drop of half a second is a handful of samples. Recommended rate for posture: 25 Hz.
MIN_RATE_HZ = 20.0
# Own heuristic: with fewer samples a hold may have been missed.
COVERAGE_SHARE = 0.8
# Own heuristic: what is kept while waiting for the pose, for the way into it.
WAITING_S = 3.0


def begin_hold(
    test: AssessmentTest,
    place: str,
    upright: Vector | None,
    forward: Vector | None,
    params: HoldParams | None = None,
) -> HoldState:
    """Begin a trial. upright, forward: of the sensor's calibration (alignment.py), None without one.

    Without a calibration or at another place the trial will be not computable. Raises AnalysisError for a test that is
    no hold.
    """
    spec = SPECS[test]
    if spec.method is not Method.HOLD:
        raise AnalysisError(f"The test '{test}' is no timed hold; choose one of {', '.join(TARGETS)}.")
    needs = None
    if place not in spec.places:
        needs = f"a sensor at the {' or '.join(place.replace('_', ' ') for place in spec.places)}"
    elif upright is None or forward is None:
        needs = "a calibration (stand upright, one bow)"
    state = HoldState(test, place, params or HoldParams(), needs=needs, over=needs is not None)
    if upright is None or forward is None:
        return state
    axes = body_axes(upright, forward)
    return replace(state, upright=axes.si, forward=axes.pa)


def watch_hold(state: HoldState, chunk: Chunk) -> tuple[HoldState, HoldProgress]:
    """Take the next block of the sensor's samples; return the state and how the hold stands.

    Raises AnalysisError when the block does not follow (order, rate) or has the wrong shape.
    """
    if state.over:
        return state, hold_progress(state)
    state = _begun(state, chunk)
    looked = state.next_index - state.origin
    state = _taken(state, chunk)
    if state.complete < 0:
        state = _started(state, looked)
    if state.complete < 0:
        return state, _waiting(state)
    course = _course(state)
    state = replace(state, over=course.watched)
    return state, _holding(state, course)


def finish_hold(state: HoldState) -> Trial:
    """Return what the trial gave, from all samples so far."""
    if state.needs is not None:
        return not_computable(state.test, state.params, state.needs)
    if not 0.0 < MIN_RATE_HZ <= state.rate_hz:
        rate = f"at least {MIN_RATE_HZ:g} samples a second (there were {state.rate_hz:g})"
        return not_computable(state.test, state.params, rate if state.rate_hz else "samples of the trial")
    looks, target = _looks(state), TARGETS[state.test]
    seconds = (state.next_index - state.origin) / state.rate_hz
    share = state.seen * looks.step_s / max(seconds, looks.step_s)
    if state.complete < 0 and share < COVERAGE_SHARE:
        needs = f"{COVERAGE_SHARE:.0%} of the samples (there were {share:.0%}), else nobody knows whether it began"
        return not_computable(state.test, state.params, needs)
    delay_s = 0.0 if state.orientation.vqf is not None else tilt_delay_s(state.rate_hz)
    watched = Watched(
        test=state.test,
        place=state.place,
        params=state.params,
        target_up=target.up,
        within_deg=target.within_deg,
        moved_deg=target.moved_deg,
        closest_deg=state.closest_deg,
        farthest_deg=state.farthest_deg,
        in_pose_s=state.in_pose * looks.step_s,
        seconds=seconds,
        has_gyroscope=state.orientation.vqf is not None,
        delay_s=delay_s,
    )
    return trial_of(watched, looks, None if state.complete < 0 else _course(state))


def hold_progress(state: HoldState) -> HoldProgress:
    """Tell how the hold stands."""
    return _waiting(state) if state.complete < 0 else _holding(state, _course(state))


def _waiting(state: HoldState) -> HoldProgress:
    phase = HoldPhase.OVER if state.over else HoldPhase.WAITING
    if not len(state.rows):
        return HoldProgress(phase, 0.0, None, None, False, False)
    still = bool(state.rows[-1, 4] < state.params.start_rate_degps)
    return HoldProgress(phase, 0.0, float(_off_target_deg(state, state.rows[-1:])[0]), None, still, False)


def _holding(state: HoldState, course: Course) -> HoldProgress:
    held_s = course.end_s - course.start_s
    phase = HoldPhase.HOLDING if course.decided_s is None else HoldPhase.OVER if state.over else HoldPhase.LEFT
    return HoldProgress(
        phase,
        held_s,
        float(_off_target_deg(state, state.rows[-1:])[0]),
        float(course.deviation_deg[-1]),
        bool(state.rows[-1, 4] < state.params.start_rate_degps),
        held_s >= state.params.cap_s,
    )


def _begun(state: HoldState, chunk: Chunk) -> HoldState:
    """Return a state that knows the grid. Raises AnalysisError for a block that does not follow."""
    shape = (len(chunk), 3)
    if chunk.acc_mps2.shape != shape or chunk.gyr_radps.shape != shape:
        raise AnalysisError(f"Block {chunk.key}: acc and gyr must both have the shape (n, 3); send them so.")
    if state.origin < 0:
        if not (math.isfinite(chunk.rate_hz) and chunk.rate_hz > 0.0):
            raise AnalysisError(f"Block {chunk.key}: a rate of {chunk.rate_hz} Hz cannot be; give samples per second.")
        return replace(
            state,
            rate_hz=float(chunk.rate_hz),
            origin=chunk.start_index,
            next_index=chunk.start_index,
            smooth=(LowPassState(),) * 6,
        )
    if chunk.rate_hz != state.rate_hz:
        raise AnalysisError(
            f"Block {chunk.key}: the rate changed from {state.rate_hz:g} to {chunk.rate_hz:g} Hz; begin the trial anew."
        )
    if chunk.start_index < state.next_index:
        raise AnalysisError(
            f"Block {chunk.key}: it starts at sample {chunk.start_index}, but {state.next_index} comes next; "
            "give each block once and in order."
        )
    return state


def _over_gap(state: HoldState, gap: int) -> tuple[OrientationState, tuple[LowPassState, ...]]:
    """Return the filters' states after so many missing samples."""
    if not gap:
        return state.orientation, state.smooth
    # The orientation only asks whether a gap is longer than what it bridges.
    nothing = np.full((min(gap, math.ceil(state.rate_hz)), 3), np.nan)
    after, _ = estimate_orientation(OrientationParams(), state.orientation, state.rate_hz, nothing, nothing, aged=False)
    return after, (LowPassState(),) * 6


def _taken(state: HoldState, chunk: Chunk) -> HoldState:
    """Return the state with the rows of a block. A gap before it is one, however long."""
    orientation, smooth = _over_gap(state, chunk.start_index - state.next_index)
    orientation, oriented = estimate_orientation(
        OrientationParams(), orientation, state.rate_hz, chunk.acc_mps2, chunk.gyr_radps, aged=False
    )
    signals = np.concatenate((oriented.gyr, chunk.acc_mps2), axis=1)
    signals = np.where(oriented.valid[:, None], signals, 0.0)
    passed = [
        low_pass(memory, state.rate_hz, np.ascontiguousarray(signals[:, axis]), oriented.valid, oriented.whole)
        for axis, memory in enumerate(smooth)
    ]
    every = look_every(state.rate_hz)
    first = -(chunk.start_index - state.origin) % every
    looked = np.zeros(len(chunk), dtype=bool)
    looked[first::every] = True
    seen = np.flatnonzero(looked & oriented.valid)
    axes = body_axes(_vector(state.upright), _vector(state.forward))
    up = in_body(oriented.up[:, seen], axes)
    values = np.stack([signal[seen] for _, signal in passed])
    rate = np.degrees(np.sqrt(np.sum(values[:3] ** 2, axis=0)))
    rows = np.column_stack((chunk.start_index - state.origin + seen, up.T, rate, in_body(values[3:], axes).T))
    target = TARGETS[state.test]
    off = _off_target_deg(state, rows)
    return replace(
        state,
        next_index=chunk.start_index + len(chunk),
        orientation=orientation,
        smooth=tuple(memory for memory, _ in passed),
        rows=np.concatenate((state.rows, rows)),
        closest_deg=min([state.closest_deg, *off.tolist()]),
        farthest_deg=max([state.farthest_deg, *off.tolist()]),
        seen=state.seen + len(rows),
        in_pose=state.in_pose + int(np.count_nonzero(off <= target.within_deg)),
    )


def _looks(state: HoldState) -> Looks:
    rows = state.rows
    step_s = look_every(state.rate_hz) / state.rate_hz
    return Looks(rows[:, 0] / state.rate_hz, rows[:, 1:4], rows[:, 4], rows[:, 5:8], step_s)


def _off_target_deg(state: HoldState, rows: FloatArray) -> FloatArray:
    return angle_deg(rows[:, 1:4], np.asarray(TARGETS[state.test].up))


def _started(state: HoldState, looked: int) -> HoldState:
    """Look for the start; keep what a hold needs of the rows before it, or, without one, what may become that.

    looked: number of the first sample that was not looked at before.
    """
    target = TARGETS[state.test]
    inside = _off_target_deg(state, state.rows) <= target.within_deg
    since = int(np.searchsorted(state.rows[:, 0], looked))
    row, rest = find_start(state.params, _looks(state), inside, target.moved_deg, state.rest, since)
    newest = state.next_index - state.origin if row is None else int(state.rows[row, 0])
    kept = state.rows[state.rows[:, 0] >= newest - WAITING_S * state.rate_hz]
    return replace(state, rows=kept, rest=rest, complete=-1 if row is None else newest)


def _course(state: HoldState) -> Course:
    complete = int(np.searchsorted(state.rows[:, 0], state.complete))
    return follow_hold(state.params, _looks(state), complete, (state.next_index - state.origin) / state.rate_hz)


def _vector(values: tuple[float, ...]) -> Vector:
    x, y, z = values
    return x, y, z
