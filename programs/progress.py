"""One step at a time: what may go up, what goes down, when a week is made lighter.

Up is only ever proposed: it needs two green sessions before (pain.py) and a yes from athlete or coach after. Down needs
nobody's yes. Source: own heuristics after common practice, each named below; decisions/0010.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from programs.dose import REPETITION_S, lighter, session_duration_min
from programs.errors import ProgramError
from programs.exercises import AT_HOME, harder_than, shelf_of
from programs.types import Dose, Exercise, History, Phase, PrescribedExercise, Prescription

# Own heuristic: a week's volume rises by a tenth at most; by one repetition where that is more.
RISE_MAX_SHARE = 0.10
# Own heuristic: how long sessions may grow where nobody has said how much time there is; new ones begin shorter.
GROWN_MAX_MIN = 30
# Own heuristic: days without a session after which a program goes one level back, or begins again.
STEP_BACK_DAYS, RESTART_DAYS = 7, 21
# Own heuristic: signs of strain that together ask for a lighter week at once.
DELOAD_SIGNS = 2
# Own heuristic: h of sleep; days of low heart-rate variability; load above habit; amber sessions.
SLEEP_MIN_H, LOW_HRV_DAYS, LOAD_RISE_SHARE, AMBERS = 6.0, 3, 0.30, 2
# Foster 1998: weeks above this were monotonous.
MONOTONY_MAX = 2.0


class Variable(StrEnum):
    """What a step changes, in the order in which it is tried."""

    REPETITIONS = "repetitions"
    SETS = "sets"
    LEVEL = "level"
    EXERCISE = "exercise"


@dataclass(frozen=True, slots=True)
class Step:
    """One change of one exercise. volume_share: by how much the week's volume rises, 0.05 for 5 %."""

    variable: Variable
    before: PrescribedExercise
    after: PrescribedExercise
    volume_share: float
    because: str


@dataclass(frozen=True, slots=True)
class Strain:
    """What asks for a lighter week, None where it is not known.

    monotony: of the last 7 days. load_rise_share: this week against the habit. low_hrv_days: in a row. sleep_h: last
    night's. ambers: amber sessions since the last green one.
    """

    monotony: float | None = None
    load_rise_share: float | None = None
    low_hrv_days: int | None = None
    sleep_h: float | None = None
    ambers: int = 0


def work_s(dose: Dose) -> float:
    """Return the time under tension of a dose in s, both sides, without rests. Source: own measure of volume."""
    one_s = REPETITION_S if dose.hold_s is None else dose.hold_s
    return sum(dose.repetitions) * one_s * (2 if dose.per_side else 1)


def propose_step(
    prescription: Prescription,
    history: History,
    changed_last: Sequence[str] = (),
    exercises: Mapping[str, Exercise] | None = None,
) -> Step | None:
    """Return the one change that may come next, None when nothing can go up.

    changed_last: ids of exercises in the order of their last step, oldest first: whoever waits longest is next.
    Repetitions go up before sets, sets before the level, the level before a harder exercise; a step that would raise
    the week's volume by more than a tenth is passed over unless it is a single repetition, and so is one that makes
    the session longer than there is time for.
    """
    shelf = shelf_of(prescription.exercises) if exercises is None else exercises
    total_s = sum(work_s(item.dose) for item in prescription.exercises)
    order = {name: place for place, name in enumerate(changed_last, start=1)}
    for item in sorted(prescription.exercises, key=lambda item: order.get(item.exercise_id, 0)):
        if item.exercise_id not in shelf:
            continue  # left the library since; its plan goes on unchanged
        for variable, after in _ways_up(item, prescription, history, shelf):
            rise_s = work_s(after.dose) - work_s(item.dose)
            share = rise_s / total_s
            smallest = (
                variable is Variable.REPETITIONS and sum(after.dose.repetitions) == sum(item.dose.repetitions) + 1
            )
            if (share <= RISE_MAX_SHARE or smallest) and _in_time(prescription, item, after, history):
                return Step(variable, item, after, share, _said(variable, item, after, shelf))
    return None


def with_step(prescription: Prescription, step: Step) -> Prescription:
    """Return the program after a step. Raises ProgramError when it does not have what the step changes."""
    if step.before not in prescription.exercises:
        raise ProgramError(
            f"The program no longer has '{step.before.exercise_id}' as this step found it; propose anew."
        )
    return _with(prescription, _in_place(prescription, step.before, step.after))


def _with(prescription: Prescription, items: Sequence[PrescribedExercise]) -> Prescription:
    duration_min = session_duration_min(item.dose for item in items) if items else 0
    return replace(prescription, exercises=tuple(items), session_duration_min=duration_min)


