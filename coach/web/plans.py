"""Deciding on a proposal: the coach, or an athlete who has no coach."""

from __future__ import annotations

from flask import Blueprint, request
from werkzeug.wrappers import Response

from coach.service.program_desk import WORD_MAX
from coach.service.types import Level
from coach.web import access
from coach.web.access import Access
from coach.web.deciding import decided
from coach.web.house import house

blueprint = Blueprint("plans", __name__)


@blueprint.post("/plans/<plan_id>/accept")
@access.rule(Access.SIGNED_IN, need=Level.PLAN)
def accept(plan_id: str) -> Response | str:
    """Accept a proposal; its sessions are placed."""
    identity, plans = access.me(), house().services.plans
    return decided(identity, plans.get(identity, plan_id).athlete_id, lambda: plans.accept(plan_id, identity))


@blueprint.post("/plans/<plan_id>/decline")
@access.rule(Access.SIGNED_IN, need=Level.PLAN)
def decline(plan_id: str) -> Response | str:
    """Decline a proposal; what ran before goes on."""
    identity, plans = access.me(), house().services.plans
    reason = request.form.get("reason", "").strip()[:WORD_MAX] or None
    return decided(identity, plans.get(identity, plan_id).athlete_id, lambda: plans.decline(plan_id, identity, reason))
