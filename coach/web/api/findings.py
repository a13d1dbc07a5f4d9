"""Findings with their evidence, what a day says, the signal behind it, and models of work."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from math import isnan

from flask import abort

from coach.service.jobs import JobView
from coach.service.personal_tokens import TokenScope
from coach.service.types import AnswerView, DifferenceView, FindingView, Level, SignalWindow
from coach.web import access
from coach.web.access import Access
from coach.web.api.root import athlete_of, blueprint
from coach.web.asked import FIRST_YEAR, Day, LocalDayQuery, Page, PageQuery, WindowQuery, day_in_path, page_of
from coach.web.described import describe
from coach.web.house import house

# Own bound: a finding lasts for days, so that these are many years.
_FINDINGS_MAX = 5000
# To ask whose a job is; what its model says of that day is thrown away.
_ANY_DAY = date(FIRST_YEAR, 1, 1)


class DifferenceQuery(PageQuery):
    """From which day on."""

    since: Day | None = None


class DayQuery(PageQuery):
    """Of which local day; today without it."""

    day: Day | None = None


@dataclass(frozen=True, slots=True)
class DayAnswers:
    """What the newest edition says of every kind on a local day; empty where nothing has judged it."""

    athlete_id: str
    local_date: date
    time_zone: str
    answers: tuple[AnswerView, ...]


@blueprint.get("/athletes/<athlete_id>/findings")
@access.rule(Access.SIGNED_IN, need=Level.VIEW)
@describe(scope=TokenScope.READ_FINDINGS, query=PageQuery, answer=Page[FindingView])
def findings(athlete_id: str, query: PageQuery) -> Page[FindingView]:
    """List an athlete's current findings with their evidence, newest first."""
    found = house().services.findings.for_athlete(athlete_of(athlete_id).athlete_id, limit=_FINDINGS_MAX)
    return page_of(found, lambda each: each.finding_id, query)


@blueprint.get("/findings/<finding_id>")
@access.rule(Access.SIGNED_IN, need=Level.VIEW)
@describe(scope=TokenScope.READ_FINDINGS, answer=FindingView)
def finding(finding_id: str) -> FindingView:
    """Return one finding with its evidence, also a superseded one."""
    return house().services.findings.get(access.me(), finding_id)


@blueprint.get("/findings/<finding_id>/signal")
@access.rule(Access.SIGNED_IN, need=Level.VIEW)
@describe(scope=TokenScope.READ_SIGNALS, query=WindowQuery, answer=SignalWindow)
def finding_signal(finding_id: str, query: WindowQuery) -> SignalWindow:
    """Return the inclination around what a finding rests on."""
    found = house().services.findings.get(access.me(), finding_id)
    if query.window is not None and query.window >= len(found.windows):
        abort(404, f"This finding has {len(found.windows)} windows, counted from 0.")
    return without_nan(house().services.motion.window(access.me(), finding_id, query.window))


@blueprint.get("/athletes/<athlete_id>/days/<day>")
@access.rule(Access.SIGNED_IN, need=Level.VIEW)
@describe(scope=TokenScope.READ_FINDINGS, answer=DayAnswers)
def day(athlete_id: str, day: str) -> DayAnswers:
    """Return what is said of every kind on a local day."""
    athlete, local = athlete_of(athlete_id), day_in_path(day)
    answers = house().services.findings.answers(access.me(), athlete_id, local)
    return DayAnswers(athlete_id, local, athlete.time_zone, answers)


@blueprint.get("/athletes/<athlete_id>/days/<day>/signal")
@access.rule(Access.SIGNED_IN, need=Level.VIEW)
@describe(scope=TokenScope.READ_SIGNALS, answer=SignalWindow)
def day_signal(athlete_id: str, day: str) -> SignalWindow:
    """Return the inclination of the trunk over a local day."""
    return without_nan(house().services.motion.day_line(athlete_of(athlete_id).athlete_id, day_in_path(day)))


@blueprint.get("/athletes/<athlete_id>/differences")
@access.rule(Access.SIGNED_IN, need=Level.VIEW)
@describe(scope=TokenScope.READ_FINDINGS, query=DifferenceQuery, answer=Page[DifferenceView])
def differences(athlete_id: str, query: DifferenceQuery) -> Page[DifferenceView]:
    """List the days and kinds of which the two newest editions say different things, earliest first."""
    found = house().services.findings.differences(access.me(), athlete_id, query.since)
    return page_of(found, lambda each: f"{each.local_date}.{each.kind}", query)


@blueprint.get("/athletes/<athlete_id>/jobs")
@access.rule(Access.SIGNED_IN, need=Level.VIEW)
@describe(scope=TokenScope.READ_FINDINGS, query=DayQuery, answer=Page[JobView])
def jobs(athlete_id: str, query: DayQuery) -> Page[JobView]:
    """List an athlete's jobs, newest first, each with what its model says of a local day."""
    local = query.day or house().today(athlete_of(athlete_id).time_zone)
    return page_of(house().services.jobs.of_athlete(access.me(), athlete_id, local), lambda each: each.job_id, query)


@blueprint.get("/jobs/<job_id>")
@access.rule(Access.SIGNED_IN, need=Level.VIEW)
@describe(scope=TokenScope.READ_FINDINGS, query=LocalDayQuery, answer=JobView)
def job(job_id: str, query: LocalDayQuery) -> JobView:
    """Return one job with what its model says of a local day."""
    jobs = house().services.jobs
    athlete = athlete_of(jobs.get(access.me(), job_id, query.day or _ANY_DAY).athlete_id)
    return jobs.get(access.me(), job_id, query.day or house().today(athlete.time_zone))


def without_nan(window: SignalWindow) -> SignalWindow:
    """Return a window with null for what is no number, angles to a tenth of a degree."""
    told = tuple(None if value is None or isnan(value) else round(value, 1) for value in window.inclination_deg)
    return replace(window, inclination_deg=told)
