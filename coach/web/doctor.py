"""For the doctor: the report to look at and to take along, the doctor's plan, imaging, and sharing with the coach."""

from __future__ import annotations

from uuid import uuid4

from flask import Blueprint, Flask, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from coach.errors import InvalidInput
from coach.reports.fhir import fhir_of
from coach.reports.pdf import file_name, pdf_of
from coach.service.care_views import IMAGING_WORDS, ImagingKind
from coach.service.doctor import FILE_BYTES_MAX
from coach.service.personal_tokens import TokenScope
from coach.service.report_views import AS_TOLD
from coach.service.types import AthleteView, Level, Purpose, Role
from coach.web import access, forms
from coach.web.access import Access
from coach.web.care import answer, athlete_of
from coach.web.described import Raw, describe
from coach.web.house import house
from programs.exercises import CONTRAINDICATIONS

blueprint = Blueprint("doctor", __name__)

# What stands around a file in a form. Own bound.
_AROUND_BYTES = 64 * 1024


def install(app: Flask) -> None:
    """Let signed-in people send a report's file. Must come before whatever reads a form."""

    def allow() -> None:
        if request.endpoint == "doctor.add_imaging" and access.identity_of_session() is not None:
            if (request.content_length or 0) > FILE_BYTES_MAX + _AROUND_BYTES:
                abort(
                    413,
                    f"The file is larger than {FILE_BYTES_MAX // 2**20} MB, so nothing was kept: "
                    "go back and choose a smaller one, or write what it says in your own words.",
                )
            request.max_content_length = FILE_BYTES_MAX + _AROUND_BYTES

    app.before_request(allow)


def _page(athlete: AthleteView, problem: InvalidInput | None = None) -> Response:
    services, me = house().services, access.me()
    page = render_template(
        "care/doctor.html",
        athlete=athlete,
        own=me.role is Role.ATHLETE,
        report=services.reports.make(me, athlete.athlete_id),
        coached=not services.plans.may_decide(me, athlete.athlete_id),
        shared=services.doctor.shared(me, athlete.athlete_id),
        as_told=AS_TOLD,
        contraindications=CONTRAINDICATIONS,
        imaging_kinds=IMAGING_WORDS,
        today_there=house().today(athlete.time_zone),
        key=request.form.get("key") or uuid4().hex,
        given=request.form,
        problem=str(problem) if problem else None,
    )
    return answer(page, problem)


def _back(athlete_id: str, said: str) -> Response:
    flash(said, "done")
    return redirect(url_for("doctor.page", athlete_id=athlete_id), code=303)


def _attachment(content: bytes, media_type: str, name: str) -> Response:
    """Return a file that a browser saves and never shows: what it holds is not ours."""
    found = Response(content, content_type=media_type)
    found.headers.set("Content-Disposition", "attachment", filename=name)
    found.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return found


@blueprint.get("/athletes/<athlete_id>/for-the-doctor")
@access.rule(Access.SIGNED_IN, need=Level.FULL, purpose=Purpose.PAIN_TEXT)
def page(athlete_id: str) -> Response:
    """Show what the report says."""
    return _page(athlete_of(athlete_id))


@blueprint.get("/athletes/<athlete_id>/for-the-doctor.pdf")
@access.rule(Access.SIGNED_IN, need=Level.FULL, purpose=Purpose.PAIN_TEXT)
@describe(scope=TokenScope.READ_DIARY, answer=Raw("application/pdf", "The report for a doctor."))
def pdf(athlete_id: str) -> Response:
    """Return the report on two pages."""
    report = house().services.reports.make(access.me(), athlete_id)
    return _attachment(pdf_of(report), "application/pdf", file_name(report, "pdf"))


