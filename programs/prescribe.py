"""From needs to a prescription: which exercises, at which level and dose, with which rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from programs.dose import session_duration_min, without_last_set
from programs.errors import NoAnswer, ProgramError
from programs.exercises import ALWAYS_AGAINST, AT_HOME, CONTRAINDICATIONS, library
from programs.rest import BENDING_KINDS, rest
from programs.types import Exercise, History, Need, Phase, PrescribedExercise, Prescription

# Own heuristic: what a session may take where nobody has said; longer ones are shortened by their last sets.
SESSION_MAX_MIN = 18
# Own heuristic: an easy trunk session stays short enough to be done.
EXERCISES_MAX = 6
WEEKS_MAX = 52

# The muscle groups that answer a need, in the order of the session; within one place the later groups stand in where
# the first has no allowed exercise. Source: the three core exercises (Callaghan 1998, Axler & McGill 1997); which group
# for which need: own heuristic.
_LONG_BENDING = (
    ("back extensors", "hip extensors"),
    ("side trunk",),
    ("hip extensors",),
    ("hips and upper back",),
)
_TURNING = (
    ("trunk rotation", "front trunk"),
    ("side trunk",),
    ("back extensors",),
    ("hips and upper back",),
)
GROUPS_BY_KIND: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "repeated_bending": (
        ("back extensors", "hip extensors"),
        ("side trunk",),
        ("front trunk",),
        ("hip extensors",),
    ),
    "sustained_flexion": _LONG_BENDING,
    "deep_flexion": _LONG_BENDING,
    "repeated_rotation": _TURNING,
    "one_sided_strokes": _TURNING,
    "low_endurance": (("back extensors",), ("side trunk",), ("front trunk",)),
    "side_difference": (("side trunk",), ("outer hips",)),
    "low_rotation": (("hips and upper back",),),
}
TITLES: Mapping[str, str] = {
    "repeated_bending": "Trunk endurance and hinging, for a lot of bending",
    "sustained_flexion": "Trunk endurance and hinging, for long bending",
    "deep_flexion": "Trunk endurance and hinging, for deep bending",
    "repeated_rotation": "Trunk control, for a lot of turning",
    "one_sided_strokes": "Trunk control, for work to one side",
    "low_endurance": "Trunk endurance",
    "side_difference": "Left and right: aims at better balance",
    "low_rotation": "Turning freely",
    "short_recovery": "Longer pauses",
    "heavy_back_days": "A lighter day",
    "load_above_habit": "Easier days",
    "low_hrv": "An easy day",
    "stroke_count": "Back to your usual count",
    "pitch_count": "Rest from pitching",
    "degrading_movement": "Shorter sets",
}


# The side that does less in the sport is trained first. Own heuristic; the sets are as many on both.
_OTHER_SIDE = {"left": "right", "right": "left"}
# One place of a session: the need that asks for it, and the groups that may fill it.
_Place = tuple[Need, tuple[str, ...]]


def prescribe(
    needs: Sequence[Need],
    history: History,
    sessions_per_week: int,
    weeks: int,
    exercises: Mapping[str, Exercise] | None = None,
) -> Prescription:
    """Return the program that answers the needs; the same input gives the same program.

    The heaviest need chooses first. Excluded: what a contraindication of the athlete forbids (replaced where the
    library has another exercise for the same place), what was declined, what needs equipment that is not at hand or
    belongs to a later phase, and for bending needs whatever loads the spine in flexion. Exercise, level and dose go on
    where the program that runs stands, else they are the easiest; none is raised here. A session above 18 minutes and
    above what runs, or above the time there is, is shortened set by set. Needs that only rest answers (`REST_KINDS`)
    bring their rules and no exercise; with nothing but rest there are no sessions. exercises: by default the library.
    Raises NoAnswer when exercises are asked for and none may be given, ProgramError for numbers or ids that make no
    sense.
    Source: doses and choice as each exercise cites; composition: own heuristic, see docs/decisions/0003-programs.md.
    """
    _check(needs, history, sessions_per_week, weeks)
    ordered = sorted(needs, key=lambda need: (-need.weight, need.kind, need.because))
    moving = [need for need in ordered if need.kind in GROUPS_BY_KIND]
    _refuse_against_all(moving, history)
    places = _places(moving)
    usable = _usable(ordered, history, library() if exercises is None else exercises)
    chosen = _choose(places, history, usable)
    if moving and not chosen:
        raise _none_fits(moving, history)
    fitted = shortened(list(chosen.values()), _longest_min(history))
    return Prescription(
        title=TITLES[(moving or ordered)[0].kind],
        exercises=fitted,
        sessions_per_week=sessions_per_week,
        weeks=weeks,
        session_duration_min=session_duration_min(item.dose for item in fitted) if fitted else 0,
        rest=rest(ordered, weeks),
        because=" ".join(
            [*dict.fromkeys(need.because for need in ordered), *_left_out(places, chosen, history, usable)]
        ),
    )


def _longest_min(history: History) -> int:
    """Return how long a session may be: the time that there is, else as long as what runs has grown."""
    return history.session_max_min or max(SESSION_MAX_MIN, session_duration_min(history.dose_by_exercise.values()))


def _refuse_against_all(moving: Sequence[Need], history: History) -> None:
    blocking = sorted(ALWAYS_AGAINST.intersection(history.contraindications))
    if blocking and moving:
        reasons = " and ".join(CONTRAINDICATIONS[one] for one in blocking)
        raise NoAnswer(f"No exercise is given because of {reasons}; ask a doctor first, then plan again.")


def _none_fits(moving: Sequence[Need], history: History) -> NoAnswer:
    return NoAnswer(
        f"The library has no exercise that answers {_listed(need.kind for need in moving)} and is allowed with "
        f"{_listed(CONTRAINDICATIONS[one] for one in history.contraindications) or 'this library'}; "
        "ask a coach or physiotherapist to choose."
    )


def _places(needs: Sequence[Need]) -> dict[str, _Place]:
    """Return the places of a session, group asked for -> need and groups; asked for once, the heaviest need first."""
    places: dict[str, _Place] = {}
    for need in needs:
        for groups in GROUPS_BY_KIND[need.kind]:
            places.setdefault(groups[0], (need, groups))
    return dict(list(places.items())[:EXERCISES_MAX])


def _usable(needs: Sequence[Need], history: History, shelf: Mapping[str, Exercise]) -> list[Exercise]:
    spare_spine = any(need.kind in BENDING_KINDS for need in needs)
    at_hand = (AT_HOME if history.equipment is None else history.equipment) | {"none"}
    phases = list(Phase)
    reached = set(phases[: phases.index(history.phase) + 1])
    return [
        one
        for one in shelf.values()
        if not (spare_spine and one.flexion_loaded)
        and at_hand.issuperset(one.equipment)
        and one.phase in reached
        and one.id not in history.declined
    ]


def _choose(
    places: Mapping[str, _Place], history: History, usable: Sequence[Exercise]
) -> dict[str, PrescribedExercise]:
    chosen: dict[str, PrescribedExercise] = {}
    # Every place first takes from its own group, so that a stand-in never takes another place's first choice.
    for depth in (slice(0, 1), slice(1, None)):
        for place, (need, groups) in places.items():
            taken = {item.exercise_id for item in chosen.values()}
            fitting = [one for group in groups[depth] for one in usable if _answers(one, need, group)]
            free = [one for one in fitting if one.id not in taken and not _against(one, history)]
            if place not in chosen and free:
                first = next((one for one in usable if _answers(one, need, place)), free[0])
                easiest = _where_it_stands(free[0], history, [one for one in usable if one.id not in taken])
                chosen[place] = _item(easiest, need, history, first)
    return {place: chosen[place] for place in places if place in chosen}


def _where_it_stands(one: Exercise, history: History, free: Sequence[Exercise]) -> Exercise:
    """Return what the program that runs has come down to from an exercise, or the exercise where that is not so.

    The way back up is a step at a time (progress.py), not another program.
    """
    by_id, easier = {each.id: each for each in free}, one
    while easier.id not in history.level_by_exercise:
        if easier.easier not in by_id:
            return one
        easier = by_id[easier.easier]
    return one if _against(easier, history) else easier


def _left_out(
    places: Mapping[str, _Place], chosen: Mapping[str, PrescribedExercise], history: History, usable: Sequence[Exercise]
) -> list[str]:
    """Say what nothing could stand in for."""
    sentences = []
    for place, (need, _) in places.items():
        first = next((one for one in usable if _answers(one, need, place)), None)
        if place not in chosen and first is not None and _against(first, history):
            sentences.append(f"{first.name} is left out because of {_reasons(first, history)}.")
    return sentences


def _answers(one: Exercise, need: Need, group: str) -> bool:
    return need.kind in one.answers and one.muscle_group == group


def _against(one: Exercise, history: History) -> list[str]:
    return [item for item in one.contraindications if item in history.contraindications]


def _reasons(one: Exercise, history: History) -> str:
    return _listed(CONTRAINDICATIONS[item] for item in _against(one, history))


def _item(one: Exercise, need: Need, history: History, first: Exercise) -> PrescribedExercise:
    level = min(history.level_by_exercise.get(one.id, 0), len(one.levels) - 1)
    because = f"{need.because} {one.name} aims at {one.target}."
    if one is not first and _against(first, history):
        because += f" It takes the place of {first.name.lower()} because of {_reasons(first, history)}."
    side, more = history.weaker_side.get(one.muscle_group) if one.each_side else None, False
    if side is not None:
        because += f" Your {side} side was weaker in the test, so it begins and does one set more."
        more = True
    elif one.each_side and history.used_side is not None:
        used_side, side = history.used_side, _OTHER_SIDE[history.used_side]
        because += f" The {used_side} side is used more, so the {side} one begins."
    dose = history.dose_by_exercise.get(one.id, one.dose_by_level[level])
    return PrescribedExercise(one.id, level, dose, because, side, more)


def shortened(items: Sequence[PrescribedExercise], longest_min: int) -> tuple[PrescribedExercise, ...]:
    """Drop last sets, from the exercise with the most sets and then the longest, until the session is short enough."""
    fitted = list(items)
    while session_duration_min(item.dose for item in fitted) > longest_min:
        most = max(
            range(len(fitted)), key=lambda i: (len(fitted[i].dose.repetitions), sum(fitted[i].dose.repetitions), -i)
        )
        shorter = without_last_set(fitted[most].dose)
        if shorter == fitted[most].dose:
            break
        fitted[most] = replace(fitted[most], dose=shorter)
    return tuple(fitted)


def _listed(words: Iterable[str]) -> str:
    return " and ".join(dict.fromkeys(words))


def _check(needs: Sequence[Need], history: History, sessions_per_week: int, weeks: int) -> None:
    if not needs:
        raise NoAnswer("No need was found, so there is nothing to answer; wait for a finding or enter one.")
    for need in needs:
        if need.kind not in TITLES:
            raise NoAnswer(f"Nothing answers a need of the kind '{need.kind}'; known are {', '.join(TITLES)}.")
        if not 0 <= need.weight <= 1:
            raise ProgramError(f"The need '{need.kind}' has a weight of {need.weight:g}; it should be from 0 to 1.")
    for one in history.contraindications:
        if one not in CONTRAINDICATIONS:
            raise ProgramError(f"The contraindication '{one}' is not known; known are {', '.join(CONTRAINDICATIONS)}.")
    for side in history.weaker_side.values():
        if side not in ("left", "right"):
            raise ProgramError(f"A weaker side of '{side}' cannot be; it is left or right.")
    if history.used_side not in (None, "left", "right"):
        raise ProgramError(f"A used side of '{history.used_side}' cannot be; it is left or right.")
    for exercise_id, level in history.level_by_exercise.items():
        if level < 0:
            raise ProgramError(f"The level of '{exercise_id}' is {level}; levels count from 0.")
    if not 1 <= sessions_per_week <= 7:
        raise ProgramError(f"{sessions_per_week} sessions a week cannot be planned; choose 1 to 7.")
    if not 1 <= weeks <= WEEKS_MAX:
        raise ProgramError(f"A program of {weeks} weeks cannot be planned; choose 1 to {WEEKS_MAX}.")
