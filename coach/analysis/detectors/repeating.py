"""Where something comes often enough for long enough, minute by minute, and where lost time hides whether it does."""

from __future__ import annotations

from dataclasses import dataclass

from coach.analysis.detectors.rolling import rolling, trimmed
from coach.analysis.detectors.seen import MINUTE_S
from coach.analysis.detectors.types import Minutes
from devices.types import IntArray

# Own heuristic: lost time may have been twice as busy as the rest of its window; a pattern is not steady to the second.
LOST_TIMES_REST = 2.0


@dataclass(frozen=True, slots=True)
class Repeating:
    """stretches: minutes of what came often. rate_max_per_min: of the best window, per covered minute.

    perhaps: minutes of windows that might be such, but for the time that was lost in them; None without one.
    """

    stretches: tuple[slice, ...]
    rate_max_per_min: float
    perhaps: slice | None


def repeating(
    minutes: Minutes, counts: IntArray, rate_per_min: float, duration_min: float, coverage_share: float
) -> Repeating:
    """Return where events came more often than `rate_per_min`, as a mean over windows of `duration_min` clock minutes.

    counts: (n,) of each minute. A window counts when it passes that rate even if nothing happened in the time that was
    lost, and `coverage_share` of its recorded time is covered. So missing data can leave open what was there, but
    never make it up.
    """
    windows = rolling(minutes, duration_min)
    happened = windows.sums(counts)
    covered_s, expected_s = windows.sums(minutes.covered_s), windows.sums(minutes.expected_s)
    asked = rate_per_min * windows.length_min + 1e-9
    sure = (happened > asked) & (covered_s >= coverage_share * expected_s - 1e-6)
    lost_s = (expected_s - covered_s).clip(min=0.0)
    perhaps = (happened * (covered_s + LOST_TIMES_REST * lost_s) > asked * covered_s) & ~sure
    rates = happened[sure] / (covered_s[sure] / MINUTE_S)
    return Repeating(
        tuple(trimmed(each, counts > 0) for each in windows.stretches(sure)),
        float(rates.max(initial=0.0)),
        next(iter(windows.stretches(perhaps)), None),
    )
