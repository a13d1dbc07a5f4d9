"""Jobs and drills: describe one, and read what the ergonomic models say of it."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from coach.analysis.types import NotComputable
from coach.errors import InvalidInput
from coach.service.job_models import MODELS, fields_of, model_named
from coach.service.jobs import TASKS_MAX, Count
from coach.service.types import AthleteView, Level
from coach.web import access
from coach.web.access import Access
from coach.web.asked import FIRST_YEAR
from coach.web.findings import local_day
from coach.web.house import house
from coach.web.job_words import MODEL_WORDS, field_in_si

blueprint = Blueprint("jobs", __name__)

# The form's own sign that a number comes from the wearable.
_COUNTED = "counted:"


@blueprint.get("/athletes/<athlete_id>/jobs")
@access.rule(Access.SIGNED_IN, need=Level.VIEW)
def of_athlete(athlete_id: str) -> str:
    """List an athlete's jobs, each with what its model says of today."""
    athlete = house().services.athletes.get(access.me(), athlete_id)
    day = local_day(athlete, request.args.get("day"))
    jobs = house().services.jobs.of_athlete(access.me(), athlete_id, day)
    return render_template("jobs/jobs.html", athlete=athlete, jobs=jobs, models=_offered(), needs=NotComputable)


@blueprint.get("/athletes/<athlete_id>/jobs/new")
@access.rule(Access.COACH, need=Level.PLAN)
def new(athlete_id: str) -> str:
    """Show the form of one model, with so many tasks as are asked for."""
    return _form(house().services.athletes.get(access.me(), athlete_id), None)


def _form(athlete: AthleteView, problem: InvalidInput | None) -> str:
    given = request.form if request.method == "POST" else request.args
    name = given.get("model", "lifft")
    model = model_named(name)
    return render_template(
        "jobs/new.html",
        athlete=athlete,
        model=name,
        fields=fields_of(model),
        several=model.several,
        tasks=_task_count(given.get("tasks", "1")) if model.several else 1,
        tasks_max=TASKS_MAX,
        counts=list(Count),
        given=given,
        problem=str(problem) if problem else None,
    )


@blueprint.post("/athletes/<athlete_id>/jobs")
@access.rule(Access.COACH, need=Level.PLAN)
def add(athlete_id: str) -> Response | tuple[str, int]:
    """Store a job, or show the form again with what is wrong."""
    athlete = house().services.athletes.get(access.me(), athlete_id)
    form = request.form
    try:
        model = model_named(form.get("model", ""))
        tasks: list[dict[str, str]] = []
        counted: list[dict[str, str]] = []
        for number in range(_task_count(form.get("tasks", "1"))):
            names = [each.name for each in fields_of(model)]
            said = {name: field_in_si(name, form.get(f"{number}.{name}", "")) for name in names}
            wants = {name: form.get(f"{number}.{name}.by", "") for name in said}
            counted.append({name: by.removeprefix(_COUNTED) for name, by in wants.items() if by.startswith(_COUNTED)})
            tasks.append({name: text for name, text in said.items() if name not in counted[-1]})
        job_id = house().services.jobs.add(
            access.me(), athlete_id, form.get("name", ""), form.get("model", ""), tasks, counted
        )
    except InvalidInput as error:
        return _form(athlete, error), 422
    return redirect(url_for("jobs.job", job_id=job_id), code=303)


@blueprint.get("/jobs/<job_id>")
@access.rule(Access.SIGNED_IN, need=Level.VIEW)
def job(job_id: str) -> str:
    """Show one job, what its model says of a day, and what that rests on."""
    services = house().services
    found = services.jobs.get(access.me(), job_id, date(FIRST_YEAR, 1, 1))
    athlete = services.athletes.get(access.me(), found.athlete_id)
    found = services.jobs.get(access.me(), job_id, local_day(athlete, request.args.get("day")))
    return render_template("jobs/job.html", job=found, athlete=athlete, needs=NotComputable)


@blueprint.post("/jobs/<job_id>/remove")
@access.rule(Access.COACH, need=Level.PLAN)
def remove(job_id: str) -> Response:
    """Take a job off the list."""
    athlete_id = house().services.jobs.remove(access.me(), job_id)
    flash("The job was removed.", "done")
    return redirect(url_for("jobs.of_athlete", athlete_id=athlete_id), code=303)


def _offered() -> list[str]:
    return [name for name in MODEL_WORDS if name in MODELS]


def _task_count(text: str) -> int:
    if not text.isdecimal() or len(text) > 2 or not 1 <= int(text) <= TASKS_MAX:
        raise InvalidInput(f"A job has 1 to {TASKS_MAX} tasks.")
    return int(text)
