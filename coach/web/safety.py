"""The safety questions: the athlete answers, the coach sees the result and notes that a clinician lifted a lock."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from coach.errors import CoachError, Conflict, InvalidInput, NotAllowed
from coach.service.types import AthleteView, Level, Role
from coach.web import access, forms
from coach.web.access import Access
from coach.web.athlete import myself
from coach.web.house import house
from programs.triage import LOCKS
from programs.types import Answer

blueprint = Blueprint("safety", __name__)


def _page(athlete: AthleteView, problem: CoachError | None = None) -> Response:
    services, identity = house().services, access.me()
    triage, own = services.triage.view_for(identity, athlete.athlete_id), identity.role is Role.ATHLETE
    page = render_template(
        "athlete/safety.html",
        athlete=athlete,
        own=own,
        triage=triage,
        may_lift=services.plans.may_decide(identity, athlete.athlete_id),
        clinician_lifts=bool(triage.result and triage.result.locked and triage.result.level in LOCKS),
        questions=services.triage.questions(),
        given=request.form,
        problem=str(problem) if problem else None,
    )
    return Response(page, 422 if problem else 200, content_type="text/html; charset=utf-8")


def answers_in() -> tuple[dict[str, Answer], int | None]:
    """Return the answers of the form and the age. Raises InvalidInput when a question has no answer or none of ours."""
    answers: dict[str, Answer] = {}
    for question in house().services.triage.questions():
        given = request.form.get(question.id)
        if given not in set(Answer):
            raise InvalidInput(f"One question has no answer yet: “{question.text}” “Not sure” is an answer too.")
        answers[question.id] = Answer(given)
    age_years = forms.whole_in("age_years")
    if age_years is not None and not 5 <= age_years <= 110:
        raise InvalidInput("The age should be a number of years between 5 and 110. It may be left empty.")
    return answers, age_years


def _answer(athlete: AthleteView) -> None:
    """Store what the form says. Raises InvalidInput."""
    answers, age_years = answers_in()
    house().services.triage.answer(access.me(), athlete.athlete_id, answers, age_years=age_years)
    house().live_feed.publish(athlete.athlete_id, {"kind": "plan"})


@blueprint.get("/safety")
@access.athlete
def own() -> Response:
    """Show one's own questions."""
    return _page(myself())


@blueprint.post("/safety")
@access.athlete
def answer_own() -> Response:
    """Store one's own answers."""
    athlete = myself()
    try:
        _answer(athlete)
    except InvalidInput as error:
        return _page(athlete, error)
    return redirect(url_for("athlete.today"), code=303)


@blueprint.get("/athletes/<athlete_id>/safety")
@access.rule(Access.CARER, need=Level.VIEW)
def of_athlete(athlete_id: str) -> Response:
    """Show the result to the coach."""
    return _page(house().services.athletes.get(access.me(), athlete_id))


@blueprint.post("/athletes/<athlete_id>/safety")
@access.rule(Access.CARER, need=Level.FULL)
def answer_for(athlete_id: str) -> Response:
    """Store answers that a coach took down for an athlete who has no sign-in."""
    athlete = house().services.athletes.get(access.me(), athlete_id)
    try:
        _answer(athlete)
    except (InvalidInput, NotAllowed) as error:
        return _page(athlete, error)
    return redirect(url_for("coach.desk", athlete_id=athlete_id), code=303)


@blueprint.post("/athletes/<athlete_id>/safety/clear")
@access.rule(Access.SIGNED_IN, need=Level.PLAN)
def clear(athlete_id: str) -> Response:
    """Note that a clinician has seen the athlete, which lifts the lock: the coach, or an athlete who has none."""
    athlete = house().services.athletes.get(access.me(), athlete_id)
    clinician, seen_on = request.form.get("clinician", "")[:200], request.form.get("seen_on", "")[:10]
    try:
        house().services.triage.clear(access.me(), athlete_id, clinician, seen_on)
    except (InvalidInput, Conflict) as error:
        return _page(athlete, error)
    house().live_feed.publish(athlete_id, {"kind": "plan"})
    flash("Noted. The program may go on.", "done")
    if access.me().role is Role.ATHLETE:
        return redirect(url_for("athlete.today"), code=303)
    return redirect(url_for("coach.desk", athlete_id=athlete_id), code=303)
