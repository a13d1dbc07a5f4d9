"""One set of a known exercise while it goes on: what counts, as it would if the stream ended now.

The same detectors do the work as everywhere (activity.py, with what is known of the exercise); here they are also told
the pose that repetitions start from, so that a repetition is never read from its far end. The live page and the stored
chunks go through this function. A hold longer than the detectors look for stillness is told by guided_follow.py.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np

from coach.analysis.activity import STILL_S, ActivityState, detect_activity, finish_activity
from coach.analysis.errors import AnalysisError
from coach.analysis.guided import CYCLES_OF_HOLD, HOLD_SHARE, LEAST_HOLD_S, ONE_CYCLE
from coach.analysis.guided_follow import Done, FollowState, Phase, follow, follow_params, guide_of
from coach.analysis.motion_types import Motion, MotionParams
from coach.analysis.orientation import OrientationParams, OrientationState, estimate_orientation
from devices.types import Chunk, FloatArray

# Own choice: looks a second for what is shown.
LOOKS_HZ = 20.0
# s. Own choice: of a longer gap no more is gone through; the filter has begun anew by then.
GAP_MAX_S = 10.0
# s. A repetition without its return that ends as near to the newest sample goes on. One thinned sample, twice.
NEWEST_S = 0.08
# s. Own heuristic: of what the detectors find for so long while the pose does not say it is over.
BELIEVED_S = 1.5
# Own heuristic: an excursion of less than this share of the set's usual ROM is sway.
SWAY_SHARE = 0.4
# Holds of up to this many s are told by the detectors; a longer stillness parts what they look at as one.
SEEN_HOLD_S = STILL_S - 3.0


@dataclass(frozen=True, slots=True)
class SetParams:
    """exercise: id of the library. hold_s: asked for, None where repetitions are counted."""

    exercise: str
    hold_s: float | None

    @property
    def motion(self) -> MotionParams:
        """Return what the detectors look for."""
        guide, hold_s = guide_of(self.exercise), self.hold_s or 0.0
        return MotionParams(
            min_rom_deg=guide.min_rom_deg,
            min_cycle_s=guide.cycle_s[0],
            max_stroke_s=guide.cycle_s[1] + CYCLES_OF_HOLD * max(hold_s, guide.hold_s),
            min_cycles=ONE_CYCLE,
            certain=True,
            hold_s=max(HOLD_SHARE * hold_s, LEAST_HOLD_S),
        )


@dataclass(frozen=True, slots=True)
class SetState:
    """All that is kept of a set between two blocks.

    origin, next_index: on the recording's grid, -1 before the first sample. gyroscope_from: first sample with an
    angular rate, -1 before. told: what the detectors have settled. done: what counts by them as if the stream ended
    now, oldest first. count: what is shown, which never goes back. offset: by how many returns the pose was ahead of
    the detectors when they last found one more; ahead_since_s: since when they have found more than is shown.
    """

    params: SetParams
    follow: FollowState
    rate_hz: float = 0.0
    origin: int = -1
    next_index: int = -1
    orientation: OrientationState = field(default_factory=OrientationState)
    gyroscope_from: int = -1
    activity: ActivityState = field(default_factory=ActivityState)
    told: Motion = field(default_factory=Motion)
    done: tuple[Done, ...] = ()
    count: int = 0
    offset: int = 0
    ahead_since_s: float | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What a block added. course: (time in s from the set's first sample, deg from the pose to start from or None)."""

    state: SetState
    course: tuple[tuple[float, float | None], ...]


def begin_set(exercise: str, hold_s: float | None) -> SetState:
    """Begin a set with the next sample. hold_s: of the dose, None where it is counted."""
    return SetState(SetParams(exercise, hold_s), FollowState(follow_params(exercise, hold_s)))


