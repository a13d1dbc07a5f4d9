"""Taking the upright pose and one bow, with a live check of what is seen."""

from __future__ import annotations

from flask import Blueprint, render_template

from coach.errors import Conflict
from coach.service.calibration import BOWING
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
    wearable = _mine(wearable_id)
    house().services.poses.begin(access.me(), wearable_id)
    return _part(wearable)


@blueprint.post("")
@access.athlete
def check(wearable_id: str) -> str:
    """Return what is seen now; asked several times in two seconds. What is complete is saved."""
    return _part(_mine(wearable_id))


@blueprint.post("/upright")
@access.athlete
def keep_upright(wearable_id: str) -> str:
    """Save the upright pose without a bow."""
    wearable = _mine(wearable_id)
    try:
        house().services.poses.keep_upright(access.me(), wearable_id)
    except Conflict as error:
        return _ended(wearable, str(error))
    return _part(wearable)


def _part(wearable: WearableView) -> str:
    try:
        view = house().services.poses.look(access.me(), wearable.wearable_id)
    except Conflict as error:
        return _ended(wearable, str(error))
    return render_template(
        "parts/calibration.html", wearable=wearable, view=view, problem=None, bows=wearable.placement in BOWING
    )


def _ended(wearable: WearableView, problem: str) -> str:
    return render_template(
        "parts/calibration.html", wearable=wearable, view=None, problem=problem, bows=wearable.placement in BOWING
    )