def _in_place(
    prescription: Prescription, before: PrescribedExercise, after: PrescribedExercise
) -> list[PrescribedExercise]:
    return [after if item == before else item for item in prescription.exercises]


def _in_time(
    prescription: Prescription, before: PrescribedExercise, after: PrescribedExercise, history: History
) -> bool:
    now_min = session_duration_min(item.dose for item in prescription.exercises)
    then_min = session_duration_min(item.dose for item in _in_place(prescription, before, after))
    return then_min <= max(now_min, history.session_max_min or GROWN_MAX_MIN)


def _ways_up(
    item: PrescribedExercise, prescription: Prescription, history: History, shelf: Mapping[str, Exercise]
) -> list[tuple[Variable, PrescribedExercise]]:
    one = shelf[item.exercise_id]
    own = one.dose_by_level[item.level].repetitions
    # A dose that was shortened, or made lighter, first comes back to what its level says.
    goal = own if _below(item.dose.repetitions, own) else None
    last = item.level + 1 >= len(one.levels)
    if goal is None and not last and sum(one.dose_by_level[item.level + 1].repetitions) > sum(item.dose.repetitions):
        goal = one.dose_by_level[item.level + 1].repetitions
    if goal is not None:
        more = _one_more(item.dose.repetitions, goal)
        variable = Variable.REPETITIONS if len(more) == len(item.dose.repetitions) else Variable.SETS
        level = item.level + 1 if not last and more == one.dose_by_level[item.level + 1].repetitions else item.level
        return [(variable, replace(item, level=level, dose=replace(item.dose, repetitions=more)))]
    if not last:
        # One thing at a time: a lever that is harder comes with no more work, such as that of a second side.
        dose = _no_more(one.dose_by_level[item.level + 1], item.dose)
        return [(Variable.LEVEL, replace(item, level=item.level + 1, dose=dose))]
    return [
        (Variable.EXERCISE, _swapped(item, one, harder))
        for harder in harder_than(one.id, shelf)
        if _may_replace(harder, one, prescription, history)
    ]


def _swapped(item: PrescribedExercise, one: Exercise, other: Exercise) -> PrescribedExercise:
    """Return another exercise in the place of one: at its easiest, for the same reason, never with more work."""
    because = item.because.replace(f"{one.name} aims at {one.target}.", f"{other.name} aims at {other.target}.")
    first_side = item.first_side if other.each_side else None
    dose = _no_more(other.dose_by_level[0], item.dose)
    return PrescribedExercise(other.id, 0, dose, because, first_side, item.extra_set and first_side is not None)


def _below(now: Sequence[int], goal: Sequence[int]) -> bool:
    return sum(now) < sum(goal)


def _one_more(now: tuple[int, ...], goal: tuple[int, ...]) -> tuple[int, ...]:
    """Return one repetition more in the first set that is short of the goal, else the next set."""
    for place, count in enumerate(now):
        if place < len(goal) and count < goal[place]:
            return (*now[:place], count + 1, *now[place + 1 :])
    return (*now, goal[len(now)]) if len(now) < len(goal) else goal


def _may_replace(other: Exercise, one: Exercise, prescription: Prescription, history: History) -> bool:
    """Tell whether another exercise may come in its place: allowed, no second time, and no new load in flexion."""
    there = {item.exercise_id for item in prescription.exercises}
    return _allowed(other, history) and other.id not in there and (one.flexion_loaded or not other.flexion_loaded)


def _allowed(one: Exercise, history: History) -> bool:
    phases = list(Phase)
    at_hand = (AT_HOME if history.equipment is None else history.equipment) | {"none"}
    return (
        not set(one.contraindications) & set(history.contraindications)
        and at_hand.issuperset(one.equipment)
        and phases.index(one.phase) <= phases.index(history.phase)
        and one.id not in history.declined
    )


def _said(
    variable: Variable, item: PrescribedExercise, after: PrescribedExercise, shelf: Mapping[str, Exercise]
) -> str:
    one, other = shelf[item.exercise_id], shelf[after.exercise_id]
    what = {
        Variable.REPETITIONS: f"one repetition more of {one.name.lower()}",
        Variable.SETS: f"one set more of {one.name.lower()}",
        Variable.LEVEL: f"{one.name.lower()}: {one.levels[after.level]}",
        Variable.EXERCISE: f"{other.name.lower()} in place of {one.name.lower()}",
    }[variable]
    return f"Your last two sessions were easy on your back, so this may be next: {what}. Nothing else changes."


