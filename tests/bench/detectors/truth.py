"""What is true of a simulated day: for each kind the level, the quantity over its limit; above 1 the day is unsound.

Written from the sources (limits.py), with no code of the analysis. Levels that look back (habit, heart, pain) are made
from the true days before, never from measured ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import comb

import numpy as np

from devices.types import FloatArray
from tests.bench.detectors import limits
from tests.bench.detectors.course import Bout, Course

BENDING, HELD, DEEP = "repeated_bending", "sustained_flexion", "deep_flexion"
TURNING, SIDED, COUNT = "repeated_rotation", "one_sided_strokes", "stroke_count"
PITCHES, RECOVERY, DEGRADING = "pitch_count", "short_recovery", "degrading_movement"
HEAVY, LOAD, HRV, PAIN = "heavy_back_days", "load_above_habit", "low_hrv", "pain_with_movement"
# Own definition: a rule that is met or not, without a size, is told as twice its limit, or half.
MET, NOT_MET = 2.0, 0.5


@dataclass(frozen=True, eq=False)
class TrueDay:
    """A day as it was. course: None where nothing was worn.

    rmssd_s: of the morning. pain: of the next morning. None: not entered, not measured.
    """

    ordinal: int
    course: Course | None
    bouts: tuple[Bout, ...] = ()
    load: float | None = None
    pitches: int | None = None
    age_years: int | None = None
    rmssd_s: float | None = None
    pain: int | None = None

    @cached_property
    def posture(self) -> dict[str, float]:
        """Return the levels that the day alone tells, empty where nothing was worn."""
        return {} if self.course is None else _posture(self.course)

    @cached_property
    def sides(self) -> tuple[int, int]:
        """Return the strokes to the left and to the right."""
        return (0, 0) if self.course is None else _sides(self.course.strokes[:, 2])

    @cached_property
    def turned(self) -> tuple[int, int]:
        return (0, 0) if self.course is None else _sides(self.course.turns[:, 3])

    def per_h(self, events: int) -> float:
        assert self.course is not None
        return events / (self.course.worn_s / 3600.0)


def levels(kinds: Sequence[str], day: TrueDay, past: Sequence[TrueDay], two_sided: bool) -> dict[str, float]:
    """Return the level of each kind that the day can be asked about. past: the days before, ascending."""
    told: dict[str, float] = {}
    if day.course is not None:
        told |= day.posture
        if SIDED in kinds or COUNT in kinds:
            told |= _strokes(day, past, two_sided)
    if day.bouts:
        told[DEGRADING] = max(_degrades(bout) for bout in day.bouts)
    if PITCHES in kinds and day.pitches is not None and day.age_years is not None:
        told[PITCHES] = _pitches(day, past)
    if LOAD in kinds and day.load is not None and (rise := _rise(day, past)) is not None:
        told[LOAD] = rise / limits.LOAD_RISE
    if HRV in kinds and (low := _low(day, past)) is not None:
        told[HRV] = low
    if PAIN in kinds and (pain := _pain(kinds, day, past)) is not None:
        told[PAIN] = pain
    return {kind: told[kind] for kind in kinds if kind in told} | _heavy(kinds, told, day, past)


def heavy(kinds: Sequence[str], day: TrueDay) -> bool | None:
    """Return whether the day was heavy for the back, None where nothing was worn."""
    if day.course is None:
        return None
    return any(day.posture[kind] > 1.0 for kind in (BENDING, HELD, DEEP) if kind in kinds)


def _posture(course: Course) -> dict[str, float]:
    turns = course.fast_turns[:, 0]
    return {
        BENDING: course.best_rate_per_min(limits.REPEATED_S, limits.BEND_DEG) / limits.REPEATED_PER_MIN,
        HELD: course.largest_dose(limits.STATIC_S, limits.DOSE_WINDOW_S) / limits.DOSE,
        DEEP: float(course.seconds_above(limits.DEEP_DEG).sum()) / course.worn_s / limits.DEEP_SHARE,
        TURNING: most_within(turns, limits.REPEATED_S) / (limits.REPEATED_S / 60.0) / limits.REPEATED_PER_MIN,
        RECOVERY: _recovery(course),
    }


def _recovery(course: Course) -> float:
    """Return the largest share that a pause between two bouts of work is short of what the work before asks for."""
    told = 0.0
    for (begin, end), (after, _) in pairwise(course.works.tolist()):
        border = end - begin <= limits.SHORT_WORK_S
        asked = (limits.SHORT_RECOVERY if border else limits.LONG_RECOVERY) * (end - begin)
        told = max(told, asked / (after - end))
    return told


def most_within(times: FloatArray, window_s: float) -> int:
    """Return the largest number of times within any window."""
    if not times.size:
        return 0
    ordered = np.sort(times)
    return int((np.arange(1, ordered.size + 1) - np.searchsorted(ordered, ordered - window_s, side="right")).max())


def _sides(sides: FloatArray) -> tuple[int, int]:
    return int((sides > 0).sum()), int((sides < 0).sum())


def own_limit(values: Sequence[float], least_step: float) -> float | None:
    """Return what is far above the own days: by `least_step` and by the robust z. None: too few days."""
    if len(values) < limits.OWN_DAYS:
        return None
    middle = float(np.median(values))
    mad = float(np.median(np.abs(np.asarray(values) - middle)))
    far = middle + limits.OWN_Z * mad / limits.NORMAL_MAD if mad > 0 else float(max(values)) + 1e-9
    return max(middle + least_step, far)


def play_counts(day: TrueDay, past: Sequence[TrueDay]) -> list[float]:
    """Return the strokes of the own days of play that count, oldest first."""
    counts = [float(sum(each.sides)) for each in past if day.ordinal - each.ordinal <= limits.OWN_DAYS_BACK]
    return [count for count in counts if count >= limits.STROKES_LEAST][-limits.OWN_DAYS_MOST :]


def play_shares(day: TrueDay, past: Sequence[TrueDay], left: bool) -> list[float]:
    """Return the share of one side on the own days of play with enough strokes, oldest first."""
    near = [each.sides for each in past if day.ordinal - each.ordinal <= limits.OWN_DAYS_BACK]
    return [(a if left else b) / (a + b) for a, b in near if a + b >= limits.SIDES_LEAST][-limits.OWN_DAYS_MOST :]


def _strokes(day: TrueDay, past: Sequence[TrueDay], two_sided: bool) -> dict[str, float]:
    told = {}
    left, right = day.turned if two_sided else day.sides
    share = max(left, right) / max(left + right, 1)
    if left + right < limits.SIDES_LEAST:
        told[SIDED] = NOT_MET
    elif two_sided:
        told[SIDED] = share / limits.TWO_SIDED_SHARE
    else:
        own = play_shares(day, past, left >= right)
        limit = own_limit(own, limits.SIDES_RISE)
        if limit is not None:
            middle = float(np.median(own))
            told[SIDED] = (share - middle) / (limit - middle)
    counts = play_counts(day, past)
    limit = own_limit(counts, limits.STROKES_SURPLUS * float(np.median(counts)) if counts else 0.0)
    if limit is not None:
        told[COUNT] = sum(day.sides) / limit
    return told


def _degrades(bout: Bout) -> float:
    """Return the size of the second strongest sign."""
    speed, rom, sparc, ratio = bout.losses
    sizes = (speed / limits.VELOCITY_LOSS, rom / limits.ROM_LOSS, sparc / limits.SPARC_LOSS, ratio / limits.CV_RATIO)
    return float(sorted(sizes)[-limits.SIGNS])


def pitch_row(age_years: int) -> tuple[int, tuple[int, ...]]:
    """Return the daily maximum and from how many pitches on 1, 2, … days of rest are owed."""
    return next((most, rest) for first, last, most, rest in limits.PITCHES if first <= age_years <= last)


def _pitches(day: TrueDay, past: Sequence[TrueDay]) -> float:
    assert day.pitches is not None
    assert day.age_years is not None
    most, rest = pitch_row(day.age_years)
    if not day.pitches:
        return 0.0
    before = {day.ordinal - each.ordinal: each.pitches or 0 for each in past[-7:]}
    owed = any(back <= sum(count >= least for least in rest) for back, count in before.items())
    row = all(before.get(back, 0) > 0 for back in range(1, limits.PITCH_ROW_DAYS + 1))
    return max(day.pitches / (most + 0.5), MET if owed or row else 0.0)


def _rise(day: TrueDay, past: Sequence[TrueDay]) -> float | None:
    known = [each.load for each in past if each.load is not None and day.ordinal - each.ordinal < 3 * 28]
    loads = [*known, day.load]
    if len(loads) < limits.LOAD_DAYS:
        return None
    acute = chronic = float(loads[0] or 0.0)
    for load in loads[1:]:
        acute += 2 / (limits.ACUTE_DAYS + 1) * (float(load or 0.0) - acute)
        chronic += 2 / (limits.CHRONIC_DAYS + 1) * (float(load or 0.0) - chronic)
    return acute / chronic - 1.0 if chronic > 0 else None


def _low(day: TrueDay, past: Sequence[TrueDay]) -> float | None:
    """Return how far the week lies below the month before it, over half a standard deviation."""
    known = {each.ordinal: each.rmssd_s for each in past[-40:]} | {day.ordinal: day.rmssd_s}
    first = day.ordinal - limits.HRV_WEEK + 1
    week, month = (
        [np.log(value) for at in span if (value := known.get(at)) is not None]
        for span in (range(first, day.ordinal + 1), range(first - limits.HRV_MONTH, first))
    )
    if len(week) < 3 or len(month) < limits.HRV_MORNINGS:
        return None
    return float((np.mean(month) - np.mean(week)) / (limits.HRV_BELOW_SD * np.std(month, ddof=1)))


def _pain(kinds: Sequence[str], day: TrueDay, past: Sequence[TrueDay]) -> float | None:
    """Return how clearly pain went with a movement: the limit of the exact test over its chance, as a logarithm."""
    near = [each for each in past if day.ordinal - each.ordinal <= limits.PAIN_BACK and each.pain is not None]
    chances = []
    for values in _movements(kinds, near):
        chance = _chance(values)
        if chance is not None:
            chances.append(chance)
    if not chances:
        return None
    # On a logarithmic scale, so that 1 is the limit and 0 a chance of 1.
    return float(np.log(min(chances)) / np.log(limits.PAIN_P / limits.PAIN_MOVEMENTS))


def _movements(kinds: Sequence[str], near: Sequence[TrueDay]) -> list[list[tuple[float, int]]]:
    """Return, for each movement that the profile looks at, the days with it and the next morning's pain."""
    worn = [each for each in near if each.course is not None]
    rows: list[list[tuple[float, int]]] = [
        [
            (each.per_h(len(each.course.bends(limits.BEND_DEG))), each.pain or 0)
            for each in worn
            if each.course is not None
        ],
        [(each.per_h(len(each.course.fast_turns)), each.pain or 0) for each in worn if each.course is not None],
    ]
    if DEEP in kinds:
        rows.append([(each.posture[DEEP], each.pain or 0) for each in worn if each.course is not None])
    if HELD in kinds:
        rows.append([(each.posture[HELD], each.pain or 0) for each in worn if each.course is not None])
    if COUNT in kinds:
        rows.append([(float(sum(each.sides)), each.pain or 0) for each in worn])
    rows.append([(each.load, each.pain or 0) for each in near if each.load is not None])
    return rows


