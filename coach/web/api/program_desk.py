"""The program desk: what waits, changed by hand, decided for many; templates, the library, messages with sessions."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from coach.service.own_exercises import OwnExerciseView
from coach.service.personal_tokens import TokenScope
from coach.service.plan_templates import TemplateView
from coach.service.program_desk import MANY_MAX, Outcome, Waiting
from coach.service.session_messages import MESSAGE_MAX, MessageView
from coach.service.types import Level, PlanView
from coach.web import access, reading
from coach.web.access import Access
from coach.web.api.root import blueprint, tell
from coach.web.asked import Page, PageQuery, Text, Whole, page_of
from coach.web.described import Asked, describe
from coach.web.house import house
from programs import compose
from programs.exercises import library
from programs.types import Exercise

_Id = Annotated[str, Field(pattern=r"^[0-9A-Za-z_-]{1,60}$")]
_Ids = Annotated[list[_Id], Field(max_length=MANY_MAX)]
_Name = Annotated[str, Field(pattern=r"^[^\x00]*$", max_length=200)]


class Chosen(Asked):
    """An exercise at a level, counted from 0.

    repetitions: one for each set; without them as it stood, or as the level says.
    """

    exercise_id: _Id
    level: Annotated[int, Whole(0, 20)]
    repetitions: Annotated[list[Annotated[int, Whole(1, 100)]], Field(min_length=1, max_length=10)] | None = None
    hold_s: Annotated[float, Field(ge=1, le=600)] | None = None


class Edited(Asked):
    """A program as it was put together by hand."""

    exercises: Annotated[list[Chosen], Field(min_length=1, max_length=compose.BY_HAND_MAX)]
    sessions_per_week: Annotated[int, Whole(1, 7)]
    weeks: Annotated[int, Whole(1, 52)]


class NewTemplate(Edited):
    """A template. name: in one's own words."""

    name: _Name


class Named(Asked):
    """A name."""

    name: _Name


class Applied(Asked):
    """Whom a template is proposed to. more: a yes to its levels, also above what an athlete does today."""

    athlete_ids: Annotated[list[_Id], Field(min_length=1, max_length=MANY_MAX)]
    more: bool = False


class Decided(Asked):
    """A yes or no to proposals and steps. reason: a word on it."""

    yes: bool
    plan_ids: _Ids = []  # noqa: RUF012 - a model copies its defaults
    change_ids: _Ids = []  # noqa: RUF012
    reason: Text | None = None


class Entry(Asked):
    """An exercise of one's own, with the keys of a table of programs/exercises.toml but for `id`."""

    entry: dict[str, Any]


class Message(Asked):
    """A message; an empty one takes it back."""

    text: Annotated[str, Field(pattern=r"^[^\x00]*$", max_length=MESSAGE_MAX)]


@blueprint.get("/program-desk")
@access.coach
@describe(scope=TokenScope.READ_PLANS, query=PageQuery, answer=Page[Waiting])
def program_desk(query: PageQuery) -> Page[Waiting]:
    """List what waits for the coach's yes, each proposal as a difference to what runs."""
    page = page_of(house().services.program_desk.waiting(access.me()), lambda each: each.athlete_id, query)
    reading.names(each.athlete_id for each in page.items)
    return page


@blueprint.post("/program-desk/decisions")
@access.coach
@describe(scope=TokenScope.WRITE_PLANS, takes=Decided, answer=list[Outcome])
def decide_many(told: Decided) -> list[Outcome]:
    """Accept or decline many, each as one is; an outcome with a problem says why nothing was done."""
    desk = house().services.program_desk
    decide = desk.accept_many if told.yes else desk.decline_many
    return _told(decide(access.me(), told.plan_ids, told.change_ids, told.reason))


@blueprint.post("/plans/<plan_id>/edit")
@access.rule(Access.SIGNED_IN, need=Level.PLAN)
@describe(scope=TokenScope.WRITE_PLANS, takes=Edited, answer=PlanView, refuses=(409, 422))
def edit_plan(plan_id: str, told: Edited) -> PlanView:
    """Change a proposal, or a program that runs, by hand: answers the new proposal, which waits for its yes."""
    chosen = _chosen(told)
    changed = house().services.program_desk.edit(access.me(), plan_id, chosen, told.sessions_per_week, told.weeks)
    tell(changed.athlete_id, "plan")
    return changed


@blueprint.post("/plans/<plan_id>/template")
@access.rule(Access.COACH, need=Level.PLAN)
@describe(scope=TokenScope.WRITE_PLANS, takes=Named, answer=TemplateView, status=201, refuses=(409, 422))
def template_of_plan(plan_id: str, told: Named) -> TemplateView:
    """Make a template from a proposal or program, without anything of the athlete's."""
    return house().services.plan_templates.make_from(access.me(), plan_id, told.name)


