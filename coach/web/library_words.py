"""The library's codes as words: planes, kinds, phases, groups, what is needed and what speaks against an exercise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Flask

from coach.exercise_texts import in_words
from coach.language import N_
from coach.language import gettext as _
from coach.service.plain import exercise_from_plain
from programs.exercises import CONTRAINDICATIONS, EQUIPMENT, library
from programs.types import Category, Exercise, Phase, Plane, SeenAs

PLANES = {
    Plane.SAGITTAL: N_("forward and back"),
    Plane.FRONTAL: N_("to the side"),
    Plane.TRANSVERSE: N_("turning"),
}
CATEGORIES = {
    Category.CORE: N_("trunk"),
    Category.HIP: N_("hips and legs"),
    Category.THORACIC: N_("upper back"),
    Category.SHOULDER: N_("shoulders"),
    Category.RECOVERY: N_("recovery"),
}
PHASES = {
    Phase.ACUTE: N_("also in the first days after a spasm"),
    Phase.EARLY: N_("early after a spasm, or to begin with"),
    Phase.REBUILD: N_("while building up again"),
    Phase.STRENGTH: N_("with a back that is well"),
}
SEEN = {
    SeenAs.REPETITION: N_("counts repetitions"),
    SeenAs.HOLD: N_("times holds"),
    SeenAs.STEPS: N_("counts steps"),
    SeenAs.NOT_SEEN: N_("does not see it"),
}
GROUPS = {
    "back extensors": N_("back extensors"),  # no words
    "front trunk": N_("front of the trunk"),  # no words
    "side trunk": N_("side of the trunk"),  # no words
    "trunk rotation": N_("turning the trunk"),  # no words
    "hip extensors": N_("hip extensors"),  # no words
    "outer hips": N_("outer hips"),  # no words
    "legs": N_("legs"),
    "hips and upper back": N_("mobility of hips and upper back"),  # no words
    "shoulder girdle": N_("shoulder girdle"),  # no words
    "recovery": N_("recovery"),
}
NEEDS = {
    "repeated_bending": N_("a lot of bending"),
    "sustained_flexion": N_("long bending"),
    "deep_flexion": N_("deep bending"),
    "repeated_rotation": N_("a lot of turning"),
    "one_sided_strokes": N_("swings and strokes to one side"),
    "low_endurance": N_("little endurance of the trunk in a test"),
    "side_difference": N_("a difference between left and right in a test"),
    "low_rotation": N_("little turning in a test"),
}
PLACEMENTS = {
    "chest": N_("chest"),
    "upper_back": N_("upper back"),
    "lower_back": N_("lower back"),
    "hip": N_("hip"),
    "wrist": N_("wrist"),
    "upper_arm": N_("upper arm"),
    "thigh": N_("thigh"),
    "ankle": N_("ankle"),
}


def exercise_of(shown: Mapping[str, Any]) -> Exercise | None:
    """Return what an exercise of a session is, with its texts as they are read; None where it has left the library."""
    own = shown.get("own")
    one = exercise_from_plain(own) if own else library().get(shown["exercise_id"])
    return in_words(one) if one is not None else None


def plane_name(plane: Plane) -> str:
    """Return a plane of motion in words."""
    return str(_(PLANES[plane]))


def category_name(category: Category) -> str:
    """Return what part of the body an exercise is for."""
    return str(_(CATEGORIES[category]))


def phase_name(phase: Phase) -> str:
    """Return from when on an exercise may be given."""
    return str(_(PHASES[phase]))


def group_name(group: str) -> str:
    """Return a muscle group in words."""
    return str(_(GROUPS.get(group, group)))


def need_name(kind: str) -> str:
    """Return what an exercise answers."""
    return str(_(NEEDS.get(kind, kind)))


def equipment_name(thing: str) -> str:
    """Return what an exercise needs."""
    return str(_(EQUIPMENT.get(thing, thing)))


def against_name(reason: str) -> str:
    """Return what speaks against an exercise."""
    return str(_(CONTRAINDICATIONS.get(reason, reason)))


def placement_name(placement: str) -> str:
    """Return where a wearable is worn."""
    return str(_(PLACEMENTS[placement]))


def seen_name(one: Exercise) -> str:
    """Return what a wearable sees of an exercise: `A wearable at the chest times holds`."""
    if one.placement is None:
        return str(_("A wearable does not see it."))
    where = _(PLACEMENTS[one.placement])
    return str(_("Worn at the %(where)s, a wearable %(does)s.", where=where, does=_(SEEN[one.seen_as])))


def needs_text(one: Exercise) -> str:
    """Return what an exercise needs, listed; nothing but a floor is said so."""
    return ", ".join(equipment_name(each) for each in one.equipment)


def install(app: Flask) -> None:
    """Give the templates these words."""
    filters = (
        plane_name,
        category_name,
        phase_name,
        group_name,
        need_name,
        equipment_name,
        against_name,
        placement_name,
        seen_name,
        needs_text,
        in_words,
    )
    for each in filters:
        app.jinja_env.filters[each.__name__] = each
