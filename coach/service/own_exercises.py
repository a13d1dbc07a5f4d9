"""Exercises of a coach's own: read by the rules of the library, chosen from by nobody but the coach who wrote them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from coach.errors import InvalidInput, NoSuch, NotAllowed
from coach.language import gettext as _
from coach.said import said
from coach.service.ground import Ground
from coach.service.permission import coaches
from coach.service.types import Identity
from coach.store import events, own_exercises
from coach.store.engine import Tx
from coach.store.rows import Row, fresh_id
from programs.compose import HOLD_MAX_S, REPETITIONS_MAX, SETS_MAX
from programs.drawings import drawings
from programs.errors import ProgramError
from programs.exercises import ALWAYS_AGAINST, library, load_entry
from programs.types import Exercise

# Exercises of one coach, and signs of their texts. Own bounds.
OWN_MAX, NAME_MAX, TEXT_MAX = 200, 80, 500
# Entries of a list (cues, levels). Own bounds.
CUES_MAX, LEVELS_MAX = 8, 8
# What tells an own exercise from one of the library, wherever its id stands alone.
_PREFIX = "own_"
# Where the reader of the library says that something is wrong.
_WHERE = "your exercise"  # no words


@dataclass(frozen=True, slots=True)
class OwnExerciseView:
    """An exercise of a coach's own. entry: its keys and values as they were entered."""

    exercise: Exercise
    entry: dict[str, Any]
    changed_at: datetime


class OwnExercises:
    """List, add, change, delete."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def of_coach(self, by: Identity) -> tuple[OwnExerciseView, ...]:
        """Return a coach's own exercises, the oldest first; nobody else's. Raises NotAllowed for who is no coach."""
        _require_coach(by)
        with self._ground.store.read() as tx:
            return tuple(_view(row) for row in own_exercises.of_coach(tx, by.user_id))

    def get(self, by: Identity, exercise_id: str) -> OwnExerciseView:
        """Return one. Raises NoSuch, also for another coach's, NotAllowed."""
        _require_coach(by)
        with self._ground.store.read() as tx:
            row = own_exercises.get(tx, by.user_id, exercise_id)
        if row is None:
            raise _no_such(exercise_id)
        return _view(row)

    def add(self, by: Identity, entry: Mapping[str, Any]) -> OwnExerciseView:
        """Keep a new exercise. entry: the keys of a table of programs/exercises.toml, but for `id`.

        What speaks against every exercise need not be named. Raises NotAllowed, InvalidInput with what is wrong.
        """
        _require_coach(by)
        now, exercise_id = self._ground.now(), f"{_PREFIX}{fresh_id()[:12]}"
        checked = _checked(entry, exercise_id)
        with self._ground.store.begin() as tx:
            if len(own_exercises.of_coach(tx, by.user_id)) >= OWN_MAX:
                raise InvalidInput(
                    _("There are %(most)s exercises of your own already: delete one that you do not use.", most=OWN_MAX)
                )
            values = {"id": exercise_id, "coach_id": by.user_id, "entry": checked}
            own_exercises.add(tx, values | {"created_at": now, "changed_at": now})
            events.record(tx, now, by.user_id, "added", "own exercise", exercise_id)
        return self.get(by, exercise_id)

    def change(self, by: Identity, exercise_id: str, entry: Mapping[str, Any]) -> OwnExerciseView:
        """Change an exercise from now on; programs that have it keep it as it was. Raises as `add` and `get` do."""
        _require_coach(by)
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            if own_exercises.get(tx, by.user_id, exercise_id) is None:
                raise _no_such(exercise_id)
            checked = _checked(entry, exercise_id)
            own_exercises.change(tx, by.user_id, exercise_id, entry=checked, changed_at=now)
            events.record(tx, now, by.user_id, "changed", "own exercise", exercise_id)
        return self.get(by, exercise_id)

    def drop(self, by: Identity, exercise_id: str) -> None:
        """Delete an exercise; programs and templates that have it keep it. Raises NoSuch, NotAllowed."""
        _require_coach(by)
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            if not own_exercises.drop(tx, by.user_id, exercise_id):
                raise _no_such(exercise_id)
            events.record(tx, now, by.user_id, "deleted", "own exercise", exercise_id)


def shelf_for(tx: Tx, by: Identity) -> dict[str, Exercise]:
    """Return what `by` may choose from: the library, then their own."""
    own = (_view(row).exercise for row in own_exercises.of_coach(tx, by.user_id)) if coaches(by) else ()
    return {**library(), **{one.id: one for one in own}}


def _require_coach(by: Identity) -> None:
    if not coaches(by):
        raise NotAllowed(_("Only a coach has exercises of their own."))


def _no_such(exercise_id: str) -> NoSuch:
    return NoSuch(_("There is no exercise %(exercise)s of your own.", exercise=exercise_id[:40]))


def _view(row: Row) -> OwnExerciseView:
    return OwnExerciseView(load_entry(row["entry"], _WHERE), dict(row["entry"]), row["changed_at"])


def _checked(entry: Mapping[str, Any], exercise_id: str) -> dict[str, Any]:
    """Return the entry to keep. Raises InvalidInput."""
    table = {**entry, "id": exercise_id}
    named = entry.get("contraindications", [])
    if isinstance(named, list):
        missing = ALWAYS_AGAINST.difference(each for each in named if isinstance(each, str))
        table["contraindications"] = [*sorted(missing), *named]
    try:
        one = load_entry(table, _WHERE)
    except ProgramError as error:
        raise InvalidInput(said(str(error).replace(f" '{exercise_id}'", ""))) from None
    _check_bounds(one)
    return table


def _check_bounds(one: Exercise) -> None:
    """Raise InvalidInput for what the reader lets through and no page holds."""
    if len(one.name) > NAME_MAX:
        raise InvalidInput(_("The name is longer than %(most)s characters: shorten it.", most=NAME_MAX))
    for text in (one.name, one.target, one.regression, one.source, *one.cues, *one.levels):
        if len(text) > TEXT_MAX or "\x00" in text:
            raise InvalidInput(_("A text is longer than %(most)s characters, or no text: shorten it.", most=TEXT_MAX))
    if len(one.cues) > CUES_MAX or len(one.levels) > LEVELS_MAX:
        raise InvalidInput(
            _("An exercise has up to %(cues)s cues and %(levels)s levels.", cues=CUES_MAX, levels=LEVELS_MAX)
        )
    groups = {each.muscle_group for each in library().values()}
    if one.muscle_group not in groups:
        raise InvalidInput(
            _("The target “%(group)s” is not known: choose one of the library's.", group=one.muscle_group[:40])
        )
    if one.drawn_as is not None and one.drawn_as not in drawings():
        raise InvalidInput(
            _("There is no drawing of “%(exercise)s”: choose one of the library's.", exercise=one.drawn_as[:40])
        )
    for dose in one.dose_by_level:
        if len(dose.repetitions) > SETS_MAX or max(dose.repetitions) > REPETITIONS_MAX:
            raise InvalidInput(
                _("A level has up to %(sets)s sets of up to %(most)s.", sets=SETS_MAX, most=REPETITIONS_MAX)
            )
        if dose.hold_s is not None and not 1 <= dose.hold_s <= HOLD_MAX_S:
            raise InvalidInput(_("A hold is 1 to %(most)s seconds long.", most=round(HOLD_MAX_S)))
