"""The days of a week or block in print: bends per worn hour as bars, pain as marks; a day without data is left open."""

from __future__ import annotations

from collections.abc import Sequence

from coach.dates import short_day
from coach.language import gettext as _
from coach.reports.sheet import BAND, CALM, INK, LINE, MARGIN, NOTICE, QUIET, REGULAR, WIDTH, Sheet
from coach.service.team_views import DayLine

# pt. Own choices.
_PLOT, _LABEL, _FONT, _BAR_SHARE = 96.0, 28.0, 6.5, 0.6
_PAIN_FULL = 10.0
# Steps of the axis of bends that read well: the smallest that holds the highest day.
_FULLS = (10, 20, 30, 60, 90, 120, 180, 240, 360, 600, 1200)
_DATES_MAX = 8


def draw_days(sheet: Sheet, days: Sequence[DayLine]) -> None:
    """Draw the days from left to right; nothing where no day has a number."""
    bends = [each.bends_per_h for each in days if each.bends_per_h is not None]
    if not bends and all(each.pain is None for each in days):
        return
    sheet.head(_("Bending and pain by day"))
    height = _PLOT + 16
    if sheet.room < height:
        sheet.left_out.append(_("Bending and pain by day"))
        return
    full = next((each for each in _FULLS if each >= max(bends, default=0.0)), max(bends, default=10.0))
    left, right, bottom = MARGIN + _LABEL, WIDTH - MARGIN - _LABEL, sheet.y - _PLOT - 4
    _axes(sheet, left, right, bottom, float(full))
    step = (right - left) / len(days)
    before: tuple[float, float] | None = None
    canvas = sheet.canvas
    for number, day in enumerate(days):
        middle = left + (number + 0.5) * step
        if day.bends_per_h is not None:
            canvas.setFillColor(BAND)
            canvas.setStrokeColor(CALM)
            canvas.setLineWidth(0.6)
            tall = max(_PLOT * min(day.bends_per_h / full, 1.0), 0.8)
            canvas.rect(middle - _BAR_SHARE * step / 2, bottom, _BAR_SHARE * step, tall, fill=1)
        if day.pain is None:
            before = None
            continue
        at = middle, bottom + _PLOT * day.pain / _PAIN_FULL
        canvas.setStrokeColor(NOTICE)
        canvas.setFillColor(NOTICE)
        canvas.setLineWidth(1.0)
        if before is not None:
            canvas.line(*before, *at)
        canvas.circle(*at, 1.8, fill=1)
        before = at
    _dates(sheet, days, left, step, bottom)
    sheet.y -= height
    key = _("Bars: bends per worn hour, left axis. Circles: worst pain, 0 to 10, right axis. No bar: not enough worn.")
    sheet.say(sheet.text(key), small=True)


def _axes(sheet: Sheet, left: float, right: float, bottom: float, full: float) -> None:
    canvas = sheet.canvas
    canvas.setLineWidth(0.4)
    canvas.setFont(REGULAR, _FONT)
    for share in (0.0, 0.5, 1.0):
        y = bottom + _PLOT * share
        canvas.setStrokeColor(LINE)
        canvas.line(left, y, right, y)
        canvas.setFillColor(CALM)
        canvas.drawRightString(left - 4, y - 2, f"{share * full:.0f}")
        canvas.setFillColor(NOTICE)
        canvas.drawString(right + 4, y - 2, f"{share * _PAIN_FULL:.0f}")
    canvas.setFillColor(INK)


def _dates(sheet: Sheet, days: Sequence[DayLine], left: float, step: float, bottom: float) -> None:
    sheet.canvas.setFillColor(QUIET)
    sheet.canvas.setFont(REGULAR, _FONT)
    every = -(-len(days) // _DATES_MAX)
    if every > 1:
        every = -(-every // 7) * 7  # whole weeks, so that the same weekday is named
    for number in range(0, len(days), every):
        middle = left + (number + 0.5) * step
        sheet.canvas.drawCentredString(middle, bottom - 8, sheet.printable(short_day(days[number].day)))
