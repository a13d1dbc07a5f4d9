"""Days, months and numbers as the language of now writes them."""

from __future__ import annotations

from datetime import date

from babel.dates import format_date, get_day_names
from babel.numbers import format_decimal

from coach.language import current, locale

# Long, short and without the weekday, by language; a reader of English here writes the day before the month.
_FORMS = {"en": ("d MMMM y", "EEE d MMM", "d MMM"), "de": ("d. MMMM y", "EEE d. MMM", "d. MMM")}


def long_day(day: date) -> str:
    """Return `26 November 2026`."""
    return format_date(day, _FORMS[current()][0], locale=locale(current()))


def short_day(day: date) -> str:
    """Return `Thu 26 Nov`."""
    return format_date(day, _FORMS[current()][1], locale=locale(current()))


def day_and_month(day: date) -> str:
    """Return `26 Nov`."""
    return format_date(day, _FORMS[current()][2], locale=locale(current()))


def month_name(day: date) -> str:
    """Return `November 2026`."""
    return format_date(day, "LLLL y", locale=locale(current()))


def weekday_names() -> list[str]:
    """Return the short names of the weekdays, Monday first."""
    names = get_day_names("abbreviated", context="stand-alone", locale=locale(current()))
    return [names[number] for number in range(7)]


def tenth(value: float) -> str:
    """Return a number to a tenth, a whole one without: `98.2`, `98,2`."""
    return format_decimal(value, "0.#", locale=locale(current()))
