"""Templates of a coach's own: made from the library, applied to one athlete or to many as proposals."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from coach.errors import CoachError, Conflict, InvalidInput
from coach.language import gettext as _
from coach.language import ngettext
from coach.service.plan_templates import NAME_MAX
from coach.service.program_desk import Outcome
from coach.web import access, forms, reading
from coach.web.house import house
from coach.web.program_edit import chosen_in, shelves
from programs.compose import BY_HAND_MAX
from programs.exercises import library
from programs.prescribe import WEEKS_MAX

blueprint = Blueprint("templates", __name__)


@blueprint.get("/templates")
@access.coach
def page() -> str:
    """Show the coach's templates, and the form of a new one."""
    return _page()


@blueprint.post("/templates")
@access.coach
def make() -> Response:
    """Keep a new template."""
    try:
        course = forms.whole_in("sessions_per_week") or 0, forms.whole_in("weeks") or 0
        name, chosen = request.form.get("name", ""), chosen_in(request.form)
        made = house().services.plan_templates.make(access.me(), name, chosen, *course)
    except (InvalidInput, Conflict) as error:
        return Response(_page(error), 400, content_type="text/html; charset=utf-8")
    flash(_("The template “%(name)s” is kept.", name=made.name), "done")
    return redirect(url_for("templates.one", template_id=made.template_id), code=303)


@blueprint.get("/templates/<template_id>")
@access.coach
def one(template_id: str) -> str:
    """Show one template, and whom it may be proposed to."""
    return _one(template_id)


@blueprint.post("/templates/<template_id>/apply")
@access.coach
def apply(template_id: str) -> Response:
    """Propose a template to those who are ticked, each by itself."""
    athlete_ids, more = request.form.getlist("athlete"), request.form.get("more") == "1"
    try:
        outcomes = house().services.plan_templates.apply(access.me(), template_id, athlete_ids, more)
    except InvalidInput as error:
        return Response(_one(template_id, problem=error), 400, content_type="text/html; charset=utf-8")
    done = [each for each in outcomes if each.problem is None]
    for each in done:
        if each.athlete_id is not None:
            house().live_feed.publish(each.athlete_id, {"kind": "plan"})
    return Response(_one(template_id, outcomes), 200 if done else 409, content_type="text/html; charset=utf-8")


@blueprint.post("/templates/<template_id>/delete")
@access.coach
def drop(template_id: str) -> Response:
    """Delete a template."""
    house().services.plan_templates.drop(access.me(), template_id)
    flash(_("Deleted. What was proposed from it stays."), "done")
    return redirect(url_for("templates.page"), code=303)


def _page(problem: CoachError | None = None) -> str:
    services, me = house().services, access.me()
    own = tuple(each.exercise for each in services.own_exercises.of_coach(me))
    return render_template(
        "program_desk/templates.html",
        templates=services.plan_templates.of_coach(me),
        shelves=shelves((*own, *library().values())),
        lines=range(BY_HAND_MAX),
        told=request.form,
        problem=problem,
        name_max=NAME_MAX,
        weeks_max=WEEKS_MAX,
    )


def _one(template_id: str, outcomes: tuple[Outcome, ...] = (), problem: CoachError | None = None) -> str:
    services, me = house().services, access.me()
    template = services.plan_templates.get(me, template_id)
    people = services.program_desk.planned_for(me)
    reading.names(each.athlete_id for each in people)
    done = [each for each in outcomes if each.problem is None]
    return render_template(
        "program_desk/template.html",
        template=template,
        people=people,
        done=done,
        refused=[each for each in outcomes if each.problem is not None],
        said=ngettext("Proposed to %(num)s athlete.", "Proposed to %(num)s athletes.", len(done)) if done else None,
        problem=problem,
    )
