"""The exercise library: read strictly, once, when first asked for."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, TypeVar

from programs.errors import ProgramError
from programs.marking import N_
from programs.types import Category, Dose, Exercise, Phase, Plane, PrescribedExercise, SeenAs

LIBRARY_FILE = "exercises.toml"
_Known = TypeVar("_Known", Category, Phase, Plane, SeenAs)

# Kinds of need that exercises answer. All but low_endurance are the analysis' findings of these names.
NEED_KINDS = frozenset(
    {
        "repeated_bending",
        "sustained_flexion",
        "deep_flexion",
        "repeated_rotation",
        "one_sided_strokes",
        "low_endurance",
        "side_difference",
        "low_rotation",
    }
)

# What may speak against an exercise, id -> words. Source: facts of Finucane 2020 (JOSPT 50:350) and usual practice for
# the first three, which stand at every exercise; joints and late pregnancy by the position the exercise needs.
CONTRAINDICATIONS: Mapping[str, str] = MappingProxyType(
    {
        "acute_illness": N_("an acute illness or fever"),
        "chest_symptoms": N_("chest pain or breathlessness"),
        "recent_surgery": N_("a recent operation on back or abdomen that nobody has cleared yet"),
        "uncontrolled_blood_pressure": N_("high blood pressure that is not under control"),
        "third_trimester": N_("the last third of a pregnancy"),
        "osteoporosis": N_("osteoporosis"),
        "neck_pain": N_("neck pain"),
        "shoulder_pain": N_("shoulder pain"),
        "wrist_pain": N_("wrist pain"),
        "knee_pain": N_("pain when kneeling"),
    }
)
# Nothing is prescribed while one of these stands. Source: as above.
ALWAYS_AGAINST = frozenset({"acute_illness", "chest_symptoms", "recent_surgery"})

# What an exercise may need, id -> words; "none" is nothing but a floor.
EQUIPMENT: Mapping[str, str] = MappingProxyType(
    {
        "none": N_("nothing"),
        "ball": N_("a large ball"),
        "band": N_("an elastic band"),
        "bench": N_("a firm bench"),
        "chair": N_("a chair"),
        "stick": N_("a stick"),
        "step": N_("a low step"),
        "strap": N_("a strap or towel"),
        "wall": N_("a wall"),
        "weight": N_("a light weight"),
    }
)
# What most homes have: nobody is asked for a bench before the first session. Own list.
AT_HOME = frozenset(EQUIPMENT) - {"ball", "bench"}
# Parts of the body that a wearable may be worn on, without the side (devices.types.Placement).
PLACEMENTS = frozenset({"chest", "upper_back", "lower_back", "hip", "wrist", "upper_arm", "thigh", "ankle"})

_TEXTS = ("id", "name", "target", "plane", "muscle_group", "regression", "source", "category", "sides", "phase")
_LISTS = ("answers", "cues", "contraindications", "equipment")
_FLAGS = ("flexion_loaded", "bends_forward")
_OPTIONAL = frozenset({"drawn_as"})
_KEYS = frozenset({*_TEXTS, *_LISTS, *_FLAGS, *_OPTIONAL, "levels", "easier", "seen"})
_LEVEL_KEYS = frozenset({"name", "repetitions", "hold_s", "rest_s", "per_side"})
_OPTIONAL_LEVEL_KEYS = frozenset({"hold_s"})


@cache
def library() -> Mapping[str, Exercise]:
    """Return the shipped library, id -> exercise, in the file's order of preference; read once.

    Raises ProgramError when the shipped file is missing or wrong.
    """
    return load_exercises()


def exercise(exercise_id: str) -> Exercise:
    """Return one exercise of the shipped library. Raises ProgramError for an unknown id."""
    try:
        return library()[exercise_id]
    except KeyError:
        raise ProgramError(
            f"The exercise library has no '{exercise_id}'; choose one of {', '.join(library())}."
        ) from None


def known(item: PrescribedExercise) -> Exercise | None:
    """Return what a prescribed exercise is; None where it has left the library since."""
    return item.own or library().get(item.exercise_id)


def shelf_of(items: Iterable[PrescribedExercise]) -> Mapping[str, Exercise]:
    """Return the library and, behind it, what prescribed exercises are that no library has."""
    own = {item.own.id: item.own for item in items if item.own is not None}
    return library() if not own else MappingProxyType({**library(), **own})


def load_entry(table: Mapping[str, Any], where: str) -> Exercise:
    """Read one exercise beside the library, by the same rules as those in it; `easier` names one of the library.

    table: keys and values as in a table of the file. where: its name for messages. Raises ProgramError naming the key.
    """
    entry = _exercise(dict(table), where)
    if entry.id in library():
        raise ProgramError(f"{where}: the library has '{entry.id}' already; give it another id.")
    _check_line(entry, {**library(), entry.id: entry}, where)
    return entry


def load_exercises(text: str | None = None, where: str = LIBRARY_FILE) -> Mapping[str, Exercise]:
    """Read a library in TOML, by default the shipped one.

    text: the document. where: its name for messages. Raises ProgramError naming the entry and the key: not TOML, an
    unknown or missing key, a wrong type, an id twice, a kind of need, a plane or a contraindication that nobody knows.
    """
    if text is None:
        try:
            text = files("programs").joinpath(LIBRARY_FILE).read_text(encoding="utf-8")
        except OSError as error:
            raise ProgramError(
                f"{where}: the exercise library cannot be read ({error}); install Backstop anew."
            ) from error
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProgramError(f"{where}: this is not TOML: {error}.") from error
    for key in document:
        if key != "exercise":
            raise ProgramError(f"{where}: unknown key '{key}'; only [[exercise]] tables are known.")
    tables = document.get("exercise")
    if not isinstance(tables, list) or not tables:
        raise ProgramError(f"{where}: no [[exercise]] table; a library needs at least one.")
    found: dict[str, Exercise] = {}
    for number, table in enumerate(tables, start=1):
        entry = _exercise(table, f"{where}: exercise {number}")
        if entry.id in found:
            raise ProgramError(f"{where}: exercise {number}: the id '{entry.id}' stands twice; give it another.")
        found[entry.id] = entry
    for entry in found.values():
        _check_line(entry, found, where)
    return MappingProxyType(found)


def harder_than(exercise_id: str, exercises: Mapping[str, Exercise] | None = None) -> tuple[Exercise, ...]:
    """Return the exercises that lead on from one, in the library's order; none for the hardest of its line."""
    shelf = library() if exercises is None else exercises
    return tuple(one for one in shelf.values() if one.easier == exercise_id)


