"""The diary: check-ins and trainings."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated

from pydantic import Field

from coach.service.diary import SITES, SYMPTOMS, CheckIn, CheckInView, TrainingView
from coach.service.personal_tokens import TokenScope
from coach.service.types import Level
from coach.web import access
from coach.web.access import Access
from coach.web.api.root import athlete_of, blueprint, tell
from coach.web.asked import Day, OneOf, Page, PageQuery, Scale, Text, Whole, page_of
from coach.web.described import Asked, describe
from coach.web.house import house

# Own choice: what a person remembers.
_DAYS_DEFAULT = 28
Site = Annotated[str, OneOf(SITES)]


class DiaryQuery(PageQuery):
    """Local days, both in it; without them the last four weeks."""

    since: Day | None = None
    until: Day | None = None


class Told(Asked):
    """How it is at one moment; what is null was not said. Scales 0 to 10."""

    pain_at_rest: Scale | None = None
    pain_in_motion: Scale | None = None
    soreness: Scale | None = None
    readiness: Scale | None = None
    sleep_h: Annotated[float, Field(ge=0, le=24)] | None = None
    sites: Annotated[tuple[Site, ...], Field(max_length=len(SITES))] = ()
    symptoms: Annotated[tuple[Annotated[str, OneOf(tuple(SYMPTOMS))], ...], Field(max_length=len(SYMPTOMS))] = ()
    note: Annotated[Text, Field(max_length=1000)] = ""
    pain_by_site: dict[Site, Scale] = Field(default_factory=dict)


class Trained(Asked):
    """A training of a local day, today without `on`. effort: 0 to 10, as felt."""

    what: Annotated[Text, Field(min_length=1, max_length=100, pattern=r"^[^\x00]*[^\s\x00][^\x00]*$")]
    duration_min: Annotated[int, Whole(0, 1440)]
    effort: Scale
    on: Day | None = None
    pitches: Annotated[int, Whole(0, 500)] | None = None


@blueprint.get("/athletes/<athlete_id>/checkins")
@access.rule(Access.SIGNED_IN, need=Level.VIEW)
@describe(scope=TokenScope.READ_DIARY, query=DiaryQuery, answer=Page[CheckInView])
def checkins(athlete_id: str, query: DiaryQuery) -> Page[CheckInView]:
    """List check-ins, newest first."""
    told, _ = house().services.diary.between(access.me(), athlete_id, *_days(athlete_id, query))
    return page_of(told[::-1], lambda each: each.checkin_id, query)


@blueprint.post("/athletes/<athlete_id>/checkins")
@access.rule(Access.SIGNED_IN, need=Level.FULL)
@describe(scope=TokenScope.WRITE_DIARY, takes=Told, answer=CheckInView, status=201, once=True)
def add_checkin(athlete_id: str, told: Told, key: str) -> CheckInView:
    """Check in: how it is now. Much pain pauses the program until the safety questions are answered."""
    made = house().services.diary.check_in(access.me(), athlete_id, CheckIn(**dict(told)), key)
    tell(athlete_id, "plan")
    return made


@blueprint.get("/checkins/<checkin_id>")
@access.rule(Access.SIGNED_IN, need=Level.VIEW)
@describe(scope=TokenScope.READ_DIARY, answer=CheckInView)
def checkin(checkin_id: str) -> CheckInView:
    """Return one check-in."""
    return house().services.diary.checkin(access.me(), checkin_id)


@blueprint.put("/checkins/<checkin_id>")
@access.rule(Access.SIGNED_IN, need=Level.FULL)
@describe(scope=TokenScope.WRITE_DIARY, takes=Told, answer=CheckInView)
def change_checkin(checkin_id: str, told: Told) -> CheckInView:
    """Replace what a check-in tells."""
    made = house().services.diary.complete(access.me(), checkin_id, CheckIn(**dict(told)))
    tell(made.athlete_id, "plan")
    return made


@blueprint.delete("/checkins/<checkin_id>")
@access.rule(Access.SIGNED_IN, need=Level.FULL)
@describe(scope=TokenScope.WRITE_DIARY, status=204)
def drop_checkin(checkin_id: str) -> None:
    """Delete a check-in that was a mistake; a pause that it brought stays."""
    house().services.diary.drop_checkin(access.me(), checkin_id)


@blueprint.get("/athletes/<athlete_id>/trainings")
@access.rule(Access.SIGNED_IN, need=Level.VIEW)
@describe(scope=TokenScope.READ_DIARY, query=DiaryQuery, answer=Page[TrainingView])
def trainings(athlete_id: str, query: DiaryQuery) -> Page[TrainingView]:
    """List what was trained, newest first."""
    _, done = house().services.diary.between(access.me(), athlete_id, *_days(athlete_id, query))
    return page_of(done[::-1], lambda each: each.training_id, query)


@blueprint.post("/athletes/<athlete_id>/trainings")
@access.rule(Access.SIGNED_IN, need=Level.FULL)
@describe(scope=TokenScope.WRITE_DIARY, takes=Trained, answer=TrainingView, status=201, once=True)
def add_training(athlete_id: str, told: Trained, key: str) -> TrainingView:
    """Enter a training."""
    return house().services.diary.add_training(
        access.me(),
        athlete_id,
        told.what,
        told.duration_min,
        told.effort,
        key,
        on=told.on,
        pitches=told.pitches,
    )


@blueprint.delete("/trainings/<training_id>")
@access.rule(Access.SIGNED_IN, need=Level.FULL)
@describe(scope=TokenScope.WRITE_DIARY, status=204)
def drop_training(training_id: str) -> None:
    """Delete a training that was a mistake."""
    house().services.diary.drop_training(access.me(), training_id)


def _days(athlete_id: str, query: DiaryQuery) -> tuple[date, date]:
    """Return the first day and the one after the last."""
    until = query.until or house().today(athlete_of(athlete_id).time_zone)
    return query.since or until - timedelta(days=_DAYS_DEFAULT - 1), until + timedelta(days=1)
