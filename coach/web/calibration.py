"""Taking the upright pose and one bow, with a live check of what is seen."""

from __future__ import annotations

from flask import Blueprint, render_template

from coach.errors import Conflict
from coach.service.calibration import BOWING, PoseView
from coach.service.types import WearableView
from coach.web import access
from coach.web.house import house

blueprint = Blueprint("calibration", __name__, url_prefix="/wearables/<wearable_id>/calibration")


def _mine(wearable_id: str) -> WearableView:
    return house().services.wearables.get(access.me(), wearable_id)


@blueprint.get("")
@access.athlete
def page(wearable_id: str) -> str:
    """Say what will be asked for, and offer to start."""
    wearable = _mine(wearable_id)
    return render_template("athlete/calibration.html", wearable=wearable, bows=wearable.placement in BOWING)


@blueprint.post("/start")
@access.athlete
def start(wearable_id: str) -> str:
    """Begin, anew if one goes on."""
    house().services.poses.begin(access.me(), wearable_id)
    return _part(wearable_id)


@blueprint.post("")
@access.athlete
def check(wearable_id: str) -> str:
    """Return what is seen now; asked several times in two seconds. What is complete is saved."""
    return _part(wearable_id)


@blueprint.post("/upright")
@access.athlete
def keep_upright(wearable_id: str) -> str:
    """Save the upright pose without a bow."""
    try:
        house().services.poses.keep_upright(access.me(), wearable_id)
    except Conflict as error:
        return _shown(wearable_id, None, str(error))
    return _part(wearable_id)


def _part(wearable_id: str) -> str:
    try:
        return _shown(wearable_id, house().services.poses.look(access.me(), wearable_id), None)
    except Conflict as error:
        return _shown(wearable_id, None, str(error))


def _shown(wearable_id: str, view: PoseView | None, problem: str | None) -> str:
    # Asked for after the look, which may have saved something.
    wearable = _mine(wearable_id)
    return render_template(
        "parts/calibration.html", wearable=wearable, view=view, problem=problem, bows=wearable.placement in BOWING
    )
