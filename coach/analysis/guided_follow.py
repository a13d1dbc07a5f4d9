"""Where somebody is in a repetition of a known exercise: how far from the pose it starts from, and how long it is held.

The person is led, so the pose to start from is the one they are still in once they are ready. What is shown while
somebody moves comes from here, and holds that are too long for sets.py to see; all else is counted by guided_set.py.
Source: own heuristic, see docs/guided.md; what counts as still is that of holds.py.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from coach.analysis.guided import GUIDES, HOLD_SHARE, Guide
from coach.analysis.holds import MOVING_DEGPS, QUIET_DEGPS, QUIET_S

Quat = tuple[float, float, float, float]

# Own heuristics. s over which a look tells how fast it turns.
RATE_S = 0.25
# Being still for half of the time asked for proves a hold, so that it may be smaller than a repetition has to be.
HOLD_ROM_SHARE = 0.7
# Shares of the smallest ROM: the pose is left; it is near. Degrees that are near in any case, and a return.
LEFT_SHARE, NEAR_SHARE, NEAR_DEG, ARRIVED_DEG = 0.5, 0.15, 1.0, 2.0
# s after which somebody who is not still has begun from where they were.
SETTLES_S = 1.5
# deg/s by which the pose to start from follows the body: above what a filter drifts, below any movement; and between
# repetitions, whose rests are short.
DRIFT_DEGPS, RESTS_DEGPS, TINY_DEG = 0.5, 4.0, 0.01
# Shares of how far it went: arrived; back far enough that turning round, or resting there, is a return too.
ARRIVED_SHARE, BACK_SHARE = 0.3, 0.45
# s: resting short of the pose to start from is a return; still elsewhere is another pose to start from.
RESTED_S, MOVED_S = 0.5, 4.0
# Holds go no further than so many times the smallest ROM: beyond somebody gets into position, and is still for that s.
MOST_TIMES, POSITION_S = 5.0, 1.0
# Away for less than this share of the shortest cycle is a jerk.
AWAY_SHARE = 0.5
# A hold ends that far from its pose: the smaller of an angle and a share of how far it went, at least SWAY_DEG.
HELD_DEG, HELD_SHARE, SWAY_DEG = 10.0, 0.25, 4.0
# A hold at less than this share of a later one's excursion was a stop on the way.
FARTHER_SHARE = 0.6
# s of signal that may be missing without another pose to start from, and without another heading (orientation.py).
GAP_S, BRIDGE_S = 5.0, 0.2
# Of an exercise without a guide of its own: ROM that most people pass, one cycle of calm to slow movement.
OTHER = Guide(10.0, (1.2, 14.0))


class Phase(StrEnum):
    """SETTLING: waits until somebody is still in the pose to start from. READY: in it. AWAY, HOLDING: in the work."""

    SETTLING = "settling"
    READY = "ready"
    AWAY = "away"
    HOLDING = "holding"


@dataclass(frozen=True, slots=True)
class FollowParams:
    """min_rom_deg: a smaller excursion is none; min_cycle_s, max_cycle_s: of one repetition.

    hold_s: asked for, 0 when counted. most_deg: further is getting into position; infinite where that cannot be told.
    """

    min_rom_deg: float
    min_cycle_s: float
    max_cycle_s: float = math.inf
    hold_s: float = 0.0
    most_deg: float = math.inf


@dataclass(frozen=True, slots=True)
class Done:
    """One repetition or hold. Times in s from the set's first sample; held_s: kept still in the far pose."""

    start_s: float
    end_s: float
    rom_deg: float
    held_s: float

    @property
    def duration_s(self) -> float:
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True)
class FollowState:
    """What is kept between two looks.

    looks: taken so far; at_s: time of the newest. missing_s: missing at the end. turn: about the vertical, what new
    beginnings of the filter have turned. recent: the newest looks, oldest first. still_s: so far. rest: the pose to
    start from; base: as it was when somebody was still in it first, in the filter's own frame. near_s: when it was near
    last; left_s: when this one began. peak_deg, valley_deg: farthest, and least far since. held_pose, held_deg,
    held_from_s, held_until_s: of the newest hold; held_s: of those of this repetition that ended. done: what counts;
    short: holds that were too short to count.
    """

    params: FollowParams
    looks: int = 0
    at_s: float = 0.0
    missing_s: float = 0.0
    turn: Quat = (1.0, 0.0, 0.0, 0.0)
    recent: tuple[Quat, ...] = ()
    still_s: float = 0.0
    phase: Phase = Phase.SETTLING
    rest: Quat | None = None
    base: Quat | None = None
    away_deg: float = 0.0
    near_s: float = 0.0
    left_s: float = 0.0
    peak_deg: float = 0.0
    valley_deg: float = 0.0
    held_pose: Quat | None = None
    held_deg: float = 0.0
    held_from_s: float = 0.0
    held_until_s: float = 0.0
    held_s: float = 0.0
    done: tuple[Done, ...] = ()
    short: int = 0

    @property
    def holding_s(self) -> float:
        """Return how long the pose of this repetition was held so far."""
        return self.held_s + (self.held_until_s - self.held_from_s if self.held_pose is not None else 0.0)

    @property
    def seen_deg(self) -> float | None:
        """Return how far the body is from the pose to start from, None while that is not known."""
        return self.away_deg if self.rest is not None and not self.missing_s else None


