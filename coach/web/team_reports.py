"""Reports of the team: a week or block of each athlete as PDF, of everybody as a table for a spreadsheet."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import timedelta
from statistics import median

from flask import Blueprint, Response, render_template, request

from coach.csv_text import Cell, write_csv
from coach.errors import InvalidInput
from coach.exercise_texts import in_words
from coach.language import gettext as _
from coach.reports.period import Words, file_name, pdf_of
from coach.service.team import BLOCK_WEEKS, monday_of
from coach.service.team_views import Period
from coach.service.types import Level
from coach.web import access, reading
from coach.web.access import Access
from coach.web.assessment_words import test_name
from coach.web.findings import local_day
from coach.web.house import house
from coach.web.kind_words import kind_name
from coach.web.team_days import day_asked, team_today
from coach.web.words import GRADE_WORD
from programs.exercises import library

blueprint = Blueprint("team_reports", __name__)

WEEK, BLOCK = "week", "block"
# Machine's names with their units; they stay the same in every language, so that a sheet of ours goes on working.
COLUMNS = (
    "athlete", "sport", "time_zone", "week_from", "sessions_planned", "sessions_done", "sessions_not_done", "worn_days",
    "bends_per_worn_hour_median", "trainings_min", "load_effort_min", "pain_days", "pain_worst_median_0_10",
    "pain_worst_max_0_10", "findings", "findings_open",
)  # fmt: skip


@blueprint.get("/team/reports")
@access.coach
def page() -> str:
    """Offer the week and the block of everybody, of the week of `?day=2026-11-24`, this week without it."""
    members = house().services.team.members(access.me())
    reading.names(each.athlete_id for each in members)
    monday = monday_of(day_asked(team_today(members)))
    return render_template(
        "team/reports.html",
        members=members,
        monday=monday,
        sunday=monday + timedelta(days=6),
        before=monday - timedelta(days=7),
        after=monday + timedelta(days=7) if monday + timedelta(days=7) <= team_today(members) else None,
        block_weeks=BLOCK_WEEKS,
    )


@blueprint.get("/team/report.csv")
@access.coach
def table() -> Response:
    """Return a row for each athlete and week, `?what=block` of four weeks."""
    team = house().services.team
    members = team.members(access.me())
    reading.names(each.athlete_id for each in members)
    monday, weeks = monday_of(day_asked(team_today(members))), BLOCK_WEEKS if _what() == BLOCK else 1
    first = monday - timedelta(weeks=weeks - 1)
    out = io.StringIO(newline="")
    write_csv(out, COLUMNS, _rows(team.table(access.me(), first, weeks)))
    answer = Response(out.getvalue(), content_type="text/csv; charset=utf-8")
    named = f"backstop-team-{first.isoformat()}.csv"
    answer.headers["Content-Disposition"] = f'attachment; filename="{named}"'  # no words
    return answer


@blueprint.get("/athletes/<athlete_id>/report.pdf")
@access.rule(Access.SIGNED_IN, need=Level.VIEW)
def pdf(athlete_id: str) -> Response:
    """Return a week on a page, `?what=block` the weeks of the running program; `?day=` says up to when."""
    team = house().services.team
    athlete = house().services.athletes.get(access.me(), athlete_id)
    day = local_day(athlete, request.args.get("day"))
    if _what() == BLOCK:
        period = team.block(access.me(), athlete_id, day)
    else:
        period = team.period(access.me(), athlete_id, monday_of(day), 1)
    words = Words(kind_name, lambda grade: str(GRADE_WORD.get(grade, grade)), test_name, _exercises(period))
    content = pdf_of(period, words)
    answer = Response(content, content_type="application/pdf")
    answer.headers["Content-Disposition"] = f'attachment; filename="{file_name(period)}"'  # no words
    answer.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return answer


def _what() -> str:
    what = request.args.get("what", WEEK)
    if what not in (WEEK, BLOCK):
        raise InvalidInput(_("A report is of a week or of a block."))
    return what


def _exercises(period: Period) -> str:
    """Return the program's exercises; one that left the library goes by its id."""
    known = ((each, library().get(each)) for each in period.exercises)
    return ", ".join(in_words(found).name if found is not None else each.replace("_", " ") for each, found in known)


def _rows(periods: tuple[Period, ...]) -> Iterator[tuple[Cell, ...]]:
    for period in periods:
        for week in period.weeks():
            bends, loads = week.bends_per_h(), [each.load for each in week.days if each.load is not None]
            kinds = dict.fromkeys(each.kind for each in week.findings)
            yield (
                period.athlete.name, period.athlete.sport, period.athlete.time_zone, week.first,
                week.planned, week.done, week.skipped, week.worn_days,
                None if bends is None else round(bends, 1), week.training_min, sum(loads) if loads else None,
                len(week.pains), median(week.pains) if week.pains else None, max(week.pains, default=None),
                "; ".join(kinds), sum(each.open for each in week.findings),
            )  # fmt: skip
