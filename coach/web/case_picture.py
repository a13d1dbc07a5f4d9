"""The single case as a drawing: marks and lines of weeks, bars of what was tried. Coordinates of one SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from coach.dates import day_and_month
from coach.said import said
from coach.service.care_views import ResponseView, TreatmentView, Week

# Units of the drawing: what a phone shows at its full width. Own choices.
WIDTH, _LEFT, _RIGHT, _TOP, _PLOT, _BAR, _BARS_MAX, _DATES_MAX = 360, 26, 350, 10, 110, 26, 6, 5


@dataclass(frozen=True, slots=True)
class Series:
    """One measure: lines between neighbouring weeks, and a mark for each week. mark: circle, square or bar."""

    name: str
    mark: str
    lines: tuple[tuple[float, float, float, float], ...]
    marks: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Bar:
    name: str
    x: float
    y: float
    width: float


@dataclass(frozen=True, slots=True)
class Picture:
    """levels: y and what stands beside it; dates: x and what stands below. hidden: bars without room."""

    height: float
    bottom: float
    left: float
    right: float
    levels: tuple[tuple[float, str], ...]
    dates: tuple[tuple[float, str], ...]
    series: tuple[Series, ...]
    bars: tuple[Bar, ...]
    hidden: int


def picture_of(case: ResponseView, treatments: Sequence[TreatmentView], today: date) -> Picture | None:
    """Return the drawing; None while there is nothing to draw."""
    weeks = case.weeks
    if not weeks:
        return None
    first, bottom = weeks[0].monday, _TOP + _PLOT
    span = max((max(weeks[-1].monday + timedelta(days=6), today) - first).days + 1, 7)

    def x_of(day: date) -> float:
        share = min(max((day - first).days / span, 0.0), 1.0)
        return round(_LEFT + (_RIGHT - _LEFT) * share, 1)

    shown = treatments[:_BARS_MAX]
    bars = []
    for number, each in enumerate(shown):
        begin, end = x_of(each.started_on), x_of((each.ended_on or today) + timedelta(days=1))
        # The name stands above its bar, so that it reads at any width.
        bars.append(Bar(said(each.name), begin, bottom + 26 + _BAR * number + 13, round(max(end - begin, 2.0), 1)))
    every = -(-len(weeks) // _DATES_MAX)
    return Picture(
        height=bottom + 30 + _BAR * len(shown),
        bottom=bottom,
        left=_LEFT,
        right=_RIGHT,
        levels=((_TOP, "10"), (_TOP + _PLOT / 2, "5"), (bottom, "0")),
        dates=tuple((x_of(week.monday), day_and_month(week.monday)) for week in weeks[::every]),
        series=tuple(_series(weeks, [x_of(week.monday + timedelta(days=3)) for week in weeks])),
        bars=tuple(bars),
        hidden=len(treatments) - len(shown),
    )


def _series(weeks: Sequence[Week], xs: Sequence[float]) -> list[Series]:
    return [
        made
        for name, mark, values, full in (
            ("pain", "circle", [week.pain for week in weeks], 10.0),
            ("everyday statements", "square", [week.disability for week in weeks], 24.0),
            ("own activities", "bar", [week.function for week in weeks], 10.0),
        )
        if (made := _one(name, mark, xs, values, full)).marks
    ]


def _one(name: str, mark: str, xs: Sequence[float], values: Sequence[float | None], full: float) -> Series:
    points = [
        None if value is None else (x, round(_TOP + _PLOT * (1 - min(value / full, 1.0)), 1))
        for x, value in zip(xs, values, strict=True)
    ]
    lines = tuple((*a, *b) for a, b in pairwise(points) if a is not None and b is not None)
    return Series(name, mark, lines, tuple(each for each in points if each is not None))