def guide_of(exercise: str) -> Guide:
    """Return what to expect of an exercise of the library."""
    return GUIDES.get(exercise, OTHER)


def follow_params(exercise: str, hold_s: float | None) -> FollowParams:
    """Return what to look for in a set of an exercise. hold_s: of the dose, None where it is counted."""
    guide = guide_of(exercise)
    if hold_s is None:
        return FollowParams(guide.min_rom_deg, *guide.cycle_s)
    most_deg = MOST_TIMES * guide.min_rom_deg if exercise in GUIDES else math.inf
    return FollowParams(HOLD_ROM_SHARE * guide.min_rom_deg, guide.cycle_s[0], hold_s=hold_s, most_deg=most_deg)


def follow(state: FollowState, quats: Sequence[Quat | None], step_s: float) -> FollowState:
    """Take the next looks, step_s apart: orientations from sensor to a frame with z up, None where one is missing."""
    for quat in quats:
        state = replace(state, looks=state.looks + 1, at_s=state.looks * step_s)
        state = replace(state, missing_s=state.missing_s + step_s) if quat is None else _look(state, quat, step_s)
    return state


def _look(state: FollowState, raw: Quat, step_s: float) -> FollowState:
    if state.missing_s:
        state = _after_gap(state, raw)
    quat = _times(state.turn, raw)
    recent = (*state.recent, quat)[-(round(RATE_S / step_s) + 1) :]
    rate_degps = _apart_deg(recent[0], quat) / max((len(recent) - 1) * step_s, step_s)
    still_s = state.still_s + step_s if rate_degps < QUIET_DEGPS and len(recent) > 1 else 0.0
    away_deg = 0.0 if state.rest is None else _apart_deg(state.rest, quat)
    state = replace(state, recent=recent, still_s=still_s, away_deg=away_deg)
    if state.phase is Phase.SETTLING:
        return _settling(state, quat)
    if state.phase is Phase.READY:
        return _ready(state, quat, rate_degps)
    return _away(state, quat, rate_degps, step_s)


def _after_gap(state: FollowState, raw: Quat) -> FollowState:
    """Go on after missing samples. The filter began anew if there were many: its heading is taken as the one before."""
    missing_s = state.missing_s
    state = replace(state, missing_s=0.0)
    if missing_s > GAP_S or not state.recent:
        return replace(state, phase=Phase.SETTLING, rest=None, recent=(), still_s=0.0, held_pose=None, held_s=0.0)
    if missing_s <= BRIDGE_S:
        return state
    w, _, _, z = _times(state.recent[-1], _back(raw))
    length = math.hypot(w, z)
    turn = (w / length, 0.0, 0.0, z / length) if length > 0.0 else (1.0, 0.0, 0.0, 0.0)
    return replace(state, turn=turn, recent=(), still_s=0.0)


def _settling(state: FollowState, quat: Quat) -> FollowState:
    """Start from the pose somebody is still in; who never is, started from where they were first."""
    if state.still_s >= QUIET_S:
        return _starting_from(state, quat)
    if state.rest is None:
        return replace(state, rest=quat, near_s=state.at_s, away_deg=0.0)
    if state.at_s - state.near_s < SETTLES_S:
        return state
    return replace(state, phase=Phase.AWAY, left_s=state.near_s, peak_deg=state.away_deg, valley_deg=state.away_deg)


def _starting_from(state: FollowState, quat: Quat) -> FollowState:
    base = _times(_back(state.turn), quat)
    return replace(
        state,
        phase=Phase.READY,
        rest=quat,
        base=base,
        near_s=state.at_s,
        away_deg=0.0,
        valley_deg=0.0,
        held_pose=None,
        held_s=0.0,
    )


def _ready(state: FollowState, quat: Quat, rate_degps: float) -> FollowState:
    least_deg = state.params.min_rom_deg
    # From where somebody has come to: the last of a way back, or resting a little short, is no new beginning.
    state = replace(state, valley_deg=min(state.valley_deg, state.away_deg))
    risen_deg = state.away_deg - state.valley_deg
    if risen_deg < max(NEAR_SHARE * least_deg, NEAR_DEG):
        state = replace(state, near_s=state.at_s)
    if risen_deg >= LEFT_SHARE * least_deg:
        return _left(state, state.near_s)
    # Between repetitions somebody rests for a moment only; a hold is come into slowly, which is no drift.
    follows = state.still_s >= QUIET_S if state.params.hold_s else rate_degps < QUIET_DEGPS
    return replace(state, rest=_followed(state, quat)) if follows else state


def _left(state: FollowState, left_s: float) -> FollowState:
    far_deg = state.away_deg
    away = replace(state, phase=Phase.AWAY, left_s=left_s, peak_deg=far_deg, valley_deg=far_deg)
    return replace(away, held_pose=None, held_deg=0.0, held_s=0.0)


