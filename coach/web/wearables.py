"""The athlete's wearables: what each does now, what is in reach, where it is worn, which pose is upright."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from coach.errors import CoachError, Conflict, InvalidInput
from coach.web import access
from coach.web.athlete import myself
from coach.web.house import house
from coach.web.reach import InReach
from devices.errors import DeviceError
from devices.types import Placement

blueprint = Blueprint("wearables", __name__)


def _back() -> Response:
    return redirect(url_for("wearables.own"), code=303)


@blueprint.get("/wearables")
@access.athlete
def own() -> str:
    """List one's own wearables."""
    athlete = myself()
    return render_template(
        "athlete/wearables.html",
        athlete=athlete,
        wearables=house().services.wearables.for_athlete(athlete.athlete_id),
        placements=list(Placement),
        can_look=house().scan is not None,
    )


@blueprint.get("/wearables/<wearable_id>/state")
@access.athlete
def state_part(wearable_id: str) -> str:
    """Return what one wearable does now; asked again and again by the page."""
    return render_template(
        "parts/wearable_state.html", wearable=house().services.wearables.get(access.me(), wearable_id)
    )


@blueprint.post("/wearables/look")
@access.athlete
def look() -> str:
    """Look for wearables in reach and return what was seen, or what stands in the way."""
    athlete, problem, seen = myself(), None, list[InReach]()
    scan = house().scan
    if scan is None:
        problem = "This Backstop has no Bluetooth of its own. Start it with `backstop run` on a machine that has."
    else:
        try:
            seen = sorted(scan(), key=lambda each: -each.rssi_dbm)
        except (DeviceError, CoachError) as error:
            problem = str(error)
    paired = {each.address.lower() for each in house().services.wearables.for_athlete(athlete.athlete_id)}
    return render_template(
        "parts/in_reach.html",
        problem=problem,
        seen=[each for each in seen if each.family is not None and each.address.lower() not in paired],
        unknown=sum(each.family is None for each in seen),
        placements=list(Placement),
    )


def _mine(wearable_id: str) -> None:
    """Raise NoSuch unless the wearable is one's own, before anything is said about the input."""
    house().services.wearables.get(access.me(), wearable_id)


def _change(act: Callable[[], object], done: str) -> Response:
    try:
        act()
    except (InvalidInput, Conflict) as error:
        flash(str(error), "problem")
    else:
        flash(done, "done")
    return _back()


@blueprint.post("/wearables")
@access.athlete
def add() -> Response:
    """Pair a wearable."""
    form, athlete = request.form, myself()
    name = form.get("name", "").strip()[:100] or form.get("address", "")[:100]
    return _change(
        lambda: house().services.wearables.add(
            access.me(),
            athlete.athlete_id,
            address=form.get("address", "")[:100],
            family=form.get("family", "")[:100],
            name=name,
            placement=form.get("placement", "")[:100],
        ),
        f"{name} is yours now. Put it on, stand upright and still, then press “I stand upright”.",
    )


@blueprint.post("/wearables/<wearable_id>/placement")
@access.athlete
def place(wearable_id: str) -> Response:
    """Say where it is worn."""
    _mine(wearable_id)
    placement = request.form.get("placement", "")[:100]
    return _change(
        lambda: house().services.wearables.set_placement(access.me(), wearable_id, placement),
        "Saved. It counts from the next recording on.",
    )


@blueprint.post("/wearables/<wearable_id>/calibrate")
@access.athlete
def calibrate(wearable_id: str) -> Response:
    """Take the pose of now as upright."""
    _mine(wearable_id)
    return _change(
        lambda: house().services.wearables.calibrate_now(access.me(), wearable_id),
        "Your upright pose is saved. Bends are measured from it.",
    )


@blueprint.post("/wearables/<wearable_id>/forget")
@access.athlete
def forget(wearable_id: str) -> Response:
    """Unpair a wearable; what it recorded stays."""
    _mine(wearable_id)
    return _change(
        lambda: house().services.wearables.forget(access.me(), wearable_id),
        "Forgotten. What it recorded stays.",
    )
