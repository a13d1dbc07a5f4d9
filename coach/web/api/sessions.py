"""Sessions: when they are, what is in them, what came of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from coach.service.personal_tokens import TokenScope
from coach.service.reminder_choices import SNOOZE_MAX, SNOOZE_MIN
from coach.service.types import Level, SessionState, SessionView
from coach.web import access
from coach.web.access import Access
from coach.web.api.root import athlete_of, blueprint, tell
from coach.web.asked import Day, Page, PageQuery, Scale, Text, Whole, page_of
from coach.web.described import Asked, describe
from coach.web.house import house

_OUTCOMES = {"done": SessionState.DONE, "skipped": SessionState.SKIPPED}


class SessionsQuery(PageQuery):
    """From which local day on, today without it, and how many weeks."""

    since: Day | None = None
    weeks: Annotated[int, Whole(1, 8, True)] = 2


class Outcome(Asked):
    """What came of a session. effort, pain_during, pain_after: 0 to 10, as felt."""

    outcome: Literal["done", "skipped"]
    effort: Scale | None = None
    pain_during: Scale | None = None
    pain_after: Scale | None = None
    reason: Text | None = Field(None, max_length=500)


class Snooze(Asked):
    """By how much a session moves later on the same day; the athlete's own choice without it."""

    may_be_empty = True
    minutes: Annotated[int, Whole(SNOOZE_MIN, SNOOZE_MAX)] | None = None


@blueprint.get("/athletes/<athlete_id>/sessions")
@access.rule(Access.SIGNED_IN, need=Level.VIEW)
@describe(scope=TokenScope.READ_PLANS, query=SessionsQuery, answer=Page[SessionView])
def sessions(athlete_id: str, query: SessionsQuery) -> Page[SessionView]:
    """List an athlete's sessions that were not cancelled, in order of time."""
    first = query.since or house().today(athlete_of(athlete_id).time_zone)
    plans = house().services.plans
    found = [each for week in range(query.weeks) for each in plans.week(athlete_id, first + timedelta(weeks=week))]
    return page_of(found, lambda each: each.session_id, query)


@blueprint.get("/sessions/<session_id>")
@access.rule(Access.SIGNED_IN, need=Level.VIEW)
@describe(scope=TokenScope.READ_PLANS, answer=SessionView)
def session(session_id: str) -> SessionView:
    """Return one session."""
    return house().services.plans.session(access.me(), session_id)


@blueprint.post("/sessions/<session_id>/outcome")
@access.rule(Access.SIGNED_IN, need=Level.PLAN)
@describe(scope=TokenScope.WRITE_PLANS, takes=Outcome, answer=SessionView, refuses=(409,))
def session_outcome(session_id: str, told: Outcome) -> SessionView:
    """Record that a session was done or skipped, once."""
    house().services.plans.session(access.me(), session_id)
    recorded = house().services.plans.record_outcome(
        session_id,
        access.me(),
        _OUTCOMES[told.outcome],
        effort=told.effort,
        pain_during=told.pain_during,
        pain_after=told.pain_after,
        reason=(told.reason or "").strip() or None,
    )
    tell(recorded.athlete_id, "session")
    return recorded


@blueprint.post("/sessions/<session_id>/snooze")
@access.rule(Access.SIGNED_IN, need=Level.PLAN)
@describe(scope=TokenScope.WRITE_PLANS, takes=Snooze, answer=SessionView, refuses=(409,))
def snooze_session(session_id: str, told: Snooze) -> SessionView:
    """Move a session later on the same day."""
    moved = house().services.reminder_settings.snooze(access.me(), session_id, told.minutes)
    tell(moved.athlete_id, "session")
    return moved
