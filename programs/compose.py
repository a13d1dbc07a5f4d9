"""Programs that a coach puts together, by hand or from a template: within what the rules allow for one athlete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from programs.dose import session_duration_min
from programs.errors import NoAnswer, ProgramError
from programs.exercises import ALWAYS_AGAINST, AT_HOME, CONTRAINDICATIONS, EQUIPMENT, known, library
from programs.prescribe import WEEKS_MAX, shortened
from programs.progress import work_s
from programs.types import Dose, Exercise, History, Phase, PrescribedExercise, Prescription

# Exercises of one session, and the minutes that it may take where nobody has said. Own bounds.
BY_HAND_MAX, MINUTES_MAX = 10, 60
# Sets of an exercise, and repetitions of a set. Own bounds, beyond what any level of the library asks for.
SETS_MAX, REPETITIONS_MAX = 10, 100
# Seconds of one hold. Own bound: as in the library.
HOLD_MAX_S = 600.0
# Why an exercise is in a program: own words.
CHOSEN = "Chosen by the coach."
FROM_TEMPLATE = "It comes from the template “{name}”."
AT_TODAY = "At the level of today, or the easiest: {names}."


class Against(StrEnum):
    """What keeps an exercise out of somebody's program."""

    CONTRAINDICATION = "contraindication"
    DECLINED = "declined"
    LATER = "later"
    EQUIPMENT = "equipment"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one exercise may not be given. words: what speaks against it, such as knee pain or a bench; may be empty."""

    name: str
    against: Against
    words: tuple[str, ...] = ()

    def __str__(self) -> str:
        listed = " and ".join(self.words)
        return {
            Against.CONTRAINDICATION: f"{self.name} is left out because of {listed}.",
            Against.DECLINED: f"{self.name} is left out: it was said no to.",
            Against.LATER: f"{self.name} is left out: it comes later after a spasm.",
            Against.EQUIPMENT: f"{self.name} is left out: it needs {listed}, which is not at hand.",
        }[self.against]


@dataclass(frozen=True, slots=True)
class Chosen:
    """An exercise at a level. repetitions, hold_s: a dose of its own, None for what stands before or the level says."""

    exercise_id: str
    level: int
    repetitions: tuple[int, ...] | None = None
    hold_s: float | None = None


@dataclass(frozen=True, slots=True)
class Fitted:
    """items: what of a template one athlete may have. left_out: the rest. held: names of what stays below it."""

    items: tuple[PrescribedExercise, ...]
    left_out: tuple[Refusal, ...]
    held: tuple[str, ...]


def refusal(one: Exercise, history: History) -> Refusal | None:
    """Return why an exercise may not be given to somebody, None where it may. Equipment is not asked for here."""
    found = [each for each in one.contraindications if each in history.contraindications]
    if found:
        return Refusal(one.name, Against.CONTRAINDICATION, tuple(CONTRAINDICATIONS[each] for each in found))
    if one.id in history.declined:
        return Refusal(one.name, Against.DECLINED)
    phases = list(Phase)
    if phases.index(one.phase) > phases.index(history.phase):
        return Refusal(one.name, Against.LATER)
    return None


def lacking(one: Exercise, history: History) -> Refusal | None:
    """Return what an exercise needs that is not at hand, None where nothing is missing."""
    at_hand = (AT_HOME if history.equipment is None else history.equipment) | {"none"}
    missing = [EQUIPMENT[each] for each in EQUIPMENT if each in one.equipment and each not in at_hand]
    return Refusal(one.name, Against.EQUIPMENT, tuple(missing)) if missing else None


def compose(
    chosen: Sequence[Chosen],
    shelf: Mapping[str, Exercise],
    before: Sequence[PrescribedExercise],
    history: History,
) -> tuple[PrescribedExercise, ...]:
    """Return what a coach chose by hand as a program's exercises; what stood before keeps its because and its sides.

    shelf: what may be chosen from. before: the proposal or program that is changed. Raises ProgramError: nothing or
    too much chosen, one chosen twice, an unknown one, a level or dose that is none, or what must not be given.
    """
    stood = {item.exercise_id: item for item in before}
    _check_chosen(chosen)
    items = []
    for each in chosen:
        old = stood.get(each.exercise_id)
        # What is in the program already stays what it was when it was prescribed.
        one = (known(old) if old is not None else None) or shelf.get(each.exercise_id)
        if one is None:
            raise ProgramError(f"'{each.exercise_id[:40]}' is no exercise to choose from.")
        against = refusal(one, history)
        if against is not None:
            raise ProgramError(f"{against} Choose another one.")
        items.append(_chosen_item(each, one, old))
    _check_time(items, history)
    return tuple(items)


def _chosen_item(each: Chosen, one: Exercise, old: PrescribedExercise | None) -> PrescribedExercise:
    if not 0 <= each.level < len(one.levels):
        raise ProgramError(f"{one.name} has no level {each.level + 1}: choose 1 to {len(one.levels)}.")
    dose = old.dose if old is not None and old.level == each.level else one.dose_by_level[each.level]
    if each.repetitions is not None:
        dose = replace(dose, repetitions=each.repetitions)
    if each.hold_s is not None and dose.hold_s is not None:
        dose = replace(dose, hold_s=each.hold_s)
    _check_dose(one.name, dose)
    if old is not None:
        return replace(old, level=each.level, dose=dose)
    own = None if one.id in library() else one
    return PrescribedExercise(one.id, each.level, dose, f"{CHOSEN} {one.name} aims at {one.target}.", own=own)


def fit(template: Sequence[PrescribedExercise], history: History, more: bool) -> Fitted:
    """Return what of a template one athlete may have, and at which level and dose.

    What they do already never goes up by it, and what is new begins at its easiest level, unless `more` is a yes to
    the template's own levels and doses. Raises NoAnswer where nothing may be given.
    Source: own heuristic, as prescribe.py does; load never rises without a yes.
    """
    blocking = sorted(ALWAYS_AGAINST.intersection(history.contraindications))
    if blocking:
        reasons = " and ".join(CONTRAINDICATIONS[each] for each in blocking)
        raise NoAnswer(f"No exercise is given because of {reasons}; ask a doctor first.")
    items: list[PrescribedExercise] = []
    left_out: list[Refusal] = []
    held: list[str] = []
    for item in template:
        one = known(item)
        if one is None:
            continue  # left the library since
        against = refusal(one, history) or lacking(one, history)
        if against is not None:
            left_out.append(against)
            continue
        given = item if more else _no_higher(item, one, history)
        if (given.level, given.dose) != (item.level, item.dose):
            held.append(one.name)
        items.append(replace(given, because=f"{CHOSEN} {one.name} aims at {one.target}."))
    if not items:
        raise NoAnswer(" ".join(("Nothing of this template may be given.", *map(str, left_out))))
    fitted = shortened(items, history.session_max_min or MINUTES_MAX)
    _check_time(fitted, history)
    return Fitted(fitted, tuple(left_out), tuple(held))


def _no_higher(item: PrescribedExercise, one: Exercise, history: History) -> PrescribedExercise:
    level = min(item.level, history.level_by_exercise.get(one.id, 0))
    dose = history.dose_by_exercise.get(one.id)
    if dose is None or history.level_by_exercise.get(one.id) != level:
        dose = one.dose_by_level[level]
    if level == item.level and work_s(item.dose) <= work_s(dose):
        dose = item.dose
    ran = history.dose_by_exercise.get(one.id)
    if ran is not None and work_s(dose) > work_s(ran):
        # An easier level with more work is no way down.
        level, dose = history.level_by_exercise[one.id], ran
    return replace(item, level=level, dose=dose)


def asks_for_more(before: PrescribedExercise | None, after: PrescribedExercise) -> bool:
    """Tell whether an exercise asks for more than before: it is new, at a higher level, or more work."""
    return before is None or after.level > before.level or work_s(after.dose) > work_s(before.dose)


def check_course(sessions_per_week: int, weeks: int) -> None:
    """Raise ProgramError for sessions a week or weeks that cannot be planned."""
    if not 1 <= sessions_per_week <= 7:
        raise ProgramError(f"{sessions_per_week} sessions a week cannot be planned; choose 1 to 7.")
    if not 1 <= weeks <= WEEKS_MAX:
        raise ProgramError(f"A program of {weeks} weeks cannot be planned; choose 1 to {WEEKS_MAX}.")


def with_items(
    prescription: Prescription, items: Sequence[PrescribedExercise], sessions_per_week: int, weeks: int
) -> Prescription:
    """Return a program with other exercises and another course. Raises ProgramError: see check_course."""
    check_course(sessions_per_week, weeks)
    duration_min = session_duration_min(item.dose for item in items)
    return replace(
        prescription,
        exercises=tuple(items),
        sessions_per_week=sessions_per_week,
        weeks=weeks,
        session_duration_min=duration_min,
    )


def _check_chosen(chosen: Sequence[Chosen]) -> None:
    if not chosen:
        raise ProgramError("No exercise is left: decline the proposal instead.")
    if len(chosen) > BY_HAND_MAX:
        raise ProgramError(f"{len(chosen)} exercises are more than a session holds: choose up to {BY_HAND_MAX}.")
    ids = [each.exercise_id for each in chosen]
    if len(set(ids)) < len(ids):
        raise ProgramError("An exercise is chosen twice: once is enough, with more sets.")


def _check_dose(name: str, dose: Dose) -> None:
    counts = dose.repetitions
    if not 1 <= len(counts) <= SETS_MAX or not all(1 <= each <= REPETITIONS_MAX for each in counts):
        raise ProgramError(f"{name}: choose 1 to {SETS_MAX} sets of 1 to {REPETITIONS_MAX}, written like 6, 4, 2.")
    if dose.hold_s is not None and not 1 <= dose.hold_s <= HOLD_MAX_S:
        raise ProgramError(f"{name}: a hold is 1 to {HOLD_MAX_S:g} seconds long.")


def _check_time(items: Sequence[PrescribedExercise], history: History) -> None:
    takes_min, longest_min = session_duration_min(item.dose for item in items), history.session_max_min or MINUTES_MAX
    if takes_min > longest_min:
        raise ProgramError(
            f"A session would take {takes_min} minutes, and there are {longest_min}: take something out, or fewer sets."
        )
