"""The team's calendar: sessions, tests and appointments by week or month, each on the athlete's own local day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from flask import Blueprint, render_template, request

from coach.dates import month_name, short_day, weekday_names
from coach.errors import InvalidInput
from coach.language import gettext as _
from coach.service.team import monday_of
from coach.service.team_views import Entry, EntryKind
from coach.service.types import SessionState
from coach.web import access, reading
from coach.web.house import house
from coach.web.team_days import common_zone, day_asked, team_today

blueprint = Blueprint("team_calendar", __name__)

WEEK, MONTH = "week", "month"
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Cell:
    """One day of the calendar. named: what stands by name also in a month: tests and appointments."""

    day: date
    inside: bool
    entries: tuple[Entry, ...]
    sessions: int
    done: int
    missed: int
    named: tuple[Entry, ...]


@blueprint.get("/team/calendar")
@access.coach
def page() -> str:
    """Show the week of `?day=2026-11-24`, today without it, or with `?view=month` its month."""
    team = house().services.team
    members = team.members(access.me())
    reading.names(each.athlete_id for each in members)
    today, view = team_today(members), request.args.get("view", WEEK)
    if view not in (WEEK, MONTH):
        raise InvalidInput(_("A calendar shows a week or a month."))
    day = day_asked(today)
    first, after = _span(day, view)
    entries = team.calendar(access.me(), first, after)
    cells = _cells(entries, first, after, day if view == MONTH else None)
    before, later = _neighbours(day, view)
    return render_template(
        "team/calendar.html",
        view=view,
        cells=cells,
        weeks=[cells[at : at + 7] for at in range(0, len(cells), 7)],
        title=month_name(day) if view == MONTH else f"{short_day(first)} – {short_day(after - _DAY)}",
        day=day,
        today=today,
        before=before,
        later=later,
        weekdays=weekday_names(),
        zone=common_zone(members),
        anybody=bool(members),
    )


def _span(day: date, view: str) -> tuple[date, date]:
    """Return the first day that is shown and the one after the last: whole weeks."""
    if view == WEEK:
        return monday_of(day), monday_of(day) + timedelta(days=7)
    first = day.replace(day=1)
    return monday_of(first), monday_of(_next_month(first) - _DAY) + timedelta(days=7)


def _neighbours(day: date, view: str) -> tuple[date, date]:
    if view == WEEK:
        return day - timedelta(days=7), day + timedelta(days=7)
    return (day.replace(day=1) - _DAY).replace(day=1), _next_month(day)


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _cells(entries: Sequence[Entry], first: date, after: date, month_of: date | None) -> list[Cell]:
    of_day: dict[date, list[Entry]] = {}
    for entry in entries:
        of_day.setdefault(entry.day, []).append(entry)
    cells = []
    for day in (first + number * _DAY for number in range((after - first).days)):
        mine = of_day.get(day, [])
        states = Counter(each.state for each in mine if each.kind is EntryKind.SESSION)
        cells.append(
            Cell(
                day=day,
                inside=month_of is None or day.month == month_of.month,
                entries=tuple(mine),
                sessions=sum(states.values()),
                done=states[SessionState.DONE],
                missed=states[SessionState.SKIPPED],
                named=tuple(each for each in mine if each.kind is not EntryKind.SESSION),
            )
        )
    return cells
