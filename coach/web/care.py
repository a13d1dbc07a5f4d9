"""What is tried, what changed after what, and questions about everyday life. For the coach only while it is shared."""

from __future__ import annotations

from uuid import uuid4

from flask import Blueprint, Flask, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from coach.errors import InvalidInput
from coach.service.care_views import KIND_WORDS, QuestionnaireKind, TreatmentKind
from coach.service.everyday import ACTIVITIES_MAX, STATEMENTS
from coach.service.responses import OBSERVED
from coach.service.types import AthleteView, Level, Purpose, Role
from coach.web import access, forms
from coach.web.access import Access
from coach.web.case_picture import WIDTH, picture_of
from coach.web.house import house
from programs.phases import MEDICINE

blueprint = Blueprint("care", __name__)


def install(app: Flask) -> None:
    """Let the coach's desk know whether there is something to link to, and today whether a doctor should see it."""
    app.jinja_env.globals.update(
        reads_care=lambda athlete_id: house().services.doctor.may_read(access.me(), athlete_id),
        report_offers=lambda athlete_id: house().services.reports.offered(access.me(), athlete_id),
    )


def athlete_of(athlete_id: str) -> AthleteView:
    """Return an athlete of whoever is signed in. Raises NoSuch."""
    return house().services.athletes.get(access.me(), athlete_id)


def answer(page: str, problem: InvalidInput | None) -> Response:
    """Return a page, with 422 where it tells of a problem."""
    return Response(page, 422 if problem else 200, content_type="text/html; charset=utf-8")


def _treatments(athlete: AthleteView, problem: InvalidInput | None = None) -> Response:
    services, me = house().services, access.me()
    today = house().today(athlete.time_zone)
    tried = services.treatments.of_athlete(me, athlete.athlete_id)
    case = services.treatments.response(me, athlete.athlete_id)
    newest_first = sorted(tried, key=lambda each: each.started_on, reverse=True)
    page = render_template(
        "care/treatments.html",
        athlete=athlete,
        own=me.role is Role.ATHLETE,
        kinds=KIND_WORDS,
        going_on=[each for each in tried if each.ended_on is None],
        over=[each for each in tried if each.ended_on is not None],
        case=case,
        picture=picture_of(case, newest_first, today),
        width=WIDTH,
        observed=OBSERVED,
        medicine=MEDICINE,
        today_there=today,
        offered=services.reports.offered(me, athlete.athlete_id),
        key=request.form.get("key") or uuid4().hex,
        given=request.form,
        problem=str(problem) if problem else None,
    )
    return answer(page, problem)


@blueprint.get("/athletes/<athlete_id>/treatments")
@access.rule(Access.SIGNED_IN, need=Level.VIEW, purpose=Purpose.PAIN_TEXT)
def treatments(athlete_id: str) -> Response:
    """Show what is tried and what changed."""
    return _treatments(athlete_of(athlete_id))


@blueprint.post("/athletes/<athlete_id>/treatments")
@access.rule(Access.SIGNED_IN, need=Level.FULL, purpose=Purpose.PAIN_TEXT)
def add(athlete_id: str) -> Response:
    """Store what is tried, from today or another day on."""
    athlete, form = athlete_of(athlete_id), request.form
    try:
        if form.get("kind") not in set(TreatmentKind):
            raise InvalidInput("Choose what you try.")
        house().services.treatments.add(
            access.me(),
            athlete_id,
            TreatmentKind(form["kind"]),
            form.get("key", ""),
            forms.day_in("started_on"),
            forms.day_in("ended_on"),
            form.get("words", ""),
            form.get("note", ""),
        )
    except InvalidInput as error:
        return _treatments(athlete, error)
    flash("Noted.", "done")
    return redirect(url_for("care.treatments", athlete_id=athlete_id), code=303)


@blueprint.post("/treatments/<treatment_id>/end")
@access.rule(Access.SIGNED_IN, need=Level.FULL, purpose=Purpose.PAIN_TEXT)
def end(treatment_id: str) -> Response:
    """Set the last day of what was tried: today, or the form's."""
    ended = house().services.treatments.end(access.me(), treatment_id, forms.day_in("ended_on"))
    flash(f"Noted: {ended.name}, until {ended.ended_on}.", "done")
    return redirect(url_for("care.treatments", athlete_id=ended.athlete_id), code=303)


@blueprint.post("/athletes/<athlete_id>/treatments/<treatment_id>/drop")
@access.rule(Access.SIGNED_IN, need=Level.FULL, purpose=Purpose.PAIN_TEXT)
def drop(athlete_id: str, treatment_id: str) -> Response:
    """Delete what was entered by mistake."""
    house().services.treatments.drop(access.me(), treatment_id)
    flash("Deleted.", "done")
    return redirect(url_for("care.treatments", athlete_id=athlete_id), code=303)


def _questions(athlete: AthleteView, problem: InvalidInput | None = None) -> Response:
    said = house().services.questionnaires.of_athlete(access.me(), athlete.athlete_id)
    newest = {each.kind: each for each in said}
    last = newest.get(QuestionnaireKind.ACTIVITIES)
    names = list(last.answers) if last else []
    page = render_template(
        "care/questions.html",
        athlete=athlete,
        own=access.me().role is Role.ATHLETE,
        statements=STATEMENTS,
        everyday=newest.get(QuestionnaireKind.EVERYDAY),
        activities=last,
        names=(names + [""] * ACTIVITIES_MAX)[:ACTIVITIES_MAX],
        key=request.form.get("key") or uuid4().hex,
        given=request.form,
        problem=str(problem) if problem else None,
    )
    return answer(page, problem)


@blueprint.get("/athletes/<athlete_id>/everyday")
@access.rule(Access.SIGNED_IN, need=Level.VIEW, purpose=Purpose.PAIN_TEXT)
def questions(athlete_id: str) -> Response:
    """Ask about everyday life and own activities."""
    return _questions(athlete_of(athlete_id))


@blueprint.post("/athletes/<athlete_id>/everyday")
@access.rule(Access.SIGNED_IN, need=Level.FULL, purpose=Purpose.PAIN_TEXT)
def answer_everyday(athlete_id: str) -> Response:
    """Store which statements hold today."""
    athlete = athlete_of(athlete_id)
    try:
        got = house().services.questionnaires.answer_everyday(
            access.me(), athlete_id, request.form.getlist("holds"), request.form.get("key", "")
        )
    except InvalidInput as error:
        return _questions(athlete, error)
    flash(f"Noted: {got.score:.0f} of {len(STATEMENTS)} hold.", "done")
    return redirect(url_for("care.treatments", athlete_id=athlete_id), code=303)


@blueprint.post("/athletes/<athlete_id>/activities")
@access.rule(Access.SIGNED_IN, need=Level.FULL, purpose=Purpose.PAIN_TEXT)
def rate_activities(athlete_id: str) -> Response:
    """Store how well the named activities go."""
    athlete, form = athlete_of(athlete_id), request.form
    try:
        rated: dict[str, int] = {}
        for number in range(ACTIVITIES_MAX):
            name = form.get(f"activity{number}", "").strip()
            if name:
                rating = forms.whole_in(f"rated{number}", f"number for “{name[:100]}”")
                if rating is None:
                    raise InvalidInput(f"“{name[:100]}” has no number yet: 0 for cannot up to 10 for as before.")
                rated[name] = rating
        house().services.questionnaires.rate_activities(access.me(), athlete_id, rated, form.get("key", ""))
    except InvalidInput as error:
        return _questions(athlete, error)
    flash("Noted.", "done")
    return redirect(url_for("care.treatments", athlete_id=athlete_id), code=303)
