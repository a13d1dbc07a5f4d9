"""Bring a recording from a file: choose it, look at what it is, say where it was worn, import it."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from flask import Blueprint, Flask, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from coach.errors import CoachError, Conflict, InvalidInput
from coach.service.import_types import Asked, ImportPlan
from coach.service.types import AthleteView, Level, Role
from coach.web import access
from coach.web.access import Access
from coach.web.house import house
from coach.web.uploads import Uploads
from devices.errors import DeviceError
from devices.files import KNOWN
from devices.types import Placement

blueprint = Blueprint("imports", __name__, url_prefix="/athletes/<athlete_id>")

_MB = 1_000_000
# What the parser of a form may hold in memory: more than the 64 kB that it reads in one go. Files go to the disk.
_BUFFER_BYTES = 512 * 1024


def install(app: Flask) -> None:
    """Let signed-in people send a file. Must come before whatever reads a form: a body's bound is set before that."""

    def allow() -> None:
        if request.endpoint == "imports.upload" and access.identity_of_session() is not None:
            most = int(house().config.imports.upload_mb * _MB)
            if (request.content_length or 0) > most:
                abort(
                    413,
                    f"The file is larger than {most // _MB} MB, so nothing was kept. On the machine of this Backstop, "
                    "`backstop import` takes larger ones.",
                )
            request.max_content_length = most
            request.max_form_memory_size = _BUFFER_BYTES

    app.before_request(allow)


def _athlete(athlete_id: str) -> AthleteView:
    return house().services.athletes.get(access.me(), athlete_id)


def _uploads() -> Uploads:
    services = house().services
    shared = services.sent_files if services.machine.several else None
    return Uploads(house().config.storage.directory / "uploads", shared)


def _page(athlete: AthleteView, problem: str | None = None) -> Response:
    own = access.me().role is Role.ATHLETE
    page = render_template(
        "imports/imports.html",
        athlete=athlete,
        imports=house().services.imports.for_athlete(access.me(), athlete.athlete_id),
        back=url_for("wearables.own") if own else url_for("coach.desk", athlete_id=athlete.athlete_id),
        back_name="Wearables" if own else athlete.name,
        own=own,
        known=KNOWN,
        most_mb=house().config.imports.upload_mb,
        problem=problem,
    )
    return Response(page, 422 if problem else 200, content_type="text/html; charset=utf-8")


@blueprint.get("/imports")
@access.rule(Access.SIGNED_IN, need=Level.FULL)
def page(athlete_id: str) -> Response:
    """Show what was imported, and the form for another file."""
    _uploads().purge()
    return _page(_athlete(athlete_id))


@blueprint.post("/imports")
@access.rule(Access.SIGNED_IN, need=Level.FULL)
def upload(athlete_id: str) -> Response:
    """Keep a file for a while and go on to look at it."""
    athlete = _athlete(athlete_id)
    try:
        upload_id = _uploads().keep(access.me().user_id, request.files.getlist("file"))
    except (InvalidInput, Conflict) as error:
        return _page(athlete, str(error))
    return redirect(url_for("imports.preview", athlete_id=athlete_id, upload_id=upload_id), code=303)


@blueprint.get("/imports/<upload_id>")
@access.rule(Access.SIGNED_IN, need=Level.FULL)
def preview(athlete_id: str, upload_id: str) -> Response:
    """Show what an import of the file would do; a file that cannot be used goes."""
    athlete = _athlete(athlete_id)
    uploads, user_id = _uploads(), access.me().user_id
    path = uploads.path(user_id, upload_id)
    try:
        plan = house().services.imports.preview(access.me(), athlete_id, path, Asked(path.name))
    except (DeviceError, InvalidInput) as error:
        uploads.drop(user_id, upload_id)
        return _page(athlete, _said(error, str(path), path.name))
    return _preview(athlete, upload_id, plan)


def _preview(athlete: AthleteView, upload_id: str, plan: ImportPlan, problem: str | None = None) -> Response:
    page = render_template(
        "imports/preview.html",
        athlete=athlete,
        plan=plan,
        upload_id=upload_id,
        places=list(Placement),
        known=next((sensor.known for sensor in plan.wanted if sensor.known), None),
        starts=sorted({sensor.started_at for sensor in plan.wanted if sensor.started_at is not None}),
        end_of=lambda sensor: sensor.started_at + timedelta(seconds=sensor.recording.duration_s),
        notes=list(dict.fromkeys(note for sensor in plan.sensors for note in sensor.recording.notes)),
        given=request.form,
        problem=problem,
    )
    return Response(page, 422 if problem else 200, content_type="text/html; charset=utf-8")


@blueprint.post("/imports/<upload_id>")
@access.rule(Access.SIGNED_IN, need=Level.FULL)
def take(athlete_id: str, upload_id: str) -> Response:
    """Import the file as confirmed."""
    athlete = _athlete(athlete_id)
    uploads, user_id, services = _uploads(), access.me().user_id, house().services
    path = uploads.path(user_id, upload_id)
    plan = services.imports.preview(access.me(), athlete_id, path, Asked(path.name))
    try:
        asked = Asked(path.name, _places(plan), _start(request.form.get("start", "").strip()[:40]))
        taken = services.imports.take(access.me(), athlete_id, path, asked)
    except (CoachError, DeviceError) as error:
        return _preview(athlete, upload_id, plan, _said(error, str(path), path.name))
    uploads.drop(user_id, upload_id)
    house().live_feed.publish(athlete_id, {"kind": "finding"})
    flash("Imported. The analysis takes a moment for each hour of it.", "done")
    day = min(each.started_at for each in taken).astimezone(ZoneInfo(athlete.time_zone)).date()
    return redirect(url_for("days.page", athlete_id=athlete_id, day=day.isoformat()), code=303)


@blueprint.post("/imports/<upload_id>/discard")
@access.rule(Access.SIGNED_IN, need=Level.FULL)
def discard(athlete_id: str, upload_id: str) -> Response:
    """Remove an upload that was only looked at."""
    _athlete(athlete_id)
    _uploads().drop(access.me().user_id, upload_id)
    flash("Nothing was imported, and the file is gone from here.", "done")
    return redirect(url_for("imports.page", athlete_id=athlete_id), code=303)


def _places(plan: ImportPlan) -> tuple[tuple[str, str], ...]:
    """Return what the form says of each sensor, which is numbered there."""
    said = [(sensor.name, request.form.get(f"placement-{at}", "")[:40]) for at, sensor in enumerate(plan.sensors)]
    return tuple((name, place) for name, place in said if place)


def _start(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        raise InvalidInput(f"{text} is no time: choose day and time.") from None


def _said(error: Exception, path: str, name: str) -> str:
    """Return an error's sentence with the file's name in place of where it lies here."""
    return str(error).replace(path, name)
