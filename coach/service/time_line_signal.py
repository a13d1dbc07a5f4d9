"""The signal of a range of time, as coarse as a screen can show: by the day, by steps of minutes, or as a line."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from coach.analysis.detectors.baseline import LOOK_BACK_DAYS, NORMAL_MAD, baseline_of, own_days
from coach.analysis.detectors.bending import BENDS
from coach.analysis.detectors.types import DayValues
from coach.service.charts import TRUNK, line_of, trunk_lines
from coach.service.day_rows import values_of
from coach.service.local_days import bounds_of, day_of
from coach.store import days, time_line
from coach.store.engine import Tx
from coach.store.rows import Row

# Ranges from which the next coarser answer is shown, s. Own choices: ten days are still read hour by hour; six hours of
# line are some 2,000 points.
_BY_DAY_FROM_S, _BY_MINUTES_FROM_S = 10 * 86400, 6 * 3600
# Steps of minutes, s: the smallest that gives no more points than are asked for.
_STEPS_S = (60, 120, 300, 600, 900, 1800, 3600)
# s of wear in a step from which a rate is said. Own choice: less says nothing about an hour.
_ENOUGH_S = 30.0
# A day's wear from which its values are drawn, min. Own choice: as above, for a day.
_ENOUGH_MIN = 10.0
# Robust z up to which a day is usual, and days that it needs. Source: as in analysis/detectors/baseline.py.
_USUAL_Z, _USUAL_DAYS = 2.0, 14
_HOUR_S = 3600.0
# A feature begins at most this long before the line it carries ends. Own bound: as in service/motion.py.
_CHUNK_S = 120.0


class Step(StrEnum):
    """How coarse the signal is."""

    DAY = "day"
    MINUTES = "minutes"
    LINE = "line"


@dataclass(frozen=True, slots=True)
class SignalLane:
    """The signal of a range. All but the line have one entry per time; None where nothing was worn, or too little.

    t_utc_s: middle of each day or step. bends_per_h: per hour worn. usual_low, usual_high: what of these is usual, by
    the 28 days before; by day only. deep_share: of worn time, the trunk beyond 60 deg. strokes_left, strokes_right:
    swings and throws. worn_s: time worn. line_t_utc_s, inclination_deg: the trunk's line, None in its gaps, where it is
    fine enough.
    """

    step: Step
    step_s: int
    t_utc_s: tuple[float, ...] = ()
    bends_per_h: tuple[float | None, ...] = ()
    usual_low: tuple[float | None, ...] = ()
    usual_high: tuple[float | None, ...] = ()
    deep_share: tuple[float | None, ...] = ()
    strokes_left: tuple[int | None, ...] = ()
    strokes_right: tuple[int | None, ...] = ()
    worn_s: tuple[float, ...] = ()
    line_t_utc_s: tuple[float, ...] = ()
    inclination_deg: tuple[float | None, ...] = ()


def signal_of(tx: Tx, athlete: Row, start_utc_s: float, end_utc_s: float, points: int) -> SignalLane:
    """Return an athlete's signal within [start, end) in no more than `points` points."""
    length_s = end_utc_s - start_utc_s
    if length_s > _BY_DAY_FROM_S:
        return _by_day(tx, athlete, start_utc_s, end_utc_s)
    if length_s > _BY_MINUTES_FROM_S:
        return _by_minutes(tx, athlete, start_utc_s, end_utc_s, points, Step.MINUTES)
    by_minute = _by_minutes(tx, athlete, start_utc_s, end_utc_s, points, Step.LINE)
    rows = trunk_lines(tx, athlete["id"], start_utc_s - _CHUNK_S, end_utc_s)
    line = line_of(rows, start_utc_s, end_utc_s, None, points)
    angles = tuple(None if each is None else round(each, 1) for each in line.inclination_deg)
    return replace(by_minute, line_t_utc_s=line.t_utc_s, inclination_deg=angles)