def step_back(item: PrescribedExercise, exercises: Mapping[str, Exercise] | None = None) -> PrescribedExercise:
    """Return an exercise one step easier: the level before, else the easier exercise, else a lighter dose."""
    shelf = shelf_of((item,)) if exercises is None else exercises
    one = shelf.get(item.exercise_id)
    if one is None:
        return replace(item, dose=lighter(item.dose))
    if item.level > 0:
        return replace(item, level=item.level - 1, dose=_no_more(one.dose_by_level[item.level - 1], item.dose))
    if one.easier is not None and one.easier in shelf:
        return _swapped(item, one, shelf[one.easier])
    return replace(item, dose=lighter(item.dose))


def all_back(
    prescription: Prescription, history: History, exercises: Mapping[str, Exercise] | None = None
) -> Prescription:
    """Return the program one step easier in everything, as after a red session.

    An easier exercise that may not be given, or is in the program already, is no way back: then the dose is lighter.
    Source: own heuristic after the traffic light (pain.py).
    """
    shelf = shelf_of(prescription.exercises) if exercises is None else exercises
    back: list[PrescribedExercise] = []
    for item in prescription.exercises:
        easier = step_back(item, shelf)
        if easier.exercise_id != item.exercise_id:
            others = {each.exercise_id for each in (*prescription.exercises, *back)}
            if easier.exercise_id in others or not _allowed(shelf[easier.exercise_id], history):
                easier = replace(item, dose=lighter(item.dose))
        back.append(easier)
    return _with(prescription, back)


def without(prescription: Prescription, exercise_id: str) -> Prescription:
    """Return the program without an exercise that somebody said no to."""
    return _with(prescription, [item for item in prescription.exercises if item.exercise_id != exercise_id])


def after_break(
    prescription: Prescription, missed_days: int, exercises: Mapping[str, Exercise] | None = None
) -> Prescription:
    """Return the program after so many days without a session: as it was, one level back, or at the first level.

    Raises ProgramError for a negative number. Source: own heuristic (7 and 21 days).
    """
    if missed_days < 0:
        raise ProgramError(f"{missed_days} missed days cannot be; count from 0.")
    if missed_days < STEP_BACK_DAYS:
        return prescription
    shelf = shelf_of(prescription.exercises) if exercises is None else exercises
    back = [
        _first_level(item, shelf) if missed_days >= RESTART_DAYS else _level_back(item, shelf)
        for item in prescription.exercises
    ]
    return _with(prescription, back)


def _level_back(item: PrescribedExercise, shelf: Mapping[str, Exercise]) -> PrescribedExercise:
    return step_back(item, shelf) if item.level > 0 and item.exercise_id in shelf else item


def _first_level(item: PrescribedExercise, shelf: Mapping[str, Exercise]) -> PrescribedExercise:
    one = shelf.get(item.exercise_id)
    return item if one is None else replace(item, level=0, dose=_no_more(one.dose_by_level[0], item.dose))


def _no_more(dose: Dose, than: Dose) -> Dose:
    """Return a dose, or the other where that asks for less work: going back is never more."""
    return dose if work_s(dose) <= work_s(than) else _cut_to(dose, work_s(than))


def _cut_to(dose: Dose, most_s: float) -> Dose:
    """Return a dose of at most so much work, taken from the last sets first; one repetition stays."""
    while work_s(dose) > most_s and sum(dose.repetitions) > 1:
        *first, last = dose.repetitions
        dose = replace(dose, repetitions=(*first, last - 1) if last > 1 else tuple(first))
    return dose


def deload_reasons(strain: Strain) -> tuple[str, ...]:
    """Return why a week is made lighter at once, empty when fewer than two signs stand.

    Source: own heuristic over Foster 1998 (monotony), Plews 2014 (heart-rate variability); limits above.
    """
    signs = (
        (strain.monotony is not None and strain.monotony > MONOTONY_MAX, "your days were all alike this week"),
        (
            strain.load_rise_share is not None and strain.load_rise_share >= LOAD_RISE_SHARE,
            f"your load is {round(100 * (strain.load_rise_share or 0))} % above your habit",
        ),
        (
            strain.low_hrv_days is not None and strain.low_hrv_days >= LOW_HRV_DAYS,
            f"your heart-rate variability was low on {strain.low_hrv_days} mornings in a row",
        ),
        (strain.sleep_h is not None and strain.sleep_h < SLEEP_MIN_H, "you slept less than six hours"),
        (strain.ambers >= AMBERS, "two sessions were amber"),
    )
    found = tuple(words for stands, words in signs if stands)
    return found if len(found) >= DELOAD_SIGNS else ()


def deload(prescription: Prescription) -> Prescription:
    """Return the program with 50 to 60 % of its volume. Source: own heuristic; see dose.lighter."""
    return _with(prescription, [replace(item, dose=lighter(item.dose)) for item in prescription.exercises])
