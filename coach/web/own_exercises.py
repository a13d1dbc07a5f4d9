"""Exercises of a coach's own: a form that asks for what the library says of each of its own."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from coach.errors import InvalidInput
from coach.exercise_texts import in_words
from coach.language import gettext as _
from coach.service.own_exercises import CUES_MAX, NAME_MAX, TEXT_MAX
from coach.web import access, forms, library_words
from coach.web.house import house
from programs.drawings import drawings
from programs.exercises import ALWAYS_AGAINST, CONTRAINDICATIONS, EQUIPMENT, NEED_KINDS, PLACEMENTS, library
from programs.types import Category, Phase, Plane, SeenAs

blueprint = Blueprint("own_exercises", __name__)

# Levels that the form asks for. Own choice: as many as the library's exercises have at most.
LEVELS_ASKED = 5
_TEXTS = ("name", "target", "plane", "muscle_group", "regression", "source", "category", "sides", "phase")
_LISTS = ("answers", "contraindications", "equipment")
_FLAGS = ("flexion_loaded", "bends_forward")
# Sets of a level as they are typed: digits, commas and blanks. Own bound.
_SETS_MAX = 60


@blueprint.get("/own-exercises/new")
@access.coach
def new() -> str:
    """Show the empty form."""
    return _form(MultiDict({"sides": "both", "phase": Phase.EARLY.value, "category": Category.CORE.value}), None)


@blueprint.post("/own-exercises")
@access.coach
def add() -> Response:
    """Keep a new exercise."""
    try:
        made = house().services.own_exercises.add(access.me(), entry_in(request.form))
    except InvalidInput as error:
        return Response(_form(request.form, None, error), 400, content_type="text/html; charset=utf-8")
    flash(_("%(name)s is in your library now.", name=made.exercise.name), "done")
    return redirect(url_for("library.exercise", exercise_id=made.exercise.id), code=303)


@blueprint.get("/own-exercises/<exercise_id>")
@access.coach
def edit(exercise_id: str) -> str:
    """Show the form with what an exercise is."""
    return _form(_filled(house().services.own_exercises.get(access.me(), exercise_id).entry), exercise_id)


@blueprint.post("/own-exercises/<exercise_id>")
@access.coach
def change(exercise_id: str) -> Response:
    """Keep an exercise as it was changed."""
    try:
        changed = house().services.own_exercises.change(access.me(), exercise_id, entry_in(request.form))
    except InvalidInput as error:
        page = _form(request.form, exercise_id, error)
        return Response(page, 400, content_type="text/html; charset=utf-8")
    flash(_("%(name)s is changed. Programs that have it keep it as it was.", name=changed.exercise.name), "done")
    return redirect(url_for("library.exercise", exercise_id=exercise_id), code=303)


@blueprint.post("/own-exercises/<exercise_id>/delete")
@access.coach
def drop(exercise_id: str) -> Response:
    """Delete an exercise."""
    house().services.own_exercises.drop(access.me(), exercise_id)
    flash(_("Deleted. Programs and templates that have it keep it."), "done")
    return redirect(url_for("library.page"), code=303)


def entry_in(form: MultiDict[str, str]) -> dict[str, Any]:
    """Return the form as the keys and values of a table of the library. Raises InvalidInput."""
    entry: dict[str, Any] = {name: form.get(name, "").strip() for name in _TEXTS}
    entry |= {name: form.getlist(name) for name in _LISTS}
    entry |= {name: form.get(name) == "1" for name in _FLAGS}
    entry["easier"] = form.get("easier", "")
    entry["equipment"] = entry["equipment"] or ["none"]
    entry["cues"] = [line.strip() for line in form.get("cues", "").splitlines() if line.strip()]
    seen_as = form.get("seen_as", SeenAs.NOT_SEEN.value)
    sees = seen_as != SeenAs.NOT_SEEN
    entry["seen"] = {"placement": form.get("placement", "") if sees else "", "as": seen_as}
    if form.get("drawn_as"):
        entry["drawn_as"] = form["drawn_as"]
    entry["levels"] = [
        level for number in range(LEVELS_ASKED) if (level := _level(form, number, entry["sides"])) is not None
    ]
    return entry


def _level(form: MultiDict[str, str], number: int, sides: str) -> dict[str, Any] | None:
    name = form.get(f"level_name_{number}", "").strip()
    typed = form.get(f"level_sets_{number}", "")
    if not name and not typed.strip():
        return None
    hold = form.get(f"level_hold_{number}", "").strip()
    level: dict[str, Any] = {"name": name, "repetitions": list(sets_in(typed)), "per_side": sides == "each"}
    level["rest_s"] = forms.number(form.get(f"level_rest_{number}", "") or "0")
    return level | ({"hold_s": forms.number(hold)} if hold else {})


def sets_in(text: str) -> tuple[int, ...]:
    """Return `6, 4, 2` as the repetitions of three sets. Raises InvalidInput."""
    parts = text.replace(",", " ").split()
    if len(text) > _SETS_MAX or not parts or not all(each.isascii() and each.isdecimal() for each in parts):
        raise InvalidInput(_("Write sets like 6, 4, 2: the repetitions or holds of each."))
    return tuple(int(each[:6]) for each in parts)


def _filled(entry: dict[str, Any]) -> MultiDict[str, str]:
    """Return an entry as its form."""
    form: MultiDict[str, str] = MultiDict({name: str(entry.get(name, "")) for name in _TEXTS})
    for name in _LISTS:
        form.setlist(name, list(entry[name]))
    for name in _FLAGS:
        form[name] = "1" if entry[name] else ""
    form["easier"], form["drawn_as"] = entry["easier"], entry.get("drawn_as", "")
    form["cues"] = "\n".join(entry["cues"])
    form["seen_as"], form["placement"] = entry["seen"]["as"], entry["seen"]["placement"]
    for number, level in enumerate(entry["levels"][:LEVELS_ASKED]):
        form[f"level_name_{number}"] = level["name"]
        form[f"level_sets_{number}"] = ", ".join(map(str, level["repetitions"]))
        form[f"level_hold_{number}"] = f"{level['hold_s']:g}" if "hold_s" in level else ""
        form[f"level_rest_{number}"] = f"{level['rest_s']:g}"
    return form


def _form(told: MultiDict[str, str], exercise_id: str | None, problem: InvalidInput | None = None) -> str:
    return render_template(
        "library/own.html",
        told=told,
        exercise_id=exercise_id,
        problem=problem,
        planes=list(Plane),
        categories=list(Category),
        phases=list(Phase),
        groups=library_words.GROUPS,
        needs=[each for each in library_words.NEEDS if each in NEED_KINDS],
        things=[each for each in EQUIPMENT if each != "none"],
        reasons=[each for each in CONTRAINDICATIONS if each not in ALWAYS_AGAINST],
        always=[each for each in CONTRAINDICATIONS if each in ALWAYS_AGAINST],
        shelf=[in_words(one) for one in library().values()],
        drawn=[in_words(library()[each]) for each in drawings() if each in library()],
        seen=library_words.SEEN,
        placements=[each for each in library_words.PLACEMENTS if each in PLACEMENTS],
        levels=range(LEVELS_ASKED),
        name_max=NAME_MAX,
        text_max=TEXT_MAX,
        cues_max=CUES_MAX,
    )
