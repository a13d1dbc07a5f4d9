"""Is the sensor worn as it should be? Second by second, for the trunk and the pelvis; it never looks ahead.

LOOSE: it moves as no trunk does. A trunk bends by tens of degrees slowly and sways by a few degrees with each step; a
sensor on a slack strap, or worn on an arm or a leg, swings by far more at the pace of steps; what has fallen off lies
more still than anybody and turned away. DISPLACED: in walking, or upside down, "up" is far from where it was in the
calibrated pose or when the person first walked; or the person bends to the side of the calibrated front. Source: own
heuristics, docs/integrity.md; measured on the recordings.

How a second counts is settled by the seconds before it, so that nothing waits for it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from coach.analysis.direction import DirectionState, find_forward
from coach.analysis.exposure import DISPLACED, LOOSE, WORN, ByteArray
from coach.analysis.frames import BodyAxes, Vector, body_axes, dot, in_body, inclination_deg, tilt_deg, unit
from coach.analysis.quality import BoolArray
from coach.analysis.walking import STEPS_IN_ALL, STEPS_PER_S, WALK_S, steps_begun
from coach.analysis.wobble import (
    CHANGES,
    COLUMNS,
    LOOKS,
    MIN_LOOKS_HZ,
    PER_UNIT,
    SQUARES,
    STEPS,
    TURN,
    TWIST_CHANGES,
    TWISTS,
    WOBBLES,
    X,
    Y,
    Z,
    look_every,
    looked,
    told,
)
from devices.types import FloatArray, IntArray

# Own choice: a second or a window with less of its looks than this is not judged.
SEEN_SHARE = 0.5
# Own choice: bends are slower; of every third look their direction is taken.
GLANCE_EVERY = 3
# A sum of directions, of any length.
Sums = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class WearingParams:
    """wobble_deg: amplitude, over window_s, of what is left of "up" after its mean over a second, that no trunk reaches
    at a pace of wobble_hz or faster; wobble_deg_hz: amplitude times pace; swing_deg: amplitude at any pace. twist_hz,
    twist_deg_hz: the same of the heading. spin_deg: turn about the vertical in window_s. settle_s: of sound wear before
    it is believed again, twice as long each time that it swings anew, up to settle_max_s, after which that is
    forgotten. still_s, still_deg, turned_deg: it lies that long within that cone, that far from the mean pose.
    astray_deg: of the pose in walking, in `walks` stretches of ten seconds in a row; aside_deg: between the calibrated
    front and the one in the bends, `asides` times in a row (direction.py); over_deg, over_s: from upright, that long.
    All own heuristics.
    """

    window_s: int = 5
    wobble_deg: float = 10.0
    wobble_deg_hz: float = 16.0
    wobble_hz: float = 0.85
    swing_deg: float = 18.0
    twist_hz: float = 1.5
    twist_deg_hz: float = 20.0
    spin_deg: float = 400.0
    settle_s: int = 60
    settle_max_s: int = 1800
    still_s: int = 60
    still_deg: float = 0.2
    turned_deg: float = 40.0
    astray_deg: float = 30.0
    walks: int = 2
    aside_deg: tuple[float, float] = (60.0, 120.0)
    asides: int = 2
    over_deg: float = 140.0
    over_s: int = 5


DEFAULT_PARAMS = WearingParams()


def _no(columns: int) -> Callable[[], IntArray]:
    return lambda: np.zeros((0, columns), dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Pose:
    """What the seconds have told of how it sits. Directions are sums of looks, in sensor axes.

    still, lain: direction since when it lies still, and for how many seconds. worn: sum of the seconds that moved.
    run, run_up: steps of the present seconds of walking, and their sum. walked: direction of the first walk; astray:
    walks in a row that were far from where up should be; aside: fronts in a row. over: seconds in a row upside down.
    """

    still: Sums = (0, 0, 0)
    lain: int = 0
    worn: Sums = (0, 0, 0)
    run: tuple[int, ...] = ()
    run_up: Sums = (0, 0, 0)
    walked: Vector | None = None
    astray: int = 0
    over: int = 0
    aside: int = 0


@dataclass(frozen=True, slots=True)
class WearingState:
    """phase_s, second: seconds are counted as in exposure.ExposureState; `second` is under way.

    looks: (k, 5) the newest, as in wobble.looked. sums: of the second under way. window: (w, LOOKS) sums of the
    newest complete seconds. high: the newest swing of |acc| was up. direction: of the bends; fronts_deg:
    those found in the second under way. swung: times that it began to swing. loose_until,
    displaced_until: the second from which on it is believed again. spans: (s, 3) first second, end and code of what was
    not worn well. loose_s, displaced_s: seconds with samples in all; apart_deg: the furthest that a walk was from where
    it should be.
    """

    phase_s: float = 0.0
    second: int = 0
    looks: IntArray = field(default_factory=_no(5))
    sums: tuple[int, ...] = (0,) * COLUMNS
    window: IntArray = field(default_factory=_no(LOOKS))
    high: bool = False
    pose: Pose = field(default_factory=Pose)
    direction: DirectionState = field(default_factory=DirectionState)
    fronts_deg: tuple[float, ...] = ()
    swung: int = 0
    loose_until: int = 0
    displaced_until: int = 0
    spans: IntArray = field(default_factory=_no(3))
    loose_s: int = 0
    displaced_s: int = 0
    apart_deg: float = 0.0


def begin_wearing(start_utc_s: float) -> WearingState:
    """Begin with the first sample of a stream."""
    return WearingState(phase_s=start_utc_s % 60.0)


def add_wearing(
    state: WearingState,
    rate_hz: float,
    start: int,
    acc_mps2: FloatArray,
    gyr_radps: FloatArray,
    up: FloatArray,
    upright: Vector | None,
    forward: Vector | None = None,
    params: WearingParams = DEFAULT_PARAMS,
) -> WearingState:
    """Take the next samples.

    start: number of the first. acc_mps2, gyr_radps: (n, 3), NaN where missing. up: (3, n) the direction "up" in sensor
    axes, NaN where missing. upright: where "up" was in the calibrated pose, None without one; forward: the body's
    front then, None without a bow.
    """
    every = look_every(rate_hz)
    width, n = round(rate_hz / every), len(acc_mps2)
    if width < MIN_LOOKS_HZ or not n:
        return state
    count = _second(state, rate_hz, start + n) - state.second + 1
    sums = np.zeros((count, COLUMNS), dtype=np.int64)
    sums[0] = state.sums
    rows = slice(-start % every, n, every)
    at = np.arange(start + rows.start, start + n, every)
    places = np.floor(state.phase_s + at / rate_hz).astype(np.int64) - state.second
    looks = looked(state.looks, up[:, rows], gyr_radps[rows], rate_hz / every, width)
    np.add.at(sums, places, told(looks, width, up[:, rows]))
    begun, high = steps_begun(state.high, acc_mps2)
    steps_at = np.floor(state.phase_s + (start + begun) / rate_hz).astype(np.int64) - state.second
    np.add.at(sums[:, STEPS], steps_at, 1)
    judge = _Judge(params, state, rate_hz / every, width, upright)
    direction, fronts = state.direction, list[tuple[int, float]]()
    if upright is not None and forward is not None:
        direction, fronts = _fronts(state, rate_hz, at, up[:, rows], body_axes(upright, forward))
    for row in sums[:-1].tolist():
        while fronts and fronts[0][0] <= judge.number:
            judge.front(fronts.pop(0)[1])
        judge.second(row)
    last, waiting = tuple(sums[-1].tolist()), tuple(apart_deg for _, apart_deg in fronts)
    return replace(judge.state(), looks=looks[-width:], sums=last, high=high, direction=direction, fronts_deg=waiting)


def codes_of(state: WearingState, first: int, count: int) -> ByteArray | None:
    """Return how each of `count` seconds from `first` on counts (WORN, LOOSE, DISPLACED), None for all WORN."""
    if not len(state.spans):
        return None
    codes = np.full(count, WORN, dtype=np.uint8)
    for begin, end, code in state.spans.tolist():
        codes[max(begin - first, 0) : max(end - first, 0)] = code
    return codes if codes.any() else None


def worn_at(state: WearingState, times_s: FloatArray) -> BoolArray | None:
    """Return at which times the sensor was worn well, None for all. times_s: (n,) from the first sample, ascending."""
    if not len(state.spans) or not times_s.size:
        return None
    seconds = np.floor(state.phase_s + times_s).astype(np.int64)
    codes = codes_of(state, int(seconds[0]), int(seconds[-1] - seconds[0]) + 1)
    return None if codes is None else codes[seconds - seconds[0]] == WORN


def forget_before(state: WearingState, first: int) -> WearingState:
    """Drop what is known of the seconds before `first`; the totals stay."""
    if not len(state.spans) or state.spans[0, 1] > first:
        return state
    return replace(state, spans=state.spans[state.spans[:, 1] > first])


def _second(state: WearingState, rate_hz: float, sample: int) -> int:
    return math.floor(state.phase_s + sample / rate_hz)


def _fronts(
    state: WearingState, rate_hz: float, at: IntArray, up: FloatArray, axes: BodyAxes
) -> tuple[DirectionState, list[tuple[int, float]]]:
    """Return the fronts that the bends show: in which second, and how far from the calibrated one, in deg."""
    glances = slice(-(int(at[0]) // look_every(rate_hz)) % GLANCE_EVERY if at.size else 0, None, GLANCE_EVERY)
    at, in_axes = at[glances], in_body(up[:, glances], axes)
    tilt = tilt_deg(in_axes, inclination_deg(in_axes))
    glance_s = GLANCE_EVERY * look_every(rate_hz) / rate_hz
    direction, first = state.direction, 0
    fronts = [(state.second, apart_deg) for apart_deg in state.fronts_deg]
    while first < at.size:
        direction, place, front = find_forward(direction, glance_s, axes, tilt[:, first:])
        if front is None:
            break
        first += place
        apart_deg = math.degrees(math.acos(max(min(dot(front, axes.pa), 1.0), -1.0)))
        fronts.append((_second(state, rate_hz, int(at[first])), apart_deg))
        first += 1
    return direction, fronts


class _Judge:
    """A state on its way over complete seconds; plain attributes, for this is done once a second."""

    def __init__(
        self, params: WearingParams, state: WearingState, looks_hz: float, width: int, upright: Vector | None
    ) -> None:
        self.params, self.before, self.looks_hz, self.width, self.upright = params, state, looks_hz, width, upright
        self.number, self.window = state.second, state.window.tolist()
        self.loose_until, self.displaced_until, self.swung = state.loose_until, state.displaced_until, state.swung
        self.apart_deg, self.seconds = state.apart_deg, [0, state.loose_s, state.displaced_s]
        self.spans: list[list[int]] = state.spans.tolist()
        pose = state.pose
        self.still, self.lain, self.worn, self.over = pose.still, pose.lain, pose.worn, pose.over
        self.run, self.run_up, self.walked, self.astray = pose.run, pose.run_up, pose.walked, pose.astray
        self.aside = pose.aside

    def state(self) -> WearingState:
        return replace(
            self.before,
            second=self.number,
            window=np.array(self.window, dtype=np.int64).reshape(-1, LOOKS),
            pose=self._pose(),
            swung=self.swung,
            loose_until=self.loose_until,
            displaced_until=self.displaced_until,
            spans=np.array(self.spans, dtype=np.int64).reshape(-1, 3),
            loose_s=self.seconds[LOOSE],
            displaced_s=self.seconds[DISPLACED],
            apart_deg=self.apart_deg,
        )

    def _pose(self) -> Pose:
        walk = (self.run, self.run_up, self.walked, self.astray)
        return Pose(self.still, self.lain, self.worn, *walk, self.over, self.aside)

    def second(self, sums: list[int]) -> None:
        """Take the sums of the second that is complete; settle how the one after it counts."""
        self.window = [*self.window[-(self.params.window_s - 1) :], sums[:LOOKS]]
        following = self.number + 1
        if sums[LOOKS] and self.spans and self.spans[-1][1] == following:
            self.seconds[self.spans[-1][2]] += 1
        if self._swings():
            self._come_loose(following)
        if sums[LOOKS] >= SEEN_SHARE * self.width:
            self._look_at((sums[X], sums[Y], sums[Z]), following)
        self._walk(sums, following)
        self.number = following
        code = DISPLACED if following < self.displaced_until else LOOSE if following < self.loose_until else WORN
        if code == WORN:
            return
        if self.spans and self.spans[-1][1:] == [following, code]:
            self.spans[-1][1] += 1
        else:
            self.spans.append([following, following + 1, code])

    def front(self, apart_deg: float) -> None:
        """Take a front that the bends have shown. Forward and backward fit: sit-ups begin on the back."""
        low, high = self.params.aside_deg
        self.aside = self.aside + 1 if low < apart_deg < high else 0
        if self.aside >= self.params.asides:
            self.displaced_until = _EVER

    def _come_loose(self, following: int) -> None:
        """Believe it no more for a while: for longer each time, for a strap that is slack once stays slack."""
        if following > self.loose_until:
            quiet_s = following - self.loose_until
            self.swung = 1 if quiet_s > self.params.settle_max_s else self.swung + 1
        doubled = self.params.settle_s * 2 ** min(self.swung - 1, 16)
        self.loose_until = max(self.loose_until, following + min(doubled, self.params.settle_max_s))

    def _swings(self) -> bool:
        """Tell whether "up" or the heading swung, or the sensor turned, as no trunk does."""
        params = self.params
        sums = [sum(column) for column in zip(*self.window, strict=True)]
        if math.degrees(abs(sums[TURN])) / PER_UNIT >= params.spin_deg:
            return True
        if sums[WOBBLES] < SEEN_SHARE * self.width * params.window_s:
            return False
        swing_deg, pace_hz = self._swing(sums[WOBBLES], sums[SQUARES], sums[CHANGES])
        limit_deg = params.wobble_deg if pace_hz >= params.wobble_hz else params.swing_deg
        if swing_deg >= limit_deg or swing_deg * pace_hz >= params.wobble_deg_hz:
            return True
        swing_deg, pace_hz = self._swing(sums[WOBBLES], sums[TWISTS], sums[TWIST_CHANGES])
        return pace_hz >= params.twist_hz and swing_deg * pace_hz >= params.twist_deg_hz

    def _swing(self, looks: int, squares: int, changes: int) -> tuple[float, float]:
        """Return amplitude in deg and pace in Hz of what swings."""
        if not squares:
            return 0.0, 0.0
        amplitude_deg = math.degrees(math.sqrt(2.0 * squares / looks) / PER_UNIT)
        return amplitude_deg, math.sqrt(changes / squares) * self.looks_hz / (2.0 * math.pi)

    def _look_at(self, up: Sums, following: int) -> None:
        """Follow where "up" is: still and turned away, or upside down."""
        params = self.params
        if self.lain > 0 and _apart_deg(up, self.still) <= params.still_deg:
            self.lain += 1
        else:
            self.still, self.lain = up, 1
            if following > self.loose_until and following > self.displaced_until:
                self.worn = _sum(self.worn, up)
        if self.lain >= params.still_s and _apart_deg(self.still, self.worn) > params.turned_deg:
            self.loose_until = max(self.loose_until, following + 1)
        expected = self.upright or self.walked
        over = expected is not None and _apart_deg(up, expected) > params.over_deg
        self.over = self.over + 1 if over else 0
        if self.over >= params.over_s:
            self.displaced_until = max(self.displaced_until, following + params.settle_s)

    def _walk(self, sums: list[int], following: int) -> None:
        """Follow the steps; at the end of each ten seconds of them, ask whether "up" is where it should be."""
        if not STEPS_PER_S[0] <= sums[STEPS] <= STEPS_PER_S[1]:
            self.run, self.run_up = (), (0, 0, 0)
            return
        self.run = (*self.run, sums[STEPS])
        self.run_up = _sum(self.run_up, (sums[X], sums[Y], sums[Z]))
        if len(self.run) < WALK_S:
            return
        run, up = self.run, self.run_up
        self.run, self.run_up = (), (0, 0, 0)
        if STEPS_IN_ALL[0] <= sum(run) <= STEPS_IN_ALL[1] and any(up) and following > self.loose_until:
            self._walked(up, following)

    def _walked(self, up: Sums, following: int) -> None:
        expected = self.upright or self.walked
        if expected is None:
            x, y, z = (float(value) for value in up)
            self.walked = unit((x, y, z))
            return
        apart_deg = _apart_deg(up, expected)
        self.apart_deg = max(self.apart_deg, apart_deg)
        self.astray = self.astray + 1 if apart_deg > self.params.astray_deg else 0
        if self.astray >= self.params.walks:
            self.displaced_until = _EVER
        elif not self.astray and self.aside < self.params.asides and self.displaced_until >= _EVER:
            self.displaced_until = following


# Later than any second of a recording: until it is seen to sit right again.
_EVER = 2**62


def _sum(one: Sums, other: Sums) -> Sums:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2]


def _apart_deg(one: Sums, other: Sums | Vector) -> float:
    """Return the angle between two directions of any length; 0 where one of them is none."""
    (a, b, c), (x, y, z) = one, other
    length2 = (a * a + b * b + c * c) * (x * x + y * y + z * z)
    if not length2:
        return 0.0
    return math.degrees(math.acos(max(min((a * x + b * y + c * z) / math.sqrt(length2), 1.0), -1.0)))
