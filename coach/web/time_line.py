"""The time line of the athlete's page: which range is asked for, its answer for the chart, and its tables."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from flask import request
from pydantic import BeforeValidator, ValidationError, WithJsonSchema

from coach.errors import InvalidInput
from coach.language import gettext as _
from coach.service.ledger import Subject, reader_of
from coach.service.time_line_signal import SignalLane, Step
from coach.service.types import AthleteView, Identity
from coach.web import words
from coach.web.asked import FIRST_YEAR, LAST_YEAR, Whole
from coach.web.described import Query
from coach.web.house import house
from coach.web.time_line_words import TimeLineAnswer, answer_of, lane_words
from coach.written import number

# What is shown at first, in local days. Own choice: the twelve weeks of a program.
DAYS_FIRST = 84
# Points of a chart, and rows of the table behind it: more are not read. Own choices.
_POINTS, _ROWS = 400, 96
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?Z", re.ASCII)


def _as_moment(value: object) -> datetime:
    if isinstance(value, str) and _MOMENT.fullmatch(value) and FIRST_YEAR <= int(value[:4]) <= LAST_YEAR:
        return datetime.fromisoformat(value)
    raise ValueError(f"a moment is written as 2026-11-24T18:30:00Z, its year from {FIRST_YEAR} to {LAST_YEAR}")


Moment = Annotated[
    datetime,
    BeforeValidator(_as_moment),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-11-24T18:30:00Z"]}),
]


class TimeLineQuery(Query):
    """Which range, in UTC; without both, the twelve weeks up to today. points: how many a line has at most."""

    start: Moment | None = None
    end: Moment | None = None
    points: Annotated[int, Whole(50, 2000, True)] = _POINTS


@dataclass(frozen=True, slots=True)
class SignalRow:
    """One row of the table behind the signal, as it is read; empty where nothing is known.

    highest: inclination of the line, where it is fine enough. strokes: left and right.
    """

    when: str
    worn_s: float
    bends: str
    usual: str
    deep: str
    strokes: str
    highest: str


def query_in_address() -> TimeLineQuery:
    """Return which range a page's address asks for. Raises InvalidInput."""
    asked = {name: value for name in ("start", "end") if (value := request.args.get(name))}
    try:
        return TimeLineQuery.model_validate_strings({**asked, "points": str(_ROWS)})
    except ValidationError:
        raise InvalidInput(_("The range of this address cannot be read: choose another one on the page.")) from None


def answer(by: Identity, athlete: AthleteView, query: TimeLineQuery) -> TimeLineAnswer:
    """Return a time line for whoever asks, and note in the ledger what of it was read. Raises InvalidInput."""
    services = house().services
    if (query.start is None) is not (query.end is None):
        raise InvalidInput(_("A range has a start and an end: give both, or neither for the last twelve weeks."))
    start, end = query.start, query.end
    if start is None or end is None:
        start, end = services.time_line.days(by, athlete.athlete_id, DAYS_FIRST)
    view = services.time_line.between(by, athlete.athlete_id, start, end, query.points)
    reader = reader_of(by)
    if reader is not None:
        read = [Subject.SIGNAL, Subject.FINDINGS, Subject.DIARY, Subject.PROGRAM]
        read += [Subject.TESTS] if view.tests is not None else []
        read += [Subject.HEALTH] if view.treatments is not None else []
        for subject in read:
            services.ledger.note(reader, (athlete.athlete_id,), subject)
    return answer_of(view, athlete)


def part(by: Identity, athlete: AthleteView, query: TimeLineQuery) -> dict[str, Any]:
    """Return what coach/time_line.html and coach/time_line_numbers.html need."""
    services = house().services
    told = answer(by, athlete, query)
    lanes = ("findings", "pain", "sessions", "programs", "tests", "treatments")
    marks = sorted((each for lane in lanes for each in getattr(told, lane) or ()), key=lambda each: each.start_utc_s)
    now = house().now().timestamp()
    return {
        "athlete": athlete,
        "told": told,
        "signal_rows": rows_of(told.signal, athlete.time_zone, min(told.end_utc_s, now)),
        "marks": marks[::-1],
        "whole": services.time_line.days(by, athlete.athlete_id, DAYS_FIRST),
        "lane_words": lane_words(),
    }


def rows_of(lane: SignalLane, zone: str, until_utc_s: float) -> list[SignalRow]:
    """Return the rows of the table behind the signal, newest first; a time ahead has none."""
    rows = []
    for at, moment in enumerate(lane.t_utc_s):
        begun = moment - lane.step_s / 2
        if begun >= until_utc_s:
            break
        rows.append(_row(lane, at, zone))
    return rows[::-1]


def _row(lane: SignalLane, at: int, zone: str) -> SignalRow:
    there = words.in_zone(datetime.fromtimestamp(lane.t_utc_s[at] - lane.step_s / 2, UTC), zone)
    middle = words.in_zone(datetime.fromtimestamp(lane.t_utc_s[at], UTC), zone)
    today = house().today(zone)
    day = words.day_name(middle.date() if lane.step is Step.DAY else there.date(), today)
    low, high = (lane.usual_low[at], lane.usual_high[at]) if lane.usual_low else (None, None)
    left, right = lane.strokes_left[at], lane.strokes_right[at]
    deep = None if lane.deep_share[at] is None else 100.0 * (lane.deep_share[at] or 0.0)
    return SignalRow(
        day if lane.step is Step.DAY else f"{day} {there:%H:%M}",
        lane.worn_s[at],
        _number(lane.bends_per_h[at], 1),
        "" if low is None or high is None else f"{_number(low, 0)}–{_number(high, 0)}",
        _number(deep, 1, "\N{NO-BREAK SPACE}%"),
        "" if left is None and right is None else f"{left or 0} · {right or 0}",
        _number(_highest(lane, at), 0, "°"),
    )


def _number(value: float | None, decimals: int, unit: str = "") -> str:
    return "" if value is None else number(value, decimals) + unit


def _highest(lane: SignalLane, at: int) -> float | None:
    """Return the highest inclination of the line within a step, None where there is none."""
    begun = lane.t_utc_s[at] - lane.step_s / 2
    first, after = (bisect_left(lane.line_t_utc_s, edge) for edge in (begun, begun + lane.step_s))
    return max((each for each in lane.inclination_deg[first:after] if each is not None), default=None)
