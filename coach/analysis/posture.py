"""How time is spent at angles of the trunk: shares above thresholds and how often each is passed.

Source: thresholds of 20, 30, 45 and 60 degrees as used by ISO 11226, Hoogendoorn 2000 (60), Jansen 2004 (45),
Villumsen 2016 (30), RULA and REBA (20, 60). The shares describe; no threshold is a cause.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from coach.analysis.lying import FREE, LYING, PENDING
from coach.analysis.quality import runs_of
from coach.analysis.types import Exposure
from devices.types import FloatArray, IntArray

# Own heuristic after the few degrees of error that lifting studies report: the share is also told for thresholds this
# much lower and higher.
SENSITIVITY_DEG = 5
# Own heuristic: an excursion is over when the angle is this much below its threshold.
HYSTERESIS_DEG = 10
# Own heuristic: the low-passed angle is looked at 25 to 50 times a second.
LOOKS_PER_S = 25.0
# Angles from -180 to 180 degrees in classes of one degree, and more on both sides than the low-pass overshoots (4 %).
MIDDLE = 200
CLASSES = 2 * MIDDLE + 1
PERCENTS = (10, 50, 90)


def look_every(rate_hz: float) -> int:
    """Return how many samples lie between two looks."""
    return max(int(rate_hz / LOOKS_PER_S), 1)


def _nothing() -> IntArray:
    return np.zeros((0, CLASSES), dtype=np.int64)


def _no_passes() -> IntArray:
    return np.zeros((0, 2, 0), dtype=np.int64)


@dataclass(frozen=True, slots=True)
class PostureState:
    """looks: (angles, classes) looks per degree of each angle; held: the same, of what may yet turn out to be lying.

    high, passed: (angles, 2, thresholds, ascending) whether the angle is in an excursion, and how many there were; of
    the two the first is for positive angles and the second for negative ones.
    """

    mode: int = FREE
    looks: IntArray = field(default_factory=_nothing)
    held: IntArray = field(default_factory=_nothing)
    high: IntArray = field(default_factory=_no_passes)
    passed: IntArray = field(default_factory=_no_passes)


def add_posture(
    thresholds_deg: tuple[float, ...],
    state: PostureState,
    angles_deg: FloatArray,
    modes: IntArray | None,
    whole: bool = False,
) -> PostureState:
    """Count another run of looks.

    angles_deg: (angles, n) low-passed, NaN where missing; an angle may be added from some call on. modes: (n,) what the
    trunk did at each look (lying.FREE, PENDING, LYING), None where it was never anything but free. whole: none is
    missing.
    """
    account = _Account(thresholds_deg, state, len(angles_deg))
    if not whole:
        there = ~np.isnan(angles_deg[0])
        angles_deg, modes = angles_deg[:, there], None if modes is None else modes[there]
    if modes is None and state.mode == FREE:
        account.count(angles_deg, account.looks)
        return account.state(FREE)
    if modes is None:
        modes = np.full(angles_deg.shape[1], FREE)
    mode = state.mode
    for first, end in runs_of(modes):
        now = int(modes[first])
        account.change(mode, now)
        mode = now
        if now != LYING:
            account.count(angles_deg[:, first:end], account.held if now == PENDING else account.looks)
    return account.state(mode)


def finish_posture(state: PostureState) -> PostureState:
    """Count what was held back."""
    looks = state.looks + state.held if len(state.held) else state.looks
    return PostureState(FREE, looks, _nothing(), state.high, state.passed)


def _sized(looks: IntArray, angles: int) -> IntArray:
    """Return a copy with room for so many angles."""
    sized = np.zeros((angles, CLASSES), dtype=np.int64)
    sized[: len(looks)] = looks
    return sized


class _Account:
    """A state while it is being added to."""

    def __init__(self, thresholds_deg: tuple[float, ...], state: PostureState, angles: int) -> None:
        self.thresholds = _ascending(thresholds_deg)
        more = angles - len(state.looks)
        self.looks, self.held, self.high, self.passed = state.looks, state.held, state.high, state.passed
        if more:
            passes = np.zeros((more, 2, len(self.thresholds)), dtype=np.int64)
            self.high, self.passed = (
                np.concatenate((old, passes)) if len(old) else passes for old in (self.high, self.passed)
            )
        self.looks, self.held = _sized(self.looks, angles), _sized(self.held, angles) if len(self.held) else self.held
        self.mine = False

    def _own_passes(self) -> None:
        """Copy what is rarely changed before it is."""
        if not self.mine:
            self.high, self.passed, self.mine = self.high.copy(), self.passed.copy(), True

    def state(self, mode: int) -> PostureState:
        return PostureState(mode, self.looks, self.held if mode == PENDING else _nothing(), self.high, self.passed)

    def change(self, before: int, now: int) -> None:
        if before == PENDING and now == FREE and len(self.held):
            self.looks += self.held
        if before != now:
            self.held = np.zeros_like(self.looks) if now == PENDING else _nothing()
        if before != LYING and now == LYING:
            # The way down into lying was counted as passing each threshold; it is none of the trunk's bends.
            self._own_passes()
            self.passed -= self.high

    def count(self, angles: FloatArray, into: IntArray) -> None:
        if not angles.size:
            return
        # Shifted so that all are positive: cutting off the fraction is then the floor.
        places = (angles + _shifts(len(angles))).astype(np.int64).ravel()
        into += np.bincount(places, minlength=into.size).reshape(into.shape)
        bands, count = _bands(self.thresholds, len(angles))[places], angles.shape[1]
        # Between two looks in the same band no threshold is passed either way: a few looks stand for all.
        turns = (bands[1:] != bands[:-1]).nonzero()[0] + 1
        few = sorted({*range(0, places.size, count), *turns.tolist()})
        seen: list[list[int]] = [[] for _ in angles]
        for at, place in zip(few, places[few].tolist(), strict=True):
            angle = at // count
            seen[angle].append(place - CLASSES * angle - MIDDLE)
        for angle, (degrees, high) in enumerate(zip(seen, self.high.tolist(), strict=True)):
            if len(degrees) > 1 or not -self.thresholds[0] <= degrees[0] < self.thresholds[0] or any(map(any, high)):
                self._pass(degrees, angle, 0)
                self._pass([-1 - degree for degree in degrees], angle, 1)

    def _pass(self, seen: list[int], angle: int, side: int) -> None:
        """Follow the few looks at which the band changed."""
        top, bottom = max(seen), min(seen)
        for place, high in enumerate(self.high[angle, side].tolist()):
            enter, leave = self.thresholds[place], self.thresholds[place] - HYSTERESIS_DEG
            if (bottom >= leave) if high else (top < enter):
                continue
            passed, now = 0, bool(high)
            for degree in seen:
                if now:
                    now = degree >= leave
                elif degree >= enter:
                    now, passed = True, passed + 1
            self._own_passes()
            self.passed[angle, side, place] += passed
            self.high[angle, side, place] = now


@lru_cache(maxsize=16)
def _ascending(thresholds_deg: tuple[float, ...]) -> tuple[int, ...]:
    return tuple(sorted(int(threshold) for threshold in thresholds_deg))


@lru_cache(maxsize=16)
def _shifts(angles: int) -> FloatArray:
    """Return (angles, 1): what makes degrees of each angle the numbers of classes, all angles in one row."""
    shifts: FloatArray = (MIDDLE + CLASSES * np.arange(angles, dtype=np.float64))[:, None]
    return shifts


@lru_cache(maxsize=16)
def _bands(thresholds: tuple[int, ...], angles: int) -> IntArray:
    """Return, for each class of degrees of each angle, between which of all ends of excursions it lies."""
    up = {edge for threshold in thresholds for edge in (threshold, threshold - HYSTERESIS_DEG)}
    edges = np.array(sorted(up | {-edge for edge in up}))
    return np.tile(np.searchsorted(edges, np.arange(-MIDDLE, MIDDLE + 1), side="right"), angles)


def above_now(thresholds_deg: tuple[float, ...], before: PostureState, after: PostureState) -> dict[float, int]:
    """Return threshold in deg -> looks at or above it that became certain between two states, of the first angle."""
    if not len(after.looks):
        return dict.fromkeys(thresholds_deg, 0)
    new = after.looks[0] - before.looks[0] if len(before.looks) else after.looks[0]
    downwards = new[::-1].cumsum()
    return {threshold: int(downwards[MIDDLE - math.ceil(threshold)]) for threshold in thresholds_deg}


def exposure(
    thresholds_deg: tuple[float, ...], state: PostureState, look_s: float, angle: int = 0, side: int = 0
) -> Exposure:
    """Return the account of one angle; side 0 for its positive values, 1 for its negative ones. look_s: s of a look."""
    if angle >= len(state.looks):
        return Exposure()
    # What may yet be lying counts as posture until it is decided.
    looks = state.looks[angle] + state.held[angle] if len(state.held) else state.looks[angle]
    total = int(looks.sum())
    if not total:
        return Exposure()
    at_or_above = np.cumsum((looks if side == 0 else looks[::-1])[::-1])[::-1] / total
    first = MIDDLE + side  # class k holds k to k + 1 degrees, so that its mirror image begins one further on
    covered_s = total * look_s
    # The angle has one distribution, told with its positive side.
    percents, upwards = PERCENTS if side == 0 else (), np.cumsum(looks) / total
    passed = state.passed[angle, side]
    return Exposure(
        covered_s=covered_s,
        share_above={t: float(at_or_above[first + int(t)]) for t in thresholds_deg},
        share_above_shifted={
            t: (
                float(at_or_above[first + int(t) - SENSITIVITY_DEG]),
                float(at_or_above[min(first + int(t) + SENSITIVITY_DEG, CLASSES - 1)]),
            )
            for t in thresholds_deg
        },
        excursions_per_h={
            t: float(count) / (covered_s / 3600.0)
            for t, count in zip(sorted(thresholds_deg), passed.tolist(), strict=True)
        },
        percentiles_deg={
            percent: float(np.searchsorted(upwards, percent / 100.0) - MIDDLE) + 0.5 for percent in percents
        },
    )
