"""The athlete's tests: what is due, the questions before, one test at a time with what the sensor sees, the results."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from coach.analysis.assessment_types import SPECS, HoldParams, Method
from coach.analysis.guided import GUIDES
from coach.errors import Conflict, InvalidInput, Locked
from coach.service.assessment_views import AssessmentState, AssessmentView, Kind, Step, TrialView
from coach.service.battery import GUIDED, STRAINING, TIRING
from coach.service.may_test import QUESTIONS, questions_before
from coach.service.personal_tokens import TokenScope
from coach.service.types import AthleteView, Level, Role, WearableView
from coach.web import access, desk
from coach.web import assessment_forms as forms
from coach.web import start as start_page
from coach.web.access import Access
from coach.web.assessment_json import results_json
from coach.web.athlete import myself
from coach.web.described import JSON, Raw, describe
from coach.web.house import house

blueprint = Blueprint("assessments", __name__)

# s for which a page says to come down after a hold was stopped at its limit. Own choice.
SAY_STOP_S = 30.0


@blueprint.get("/tests")
@access.athlete
def own() -> str:
    """Show what is due, what goes on and what was."""
    return _overview(myself())


@blueprint.get("/athletes/<athlete_id>/tests")
@access.rule(Access.CARER, need=Level.FULL)
def of_athlete(athlete_id: str) -> str:
    """Show an athlete's tests to the coach, who may enter results."""
    return _overview(house().services.athletes.get(access.me(), athlete_id))


def _overview(athlete: AthleteView) -> str:
    overview = house().services.assessments.overview(access.me(), athlete.athlete_id)
    return render_template(
        "assessments/overview.html",
        athlete=athlete,
        overview=overview,
        # One hold is for who begins; later ones are done as the battery that compares them.
        kinds=[each for each in GUIDED if each is not Kind.FIRST_HOLD or not overview.past],
        today_there=house().today(athlete.time_zone),
    )


# Before it begins


@blueprint.get("/tests/start/<kind>")
@access.athlete
def before(kind: str) -> AnyResponse:
    """Ask what must be known before it begins."""
    return _before(forms.wanted_kind(kind), None)


@blueprint.post("/tests/start/<kind>")
@access.athlete
def start(kind: str) -> AnyResponse:
    """Start, or say what stands against it."""
    form, wanted = request.form, forms.wanted_kind(kind)
    answers = {question.id: form.get(question.id, "") for question in QUESTIONS}
    worn = form.get("wearable_id") or None
    try:
        assessment_id = house().services.trials.start(
            access.me(), myself().athlete_id, wanted, worn, answers, forms.pain_now(), forms.key()
        )
    except (InvalidInput, Locked, Conflict) as error:
        return _before(wanted, error)
    return redirect(url_for("assessments.guided", assessment_id=assessment_id), code=303)


def _before(kind: Kind, problem: Exception | None) -> AnyResponse:
    athlete, services = myself(), house().services
    page = render_template(
        "assessments/before.html",
        kind=kind,
        tests=GUIDED[kind],
        tires=kind in TIRING,
        questions=questions_before(kind in STRAINING),
        wearables=_that_fit(kind, services.wearables.for_athlete(athlete.athlete_id)),
        overview=services.assessments.overview(access.me(), athlete.athlete_id),
        rest_min=house().config.assessment.rest_s / 60.0,
        given=request.form,
        key=request.form.get("key") or uuid4().hex,
        problem=str(problem) if problem else None,
    )
    return Response(page, 422 if problem else 200, content_type="text/html; charset=utf-8")


def _that_fit(kind: Kind, wearables: tuple[WearableView, ...]) -> list[WearableView]:
    """Return the wearables that are worn where every test of the kind can be measured."""
    places = [SPECS[test].places for test in GUIDED[kind]]
    return [each for each in wearables if all(not place or each.placement in place for place in places)]


# While it goes on


@blueprint.get("/tests/<assessment_id>")
@access.athlete
def guided(assessment_id: str) -> AnyResponse:
    """Lead through an assessment that goes on; show the results of one that is over."""
    assessment = _visible(assessment_id)
    if assessment.state is not AssessmentState.RUNNING:
        return redirect(url_for("assessments.results", assessment_id=assessment_id), code=303)
    athlete = myself()
    page = render_template(
        "assessments/guided.html", **_step_part(assessment), **desk.live_part(athlete) | {"athlete": athlete}
    )
    return Response(page, content_type="text/html; charset=utf-8")


@blueprint.get("/tests/<assessment_id>/step")
@access.athlete
def step(assessment_id: str) -> str:
    """Return what to do now; asked again by the page whenever something has changed."""
    return _step(assessment_id)


@blueprint.post("/tests/<assessment_id>/begin")
@access.athlete
def begin(assessment_id: str) -> str:
    """Begin a try."""
    _visible(assessment_id)
    test = forms.wanted_test()
    house().services.trials.begin(access.me(), assessment_id, test, forms.key(), forms.setup_of(test))
    return _step(assessment_id)


@blueprint.post("/tests/trials/<trial_id>/stop")
@access.athlete
def stop(trial_id: str) -> str:
    """End a try that runs."""
    return _step(house().services.trials.stop(access.me(), trial_id))