@blueprint.get("/templates")
@access.coach
@describe(scope=TokenScope.READ_PLANS, query=PageQuery, answer=Page[TemplateView])
def templates(query: PageQuery) -> Page[TemplateView]:
    """List the coach's own templates."""
    return page_of(house().services.plan_templates.of_coach(access.me()), lambda each: each.template_id, query)


@blueprint.post("/templates")
@access.coach
@describe(scope=TokenScope.WRITE_PLANS, takes=NewTemplate, answer=TemplateView, status=201, refuses=(409, 422))
def add_template(told: NewTemplate) -> TemplateView:
    """Keep a template."""
    chosen = _chosen(told)
    return house().services.plan_templates.make(access.me(), told.name, chosen, told.sessions_per_week, told.weeks)


@blueprint.delete("/templates/<template_id>")
@access.coach
@describe(scope=TokenScope.WRITE_PLANS, status=204, refuses=(404,))
def drop_template(template_id: str) -> None:
    """Delete a template; what was proposed from it stays."""
    house().services.plan_templates.drop(access.me(), template_id)


@blueprint.post("/templates/<template_id>/apply")
@access.coach
@describe(scope=TokenScope.WRITE_PLANS, takes=Applied, answer=list[Outcome], refuses=(404,))
def apply_template(template_id: str, told: Applied) -> list[Outcome]:
    """Propose a template to athletes; an outcome with a problem says why nothing was done."""
    return _told(house().services.plan_templates.apply(access.me(), template_id, told.athlete_ids, told.more))


@blueprint.get("/library", endpoint="library")
@access.signed_in
@describe(scope=TokenScope.READ_PLANS, query=PageQuery, answer=Page[Exercise])
def library_shipped(query: PageQuery) -> Page[Exercise]:
    """List the exercises that come with Backstop."""
    return page_of(tuple(library().values()), lambda each: each.id, query)


@blueprint.get("/own-exercises")
@access.coach
@describe(scope=TokenScope.READ_PLANS, query=PageQuery, answer=Page[OwnExerciseView])
def own_exercises(query: PageQuery) -> Page[OwnExerciseView]:
    """List the coach's own exercises."""
    return page_of(house().services.own_exercises.of_coach(access.me()), lambda each: each.exercise.id, query)


@blueprint.post("/own-exercises")
@access.coach
@describe(scope=TokenScope.WRITE_PLANS, takes=Entry, answer=OwnExerciseView, status=201, refuses=(422,))
def add_own_exercise(told: Entry) -> OwnExerciseView:
    """Keep an exercise of the coach's own, read by the rules of the library."""
    return house().services.own_exercises.add(access.me(), told.entry)


@blueprint.put("/own-exercises/<exercise_id>")
@access.coach
@describe(scope=TokenScope.WRITE_PLANS, takes=Entry, answer=OwnExerciseView, refuses=(404, 422))
def change_own_exercise(exercise_id: str, told: Entry) -> OwnExerciseView:
    """Change an exercise from now on; programs that have it keep it as it was."""
    return house().services.own_exercises.change(access.me(), exercise_id, told.entry)


@blueprint.delete("/own-exercises/<exercise_id>")
@access.coach
@describe(scope=TokenScope.WRITE_PLANS, status=204, refuses=(404,))
def drop_own_exercise(exercise_id: str) -> None:
    """Delete an exercise; programs that have it keep it."""
    house().services.own_exercises.drop(access.me(), exercise_id)


@blueprint.get("/sessions/<session_id>/messages")
@access.rule(Access.SIGNED_IN, need=Level.VIEW)
@describe(scope=TokenScope.READ_PLANS, answer=list[MessageView])
def messages(session_id: str) -> list[MessageView]:
    """Return the messages with a session: all for whose session it is, else the asker's own."""
    return list(house().services.session_messages.of_session(access.me(), session_id))


@blueprint.put("/sessions/<session_id>/message")
@access.rule(Access.COACH, need=Level.PLAN)
@describe(scope=TokenScope.WRITE_PLANS, takes=Message, answer=list[MessageView], refuses=(409, 422))
def set_message(session_id: str, told: Message) -> list[MessageView]:
    """Keep the coach's message with a session, in place of the one before."""
    services, me = house().services, access.me()
    services.session_messages.write(me, session_id, told.text)
    tell(services.plans.session(me, session_id).athlete_id, "session")
    return list(services.session_messages.of_session(me, session_id))


def _chosen(told: Edited) -> list[compose.Chosen]:
    return [
        compose.Chosen(each.exercise_id, each.level, tuple(each.repetitions) if each.repetitions else None, each.hold_s)
        for each in told.exercises
    ]


def _told(outcomes: tuple[Outcome, ...]) -> list[Outcome]:
    for each in outcomes:
        if each.problem is None and each.athlete_id is not None:
            tell(each.athlete_id, "plan")
    return list(outcomes)