def follow_set(state: SetState, chunk: Chunk) -> Seen:
    """Take the next samples. Raises AnalysisError when they do not follow (order, rate)."""
    if state.origin < 0:
        state = replace(state, rate_hz=chunk.rate_hz, origin=chunk.start_index, next_index=chunk.start_index)
    if chunk.rate_hz != state.rate_hz or chunk.start_index < state.next_index:
        raise AnalysisError(f"Chunk {chunk.key} does not follow what the set has seen: give each once and in order.")
    acc, gyr = chunk.acc_mps2, chunk.gyr_radps
    gap = chunk.start_index - state.next_index
    if gap:
        # A long one is told short: times would be wrong by what is left out, so the origin moves along.
        kept = min(gap, round(GAP_MAX_S * state.rate_hz))
        nothing = np.full((kept, 3), np.nan)
        acc, gyr = np.concatenate((nothing, acc)), np.concatenate((nothing, gyr))
        state = replace(state, origin=state.origin + gap - kept, next_index=chunk.start_index - kept)
    first = state.next_index - state.origin
    state, quat = _detected(state, acc, gyr)
    every = max(round(state.rate_hz / LOOKS_HZ), 1)
    course: list[tuple[float, float | None]] = []
    following = state.follow
    for at in range(-first % every, len(acc), every):
        w, x, y, z = quat[at].tolist()
        following = follow(following, [None if math.isnan(w) else (w, x, y, z)], every / state.rate_hz)
        course.append(((first + at) / state.rate_hz, following.seen_deg))
    state = replace(state, follow=following, next_index=chunk.start_index + len(chunk))
    if state.params.hold_s is None or not is_under_way(state):
        state = _counted(replace(state, done=done_of(state)))  # what is held counts once it is over
    return Seen(state, tuple(course))


def _detected(state: SetState, acc: FloatArray, gyr: FloatArray) -> tuple[SetState, FloatArray]:
    first = state.next_index - state.origin
    orientation, oriented = estimate_orientation(
        OrientationParams(), state.orientation, state.rate_hz, acc, gyr, aged=False
    )
    gyroscope_from = state.gyroscope_from
    if gyroscope_from < 0 and orientation.vqf is not None:
        gyroscope_from = first + int(np.argmax(oriented.valid & np.isfinite(gyr).all(axis=1)))
    activity, motion = detect_activity(
        state.params.motion,
        state.activity,
        state.rate_hz,
        acc,
        oriented.quat,
        oriented.up,
        gyroscope_from,
        _rest(state),
    )
    told = state.told.followed_by(motion)
    return replace(
        state, orientation=orientation, gyroscope_from=gyroscope_from, activity=activity, told=told
    ), oriented.quat


def _rest(state: SetState) -> FloatArray | None:
    base = state.follow.base
    return None if base is None else np.array(base)


def _counted(state: SetState) -> SetState:
    """Return the state with what is shown.

    Within a repetition the detectors may read it from its far end: they are believed once somebody is back, or, of what
    is not held, after a while. Back in the pose, one more is shown at once, and not a second one before they find it.
    """
    found, back, now_s = len(state.done), len(state.follow.done), state.follow.at_s
    if found <= state.count:
        state = replace(state, ahead_since_s=None)
    elif state.ahead_since_s is None:
        state = replace(state, ahead_since_s=now_s)
    since_s = state.ahead_since_s
    late = since_s is not None and state.params.hold_s is None and now_s - since_s > BELIEVED_S
    if is_under_way(state) and not late:
        return state
    if found > state.count:
        return replace(state, count=found, offset=back - found, ahead_since_s=None)
    return replace(state, count=max(state.count, min(found + 1, back - state.offset)))


def done_of(state: SetState) -> tuple[Done, ...]:
    """Return what counts by the detectors, as if the stream ended now."""
    if state.params.hold_s is not None and state.params.hold_s > SEEN_HOLD_S:
        return state.follow.done
    waiting = finish_activity(state.params.motion, state.activity, state.rate_hz, state.gyroscope_from, _rest(state))[1]
    now_s = (state.next_index - state.origin) / state.rate_hz
    motion = state.told.followed_by(waiting)
    back = [each for each in motion.repetitions if each.whole or each.end_s < now_s - NEWEST_S]
    if state.params.hold_s is None:
        return tuple(Done(each.start_s, each.end_s, each.rom_deg, each.hold_s) for each in back)
    return tuple(
        Done(each.start_s, each.end_s, each.rom_deg, sum(hold.duration_s for hold in held))
        for each in back
        if (held := [hold for hold in motion.holds if each.start_s <= hold.start_s < each.end_s])
    )


def is_under_way(state: SetState) -> bool:
    """Tell whether somebody is within a repetition; swaying is none."""
    following = state.follow
    usual_deg = sorted(each.rom_deg for each in state.done)[len(state.done) // 2] if state.done else 0.0
    moved = following.peak_deg >= max(following.params.min_rom_deg, SWAY_SHARE * usual_deg)
    return moved and following.phase in {Phase.AWAY, Phase.HOLDING}


def usual_rom_deg(done: tuple[Done, ...]) -> float | None:
    """Return the ROM that the first three of a set aim at, None before there are three. Source: as holds.py."""
    return sorted(each.rom_deg for each in done[:3])[1] if len(done) >= 3 else None
