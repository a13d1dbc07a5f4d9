"""Me: everything that is the athlete's own, one step away and each with what stands there now."""

from __future__ import annotations

from flask import Blueprint, render_template

from coach.service.types import FindingView
from coach.web import access
from coach.web.athlete import myself
from coach.web.house import house

blueprint = Blueprint("me", __name__)

# Findings that are looked through for those that are open. Own choice: more than anybody reads.
_LOOKED_AT = 100


@blueprint.get("/me")
@access.athlete
def page() -> str:
    """Show the places of an athlete's own things."""
    services, athlete = house().services, myself()
    sharing = services.sharing.of_athlete(access.me(), athlete.athlete_id)
    return render_template(
        "me/me.html",
        athlete=athlete,
        open_findings=sum(_is_open(each) for each in services.findings.for_athlete(athlete.athlete_id, _LOOKED_AT)),
        wearables=services.wearables.for_athlete(athlete.athlete_id),
        readers=len(sharing.coaches) + len(sharing.guardians),
    )


def _is_open(finding: FindingView) -> bool:
    return finding.closed_at is None and finding.superseded_by is None
