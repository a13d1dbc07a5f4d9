"""Days of a team whose athletes live in several time zones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date

from flask import Flask

from coach.dates import long_day, short_day
from coach.service.types import AthleteView
from coach.web.house import house


def common_zone(members: Iterable[AthleteView]) -> str:
    """Return the time zone that most athletes live in, UTC of nobody."""
    zones = Counter(each.time_zone for each in members)
    return max(sorted(zones), key=zones.__getitem__, default="UTC")


def install(app: Flask) -> None:
    """Give the templates days with their month, as the reader's language writes them."""
    app.jinja_env.filters["long_day"] = long_day
    app.jinja_env.filters["short_date"] = short_day


def team_today(members: Iterable[AthleteView]) -> date:
    """Return today where most athletes live."""
    return house().today(common_zone(members))
