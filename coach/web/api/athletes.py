"""Athletes: who they are, how today goes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from coach.analysis.heart_day import HeartDay
from coach.analysis.types import NotComputable
from coach.service.personal_tokens import TokenScope
from coach.service.rests import PausesView
from coach.service.roster import RosterRow
from coach.service.types import AthleteView, DayTotals, Level, SessionView
from coach.web import access, desk, reading
from coach.web.access import Access
from coach.web.api.root import athlete_of, blueprint
from coach.web.asked import Page, PageQuery, day_in_path, page_of
from coach.web.described import describe
from coach.web.house import house


@dataclass(frozen=True, slots=True)
class TodayView:
    """An athlete's local day so far. next_session: that is due, else the next planned one. safety_due: the safety
    questions wait for answers. waits: a proposal or a step waits for a yes."""

    athlete_id: str
    local_date: date
    totals: DayTotals
    heart: HeartDay | NotComputable
    pauses: PausesView | None
    next_session: SessionView | None
    safety_due: bool
    waits: bool


@blueprint.get("/athletes")
@access.coach
@describe(scope=TokenScope.READ_ATHLETE, query=PageQuery, answer=Page[RosterRow])
def athletes(query: PageQuery) -> Page[RosterRow]:
    """List the coach's athletes, who needs the coach first on top."""
    rows = house().services.athletes.roster(access.me())
    reading.names(row.athlete.athlete_id for row in rows)
    return page_of(rows, lambda each: each.athlete.athlete_id, query)


@blueprint.get("/athletes/<athlete_id>")
@access.rule(Access.SIGNED_IN, need=Level.VIEW)
@describe(scope=TokenScope.READ_ATHLETE, answer=AthleteView)
def athlete(athlete_id: str) -> AthleteView:
    """Return an athlete."""
    return athlete_of(athlete_id)


@blueprint.get("/athletes/<athlete_id>/today")
@access.rule(Access.SIGNED_IN, need=Level.VIEW)
@describe(scope=TokenScope.READ_FINDINGS, answer=TodayView)
def today(athlete_id: str) -> TodayView:
    """Return an athlete's day so far."""
    athlete, services, me = athlete_of(athlete_id), house().services, access.me()
    here = house().today(athlete.time_zone)
    proposal, step = services.plans.proposal(athlete_id), services.progress.proposed(athlete_id)
    return TodayView(
        athlete_id=athlete_id,
        local_date=here,
        totals=desk.totals_of(athlete),
        heart=services.hearts.day(athlete_id, here),
        pauses=services.rests.pauses_today(me, athlete_id),
        next_session=desk.next_session(desk.sessions_ahead(athlete)),
        safety_due=services.triage.view_for(me, athlete_id).must_ask,
        waits=(proposal or step) is not None,
    )


@blueprint.get("/athletes/<athlete_id>/days/<day>/heart")
@access.rule(Access.SIGNED_IN, need=Level.VIEW)
@describe(scope=TokenScope.READ_SIGNALS, answer=HeartDay | NotComputable)
def heart(athlete_id: str, day: str) -> HeartDay | NotComputable:
    """Return the heart rate of a local day, or what is missing for it."""
    return house().services.hearts.day(athlete_of(athlete_id).athlete_id, day_in_path(day))
