"""The single case in print: pain and answers week by week, and under them what was tried when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from reportlab.lib.colors import Color
from reportlab.pdfgen.canvas import Canvas

from coach.dates import day_and_month
from coach.reports.sheet import BAND, CALM, INK, LINE, MARGIN, NOTICE, QUIET, REGULAR, WIDTH, Sheet
from coach.said import said
from coach.service.care_views import TreatmentView, Week

# pt. Own choices.
_LABEL, _PLOT, _ROW, _FONT = 78.0, 74.0, 10.0, 6.5
# Bars of what was tried that still read apart.
BARS_MAX = 8
_DATES_MAX, _ABOVE = 9, 8.0


def draw_case(sheet: Sheet, weeks: Sequence[Week], treatments: Sequence[TreatmentView], today: date) -> None:
    """Draw the weeks from the first to the last, gaps left open; nothing where there is no week."""
    shown = treatments[:BARS_MAX]
    height = _ABOVE + _PLOT + 14 + _ROW * len(shown) + 4
    if not weeks or sheet.room < height:
        return
    canvas, left, right = sheet.canvas, MARGIN + _LABEL, WIDTH - MARGIN - 6
    first, last = weeks[0].monday, max(weeks[-1].monday + timedelta(days=6), today)
    span = max((last - first).days, 1)

    def x_of(day: date) -> float:
        return left + (right - left) * min(max((day - first).days / span, 0.0), 1.0)

    bottom = sheet.y - _ABOVE - _PLOT
    _axes(canvas, left, right, bottom)
    middle = [x_of(week.monday + timedelta(days=3)) for week in weeks]
    _series(canvas, middle, [week.pain for week in weeks], 10.0, bottom, NOTICE, "circle")
    # Twenty-four statements and ten points on one height: each by its own full scale.
    _series(canvas, middle, [week.disability for week in weeks], 24.0, bottom, CALM, "square")
    _series(canvas, middle, [week.function for week in weeks], 10.0, bottom, INK, "bar")
    _dates(sheet, weeks, [x_of(week.monday) for week in weeks], bottom)
    y = bottom - 12
    for each in shown:
        y -= _ROW
        canvas.setFillColor(INK)
        canvas.setFont(REGULAR, _FONT)
        canvas.drawRightString(left - 4, y + 2.5, sheet.printable(_short(said(each.name))))
        begin, end = x_of(each.started_on), x_of((each.ended_on or today) + timedelta(days=1))
        canvas.setFillColor(BAND)
        canvas.setStrokeColor(CALM)
        canvas.setLineWidth(0.5)
        canvas.rect(begin, y + 1, max(end - begin, 1.5), _ROW - 3, fill=1)
    sheet.y -= height


def _axes(canvas: Canvas, left: float, right: float, bottom: float) -> None:
    canvas.setLineWidth(0.4)
    canvas.setFont(REGULAR, _FONT)
    for share, pain in ((0.0, "0"), (0.5, "5"), (1.0, "10")):
        y = bottom + _PLOT * share
        canvas.setStrokeColor(LINE)
        canvas.line(left, y, right, y)
        canvas.setFillColor(QUIET)
        canvas.drawRightString(left - 4, y - 2, pain)


def _series(
    canvas: Canvas,
    xs: Sequence[float],
    values: Sequence[float | None],
    full: float,
    bottom: float,
    color: Color,
    mark: str,
) -> None:
    """Draw marks, joined where neighbouring weeks both have a value."""
    canvas.setStrokeColor(color)
    canvas.setFillColor(color)
    canvas.setLineWidth(1.0)
    before: tuple[float, float] | None = None
    for x, value in zip(xs, values, strict=True):
        if value is None:
            before = None
            continue
        y = bottom + _PLOT * min(value / full, 1.0)
        if before is not None:
            canvas.line(*before, x, y)
        if mark == "circle":
            canvas.circle(x, y, 2.0, fill=1)
        elif mark == "square":
            canvas.rect(x - 1.8, y - 1.8, 3.6, 3.6, fill=1)
        else:
            canvas.rect(x - 0.8, y - 2.6, 1.6, 5.2, fill=1)
        before = (x, y)


def _dates(sheet: Sheet, weeks: Sequence[Week], xs: Sequence[float], bottom: float) -> None:
    sheet.canvas.setFillColor(QUIET)
    sheet.canvas.setFont(REGULAR, _FONT)
    every = -(-len(weeks) // _DATES_MAX)
    for week, x in list(zip(weeks, xs, strict=True))[::every]:
        sheet.canvas.drawCentredString(x, bottom - 8, sheet.printable(day_and_month(week.monday)))


def _short(name: str) -> str:
    return name if len(name) <= 20 else name[:19] + "…"
