"""Static postures: the trunk bent and held still, and how much of the longest acceptable hold that is.

Source: ISO 11226:2000 for the trunk: static is more than 4 s; the longest hold without support falls from 4 minutes at
20 degrees to 1 minute at 60, in a straight line; more than 60 degrees is not recommended at all.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from coach.analysis.lying import FREE, LYING
from coach.analysis.quality import BoolArray
from coach.analysis.types import StaticHold, StaticPosture
from devices.types import FloatArray, IntArray

# ISO 11226:2000, trunk inclination.
MIN_HOLD_S = 4.0
ANGLES_DEG = (20.0, 60.0)
LONGEST_S = (240.0, 60.0)
# Own heuristic: still is what stays within 5 degrees to either side.
BAND_DEG = 10.0


@dataclass(frozen=True, slots=True)
class StaticState:
    """The band kept to now: first and newest glance (sample numbers, -1 for none), lowest, highest and summed angle.

    pending: holds that are dropped if the trunk turns out to lie. totals: of all that counted.
    """

    first: int = -1
    newest: int = -1
    low_deg: float = 0.0
    high_deg: float = 0.0
    sum_deg: float = 0.0
    pending: tuple[StaticHold, ...] = ()
    totals: StaticPosture = field(default_factory=StaticPosture)


def longest_hold_s(angle_deg: float) -> float:
    """Return the longest acceptable hold at a trunk inclination, in s; below 20 degrees infinite, above 60 as at 60."""
    if angle_deg < ANGLES_DEG[0]:
        return float("inf")
    return float(np.interp(angle_deg, ANGLES_DEG, LONGEST_S))


def static_dose(angle_deg: float, duration_s: float) -> float:
    """Return duration / longest acceptable hold: 1 is one longest hold."""
    return duration_s / longest_hold_s(angle_deg)


def add_statics(
    state: StaticState, rate_hz: float, every: int, at: IntArray, angles_deg: FloatArray, modes: IntArray | None
) -> tuple[StaticState, list[StaticHold]]:
    """Take the next glances. at: (n,) sample numbers, `every` apart. angles_deg: (n,) inclination, NaN where missing.

    modes: (n,) what the trunk did (lying.FREE, PENDING, LYING), None where it was free. Returns the holds that ended.
    """
    # An angle that cannot be in a band whose mean is 20 degrees or more ends one, and begins none.
    bent = angles_deg > ANGLES_DEG[0] - BAND_DEG
    if state.first < 0 and not state.pending and not bent.any():
        return state, []
    watch = _Watch(state, rate_hz, every)
    rows = _that_matter(state, bent, modes)
    numbers, angles, is_bent = at.tolist(), angles_deg.tolist(), bent.tolist()
    for row in rows:
        mode = FREE if modes is None else int(modes[row])
        watch.step(numbers[row], angles[row], is_bent[row], mode)
    if at.size:
        watch.pass_by(numbers[-1])
    return watch.state(), watch.ended


def _that_matter(state: StaticState, bent: BoolArray, modes: IntArray | None) -> list[int]:
    """Return the glances at which a band may go on, end or be dropped: few of them, in most of a day."""
    after = np.concatenate(((state.first >= 0,), bent[:-1]))
    if modes is None:
        wanted = bent | after
        wanted[:1] |= bool(state.pending)
    else:
        wanted = (bent | after) & (modes != LYING)
        wanted[:1] = True
        wanted[1:] |= modes[1:] != modes[:-1]
    return wanted.nonzero()[0].tolist()


def finish_statics(state: StaticState, rate_hz: float, every: int) -> tuple[StaticState, list[StaticHold]]:
    """End the hold under way; what is pending counts."""
    watch = _Watch(state, rate_hz, every)
    watch.close(FREE)
    watch.settle()
    return watch.state(), watch.ended


class _Watch:
    """A state on its way over glances."""

    def __init__(self, state: StaticState, rate_hz: float, every: int) -> None:
        self.first, self.newest, self.low, self.high = state.first, state.newest, state.low_deg, state.high_deg
        self.sum, self.pending, self.totals = state.sum_deg, list(state.pending), state.totals
        self.rate_hz, self.every = rate_hz, every
        self.ended: list[StaticHold] = []

    def state(self) -> StaticState:
        return StaticState(self.first, self.newest, self.low, self.high, self.sum, tuple(self.pending), self.totals)

    def step(self, at: int, angle: float, bent: bool, mode: int) -> None:
        if mode == LYING:
            self.first, self.pending = -1, []
            return
        if mode == FREE and self.pending:
            self.settle()
        if not bent:
            self.close(mode)
            return
        if self.first >= 0 and at == self.newest + self.every:
            low, high = min(self.low, angle), max(self.high, angle)
            if high - low <= BAND_DEG:
                self.low, self.high, self.newest, self.sum = low, high, at, self.sum + angle
                return
        self.close(mode)
        self.first = self.newest = at
        self.low = self.high = self.sum = angle

    def pass_by(self, at: int) -> None:
        """End a band that the newest glance, at sample `at`, is not in."""
        if self.first >= 0 and self.newest != at:
            self.close(FREE)

    def close(self, mode: int) -> None:
        if self.first < 0:
            return
        begin, end = self.first, self.newest + self.every
        angle = self.sum / ((end - begin) // self.every)
        self.first = -1
        duration = (end - begin) / self.rate_hz
        if duration <= MIN_HOLD_S or angle < ANGLES_DEG[0]:
            return
        beyond = angle > ANGLES_DEG[1]
        hold = StaticHold(begin / self.rate_hz, end / self.rate_hz, angle, static_dose(angle, duration), beyond)
        self.pending.append(hold)
        if mode == FREE:
            self.settle()

    def settle(self) -> None:
        """Count what was pending."""
        for hold in self.pending:
            duration, before = hold.end_s - hold.start_s, self.totals
            self.totals = StaticPosture(
                before.count + 1,
                before.duration_s + duration,
                max(before.longest_s, duration),
                before.dose + hold.dose,
                before.beyond_60_s + (duration if hold.beyond else 0.0),
            )
        self.ended.extend(self.pending)
        self.pending = []
