"""What changed after what: entries before a treatment against those while it went on. An observation, never a cause.

One person, no control, no chance in when something began: pain that would have eased anyway, or a start on the worst
day, looks the same here. So every comparison tells its uncertainty and what speaks against reading more into it.
Source: single-case phases and entries per phase, Kratochwill 2010 (WWC, Single-case designs technical documentation);
overlap NAP, Parker and Vannest 2009 (Behav Ther 40:357); trend before, Parker 2011 (Tau-U, Behav Ther 42:284);
what matters to people, Ostelo 2008 (Spine 33:90).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from scipy import stats

_Array = npt.NDArray[np.float64]

# Kratochwill 2010: so many entries a phase meet the standards.
FEWEST = 5
# Own heuristic: neighbouring entries of one person resemble each other; less than this is not believed of few entries.
_LEAST_AUTOCORRELATION = 0.3
_MOST_AUTOCORRELATION = 0.8
_CONFIDENCE = 0.95
# Own heuristic: a one-sided 5 % chance that a trend before is chance.
_TREND_P = 0.05
# Ostelo 2008: a change of 30 % matters to people.
CHANGE_SHARE = 0.30


@dataclass(frozen=True, slots=True)
class Measure:
    """What is compared. step: the smallest step of its scale. matters: the smallest change that matters to people.

    source: of `matters`. reach_days: how much of the phase before counts.
    """

    id: str
    name: str
    lower_is_better: bool
    scale: str
    step: float
    matters: float
    source: str
    reach_days: int


# Ostelo 2008 for pain and RMDQ; the facts on activities (about 2) for the last. Reach: own heuristic; pain is told
# daily, the questions about weekly.
PAIN = Measure("pain", "pain", True, "0 to 10", 1.0, 2.0, "Ostelo 2008, Spine 33:90", 28)
DISABILITY = Measure("disability", "everyday statements", True, "0 to 24", 1.0, 5.0, "Ostelo 2008, Spine 33:90", 84)
FUNCTION = Measure("function", "own activities", False, "0 to 10", 1.0 / 3.0, 2.0, "own heuristic, about 2 points", 84)
MEASURES = (PAIN, DISABILITY, FUNCTION)


@dataclass(frozen=True, slots=True)
class Entry:
    """One value of a day. day: a running number of days."""

    day: int
    value: float


@dataclass(frozen=True, slots=True)
class Span:
    """When something was done. first, last: days, both in it; last None while it goes on."""

    id: str
    first: int
    last: int | None = None


@dataclass(frozen=True, slots=True)
class Phase:
    """Days on which the same things went on; ids empty: nothing, the baseline. last None while it goes on."""

    ids: tuple[str, ...]
    first: int | None
    last: int | None


class Seen(StrEnum):
    """What a comparison shows. SLIGHT: a difference, smaller than what usually matters to people."""

    BETTER = "better"
    SLIGHTLY_BETTER = "slightly_better"
    NOTHING = "nothing"
    SLIGHTLY_WORSE = "slightly_worse"
    WORSE = "worse"
    NOT_ENOUGH = "not_enough"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Entries of a phase against those of the phase before.

    before, during: numbers of days with an entry. median_before, median_during, change: of the measure; low, high: 95 %
    interval of the change of the mean. overlap: share of pairs of days of which the later is better, ties half (NAP).
    trend_before: it was on its way already. together: how many things began or ended at once.
    """

    measure: Measure
    phase: Phase
    earlier: Phase
    seen: Seen
    before: int
    during: int
    median_before: float | None = None
    median_during: float | None = None
    change: float | None = None
    low: float | None = None
    high: float | None = None
    overlap: float | None = None
    trend_before: bool = False
    needs: str | None = None

    @property
    def together(self) -> int:
        return len(set(self.phase.ids) ^ set(self.earlier.ids))


def phases_of(spans: Iterable[Span]) -> tuple[Phase, ...]:
    """Return the phases in order of time, the baseline first: a new one wherever something begins or ends."""
    spans = tuple(spans)
    cuts = sorted({each.first for each in spans} | {each.last + 1 for each in spans if each.last is not None})
    if not cuts:
        return (Phase((), None, None),)
    phases = [Phase((), None, cuts[0] - 1)]
    for first, after in zip(cuts, [*cuts[1:], None], strict=True):
        ids = tuple(each.id for each in spans if each.first <= first and (each.last is None or each.last >= first))
        phases.append(Phase(ids, first, None if after is None else after - 1))
    return tuple(phases)


def entries_in(entries: Iterable[Entry], phase: Phase, reach: int | None = None) -> list[Entry]:
    """Return the entries of a phase, one a day and in order; reach: of its last so many days only."""
    first = -math.inf if phase.first is None else phase.first
    last = math.inf if phase.last is None else phase.last
    if reach is not None and phase.last is not None:
        first = max(first, phase.last - reach + 1)
    inside: dict[int, list[float]] = {}
    for each in entries:
        if first <= each.day <= last:
            inside.setdefault(each.day, []).append(each.value)
    return [Entry(day, float(np.median(values))) for day, values in sorted(inside.items())]


