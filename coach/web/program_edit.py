"""Changing a proposal, or a program that runs, by hand: what is kept becomes a proposal, which waits for its yes."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from coach.errors import CoachError, Conflict, InvalidInput
from coach.exercise_texts import in_words
from coach.language import gettext as _
from coach.service.plan_templates import NAME_MAX
from coach.service.program_desk import Editing
from coach.service.types import Level
from coach.web import access, forms
from coach.web.access import Access
from coach.web.house import house
from coach.web.own_exercises import sets_in
from programs.compose import BY_HAND_MAX, Chosen
from programs.exercises import known
from programs.prescribe import WEEKS_MAX
from programs.types import Exercise, PrescribedExercise

blueprint = Blueprint("program_edit", __name__)

# Empty lines to add exercises in. Own choice.
ADDED = 3


@blueprint.get("/plans/<plan_id>/edit")
@access.rule(Access.COACH, need=Level.PLAN)
def edit(plan_id: str) -> str:
    """Show a proposal, or a program that runs, to be changed."""
    return _page(house().services.program_desk.editing(access.me(), plan_id))


@blueprint.post("/plans/<plan_id>/edit")
@access.rule(Access.COACH, need=Level.PLAN)
def change(plan_id: str) -> Response:
    """Keep what was changed as a proposal; accept it at once where the button says so."""
    services, me = house().services, access.me()
    editing = services.program_desk.editing(me, plan_id)
    try:
        items = editing.plan.prescription.exercises
        course = forms.whole_in("sessions_per_week") or 0, forms.whole_in("weeks") or 0
        changed = services.program_desk.edit(me, plan_id, chosen_in(request.form, items), *course)
    except InvalidInput as error:
        return _problem(_page(editing, error), 400)
    house().live_feed.publish(changed.athlete_id, {"kind": "plan"})
    if request.form.get("then") == "accept":
        try:
            services.plans.accept(changed.plan_id, me)
        except CoachError as error:
            flash(_("Kept as a proposal. It is not accepted: %(why)s", why=str(error)), "look")
            return redirect(url_for("program_desk.page"), code=303)
        house().live_feed.publish(changed.athlete_id, {"kind": "plan"})
        flash(_("Accepted for %(name)s, as you changed it.", name=editing.athlete_name), "done")
        return redirect(url_for("coach.desk", athlete_id=changed.athlete_id), code=303)
    flash(_("Kept as a proposal for %(name)s. It waits for your yes.", name=editing.athlete_name), "done")
    return redirect(f"{url_for('program_desk.page')}#plan-{changed.plan_id}", code=303)


@blueprint.post("/plans/<plan_id>/template")
@access.rule(Access.COACH, need=Level.PLAN)
def make_template(plan_id: str) -> Response:
    """Make a template from a proposal or program."""
    services, me = house().services, access.me()
    try:
        made = services.plan_templates.make_from(me, plan_id, request.form.get("name", ""))
    except (InvalidInput, Conflict) as error:
        return _problem(_page(services.program_desk.editing(me, plan_id), error), 409)
    flash(_("The template “%(name)s” is kept. Nothing in it is of an athlete.", name=made.name), "done")
    return redirect(url_for("templates.one", template_id=made.template_id), code=303)


def chosen_in(form: MultiDict[str, str], before: tuple[PrescribedExercise, ...] = ()) -> list[Chosen]:
    """Return what a form chooses: the lines that stood there and are kept, then the added ones. Raises InvalidInput.

    A dose that was left as it stood follows the level to which a line was moved.
    """
    chosen = []
    for number, item in enumerate(before):
        if form.get(f"exercise_{number}") != item.exercise_id or form.get(f"keep_{number}") != "1":
            continue
        level = forms.whole_in(f"level_{number}", _("level"))
        level = item.level if level is None else level
        sets, hold_s = sets_in(form.get(f"sets_{number}", "")), form.get(f"hold_{number}", "").strip()
        stood = sets == item.dose.repetitions and (not hold_s or forms.number(hold_s) == item.dose.hold_s)
        if stood:
            chosen.append(Chosen(item.exercise_id, level))
        else:
            chosen.append(Chosen(item.exercise_id, level, sets, forms.number(hold_s) if hold_s else None))
    for number in range(BY_HAND_MAX):
        added = form.get(f"add_{number}", "")
        if added:
            level = forms.whole_in(f"add_level_{number}", _("level")) or 1
            chosen.append(Chosen(added, level - 1))
    return chosen


def shelves(shelf: tuple[Exercise, ...]) -> dict[str, list[Exercise]]:
    """Return what may be chosen from by muscle group, a coach's own under an empty name, first."""
    found: dict[str, list[Exercise]] = {}
    for one in shelf:
        found.setdefault("" if one.id.startswith("own_") else one.muscle_group, []).append(in_words(one))
    return dict(sorted(found.items(), key=lambda pair: bool(pair[0])))


def _page(editing: Editing, problem: CoachError | None = None) -> str:
    items = editing.plan.prescription.exercises
    return render_template(
        "program_desk/edit.html",
        editing=editing,
        plan=editing.plan,
        lines=[(item, one) for item in items if (one := known(item)) is not None],
        proposal=editing.proposal,
        shelves=shelves(editing.shelf),
        added=range(min(ADDED, max(0, BY_HAND_MAX - len(items)))),
        told=request.form,
        problem=problem,
        weeks_max=WEEKS_MAX,
        name_max=NAME_MAX,
    )


def _problem(page: str, status: int) -> Response:
    return Response(page, status, content_type="text/html; charset=utf-8")
