"""Second by second: does the sensor move as no trunk does, or sit otherwise than before? Rules and limits: wearing.py.

Most seconds are plain: nothing swings, nobody walks, and "up" moves on. A run of those is passed over at once; every
other second is looked at by itself. Whatever the runs, the state is the same.
"""

from __future__ import annotations

import math

import numpy as np

from coach.analysis.direction import DirectionState
from coach.analysis.exposure import DISPLACED, LOOSE, WORN
from coach.analysis.frames import Vector, unit
from coach.analysis.quality import runs
from coach.analysis.walking import STEPS_IN_ALL, STEPS_PER_S, WALK_S
from coach.analysis.wearing_types import Pose, Sums, WearingParams, WearingState
from coach.analysis.wobble import (
    CHANGES,
    LOOKS,
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
)
from devices.types import IntArray

# Own choice: far more than rounding changes a cosine by, far less than an angle that matters.
_HAIR = 1e-9
# Own choice: of fewer seconds each is looked at, for asking which are plain costs as much.
_MANY = 12
# Own choice: a second or a window with less of its looks than this is not judged.
SEEN_SHARE = 0.5


class Judge:
    """A state on its way over complete seconds; plain attributes, for this is done once a second.

    looks_hz, width: looks a second. upright: where "up" was in the calibrated pose, None without one.
    """

    def __init__(
        self, params: WearingParams, state: WearingState, looks_hz: float, width: int, upright: Vector | None
    ) -> None:
        self.params, self.before, self.looks_hz, self.width, self.upright = params, state, looks_hz, width, upright
        self.number, self.window = state.second, state.window
        self.loose_until, self.displaced_until, self.swung = state.loose_until, state.displaced_until, state.swung
        self.apart_deg, self.not_worn = state.apart_deg, [0, state.loose_s, state.displaced_s]
        self.spans: list[list[int]] = state.spans.tolist()
        pose = state.pose
        self.still, self.lain, self.worn, self.over = pose.still, pose.lain, pose.worn, pose.over
        self.run, self.run_up, self.walked, self.astray = pose.run, pose.run_up, pose.walked, pose.astray
        self.aside = pose.aside

    def state(
        self, looks: IntArray, sums: tuple[int, ...], direction: DirectionState, fronts_deg: tuple[float, ...]
    ) -> WearingState:
        """Return the state after the seconds that were taken; the arguments as in it."""
        walk = (self.run, self.run_up, self.walked, self.astray)
        return WearingState(
            self.before.phase_s,
            self.number,
            looks,
            sums,
            self.window,
            Pose(self.still, self.lain, self.worn, *walk, self.over, self.aside),
            direction,
            fronts_deg,
            self.swung,
            self.loose_until,
            self.displaced_until,
            np.array(self.spans, dtype=np.int64) if self.spans else self.before.spans[:0],
            self.not_worn[LOOSE],
            self.not_worn[DISPLACED],
            self.apart_deg,
        )

    def seconds(self, sums: IntArray, fronts: list[tuple[int, float]]) -> None:
        """Take the sums of the seconds that are complete, (n, COLUMNS), and the fronts in them, which are used up.

        fronts: second, and how far from the calibrated front in deg, in order.
        """
        swinging = self._swinging(sums)
        expected = self.upright or self.walked
        asked = swinging | {second - self.number for second, _ in fronts}
        plain = self._plain(sums, expected, asked) if len(sums) >= _MANY else None
        place, rows = 0, sums.tolist()
        while place < len(rows):
            end = place if plain is None or plain[place] == place else self._plain_until(plain, place, rows)
            if end > place and expected is (self.upright or self.walked):
                self._pass(sums[place:end, X : Z + 1])
                place = end
                continue
            while fronts and fronts[0][0] <= self.number:
                self.front(fronts.pop(0)[1])
            self.second(rows[place], place in swinging)
            place += 1

    def _plain(self, sums: IntArray, expected: Vector | None, asked: set[int]) -> list[int]:
        """Return for each second the end of the run of plain ones that begins there; itself where it is not plain.

        Plain: seen, without the steps of walking, "up" on the side where it should be, and elsewhere than before; none
        of those that are asked for something else.
        """
        x, y, z = sums[:, X].astype(np.float64), sums[:, Y].astype(np.float64), sums[:, Z].astype(np.float64)
        steps = sums[:, STEPS]
        plain = (sums[:, LOOKS] >= SEEN_SHARE * self.width) & ((steps < STEPS_PER_S[0]) | (steps > STEPS_PER_S[1]))
        if expected is not None:
            plain &= x * expected[0] + y * expected[1] + z * expected[2] > 0.0
        squares = x * x + y * y + z * z
        along = x[1:] * x[:-1] + y[1:] * y[:-1] + z[1:] * z[:-1]
        # A hair more than the angle itself: what is this near is asked one by one.
        near = (math.cos(math.radians(self.params.still_deg)) - _HAIR) ** 2 * squares[1:] * squares[:-1]
        plain[1:] &= (along <= 0.0) | (along * along < near)
        plain[[0, *(place for place in asked if 0 <= place < plain.size)]] = False
        ends = list(range(plain.size))
        for first, end in runs(plain):
            ends[first:end] = [end] * (end - first)
        return ends

    def _plain_until(self, plain: list[int], place: int, rows: list[list[int]]) -> int:
        """Return the end of the plain seconds from `place` on that may be passed over, `place` for none of them."""
        if self.run or self.lain != 1 or self.still != tuple(rows[place - 1][X : Z + 1]):
            return place
        following = self.number + 1
        over = following > self.loose_until and following > self.displaced_until
        return plain[place] if over and not (self.spans and self.spans[-1][1] == following) else place

    def _pass(self, ups: IntArray) -> None:
        """Pass over plain seconds in which it is worn well: each moves on from the one before."""
        self.number += len(ups)
        x, y, z = ups.sum(axis=0).tolist()
        self.worn = _sum(self.worn, (x, y, z))
        x, y, z = ups[-1].tolist()
        self.still, self.lain, self.over = (x, y, z), 1, 0

    def second(self, sums: list[int], swings: bool) -> None:
        """Take the sums of the second that is complete; settle how the one after it counts."""
        following = self.number + 1
        if sums[LOOKS] and self.spans and self.spans[-1][1] == following:
            self.not_worn[self.spans[-1][2]] += 1
        if swings:
            self._come_loose(following)
        if sums[LOOKS] >= SEEN_SHARE * self.width:
            self._look_at((sums[X], sums[Y], sums[Z]), following)
        if STEPS_PER_S[0] <= sums[STEPS] <= STEPS_PER_S[1]:
            self._walk(sums, following)
        elif self.run:
            self.run, self.run_up = (), (0, 0, 0)
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

    def _swinging(self, sums: IntArray) -> set[int]:
        """Return at which of these seconds what swung, over the window that ends there, swung as nobody does."""
        params, size = self.params, self.params.window_s
        newest = np.concatenate((np.zeros((size, LOOKS), dtype=np.int64), self.window, sums[:, :LOOKS]))
        self.window = newest[max(len(newest) - size, size) :].copy()
        total = np.cumsum(newest[-len(sums) - size :], axis=0)
        inside = total[size:] - total[:-size]
        # The most of any window, set against the fewest looks that are judged: hardly ever enough.
        most = np.abs(inside).max(axis=0).tolist() if len(sums) else [0] * LOOKS
        looks = SEEN_SHARE * self.width * size / 2.0 * PER_UNIT**2 * 0.99
        slow_deg = min(params.wobble_deg, params.swing_deg)
        pace = 2.0 * math.pi / self.looks_hz
        if (
            most[SQUARES] < looks * math.radians(slow_deg) ** 2
            and most[CHANGES] < looks * (math.radians(params.wobble_deg_hz) * pace) ** 2
            and most[TWIST_CHANGES] < looks * (math.radians(params.twist_deg_hz) * pace) ** 2
            and most[TURN] < 0.99 * math.radians(params.spin_deg) * PER_UNIT
        ):
            return set()
        return {place for place, row in enumerate(inside.tolist()) if self._swings(row)}

    def _swings(self, sums: list[int]) -> bool:
        """Tell whether "up" or the heading swung, or the sensor turned, as no trunk does."""
        params = self.params
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
        if self.lain > 0 and _dot(up, self.still) > 0 and _apart_deg(up, self.still) <= params.still_deg:
            self.lain += 1
        else:
            self.still, self.lain = up, 1
            if following > self.loose_until and following > self.displaced_until:
                self.worn = _sum(self.worn, up)
        if self.lain >= params.still_s and _apart_deg(self.still, self.worn) > params.turned_deg:
            self.loose_until = max(self.loose_until, following + 1)
        expected = self.upright or self.walked
        # Most seconds are on the right side, and need no angle.
        over = expected is not None and _dot(up, expected) <= 0 and _apart_deg(up, expected) > params.over_deg
        self.over = self.over + 1 if over else 0
        if self.over >= params.over_s:
            self.displaced_until = max(self.displaced_until, following + params.settle_s)

    def _walk(self, sums: list[int], following: int) -> None:
        """Follow a second of steps; after each ten of them, ask whether "up" is where it should be."""
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


def _dot(one: Sums, other: Sums | Vector) -> float:
    return one[0] * other[0] + one[1] * other[1] + one[2] * other[2]


def _sum(one: Sums, other: Sums) -> Sums:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2]


def _apart_deg(one: Sums, other: Sums | Vector) -> float:
    """Return the angle between two directions of any length; 0 where one of them is none."""
    (a, b, c), (x, y, z) = one, other
    length2 = (a * a + b * b + c * c) * (x * x + y * y + z * z)
    if not length2:
        return 0.0
    return math.degrees(math.acos(max(min((a * x + b * y + c * z) / math.sqrt(length2), 1.0), -1.0)))
