"""What is chosen for an athlete: times to train, equipment, profile, reminders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from coach.analysis.detectors.caps import PitchCaps
from coach.analysis.detectors.types import Profile, Threshold
from coach.service.choices import TIME_MAX, TIME_MIN, ChoicesView
from coach.service.personal_tokens import TokenScope
from coach.service.reminder_choices import SNOOZE_MAX, SNOOZE_MIN, Choices
from coach.service.types import AthleteView, Level
from coach.service.weeks import WeekChange
from coach.web import access
from coach.web.access import Access
from coach.web.api.root import athlete_of, blueprint, tell
from coach.web.asked import Birth, Day, OneOf, Page, PageQuery, Text, TimeOfDay, Whole, page_of
from coach.web.described import Asked, describe
from coach.web.house import house
from programs.exercises import EQUIPMENT
from programs.types import Availability, Stay

_WEEKDAYS = tuple(str(day) for day in range(7))
Weekday = Annotated[int, Whole(0, 6)]
Zone = Annotated[Text, Field(min_length=1, max_length=64, json_schema_extra={"format": "time-zone"})]


class Journey(Asked):
    """Days on a journey, both ends in it. time_zone: IANA name."""

    first: Day
    last: Day
    time_zone: Zone


class Times(Asked):
    """When an athlete can train. weekdays: 0 Monday to 6 Sunday. times: weekdays with a time of their own."""

    time_zone: Zone
    weekdays: Annotated[tuple[Weekday, ...], Field(min_length=1, max_length=7)]
    preferred: TimeOfDay
    wake: TimeOfDay
    times: dict[Annotated[str, OneOf(_WEEKDAYS)], TimeOfDay] = Field(default_factory=dict)
    travel: Annotated[tuple[Journey, ...], Field(max_length=20)] = ()


class Chosen(Asked):
    """What is at hand, and how long a session may be; null: as long as it takes."""

    equipment: Annotated[tuple[Annotated[str, OneOf(tuple(EQUIPMENT))], ...], Field(max_length=len(EQUIPMENT))]
    session_max_min: Annotated[int, Whole(TIME_MIN, TIME_MAX)] | None = None


class ChosenProfile(Asked):
    """What is looked for, and the date of birth; null forgets it."""

    profile_id: Annotated[Text, Field(min_length=1, max_length=40, json_schema_extra={"format": "profile"})]
    born_on: Birth | None


class ChosenReminders(Asked):
    """How an athlete wants to be reminded. lead_min: minutes before a session, each a reminder."""

    calendar_on: bool
    mail_on: bool
    push_on: bool
    webhook_on: bool
    mail_address: Annotated[Text, Field(max_length=254)]
    lead_min: Annotated[tuple[Annotated[int, Whole(0, 1440)], ...], Field(max_length=4)]
    quiet_from: TimeOfDay
    quiet_until: TimeOfDay
    snooze_min: Annotated[int, Whole(SNOOZE_MIN, SNOOZE_MAX)]
    calendar_why: bool = False


@dataclass(frozen=True, slots=True)
class ProfileView:
    """A sport or a kind of work: what is looked for with which limits, what that needs, and what cannot be seen.

    least: limits of a usable day. caps: of pitches by age, null where nobody pitches.
    """

    profile_id: str
    name: str
    version: str
    effective_on: str
    stroke: str | None
    least: dict[str, Threshold]
    detectors: dict[str, dict[str, Threshold]]
    sensors: tuple[str, ...]
    cannot_see: tuple[str, ...]
    caps: PitchCaps | None


def _profile_view(each: Profile) -> ProfileView:
    return ProfileView(
        each.id,
        each.name,
        each.version,
        each.effective_on,
        each.stroke,
        dict(each.least),
        {kind.value: dict(limits) for kind, limits in each.detectors.items()},
        each.sensors,
        each.cannot_see,
        each.caps,
    )


@blueprint.get("/athletes/<athlete_id>/availability")
@access.rule(Access.SIGNED_IN, need=Level.VIEW)
@describe(scope=TokenScope.READ_ATHLETE, answer=Times)
def availability(athlete_id: str) -> Times:
    """Return when an athlete can train."""
    kept = house().services.athletes.availability(athlete_of(athlete_id).athlete_id)
    return Times.model_construct(
        time_zone=kept.time_zone,
        weekdays=kept.weekdays,
        preferred=kept.preferred,
        wake=kept.wake,
        times={str(day): each for day, each in kept.times},
        travel=tuple(Journey.model_construct(first=each.first, last=each.last, time_zone=each.time_zone)
                     for each in kept.travel),
    )  # fmt: skip


@blueprint.put("/athletes/<athlete_id>/availability")
@access.rule(Access.SIGNED_IN, need=Level.PLAN)
@describe(scope=TokenScope.WRITE_ATHLETE, takes=Times, answer=WeekChange)
def set_availability(athlete_id: str, told: Times) -> WeekChange:
    """Keep when an athlete can train; answers what became of the planned sessions."""
    athlete_of(athlete_id)
    wanted = Availability(
        told.time_zone,
        told.weekdays,
        told.preferred,
        told.wake,
        travel=tuple(Stay(each.first, each.last, each.time_zone) for each in told.travel),
        times=tuple(sorted((int(day), each) for day, each in told.times.items())),
    )
    change = house().services.athletes.set_availability(access.me(), athlete_id, wanted)
    tell(athlete_id, "plan")
    return change


@blueprint.get("/athletes/<athlete_id>/choices")
@access.rule(Access.SIGNED_IN, need=Level.VIEW)
@describe(scope=TokenScope.READ_ATHLETE, answer=ChoicesView)
def choices(athlete_id: str) -> ChoicesView:
    """Return what is at hand, and which exercises were said no to."""
    return house().services.choices.of_athlete(access.me(), athlete_id)


@blueprint.put("/athletes/<athlete_id>/choices")
@access.rule(Access.SIGNED_IN, need=Level.PLAN)
@describe(scope=TokenScope.WRITE_ATHLETE, takes=Chosen, answer=ChoicesView)
def set_choices(athlete_id: str, told: Chosen) -> ChoicesView:
    """Keep what is at hand and how long a session may be; the next program obeys it."""
    house().services.choices.choose(access.me(), athlete_id, told.equipment, told.session_max_min)
    return choices_now(athlete_id)


@blueprint.put("/athletes/<athlete_id>/declined/<exercise_id>")
@access.rule(Access.SIGNED_IN, need=Level.PLAN)
@describe(scope=TokenScope.WRITE_ATHLETE, answer=ChoicesView, refuses=(409, 422))
def decline_exercise(athlete_id: str, exercise_id: str) -> ChoicesView:
    """Say no to an exercise: it is left out from now on."""
    house().services.choices.say_no(access.me(), athlete_id, exercise_id)
    return choices_now(athlete_id)


@blueprint.delete("/athletes/<athlete_id>/declined/<exercise_id>")
@access.rule(Access.SIGNED_IN, need=Level.PLAN)
@describe(scope=TokenScope.WRITE_ATHLETE, answer=ChoicesView)
def take_exercise_back(athlete_id: str, exercise_id: str) -> ChoicesView:
    """Take a no back; the exercise comes back with a new program only."""
    house().services.choices.take_back(access.me(), athlete_id, exercise_id)
    return choices_now(athlete_id)


def choices_now(athlete_id: str) -> ChoicesView:
    """Return the choices as they are after a change, of which pages are told."""
    tell(athlete_id, "plan")
    return house().services.choices.of_athlete(access.me(), athlete_id)


@blueprint.put("/athletes/<athlete_id>/profile")
@access.rule(Access.SIGNED_IN, need=Level.PLAN)
@describe(scope=TokenScope.WRITE_ATHLETE, takes=ChosenProfile, answer=AthleteView)
def set_profile(athlete_id: str, told: ChosenProfile) -> AthleteView:
    """Choose what is looked for, and the date of birth; judged days are judged anew."""
    athletes, me = house().services.athletes, access.me()
    athlete_of(athlete_id)
    profile = house().services.profiles.get(told.profile_id)
    athletes.set_born_on(me, athlete_id, told.born_on)
    athletes.set_profile(me, athlete_id, profile.id)
    return athlete_of(athlete_id)


@blueprint.get("/profiles")
@access.signed_in
@describe(scope=TokenScope.READ_ATHLETE, query=PageQuery, answer=Page[ProfileView])
def profiles(query: PageQuery) -> Page[ProfileView]:
    """List what can be looked for, sport by sport, with every limit and its source."""
    page = page_of(house().services.profiles.all(), lambda each: each.id, query)
    return Page(tuple(map(_profile_view, page.items)), page.next)


@blueprint.get("/athletes/<athlete_id>/reminders")
@access.athlete
@describe(scope=TokenScope.READ_ATHLETE, answer=Choices)
def reminders(athlete_id: str) -> Choices:
    """Return how the athlete who asks wants to be reminded."""
    return house().services.reminder_settings.view(access.me(), athlete_id).choices


@blueprint.put("/athletes/<athlete_id>/reminders")
@access.athlete
@describe(scope=TokenScope.WRITE_ATHLETE, takes=ChosenReminders, answer=Choices)
def set_reminders(athlete_id: str, told: ChosenReminders) -> Choices:
    """Keep how the athlete who asks wants to be reminded."""
    settings = house().services.reminder_settings
    settings.choose(access.me(), athlete_id, Choices(**dict(told)))
    return settings.view(access.me(), athlete_id).choices