def _by_day(tx: Tx, athlete: Row, start_utc_s: float, end_utc_s: float) -> SignalLane:
    first, last = day_of(athlete, start_utc_s), day_of(athlete, math.nextafter(end_utc_s, start_utc_s))
    asked = athlete["id"], first - timedelta(days=LOOK_BACK_DAYS), last + timedelta(days=1)
    history = [values_of(row["values"]) for row in days.newest_values(tx, *asked)]
    known = {each.ordinal: each for each in history}
    shown = [date.fromordinal(each) for each in range(first.toordinal(), last.toordinal() + 1)]
    usual = [_usual(history, day.toordinal(), known.get(day.toordinal())) for day in shown]
    found = [known.get(day.toordinal()) for day in shown]
    worn = [each if each is not None and each.worn_min >= _ENOUGH_MIN else None for each in found]
    return SignalLane(
        Step.DAY,
        86400,
        t_utc_s=tuple(sum(bounds_of(athlete, day)) / 2 for day in shown),
        bends_per_h=tuple(_rounded(each.bends_per_h if each else None, 1) for each in worn),
        usual_low=tuple(low for low, _ in usual),
        usual_high=tuple(high for _, high in usual),
        deep_share=tuple(_rounded(each.deep_share if each else None, 4) for each in worn),
        strokes_left=tuple(each.strokes_left if each else None for each in found),
        strokes_right=tuple(each.strokes_right if each else None for each in found),
        worn_s=tuple(round(each.worn_min * 60) if each else 0 for each in found),
    )


def _usual(
    history: Sequence[DayValues], ordinal: int, known: DayValues | None
) -> tuple[float, float] | tuple[None, None]:
    """Return from where to where a day's bends were usual by the days before it; None while these are too few."""
    before = own_days(BENDS, history, ordinal, known.trunk_place if known else None)
    if len(before) < _USUAL_DAYS:
        return None, None
    baseline = baseline_of(BENDS, before, None)
    reach = _USUAL_Z * baseline.mad / NORMAL_MAD
    return max(0.0, round(baseline.median - reach, 1)), round(baseline.median + reach, 1)


def _by_minutes(tx: Tx, athlete: Row, start_utc_s: float, end_utc_s: float, points: int, step: Step) -> SignalLane:
    length_s = end_utc_s - start_utc_s
    step_s = next((each for each in _STEPS_S if length_s / each <= points), _STEPS_S[-1])
    # From a whole step on, so that the same minutes are summed wherever the range begins.
    start, end = int(start_utc_s // step_s) * step_s, math.ceil(end_utc_s)
    rows = time_line.buckets(tx, athlete["id"], start, end, step_s)
    trunk, strokes = _by_bucket(rows, TRUNK, "covered_s"), _strokes(rows)
    numbers = range(math.ceil((end - start) / step_s))
    worn = [row if (row := trunk.get(each)) is not None and row["covered_s"] >= _ENOUGH_S else None for each in numbers]
    return SignalLane(
        step,
        step_s,
        t_utc_s=tuple(float(start + (each + 0.5) * step_s) for each in numbers),
        bends_per_h=tuple(_rounded(row["bends"] * _HOUR_S / row["covered_s"] if row else None, 1) for row in worn),
        deep_share=tuple(_rounded((row["deep_s"] or 0.0) / row["covered_s"] if row else None, 4) for row in worn),
        strokes_left=tuple(strokes[each]["strokes_left"] if each in strokes else None for each in numbers),
        strokes_right=tuple(strokes[each]["strokes_right"] if each in strokes else None for each in numbers),
        worn_s=tuple(min(step_s, round(trunk[each]["covered_s"])) if each in trunk else 0 for each in numbers),
    )


def _by_bucket(rows: Sequence[Row], places: Sequence[str], weight: str) -> dict[int, Row]:
    """Return the steps of the place with most of something in the range, by number."""
    total: dict[str, float] = {}
    for row in rows:
        if row["placement"] in places:
            total[row["placement"]] = total.get(row["placement"], 0.0) + (row[weight] or 0.0)
    chosen = max(total, key=lambda place: (total[place], place), default=None)
    return {row["bucket"]: row for row in rows if row["placement"] == chosen}


def _strokes(rows: Sequence[Row]) -> dict[int, Row]:
    """Return the steps of the place that saw most swings and throws; empty where none were seen."""
    places = sorted({row["placement"] for row in rows})
    counted = [{**row, "strokes": row["strokes_left"] + row["strokes_right"]} for row in rows]
    found = _by_bucket(counted, places, "strokes")
    return found if any(row["strokes"] for row in found.values()) else {}


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