def _chance(both: Sequence[tuple[float, int]]) -> float | None:
    if len(both) < limits.PAIN_DAYS:
        return None
    much = float(np.median([value for value, _ in both])) * (1 + limits.PAIN_MORE)
    usual = float(np.median([pain for _, pain in both]))
    more = [pain - usual >= limits.PAIN_RISE for value, pain in both if value > much]
    other = [pain - usual >= limits.PAIN_RISE for value, pain in both if value <= much]
    if min(len(more), len(other)) < limits.PAIN_EACH:
        return None
    higher = sum(more) + sum(other)
    # The upper tail of the hypergeometric distribution.
    ways = [
        comb(higher, k) * comb(len(both) - higher, len(more) - k) for k in range(sum(more), min(higher, len(more)) + 1)
    ]
    return sum(ways) / comb(len(both), len(more))


def _heavy(kinds: Sequence[str], told: Mapping[str, float], day: TrueDay, past: Sequence[TrueDay]) -> dict[str, float]:
    if HEAVY not in kinds or day.course is None:
        return {}
    before = {each.ordinal: heavy(kinds, each) for each in past[-limits.HEAVY_DAYS :]}
    row = [any(told.get(kind, 0.0) > 1.0 for kind in (BENDING, HELD, DEEP) if kind in kinds)]
    row += [before.get(day.ordinal - back) for back in range(1, limits.HEAVY_DAYS)]  # type: ignore[list-item]
    if False in row:
        return {HEAVY: NOT_MET}
    return {HEAVY: MET} if all(row) else {}
