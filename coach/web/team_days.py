"""Days of a team whose athletes live in several time zones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta

from flask import Flask, request

from coach.dates import long_day, short_day
from coach.errors import InvalidInput
from coach.language import gettext as _
from coach.service.types import AthleteView
from coach.web.house import house

# Days on which somebody may look from today. Own bound: five years.
_FAR = timedelta(days=5 * 366)


def common_zone(members: Iterable[AthleteView]) -> str:
    """Return the time zone that most athletes live in, UTC of nobody."""
    zones = Counter(each.time_zone for each in members)
    return max(sorted(zones), key=zones.__getitem__, default="UTC")


def day_asked(today: date) -> date:
    """Return the day of the address, today without one. Raises InvalidInput."""
    wanted = request.args.get("day")
    if not wanted:
        return today
    try:
        day = date.fromisoformat(wanted)
    except ValueError:
        raise InvalidInput(_("“%(typed)s” is no day: write it as 2026-11-24.", typed=wanted[:20])) from None
    if abs(day - today) > _FAR:
        raise InvalidInput(_("That day is too far away."))
    return day


def install(app: Flask) -> None:
    """Give the templates days with their month, as the reader's language writes them."""
    app.jinja_env.filters["long_day"] = long_day
    app.jinja_env.filters["short_date"] = short_day


def team_today(members: Iterable[AthleteView]) -> date:
    """Return today where most athletes live."""
    return house().today(common_zone(members))
