"""Programs: what is proposed, what runs, how it changes, and deciding on it."""

from __future__ import annotations

from dataclasses import dataclass

from coach.service.change_views import ChangeView
from coach.service.personal_tokens import TokenScope
from coach.service.types import Level, PlanView, SessionView
from coach.web import access
from coach.web.access import Access
from coach.web.api.root import athlete_of, blueprint, tell
from coach.web.asked import Page, PageQuery, Text, page_of
from coach.web.described import Asked, describe
from coach.web.house import house


class Note(Asked):
    """A word on a decision. reason: in one's own words."""

    may_be_empty = True
    reason: Text | None = None


@dataclass(frozen=True, slots=True)
class PlansView:
    """The proposal that waits and the program that runs, or null. may_decide: whether the asker may."""

    proposal: PlanView | None
    active: PlanView | None
    may_decide: bool


@dataclass(frozen=True, slots=True)
class StepsView:
    """The step of the running program that waits for a yes, and what has changed in the last seven days."""

    proposed: ChangeView | None
    lately: tuple[ChangeView, ...]


@blueprint.get("/athletes/<athlete_id>/plans")
@access.rule(Access.SIGNED_IN, need=Level.VIEW)
@describe(scope=TokenScope.READ_PLANS, answer=PlansView)
def plans(athlete_id: str) -> PlansView:
    """Return the proposal that waits and the program that runs."""
    athlete_of(athlete_id)
    plans, me = house().services.plans, access.me()
    return PlansView(plans.proposal(athlete_id), plans.active(athlete_id), plans.may_decide(me, athlete_id))


@blueprint.get("/plans/<plan_id>")
@access.rule(Access.SIGNED_IN, need=Level.VIEW)
@describe(scope=TokenScope.READ_PLANS, answer=PlanView)
def plan(plan_id: str) -> PlanView:
    """Return one plan in any state."""
    return house().services.plans.get(access.me(), plan_id)


@blueprint.get("/plans/<plan_id>/preview")
@access.rule(Access.SIGNED_IN, need=Level.VIEW)
@describe(scope=TokenScope.READ_PLANS, query=PageQuery, answer=Page[SessionView], refuses=(409,))
def preview(plan_id: str, query: PageQuery) -> Page[SessionView]:
    """List the sessions that accepting now would place in the first seven days."""
    return page_of(house().services.plans.preview(access.me(), plan_id), lambda each: f"{each.local_date}", query)


@blueprint.post("/plans/<plan_id>/accept")
@access.rule(Access.SIGNED_IN, need=Level.PLAN)
@describe(scope=TokenScope.WRITE_PLANS, takes=Note, answer=PlanView, refuses=(409,))
def accept_plan(plan_id: str, told: Note) -> PlanView:
    """Accept a proposal; its sessions are placed."""
    decided = house().services.plans.accept(plan_id, access.me(), told.reason)
    tell(decided.athlete_id, "plan")
    return decided


@blueprint.post("/plans/<plan_id>/decline")
@access.rule(Access.SIGNED_IN, need=Level.PLAN)
@describe(scope=TokenScope.WRITE_PLANS, takes=Note, answer=PlanView, refuses=(409,))
def decline_plan(plan_id: str, told: Note) -> PlanView:
    """Decline a proposal; what ran before goes on."""
    decided = house().services.plans.decline(plan_id, access.me(), told.reason)
    tell(decided.athlete_id, "plan")
    return decided


@blueprint.get("/athletes/<athlete_id>/steps")
@access.rule(Access.SIGNED_IN, need=Level.VIEW)
@describe(scope=TokenScope.READ_PLANS, answer=StepsView)
def steps(athlete_id: str) -> StepsView:
    """Return how the running program changes."""
    athlete_of(athlete_id)
    progress = house().services.progress
    return StepsView(progress.proposed(athlete_id), progress.lately(athlete_id))


@blueprint.get("/steps/<change_id>")
@access.rule(Access.SIGNED_IN, need=Level.VIEW)
@describe(scope=TokenScope.READ_PLANS, answer=ChangeView)
def step(change_id: str) -> ChangeView:
    """Return one step in any state."""
    return house().services.progress.get(access.me(), change_id)


@blueprint.post("/steps/<change_id>/accept")
@access.rule(Access.SIGNED_IN, need=Level.PLAN)
@describe(scope=TokenScope.WRITE_PLANS, answer=ChangeView, refuses=(409,))
def accept_step(change_id: str) -> ChangeView:
    """Say yes to a step; planned sessions take it over."""
    decided = house().services.progress.accept(change_id, access.me())
    tell(decided.athlete_id, "plan")
    return decided


@blueprint.post("/steps/<change_id>/decline")
@access.rule(Access.SIGNED_IN, need=Level.PLAN)
@describe(scope=TokenScope.WRITE_PLANS, answer=ChangeView, refuses=(409,))
def decline_step(change_id: str) -> ChangeView:
    """Say no to a step; none is offered for a week."""
    decided = house().services.progress.decline(change_id, access.me())
    tell(decided.athlete_id, "plan")
    return decided
