"""Rows of a local day as the values that detectors judge."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any

from coach.analysis.detectors.assemble import day_of, minutes_of
from coach.analysis.detectors.types import BendingStretch, Day, DayValues, Entered, Minutes
from coach.analysis.exposure import MINUTE_S, MinuteRow
from coach.service.day_entries import entered_of
from coach.service.day_signals import FromSignal
from coach.service.local_days import bounds_of
from coach.store import exposures
from coach.store.engine import Tx
from coach.store.rows import Row

_COUNTED = tuple(each.name for each in fields(MinuteRow) if each.name not in ("start_s", "above_s"))
_LOOKED_BACK = frozenset(each.name for each in fields(DayValues))


@dataclass(slots=True)
class Seen:
    """What is left of minutes that were read: by stream where it was worn; the end of the last minute."""

    place_of: dict[str, str] = field(default_factory=dict)
    end_utc_s: float | None = None

    def among(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Yield the rows, noted."""
        for row in rows:
            self.place_of[row["stream_id"]] = row["placement"]
            self.end_utc_s = max(self.end_utc_s or 0.0, row["start_utc_s"] + MINUTE_S)
            yield row


@dataclass(frozen=True, slots=True)
class DayRows:
    """All that is stored of one local day."""

    day: date
    start_utc_s: float
    end_utc_s: float
    seen: Seen
    stretches: Sequence[Row]
    by_place: Mapping[str, Minutes]
    entered: Entered

    @property
    def empty(self) -> bool:
        """Tell whether nothing was recorded or entered."""
        nothing = Entered(age_years=self.entered.age_years)
        return not self.seen.place_of and not self.stretches and self.entered == nothing

    def speaks_until_utc_s(self, over: bool) -> float:
        """Return up to where the day's data speak: the end of the last minute or stretch, or the newest entry.

        The day's end, or its beginning while it runs, where there is nothing with a time.
        """
        times = [] if self.seen.end_utc_s is None else [self.seen.end_utc_s]
        times += [row["end_utc_s"] for row in self.stretches]
        times += [entry.at_utc_s for entry in self.entered.pain]
        return min(max(times, default=self.end_utc_s if over else self.start_utc_s), self.end_utc_s)


def read_day(tx: Tx, athlete: Row, day: date) -> DayRows:
    """Read a local day but for what has to be read from its signal."""
    start, end = bounds_of(athlete, day)
    seen = Seen()
    by_place = minutes_by_place(seen.among(exposures.minutes_between(tx, athlete["id"], start, end)))
    return DayRows(
        day,
        start,
        end,
        seen,
        exposures.stretches_between(tx, athlete["id"], start, end),
        by_place,
        entered_of(tx, athlete, day),
    )


def assembled(rows: DayRows, signal: FromSignal, over: bool, counts_strokes: bool) -> Day:
    """Return the day. counts_strokes: the athlete's profile counts swings or throws."""
    return day_of(
        rows.day.toordinal(),
        rows.start_utc_s,
        rows.end_utc_s,
        over,
        rows.by_place,
        counts_strokes,
        [BendingStretch(**row["values"]) for row in rows.stretches],
        signal.bouts,
        rows.entered,
        signal.rmssd_s,
        signal.turns,
    )


def values_of(plain: dict[str, Any]) -> DayValues:
    """Return what a day was worth from its JSON values."""
    return DayValues(**{name: value for name, value in plain.items() if name in _LOOKED_BACK})


def minutes_by_place(rows: Iterable[Row]) -> dict[str, Minutes]:
    """Return rows of exposure as minutes of each place; what two recordings of a place saw at once counts once."""
    places: dict[str, list[tuple[str, float, MinuteRow]]] = {}
    for row in rows:
        above = {int(threshold): seconds for threshold, seconds in row["above_s"].items()}
        minute = MinuteRow(start_s=0.0, above_s=above, **{name: row[name] for name in _COUNTED})
        places.setdefault(row["placement"], []).append((row["stream_id"], row["start_utc_s"], minute))
    return {place: minutes_of(minutes) for place, minutes in places.items()}
