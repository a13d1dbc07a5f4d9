"""What the athlete enters or a chest strap tells: load, pitches, mornings and pain, near their limits or not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from tests.bench.detectors import limits
from tests.bench.detectors.truth import HRV, LOAD, TrueDay, levels, pitch_row

# Ordinary weeks stay below this level; between these two no measurement decides.
QUIET, BETWEEN = 0.75, (0.95, 1.05)
# Spread of an athlete's own mornings and loads from day to day.
MORNING_SD, LOAD_SPREAD = 0.09, 0.25
MORNING_MISSED = 0.04
_TRIES = 30


def _tuned(value_of: Callable[[float], float], target: float, low: float, high: float) -> float:
    """Return where a rising function of one number reaches the target, by bisection."""
    for _ in range(24):
        middle = (low + high) / 2
        low, high = (middle, high) if value_of(middle) < target else (low, middle)
    return (low + high) / 2


def _weekly(
    kind: str,
    drawn: Callable[[float], list[TrueDay]],
    past: Sequence[TrueDay],
    sound: float,
    low: float,
    high: float,
    target: float | None,
) -> tuple[list[TrueDay], bool]:
    """Return a week whose highest level is the target, or an ordinary one, and whether no day lies in between."""

    def highest(size: float) -> float:
        return max(_levels(kind, drawn(size), past), default=0.0)

    if target is not None and _levels(kind, drawn(sound), past):
        size = _tuned(highest, target, low, high)
    elif highest(sound) > QUIET:
        size = _tuned(highest, QUIET, low, sound)
    else:
        size = sound
    week = drawn(size)
    return week, not any(BETWEEN[0] < level < BETWEEN[1] for level in _levels(kind, week, past))


def _levels(kind: str, week: Sequence[TrueDay], past: Sequence[TrueDay]) -> list[float]:
    told, before = [], list(past)
    for day in week:
        known = levels((kind,), day, before, True)
        told += [known[kind]] if kind in known else []
        before.append(day)
    return told


def draw_load_week(
    usual: float,
    plays: Sequence[int],
    past: Sequence[TrueDay],
    first: int,
    target: float | None,
    draw: np.random.Generator,
) -> list[float]:
    """Return the loads of seven days, effort times minutes; a day of rest is a known 0."""
    bare = [replace(each, course=None) for each in past[-3 * 28 :]]
    week: list[TrueDay] = []
    for _ in range(_TRIES):
        shape = np.exp(draw.normal(scale=LOAD_SPREAD, size=7)) * np.isin(np.arange(7), plays)

        def drawn(size: float, shape: np.ndarray[tuple[int], np.dtype[np.float64]] = shape) -> list[TrueDay]:
            return [TrueDay(first + day, None, load=round(size * usual * shape[day])) for day in range(7)]

        week, apart = _weekly(LOAD, drawn, bare, 1.0, 0.0, 6.0, target)
        if apart:
            break
    return [float(day.load or 0.0) for day in week]


def draw_morning_week(
    usual: float, past: Sequence[TrueDay], first: int, target: float | None, draw: np.random.Generator
) -> list[float | None]:
    """Return RMSSD in s of seven mornings, some of them not measured."""
    bare = [replace(each, course=None) for each in past[-45:]]
    week: list[TrueDay] = []
    for _ in range(_TRIES):
        spread = draw.normal(scale=MORNING_SD, size=7)
        known = draw.uniform(size=7) >= MORNING_MISSED

        def drawn(
            size: float,
            spread: np.ndarray[tuple[int], np.dtype[np.float64]] = spread,
            known: np.ndarray[tuple[int], np.dtype[np.bool_]] = known,
        ) -> list[TrueDay]:
            values = np.exp(usual + spread - size) / 1000.0
            return [TrueDay(first + day, None, rmssd_s=float(values[day]) if known[day] else None) for day in range(7)]

        week, apart = _weekly(HRV, drawn, bare, 0.0, -1.0, 1.0, target)
        if apart:
            break
    return [day.rmssd_s for day in week]


def draw_pitches(
    age_years: int, past: Sequence[TrueDay], ordinal: int, target: float | None, draw: np.random.Generator
) -> int:
    """Return the pitches of a day: within the guideline, close to its maximum or, where asked for, beyond it."""
    most, rest = pitch_row(age_years)
    before = {ordinal - each.ordinal: each.pitches or 0 for each in past[-7:]}
    owed = any(back <= sum(count >= least for least in rest) for back, count in before.items())
    row = all(before.get(back, 0) > 0 for back in range(1, limits.PITCH_ROW_DAYS + 1))
    if target is not None and target > 1:
        # Half of those who pitch too soon keep to the maximum.
        return round(draw.uniform(0.3, 0.8) * most) if owed and draw.uniform() < 0.5 else int(np.ceil(target * most))
    if owed or row or (target is None and draw.uniform() < 0.5):
        return 0
    return int(target * most) if target is not None else round(draw.uniform(0.2, 0.75) * most)


def draw_pain(aches: bool, day: TrueDay, past: Sequence[TrueDay], draw: np.random.Generator) -> int:
    """Return the pain of the next morning, 0 to 10: by chance, or really higher after days of much load."""
    usual = int(draw.uniform() < 0.3) + int(draw.uniform() < 0.05)
    known = [each.load for each in past[-limits.PAIN_BACK :] if each.load is not None]
    if aches and known and day.load is not None and day.load > 1.3 * float(np.median(known)):
        usual += int(draw.integers(3, 5))
    return usual
