"""Exercise in a stream: sets, repetitions and holds, told from the signal alone; and walking, which is none.

The orientation is kept at about 25 Hz, for as long as something moves and at most FULL_S. It is looked at when STILL_S
were still, when a gap parts it, or when it is full; so everything is settled at most FULL_S after it happened, and at
once by `finish_activity`, which may be asked at any time for what counts provisionally, without any delay. All of it
happens on whole seconds of the stream's own grid: where the stream is cut does not matter.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from coach.analysis.bounce import find_walks, is_walking
from coach.analysis.chains import Chain
from coach.analysis.ends import Turns, settle_ends
from coach.analysis.holds import Target, detect_holds
from coach.analysis.measured import measure_repetitions
from coach.analysis.motion_types import ActivityKind, Hold, Motion, MotionParams, Repetition, Segment, Stretch
from coach.analysis.quality import runs
from coach.analysis.sets import find_sets
from coach.analysis.tilt import tilt_delay_s
from coach.analysis.turning import CHORD_DEG
from devices.types import FloatArray

SmallArray = NDArray[np.int16]

# Own heuristics. Movement of the body has nothing to say above 10 Hz.
TARGET_HZ = 25.0
# A second that turns less than this is still; that many still seconds end what is looked at as one.
STILL_DEG, STILL_S = 4.0, 15
# The longest time that is looked at as one, what is kept of it when nothing or something goes on at its end, and what
# is kept before a first movement.
FULL_S, IDLE_S, CONTEXT_S, BEFORE_S = 150, 45, 30, 3
# A set that began that long before the end is told in parts; what ended that long before the end is over.
LONG_S, OVER_S = 60, 15
# Samples missing one after another that are bridged; the orientation goes on over a fifth of a second.
BRIDGE = 4
# A unit quaternion and an acceleration as small integers: 0.004 deg and 0.01 m/s^2.
UNIT, PER_MPS2 = 32767.0, 100.0
# Standard gravity.
G_MPS2 = 9.80665


@dataclass(frozen=True, slots=True)
class OpenSet:
    """A set that is told in parts. rest: (4,) the pose that its repetitions start from."""

    number: int
    start_s: float
    end_s: float
    count: int
    rest: FloatArray


@dataclass(frozen=True, slots=True)
class ActivityState:
    """begin: number, on the thinned grid, of the first sample kept; quat, lift: (n, 4) and (n,) of those.

    phase: samples of the stream since the last one that was kept. missing: samples missing at the end. active:
    something moved; still: still seconds since. told, walked: samples up to which repetitions and walks are settled.
    sets: number of sets so far.
    """

    begin: int = 0
    quat: SmallArray = field(default_factory=lambda: np.empty((0, 4), dtype=np.int16))
    lift: SmallArray = field(default_factory=lambda: np.empty(0, dtype=np.int16))
    phase: int = 0
    missing: int = 0
    active: bool = False
    still: int = 0
    told: int = 0
    walked: int = 0
    sets: int = 0
    open: OpenSet | None = None
    targets: tuple[Target, ...] = ()

    @property
    def end(self) -> int:
        return self.begin + len(self.quat)


def thinning(rate_hz: float) -> int:
    """Return how many samples of the stream make one that is kept."""
    return max(round(rate_hz / TARGET_HZ), 1)


def settled_until(state: ActivityState, rate_hz: float) -> int:
    """Return the sample of the stream before which nothing will be told any more."""
    parted = not state.active and state.missing > BRIDGE
    kept = (state.end + state.missing if parted else state.begin) * thinning(rate_hz)
    return max(kept - round(tilt_delay_s(rate_hz) * rate_hz) - 1, 0)


def detect_activity(
    params: MotionParams,
    state: ActivityState,
    rate_hz: float,
    acc_mps2: FloatArray,
    quat: FloatArray,
    up: FloatArray,
    gyroscope_from: int = 0,
    rest: FloatArray | None = None,
) -> tuple[ActivityState, Motion]:
    """Take the next samples of the stream.

    acc_mps2: (n, 3); quat: (n, 4) sensor to a frame with z up, NaN where missing; up: (3, n) its third row.
    gyroscope_from: sample from which on the orientation is not late, -1 if there is none yet. rest: (4,) the pose that
    repetitions start from, where it is known. Returns the state and what was settled.
    """
    found = _Found(params, rate_hz, gyroscope_from, rest)
    every = thinning(rate_hz)
    rows = slice(every - 1 - state.phase, None, every)
    kept, push = quat[rows], acc_mps2[rows]
    phase = (state.phase + len(quat)) % every
    if phase != state.phase:
        state = replace(state, phase=phase)
    count = len(kept)
    there = np.isfinite(kept[:, 0])
    whole = bool(there.all())
    lift = push[:, 0] * up[0, rows] + push[:, 1] * up[1, rows] + push[:, 2] * up[2, rows] - G_MPS2
    if not whole:
        kept, lift = np.where(there[:, None], kept, 0.0), np.where(there, lift, 0.0)
    scaled = kept * UNIT
    small = np.rint(scaled, out=scaled).astype(np.int16)
    light = np.rint(lift * PER_MPS2).clip(-UNIT, UNIT).astype(np.int16)
    place = 0
    for first, end in [(0, count)] if whole and count else runs(there):
        state = _missed(state, first - place, found)
        state = _append(state, small[first:end], light[first:end], found)
        place = end
    return _missed(state, count - place, found), found.motion()


def finish_activity(
    params: MotionParams,
    state: ActivityState,
    rate_hz: float,
    gyroscope_from: int = 0,
    rest: FloatArray | None = None,
) -> tuple[ActivityState, Motion]:
    """Settle everything up to the newest sample, as if the stream ended there; `state` itself may go on."""
    found = _Found(params, rate_hz, gyroscope_from, rest)
    return _parted(state, found), found.motion()


class _Found:
    """What one call settles."""

    def __init__(
        self, params: MotionParams, rate_hz: float, gyroscope_from: int, rest: FloatArray | None = None
    ) -> None:
        self.params, self.rest = params, rest
        self.every = thinning(rate_hz)
        self.rate_hz = rate_hz / self.every
        self.second = max(round(self.rate_hz), 1)
        self.gyroscope_from = gyroscope_from
        self.late_s = tilt_delay_s(rate_hz)
        self.segments: list[Segment] = []
        self.repetitions: list[Repetition] = []
        self.holds: list[Hold] = []

    def time_s(self, number: int) -> float:
        """Return the time of a kept sample."""
        sample = number * self.every + self.every - 1
        tilted = self.gyroscope_from < 0 or sample < self.gyroscope_from
        return sample / (self.rate_hz * self.every) - (self.late_s if tilted else 0.0)

    def motion(self) -> Motion:
        return Motion(tuple(self.segments), tuple(self.repetitions), tuple(self.holds))


def _missed(state: ActivityState, count: int, found: _Found) -> ActivityState:
    """Note missing samples; more than a few of them part what is looked at."""
    if not count:
        return state
    if state.missing <= BRIDGE < state.missing + count:
        state = _parted(state, found)
    return replace(state, missing=state.missing + count)


def _append(state: ActivityState, quat: SmallArray, lift: SmallArray, found: _Found) -> ActivityState:
    """Keep samples that follow each other, and look at every second that is complete."""
    if state.missing > BRIDGE or not len(state.quat):
        begin = state.end + state.missing
        state = replace(state, begin=begin, quat=state.quat[:0], lift=state.lift[:0], missing=0)
    elif state.missing:
        quat = np.concatenate((_between(state.quat[-1], quat[0], state.missing), quat))
        lift = np.concatenate((np.zeros(state.missing, dtype=np.int16), lift))
    first = max(-(-state.begin // found.second), state.end // found.second)  # those before it were looked at
    state = ActivityState(  # replace() takes as long as all of this
        state.begin,
        np.concatenate((state.quat, quat)),
        np.concatenate((state.lift, lift)),
        state.phase,
        0,
        state.active,
        state.still,
        state.told,
        state.walked,
        state.sets,
        state.open,
        state.targets,
    )
    seconds = state.end // found.second - first
    if seconds <= 0:
        return state
    start = first * found.second - state.begin
    part = state.quat[start : start + seconds * found.second]
    begins = np.arange(0, len(part), found.second)
    reach = np.subtract(np.maximum.reduceat(part, begins), np.minimum.reduceat(part, begins), dtype=np.float64)
    reach *= CHORD_DEG / UNIT
    moving = np.vecdot(reach, reach) > STILL_DEG**2
    return _looked(state, first + 1, moving.tolist(), found)


def _between(last: SmallArray, following: SmallArray, count: int) -> SmallArray:
    """Return so many orientations, (count, 4), on the shortest way from one, (4,), to the other.

    A pose that stood still meanwhile and jumped would cut into the stroke it lies in.
    """
    one, other = last / UNIT, following / UNIT
    if one @ other < 0:
        other = -other
    share = np.arange(1, count + 1)[:, None] / (count + 1)
    way = (1.0 - share) * one + share * other
    way /= np.sqrt(np.vecdot(way, way))[:, None]
    return np.rint(way * UNIT).astype(np.int16)


def _looked(state: ActivityState, first: int, moving: list[bool], found: _Found) -> ActivityState:
    """Take notice of complete seconds, the first of which is number `first` counted from 1."""
    active, still = state.active, state.still
    for number, moved in enumerate(moving, first):
        end = number * found.second
        if not active:
            if moved:
                state = _kept(state, end - (1 + BEFORE_S) * found.second)
                active, still = True, 0
            continue
        still = 0 if moved else still + 1
        if still >= STILL_S:
            state = _kept(_settle(state, end, True, found), end - BEFORE_S * found.second)
            active, still = False, 0
        elif end - state.begin >= FULL_S * found.second:
            state = _settle(state, end, False, found)
    begin = (first + len(moving) - 1 - BEFORE_S) * found.second
    drop = 0 if active else max(begin - state.begin, 0)
    if not drop and active == state.active and still == state.still:
        return state
    return replace(
        state,
        begin=state.begin + drop,
        quat=state.quat[drop:],
        lift=state.lift[drop:],
        active=active,
        still=still,
    )


def _kept(state: ActivityState, begin: int) -> ActivityState:
    drop = begin - state.begin
    if drop <= 0:
        return state
    return replace(state, begin=begin, quat=state.quat[drop:], lift=state.lift[drop:])


def _parted(state: ActivityState, found: _Found) -> ActivityState:
    """Settle what is kept because nothing follows it."""
    if state.active:
        state = _settle(state, state.end, True, found)
    end = state.end
    return replace(
        state,
        begin=end,
        quat=state.quat[:0],
        lift=state.lift[:0],
        active=False,
        still=0,
        told=end,
        walked=end,
    )


def _settle(state: ActivityState, end: int, final: bool, found: _Found) -> ActivityState:
    """Tell the sets up to sample `end`, all of them or those that are over, and keep what may go on."""
    stretch = _stretch(state, end, found)
    over = end if final else end - OVER_S * found.second
    keep = end - IDLE_S * found.second
    walks = find_walks(stretch)
    state = _walked(state, walks, over, found)
    for chain in find_sets(found.params, stretch, walks):
        first, last = (state.begin + at for at in chain.span)
        if last <= state.told:
            continue
        continues = state.open is not None and first < state.told
        turns = settle_ends(chain, state.open.rest if state.open is not None and continues else found.rest)
        if not continues:
            state = _closed(state, found)
        if last < over or final:
            state = _tell(state, chain, turns, max(last, state.begin + turns.at[-1]), found)
            state = _closed(state, found)
        elif first >= end - LONG_S * found.second:
            keep = first - BEFORE_S * found.second
        else:
            cut = _cut(turns, end - CONTEXT_S * found.second - state.begin)
            state = _tell(state, chain, turns, state.begin + cut, found)
            keep = min(keep, state.begin + cut - round(2 * chain.cycle_s * found.rate_hz))
    if final:
        return _closed(state, found)
    return _kept(state, max(keep, end - LONG_S * found.second - BEFORE_S * found.second))


def _stretch(state: ActivityState, end: int, found: _Found) -> Stretch:
    count = end - state.begin
    quat = state.quat[:count].astype(np.float64) / UNIT
    turned = np.vecdot(quat[1:], quat[:-1]) < 0
    if turned.any():
        quat[1:] *= np.where(np.cumsum(turned) % 2, -1.0, 1.0)[:, None]
    return Stretch(found.rate_hz, quat, state.lift[:count] / PER_MPS2)


def _cut(turns: Turns, limit: int) -> int:
    """Return the last return to the rest pose before `limit`."""
    ends = [end for _, _, end in turns.repetitions() if end is not None and end <= limit]
    return max(ends, default=0)


def _tell(state: ActivityState, chain: Chain, turns: Turns, until: int, found: _Found) -> ActivityState:
    """Emit what of a set has its far pose up to sample `until` and is not told yet."""
    offset_s = found.time_s(state.begin)
    if is_walking(chain):
        first, last = chain.span
        return _walked(state, [(first, last, round(2 * (last - first) / found.rate_hz / chain.cycle_s))], until, found)
    number = state.open.number if state.open is not None else state.sets + 1
    since_s, until_s = found.time_s(state.told), found.time_s(until)
    if turns.open_end and until - state.begin >= chain.span[1]:
        until_s = np.inf
    told = measure_repetitions(chain, turns, offset_s, number, since_s, until_s)
    if not told:
        return state
    targets, holds = detect_holds(found.params, state.targets, chain.course.stretch, offset_s, told)
    found.repetitions.extend(told)
    found.holds.extend(holds)
    before = state.open
    rest = chain.course.stretch.quat[turns.rest]
    now = OpenSet(
        number,
        before.start_s if before is not None else told[0].start_s,
        told[-1].end_s,
        len(told) + (before.count if before is not None else 0),
        rest,
    )
    return replace(state, told=max(state.told, until), sets=number, open=now, targets=targets)


def _closed(state: ActivityState, found: _Found) -> ActivityState:
    """Emit the segment of the set that was told so far."""
    if state.open is None:
        return state
    done = state.open
    minutes = max(done.end_s - done.start_s, 1.0) / 60.0
    found.segments.append(
        Segment(ActivityKind.EXERCISE, done.start_s, done.end_s, done.count, done.count / minutes, done.number)
    )
    return replace(state, open=None)


def _walked(state: ActivityState, walks: list[tuple[int, int, int]], until: int, found: _Found) -> ActivityState:
    """Emit what of each walk is not told yet, up to sample `until`. walks: first, end, steps in the stretch."""
    for start, stop, steps in walks:
        first, last = max(state.begin + start, state.walked), min(state.begin + stop, until)
        if last <= first:
            continue
        per_s = steps * found.rate_hz / (stop - start)
        start_s, end_s = found.time_s(first), found.time_s(last)
        done = round(per_s * (end_s - start_s))
        found.segments.append(Segment(ActivityKind.WALKING, start_s, end_s, done, 60.0 * per_s))
        state = replace(state, walked=last)
    return state
