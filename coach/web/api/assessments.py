"""Tests that a person did: which there are, what they say, and results that were taken elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from coach.analysis.assessment_types import AssessmentTest
from coach.service.assessment_views import AssessmentView, Results, Retest
from coach.service.entered import Entered
from coach.service.personal_tokens import TokenScope
from coach.service.types import Level
from coach.web import access
from coach.web.access import Access
from coach.web.api.root import blueprint
from coach.web.asked import Page, PageQuery, Text, page_of
from coach.web.described import Asked, describe
from coach.web.house import house


class Result(Asked):
    """What was read off. values: one; of a dynamometer up to three tries. unit: of a dynamometer, N, kg or lb.

    exercise, load_kg: of repetitions and their speed.
    """

    test: AssessmentTest
    values: Annotated[tuple[Annotated[float, Field(gt=0, le=10_000)], ...], Field(min_length=1, max_length=3)]
    unit: Annotated[Text, Field(max_length=10)] = ""
    exercise: Annotated[Text, Field(max_length=100)] = ""
    load_kg: Annotated[float, Field(ge=0, le=500)] = 0.0


class ResultsTaken(Asked):
    """Results of one occasion."""

    results: Annotated[tuple[Result, ...], Field(min_length=1, max_length=len(AssessmentTest))]


@dataclass(frozen=True, slots=True)
class TestsView:
    """running: that goes on. refused: why none may begin now. retest: when the next battery is due."""

    running: AssessmentView | None
    refused: str | None
    retest: Retest | None


@blueprint.get("/athletes/<athlete_id>/tests")
@access.rule(Access.SIGNED_IN, need=Level.FULL)
@describe(scope=TokenScope.READ_FINDINGS, answer=TestsView)
def tests(athlete_id: str) -> TestsView:
    """Return whether tests go on, may begin, and when they are due."""
    seen = house().services.assessments.overview(access.me(), athlete_id)
    return TestsView(seen.running, seen.refused, seen.retest)


@blueprint.get("/athletes/<athlete_id>/assessments")
@access.rule(Access.SIGNED_IN, need=Level.FULL)
@describe(scope=TokenScope.READ_FINDINGS, query=PageQuery, answer=Page[AssessmentView])
def assessments(athlete_id: str, query: PageQuery) -> Page[AssessmentView]:
    """List the newest tests with every trial, newest first."""
    past = house().services.assessments.overview(access.me(), athlete_id).past
    return page_of(past, lambda each: each.assessment_id, query)


@blueprint.post("/athletes/<athlete_id>/assessments")
@access.rule(Access.SIGNED_IN, need=Level.FULL)
@describe(scope=TokenScope.WRITE_DIARY, takes=ResultsTaken, answer=AssessmentView, status=201, once=True)
def add_assessment(athlete_id: str, told: ResultsTaken, key: str) -> AssessmentView:
    """Enter results that were taken elsewhere, as an assessment of their own."""
    entered = [Entered(each.test, each.values, each.unit, each.exercise, each.load_kg) for each in told.results]
    made = house().services.assessments.record(access.me(), athlete_id, entered, key)
    return house().services.assessments.get(access.me(), made)


@blueprint.get("/assessments/<assessment_id>")
@access.rule(Access.SIGNED_IN, need=Level.FULL)
@describe(scope=TokenScope.READ_FINDINGS, answer=Results)
def assessment(assessment_id: str) -> Results:
    """Return what an assessment says against the rules, the tests' noise and the athlete's own."""
    return house().services.assessments.results(access.me(), assessment_id)
