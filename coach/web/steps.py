"""Deciding on a step of a program that runs: the coach, or an athlete who has no coach."""

from __future__ import annotations

from flask import Blueprint
from werkzeug.wrappers import Response

from coach.service.types import Level
from coach.web import access
from coach.web.access import Access
from coach.web.deciding import decided
from coach.web.house import house

blueprint = Blueprint("steps", __name__)


@blueprint.post("/steps/<change_id>/accept")
@access.rule(Access.SIGNED_IN, need=Level.PLAN)
def accept(change_id: str) -> Response | str:
    """Say yes to a step; planned sessions take it over."""
    identity, progress = access.me(), house().services.progress
    return decided(identity, progress.get(identity, change_id).athlete_id, lambda: progress.accept(change_id, identity))


@blueprint.post("/steps/<change_id>/decline")
@access.rule(Access.SIGNED_IN, need=Level.PLAN)
def decline(change_id: str) -> Response | str:
    """Say not now to a step; what runs goes on as it is."""
    identity, progress = access.me(), house().services.progress
    return decided(
        identity, progress.get(identity, change_id).athlete_id, lambda: progress.decline(change_id, identity)
    )
