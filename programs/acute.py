"""An acute spasm: what is asked after it, what follows from the answers, and what a program becomes meanwhile.

Source: the phases of programs/phases.py; hours and limits: own heuristic, see docs/spasm.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from programs.dose import lighter, session_duration_min
from programs.errors import ProgramError
from programs.exercises import shelf_of
from programs.phases import fallback
from programs.progress import all_back, step_back
from programs.triage import ASK_AT_PAIN
from programs.types import Exercise, History, Phase, PrescribedExercise, Prescription

# Hours after it began at which it is asked how it goes. Own heuristic, as in our facts: a day, and three days.
FOLLOW_UPS_H = (24, 72)
# Ostelo 2008 (Spine 33:90): a change of 2 of 10 matters to people. So much more counts as worse, whatever is said.
RISE_IS_WORSE = 2
# Before it the program was at its level; after it, it begins below. Own words.
EASIER_WORDS = "After your spasm it begins a step easier than it was, and goes up only by your sessions and a yes."


class Feels(StrEnum):
    """How it is against the time before."""

    BETTER = "better"
    SAME = "same"
    WORSE = "worse"


@dataclass(frozen=True, slots=True)
class Follows:
    """ask: the safety questions again, and nothing until they are answered. doctor: offer the way to one."""

    ask: bool
    doctor: bool


def follows(feels: Feels, pain: int, pain_before: int | None, after_h: float) -> Follows:
    """Return what follows from an answer so many hours after a spasm began.

    pain: now, 0 to 10. pain_before: at the answer before, None at the first. Worse, pain of 6 or more, and pain risen
    by 2 or more ask the safety questions; not better after 72 h offers the doctor.
    Raises ProgramError for a pain outside 0 to 10. Source: own heuristic over Finucane 2020 and Ostelo 2008.
    """
    for each in (pain, pain_before):
        if each is not None and not 0 <= each <= 10:
            raise ProgramError(f"A pain of {each} is outside 0 to 10; ask again.")
    risen = pain_before is not None and pain - pain_before >= RISE_IS_WORSE
    worse = feels is Feels.WORSE or risen
    return Follows(
        ask=worse or pain >= ASK_AT_PAIN,
        doctor=after_h >= FOLLOW_UPS_H[-1] and (worse or feels is not Feels.BETTER),
    )


def come_back_to(prescription: Prescription, history: History) -> Prescription:
    """Return what a program comes back to after a spasm: one step easier in everything, as after a red session."""
    return replace(all_back(prescription, history), because=f"{EASIER_WORDS} {_without(prescription.because)}".strip())


def _without(because: str) -> str:
    return because.removeprefix(EASIER_WORDS).strip()


def within(
    prescription: Prescription, history: History, exercises: Mapping[str, Exercise] | None = None
) -> Prescription:
    """Return what of a program belongs to history.phase; where nothing does, walking and a position of ease.

    What comes later gives way to its nearest easier exercise that may be given, else it waits. In EARLY the doses are
    those of a lighter week. Nothing is ever more than it was. Source: own heuristic.
    """
    shelf = shelf_of(prescription.exercises) if exercises is None else exercises
    if history.phase is Phase.ACUTE:
        items: tuple[PrescribedExercise, ...] = ()
    else:
        kept: dict[str, PrescribedExercise] = {}
        for item in prescription.exercises:
            given = _given(item, history, shelf)
            if given is not None:
                kept.setdefault(given.exercise_id, given)
        items = tuple(kept.values())
    if history.phase is Phase.EARLY:
        items = tuple(replace(item, dose=lighter(item.dose)) for item in items)
    items = items or fallback(shelf)
    return replace(
        prescription, exercises=items, session_duration_min=session_duration_min(item.dose for item in items)
    )


def _given(item: PrescribedExercise, history: History, shelf: Mapping[str, Exercise]) -> PrescribedExercise | None:
    """Return an exercise, or the nearest easier one that the phase has; None where there is none."""
    while item.exercise_id in shelf:
        one = shelf[item.exercise_id]
        in_time = list(Phase).index(one.phase) <= list(Phase).index(history.phase)
        if in_time and not set(one.contraindications) & set(history.contraindications):
            return item
        if one.easier is None:
            return None
        item = step_back(replace(item, level=0), shelf)
    return None