def _followed(state: FollowState, quat: Quat) -> Quat | None:
    """Return the pose to start from, moved a little towards where the body is: both drift, body and heading."""
    rest = state.rest
    if rest is None or state.away_deg < TINY_DEG:
        return rest
    degps = DRIFT_DEGPS if state.params.hold_s else RESTS_DEGPS
    share = min(degps * (state.at_s / max(state.looks, 1)) / state.away_deg, 1.0)
    same = 1.0 if sum(a * b for a, b in zip(rest, quat, strict=True)) >= 0.0 else -1.0
    w, x, y, z = ((1.0 - share) * a + share * same * b for a, b in zip(rest, quat, strict=True))
    length = math.sqrt(w * w + x * x + y * y + z * z)
    return w / length, x / length, y / length, z / length


def _away(state: FollowState, quat: Quat, rate_degps: float, step_s: float) -> FollowState:
    params, away_deg = state.params, state.away_deg
    if _elsewhere(state):
        return _starting_from(replace(state, peak_deg=0.0), quat)
    if away_deg > state.peak_deg:
        state = replace(state, peak_deg=away_deg, valley_deg=away_deg)
    elif away_deg < state.valley_deg:
        state = replace(state, valley_deg=away_deg)
    state = _held(state, quat, rate_degps)
    if state.peak_deg < params.min_rom_deg and state.still_s >= RESTED_S:
        return _starting_from(state, quat)
    if away_deg < max(ARRIVED_SHARE * state.peak_deg, ARRIVED_DEG):
        return _returned(state, None)
    if state.valley_deg < BACK_SHARE * state.peak_deg:
        if rate_degps < QUIET_DEGPS and away_deg < BACK_SHARE * state.peak_deg:
            return _returned(state, quat)
        if away_deg - state.valley_deg > LEFT_SHARE * params.min_rom_deg:
            return _left(_returned(state, None), state.at_s)
    return state


def _elsewhere(state: FollowState) -> bool:
    """Tell whether somebody has got into another position: still beyond any hold, or too long for a repetition."""
    if state.away_deg > state.params.most_deg:
        return state.still_s >= POSITION_S
    if state.at_s - state.left_s > state.params.max_cycle_s:
        return True
    return not state.params.hold_s and state.still_s >= MOVED_S


def _held(state: FollowState, quat: Quat, rate_degps: float) -> FollowState:
    if state.held_pose is None:
        if state.still_s < QUIET_S or state.away_deg < state.params.min_rom_deg:
            return state
        if state.held_deg < FARTHER_SHARE * state.away_deg:
            state = replace(state, held_s=0.0)  # what was held before was on the way
        from_s = max(state.at_s - state.still_s, state.left_s)
        held = replace(state, phase=Phase.HOLDING, held_pose=quat, held_deg=state.away_deg)
        return replace(held, held_from_s=from_s, held_until_s=state.at_s)
    limit_deg = max(min(HELD_DEG, HELD_SHARE * state.peak_deg), SWAY_DEG)
    if rate_degps > MOVING_DEGPS or _apart_deg(state.held_pose, quat) > limit_deg:
        held_s = state.held_s + state.held_until_s - state.held_from_s
        return replace(state, phase=Phase.AWAY, held_pose=None, held_s=held_s, still_s=0.0)
    if state.still_s > 0.0:
        state = replace(state, held_until_s=state.at_s)
    return replace(state, held_pose=quat) if state.still_s >= QUIET_S else state


def _returned(state: FollowState, rest: Quat | None) -> FollowState:
    """Count what ends here, if it counts. rest: another pose to start from, None for the same."""
    params = state.params
    one = Done(state.left_s, state.at_s, state.peak_deg, state.holding_s)
    ready = replace(state, phase=Phase.READY, near_s=state.at_s, valley_deg=state.away_deg, held_pose=None, held_s=0.0)
    if rest is not None:
        ready = replace(ready, rest=rest, away_deg=0.0, valley_deg=0.0)
    if one.rom_deg < params.min_rom_deg or one.duration_s < AWAY_SHARE * params.min_cycle_s:
        return ready
    if one.held_s < HOLD_SHARE * params.hold_s:
        return replace(ready, short=ready.short + 1)
    return replace(ready, done=(*ready.done, one))


def _times(a: Quat, b: Quat) -> Quat:
    return (
        a[0] * b[0] - a[1] * b[1] - a[2] * b[2] - a[3] * b[3],
        a[0] * b[1] + a[1] * b[0] + a[2] * b[3] - a[3] * b[2],
        a[0] * b[2] - a[1] * b[3] + a[2] * b[0] + a[3] * b[1],
        a[0] * b[3] + a[1] * b[2] - a[2] * b[1] + a[3] * b[0],
    )


def _back(quat: Quat) -> Quat:
    return quat[0], -quat[1], -quat[2], -quat[3]


def _apart_deg(a: Quat, b: Quat) -> float:
    dot = abs(a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3])
    return math.degrees(2.0 * math.acos(min(dot, 1.0)))
