"""The athlete's wearables: what each does now, what is in reach, where it is worn, what to forget."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from coach.errors import Conflict, InvalidInput
from coach.service.looks import LookView
from coach.service.sources import Family
from coach.service.tokens import Scope
from coach.service.types import AthleteView
from coach.web import access, desk, words
from coach.web.athlete import myself
from coach.web.house import house
from coach.wire import InReach
from devices.profiles import PROFILES
from devices.types import Placement

blueprint = Blueprint("wearables", __name__)


@blueprint.get("/wearables")
@access.athlete
def own() -> str:
    """List one's own wearables, the gateways and the connection logs."""
    athlete, services = myself(), house().services
    me = access.me()
    return render_template(
        "athlete/wearables.html",
        athlete=athlete,
        wearables=[each for each in services.wearables.for_athlete(athlete.athlete_id) if each.family != Family.FILE],
        tokens=[each for each in services.tokens.of_athlete(me, athlete.athlete_id) if each.scope == Scope.GATEWAY],
        gateways=services.gateways.of_athlete(me, athlete.athlete_id),
        logs=services.gateways.logs(me, athlete.athlete_id),
        **_look_part(athlete),
    )


@blueprint.get("/wearables/<wearable_id>/state")
@access.athlete
def state_part(wearable_id: str) -> str:
    """Return what one wearable does now; asked again and again by the page."""
    return render_template(
        "parts/wearable_state.html", wearable=house().services.wearables.get(access.me(), wearable_id)
    )


@blueprint.get("/wearables/recordings")
@access.athlete
def recordings_part() -> str:
    """Return how whole one's own recordings are."""
    return render_template("parts/recordings.html", **desk.recordings_part(myself()))


@blueprint.post("/wearables/look")
@access.athlete
def look() -> str:
    """Begin to look for wearables in reach."""
    athlete = myself()
    house().services.looks.begin(athlete.athlete_id)
    return render_template("parts/in_reach.html", **_look_part(athlete))


@blueprint.get("/wearables/look")
@access.athlete
def look_part() -> str:
    """Return what was heard so far; asked every second while a look goes on."""
    return render_template("parts/in_reach.html", **_look_part(myself()))


def _look_part(athlete: AthleteView) -> dict[str, object]:
    services = house().services
    gateways = services.gateways.of_athlete(access.me(), athlete.athlete_id).values()
    view = services.looks.view(athlete.athlete_id, sum(each.present for each in gateways))
    paired = {each.address.upper() for each in services.wearables.for_athlete(athlete.athlete_id)}
    fresh = [each for each in view.seen if each.address.upper() not in paired] if view else []
    return {
        "look": view,
        "known": [each for each in fresh if each.family in PROFILES],
        "unknown": sum(each.family not in PROFILES for each in fresh),
        "profiles": PROFILES,
    }


def _heard(view: LookView | None, address: str) -> InReach:
    """Return a device of the last look. Raises InvalidInput for any other."""
    found = next((each for each in (view.seen if view else ()) if each.address == address), None)
    if found is None or found.family not in PROFILES:
        raise InvalidInput("This wearable was not heard in your last look: look again.")
    return found


def _name_of(found: InReach) -> str:
    return found.name or PROFILES[found.family or ""].title


def _free_name(name: str, address: str, athlete_id: str) -> str:
    """Return a name that none of the athlete's wearables has: several of one product often say the same."""
    taken = {each.name for each in house().services.wearables.for_athlete(athlete_id)}
    return f"{name} {address[-5:]}" if name in taken else name


@blueprint.get("/wearables/new")
@access.athlete
def choose() -> str:
    """Ask where a wearable that was heard is worn."""
    found = _heard(house().services.looks.view(myself().athlete_id, 0), request.args.get("address", "")[:100])
    return render_template(
        "athlete/wear.html",
        name=_name_of(found),
        profile=PROFILES[found.family or ""],
        address=found.address,
        placement=Placement.LOWER_BACK.value,
        places=list(Placement),
        action=url_for("wearables.add"),
        button="This is where it is",
    )


@blueprint.post("/wearables")
@access.athlete
def add() -> Response:
    """Pair a wearable that was heard, and go on to its calibration."""
    form, athlete = request.form, myself()
    found = _heard(house().services.looks.view(athlete.athlete_id, 0), form.get("address", "")[:100])
    try:
        wearable_id = house().services.wearables.add(
            access.me(),
            athlete.athlete_id,
            address=found.address,
            family=found.family or "",
            name=_free_name(_name_of(found), found.address, athlete.athlete_id),
            placement=form.get("placement", "")[:100],
        )
    except (InvalidInput, Conflict) as error:
        flash(str(error), "problem")
        return _back()
    if not words.measures_movement(found.family or ""):
        flash(f"{_name_of(found)} is yours now.", "done")
        return _back()
    return redirect(url_for("calibration.page", wearable_id=wearable_id), code=303)


@blueprint.get("/wearables/<wearable_id>/placement")
@access.athlete
def placement_page(wearable_id: str) -> str:
    """Ask where a wearable is worn now."""
    wearable = house().services.wearables.get(access.me(), wearable_id)
    return render_template(
        "athlete/wear.html",
        name=wearable.name,
        profile=None,
        address=None,
        placement=wearable.placement,
        places=list(Placement),
        action=url_for("wearables.place", wearable_id=wearable_id),
        button="Save",
    )


@blueprint.post("/wearables/<wearable_id>/placement")
@access.athlete
def place(wearable_id: str) -> Response:
    """Say where it is worn."""
    _mine(wearable_id)
    placement = request.form.get("placement", "")[:100]
    return _change(
        lambda: house().services.wearables.set_placement(access.me(), wearable_id, placement),
        "Saved. It counts from the next recording on; take the upright pose anew.",
    )


@blueprint.post("/wearables/<wearable_id>/forget")
@access.athlete
def forget(wearable_id: str) -> Response:
    """Unpair a wearable; what it recorded stays."""
    _mine(wearable_id)
    return _change(
        lambda: house().services.wearables.forget(access.me(), wearable_id),
        "Forgotten. What it recorded stays. Another phone or computer can have it now.",
    )


def _back() -> Response:
    return redirect(url_for("wearables.own"), code=303)


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
