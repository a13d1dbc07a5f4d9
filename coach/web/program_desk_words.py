"""The program desk's values as words: what a proposal does to an exercise, what it came from, what holds it."""

from __future__ import annotations

from flask import Flask

from coach.exercise_texts import in_words
from coach.language import N_
from coach.language import gettext as _
from coach.service.plan_differences import Course, Difference, DifferenceLine, MadeFrom, Mark, Proposal
from coach.service.program_desk import Held
from coach.web import words
from programs.exercises import known
from programs.types import PrescribedExercise

MARKS = {
    Mark.ADDED: N_("new"),
    Mark.REMOVED: N_("goes"),
    Mark.MORE: N_("asks for more"),
    Mark.LESS: N_("asks for less"),
    Mark.SAME: N_("unchanged"),
}
# A sign beside the word, which says the same.
SIGNS = {Mark.ADDED: "+", Mark.REMOVED: "−", Mark.MORE: "↑", Mark.LESS: "↓", Mark.SAME: "="}
HELD = {Held.PAUSED: N_("paused: medical review advised"), Held.NEVER_ASKED: N_("safety questions not answered yet")}


def mark_word(mark: Mark) -> str:
    """Return what a proposal does to an exercise, in words."""
    return str(_(MARKS[mark]))


def mark_sign(mark: Mark) -> str:
    """Return the sign beside that word."""
    return SIGNS[mark]


def held_word(held: Held) -> str:
    """Return why a proposal cannot be accepted now."""
    return str(_(HELD[held]))


def line_name(line: DifferenceLine) -> str:
    """Return the name of a line's exercise, in the language of now."""
    item = line.after or line.before
    return item_name(item) if item is not None else line.name


def item_name(item: PrescribedExercise) -> str:
    """Return the name of a prescribed exercise; its id where it has left the library since."""
    one = known(item)
    return in_words(one).name if one is not None else item.exercise_id


def item_level(item: PrescribedExercise) -> str:
    """Return the level of a prescribed exercise in words; nothing of what has left the library since."""
    one = known(item)
    levels = in_words(one).levels if one is not None else ()
    return levels[item.level] if item.level < len(levels) else ""


def item_text(item: PrescribedExercise) -> str:
    """Return level and dose of a prescribed exercise: `one leg, 3 sets of 6, 4, 2 holds of 10 s, each side`."""
    level, dose = item_level(item), words.dose_text(item.dose)
    return f"{level}, {dose}" if level else dose


def first_side_text(item: PrescribedExercise) -> str:
    """Return which side begins: `left side first, with one set more`."""
    if item.first_side == "left":
        return str(_("left side first, with one set more") if item.extra_set else _("left side first"))
    return str(_("right side first, with one set more") if item.extra_set else _("right side first"))


def course_changes(difference: Difference) -> list[str]:
    """Return how often and how long, as changes where something runs: `3 times a week, was 2`."""
    new, old = difference.proposed, difference.runs
    if old is None:
        return [_course(new)]
    said = []
    if new.sessions_per_week != old.sessions_per_week:
        said.append(_("%(new)s times a week, was %(old)s", new=new.sessions_per_week, old=old.sessions_per_week))
    if new.session_duration_min != old.session_duration_min:
        new_min, old_min = new.session_duration_min, old.session_duration_min
        said.append(_("%(new)s min a session, was %(old)s", new=new_min, old=old_min))
    said.append(_("for %(weeks)s weeks from the day it is accepted", weeks=new.weeks))
    return [str(each) for each in said]


def _course(course: Course) -> str:
    if not course.session_duration_min:
        return str(_("Rest only: no session is planned."))
    return str(
        _(
            "%(often)s times a week for %(weeks)s weeks, about %(minutes)s minutes each",
            often=course.sessions_per_week,
            weeks=course.weeks,
            minutes=course.session_duration_min,
        )
    )


def made_text(proposal: Proposal) -> str:
    """Return what a proposal came from."""
    if proposal.made_from is MadeFrom.EDITED:
        return str(_("changed by hand by %(name)s", name=proposal.by))
    if proposal.made_from is MadeFrom.TEMPLATE:
        return str(_("from the template “%(template)s”", template=proposal.template_name))
    return str(_("from what was found"))


def install(app: Flask) -> None:
    """Give the templates these words."""
    filters = (
        mark_word,
        mark_sign,
        held_word,
        line_name,
        item_name,
        item_level,
        item_text,
        first_side_text,
        course_changes,
        made_text,
    )
    for each in filters:
        app.jinja_env.filters[each.__name__] = each
