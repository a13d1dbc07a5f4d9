"""Which local days have to be judged anew, and when."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from coach.service.local_days import day_of
from coach.store import days
from coach.store.engine import Tx
from coach.store.rows import Row

# A day that runs is judged at most once in so long, however many wearables tell of it. Own choice.
LOOK_EVERY = timedelta(minutes=1)


def mark_times(tx: Tx, athlete: Row, times_utc_s: Iterable[float], now: datetime, at_once: bool = False) -> None:
    """Have the local days of these times judged, at once or within a minute."""
    for day in sorted({day_of(athlete, each) for each in times_utc_s}):
        days.mark(tx, athlete["id"], day, now if at_once else now + LOOK_EVERY)


def mark_judged(tx: Tx, athlete_id: str, now: datetime, since: date = date.min) -> None:
    """Have every day of an athlete that some edition has judged judged anew, from a day on."""
    for day in days.judged_dates(tx, athlete_id, since):
        days.mark(tx, athlete_id, day, now)
