"""Who sees what of an athlete: what was agreed to, who they are, who read what and when. Changed on the page only."""

from __future__ import annotations

from coach.service.consents import ConsentsView
from coach.service.ledger import LedgerLine
from coach.service.personal_tokens import TokenScope
from coach.service.sharing import SharingView
from coach.service.types import Level
from coach.web import access
from coach.web.access import Access
from coach.web.api.root import blueprint
from coach.web.asked import Page, PageQuery, page_of
from coach.web.described import describe
from coach.web.house import house


@blueprint.get("/athletes/<athlete_id>/consents")
@access.rule(Access.SPEAKER, need=Level.FULL)
@describe(scope=TokenScope.READ_ATHLETE, answer=ConsentsView)
def consents(athlete_id: str) -> ConsentsView:
    """Return what is agreed to now, and what was before."""
    return house().services.consents.of_athlete(access.me(), athlete_id)


@blueprint.get("/athletes/<athlete_id>/sharing")
@access.rule(Access.SPEAKER, need=Level.FULL)
@describe(scope=TokenScope.READ_ATHLETE, answer=SharingView)
def sharing(athlete_id: str) -> SharingView:
    """Return the coaches and guardians of an athlete."""
    return house().services.sharing.of_athlete(access.me(), athlete_id)


@blueprint.get("/athletes/<athlete_id>/ledger")
@access.rule(Access.SPEAKER, need=Level.FULL)
@describe(scope=TokenScope.READ_ATHLETE, query=PageQuery, answer=Page[LedgerLine])
def ledger(athlete_id: str, query: PageQuery) -> Page[LedgerLine]:
    """List who read what of an athlete, hour by hour, newest first."""
    lines = house().services.ledger.of_athlete(access.me(), athlete_id)
    return page_of(lines, lambda each: f"{each.hour:%Y%m%d%H}.{each.kind}.{each.subject}.{_of_name(each)}", query)


def _of_name(line: LedgerLine) -> str:
    """Return letters and digits that tell names apart in a cursor, whatever signs a name has."""
    return line.name.encode().hex()[:40]