@blueprint.post("/tests/<assessment_id>/enter")
@access.athlete
def enter(assessment_id: str) -> str:
    """Take a result from a stopwatch or another instrument instead of a try."""
    _visible(assessment_id)
    house().services.trials.enter(access.me(), assessment_id, forms.told_instead(), forms.key())
    return _step(assessment_id)


@blueprint.post("/tests/<assessment_id>/skip")
@access.athlete
def skip(assessment_id: str) -> str:
    """Leave a test out."""
    _visible(assessment_id)
    reason = request.form.get("reason", "")[: forms.TYPED_MAX]
    house().services.trials.skip(access.me(), assessment_id, forms.wanted_test(), reason, forms.key())
    return _step(assessment_id)


@blueprint.post("/tests/<assessment_id>/finish")
@access.athlete
def finish(assessment_id: str) -> AnyResponse:
    """Close it and show the results."""
    house().services.trials.finish(access.me(), assessment_id)
    house().live_feed.publish(myself().athlete_id, {"kind": "plan"})
    results_page = url_for("assessments.results", assessment_id=assessment_id)
    return redirect(start_page.after_test() or results_page, code=303)


def _visible(assessment_id: str) -> AssessmentView:
    """Return one's own assessment, before anything of the form is looked at. Raises NoSuch."""
    return house().services.assessments.get(access.me(), assessment_id)


def _step(assessment_id: str) -> str:
    return render_template("assessments/step.html", **_step_part(_visible(assessment_id)))


def _step_part(assessment: AssessmentView) -> dict[str, Any]:
    """Return what assessments/step.html needs."""
    now, services = house().now(), house().services
    step: Step = services.trials.step(access.me(), assessment.assessment_id)
    mine = services.wearables.for_athlete(assessment.athlete_id)
    rest_s = (step.rest_until - now).total_seconds() if step.rest_until is not None else 0.0
    return {
        "assessment": assessment,
        "step": step,
        "sensor": next((each for each in mine if each.wearable_id == assessment.wearable_id), None),
        "watched": step.trial is not None and step.trial.wearable_id is not None,
        "rest_s": max(0.0, rest_s),
        "whole_rest_s": house().config.assessment.rest_s,
        "since_s": (now - step.trial.started_at).total_seconds() if step.trial is not None else 0.0,
        "cap_s": HoldParams().cap_s,
        "just_capped": _just_capped(step.last, now),
        "holds": step.test is not None and SPECS[step.test].method is Method.HOLD,
        "speed": step.test is not None and SPECS[step.test].method is Method.SPEED,
        "exercises": sorted(GUIDES),
        "ways": forms.WAYS,
        "tries": len(assessment.trials),
    }


def _just_capped(last: TrialView | None, now: datetime) -> bool:
    """Tell whether the last try was stopped at its limit a moment ago: somebody may still be holding."""
    if last is None or last.known is None or last.ended_at is None:
        return False
    return last.known.at_least and (now - last.ended_at).total_seconds() < SAY_STOP_S


# Afterwards


@blueprint.get("/tests/<assessment_id>/results")
@access.rule(Access.SIGNED_IN, need=Level.FULL)
def results(assessment_id: str) -> str:
    """Show what an assessment says, to the athlete and the coach."""
    found = house().services.assessments.results(access.me(), assessment_id)
    athlete = house().services.athletes.get(access.me(), found.assessment.athlete_id)
    own = access.me().role is Role.ATHLETE
    return render_template("assessments/results.html", results=found, athlete=athlete, own=own)


@blueprint.get("/tests/<assessment_id>/results.json")
@access.rule(Access.SIGNED_IN, need=Level.FULL)
@describe(scope=TokenScope.READ_FINDINGS, answer=Raw(JSON, "Trials, comparisons, changes."))
def results_as_json(assessment_id: str) -> Response:
    """Return what an assessment says, for programs."""
    return jsonify(results_json(house().services.assessments.results(access.me(), assessment_id)))


@blueprint.get("/athletes/<athlete_id>/tests/enter")
@access.rule(Access.SIGNED_IN, need=Level.FULL)
def entry(athlete_id: str) -> AnyResponse:
    """Offer to enter results that were taken elsewhere."""
    return _entry(house().services.athletes.get(access.me(), athlete_id), None)


@blueprint.post("/athletes/<athlete_id>/tests/enter")
@access.rule(Access.SIGNED_IN, need=Level.FULL)
def record(athlete_id: str) -> AnyResponse:
    """Store results that were taken elsewhere: dynamometer, one-sided repetitions, ROM, speed, holds."""
    athlete = house().services.athletes.get(access.me(), athlete_id)
    try:
        told = forms.told_elsewhere()
        assessment_id = house().services.assessments.record(access.me(), athlete_id, told, forms.key())
    except InvalidInput as error:
        return _entry(athlete, error)
    house().live_feed.publish(athlete_id, {"kind": "assessment"})
    flash("Kept.", "done")
    return redirect(url_for("assessments.results", assessment_id=assessment_id), code=303)


def _entry(athlete: AthleteView, problem: Exception | None) -> AnyResponse:
    page = render_template(
        "assessments/entry.html",
        athlete=athlete,
        groups=forms.entry_groups(),
        regions=forms.regions_of_repetitions(),
        specs=SPECS,
        own=access.me().role is Role.ATHLETE,
        given=request.form,
        key=request.form.get("key") or uuid4().hex,
        problem=str(problem) if problem else None,
    )
    return Response(page, 422 if problem else 200, content_type="text/html; charset=utf-8")
