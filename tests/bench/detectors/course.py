"""What a simulated athlete really does with the trunk and the arm in one worn day, and what is true of it.

Everything is an event with a time; both levels of the benchmark are made from the same events: minutes of exposure
(exposures.py) and raw motion (motion.py). Nothing here knows how anything is detected.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from devices.types import FloatArray

# ISO 11226:2000, trunk inclination without support: the longest hold at 20 and at 60 degrees.
ISO_ANGLES_DEG, ISO_LONGEST_S = (20.0, 60.0), (240.0, 60.0)


@dataclass(frozen=True, slots=True)
class Bout:
    """One movement repeated; times from the first worn second. losses: of speed, range, smoothness, and ratio of CV."""

    start_s: float
    end_s: float
    count: int
    losses: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """One worn day as it was done; times in s from its first worn second.

    walks: (k, 2) start and end. stoops: (m, 4) start, time down and time up, time held, depth in deg: bends, deep
    bends and static holds alike. turns: (k, 4) start, time there and time back, angle in deg, side (+1 left, -1 right).
    strokes: (k, 4) time of the peak, peak of the arm's rate in deg/s, side, length of the forward stroke in s.
    works: (k, 2) start and end of bouts of repeated work. sits_deg: inclination of the trunk between events, where
    every stoop begins and ends.
    """

    worn_s: float
    walks: FloatArray
    stoops: FloatArray
    turns: FloatArray
    strokes: FloatArray
    works: FloatArray
    sits_deg: float = 6.0

    def bends(self, least_deg: float) -> FloatArray:
        """Return the stoops (k, 4) whose range is at least `least_deg`: from where the trunk is carried, and back."""
        return np.asarray(self.stoops[self.stoops[:, 3] - self.sits_deg >= least_deg])

    def best_rate_per_min(self, window_s: float, least_deg: float) -> float:
        """Return the most bends of at least `least_deg` that ended within any window, per minute."""
        ends = np.sort(_ends_s(self.bends(least_deg)))
        if not ends.size:
            return 0.0
        counts = np.arange(1, ends.size + 1) - np.searchsorted(ends, ends - window_s, side="right")
        return float(counts.max()) / (window_s / 60.0)

    def largest_dose(self, static_s: float, window_s: float) -> float:
        """Return the most that static holds which ended within a window took of the longest acceptable one together.

        Source: ISO 11226 for the dose of one hold, its limit at 60 degrees also beyond; static is more than static_s.
        """
        held = self.stoops[(self.stoops[:, 2] > static_s) & (self.stoops[:, 3] >= ISO_ANGLES_DEG[0])]
        if not len(held):
            return 0.0
        held = held[np.argsort(_ends_s(held))]
        ends, doses = _ends_s(held), held[:, 2] / np.interp(held[:, 3], ISO_ANGLES_DEG, ISO_LONGEST_S)
        sums = np.concatenate(([0.0], np.cumsum(doses)))
        return float(np.max(sums[1:] - sums[np.searchsorted(ends, ends - window_s, side="right")]))

    @property
    def fast_turns(self) -> FloatArray:
        """Return (k, 2) time and side of every fast turn of the trunk: a stroke turns it as well."""
        turned = np.concatenate((self.turns[:, (0, 3)], self.strokes[:, (0, 2)]))
        return np.asarray(turned[np.argsort(turned[:, 0])])

    def seconds_above(self, deg: float) -> FloatArray:
        """Return (m,) the time that each stoop spends at or above an inclination."""
        _, move, hold, depth = self.stoops.T
        return np.where(depth >= deg, hold + 2 * move * (1 - step_inverse(deg / np.maximum(depth, 1e-9))), 0.0)


def _ends_s(stoops: FloatArray) -> FloatArray:
    return np.asarray(stoops[:, 0] + 2 * stoops[:, 1] + stoops[:, 2])


# The minimum-jerk course (Flash and Hogan 1985, equation 5), tabulated to be read backwards.
_SHARES = np.linspace(0.0, 1.0, 2001)


def step(share: FloatArray) -> FloatArray:
    """Return the minimum-jerk course from 0 to 1. Source: Flash and Hogan 1985, equation 5."""
    u = np.clip(share, 0.0, 1.0)
    return np.asarray(u**3 * (10 - 15 * u + 6 * u**2))


def step_inverse(value: FloatArray) -> FloatArray:
    """Return at which share of its time the minimum-jerk course reaches a value."""
    return np.asarray(np.interp(value, step(_SHARES), _SHARES))


def none(columns: int) -> FloatArray:
    """Return no events of so many columns."""
    return np.empty((0, columns))
