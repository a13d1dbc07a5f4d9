"""What prescribing and progress must know of an athlete, from what is stored."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from coach.analysis.assessment_types import Comparison, Verdict
from coach.service.assessment_results import newest_comparisons
from coach.service.spasm_rows import phase_of
from coach.store import care, pocket, program_changes
from coach.store.engine import Tx
from coach.store.rows import Row
from programs.types import History, PrescribedExercise

# A test speaks until the next one is due, and two weeks more. Own heuristic.
TEST_SPEAKS = timedelta(weeks=6)
# The muscle group that a comparison of left and right speaks of. Own list.
_GROUP_OF_COMPARISON = {
    "side_bridge": "side trunk",
    "thoracic_rotation": "hips and upper back",
    "hip_internal_rotation": "hips and upper back",
    "hip_external_rotation": "hips and upper back",
}


def history_of(tx: Tx, athlete: Row, now: datetime, running: Sequence[PrescribedExercise] = ()) -> History:
    """Return the history of an athlete. running: what the program that runs asks for, where a new one goes on."""
    equipment = athlete["equipment"]
    return History(
        level_by_exercise={item.exercise_id: item.level for item in running},
        dose_by_exercise={item.exercise_id: item.dose for item in running},
        contraindications=tuple(
            dict.fromkeys(care.contraindications(tx, athlete["id"]) + pocket.hurts_now(tx, athlete["id"]))
        ),
        equipment=None if equipment is None else frozenset(equipment),
        declined=frozenset(program_changes.declined(tx, athlete["id"])),
        weaker_side=weaker_sides(newest_comparisons(tx, athlete["id"], now - TEST_SPEAKS)),
        used_side=_one_side(pocket.side_of(tx, athlete["id"])),
        session_max_min=athlete["session_max_min"],
        phase=phase_of(tx, athlete["id"]),
    )


def _one_side(side: str | None) -> str | None:
    return side if side in {"left", "right"} else None


def weaker_sides(compared: Sequence[tuple[str, Comparison]]) -> dict[str, str]:
    """Return muscle group -> weaker side, where tests differ beyond their rule and their error and do not disagree.

    compared: id of the assessment and its comparison, the newest of each kind.
    """
    found: dict[str, set[str]] = {}
    for _, each in compared:
        group = _GROUP_OF_COMPARISON.get(each.id)
        if group is not None and each.sides is not None and each.verdict is Verdict.BEYOND:
            found.setdefault(group, set()).add("left" if each.sides.left < each.sides.right else "right")
    return {group: sides.pop() for group, sides in found.items() if len(sides) == 1}
