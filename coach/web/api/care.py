"""What is tried, how everyday life goes, what a lock says, where a spasm stands, what the doctor said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from coach.service.care_views import (
    DoctorPlanView,
    ImagingView,
    QuestionnaireView,
    ResponseView,
    TreatmentKind,
    TreatmentView,
)
from coach.service.everyday import ACTIVITIES_MAX, STATEMENTS
from coach.service.personal_tokens import TokenScope
from coach.service.spasm_views import SpasmView
from coach.service.types import Level, Purpose, TriageView
from coach.web import access
from coach.web.access import Access
from coach.web.api.root import athlete_of, blueprint
from coach.web.asked import Day, OneOf, Page, PageQuery, Scale, Text, page_of
from coach.web.described import Asked, describe
from coach.web.house import house
from programs.types import TriageQuestion

_WORDS = Annotated[Text, Field(max_length=200)]
Statement = Annotated[str, OneOf(tuple(STATEMENTS))]
Activity = Annotated[Text, Field(min_length=1, max_length=100)]


class Tried(Asked):
    """Something that is tried, from today on without days. words: what the doctor named, for kind doctor only."""

    kind: TreatmentKind
    started_on: Day | None = None
    ended_on: Day | None = None
    words: _WORDS = ""
    note: Annotated[Text, Field(max_length=1000)] = ""


class Ended(Asked):
    """The last day, today without it."""

    may_be_empty = True
    on: Day | None = None


class Everyday(Asked):
    """Which of the statements hold today; the others do not."""

    holds: Annotated[tuple[Statement, ...], Field(max_length=len(STATEMENTS))]


class Activities(Asked):
    """How well own activities go: 0 cannot, 10 as before."""

    rated: Annotated[dict[Activity, Scale], Field(min_length=1, max_length=ACTIVITIES_MAX)]


@dataclass(frozen=True, slots=True)
class SafetyView:
    """The safety questions, and what follows from the answers that stand. A person answers them, on their page."""

    state: TriageView
    questions: tuple[TriageQuestion, ...]


@dataclass(frozen=True, slots=True)
class SpasmNow:
    """Where an acute spasm stands, null without one."""

    spasm: SpasmView | None


@dataclass(frozen=True, slots=True)
class DoctorView:
    """What the doctor said last, null before the first time, and the examinations, newest first."""

    plan: DoctorPlanView | None
    imagings: tuple[ImagingView, ...]


@blueprint.get("/athletes/<athlete_id>/treatments")
@access.rule(Access.SIGNED_IN, need=Level.VIEW, purpose=Purpose.PAIN_TEXT)
@describe(scope=TokenScope.READ_DIARY, query=PageQuery, answer=Page[TreatmentView])
def treatments(athlete_id: str, query: PageQuery) -> Page[TreatmentView]:
    """List what is and was tried, what goes on first."""
    return page_of(
        house().services.treatments.of_athlete(access.me(), athlete_id), lambda each: each.treatment_id, query
    )


@blueprint.post("/athletes/<athlete_id>/treatments")
@access.rule(Access.SIGNED_IN, need=Level.FULL, purpose=Purpose.PAIN_TEXT)
@describe(scope=TokenScope.WRITE_DIARY, takes=Tried, answer=TreatmentView, status=201, once=True)
def add_treatment(athlete_id: str, told: Tried, key: str) -> TreatmentView:
    """Enter something that is tried. Of medicine only that some was taken: no name, no dose."""
    return house().services.treatments.add(
        access.me(), athlete_id, told.kind, key, told.started_on, told.ended_on, told.words, told.note
    )


@blueprint.post("/treatments/<treatment_id>/end")
@access.rule(Access.SIGNED_IN, need=Level.FULL, purpose=Purpose.PAIN_TEXT)
@describe(scope=TokenScope.WRITE_DIARY, takes=Ended, answer=TreatmentView)
def end_treatment(treatment_id: str, told: Ended) -> TreatmentView:
    """Set the last day of what was tried."""
    return house().services.treatments.end(access.me(), treatment_id, told.on)


@blueprint.delete("/treatments/<treatment_id>")
@access.rule(Access.SIGNED_IN, need=Level.FULL, purpose=Purpose.PAIN_TEXT)
@describe(scope=TokenScope.WRITE_DIARY, status=204)
def drop_treatment(treatment_id: str) -> None:
    """Delete what was entered by mistake."""
    house().services.treatments.drop(access.me(), treatment_id)


@blueprint.get("/athletes/<athlete_id>/response")
@access.rule(Access.SIGNED_IN, need=Level.VIEW, purpose=Purpose.PAIN_TEXT)
@describe(scope=TokenScope.READ_DIARY, answer=ResponseView)
def response(athlete_id: str) -> ResponseView:
    """Return the single case: weeks, phases, and what was different after what."""
    return house().services.treatments.response(access.me(), athlete_id)


@blueprint.get("/athletes/<athlete_id>/questionnaires")
@access.rule(Access.SIGNED_IN, need=Level.VIEW, purpose=Purpose.PAIN_TEXT)
@describe(scope=TokenScope.READ_DIARY, query=PageQuery, answer=Page[QuestionnaireView])
def questionnaires(athlete_id: str, query: PageQuery) -> Page[QuestionnaireView]:
    """List the answers about everyday life and own activities, oldest first."""
    said = house().services.questionnaires.of_athlete(access.me(), athlete_id)
    # They have no name of their own and are never deleted: the number from the oldest stays.
    numbered = list(enumerate(said))
    page = page_of(numbered, lambda each: str(each[0]), query)
    return Page(tuple(each for _, each in page.items), page.next)


@blueprint.post("/athletes/<athlete_id>/questionnaires/everyday")
@access.rule(Access.SIGNED_IN, need=Level.FULL, purpose=Purpose.PAIN_TEXT)
@describe(scope=TokenScope.WRITE_DIARY, takes=Everyday, answer=QuestionnaireView, status=201, once=True)
def answer_everyday(athlete_id: str, told: Everyday, key: str) -> QuestionnaireView:
    """Store which statements about everyday life hold today."""
    return house().services.questionnaires.answer_everyday(access.me(), athlete_id, told.holds, key)


@blueprint.post("/athletes/<athlete_id>/questionnaires/activities")
@access.rule(Access.SIGNED_IN, need=Level.FULL, purpose=Purpose.PAIN_TEXT)
@describe(scope=TokenScope.WRITE_DIARY, takes=Activities, answer=QuestionnaireView, status=201, once=True)
def rate_activities(athlete_id: str, told: Activities, key: str) -> QuestionnaireView:
    """Store how well own activities go."""
    return house().services.questionnaires.rate_activities(access.me(), athlete_id, told.rated, key)


@blueprint.get("/athletes/<athlete_id>/safety")
@access.rule(Access.SIGNED_IN, need=Level.VIEW)
@describe(scope=TokenScope.READ_DIARY, answer=SafetyView)
def safety(athlete_id: str) -> SafetyView:
    """Return what the safety questions came to; a coach sees that the program is held, not why."""
    triage = house().services.triage
    return SafetyView(triage.view_for(access.me(), athlete_id), triage.questions())


@blueprint.get("/athletes/<athlete_id>/spasm")
@access.rule(Access.SIGNED_IN, need=Level.VIEW, purpose=Purpose.PAIN_TEXT)
@describe(scope=TokenScope.READ_DIARY, answer=SpasmNow)
def spasm(athlete_id: str) -> SpasmNow:
    """Return where an acute spasm stands."""
    return SpasmNow(house().services.spasms.view(access.me(), athlete_id))


@blueprint.get("/athletes/<athlete_id>/doctor")
@access.rule(Access.SIGNED_IN, need=Level.FULL, purpose=Purpose.PAIN_TEXT)
@describe(scope=TokenScope.READ_DIARY, answer=DoctorView)
def doctor(athlete_id: str) -> DoctorView:
    """Return what the doctor said, and which examinations there are."""
    doctor, me = house().services.doctor, access.me()
    athlete_of(athlete_id)
    return DoctorView(doctor.plan(me, athlete_id), doctor.imagings(me, athlete_id))
