"""Spasm now: one button, the questions first, then the plan of the phase, a timer, and how it goes."""

from __future__ import annotations

import math
from typing import Any
from uuid import uuid4

from flask import Blueprint, Flask, Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from coach.errors import CoachError, Conflict, InvalidInput, NoSuch
from coach.service.diary import SYMPTOMS, CheckIn
from coach.service.spasm_views import Comfort, SpasmView
from coach.service.types import AthleteView
from coach.web import access, forms
from coach.web.athlete import myself
from coach.web.house import house
from coach.web.safety import answers_in
from programs import phases
from programs.acute import Feels
from programs.drawings import drawings
from programs.types import Phase

blueprint = Blueprint("spasm", __name__)

FEELS_WORDS = {Feels.BETTER: "Better", Feels.SAME: "The same", Feels.WORSE: "Worse"}
# What else is asked in a phase, as the rules of the next one want to know it: field, words.
_ALSO = {
    Phase.ACUTE: ("walked_10_min", "I can walk for ten minutes."),
    Phase.REBUILD: ("full_motion", "My trunk moves freely in every direction."),
}


def install(app: Flask) -> None:
    """Let Today show where somebody stands."""
    app.jinja_env.globals.update(spasm_part=_part)


def _part() -> dict[str, Any]:
    """Return what parts/spasm.html needs. locked: nothing but the message of the safety questions is shown."""
    athlete = myself()
    services = house().services
    triage = services.triage.view_for(access.me(), athlete.athlete_id)
    spasm = services.spasms.view(access.me(), athlete.athlete_id)
    return {
        "athlete": athlete,
        "spasm": spasm,
        "triage": triage,
        "locked": triage.result.lock.value if triage.result is not None and triage.result.locked else None,
        "acute_plan": house().config.care.acute_plan,
        "also": _ALSO.get(spasm.phase) if spasm is not None else None,
        "feels": FEELS_WORDS,
        "key": uuid4().hex,
    }


def _page(problem: CoachError | None = None) -> AnyResponse:
    part = _part()
    page = render_template(
        "spasm/spasm.html",
        **part,
        **_timer(part["spasm"]),
        questions=house().services.triage.questions(),
        symptoms=SYMPTOMS,
        given=request.form,
        own=True,
        phases=phases,
        ease=drawings().get("legs_on_chair"),
        problem=str(problem) if problem else None,
    )
    return Response(page, 422 if problem else 200, content_type="text/html; charset=utf-8")


def _timer(spasm: SpasmView | None) -> dict[str, Any]:
    """Return what parts/comfort.html needs: whole minutes left, 0 when the time is up."""
    if spasm is None or spasm.comfort is None or spasm.comfort_until is None:
        return {"left_min": None}
    return {"left_min": max(0, math.ceil((spasm.comfort_until - house().now()).total_seconds() / 60))}


def _changed(athlete: AthleteView) -> AnyResponse:
    house().live_feed.publish(athlete.athlete_id, {"kind": "plan"})
    return redirect(url_for("spasm.page"), code=303)


@blueprint.get("/spasm")
@access.athlete
def page() -> AnyResponse:
    """Show the button, the questions, what a lock says, or the plan of the phase."""
    return _page()


@blueprint.post("/spasm")
@access.athlete
def begin() -> AnyResponse:
    """Begin: the one press."""
    athlete = myself()
    house().services.spasms.begin(access.me(), athlete.athlete_id, request.form.get("key", ""))
    return _changed(athlete)


@blueprint.post("/spasm/questions")
@access.athlete
def questions() -> AnyResponse:
    """Store how strong it is and the answers to the safety questions, which then decide."""
    athlete, services = myself(), house().services
    try:
        answers, age_years = answers_in()
        pain = forms.whole_in("pain", "pain")
        if pain is None:
            raise InvalidInput("How strong is it when you move? Tap a number from 0 to 10.")
        told = CheckIn(pain_in_motion=pain, symptoms=tuple(request.form.getlist("symptoms")))
        # The answers come after the pain that they are about.
        services.diary.check_in(access.me(), athlete.athlete_id, told, request.form.get("key", ""))
        services.triage.answer(access.me(), athlete.athlete_id, answers, age_years=age_years)
    except InvalidInput as error:
        return _page(error)
    return _changed(athlete)


@blueprint.post("/spasm/told")
@access.athlete
def told() -> AnyResponse:
    """Take two taps: how strong it is, and whether that is better."""
    athlete, form = myself(), request.form
    try:
        pain, feels = forms.whole_in("pain", "pain"), form.get("feels")
        if pain is None or feels not in set(Feels):
            raise InvalidInput("Two taps, please: a number from 0 to 10, then better, the same or worse.")
        follows = house().services.spasms.tell(
            access.me(),
            athlete.athlete_id,
            pain,
            Feels(feels),
            form.get("key", ""),
            walked_10_min=True if "walked_10_min" in form else None,
            full_motion=True if "full_motion" in form else None,
        )
    except (InvalidInput, NoSuch) as error:
        return _page(error)
    flash("Noted. The safety questions come first now." if follows.ask else "Noted.", "done")
    return _changed(athlete)


@blueprint.post("/spasm/next")
@access.athlete
def go_on() -> AnyResponse:
    """Say yes to the next phase."""
    return _step("go_on", "Your program is back, a step easier than it was.", "One step on: read what belongs to it.")


@blueprint.post("/spasm/over")
@access.athlete
def over() -> AnyResponse:
    """End it."""
    return _step("over", "Good to hear. Your program goes on from here.", "Good to hear.")


@blueprint.post("/spasm/undo")
@access.athlete
def undo() -> AnyResponse:
    """Take back a press by mistake."""
    said = "Taken back. Your sessions are as they were, once the safety questions are answered."
    return _step("undo", said, "Taken back. The safety questions still wait for their answers.")


def _step(what: str, said: str, said_without_program: str) -> AnyResponse:
    athlete, spasms = myself(), house().services.spasms
    before = spasms.view(access.me(), athlete.athlete_id)
    steps = {"go_on": spasms.go_on, "over": spasms.over, "undo": spasms.undo}
    try:
        steps[what](access.me(), athlete.athlete_id)
    except (Conflict, NoSuch) as error:
        return _page(error)
    flash(said if before is not None and before.gave_way else said_without_program, "done")
    return _changed(athlete)


@blueprint.post("/spasm/comfort")
@access.athlete
def comfort() -> AnyResponse:
    """Run the timer of cold or warmth, or take it off."""
    athlete, form = myself(), request.form
    what = form.get("comfort")
    try:
        house().services.spasms.comfort(
            access.me(),
            athlete.athlete_id,
            Comfort(what) if what in set(Comfort) else None,
            forms.whole_in("minutes") or phases.COMFORT_MIN_MINUTES,
        )
    except (InvalidInput, Conflict, NoSuch) as error:
        return _page(error)
    return redirect(url_for("spasm.page", _anchor="comfort"), code=303)


@blueprint.get("/spasm/timer")
@access.athlete
def timer() -> str:
    """Return the part with the timer, which asks again by itself."""
    part = _part()
    return render_template("parts/comfort.html", **part, **_timer(part["spasm"]), phases=phases)