@blueprint.get("/athletes/<athlete_id>/for-the-doctor.fhir.json")
@access.rule(Access.SIGNED_IN, need=Level.FULL, purpose=Purpose.PAIN_TEXT)
@describe(
    scope=TokenScope.READ_DIARY,
    answer=Raw("application/fhir+json", "A FHIR R4B bundle of type document."),
)
def fhir(athlete_id: str) -> Response:
    """Return the report as a FHIR bundle, with the PDF and the files of imaging in it."""
    services, me = house().services, access.me()
    report = services.reports.make(me, athlete_id)
    files = {
        each.imaging_id: services.doctor.imaging_file(me, each.imaging_id)
        for each in report.imaging
        if each.file_name is not None
    }
    content = fhir_of(report, pdf_of(report), files)
    return _attachment(content, "application/fhir+json", file_name(report, "fhir.json"))


@blueprint.post("/athletes/<athlete_id>/for-the-doctor/share")
@access.rule(Access.SPEAKER, need=Level.FULL)
def share(athlete_id: str) -> Response:
    """Show treatments, answers and the report to the coach, or stop it."""
    shared = request.form.get("shared") == "yes"
    settle = house().services.consents.agree if shared else house().services.consents.withdraw
    settle(access.me(), athlete_id, Purpose.PAIN_TEXT)
    return _back(athlete_id, "Your coach sees this page now." if shared else "Your coach does not see this any more.")


@blueprint.post("/athletes/<athlete_id>/doctor-plan")
@access.rule(Access.SIGNED_IN, need=Level.FULL, purpose=Purpose.PAIN_TEXT)
def record_plan(athlete_id: str) -> Response:
    """Store what the doctor said."""
    athlete, form = athlete_of(athlete_id), request.form
    try:
        house().services.doctor.record_plan(
            access.me(),
            athlete_id,
            forms.day_in("told_on") or house().today(athlete.time_zone),
            form.get("doctor", ""),
            form.get("diagnosis", ""),
            form.getlist("contraindications"),
            form.get("measures", "").splitlines(),
            forms.day_in("next_on"),
        )
    except InvalidInput as error:
        return _page(athlete, error)
    house().live_feed.publish(athlete_id, {"kind": "plan"})
    return _back(athlete_id, "Noted. The program and new proposals are chosen around it.")


@blueprint.post("/athletes/<athlete_id>/imaging")
@access.rule(Access.SIGNED_IN, need=Level.FULL, purpose=Purpose.PAIN_TEXT)
def add_imaging(athlete_id: str) -> Response:
    """Store an examination with its report."""
    athlete, form, file = athlete_of(athlete_id), request.form, request.files.get("file")
    try:
        if form.get("kind") not in set(ImagingKind):
            raise InvalidInput("Choose what kind of imaging it was.")
        taken_on = forms.day_in("taken_on")
        if taken_on is None:
            raise InvalidInput("Say on which day it was taken.")
        sent = (file.filename or "", file.read(FILE_BYTES_MAX + 1)) if file is not None and file.filename else None
        house().services.doctor.add_imaging(
            access.me(),
            athlete_id,
            ImagingKind(form["kind"]),
            taken_on,
            form.get("key", ""),
            form.get("asked_by", ""),
            form.get("words", ""),
            sent,
        )
    except InvalidInput as error:
        return _page(athlete, error)
    return _back(athlete_id, "Kept. It goes along with the report; nobody here reads anything out of it.")


@blueprint.get("/imaging/<imaging_id>/file")
@access.rule(Access.SIGNED_IN, need=Level.FULL, purpose=Purpose.PAIN_TEXT)
def imaging_file(imaging_id: str) -> Response:
    """Return the report of an examination as it was sent."""
    file = house().services.doctor.imaging_file(access.me(), imaging_id)
    return _attachment(file.content, file.media_type, file.name)


@blueprint.post("/athletes/<athlete_id>/imaging/<imaging_id>/drop")
@access.rule(Access.SIGNED_IN, need=Level.FULL, purpose=Purpose.PAIN_TEXT)
def drop_imaging(athlete_id: str, imaging_id: str) -> Response:
    """Delete an examination with its file."""
    house().services.doctor.drop_imaging(access.me(), imaging_id)
    return _back(athlete_id, "Deleted, with its file.")
