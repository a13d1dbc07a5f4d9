"""Numbers, days and times as the reader's language writes them."""

from __future__ import annotations

import math
from datetime import date, datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date
from babel.numbers import format_decimal, parse_decimal

from coach import language
from coach.language import N_, gettext

# A weekday with its day of the year, as each language has it beside other words. {…}: with the year.
_DAY = N_("EEE d MMM")
_DAY_WITH_YEAR = N_("EEE d MMM y")
_DAY_LONG = N_("d MMMM y")


def number(value: float, decimals: int = 1, *, fixed: bool = False) -> str:
    """Return a number with so many decimals at most; fixed: with exactly so many."""
    pattern = "#,##0" + (("." + ("0" if fixed else "#") * decimals) if decimals else "")
    # No group below 10 000: a row of numbers is read more easily without.
    pattern = pattern if abs(value) >= 10_000 else pattern.replace("#,##0", "0")
    return str(format_decimal(value, pattern, locale=language.locale(language.current())))


def three_digits(value: float) -> str:
    """Return a number with three digits that count, a large one whole."""
    if abs(value) >= 1000 or value == 0:
        return number(value, 0)
    return number(value, max(0, 2 - math.floor(math.log10(abs(value)))))


def entered_number(text: str) -> float:
    """Return a number as somebody typed it, with a comma or a point before its decimals. Raises ValueError."""
    plain = "".join(text.split())
    if plain.count(",") + plain.count(".") > 1:
        value = float(parse_decimal(plain, locale=language.locale(language.current()), strict=True))
    else:
        value = float(plain.replace(",", "."))
    if not math.isfinite(value):
        raise ValueError(f"{text!r} is no number")  # no words
    return value


def short_day(day: date, *, year: bool = False) -> str:
    """Return `Wed 25 Nov`, `Mi., 25. Nov.`; with the year where asked."""
    pattern = gettext(_DAY_WITH_YEAR if year else _DAY)
    return str(format_date(day, pattern, locale=language.locale(language.current())))


def long_day(day: date) -> str:
    """Return `25 November 2026`, `25. November 2026`."""
    return str(format_date(day, gettext(_DAY_LONG), locale=language.locale(language.current())))


def clock_time(moment: datetime, zone: str) -> str:
    """Return 18:30 in a zone: the 24 hours of both languages."""
    return moment.astimezone(ZoneInfo(zone)).strftime("%H:%M")