def _check_line(entry: Exercise, found: Mapping[str, Exercise], where: str) -> None:
    """Refuse a link to nothing, and a line of easier exercises that comes back to itself."""
    line, at = [entry.id], entry.easier
    while at is not None:
        if at not in found:
            raise ProgramError(f"{where}: '{line[-1]}' names '{at}' as easier, which is not in the library.")
        if at in line:
            raise ProgramError(f"{where}: the easier exercises of '{entry.id}' lead back to '{at}'; cut the circle.")
        line.append(at)
        at = found[at].easier


def _check_lists(lists: Mapping[str, tuple[str, ...]], category: str, where: str) -> None:
    _check_known(lists["answers"], NEED_KINDS, "kind of need", where)
    _check_known(lists["contraindications"], CONTRAINDICATIONS, "contraindication", where)
    _check_known(lists["equipment"], EQUIPMENT, "equipment", where)
    # What is only for recovery answers no finding: the phases after a spasm choose it.
    if not lists["cues"] or not lists["equipment"] or not (lists["answers"] or category == Category.RECOVERY):
        raise ProgramError(f"{where}: 'answers', 'cues' and 'equipment' need at least one entry each.")
    missing = sorted(ALWAYS_AGAINST.difference(lists["contraindications"]))
    if missing:
        raise ProgramError(f"{where}: 'contraindications' must hold {', '.join(missing)}, as for every exercise.")


def _exercise(table: Any, where: str) -> Exercise:
    if not isinstance(table, dict):
        raise ProgramError(f"{where}: should be a table.")
    if isinstance(table.get("id"), str):
        where = f"{where} '{table['id']}'"
    _check_keys(table, _KEYS, _OPTIONAL, where)
    texts = {key: _text(table, key, where) for key in _TEXTS}
    lists = {key: _texts(table, key, where) for key in _LISTS}
    flags = {key: _flag(table, key, where) for key in _FLAGS}
    _check_lists(lists, texts["category"], where)
    if texts["sides"] not in ("both", "each"):
        raise ProgramError(f'{where}: \'sides\' should be "both" or "each".')
    placement, seen_as = _seen(table["seen"], where)
    levels = _levels(table["levels"], where)
    return Exercise(
        id=texts["id"],
        name=texts["name"],
        target=texts["target"],
        plane=_one_of(Plane, texts["plane"], "plane", where),
        answers=lists["answers"],
        levels=tuple(name for name, _ in levels),
        dose_by_level=tuple(dose for _, dose in levels),
        cues=lists["cues"],
        regression=texts["regression"],
        contraindications=lists["contraindications"],
        flexion_loaded=flags["flexion_loaded"],
        muscle_group=texts["muscle_group"],
        source=texts["source"],
        bends_forward=flags["bends_forward"],
        category=_one_of(Category, texts["category"], "category", where),
        equipment=lists["equipment"],
        each_side=texts["sides"] == "each",
        easier=_link(table, where),
        phase=_one_of(Phase, texts["phase"], "phase", where),
        placement=placement,
        seen_as=seen_as,
        drawn_as=_text(table, "drawn_as", where) if "drawn_as" in table else None,
    )


