"""The first run: one way through the parts that there are, with its progress; each step can be skipped and resumed.

A step of another part is done on that part's own page: while the run goes on, a bar above the page says where one is
and leads on. Which step goes on is kept with the sign-in; what is done and what was put off are rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Flask, abort, flash, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from coach.analysis.guided import Side
from coach.errors import Conflict, InvalidInput, NotAllowed
from coach.language import gettext as _
from coach.language import ngettext
from coach.said import said
from coach.service.assessment_views import AssessmentState, Kind
from coach.service.body import HURTS
from coach.service.diary import SITES
from coach.service.first_run import RunView, Step
from coach.service.types import AthleteView, Purpose, Role
from coach.web import access, forms
from coach.web.assessment_words import test_name, trial_amount
from coach.web.athlete import myself
from coach.web.diary import SITE_WORDS
from coach.web.house import house
from programs.exercises import CONTRAINDICATIONS
from programs.marking import N_

blueprint = Blueprint("start", __name__, url_prefix="/start")

_RUNNING = "first_run"


@dataclass(frozen=True, slots=True)
class Said:
    """What a step is called, what it is for, and how long it takes."""

    name: str
    why: str
    takes: str


SAID = {
    Step.CONSENT: Said(
        N_("What you agree to"), N_("Each purpose by itself; each can be withdrawn at any time."), N_("30 seconds")
    ),
    Step.BODY: Said(
        N_("Your sport, your sides, earlier injuries"), N_("So that the right things are looked for."), N_("45 seconds")
    ),
    Step.SAFETY: Said(
        N_("Safety questions"), N_("They say whether somebody should look at your back first."), N_("a minute")
    ),
    Step.PAIR: Said(N_("Pair a wearable"), N_("Put it on, come close, and tap it on the list."), N_("45 seconds")),
    Step.CALIBRATE: Said(
        N_("Upright pose and one bow"), N_("From then on bends are measured from your own upright."), N_("20 seconds")
    ),
    Step.TEST: Said(
        N_("A first test"), N_("One hold on the floor. Every later one is compared with it."), N_("a minute")
    ),
}
SIDE_WORD = {Side.LEFT: N_("left"), Side.RIGHT: N_("right"), Side.BOTH: N_("both alike")}


@blueprint.get("")
@access.athlete
def page() -> str:
    """Show the steps, what is done and what comes next."""
    athlete = myself()
    run = _run(athlete)
    house().services.first_run.begin(access.me(), athlete.athlete_id)
    session.pop(_RUNNING, None)
    return render_template("start/start.html", athlete=athlete, run=run, said=SAID)


@blueprint.get("/next")
@access.athlete
def onward() -> Response:
    """Go on to the next open step; to Today, with what was learnt, when there is none."""
    athlete = myself()
    run = _run(athlete)
    if run.next is not None:
        return _to(run.next, athlete)
    session.pop(_RUNNING, None)
    house().services.first_run.end(access.me(), athlete.athlete_id)
    flash(" ".join([_learnt(athlete), *_put_off(run)]), "done")
    return redirect(url_for("athlete.today"), code=303)


@blueprint.get("/step/<step>")
@access.athlete
def step(step: str) -> Response:
    """Go to one step."""
    return _to(_step(step), myself())


@blueprint.post("/step/<step>/skip")
@access.athlete
def skip(step: str) -> Response:
    """Put a step off and go on."""
    me, athlete, services, skipped = access.me(), myself(), house().services, _step(step)
    running = services.assessments.overview(me, athlete.athlete_id).running
    if skipped is Step.TEST and running is not None:
        services.trials.finish(me, running.assessment_id)
    services.first_run.put_off(me, athlete.athlete_id, skipped)
    return redirect(url_for("start.onward"), code=303)


@blueprint.post("/end")
@access.athlete
def end() -> Response:
    """Leave the rest for later, for good."""
    house().services.first_run.end(access.me(), myself().athlete_id)
    session.pop(_RUNNING, None)
    flash(_("All of it stays where it belongs: under Me."), "done")
    return redirect(url_for("athlete.today"), code=303)


@blueprint.get("/consents")
@access.athlete
def consents() -> str:
    """Ask for each purpose by itself."""
    return _consents_page(None)


@blueprint.post("/consents")
@access.athlete
def agree() -> Response:
    """Keep what was agreed to, and withdraw what was not."""
    athlete, me, service = myself(), access.me(), house().services.consents
    wanted = {purpose for purpose in Purpose if request.form.get(purpose.value) == "yes"}
    try:
        for each in service.of_athlete(me, athlete.athlete_id).now:
            purpose = each.text.purpose
            if purpose in wanted:
                service.agree(me, athlete.athlete_id, purpose, forms.whole_in(f"version_{purpose.value}"))
            elif each.stands:
                service.withdraw(me, athlete.athlete_id, purpose)
    except (InvalidInput, Conflict, NotAllowed) as error:
        return Response(_consents_page(str(error)), 422, content_type="text/html; charset=utf-8")
    # Who agrees to nothing has been asked too.
    if not wanted:
        house().services.first_run.put_off(me, athlete.athlete_id, Step.CONSENT)
    return redirect(url_for("start.onward"), code=303)


def _consents_page(problem: str | None) -> str:
    view = house().services.consents.of_athlete(access.me(), myself().athlete_id)
    return render_template("start/consents.html", consents=view, problem=problem)


@blueprint.get("/body")
@access.athlete
def body() -> str:
    """Ask for the sport, the sides and earlier injuries."""
    return _body_page(None)


@blueprint.post("/body")
@access.athlete
def tell_body() -> Response:
    """Keep them."""
    athlete, me, form, services = myself(), access.me(), request.form, house().services
    injured_at, hurts_now = form.getlist("injured_at")[: len(SITES)], form.getlist("hurts_now")[: len(HURTS)]
    try:
        side = Side(form["side"]) if form.get("side") in set(Side) else None
        profile = services.profiles.get(form.get("profile", "")[:40])
        services.bodies.tell(me, athlete.athlete_id, side, injured_at, form.get("injuries", ""), hurts_now)
        if profile.id != athlete.profile_id:
            services.athletes.set_profile(me, athlete.athlete_id, profile.id)
    except InvalidInput as error:
        return Response(_body_page(str(error)), 422, content_type="text/html; charset=utf-8")
    if not _run(athlete).ended:
        return redirect(url_for("start.onward"), code=303)
    flash(_("Kept."), "done")
    return redirect(url_for("me.page"), code=303)


def _body_page(problem: str | None) -> str:
    services, athlete, form = house().services, myself(), request.form
    told = services.bodies.of_athlete(access.me(), athlete.athlete_id)
    profiles = sorted(services.profiles.all(), key=lambda each: each.name.casefold())
    return render_template(
        "start/body.html",
        profiles=profiles,
        profile=form.get("profile", athlete.profile_id),
        sides=SIDE_WORD,
        side=form.get("side", told.side.value if told and told.side else ""),
        sites=SITE_WORDS,
        injured_at=form.getlist("injured_at") or (told.injured_at if told else ()),
        hurts={each: CONTRAINDICATIONS[each] for each in HURTS},
        hurts_now=form.getlist("hurts_now") or (told.hurts_now if told else ()),
        injuries=form.get("injuries", told.injuries if told else ""),
        in_run=not _run(athlete).ended,
        problem=problem,
    )


def _run(athlete: AthleteView) -> RunView:
    return house().services.first_run.view(access.me(), athlete.athlete_id)


def _step(text: str) -> Step:
    try:
        return Step(text)
    except ValueError:
        abort(404)


def _to(step: Step, athlete: AthleteView) -> Response:
    session[_RUNNING] = step.value
    return redirect(_page_of(step, athlete), code=303)


def _page_of(step: Step, athlete: AthleteView) -> str:
    """Return the page of a step: of the part that it belongs to."""
    if step is Step.TEST:
        running = house().services.assessments.overview(access.me(), athlete.athlete_id).running
        if running is not None:
            return url_for("assessments.guided", assessment_id=running.assessment_id)
        return url_for("assessments.before", kind=Kind.FIRST_HOLD.value)
    if step is Step.CALIBRATE:
        worn = house().services.wearables.for_athlete(athlete.athlete_id)
        waiting = [each for each in worn if each.calibrated_at is None]
        if waiting:
            return url_for("calibration.page", wearable_id=waiting[0].wearable_id)
        return url_for("wearables.own")
    pages = {
        Step.CONSENT: "start.consents",
        Step.BODY: "start.body",
        Step.SAFETY: "safety.own",
        Step.PAIR: "wearables.own",
    }
    return url_for(pages[step])


def _learnt(athlete: AthleteView) -> str:
    """Return what the first test said and when the next is, or what became of it."""
    overview = house().services.assessments.overview(access.me(), athlete.athlete_id)
    tested = next((each for each in overview.past if each.state is AssessmentState.DONE), None)
    if tested is None:
        return _("You are set up. A first test waits under Me whenever you like.")
    known = next((each for each in tested.trials if each.known is not None and each.known.counts), None)
    if known is None or known.known is None:
        return _("Your first test is done. What it says follows when its signal is here.")
    test, value = said(test_name(known.test)), said(trial_amount(known.known))
    learnt = _("Your first test: %(test)s, %(value)s.", test=test, value=value)
    if overview.retest is None:
        return learnt
    weeks = round((overview.retest.due_on - house().today(athlete.time_zone)).days / 7)
    then = ngettext("The next is in %(num)s week.", "The next is in %(num)s weeks.", weeks)
    return f"{learnt} {then}"


def _put_off(run: RunView) -> list[str]:
    """Return the sentence about what was skipped, none where nothing was; the test has its own."""
    names = [_(SAID[each.step].name) for each in run.steps if not each.done and each.step is not Step.TEST]
    return [_("For later, under Me: %(names)s.", names=", ".join(names))] if names else []


def after_test() -> str | None:
    """Return where the first run goes on after a test that was finished or left; None for who is not at it."""
    if session.get(_RUNNING) != Step.TEST.value:
        return None
    athlete = myself()
    if not _run(athlete).is_done(Step.TEST):
        house().services.first_run.put_off(access.me(), athlete.athlete_id, Step.TEST)
    return url_for("start.onward")


def _came_back() -> Response | None:
    """Lead on who comes to Today with the step done that they were at: the parts know of no run and lead there."""
    running = session.get(_RUNNING)
    if request.endpoint != "athlete.today" or running not in set(Step) or access.someone() is None:
        return None
    return redirect(url_for("start.onward"), code=303) if _run(myself()).is_done(Step(running)) else None


def _open_run() -> RunView | None:
    """Return the run that Today speaks of: seen, not ended, with a step that waits."""
    run = _run(myself())
    return run if run.seen and not run.ended and run.next is not None else None


def _bar() -> dict[str, Any] | None:
    """Return what parts/run_bar.html needs while a step goes on on the page of another part."""
    running, person = session.get(_RUNNING), access.someone()
    if running not in set(Step) or person is None or person.role is not Role.ATHLETE or request.blueprint == "start":
        return None
    run = _run(myself())
    step = Step(running)
    return {
        "step": step,
        "number": list(Step).index(step) + 1,
        "run": run,
        "said": SAID[step],
        "done": run.is_done(step),
    }


def install(app: Flask) -> None:
    """Let every page say where one is in the first run. Must come after access."""
    app.before_request(_came_back)
    app.jinja_env.globals.update(first_run_bar=_bar, open_first_run=_open_run)
