"""The library: what programs are made of, narrowed by what is needed, and the exercises of a coach's own beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Blueprint, render_template, request

from coach.exercise_texts import in_words
from coach.web import access, library_words
from coach.web.house import house
from programs.drawings import drawings
from programs.exercises import EQUIPMENT, harder_than, library
from programs.types import Exercise, Phase, Plane

blueprint = Blueprint("library", __name__)

# Signs of a search. Own bound: longer than any name.
_ASKED_MAX = 100


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What the list is narrowed by, each empty for everything. have: equipment that is at hand. own: only own ones."""

    text: str = ""
    group: str = ""
    plane: str = ""
    phase: str = ""
    have: str = ""
    own: bool = False

    def holds(self, one: Exercise) -> bool:
        """Tell whether an exercise, with its texts as they are read, is one of these."""
        words = f"{one.name} {one.target}".casefold()
        phases = [each.value for each in Phase]
        return (
            all(each in words for each in self.text.casefold().split())
            and self.group in ("", one.muscle_group)
            and self.plane in ("", one.plane.value)
            and (self.phase not in phases or phases.index(one.phase.value) <= phases.index(self.phase))
            and (not self.have or set(one.equipment) <= {"none", self.have})
        )


def narrowing() -> Narrowing:
    """Return what of the library the address asks for; what is unknown holds for nothing."""
    asked = {name: request.args.get(name, "").strip()[:_ASKED_MAX] for name in ("q", "group", "plane", "phase", "have")}
    own = request.args.get("own") == "1"
    return Narrowing(asked["q"], asked["group"], asked["plane"], asked["phase"], asked["have"], own)


def drawing_id(one: Exercise) -> str:
    """Return whose drawing shows an exercise."""
    return one.drawn_as or one.id


@blueprint.get("/library")
@access.coach
def page() -> str:
    """Show the library; `?q=`, `?group=`, `?plane=`, `?phase=`, `?have=` and `?own=1` narrow it."""
    asked = narrowing()
    own = [each.exercise for each in house().services.own_exercises.of_coach(access.me())]
    shipped = [] if asked.own else list(library().values())
    shown_own = [one for one in own if asked.holds(one)]
    shown = [one for each in shipped if asked.holds(one := in_words(each))]
    return render_template(
        "library/library.html",
        asked=asked,
        narrowed=asked != Narrowing(),
        own=shown_own,
        have_own=bool(own),
        exercises=shown,
        everything=len(library()),
        drawing_of=drawings().get,
        drawing_id=drawing_id,
        groups=library_words.GROUPS,
        planes=list(Plane),
        phases=list(Phase),
        things=[each for each in EQUIPMENT if each != "none"],
    )


@blueprint.get("/library/<exercise_id>")
@access.coach
def exercise(exercise_id: str) -> str:
    """Show one exercise, of the library or of the coach's own."""
    services, me = house().services, access.me()
    shipped: Mapping[str, Exercise] = library()
    own = exercise_id not in shipped
    one = services.own_exercises.get(me, exercise_id).exercise if own else in_words(shipped[exercise_id])
    easier = shipped.get(one.easier) if one.easier is not None else None
    return render_template(
        "library/exercise.html",
        exercise=one,
        own=own,
        picture=drawings().get(drawing_id(one)),
        easier=in_words(easier) if easier is not None else None,
        harder=[in_words(each) for each in harder_than(exercise_id)],
    )
