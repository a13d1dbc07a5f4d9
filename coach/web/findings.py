"""One finding with its evidence, and the signals behind charts as JSON."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

from flask import Blueprint, jsonify, render_template, request, url_for
from werkzeug.wrappers import Response

from coach.errors import InvalidInput
from coach.service.types import Role, SignalWindow
from coach.web import access
from coach.web.house import house

blueprint = Blueprint("findings", __name__)

# Calendars of the far past and future cannot be counted in seconds; no wearable recorded there.
FIRST_YEAR, LAST_YEAR = 2000, 2200


def _json_of(signal: SignalWindow) -> dict[str, Any]:
    """Return a window as JSON values: times to the millisecond, angles to a tenth of a degree, null in gaps."""
    return {
        "start_utc_s": signal.start_utc_s,
        "reference": signal.reference,
        "t_utc_s": [round(t, 3) for t in signal.t_utc_s],
        "inclination_deg": [
            None if value is None or math.isnan(value) else round(value, 1) for value in signal.inclination_deg
        ],
    }


@blueprint.get("/findings/<finding_id>")
@access.signed_in
def finding(finding_id: str) -> str:
    """Show one finding."""
    identity, services = access.me(), house().services
    found = services.findings.get(identity, finding_id)
    athlete = services.athletes.get(identity, found.athlete_id)
    own = identity.role is Role.ATHLETE
    return render_template(
        "athlete/finding.html",
        finding=found,
        athlete=athlete,
        back=url_for("athlete.today") if own else url_for("coach.desk", athlete_id=athlete.athlete_id),
        back_name="Today" if own else athlete.name,
    )


@blueprint.get("/findings/<finding_id>/signal.json")
@access.signed_in
def signal(finding_id: str) -> Response:
    """Return the inclination around a finding."""
    services = house().services
    found = services.findings.get(access.me(), finding_id)
    return jsonify(_json_of(services.motion.window(access.me(), found.finding_id)))


@blueprint.get("/athletes/<athlete_id>/day.json")
@access.signed_in
def day(athlete_id: str) -> Response:
    """Return the inclination of a local day, `?day=2026-11-24`, today without it."""
    athlete = house().services.athletes.get(access.me(), athlete_id)
    wanted = request.args.get("day")
    try:
        local = date.fromisoformat(wanted) if wanted else house().today(athlete.time_zone)
        if not FIRST_YEAR <= local.year <= LAST_YEAR:
            raise ValueError("no such day has signal")
    except ValueError as error:
        raise InvalidInput(f"day is {wanted[:40] if wanted else ''!r}: write it as 2026-11-24.") from error
    return jsonify(_json_of(house().services.motion.day_line(athlete_id, local)))