def _one_of(kind: type[_Known], value: str, what: str, where: str) -> _Known:
    try:
        return kind(value)
    except ValueError:
        raise ProgramError(f"{where}: unknown {what} '{value}'; choose one of {', '.join(kind)}.") from None


def _link(table: dict[str, Any], where: str) -> str | None:
    value = table["easier"]
    if not isinstance(value, str):
        raise ProgramError(f"{where}: 'easier' should be the id of an exercise, or empty.")
    return value or None


def _seen(value: Any, where: str) -> tuple[str | None, SeenAs]:
    if not isinstance(value, dict) or set(value) != {"placement", "as"}:
        raise ProgramError(f"{where}: 'seen' should be a table of 'placement' and 'as'.")
    seen_as = _one_of(SeenAs, str(value["as"]), "way to be seen", where)
    placement = value["placement"] or None
    if (placement is None) != (seen_as is SeenAs.NOT_SEEN):
        raise ProgramError(f"{where}: 'seen' needs a placement, unless no wearable sees the exercise.")
    if placement is not None and (not isinstance(placement, str) or placement not in PLACEMENTS):
        raise ProgramError(f"{where}: unknown placement '{placement}'; known are {', '.join(sorted(PLACEMENTS))}.")
    return placement, seen_as


def _levels(value: Any, where: str) -> list[tuple[str, Dose]]:
    if not isinstance(value, list) or not value:
        raise ProgramError(f"{where}: 'levels' should be a list of at least one table.")
    return [_level(table, f"{where}: level {number}") for number, table in enumerate(value, start=1)]


def _level(table: Any, where: str) -> tuple[str, Dose]:
    if not isinstance(table, dict):
        raise ProgramError(f"{where}: should be a table.")
    _check_keys(table, _LEVEL_KEYS, _OPTIONAL_LEVEL_KEYS, where)
    repetitions = table["repetitions"]
    whole = isinstance(repetitions, list) and all(type(count) is int and count >= 1 for count in repetitions)
    if not whole or not repetitions:
        raise ProgramError(f"{where}: 'repetitions' should be whole numbers of at least 1, one for each set.")
    hold_s = _seconds(table, "hold_s", where) if "hold_s" in table else None
    if hold_s == 0:
        raise ProgramError(f"{where}: 'hold_s' should be more than 0; leave it out for an exercise that is counted.")
    dose = Dose(tuple(repetitions), hold_s, _seconds(table, "rest_s", where), _flag(table, "per_side", where))
    return _text(table, "name", where), dose


def _check_keys(table: dict[str, Any], known: frozenset[str], optional: frozenset[str], where: str) -> None:
    for key in table:
        if key not in known:
            raise ProgramError(f"{where}: unknown key '{key}'; known are {', '.join(sorted(known))}.")
    for key in sorted(known - optional):
        if key not in table:
            raise ProgramError(f"{where}: the key '{key}' is missing; add it.")


def _check_known(values: tuple[str, ...], known: Mapping[str, str] | frozenset[str], what: str, where: str) -> None:
    for value in values:
        if value not in known:
            raise ProgramError(f"{where}: unknown {what} '{value}'; known are {', '.join(sorted(known))}.")


def _text(table: dict[str, Any], key: str, where: str) -> str:
    value = table[key]
    if not isinstance(value, str) or not value.strip():
        raise ProgramError(f"{where}: '{key}' should be a text that is not empty.")
    return value


def _texts(table: dict[str, Any], key: str, where: str) -> tuple[str, ...]:
    value = table[key]
    if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
        raise ProgramError(f"{where}: '{key}' should be a list of texts.")
    if len(set(value)) != len(value):
        raise ProgramError(f"{where}: '{key}' names something twice.")
    return tuple(value)


def _flag(table: dict[str, Any], key: str, where: str) -> bool:
    value = table[key]
    if not isinstance(value, bool):
        raise ProgramError(f"{where}: '{key}' should be true or false.")
    return value


def _seconds(table: dict[str, Any], key: str, where: str) -> float:
    value = table[key]
    if type(value) not in (int, float) or not 0 <= value <= 600:
        raise ProgramError(f"{where}: '{key}' should be seconds from 0 to 600.")
    return float(value)
