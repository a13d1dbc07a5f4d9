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
    mark_together(tx, [(athlete, times_utc_s, at_once)], now)


def mark_together(tx: Tx, told: Iterable[tuple[Row, Iterable[float], bool]], now: datetime) -> None:
    """Have days of several athletes judged, athlete by athlete and day by day: whoever marks several takes them in this
    order. told: athlete, times in s UTC, whether at once, of each recording.
    """
    wanted = {(athlete["id"], day_of(athlete, each), at_once) for athlete, times, at_once in told for each in times}
    days.mark_all(tx, [(whose, day, now if at_once else now + LOOK_EVERY) for whose, day, at_once in sorted(wanted)])


def mark_judged(tx: Tx, athlete_id: str, now: datetime, since: date = date.min) -> None:
    """Have every day of an athlete that some edition has judged judged anew, from a day on."""
    days.mark_all(tx, [(athlete_id, day, now) for day in days.judged_dates(tx, athlete_id, since)])