def compare_phases(measure: Measure, entries: Sequence[Entry], earlier: Phase, phase: Phase) -> Comparison:
    """Return what was different while a phase went on, against the last days of the phase before (`reach_days`).

    Several entries of a day are their median. The interval is Welch's t over means, with as many free entries as
    remain when neighbours resemble each other (lag-1 autocorrelation, 0.3 at least) and with the scale's own rounding
    in the variance; own heuristic, tried on simulated series (tests). Source: module docstring.
    """
    before, during = entries_in(entries, earlier, measure.reach_days), entries_in(entries, phase)
    sizes = len(before), len(during)
    if min(sizes) < FEWEST:
        return Comparison(measure, phase, earlier, Seen.NOT_ENOUGH, *sizes, needs=_needs(*sizes))
    a, b = (np.array([each.value for each in side]) for side in (before, during))
    change = float(b.mean() - a.mean())
    half = _half_width(a, b, measure.step)
    sign = -1.0 if measure.lower_is_better else 1.0
    return Comparison(
        measure,
        phase,
        earlier,
        _seen(measure, change * sign, half, float(a.mean())),
        *sizes,
        median_before=float(np.median(a)),
        median_during=float(np.median(b)),
        change=change,
        low=change - half,
        high=change + half,
        overlap=_overlap(a * sign, b * sign),
        trend_before=_on_its_way(before, sign),
    )


def weekly(entries: Iterable[Entry], first: int, weeks: int) -> tuple[float | None, ...]:
    """Return the median of each week's days from day `first` on; None where nothing was entered."""
    entries = tuple(entries)
    starts = (first + 7 * week for week in range(weeks))
    each_week = [entries_in(entries, Phase((), start, start + 6)) for start in starts]
    return tuple(float(np.median([day.value for day in days])) if days else None for days in each_week)


def _needs(before: int, during: int) -> str:
    missing = []
    if before < FEWEST:
        missing.append(f"{FEWEST - before} more {_days(FEWEST - before)} with an entry from before")
    if during < FEWEST:
        missing.append(f"{FEWEST - during} more {_days(FEWEST - during)} with an entry since")
    return " and ".join(missing)


def _days(count: int) -> str:
    return "day" if count == 1 else "days"


def _seen(measure: Measure, better_by: float, half: float, before: float) -> Seen:
    if abs(better_by) <= half:
        return Seen.NOTHING
    matters = abs(better_by) >= measure.matters or (before > 0 and abs(better_by) >= CHANGE_SHARE * before)
    if better_by > 0:
        return Seen.BETTER if matters else Seen.SLIGHTLY_BETTER
    return Seen.WORSE if matters else Seen.SLIGHTLY_WORSE


def _half_width(a: _Array, b: _Array, step: float) -> float:
    """Return half the 95 % interval of the difference of two means of series whose neighbours resemble each other."""
    likeness = _likeness(a, b)
    free = [len(side) * (1.0 - likeness) / (1.0 + likeness) for side in (a, b)]
    # Rounding to a step adds a uniform error of this variance: twelve equal answers are not known beyond it.
    variances = [float(side.var(ddof=1)) + step**2 / 12.0 for side in (a, b)]
    errors = [variance / max(count, 1.0) for variance, count in zip(variances, free, strict=True)]
    freedom = sum(errors) ** 2 / sum(e**2 / max(count - 1.0, 0.5) for e, count in zip(errors, free, strict=True))
    return float(stats.t.ppf(0.5 + _CONFIDENCE / 2, max(freedom, 1.0)) * math.sqrt(sum(errors)))


def _likeness(a: _Array, b: _Array) -> float:
    """Return how much neighbouring entries resemble each other: pooled lag-1 autocorrelation, held within bounds."""
    sides = [side - side.mean() for side in (a, b)]
    square = sum(float(side @ side) for side in sides)
    if square == 0.0:
        return _LEAST_AUTOCORRELATION
    found = sum(float(side[1:] @ side[:-1]) for side in sides) / square
    # Few entries make the autocorrelation look smaller than it is. Source: Kendall 1954 (Biometrika 41:403).
    count = len(a) + len(b)
    unbiased = found + (1.0 + 4.0 * found) / count
    return min(max(unbiased, _LEAST_AUTOCORRELATION), _MOST_AUTOCORRELATION)


def _overlap(a: _Array, b: _Array) -> float:
    """Return the share of pairs of which b's is the better one, ties half."""
    pairs = np.sign(b[:, None] - a[None, :])
    return float((pairs.mean() + 1.0) / 2.0)


def _on_its_way(before: Sequence[Entry], sign: float) -> bool:
    """Tell whether it was getting better before already: Kendall's tau of the entries over the days."""
    if len({each.value for each in before}) == 1:
        return False
    found = stats.kendalltau([each.day for each in before], [sign * each.value for each in before])
    return bool(found.statistic > 0 and found.pvalue / 2 < _TREND_P)
